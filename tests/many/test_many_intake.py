"""Where the messages come from: any iterable, read only as fast as they go out; and what is no message."""

from __future__ import annotations

import asyncio
import datetime
import functools
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from payamak.common import (
    ClientStateError,
    InvalidArgumentError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    SendMany,
    SendReport,
)
from payamak.emulator import Emulator
from support.journals import MemoryJournal
from support.many import GHASEDAK, OPGATEWAY, SMSIR, SOAP, Gateway, by_outcome, collect, each, judge, sends, until


class SourceError(Exception):
    """What the caller's own source raises."""


async def _asynchronously(messages: Iterable[Any]) -> AsyncIterator[Any]:
    for message in messages:
        yield message


class Rows(Sequence[Any]):
    """A sequence of the caller's own."""

    def __init__(self, messages: list[Any]) -> None:
        self._messages = messages

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, index: Any) -> Any:
        return self._messages[index]


async def _collect_into(reports: list[SendReport], sending: SendMany) -> Exception | None:
    """Take reports until it ends or raises."""
    iterator = aiter(sending)
    try:
        while True:
            reports.append(await anext(iterator))
    except StopAsyncIteration:
        return None
    except Exception as error:
        return error


SOURCES: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "generator": lambda messages: (message for message in messages),
    "values": lambda messages: dict(enumerate(messages)).values(),
    "asynchronous generator": _asynchronously,
    "sequence": Rows,
}


@each(GHASEDAK, OPGATEWAY)
@pytest.mark.parametrize("kind", SOURCES)
async def test_any_iterable(gateway: Gateway, kind: str, emulator: Emulator) -> None:
    messages = gateway.messages(250)
    async with gateway.connect(emulator) as client:
        sending = client.send_many(SOURCES[kind](messages))
        reports = await collect(sending)
    judge(gateway, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.SENT: 250}
    assert sends(emulator) == 3
    assert sending.progress.total == (250 if kind in ("list", "tuple", "values", "sequence") else None)


@each()
@pytest.mark.parametrize("is_asynchronous", [True, False])
async def test_a_source_is_read_no_faster_than_reports_are_taken(
    gateway: Gateway, is_asynchronous: bool, emulator: Emulator
) -> None:
    """An endless one, of which the loop takes a report now and then."""
    given: list[object] = []

    def endlessly() -> Iterator[OutgoingMessage]:
        for number in itertools.count():
            given.append(message := gateway.message(number, f"text {number // 150}"))
            yield message

    concurrency = 2
    # What is in flight, what waits to be taken, what waits for company, and what is read at a time.
    most_ahead = (2 * concurrency + 5 + 3) * gateway.limit
    source = _asynchronously(endlessly()) if is_asynchronous else endlessly()
    taken = 0
    async with gateway.connect(emulator) as client, client.send_many(source, concurrency=concurrency) as sending:
        async for _ in sending:
            taken += 1
            if taken % 400 == 0:
                before = -1
                while before != len(given):  # Until it reads no further.
                    before = len(given)
                    await asyncio.sleep(0.08)
                assert len(given) - taken <= most_ahead
            if taken == 1200:
                break
    assert len(given) <= 1200 + most_ahead


@each()
async def test_a_message_leaves_without_company_while_its_source_pauses(gateway: Gateway, emulator: Emulator) -> None:
    """Each message comes only after the one before was reported: who waits for company would wait for ever."""
    reported = asyncio.Event()

    async def source() -> AsyncIterator[OutgoingMessage]:
        for number in range(4):
            yield gateway.message(number, f"text {number % 2}")
            await reported.wait()
            reported.clear()

    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client, asyncio.timeout(20):
        async for report in client.send_many(source()):
            reports.append(report)
            reported.set()
    assert [report.index for report in reports] == [0, 1, 2, 3]
    assert sends(emulator) == 4


def _has_taken(emulator: Emulator, count: int) -> bool:
    return len(GHASEDAK.ledger(emulator)) == count


async def test_what_comes_together_out_of_a_pausing_source_travels_together(emulator: Emulator) -> None:
    async def source() -> AsyncIterator[OutgoingMessage]:
        for start in (0, 10, 20):
            await until(functools.partial(_has_taken, emulator, start))
            for number in range(start, start + 10):
                await asyncio.sleep(0)
                yield GHASEDAK.message(number)

    async with GHASEDAK.connect(emulator) as client:
        assert len(await collect(client.send_many(source()))) == 30
    assert sends(emulator) == 3


@each()
@pytest.mark.parametrize("is_asynchronous", [True, False])
@pytest.mark.parametrize("good", [0, 1, 99, 100, 101, 130])
async def test_a_source_that_fails(gateway: Gateway, is_asynchronous: bool, good: int, emulator: Emulator) -> None:
    """What it gave before is reported first, then its exception comes as it is."""
    messages = gateway.messages(good)

    def failing() -> Iterator[OutgoingMessage]:
        yield from messages
        raise SourceError

    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client:
        sending = client.send_many(_asynchronously(failing()) if is_asynchronous else failing())
        assert isinstance(await _collect_into(reports, sending), SourceError)
        assert sending.unread == []
        judge(gateway, emulator, messages, reports)
        for report in reports:
            assert report.outcome is Outcome.SENT or isinstance(report.error, ClientStateError)
        # The client is as good as before.
        assert await client.credit() > 0


class FailingLimiter:
    """Fails some of the times that it is asked."""

    def __init__(self, *fails: bool) -> None:
        self._fails = itertools.cycle(fails)

    async def acquire(self) -> None:
        if next(self._fails):
            raise SourceError("09127776655")


@each()
async def test_a_limiter_that_fails(gateway: Gateway, emulator: Emulator) -> None:
    messages = gateway.messages(2 * gateway.limit + 1)
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, rate_limit=FailingLimiter(True)))
    judge(gateway, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.NOT_SENT: len(messages)}
    assert {type(report.error) for report in reports} == {ClientStateError}
    assert "09127776655" not in "".join(str(report.error) for report in reports)
    assert emulator.requests == []


@each(GHASEDAK, OPGATEWAY, SOAP)
async def test_a_limiter_that_fails_now_and_then(gateway: Gateway, emulator: Emulator) -> None:
    """What it was asked for has not left, and the others go out."""
    messages = gateway.messages(6 * gateway.limit)
    async with gateway.connect(emulator) as client:
        limiter = FailingLimiter(False, True, False)
        reports = await collect(client.send_many(messages, rate_limit=limiter))
    judge(gateway, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.SENT: 4 * gateway.limit, Outcome.NOT_SENT: 2 * gateway.limit}
    assert sends(emulator) == 4


async def test_a_limiter_that_fails_when_it_is_asked_for_a_question(emulator: Emulator) -> None:
    """It is asked again until the grace period is over."""
    messages = GHASEDAK.messages(3)
    emulator.add_fault(GHASEDAK.fault("drop_after_read"))
    async with GHASEDAK.connect(emulator) as client:
        limiter = FailingLimiter(False, True, True)
        reports = await collect(client.send_many(messages, rate_limit=limiter, on_unknown=OnUnknown.RESEND))
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.SENT: 3}
    assert len(emulator.requests) == 2


@each()
@pytest.mark.parametrize("has_journal", [False, True])
async def test_what_is_no_message_is_reported_and_stops_nothing(
    gateway: Gateway, has_journal: bool, emulator: Emulator
) -> None:
    journal = MemoryJournal() if has_journal else None
    messages: list[Any] = [
        gateway.message(0),
        "09121234567",
        None,
        {"to": "0912"},
        7,
        OutgoingMessage,
        gateway.message(1),
    ]
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, journal=journal))
    judge(gateway, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.SENT: 2, Outcome.NOT_SENT: 5}
    for report in reports:
        if report.outcome is Outcome.NOT_SENT:
            assert isinstance(report.error, InvalidArgumentError)
            assert report.error.argument == f"messages[{report.index}]"
            assert (report.error.gateway, report.error.operation) == (gateway.name, "send_many")


NOW = datetime.datetime.now(datetime.UTC)
WRONG: list[tuple[Gateway, dict[str, Any], str]] = [
    *(
        (gateway, {"to": to}, "to")
        for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP)
        for to in ("", "12", None, 912, b"0")
    ),
    *(
        (gateway, {"text": text}, "text")
        for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP)
        for text in ("", " \n", None, 5)
    ),
    *((gateway, {"text": "\ud800"}, "text") for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP)),
    *((gateway, {"sender": "x"}, "sender") for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP)),
    *((gateway, {"sender": None}, "sender") for gateway in (OPGATEWAY, SOAP)),
    *((gateway, {"sender": 10008566}, "sender") for gateway in (GHASEDAK, OPGATEWAY, SOAP)),
    *((gateway, {"check_id": mark}, "check_id") for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP) for mark in ("", 5)),
    *((gateway, {"send_at": NOW.replace(tzinfo=None)}, "send_at") for gateway in (GHASEDAK, OPGATEWAY)),
    *((gateway, {"send_at": 5}, "send_at") for gateway in (GHASEDAK, OPGATEWAY)),
    *((gateway, {"send_at": NOW}, "send_at") for gateway in (SMSIR, SOAP)),
    (GHASEDAK, {"check_id": "a,b"}, "check_id"),
    (GHASEDAK, {"to": "+33456351753"}, "to"),
    (SMSIR, {"sender": "30001234"}, "sender"),
    (SOAP, {"text": "\x01"}, "text"),
]


@pytest.mark.parametrize(("gateway", "fields", "argument"), WRONG)
async def test_a_message_that_cannot_be_sent_is_reported_and_stops_nothing(
    gateway: Gateway, fields: dict[str, Any], argument: str, emulator: Emulator
) -> None:
    good: dict[str, Any] = {"to": "09121234567", "text": "text", "sender": gateway.line}
    messages = [gateway.message(1), OutgoingMessage(**{**good, **fields}), gateway.message(2)]
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages))
    judge(gateway, emulator, messages, reports)
    (wrong,) = [report for report in reports if report.outcome is not Outcome.SENT]
    assert (wrong.index, wrong.outcome) == (1, Outcome.NOT_SENT)
    assert isinstance(wrong.error, InvalidArgumentError)
    assert wrong.error.argument == f"messages[1].{argument}"
    assert len(gateway.ledger(emulator)) == 2
    assert sends(emulator) == 1


async def test_nothing_at_all(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        assert await collect(client.send_many([])) == []
        assert await collect(client.send_many(_asynchronously([]))) == []
    assert emulator.requests == []
