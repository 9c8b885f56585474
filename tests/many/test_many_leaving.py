"""The end of a `send_many` before all is sent: nothing runs on, and what is known is not lost."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import itertools
import logging
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from payamak.common import (
    ClientStateError,
    ConnectionLostError,
    Outcome,
    OutgoingMessage,
    SendReport,
)
from payamak.emulator import Emulator, Fault
from support.many import (
    GHASEDAK,
    Gateway,
    by_outcome,
    collect,
    each,
    judge,
    prepare,
    running,
    sends,
    unread_too,
    until,
)


class BodyError(Exception):
    """What goes wrong in the caller's own code."""


def _endlessly(gateway: Gateway, given: list[object]) -> Iterator[OutgoingMessage]:
    for number in itertools.count():
        message = gateway.message(number, f"text {number // 10}")
        given.append(message)
        yield message


@each()
@pytest.mark.parametrize("error", [None, BodyError, asyncio.CancelledError])
async def test_left_out_of_the_body(gateway: Gateway, error: type[BaseException] | None, emulator: Emulator) -> None:
    given: list[object] = []
    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client:
        sending = client.send_many(_endlessly(gateway, given), concurrency=3)
        with contextlib.suppress(BodyError, asyncio.CancelledError):
            async with sending:
                async for report in sending:
                    reports.append(report)
                    if len(reports) == 25:
                        if error is not None:
                            raise error
                        break
        assert running() == []
        requests = len(emulator.requests)
        await asyncio.sleep(0.01)
        assert len(emulator.requests) == requests
        everything = unread_too(reports, sending)
        judge(gateway, emulator, given, everything)
        for report in everything:
            assert report.outcome is Outcome.SENT or isinstance(report.error, ClientStateError)
    assert sending.progress.done == len(given)


@each()
async def test_left_without_a_block_the_client_ends_it(gateway: Gateway, emulator: Emulator) -> None:
    given: list[object] = []
    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client:
        sending = client.send_many(_endlessly(gateway, given))
        async for report in sending:
            reports.append(report)
            break
    assert running() == []
    judge(gateway, emulator, given, unread_too(reports, sending))


async def test_left_without_a_block_and_a_client_that_goes_on(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        given: list[object] = []
        async for _ in client.send_many(_endlessly(GHASEDAK, given)):
            break
        gc.collect()
        await until(lambda: not running())
        assert await client.credit() > 0


@each()
async def test_what_is_in_flight_is_finished(gateway: Gateway, emulator: Emulator) -> None:
    """One answer is here, one comes after the loop was left, the rest has not left."""
    messages = gateway.messages(3 * gateway.limit)
    emulator.add_fault(gateway.fault("delay", seconds=0))
    emulator.add_fault(gateway.fault("delay", seconds=0.2))
    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client, client.send_many(messages, concurrency=1) as sending:
        async for report in sending:
            reports.append(report)
            await until(lambda: sends(emulator) == 2)
            break
    everything = unread_too(reports, sending)
    judge(gateway, emulator, messages, everything)
    assert by_outcome(everything) == {Outcome.SENT: 2 * gateway.limit, Outcome.NOT_SENT: gateway.limit}
    assert sends(emulator) == 2


@each()
@pytest.mark.parametrize("close_timeout", [0, 0.05])
@pytest.mark.parametrize("processed", [True, False])
async def test_what_does_not_end_is_unknown(
    gateway: Gateway, close_timeout: float, processed: bool, emulator: Emulator
) -> None:
    messages = gateway.messages(3 * gateway.limit)
    emulator.add_fault(gateway.fault("hang", times=2, processed=processed))
    async with gateway.connect(emulator) as client:
        sending = client.send_many(messages, concurrency=2, close_timeout=close_timeout)
        task = asyncio.create_task(collect(sending))
        await until(lambda: sum(record.fault == "hang" for record in emulator.requests) == 2)
        assert running()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert running() == []
        judge(gateway, emulator, messages, sending.unread)
    assert by_outcome(sending.unread) == {Outcome.UNKNOWN: 2 * gateway.limit, Outcome.NOT_SENT: gateway.limit}
    for report in sending.unread:
        expected = ConnectionLostError if report.outcome is Outcome.UNKNOWN else ClientStateError
        assert isinstance(report.error, expected)
        assert (report.error.gateway, report.error.operation) == (gateway.name, "send_many")


async def test_a_second_cancellation_does_not_wait_any_longer(emulator: Emulator) -> None:
    emulator.add_fault(Fault("hang"))
    async with GHASEDAK.connect(emulator) as client:
        sending = client.send_many(GHASEDAK.messages(5), close_timeout=3600)
        task = asyncio.create_task(collect(sending))
        await until(lambda: emulator.requests)
        for _ in range(2):
            task.cancel()
            await asyncio.wait([task], timeout=0.05)
        assert task.cancelled()
    assert by_outcome(sending.unread) == {Outcome.UNKNOWN: 5}


@each()
async def test_the_client_is_closed_by_another_task(gateway: Gateway, emulator: Emulator) -> None:
    given: list[object] = []
    client = gateway.connect(emulator)
    async with client.send_many(_endlessly(gateway, given)) as sending:
        task = asyncio.create_task(collect(sending))
        await until(lambda: len(emulator.requests) > 10)
        await client.aclose()
        reports = await task
    assert sending.unread == []
    judge(gateway, emulator, given, reports)
    await until(lambda: emulator.connections == 0)


async def test_the_client_is_closed_in_the_body(emulator: Emulator) -> None:
    given: list[object] = []
    reports: list[SendReport] = []
    async with GHASEDAK.connect(emulator) as client:
        async for report in client.send_many(_endlessly(GHASEDAK, given)):
            reports.append(report)
            if len(reports) == 30:
                await client.aclose()
    judge(GHASEDAK, emulator, given, reports)


async def test_a_closed_client_starts_nothing_and_warns_of_nothing(emulator: Emulator) -> None:
    client = GHASEDAK.connect(emulator)
    made_before = client.send_many(GHASEDAK.messages(1))
    await client.aclose()
    for sending in (made_before, client.send_many(GHASEDAK.messages(1))):
        with pytest.raises(ClientStateError, match="closed"):
            await collect(sending)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        del sending, made_before
        gc.collect()
    assert [str(warning.message) for warning in seen] == []
    assert emulator.requests == []


def _forget(client: Any) -> None:
    client.send_many(GHASEDAK.messages(1))
    gc.collect()


async def test_never_iterated_is_warned_of(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        with pytest.warns(RuntimeWarning, match="never iterated"):
            _forget(client)
        async with client.send_many(GHASEDAK.messages(1)) as sending:
            pass
        assert await collect(sending) == []
        sending = client.send_many(GHASEDAK.messages(1))
        await sending.aclose()
        del sending
        gc.collect()
    assert emulator.requests == []


async def test_a_second_loop_over_the_same_goes_on_where_the_first_left(emulator: Emulator) -> None:
    messages = GHASEDAK.messages(300)
    async with GHASEDAK.connect(emulator) as client, client.send_many(messages) as sending:
        first = [report async for report in _take(sending, 3)]
        second = await collect(sending)
        assert await collect(sending) == []
    assert sorted(report.index for report in [*first, *second]) == list(range(300))


async def _take(sending: Any, count: int) -> AsyncIterator[SendReport]:
    iterator = aiter(sending)
    for _ in range(count):
        yield await anext(iterator)
    await iterator.aclose()


async def test_nothing_that_an_asynchronous_source_gave_is_lost(emulator: Emulator) -> None:
    """A queue's message that was taken has a report, also if the loop is left while it waits for company."""
    given: list[object] = []
    ended: list[bool] = []
    second = asyncio.Event()

    async def source() -> AsyncIterator[OutgoingMessage]:
        try:
            for number in range(3):
                if number == 1:
                    await second.wait()
                given.append(message := GHASEDAK.message(number))
                yield message
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    reports: list[SendReport] = []
    async with GHASEDAK.connect(emulator) as client, client.send_many(source()) as sending:
        async for report in sending:
            reports.append(report)
            second.set()
            await until(lambda: len(given) == 3)
            break
        await sending.aclose()
        assert running() == []
    assert ended == [True]
    judge(GHASEDAK, emulator, given, unread_too(reports, sending))


async def test_a_source_that_fails_when_it_is_left_is_not_quoted_in_the_log(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def source() -> AsyncIterator[OutgoingMessage]:
        try:
            yield GHASEDAK.message(1)
            await asyncio.sleep(3600)
        finally:
            raise BodyError("09127776655")

    async with GHASEDAK.connect(emulator) as client:
        async with client.send_many(source()) as sending:
            async for _ in sending:
                break
        del sending
    gc.collect()
    assert "09127776655" not in caplog.text


def test_in_another_event_loop_than_it_began_in() -> None:
    sendings: list[Any] = []

    async def begin() -> None:
        async with Emulator() as emulator, GHASEDAK.connect(prepare(emulator)) as client:
            messages = GHASEDAK.messages(250)
            sendings.append(client.send_many(messages))
            judge(GHASEDAK, emulator, messages, await collect(sendings[0]))

    async def go_on() -> None:
        with pytest.raises(ClientStateError, match="event loop"):
            await collect(sendings[0])
        await sendings[0].aclose()

    asyncio.run(begin())
    asyncio.run(go_on())


async def test_in_another_thread_while_it_runs(emulator: Emulator) -> None:
    """It says so there, and goes on here."""
    messages = GHASEDAK.messages(250)
    async with GHASEDAK.connect(emulator) as client, client.send_many(messages) as sending:
        iterator = aiter(sending)
        first = await anext(iterator)

        def use() -> None:
            with pytest.raises(ClientStateError, match="event loop"):
                asyncio.run(collect(sending))

        await asyncio.to_thread(use)
        judge(GHASEDAK, emulator, messages, [first, *[report async for report in iterator]])


def test_the_end_of_the_event_loop_ends_it() -> None:
    """As when a program is interrupted: what was sent and what not is still said."""
    given: list[object] = []
    found: list[Any] = []

    async def main() -> None:
        emulator = Emulator()
        await emulator.start()
        client = GHASEDAK.connect(prepare(emulator))
        sending = client.send_many(_endlessly(GHASEDAK, given))
        found.extend([emulator, sending])
        try:
            async for report in sending:
                found.append(report)
                if len(found) > 10:
                    raise BodyError
        finally:
            await client.aclose()
            await emulator.stop()

    with pytest.raises(BodyError):
        asyncio.run(main())
    emulator, sending, *reports = found
    judge(GHASEDAK, emulator, given, unread_too(reports, sending))


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed")
@each()
def test_with_uvloop(gateway: Gateway) -> None:
    # Not among the dependencies of the tests, so neither are its types.
    uvloop: Any = importlib.import_module("uvloop")

    async def run() -> None:
        messages = gateway.messages(250)
        async with Emulator() as emulator:
            for kind in ("drop_after_read", "reset_after_read", "drop_unprocessed"):
                prepare(emulator).add_fault(gateway.fault(kind))
            async with gateway.connect(emulator) as client:
                sending = client.send_many(messages, grace=0.05, close_timeout=float("inf"))
                judge(gateway, emulator, messages, await collect(sending))
                given: list[object] = []
                async with client.send_many(_endlessly(gateway, given)) as sending:
                    async for _ in sending:
                        break
            await until(lambda: emulator.connections == 0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
