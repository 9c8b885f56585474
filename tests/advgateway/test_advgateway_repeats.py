"""Faults of SOAP, refusals under any status, and questions of which one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from payamak.advgateway import (
    GatewayError,
    Outcome,
    Timeout,
)
from support.advgateway import CALLS, STYLES, make_client, parse_request, reply
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
async def test_refusals_are_final(name: str) -> None:
    body = STYLES["struct"]({"ErrCode": -3, "result": "no"})
    for status in (200, 500, 503):
        async with RawServer(reply(body, status)) as server, make_client(server.url) as client:
            error = await failure_of(CALLS[name](client))
            assert (error.outcome, len(server.requests)) == (Outcome.REFUSED, 1)


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
