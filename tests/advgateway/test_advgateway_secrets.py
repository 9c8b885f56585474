"""No user name, password, number or text shows anywhere, whatever goes wrong: with all logging on."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient, GatewayError, OutgoingMessage, ReceivedMessage, Timeout, Transport
from support.advgateway import LINE, STYLES, in_envelope, make_client, reply
from support.ghasedak import QUICKLY, failure_of
from support.raw_server import Behaviour, RawServer, bytes_then_close, close_read, hang, reset_read
from support.sentinels import PASSWORD, PHONE, TEXT, USERNAME, assert_all_silent, assert_silent, leaks

ECHO = f"{USERNAME} {PASSWORD} {PHONE} {TEXT}"
Call = Callable[[AdvGatewayClient], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "credit": lambda client: client.credit(),
    "send": lambda client: client.send(PHONE, TEXT, sender=LINE),
    "send_to_many": lambda client: client.send_to_many([PHONE], TEXT, sender=LINE),
    "send_pairs": lambda client: client.send_pairs([OutgoingMessage(PHONE, TEXT, LINE)]),
    "statuses": lambda client: client.statuses([101]),
    "received": lambda client: client.received(),
}
FAILURES: dict[str, Behaviour] = {
    "close": close_read,
    "reset": reset_read,
    "hang": hang,
    "no HTTP": bytes_then_close(ECHO.encode()),
    "html": reply(f"<html>{ECHO}".encode(), 500),
    "bad XML": reply(in_envelope(f"<a><{USERNAME}>{ECHO}</b></a>")),
    "doctype": reply(f'<!DOCTYPE a [<!ENTITY x "{ECHO}">]><a>{ECHO}</a>'.encode()),
    "latin": reply(in_envelope(ECHO) + b"\xff"),
    "no code": reply(STYLES["struct"]({USERNAME: ECHO, "result": ECHO})),
    "no result": reply(STYLES["struct"]({"ErrCode": "0", "result": {"msg": [ECHO], "b": ECHO}})),
    "odd list": reply(STYLES["struct"]({"ErrCode": "0", "result": [ECHO, {"time": ECHO}, ECHO]})),
    "refused": reply(STYLES["struct"]({"ErrCode": "-3", "result": ECHO})),
    "fault": reply(
        in_envelope(f"<Fault><faultcode>Server</faultcode><faultstring>{ECHO}</faultstring></Fault>"), 500
    ),
    "json": reply(b'{"errCode": -3, "result": "' + ECHO.encode() + b'"}'),
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_shows(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    for name in ("payamak", "aiohttp", "asyncio", "backoff"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    for record in caplog.get_records("call"):
        shown = [record.getMessage(), repr(record.args)]
        if record.exc_info and record.exc_info[1]:
            shown += traceback.format_exception(record.exc_info[1])
        assert not leaks(*shown), shown


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("failure", FAILURES)
async def test_failures_show_nothing(failure: str, transport: Transport) -> None:
    timeout = Timeout(total=0.2, attempt=0.05, connect=0.05) if failure == "hang" else Timeout(total=5)
    async with (
        RawServer(FAILURES[failure]) as server,
        AdvGatewayClient(
            USERNAME, PASSWORD, base_url=server.url, transport=transport, retry=QUICKLY, timeout=timeout
        ) as client,
    ):
        for name, call in CALLS.items():
            error = await failure_of(call(client))
            assert_silent(error)
            assert error.operation == name
            copied = pickle.loads(pickle.dumps(error))  # noqa: S301
            assert (type(copied), copied.outcome, str(copied)) == (type(error), error.outcome, str(error))
            if failure == "refused" and transport is Transport.SOAP:
                assert isinstance(error, GatewayError)
                assert error.gateway_message == ECHO
        assert_all_silent([client])


@pytest.mark.parametrize("style", ["struct", "map"])
async def test_results_show_nothing(style: str) -> None:
    value = [{"ErrCode": "-3", "result": ECHO}, {"ErrCode": "0", "result": "5"}]
    async with RawServer(reply(STYLES[style](value))) as server, make_client(server.url) as client:
        messages = [OutgoingMessage(PHONE, TEXT, LINE)] * 2
        results = await client.send_pairs(messages)
    assert results[0].error is not None
    assert_silent(results[0].error)
    assert_all_silent([results[1], messages, ReceivedMessage(TEXT, PHONE)])


async def test_bad_arguments_show_nothing() -> None:
    async with make_client("http://127.0.0.1:9/") as client:
        bad: dict[str, Awaitable[Any]] = {
            "to": client.send(f"{PHONE}x", TEXT, sender=LINE),
            "text": client.send(PHONE, f"{TEXT}\x00", sender=LINE),
            "half": client.send(PHONE, f"{TEXT}\ud800", sender=LINE),
            "sender": client.send(PHONE, TEXT, sender=TEXT),
        }
        for call in bad.values():
            assert_silent(await failure_of(call))
