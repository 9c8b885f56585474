"""Faults of SOAP, refusals under any status, and questions of which one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from payamak.advgateway import (
    GatewayError,
    Outcome,
    ReplyError,
    Timeout,
)
from support.advgateway import CALLS, RESULTS, STYLES, make_client, make_style_client, parse_request, reply
from support.ghasedak import failure_of
from support.raw_server import (
    RawServer,
    close_read,
    http,
)

READS = ("credit", "statuses")


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("name", CALLS)
async def test_fault_of_the_server(name: str, status: int) -> None:
    body = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        b"<faultcode>s:Server</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    async with RawServer(reply(body, status)) as server, make_client(server.url) as client:
        error = await failure_of(CALLS[name](client))
        assert isinstance(error, GatewayError)
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == (3 if name in READS and status == 500 else 1)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("code", [-5, -4, -2, -1])
async def test_refusals_are_final(code: int, name: str) -> None:
    body = STYLES["struct"]({"ErrCode": code, "result": "no"})
    for status in (200, 400, 409, 429):
        async with RawServer(reply(body, status)) as server, make_client(server.url) as client:
            error: Any = await failure_of(CALLS[name](client))
            assert (error.outcome, error.code, len(server.requests)) == (Outcome.REFUSED, code, 1)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("code", [-99, -6, -5, -3, -1, 1, 100])
@pytest.mark.parametrize("name", CALLS)
async def test_what_no_table_explains_and_what_a_broken_server_says(name: str, code: int, style: str) -> None:
    for status in (200, 400, 500, 503):
        if -5 <= code < 0 and status < 500:
            continue
        body = STYLES[style]({"ErrCode": code, "result": "no"})
        async with RawServer(reply(body, status)) as server, make_style_client(style, server.url) as client:
            error: Any = await failure_of(CALLS[name](client))
        assert (error.outcome, error.code) == (Outcome.UNKNOWN, code)
        assert len(server.requests) == (3 if name in READS and status >= 500 else 1)


@pytest.mark.parametrize("name", CALLS)
async def test_only_a_bare_429_is_repeated_for_a_send(name: str) -> None:
    good = reply(STYLES["struct"](RESULTS[name]))
    async with RawServer(reply(b"", 429), reply(b"<html>", 429), good) as server, make_client(server.url) as client:
        await CALLS[name](client)
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize("style", STYLES)
async def test_an_id_is_no_refusal(style: str, status: int) -> None:
    """Whoever gives an id has taken the message, whatever the status."""
    for value in (101, ["101"], {"result": "101"}):
        async with (
            RawServer(reply(STYLES[style](value), status)) as server,
            make_style_client(style, server.url) as client,
        ):
            error = await failure_of(CALLS["send"](client))
        assert type(error) is ReplyError
        assert (error.outcome, error.message_ids, len(server.requests)) == (Outcome.UNKNOWN, (101,), 1)


async def test_one_of_several_questions_fails() -> None:
    good = reply(STYLES["struct"]({"ErrCode": 0, "result": [4] * 60}))
    bad = reply(STYLES["struct"]({"ErrCode": -1, "result": "no"}))
    async with RawServer(good, close_read, good, bad) as server, make_client(server.url) as client:
        error = await failure_of(client.statuses(range(1, 181)))
        assert isinstance(error, GatewayError)
        first = [parse_request(request).arguments["unique_ids"][0] for request in server.requests]
        assert first == ["1", "61", "61", "121"]


async def test_deadline_spans_all_questions() -> None:
    slow = reply(STYLES["struct"]({"ErrCode": 0, "result": [4] * 60}))

    async def late(exchange: Any) -> None:
        await asyncio.sleep(0.1)
        await slow(exchange)

    async with RawServer(late) as server, make_client(server.url, timeout=Timeout(total=0.35)) as client:
        await failure_of(client.statuses(range(1, 601)))
        assert len(server.requests) <= 4


async def test_many_at_once() -> None:
    """Each caller gets the answer to its own request."""

    async def echo(exchange: Any) -> None:
        number = parse_request(await exchange.read()).arguments["toNum"][0]
        await asyncio.sleep(int(number[-1]) / 500)
        body = STYLES["map"]({"ErrCode": "0", "result": [str(int(number))]})
        await exchange.write(http(body))

    numbers = [f"0912{number:07}" for number in range(60)]
    async with RawServer(echo) as server, make_client(server.url) as client:
        send: Callable[[str], Any] = lambda number: client.send(number, "a", sender="50001")  # noqa: E731
        results = await asyncio.gather(*map(send, numbers))
        assert [result.message_id for result in results] == [int(number) for number in numbers]
        assert len(server.requests) == 60
