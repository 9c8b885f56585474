"""No credential, number, text or new user's data shows anywhere, whatever goes wrong, with all logging on."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from payamak.opgateway import (
    GatewayError,
    InvalidArgumentError,
    NewUser,
    Operator,
    OpGatewayClient,
    PayamakError,
    Timeout,
)
from support.ghasedak import PATIENT, QUICKLY
from support.opgateway import Call, make_client, reply, url_of
from support.raw_server import (
    Behaviour,
    Exchange,
    RawServer,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_read,
    close_unread,
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

SHORT = Timeout(total=0.1, attempt=0.05, connect=0.05)
ECHO = f"{KEY} {PHONE} {TEXT} {CHECK_ID} {PARAM} {USERNAME} {PASSWORD} {NAME}"
HEAD = b"HTTP/1.1 200 OK\r\n"
USER = NewUser(NAME, KEY, NAME, NAME, PARAM, PARAM, 2, PHONE, PHONE, CHECK_ID, f"{NAME}@example.com", TEXT)
AT = datetime(2030, 1, 1, tzinfo=UTC)

CALLS: dict[str, Call] = {
    "send": lambda client: client.send(PHONE, TEXT, sender="3000505", send_at=AT),
    "send_to_many": lambda client: client.send_to_many([PHONE], TEXT, sender="3000505"),
    "send_to_phone_books": lambda client: client.send_to_phone_books([7], TEXT, sender="3000505"),
    "send_to_job": lambda client: client.send_to_job(7, [7], TEXT, sender="3000505"),
    "send_to_postal_code": lambda client: client.send_to_postal_code(Operator.MCI, PARAM, TEXT, sender="3000505"),
    "create_user": lambda client: client.create_user(USER),
    "credit": lambda client: client.credit(),
    "delivery": lambda client: client.delivery(7),
    "check_message": lambda client: client.check_message(7),
    "received": lambda client: client.received(),
    "postal_code_count": lambda client: client.postal_code_count(Operator.MCI, PARAM),
}


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


def make(url: str, **options: Any) -> OpGatewayClient:
    settings: dict[str, Any] = {"base_url": url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return OpGatewayClient(USERNAME, PASSWORD, **settings)


async def run(client: OpGatewayClient, call: Call) -> BaseException | None:
    """Run it, look at all that comes of it, and return its error."""
    try:
        result = await call(client)
    except Exception as error:
        assert_silent(error)
        return error
    assert_all_silent([result, client, client._session])
    return None


async def echo_the_request(exchange: Exchange) -> None:
    request = await exchange.read()
    await exchange.write(http(b"<html>" + request.body, 500, {"X-Echo": request.body.decode()[:500]}))


FAULTS: dict[str, Behaviour] = {
    "success": reply([0, 10929800]),
    "closes unread": close_unread,
    "closes": close_read,
    "resets": reset_read,
    "hangs": hang,
    "hangs in the body": bytes_then_hang(HEAD + b"Content-Length: 999\r\n\r\n" + ECHO.encode()),
    "half the headers": bytes_then_close(HEAD + b"X-Echo: " + ECHO.encode() + b"\r\nX-"),
    "cut body behind telling headers": bytes_then_close(http(ECHO.encode(), headers={"X-Echo": ECHO})[:-3]),
    "not HTTP": bytes_then_close(ECHO.encode() + b"\r\n\r\n"),
    "bad gzip": answer(ECHO.encode(), 200, {"Content-Encoding": "gzip"}),
    "HTML": answer(ECHO.encode(), 200, {"Content-Type": "text/html"}),
    "echo": echo_the_request,
    "redirect": answer(ECHO.encode(), 302, {"Location": f"http://127.0.0.1:9/?{KEY}&{PHONE}"}),
    "retry after": answer(b"", 429, {"Retry-After": ECHO, "Date": ECHO}),
    "refusal": reply([5, ECHO]),
    "refusal for now": reply([99, ECHO]),
    "refusal by an unknown code": reply([8, ECHO]),
    "refusal with a code that is the number": reply([int(PHONE), ECHO]),
    "refusal with a code that is the number as a text": reply([PHONE, ECHO]),
    "success that contradicts": answer(f'[0, "{ECHO}"]'.encode(), 500),
    "data of another kind": reply([0, ECHO]),
    "lists of another kind": reply([0, [ECHO, [ECHO], {ECHO: ECHO}]]),
    "a list in a string": reply([0, f'["{ECHO}"]']),
    "half a list in a string": reply([0, f'["{ECHO}']),
    "entries with wrong values": reply([0, [{"message": [ECHO], "from": [PHONE], "time": ECHO}]]),
    "entries with right values": reply([0, [{"message": TEXT, "from": PHONE, "to": "3000505", "id": 5}]]),
    "deliveries": reply([0, [f"+98{PHONE[1:]}:send"]]),
    "progress of another kind": reply({"statusMessage": [ECHO], "validMessage": {ECHO: ECHO}}),
    "an object": reply({ECHO: ECHO}),
    "a text": reply(ECHO),
    "half JSON": answer(f'[0, "{ECHO}'.encode()),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_shows_when_the_server(fault: str) -> None:
    timeout = SHORT if fault.startswith("hangs") else PATIENT
    # Where there is an answer to read, each reader has a go at it.
    read_by_all = fault not in list(FAULTS)[: list(FAULTS).index("refusal")]
    calls = list(CALLS.values()) if read_by_all else [CALLS["send"], CALLS["create_user"], CALLS["credit"]]
    async with RawServer(FAULTS[fault]) as server, make(url_of(server), timeout=timeout) as client:
        for call in calls:
            await run(client, call)


async def test_what_the_vendor_wrote_is_kept_in_its_one_place() -> None:
    async with RawServer(FAULTS["refusal"]) as server, make(url_of(server)) as client:
        error = await run(client, CALLS["send"])
    assert isinstance(error, GatewayError)
    assert error.gateway_message == ECHO


async def test_nothing_shows_when_no_connection_comes_about() -> None:
    with dead_port() as dead, stalled_port() as stalled:
        for url in (f"http://127.0.0.1:{dead}/", f"http://127.0.0.1:{stalled}/", f"https://{PHONE}.invalid/{KEY}/"):
            async with make(url, timeout=SHORT) as client:
                assert isinstance(await run(client, CALLS["send"]), PayamakError)
                assert isinstance(await run(client, CALLS["create_user"]), PayamakError)


NUMBER: Any = int(PHONE)
OTHER: Any = PHONE
LIST: Any = [KEY]
BAD_CALLS: list[Call] = [
    lambda client: client.send(PHONE + "x", TEXT, sender="3000505"),
    lambda client: client.send(NUMBER, TEXT, sender="3000505"),
    lambda client: client.send(PHONE, TEXT + "\udcff", sender="3000505"),
    lambda client: client.send(PHONE, TEXT, sender=KEY),
    lambda client: client.send(PHONE, TEXT, sender="3000505", send_at=OTHER),
    lambda client: client.send_to_many([PHONE, PHONE + "x"], TEXT, sender="3000505"),
    lambda client: client.send_to_many(NUMBER, TEXT, sender="3000505"),
    lambda client: client.delivery(OTHER),
    lambda client: client.job_count([OTHER]),
    lambda client: client.postal_code_count(OTHER, PARAM),
    lambda client: client.create_user(OTHER),
    lambda client: client.create_user(attrs.evolve(USER, password=KEY + "\udcff")),
    lambda client: client.create_user(attrs.evolve(USER, access_id=LIST)),
    lambda client: client.create_user(attrs.evolve(USER, mobile=NUMBER)),
]


async def test_nothing_shows_of_bad_arguments() -> None:
    async with make("http://127.0.0.1:9/") as client:
        for call in BAD_CALLS:
            assert isinstance(await run(client, call), InvalidArgumentError)


@pytest.mark.parametrize(
    "arguments",
    [
        {"username": USERNAME + "\udcff"},
        {"password": PASSWORD.encode()},
        {"base_url": f"https://{USERNAME}:{PASSWORD}@panel.example/"},
        {"base_url": f"https://panel.example/?uname={USERNAME}&pass={PASSWORD}"},
        {"base_url": f"https://panel.example:{PASSWORD}/"},
        {"timeout": KEY},
        {"hooks": [KEY]},
    ],
)
def test_nothing_shows_of_bad_settings(arguments: dict[str, Any]) -> None:
    settings: dict[str, Any] = {
        "username": USERNAME,
        "password": PASSWORD,
        "base_url": "https://panel.example/",
        **arguments,
    }
    with pytest.raises(InvalidArgumentError) as caught:
        OpGatewayClient(**settings)
    assert_silent(caught.value)


def test_a_new_user_and_a_request_show_nothing() -> None:
    assert_all_silent([USER, make("https://panel.example/"), make_client("https://panel.example/")])
