"""The other arguments of `send_many`: what they do, and what is refused."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from payamak.common import InvalidArgumentError, Outcome, Progress
from payamak.emulator import Emulator, Fault
from support.many import GHASEDAK, SMSIR, SOAP, Gateway, by_outcome, collect, each, judge, sends, until


async def _later(_progress: Progress) -> None:
    """What cannot be called without being awaited."""


BAD: list[dict[str, Any]] = [
    *({"concurrency": value} for value in (0, -1, True, 10_001, "3", 2.0, None)),
    *({"on_unknown": value} for value in ("ask", None, True)),
    *({"grace": value} for value in (-1, math.nan, None, "60", True)),
    *({"close_timeout": value} for value in (-0.1, math.nan, None, "1")),
    *({"rate_limit": value} for value in (5, 0.5, object())),
    *({"progress": value} for value in (5, "print", _later, functools.partial(_later))),
    *({"journal": value} for value in (5, "file.db", object())),
    *({"messages": value} for value in (5, None, "text", b"text", GHASEDAK.message(1), object())),
]


@pytest.mark.parametrize(
    "arguments", BAD, ids=lambda arguments: "-".join(map(str, *arguments.items())).partition(" at 0x")[0][:40]
)
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    (name,) = arguments
    client = GHASEDAK.make(base_url="https://example.invalid/")
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        client.send_many(**{"messages": [], **arguments})
    assert caught.value.argument == name
    assert caught.value.outcome is Outcome.NOT_SENT


class Limiter:
    """Lets so many pass, and counts them."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.count = 0
        self._passes = asyncio.Semaphore(most)

    async def acquire(self) -> None:
        await self._passes.acquire()
        self.count += 1


@each()
async def test_the_limiter_is_asked_before_each_request(gateway: Gateway, emulator: Emulator) -> None:
    """Also before those that ask what became of a refused group, and those that it is halved into."""
    limiter = Limiter()
    messages = [*gateway.messages(250), gateway.message(gateway.refused)]
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, rate_limit=limiter))
    judge(gateway, emulator, messages, reports)
    tokens = sum(record.path.endswith("GetToken") for record in emulator.requests)
    assert limiter.count == len(emulator.requests) - tokens
    assert sends(emulator) > 5 if gateway is GHASEDAK else limiter.count >= 3


async def test_the_limiter_is_asked_before_it_is_asked_what_became_of_a_message(emulator: Emulator) -> None:
    limiter = Limiter()
    emulator.add_fault(Fault("drop_after_read", path="sms/send/pair"))
    emulator.add_fault(Fault("drop_unprocessed", path="sms/send/pair"))
    async with GHASEDAK.connect(emulator) as client:
        await collect(client.send_many(GHASEDAK.messages(250), rate_limit=limiter, grace=0.05))
    assert limiter.count == len(emulator.requests) > 4


@each(GHASEDAK, SOAP)
async def test_what_waits_for_the_limiter_has_not_left(gateway: Gateway, emulator: Emulator) -> None:
    messages = gateway.messages(5 * gateway.limit)
    async with gateway.connect(emulator) as client:
        async with client.send_many(messages, rate_limit=Limiter(most=2)) as sending:
            reports = [await anext(iterator) for iterator in [aiter(sending)] for _ in range(2 * gateway.limit)]
        await asyncio.sleep(0)
        everything = [*reports, *sending.unread]
    judge(gateway, emulator, messages, everything)
    assert by_outcome(everything) == {Outcome.SENT: 2 * gateway.limit, Outcome.NOT_SENT: 3 * gateway.limit}


async def test_aiolimiter(emulator: Emulator) -> None:
    limiter = AsyncLimiter(2, 0.05)
    async with GHASEDAK.connect(emulator) as client:
        first = client.send_many(GHASEDAK.messages(500), rate_limit=limiter)
        second = client.send_many(GHASEDAK.messages(500), rate_limit=limiter)
        await asyncio.gather(collect(first), collect(second))
    assert len(emulator.messages()) == 1000


@each()
@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_requests_are_in_flight_at_once(gateway: Gateway, concurrency: int, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("hang", times=100))
    messages = gateway.messages(10 * gateway.limit)
    async with (
        gateway.connect(emulator) as client,
        client.send_many(messages, concurrency=concurrency, close_timeout=0) as sending,
    ):
        task = asyncio.create_task(collect(sending))
        await until(lambda: sends(emulator) == concurrency)
        await asyncio.sleep(0.05)
        assert sends(emulator) == concurrency
        task.cancel()
        await asyncio.wait([task])


@each(GHASEDAK, SMSIR)
async def test_asking_takes_a_place_too(gateway: Gateway, emulator: Emulator) -> None:
    """With one place, no request overtakes another, whatever it is."""
    running: list[int] = [0]
    most: list[int] = []

    async def watch(_call: Any, proceed: Any) -> Any:
        running[0] += 1
        most.append(running[0])
        try:
            return await proceed()
        finally:
            running[0] -= 1

    emulator.add_fault(gateway.fault("drop_after_read", times=3))
    async with gateway.connect(emulator, hooks=[watch]) as client:
        if gateway is SMSIR:
            await client.authenticate()
        reports = await collect(client.send_many(gateway.messages(6 * gateway.limit), concurrency=1, grace=0.05))
    assert by_outcome(reports) == {Outcome.SENT: 6 * gateway.limit}
    assert len(most) >= 9
    assert max(most) == 1


@each()
async def test_progress_is_told_after_each_report(gateway: Gateway, emulator: Emulator) -> None:
    told: list[Progress] = []
    messages = [*gateway.messages(120), gateway.message(gateway.refused, "its text"), gateway.message("no number")]
    async with gateway.connect(emulator) as client:
        sending = client.send_many(messages, progress=told.append)
        assert sending.progress == Progress(total=122)
        reports = await collect(sending)
    assert [progress.done for progress in told] == list(range(1, 123))
    assert told[-1] == sending.progress == Progress(sent=120, refused=1, not_sent=1, unknown=0, total=122)
    assert len(reports) == 122


async def test_a_generator_has_no_total(emulator: Emulator) -> None:
    told: list[Progress] = []
    async with GHASEDAK.connect(emulator) as client:
        await collect(client.send_many((message for message in GHASEDAK.messages(3)), progress=told.append))
    assert {progress.total for progress in told} == {None}


async def test_progress_that_fails_is_logged_and_not_called_again(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Progress] = []

    def fail(progress: Progress) -> None:
        calls.append(progress)
        raise ValueError("09127776655")

    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(GHASEDAK.messages(250), progress=fail))
    assert by_outcome(reports) == {Outcome.SENT: 250}
    assert len(calls) == 1
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "ValueError" in record.getMessage()
    assert "09127776655" not in record.getMessage()
    assert record.exc_info is None
