"""No key, number, text or password shows anywhere, whatever goes wrong: on real sockets, with all logging on."""

from __future__ import annotations

import asyncio
import datetime
import logging
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from payamak.advgateway import wire as advgateway
from payamak.common import (
    Attempt,
    AttemptReply,
    GatewayError,
    HttpSession,
    InvalidArgumentError,
    PayamakError,
    Proceed,
    Timeout,
)
from payamak.common.session import Reply, Request
from payamak.ghasedak import Account, Contact, GhasedakClient, Group, MessageStatus, OutgoingMessage, ReceivedMessage
from payamak.ghasedak import wire as ghasedak
from payamak.opgateway import wire as opgateway
from payamak.smsir import wire as smsir
from support.ghasedak import PATIENT, QUICKLY
from support.raw_server import (
    Behaviour,
    Exchange,
    RawServer,
    accept,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_read,
    close_unread,
    envelope,
    hang,
    http,
    reset_read,
)
from support.sentinels import (
    CHECK_ID,
    KEY,
    NAME,
    PARAM,
    PASSWORD,
    PHONE,
    TEXT,
    USERNAME,
    assert_all_silent,
    assert_silent,
    leaks,
)
from support.sockets import dead_port, stalled_port

NOW = datetime.datetime.now(datetime.UTC)
SHORT = Timeout(total=0.1, attempt=0.05, connect=0.05)
ECHO = f"{KEY} {PHONE} {TEXT} {CHECK_ID} {PARAM} {USERNAME}"
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def nothing_shows(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever the test does, no log record and no warning may hold a needle."""
    for name in ("payamak", "aiohttp", "asyncio", "backoff", "concurrent"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for record in caplog.get_records("call"):
        shown = [record.getMessage(), repr(record.args)]
        if record.exc_info and record.exc_info[1]:
            shown.append("".join(traceback.format_exception(record.exc_info[1])))
            assert_silent(record.exc_info[1])
        assert not leaks(*shown), shown
    assert not leaks(*(str(warning.message) for warning in caught))


Call = Callable[[GhasedakClient], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "send": lambda client: client.send(PHONE, TEXT, sender="10001", send_at=NOW, check_id=CHECK_ID),
    "send_by_username": lambda client: client.send_by_username(USERNAME, PHONE, TEXT, check_id=CHECK_ID),
    "send_pairs": lambda client: client.send_pairs([OutgoingMessage(PHONE, TEXT, "10001", check_id=CHECK_ID)]),
    "send_to_many": lambda client: client.send_to_many([PHONE], TEXT, check_ids=[CHECK_ID]),
    "send_otp": lambda client: client.send_otp(PHONE, TEXT, [PARAM], check_id=CHECK_ID),
    "send_voice": lambda client: client.send_voice(PHONE, TEXT),
    "statuses_by_check_id": lambda client: client.statuses_by_check_id([CHECK_ID]),
    "groups.add_contacts": lambda client: client.groups.add_contacts(7, [Contact(PHONE, NAME, NAME, NAME)]),
    "groups.list": lambda client: client.groups.list(),
    "groups.contacts": lambda client: client.groups.contacts(7),
}


def make(url: str, **options: Any) -> GhasedakClient:
    settings: dict[str, Any] = {"base_url": url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return GhasedakClient(KEY, **settings)


async def run(client: GhasedakClient, call: Call) -> BaseException | None:
    """Run it, look at all that comes of it, and return its error."""
    try:
        result = await call(client)
    except Exception as error:
        assert_silent(error)
        return error
    assert_all_silent([result, client, client._session, *client.__dict__.get("_hooks", ())])
    return None


def echo(status: int, body: bytes, **headers: str) -> Behaviour:
    return answer(body, status, headers)


async def echo_the_request(exchange: Exchange) -> None:
    request = await exchange.read()
    body = repr(request).encode() + request.body
    await exchange.write(http(b"<html>" + body + b"</html>", 500, {"X-Echo": request.body.decode()[:500]}))


FAULTS: dict[str, Behaviour] = {
    "success": accept(70001),
    "closes unread": close_unread,
    "closes": close_read,
    "resets": reset_read,
    "hangs": hang,
    "hangs in the body": bytes_then_hang(HEAD + b"Content-Length: 999\r\n\r\n" + ECHO.encode()),
    "half a status line": bytes_then_close(b"HTTP/1.1 200 " + ECHO.encode()),
    "half the headers": bytes_then_close(HEAD + b"X-Echo: " + ECHO.encode() + b"\r\nX-"),
    "half the headers after a reason": bytes_then_close(b"HTTP/1.1 200 " + ECHO.encode() + b"\r\nX-Echo: 1\r\nX"),
    "cut body": bytes_then_close(http(ECHO.encode())[:-3]),
    "cut body behind telling headers": bytes_then_close(http(ECHO.encode(), headers={"X-Echo": ECHO})[:-3]),
    "bad chunk": bytes_then_close(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + ECHO.encode() + b"\r\n"),
    "bad gzip": echo(200, ECHO.encode(), **{"Content-Encoding": "gzip"}),
    "unknown encoding": echo(200, ECHO.encode(), **{"Content-Encoding": KEY}),
    "not HTTP": bytes_then_close(ECHO.encode() + b"\r\n\r\n"),
    "bad header": bytes_then_close(HEAD + ECHO.encode() + b"\r\n\r\n"),
    "long header": echo(200, b"{}", **{"X-Long": ECHO * 200}),
    "bad length": bytes_then_close(HEAD + b"Content-Length: " + ECHO.encode() + b"\r\n\r\n"),
    "HTML": echo(200, ECHO.encode(), **{"Content-Type": "text/html"}),
    "bad charset": echo(200, b"\xff" + ECHO.encode(), **{"Content-Type": f"application/json; charset={KEY}"}),
    "echo": echo_the_request,
    "redirect": echo(302, ECHO.encode(), Location=f"http://127.0.0.1:9/?{KEY}&{PHONE}"),
    "bad redirect": echo(302, b"", Location=f"http://{KEY}:{PHONE}@[:{TEXT}"),
    "cookie": echo(500, b"", **{"Set-Cookie": f"a={KEY}; domain={PHONE}; expires={TEXT}"}),
    "retry after": echo(429, b"", **{"Retry-After": ECHO, "Date": ECHO}),
    "refusal": echo(400, envelope([ECHO], 400, ECHO)),
    "refusal by number": echo(419, envelope([8], 419, ECHO)),
    "refusal that names the number refused": echo(419, envelope([int(PHONE)], 419, ECHO)),
    "refusal that names the number refused as a text": echo(419, envelope([PHONE], 419, ECHO)),
    "refusal within": accept(8),
    "items of another kind": accept(ECHO),
    "items with unknown names": accept({ECHO: ECHO, "status": ECHO}),
    "items with wrong values": accept({"messageid": ECHO, "status": ECHO, "number": [PHONE], "id": PHONE + "x"}),
    "no list": answer(envelope(ECHO)),
    "no envelope": answer(f'{{"{ECHO}": "{ECHO}"}}'.encode()),
    "result of another kind": answer(f'{{"result": "{ECHO}"}}'.encode()),
    "code of another kind": answer(envelope(None, ECHO, ECHO)),
    "half JSON": answer(f'{{"{ECHO}": "{ECHO}'.encode()),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_shows_when_the_server(fault: str) -> None:
    timeout = SHORT if fault.startswith("hangs") else PATIENT
    async with RawServer(FAULTS[fault]) as server, make(server.url, timeout=timeout) as client:
        for call in CALLS.values():
            await run(client, call)


async def test_what_the_vendor_wrote_is_kept_in_its_one_place() -> None:
    async with RawServer(FAULTS["refusal"]) as server, make(server.url) as client:
        error = await run(client, CALLS["send"])
    assert isinstance(error, GatewayError)
    assert error.gateway_message == ECHO


@pytest.mark.parametrize("operation", ["send", "send_by_username", "groups.contacts"])
async def test_nothing_shows_when_no_connection_comes_about(operation: str) -> None:
    async with RawServer(hang) as server:
        with dead_port() as dead, stalled_port() as stalled:
            for url in (
                f"http://127.0.0.1:{dead}/",
                f"http://127.0.0.1:{stalled}/",
                f"https://{PHONE}.invalid/{KEY}/",
                server.url.replace("http:", "https:"),
            ):
                async with make(url, timeout=SHORT) as client:
                    assert isinstance(await run(client, CALLS[operation]), PayamakError)


@pytest.mark.parametrize("operation", ["send", "groups.contacts"])
async def test_nothing_shows_of_a_proxy(operation: str) -> None:
    refuse = bytes_then_close(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
    garbage = bytes_then_close(ECHO.encode() + b"\r\n\r\n")
    with dead_port() as dead, stalled_port() as stalled:
        async with RawServer(refuse) as refusing, RawServer(garbage) as talking, RawServer(close_read) as closing:
            for port in (dead, stalled, refusing.port, talking.port, closing.port):
                for target in ("http://127.0.0.1:9/", "https://127.0.0.1:9/"):
                    proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{port}"
                    async with make(target, proxy=proxy, timeout=SHORT) as client:
                        assert isinstance(await run(client, CALLS[operation]), PayamakError)


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://{USERNAME}:{PASSWORD}@[::1",
        f"http://{USERNAME}:{PASSWORD}@:1",
        f"{USERNAME}:{PASSWORD}@127.0.0.1",
        f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{PASSWORD}",
    ],
)
async def test_nothing_shows_of_a_proxy_that_is_none(proxy: str) -> None:
    async def call() -> None:
        async with make("http://127.0.0.1:9/", proxy=proxy) as client:
            await client.send(PHONE, TEXT)

    with pytest.raises(PayamakError) as caught:
        await call()
    assert_silent(caught.value)


BAD_CALLS: list[Call] = [
    lambda client: client.send(PHONE + "x", TEXT),
    lambda client: client.send(int(PHONE), TEXT),  # type: ignore[arg-type]
    lambda client: client.send(PHONE, TEXT.encode()),  # type: ignore[arg-type]
    lambda client: client.send(PHONE, TEXT + "\udcff"),
    lambda client: client.send(PHONE, TEXT, sender=PHONE + KEY),
    lambda client: client.send(PHONE, TEXT, send_at=TEXT),  # type: ignore[arg-type]
    lambda client: client.send(PHONE, TEXT, check_id=CHECK_ID + ","),
    lambda client: client.send_by_username(USERNAME + "\ud800", PHONE, TEXT),
    lambda client: client.send_pairs([(PHONE, TEXT)]),  # type: ignore[list-item]
    lambda client: client.send_pairs([OutgoingMessage(PHONE, TEXT + ",", "10001")]),
    lambda client: client.send_pairs(OutgoingMessage(PHONE, TEXT, "10001")),  # type: ignore[arg-type]
    lambda client: client.send_to_many([PHONE, PHONE + "x"], TEXT),
    lambda client: client.send_to_many([PHONE], TEXT, check_ids=[CHECK_ID, CHECK_ID]),
    lambda client: client.send_to_many(int(PHONE), TEXT),  # type: ignore[arg-type]
    lambda client: client.send_otp(PHONE, TEXT, PARAM),
    lambda client: client.send_otp(PHONE, TEXT, [PARAM] * 11),
    lambda client: client.send_otp(PHONE, TEXT, [PARAM], kind=PARAM),  # type: ignore[arg-type]
    lambda client: client.statuses([PHONE]),  # type: ignore[list-item]
    lambda client: client.statuses_by_check_id(CHECK_ID),
    lambda client: client.received(PHONE + KEY),
    lambda client: client.groups.add_contacts(7, [Contact(PHONE, NAME + ",")]),
    lambda client: client.groups.add_contacts(7, [Contact(PHONE + "x")]),
    lambda client: client.groups.contacts(PHONE),  # type: ignore[arg-type]
    lambda client: client.groups.create(NAME + "\udcff"),
]


@pytest.mark.parametrize("number", range(len(BAD_CALLS)))
async def test_nothing_shows_of_bad_arguments(number: int) -> None:
    async with make("http://127.0.0.1:9/") as client:
        assert isinstance(await run(client, BAD_CALLS[number]), InvalidArgumentError)


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": KEY + "\n"},
        {"api_key": KEY.encode()},
        {"api_key": KEY + "ک"},
        {"base_url": f"https://{USERNAME}:{PASSWORD}@api.ghasedak.me/"},
        {"base_url": f"https://api.ghasedak.me/?apikey={KEY}"},
        {"base_url": f"https://{USERNAME}:{PASSWORD}@[::1/{KEY}"},
        {"base_url": f"https://api.ghasedak.me:{PASSWORD}/"},
        {"proxy": f"{USERNAME}:{PASSWORD}@127.0.0.1:1"},
        {"timeout": KEY},
        {"retry": KEY},
        {"session": KEY},
        {"ssl": KEY},
        {"hooks": [KEY]},
    ],
)
def test_nothing_shows_of_bad_settings(arguments: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"api_key": KEY, **arguments}
    with pytest.raises(InvalidArgumentError) as caught:
        GhasedakClient(**settings)
    assert_silent(caught.value)


async def test_nothing_shows_when_a_call_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, make(server.url) as client:
        for call in CALLS.values():
            task = asyncio.ensure_future(call(client))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert_silent(caught.value)
    assert "cancelled" in caplog.text


async def test_nothing_shows_when_a_client_is_closed() -> None:
    async with RawServer(accept(70001)) as server:
        async with make(server.url) as client:
            await client.send(PHONE, TEXT)
        for call in CALLS.values():
            assert isinstance(await run(client, call), PayamakError)


async def test_nothing_shows_when_a_hook_fails() -> None:
    async def fail(call: Attempt, proceed: Proceed) -> AttemptReply:
        assert not leaks(call)
        try:
            reply = await proceed()
        except PayamakError:
            raise ValueError("in a failure")  # noqa: B904
        assert not leaks(reply)
        raise ValueError("after a success")

    for fault in ("success", "closes", "bad chunk", "half the headers", "not HTTP", "refusal", "echo"):
        async with RawServer(FAULTS[fault]) as server, make(server.url, hooks=[fail]) as client:
            for call in CALLS.values():
                await run(client, call)


async def test_nothing_shows_in_the_debug_mode_of_asyncio() -> None:
    asyncio.get_running_loop().set_debug(True)
    async with RawServer(close_read) as server, make(server.url) as client:
        for call in CALLS.values():
            await run(client, call)


def test_the_key_alone_travels_in_its_header() -> None:
    """It is in no URL, where logs of proxies and servers would keep it."""

    async def urls() -> list[str]:
        async with RawServer(accept()) as server, make(server.url) as client:
            for call in CALLS.values():
                await run(client, call)
            return [request.target for request in server.requests]

    assert not leaks(*asyncio.run(urls()))


@pytest.mark.parametrize(
    "value",
    [
        Contact(PHONE, NAME, NAME, NAME),
        Group(7, "a group"),
        Account(1),
        MessageStatus(7, text=TEXT, sender="10001", recipient=PHONE, status=1),
        ReceivedMessage(7, TEXT, PHONE, "10001"),
        OutgoingMessage(PHONE, TEXT, "10001", check_id=CHECK_ID),
        Request("GET", f"http://127.0.0.1/?apikey={KEY}&to={PHONE}", {"apikey": KEY}, TEXT.encode()),
        Reply(200, {"X-Echo": KEY}, TEXT.encode()),
        ghasedak.Envelope([PHONE], {"text": TEXT}, 200),
        smsir.Arguments({"number": PHONE}, {"Message": TEXT}),
        opgateway.Answer(0, [PHONE, TEXT], 200),
        advgateway.Answer({"msg": TEXT, "from": PHONE}, 200),
        HttpSession(proxy=f"http://{USERNAME}:{PASSWORD}@127.0.0.1:1"),
        GhasedakClient(KEY, proxy=f"http://{USERNAME}:{PASSWORD}@127.0.0.1:1"),
        GhasedakClient(KEY).groups,
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_shows_in_a_repr(value: object) -> None:
    assert_all_silent([value, [value], {"x": value}])
