"""A caller who gives up: the cancellation passes, nothing leaks, and the log says what became of the message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from payamak.common import Attempt, AttemptReply, Proceed, RetryPolicy
from support.ghasedak import ask, look, make_client, send
from support.raw_server import RawServer, accept, answer, bytes_then_hang, envelope, hang
from support.sockets import dead_port

LOGGER = "payamak.ghasedak"
PATIENTLY = RetryPolicy(base_delay=30, max_delay=30)


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER)


async def cancel_when(ready: Callable[[], object], task: asyncio.Task[object]) -> None:
    async with asyncio.timeout(2):
        while not ready():  # noqa: ASYNC110 -- what it waits for is a log record or a request
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def last(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    return [record for record in caplog.records if "cancelled" in record.getMessage()][-1]


@pytest.mark.parametrize("fault", [hang, bytes_then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")])
async def test_in_the_middle_of_a_send(fault: object, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(attempt.operation_id)
        return await proceed()

    async with RawServer(fault, accept(70001)) as server, make_client(server.url, hooks=[hook]) as client:  # type: ignore[arg-type]
        await cancel_when(lambda: server.requests, asyncio.create_task(send(client)))

        record = last(caplog)
        assert record.levelno == logging.WARNING
        assert "send: cancelled in attempt 1, outcome: unknown" in record.getMessage()
        assert seen[0] in record.getMessage()
        assert any("attempt 1" in text and "CancelledError" in text for text in caplog.messages)
        assert (await send(client)).message_id == 70001, "the client is still of use"
        assert len(server.requests) == 2


@pytest.mark.parametrize("call", [ask, look])
async def test_in_the_middle_of_a_read(call: object, caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, make_client(server.url) as client:
        await cancel_when(lambda: server.requests, asyncio.create_task(call(client)))  # type: ignore[operator]
        assert last(caplog).levelno == logging.DEBUG
        assert len(server.requests) == 1


async def test_while_waiting_after_what_never_left(caplog: pytest.LogCaptureFixture) -> None:
    with dead_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/", retry=PATIENTLY, timeout=60) as client:
            await cancel_when(lambda: "next in" in caplog.text, asyncio.create_task(send(client)))
    assert "outcome: not sent" in last(caplog).getMessage()
    assert last(caplog).levelno == logging.DEBUG


async def test_while_waiting_after_a_refusal_for_now(caplog: pytest.LogCaptureFixture) -> None:
    busy = answer(b"", 429, {"Retry-After": "30"})
    async with RawServer(busy) as server, make_client(server.url, timeout=60) as client:
        await cancel_when(lambda: "next in" in caplog.text, asyncio.create_task(send(client)))
        assert "outcome: not sent" in last(caplog).getMessage()
        assert len(server.requests) == 1


async def test_by_a_timeout_of_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, make_client(server.url) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send(client), 0.1)
        assert "outcome: unknown" in last(caplog).getMessage()
        assert len(server.requests) == 1


async def test_a_hundred_sends_cancelled_at_every_moment_leave_nothing_and_send_nothing_twice() -> None:
    slow = answer(envelope([70001]), after=0.003)
    async with RawServer(slow) as server, make_client(server.url) as client:
        for step in range(100):
            task = asyncio.create_task(send(client))
            await asyncio.sleep(step * 0.0001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert len(server.requests) <= 100
        assert (await send(client)).message_id == 70001
        (own,) = client._session._own.by_loop.values()
        assert own.slots._value == 100
        connector = own.session.connector
        assert connector is not None
        assert not connector._acquired
