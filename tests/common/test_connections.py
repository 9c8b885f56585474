"""What happens before a connection stands, and on connections that are kept: nothing there may blur an outcome."""

from __future__ import annotations

import asyncio
import copy
import gzip
import pickle
import ssl as ssl_module
from collections.abc import Callable

import aiohttp
import pytest
from payamak.common import (
    ClientStateError,
    ConnectionFailedError,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    Timeout,
)
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, ONCE, QUICKLY, failure_of, make_client, send
from support.raw_server import (
    Behaviour,
    Exchange,
    RawServer,
    accept,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_unread,
    envelope,
    hang,
    http,
    reset_unread,
)


def answer_twice(first: int, second: int) -> Behaviour:
    """Answer, and a moment later write an answer that nobody asked for onto the idle connection."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(http(envelope([first])))
        await asyncio.sleep(0.02)
        await exchange.write(http(envelope([second])))

    return behaviour


UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("before", [b"", http(envelope([70001]))], ids=["alone", "behind an answer"])
async def test_nothing_stays_open_of_an_answer_that_changes_the_protocol(
    before: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """In its debug mode, asyncio would log the address and the headers of what stays open."""
    asyncio.get_running_loop().set_debug(True)
    async with RawServer(bytes_then_hang(before + UPGRADE)) as server, make_client(server.url, retry=ONCE) as client:
        if before:
            assert (await send(client)).message_id == 70001
        else:
            assert (await failure_of(send(client))).outcome is Outcome.UNKNOWN
    assert "Unclosed" not in caplog.text


async def test_an_answer_that_came_before_the_question_is_nobodys() -> None:
    """aiohttp would take it for the answer to the next request: a message that was never sent would have an id."""
    async with RawServer(answer_twice(70001, 99999), accept(70002)) as server, make_client(server.url) as client:
        assert (await send(client)).message_id == 70001
        await asyncio.sleep(0.05)
        assert (await send(client)).message_id == 70002
        assert len(server.requests) == 2


def chunked(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


BODY = envelope([70001])
WHOLE = {
    "length": http(BODY),
    "chunks": chunked(BODY),
    "gzip": http(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}),
}
STRAY = {"words": b"</html>", "zeros": b"\0" * 4, "much": b"x" * 70_000, "an answer": http(envelope([99999]))}


@pytest.mark.parametrize("ending", [bytes_then_close, bytes_then_hang])
@pytest.mark.parametrize("stray", STRAY)
@pytest.mark.parametrize("whole", WHOLE)
async def test_a_whole_answer_is_believed_whatever_comes_behind_it(
    whole: str, stray: str, ending: Callable[[bytes], Behaviour]
) -> None:
    async with (
        RawServer(ending(WHOLE[whole] + STRAY[stray]), accept(70002)) as server,
        make_client(server.url) as client,
    ):
        assert (await send(client)).message_id == 70001
        assert (await send(client)).message_id == 70002
        assert server.connections == 2, "what came behind would be taken for the next answer"


@pytest.mark.parametrize("half", [http(BODY)[:-1], chunked(BODY)[:-7], b"HTTP/1.1 200 OK\r\n\r\n" + BODY])
async def test_an_answer_that_is_not_whole_is_believed_no_more_for_what_comes_behind_it(half: bytes) -> None:
    stray = bytes_then_close(half + b"</html>")
    async with RawServer(stray) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN


async def speak_first(exchange: Exchange) -> None:
    await exchange.write(http(envelope([99999])))
    await exchange.hang()


def test_a_server_that_speaks_first_is_tried_as_often_as_one_that_is_not_there() -> None:
    """uvloop reads what it says before a request is written; then the next connection would be no better."""
    uvloop = pytest.importorskip("uvloop")

    async def try_it() -> None:
        async with RawServer(speak_first) as server, make_client(server.url, timeout=Timeout(total=1)) as client:
            error = await failure_of(send(client))
            assert type(error) is ConnectionFailedError
            assert error.outcome is Outcome.NOT_SENT
            assert server.connections == QUICKLY.attempts
            assert server.requests == []

    uvloop.run(try_it())


async def refuse_tunnel(exchange: Exchange) -> None:
    await exchange.read()
    await exchange.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    await exchange.close()


@pytest.mark.parametrize(
    "proxy",
    [
        close_unread,
        reset_unread,
        bytes_then_close(b""),
        bytes_then_close(b"HTTP/1.1 2"),
        bytes_then_close(b"SSH-2.0-OpenSSH\r\n"),
        bytes_then_close(b"HTTP/1.1 200 OK\r\n\r\n"),
        refuse_tunnel,
        hang,
    ],
    ids=["closes", "resets", "reads and closes", "half a line", "no HTTP", "tunnel to nowhere", "refuses", "hangs"],
)
async def test_a_proxy_that_breaks_while_it_builds_the_tunnel_has_sent_nothing(proxy: Behaviour) -> None:
    async with RawServer(proxy) as between:
        options = {"proxy": f"http://127.0.0.1:{between.port}", "retry": ONCE, "timeout": Timeout(2, 1, 0.2)}
        async with make_client("https://127.0.0.1:9/v2/", **options) as client:
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("proxy", ["http://", "https://", "http://[x", "http://h:bad", "http://a b/", "http:///path"])
async def test_a_proxy_without_a_host_is_refused_and_not_passed_by(proxy: str) -> None:
    async with RawServer(accept(70001)) as server:
        with pytest.raises(InvalidArgumentError, match="proxy"):
            make_client(server.url, proxy=proxy)
        assert server.connections == 0


async def test_who_waits_for_a_connection_of_a_borrowed_session_that_is_closed_has_sent_nothing() -> None:
    async with RawServer(hang) as server:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
        client = make_client(server.url, session=session)
        tasks = [asyncio.create_task(failure_of(send(client))) for _ in range(3)]
        await server.has_read.wait()
        await session.close()
        async with asyncio.timeout(2):
            errors = await asyncio.gather(*tasks)
        assert [error.outcome for error in errors] == [Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.NOT_SENT]
        assert len(server.requests) == 1


async def test_waiting_for_a_free_connection_takes_nothing_from_an_attempt() -> None:
    async with RawServer(answer(envelope([70001]), after=0.12)) as server, HttpSession(max_connections=1) as session:
        client = make_client(server.url, session=session, timeout=Timeout(total=5, attempt=0.2), retry=ONCE)
        results = await asyncio.gather(*(send(client) for _ in range(4)))
        assert [result.message_id for result in results] == [70001] * 4


@pytest.mark.parametrize("verify", ssl_module.VerifyMode)
def test_verification_cannot_be_switched_off(verify: ssl_module.VerifyMode) -> None:
    context = ssl_module.create_default_context()
    context.check_hostname = False
    context.verify_mode = verify
    with pytest.raises(InvalidArgumentError, match="ssl must verify") as caught:
        GhasedakClient(KEY, ssl=context)
    assert caught.value.argument == "ssl"


@pytest.mark.parametrize("name", ["allow_http", "trust_env"])
def test_a_switch_is_a_bool(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=name):
        GhasedakClient(KEY, **{name: "no"})  # type: ignore[arg-type]


def test_a_session_cannot_be_copied() -> None:
    """It holds connections, and perhaps the proxy's password."""
    session = HttpSession(proxy="http://user:secret@127.0.0.1:1")
    for duplicate in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="HttpSession"):
            duplicate(session)


async def test_a_closed_client_cannot_be_entered_again() -> None:
    client = GhasedakClient(KEY)
    async with client:
        pass
    with pytest.raises(ClientStateError):
        async with client:
            pass


@pytest.mark.parametrize("number", [9127776655, -9127776655])
async def test_a_result_code_that_may_be_anything_is_in_no_message(number: int) -> None:
    async with RawServer(answer(envelope(None, number))) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert "7776655" not in f"{error} {error!r}"
    assert getattr(error, "code", None) == number


@pytest.mark.parametrize("base_url", ["https://xn--/", "https://h/\r\nX: y", "https://h/ x", "https://h:bad/"])
def test_what_is_no_base_url_is_refused(base_url: str) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url"):
        GhasedakClient(KEY, base_url=base_url)
