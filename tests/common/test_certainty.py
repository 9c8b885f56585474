"""What each failure says about the message, and how often a server gets the request, on real sockets."""

from __future__ import annotations

import contextlib
import gzip
import ssl as ssl_module
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import attrs
import pytest
import trustme
from payamak.common import (
    ConnectionFailedError,
    ConnectionLostError,
    Outcome,
    PayamakError,
    ReplyError,
    RequestTimeoutError,
    Sent,
    Timeout,
)
from payamak.common.session import MAX_REPLY_BYTES
from support.ghasedak import CALLS, HASTY, PATIENT, QUICKLY, failure_of, look, make_client, send
from support.raw_server import (
    Behaviour,
    RawServer,
    accept,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_read,
    close_unread,
    envelope,
    hang,
    hang_unread,
    http,
    reset_read,
    reset_unread,
)
from support.sockets import dead_port, stalled_port

ATTEMPTS = QUICKLY.attempts
# But for its length it would be a success.
TOO_LONG = envelope([70001]) + b" " * MAX_REPLY_BYTES
GZIP = {"Content-Encoding": "gzip"}


@attrs.frozen
class Fault:
    """What a server does, and what a call must make of it."""

    name: str
    behaviour: Behaviour
    error: type[PayamakError]
    read: bool = True
    """Whether the server reads the request."""
    repeated: bool = True
    """Whether a read is tried again. A send never is: these are the faults in which it may have arrived."""
    timeout: Timeout = PATIENT


FAULTS = [
    Fault("accepts, closes before reading", close_unread, ConnectionLostError, read=False),
    Fault("accepts, resets before reading", reset_unread, ConnectionLostError, read=False),
    Fault("reads all, closes", close_read, ConnectionLostError),
    Fault("reads all, resets", reset_read, ConnectionLostError),
    Fault("half a status line", bytes_then_close(b"HTTP/1.1 20"), ConnectionLostError),
    Fault("half the headers", bytes_then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Ha"), ConnectionLostError),
    Fault("cut body", bytes_then_close(http(envelope([70001]))[:-9]), ConnectionLostError),
    Fault("bad gzip", answer(b"this is not gzip", headers=GZIP), ReplyError, repeated=False),
    Fault(
        "cut chunk",
        bytes_then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"),
        ConnectionLostError,
    ),
    Fault("not HTTP", bytes_then_close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), ReplyError, repeated=False),
    Fault("20 kB header", answer(b"{}", headers={"X-Long": "x" * 20_000}), ReplyError, repeated=False),
    Fault("hangs", hang, RequestTimeoutError, timeout=HASTY),
    Fault("hangs in the body", bytes_then_hang(http(envelope([70001]))[:-9]), RequestTimeoutError, timeout=HASTY),
    Fault("too long", answer(TOO_LONG), ReplyError, repeated=False),
    Fault("gzip bomb", answer(gzip.compress(TOO_LONG), headers=GZIP), ReplyError, repeated=False),
    Fault("redirect", answer(b"", 307, {"Location": "/v2/elsewhere"}), ReplyError, repeated=False),
    Fault("HTML", answer(b"<html>ok</html>", headers={"Content-Type": "text/html"}), ReplyError, repeated=False),
    Fault("empty body", answer(b""), ReplyError, repeated=False),
    Fault("HTML with 502", answer(b"<html>Bad Gateway</html>", 502), ReplyError),
    Fault("success that HTTP 500 contradicts", answer(envelope([70001]), 500), ReplyError),
]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_after_connecting_a_send_is_made_once_and_its_outcome_is_unknown(fault: Fault, operation: str) -> None:
    async with RawServer(fault.behaviour) as server, make_client(server.url, timeout=fault.timeout) as client:
        error = await failure_of(CALLS[operation](client))

        assert type(error) is fault.error
        assert error.outcome is Outcome.UNKNOWN
        assert getattr(error, "sent", Sent.MAYBE) is Sent.MAYBE
        attempts = ATTEMPTS if fault.repeated and operation != "send" else 1
        assert len(server.requests) == (attempts if fault.read else 0)
        assert server.connections <= attempts
        if not fault.read:
            assert server.connections == attempts


BREAKS = [fault for fault in FAULTS if fault.error is ConnectionLostError]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.name)
async def test_a_borrowed_session_is_kept_from_resending_too(fault: Fault, operation: str) -> None:
    async with RawServer(fault.behaviour) as server, aiohttp.ClientSession() as session:
        error = await failure_of(CALLS[operation](make_client(server.url, session=session)))

        assert type(error) is ConnectionLostError
        attempts = 1 if operation == "send" else ATTEMPTS
        assert len(server.requests) == (attempts if fault.read else 0)
        if not fault.read:
            assert server.connections == attempts


async def test_a_plain_aiohttp_session_does_resend_which_is_what_these_tests_can_see() -> None:
    async with RawServer(close_read) as server, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.get(server.url)

        assert len(server.requests) == 2


async def test_a_middleware_of_the_borrowed_session_still_runs() -> None:
    seen: list[str] = []

    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        seen.append(request.method)
        return await handler(request)

    async with (
        RawServer(close_read) as server,
        aiohttp.ClientSession(middlewares=(middleware,)) as session,
        make_client(server.url, session=session) as client,
    ):
        await failure_of(look(client))
        await failure_of(send(client))

        assert seen == ["GET"] * ATTEMPTS + ["POST"]
        assert len(server.requests) == ATTEMPTS + 1


@pytest.mark.parametrize("borrowed", [False, True], ids=["own", "borrowed"])
@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("drop", [close_read, reset_read], ids=["close", "reset"])
async def test_a_kept_alive_connection_dropped_at_its_second_request(
    drop: Behaviour, operation: str, borrowed: bool
) -> None:
    async with RawServer(accept(), drop) as server, contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession()) if borrowed else None
        client = await stack.enter_async_context(make_client(server.url, session=session))
        await client.groups.list()

        error = await failure_of(CALLS[operation](client))

        assert type(error) is ConnectionLostError
        assert error.outcome is Outcome.UNKNOWN
        dropped = server.requests[1:]
        assert dropped[0].connection == 1, "the connection was not kept alive: the test proves nothing"
        assert len(dropped) == (1 if operation == "send" else ATTEMPTS)


@pytest.mark.parametrize(("operation", "items"), [("statuses", [{"status": 1}]), ("groups.list", [{"id": 4}])])
async def test_a_read_recovers_from_what_passes(operation: str, items: list[object]) -> None:
    async with RawServer(close_read, reset_read, accept(*items)) as server, make_client(server.url) as client:
        assert len(await CALLS[operation](client)) == 1
        assert len(server.requests) == 3


async def test_a_redirect_is_not_followed() -> None:
    script = [answer(b"", status, {"Location": "/v2/elsewhere"}) for status in (301, 302, 303, 307, 308)]
    async with RawServer(*script) as server, make_client(server.url) as client:
        for status in (301, 302, 303, 307, 308):
            error = await failure_of(send(client))
            assert isinstance(error, ReplyError)
            assert error.http_status == status
        assert [request.target for request in server.requests] == ["/v2/sms/send/simple"] * 5


async def test_an_answer_may_be_as_long_as_the_limit() -> None:
    body = envelope([70001])
    body += b" " * (MAX_REPLY_BYTES - len(body))
    async with RawServer(answer(body)) as server, make_client(server.url) as client:
        assert (await send(client)).message_id == 70001


async def test_a_compressed_answer_is_understood() -> None:
    async with (
        RawServer(answer(gzip.compress(envelope([70001])), headers=GZIP)) as server,
        make_client(server.url) as client,
    ):
        assert (await send(client)).message_id == 70001


# --- Before a connection stands: never sent, so even a send is tried again.


@asynccontextmanager
async def nothing_listens() -> AsyncGenerator[str, None]:
    with dead_port() as port:
        yield f"http://127.0.0.1:{port}/"


@asynccontextmanager
async def unknown_host() -> AsyncGenerator[str, None]:
    yield "https://gateway.invalid/v2/"


@asynccontextmanager
async def no_connection_in_time() -> AsyncGenerator[str, None]:
    with stalled_port() as port:
        yield f"http://127.0.0.1:{port}/"


@asynccontextmanager
async def tls_to_a_silent_port() -> AsyncGenerator[str, None]:
    async with RawServer(hang_unread) as server:
        yield server.url.replace("http:", "https:")


@asynccontextmanager
async def tls_to_a_plain_port() -> AsyncGenerator[str, None]:
    async def complain(exchange: object) -> None:
        await exchange.write(http(b"", 400))  # type: ignore[attr-defined]
        await exchange.close()  # type: ignore[attr-defined]

    async with RawServer(complain) as server:
        yield server.url.replace("http:", "https:")


@asynccontextmanager
async def unknown_authority() -> AsyncGenerator[str, None]:
    async with RawServer(hang, ssl=_server_context(trustme.CA())) as server:
        yield server.url
        assert server.requests == []


@asynccontextmanager
async def certificate_of_another_host() -> AsyncGenerator[str, None]:
    async with RawServer(hang, ssl=_server_context(trustme.CA(), "other.example")) as server:
        yield server.url
        assert server.requests == []


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    "place",
    [
        nothing_listens,
        unknown_host,
        no_connection_in_time,
        tls_to_a_silent_port,
        tls_to_a_plain_port,
        unknown_authority,
        certificate_of_another_host,
    ],
)
async def test_before_a_connection_stands_nothing_was_sent(
    place: object, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with place() as url, make_client(url, timeout=Timeout(total=5, attempt=2, connect=0.06)) as client:  # type: ignore[operator]
        error = await failure_of(CALLS[operation](client))

    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT
    assert error.sent is Sent.NEVER
    warnings = [record for record in caplog.records if record.name == "payamak.ghasedak"]
    assert len(warnings) == ATTEMPTS - 1, "what never left is tried again, a send too"


async def test_a_send_succeeds_once_somebody_listens() -> None:
    """A refused connection, then a server: the message is sent, and once."""
    async with RawServer(accept(70001)) as server:
        calls: list[object] = []

        async def come_later(call: object, proceed: object) -> object:
            calls.append(call)
            if len(calls) == 1:
                with dead_port() as port:
                    client._session._options["proxy"] = f"http://127.0.0.1:{port}"
                    try:
                        return await proceed()  # type: ignore[operator]
                    finally:
                        del client._session._options["proxy"]
            return await proceed()  # type: ignore[operator]

        async with make_client(server.url, hooks=[come_later]) as client:
            assert (await send(client)).message_id == 70001
        assert len(calls) == 2
        assert len(server.requests) == 1


# --- TLS


def _server_context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl_module.SSLContext:
    context = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


def _client_context(authority: trustme.CA) -> ssl_module.SSLContext:
    context = ssl_module.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


async def test_an_authority_of_ones_own_is_accepted() -> None:
    authority = trustme.CA()
    async with (
        RawServer(accept(70001), ssl=_server_context(authority)) as server,
        make_client(server.url, ssl=_client_context(authority)) as client,
    ):
        assert (await send(client)).message_id == 70001


async def test_an_authority_of_ones_own_does_not_excuse_another_host() -> None:
    authority = trustme.CA()
    async with (
        RawServer(accept(70001), ssl=_server_context(authority, "other.example")) as server,
        make_client(server.url, ssl=_client_context(authority)) as client,
    ):
        assert type(await failure_of(send(client))) is ConnectionFailedError
        assert server.requests == []


async def test_over_tls_a_drop_after_reading_is_unknown() -> None:
    authority = trustme.CA()
    async with (
        RawServer(close_read, ssl=_server_context(authority)) as server,
        make_client(server.url, ssl=_client_context(authority)) as client,
    ):
        error = await failure_of(send(client))

        assert type(error) is ConnectionLostError
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1
