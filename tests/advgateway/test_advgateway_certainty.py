"""Whatever breaks: a send is never repeated, and neither is what marks messages as read; questions are."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from payamak.advgateway import (
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    Outcome,
    PayamakError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    Timeout,
)
from support.advgateway import CALLS, RESULTS, SENDS, STYLES, make_client, make_style_client, parse_request, reply
from support.ghasedak import PATIENT, failure_of
from support.raw_server import (
    Behaviour,
    RawServer,
    bytes_then_close,
    close_read,
    close_unread,
    hang,
    http,
    reset_read,
)
from support.sockets import dead_port

ONCE = (*SENDS, "received")
READS = ("credit", "statuses")
# What it is, the error, whether a question is asked again.
FAULTS: dict[str, tuple[Behaviour, type[PayamakError], bool]] = {
    "close unread": (close_unread, ConnectionLostError, True),
    "close": (close_read, ConnectionLostError, True),
    "reset": (reset_read, ConnectionLostError, True),
    "cut": (bytes_then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<SOAP-"), ConnectionLostError, True),
    "no HTTP": (bytes_then_close(b"<SOAP-ENV:Envelope>"), ReplyError, False),
    "hang": (hang, RequestTimeoutError, True),
    "html 500": (reply(b"<html><body>no</body></html>", 500), ReplyError, True),
    "html 503": (reply(b"<html>", 503, {"Retry-After": "0"}), ReplyError, True),
    "html 200": (reply(b"<html>no</html>"), ReplyError, False),
    "empty": (reply(b""), ReplyError, False),
    "redirect": (reply(b"", 307, {"Location": "/v2/"}), ReplyError, False),
    "bad gzip": (reply(b"no gzip", headers={"Content-Encoding": "gzip"}), PayamakError, False),
}


@pytest.mark.parametrize("style", ["struct", "rest"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault(fault: str, style: str) -> None:
    behaviour, kind, repeats = FAULTS[fault]
    timeout = Timeout(attempt=0.06, connect=0.05) if fault == "hang" else PATIENT
    for name, call in CALLS.items():
        async with RawServer(behaviour) as server, make_style_client(style, server.url, timeout=timeout) as client:
            error = await failure_of(call(client))
            assert isinstance(error, kind)
            assert error.outcome is Outcome.UNKNOWN
            assert (error.gateway, error.operation) == ("advgateway", name)
            expected = 3 if repeats and name in READS else 1
            if fault == "bad gzip":
                assert name in READS or server.connections == len(server.requests) == 1
            elif fault == "close unread":
                assert server.connections == expected
            else:
                assert len(server.requests) == expected, name


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


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", CALLS)
async def test_fault_that_passes(name: str, style: str) -> None:
    success = reply(STYLES[style](RESULTS[name]))
    async with RawServer(close_read, success) as server, make_style_client(style, server.url) as client:
        if name in READS:
            await CALLS[name](client)
            assert len(server.requests) == 2
            assert server.requests[0].body == server.requests[1].body
        else:
            await failure_of(CALLS[name](client))
            assert len(server.requests) == 1
        await CALLS[name](client)  # The next call is not harmed.


@pytest.mark.parametrize("name", CALLS)
async def test_refused_for_now(name: str) -> None:
    busy = reply(b"busy", 429, {"Retry-After": "0"})
    async with (
        RawServer(busy, busy, reply(STYLES["struct"](RESULTS[name]))) as server,
        make_client(server.url) as client,
    ):
        await CALLS[name](client)
        assert len(server.requests) == 3
    async with RawServer(busy) as server, make_client(server.url) as client:
        error = await failure_of(CALLS[name](client))
        assert isinstance(error, RateLimitError)
        assert (error.outcome, len(server.requests)) == (Outcome.REFUSED, 3)


@pytest.mark.parametrize("name", CALLS)
async def test_refusals_are_final(name: str) -> None:
    body = STYLES["struct"]({"ErrCode": -3, "result": "no"})
    for status in (200, 500, 503):
        async with RawServer(reply(body, status)) as server, make_client(server.url) as client:
            error = await failure_of(CALLS[name](client))
            assert (error.outcome, len(server.requests)) == (Outcome.REFUSED, 1)


@pytest.mark.parametrize("name", CALLS)
async def test_nobody_there(name: str) -> None:
    with dead_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/") as client:
            error = await failure_of(CALLS[name](client))
    assert isinstance(error, ConnectionFailedError)
    assert (error.outcome, error.operation) == (Outcome.NOT_SENT, name)


@pytest.mark.parametrize("name", CALLS)
async def test_closed_client(name: str) -> None:
    async with RawServer(hang) as server:
        client = make_client(server.url)
        await client.aclose()
        error = await failure_of(CALLS[name](client))
        assert isinstance(error, ClientStateError)
        assert (error.outcome, error.operation, server.connections) == (Outcome.NOT_SENT, name, 0)


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


@pytest.mark.parametrize("name", CALLS)
async def test_cancelled(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="payamak.advgateway")
    async with (
        RawServer(hang, reply(STYLES["struct"](RESULTS[name]))) as server,
        make_client(server.url) as client,
    ):
        task = asyncio.ensure_future(CALLS[name](client))
        await asyncio.wait_for(server.has_read.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        record = next(record for record in caplog.records if "cancelled" in record.getMessage())
        assert "outcome: unknown" in record.getMessage()
        assert record.levelno == (logging.WARNING if name in ONCE else logging.DEBUG)
        assert len(server.requests) == 1
        await CALLS[name](client)
        assert len(server.requests) == 2


def test_two_event_loops() -> None:
    client = make_client("http://127.0.0.1:9/")

    async def ask() -> object:
        async with RawServer(reply(STYLES["struct"](RESULTS["send"]))) as server:
            client._base_url = server.url
            return await CALLS["send"](client)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # The first loop ended with its connections open.
        first, second = asyncio.run(ask()), asyncio.run(ask())
        assert first == second
        asyncio.run(client.aclose())
        gc.collect()


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
