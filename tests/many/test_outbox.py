"""The outbox: single messages from many callers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any

import attrs
import pytest
from payamak.common import (
    ClientStateError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidSenderError,
    Journal,
    JournalEntry,
    JournalError,
    Outcome,
    OutgoingMessage,
    PayamakError,
    SendReport,
)
from payamak.common.outbox import Outbox
from payamak.emulator import Emulator, Fault
from support.journals import FailingJournal, MemoryJournal
from support.many import GHASEDAK, OPGATEWAY, Gateway, each, running, until

PAUSE = 30.0


@contextlib.asynccontextmanager
async def outbox_of(
    gateway: Gateway, emulator: Emulator, journal: Journal | None = None, **options: Any
) -> AsyncGenerator[Outbox]:
    async with (
        gateway.connect(emulator) as client,
        client.outbox(journal=journal or MemoryJournal(), pause=PAUSE, **options) as outbox,
    ):
        yield outbox


class SlowJournal(MemoryJournal):
    """Takes its time to write down what became of messages."""

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        await asyncio.sleep(1)
        return await super().settle(entries)


def numbered(gateway: Gateway, count: int, **fields: Any) -> list[OutgoingMessage]:
    return [gateway.message(place, check_id=f"{1000 + place}", **fields) for place in range(count)]


def count_sends(emulator: Emulator) -> int:
    return sum("send" in request.path for request in emulator.requests)


def outcomes_of(reports: Collection[SendReport]) -> set[Outcome]:
    return {report.outcome for report in reports}


async def send_each(outbox: Outbox, messages: Collection[OutgoingMessage]) -> list[SendReport]:
    return await asyncio.gather(*(outbox.send(message) for message in messages))


@each()
async def test_callers_share_requests(gateway: Gateway, emulator: Emulator) -> None:
    messages = numbered(gateway, 2 * gateway.limit)
    async with outbox_of(gateway, emulator) as outbox:
        reports = await send_each(outbox, messages)
    assert [report.message for report in reports] == messages
    assert outcomes_of(reports) == {Outcome.SENT}
    assert all(report.is_settled for report in reports)
    assert len(gateway.ledger(emulator)) == len(messages)
    assert sum(request.processed for request in emulator.requests) <= 5


@each()
async def test_what_is_given_in_again_is_known(gateway: Gateway, emulator: Emulator) -> None:
    messages = numbered(gateway, 5)
    journal = MemoryJournal()
    async with outbox_of(gateway, emulator, journal) as outbox:
        together = await send_each(outbox, [*messages, *messages])
        assert together[:5] == together[5:], "a twin of what is on its way gets the same report"
        later = await send_each(outbox, messages)
    async with outbox_of(gateway, emulator, journal) as another:
        last = await send_each(another, messages)
    for again in (later, last):
        assert all(report.from_journal for report in again)
        assert [report.message_id for report in again] == [report.message_id for report in together[:5]]
    assert len(gateway.ledger(emulator)) == 5


@each()
async def test_outboxes_on_one_journal(gateway: Gateway, emulator: Emulator) -> None:
    messages = numbered(gateway, 150)
    journal = MemoryJournal()
    async with (
        outbox_of(gateway, emulator, journal) as first,
        outbox_of(gateway, emulator, journal) as second,
    ):
        reports = await asyncio.gather(send_each(first, messages), send_each(second, messages))
    for one, other in zip(*reports, strict=True):
        assert (one.outcome, one.message_id) == (other.outcome, other.message_id)
    assert len(gateway.ledger(emulator)) == 150


async def test_without_a_check_id_each_is_a_message_of_its_own(emulator: Emulator) -> None:
    """A second "Your password was changed" in a year is no mistake."""
    message = GHASEDAK.message(1)
    async with outbox_of(GHASEDAK, emulator) as outbox:
        first, second = await send_each(outbox, [message, message])
        third = await outbox.send(first.message)
    assert len({first.message.check_id, second.message.check_id, None}) == 3
    assert third.message_id == first.message_id
    assert len(GHASEDAK.ledger(emulator)) == 2


async def test_the_check_id_of_another_message(emulator: Emulator) -> None:
    first = GHASEDAK.message(1, check_id="5")
    second = attrs.evolve(first, text="another")
    async with outbox_of(GHASEDAK, emulator) as outbox:
        _, together = await send_each(outbox, [first, second])
        later = await outbox.send(second)
    for report in (together, later):
        assert report.message == second
        assert report.outcome is Outcome.NOT_SENT
        assert isinstance(report.error, InvalidArgumentError)
        assert report.is_settled, "it will never go out"
    assert len(GHASEDAK.ledger(emulator)) == 1


async def test_all_of_a_list(emulator: Emulator) -> None:
    messages = [*numbered(GHASEDAK, 3), GHASEDAK.message("12", check_id="wrong")]
    async with outbox_of(GHASEDAK, emulator) as outbox:
        reports = await outbox.send_all(messages)
        with pytest.raises(InvalidArgumentError, match=r"messages\[1\]"):
            await outbox.send_all([GHASEDAK.message(9), "no message"])  # type: ignore[list-item]
    assert [report.index for report in reports] == [0, 1, 2, 3]
    assert [report.outcome for report in reports] == [*[Outcome.SENT] * 3, Outcome.NOT_SENT]
    assert len(GHASEDAK.ledger(emulator)) == 3


async def test_the_credit_ends_and_is_charged(emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 0
    now = asyncio.get_running_loop().time
    async with outbox_of(GHASEDAK, emulator) as outbox:
        for start in (0, 20, 40):  # Each time only the first of them is tried.
            begun = now()
            reports = [await outbox.send(message) for message in numbered(GHASEDAK, 60)[start : start + 20]]
            assert not any(report.is_settled for report in reports)
            assert {type(report.error) for report in reports} == {InsufficientCreditError}
            assert count_sends(emulator) == start // 20 + 1
            waits = [report.error.retry_after for report in reports[1:] if report.error and report.error.retry_after]
            assert len(waits) == 19
            assert 0 < waits[-1] <= PAUSE
            await asyncio.sleep(begun + PAUSE + 1 - now())
        emulator.ghasedak.account.credit = 10**9
        reports = await send_each(outbox, numbered(GHASEDAK, 60))
    assert outcomes_of(reports) == {Outcome.SENT}
    assert len(GHASEDAK.ledger(emulator)) == 60


async def test_what_comes_while_a_refusal_is_written_down(emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 0
    messages = iter(numbered(GHASEDAK, 10_000))
    async with outbox_of(GHASEDAK, emulator, SlowJournal(), concurrency=1) as outbox:
        tasks = [asyncio.create_task(outbox.send(next(messages)))]
        while not tasks[0].done():
            await asyncio.sleep(0.05)
            tasks.append(asyncio.create_task(outbox.send(next(messages))))
        reports = await asyncio.gather(*tasks)
    assert Outcome.SENT not in outcomes_of(reports)
    assert count_sends(emulator) == 1


async def test_one_tries_first_while_the_others_wait(emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 0
    async with outbox_of(GHASEDAK, emulator) as outbox:
        await outbox.send(GHASEDAK.message(1))
        await asyncio.sleep(PAUSE + 1)
        reports = await send_each(outbox, numbered(GHASEDAK, 500))
    assert outcomes_of(reports) == {Outcome.REFUSED, Outcome.NOT_SENT}
    assert count_sends(emulator) == 2


async def test_what_is_wrong_itself_shows_nothing(emulator: Emulator) -> None:
    """The next one tries."""
    wrong = GHASEDAK.message("12", check_id="wrong")
    emulator.ghasedak.account.credit = 0
    async with outbox_of(GHASEDAK, emulator) as outbox:
        await outbox.send(GHASEDAK.message(1))
        await asyncio.sleep(PAUSE + 1)
        await send_each(outbox, [wrong, *numbered(GHASEDAK, 500)])
        assert count_sends(emulator) == 2
        await asyncio.sleep(PAUSE + 1)
        emulator.ghasedak.account.credit = 10**9
        reports = await send_each(outbox, [wrong, *numbered(GHASEDAK, 500)])
    assert outcomes_of(reports[1:]) == {Outcome.SENT}


async def test_one_that_tries_for_long_holds_nobody_up(emulator: Emulator) -> None:
    """It may be asked for during the whole grace period."""
    emulator.ghasedak.account.credit = 0
    async with outbox_of(GHASEDAK, emulator, grace=10 * PAUSE) as outbox:
        await outbox.send(GHASEDAK.message(1))
        await asyncio.sleep(PAUSE + 1)
        emulator.ghasedak.account.credit = 10**9
        emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
        first = asyncio.create_task(outbox.send(GHASEDAK.message(2)))
        await until(lambda: any(request.fault for request in emulator.requests))
        async with asyncio.timeout(2 * PAUSE):
            others = await send_each(outbox, numbered(GHASEDAK, 5))
        assert outcomes_of(others) == {Outcome.SENT}
        assert not first.done()


async def test_what_was_sent_is_known_during_a_pause(emulator: Emulator) -> None:
    message = GHASEDAK.message(1, check_id="1")
    async with outbox_of(GHASEDAK, emulator) as outbox:
        first = await outbox.send(message)
        emulator.ghasedak.account.credit = 0
        await outbox.send(GHASEDAK.message(2))
        again = await outbox.send(message)
    assert (again.outcome, again.message_id) == (Outcome.SENT, first.message_id)


async def test_what_the_journal_cannot_be_asked_for_is_unknown(emulator: Emulator) -> None:
    """But what has an id of its own nobody can have sent before."""
    journal = MemoryJournal()
    message = GHASEDAK.message(1, check_id="1")
    async with outbox_of(GHASEDAK, emulator, journal) as outbox:
        assert (await outbox.send(message)).outcome is Outcome.SENT
    async with outbox_of(GHASEDAK, emulator, FailingJournal(journal, OSError("disk"), reads=0)) as outbox:
        for _ in range(2):
            report = await outbox.send(message)
            assert report.outcome is Outcome.UNKNOWN
            assert isinstance(report.error, JournalError)
            assert report.error.outcome is Outcome.UNKNOWN
            assert not report.is_settled
        assert (await outbox.send(GHASEDAK.message(2))).outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("status", [401, 503])
async def test_a_lost_one_that_cannot_be_asked_for(emulator: Emulator, status: int) -> None:
    """That is no work for a person: with the right key, or once the gateway is there again, it can."""
    emulator.add_fault(GHASEDAK.fault("drop_after_read"))
    message, journal = GHASEDAK.message(1, check_id="1"), MemoryJournal()
    async with outbox_of(GHASEDAK, emulator, journal) as outbox:
        emulator.add_fault(Fault("status", gateway="ghasedak", path="sms/status", status=status, times=100))
        report = await outbox.send(message)
        assert report.outcome is Outcome.UNKNOWN
        assert not report.is_settled
        emulator.clear_faults()
        assert (await outbox.send(message)).outcome is Outcome.SENT


async def test_a_full_request_of_different_texts_waits_for_nobody(emulator: Emulator) -> None:
    messages = [OPGATEWAY.message(place, f"text {place}", check_id=f"{place}") for place in range(OPGATEWAY.limit)]
    async with outbox_of(OPGATEWAY, emulator) as outbox, asyncio.timeout(60):
        assert outcomes_of(await send_each(outbox, messages)) == {Outcome.SENT}


async def test_the_same_number_written_otherwise(emulator: Emulator) -> None:
    message = GHASEDAK.message(1, check_id="1")
    async with outbox_of(GHASEDAK, emulator) as outbox:
        reports = await send_each(outbox, [message, attrs.evolve(message, to=f"+98{message.to[1:]}")])
    assert outcomes_of(reports) == {Outcome.SENT}
    assert len(GHASEDAK.ledger(emulator)) == 1


@pytest.mark.parametrize("pause", [0, PAUSE])
async def test_closed_while_one_tries(emulator: Emulator, pause: float) -> None:
    emulator.ghasedak.account.credit = 0
    async with GHASEDAK.connect(emulator) as client:
        async with client.outbox(journal=MemoryJournal(), pause=pause, close_timeout=0.5) as outbox:
            await outbox.send(GHASEDAK.message(1))
            await asyncio.sleep(pause + 1)
            emulator.ghasedak.account.credit = 10**9
            emulator.add_fault(Fault("delay_after", gateway="ghasedak", seconds=300))
            tasks = [asyncio.create_task(outbox.send(message)) for message in numbered(GHASEDAK, 5)]
            await until(lambda: count_sends(emulator) == 2)
        reports = await asyncio.gather(*tasks)
        assert outcomes_of(reports) == {Outcome.UNKNOWN}
        assert not any(report.is_settled for report in reports)
        assert not running()


async def test_opened_again(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        outbox = client.outbox(journal=MemoryJournal())
        for number in range(2):
            async with outbox:
                assert (await outbox.send(GHASEDAK.message(number))).outcome is Outcome.SENT
                with pytest.raises(ClientStateError, match="open already"):
                    await outbox.__aenter__()


async def test_a_refused_line_is_tried_again_after_the_pause(emulator: Emulator) -> None:
    blocked, other = "10009999", GHASEDAK.line
    async with outbox_of(GHASEDAK, emulator) as outbox:
        refused = await outbox.send(GHASEDAK.message(1, sender=blocked, check_id="1"))
        assert isinstance(refused.error, InvalidSenderError)
        assert not refused.is_settled
        assert (await outbox.send(GHASEDAK.message(2, sender=other))).outcome is Outcome.SENT
        before = count_sends(emulator)
        assert (await outbox.send(GHASEDAK.message(1, sender=blocked, check_id="1"))).outcome is Outcome.NOT_SENT
        assert count_sends(emulator) == before, "it is known"
        await asyncio.sleep(PAUSE + 1)
        again = await outbox.send(GHASEDAK.message(1, sender=blocked, check_id="1"))
    assert again.outcome is Outcome.REFUSED
    assert count_sends(emulator) == before + 1


async def test_what_is_urgent_waits_for_no_bills(emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay", gateway="opgateway", seconds=8, times=2))
    async with outbox_of(OPGATEWAY, emulator, concurrency=2) as outbox:
        bills = [asyncio.create_task(outbox.send(message)) for message in numbered(OPGATEWAY, 300)]
        await until(lambda: len(emulator.requests) == 2)
        code = await outbox.send(OPGATEWAY.message(900, "code"), urgent=True)
        assert code.outcome is Outcome.SENT
        assert not any(bill.done() for bill in bills)
        assert outcomes_of(await asyncio.gather(*bills)) == {Outcome.SENT}


async def test_a_caller_who_gives_up_stops_nothing(emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay", gateway="ghasedak", seconds=3))
    message = GHASEDAK.message(1, check_id="7")
    async with outbox_of(GHASEDAK, emulator) as outbox:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outbox.send(message), 1)
        report = await outbox.send(message)
    assert report.outcome is Outcome.SENT
    assert len(GHASEDAK.ledger(emulator)) == 1


async def test_closed_while_an_answer_is_awaited(emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay_after", gateway="ghasedak", seconds=300))
    message, journal = GHASEDAK.message(1, check_id="7"), MemoryJournal()
    async with outbox_of(GHASEDAK, emulator, journal, close_timeout=0.5) as outbox:
        task = asyncio.create_task(outbox.send(message))
        await until(lambda: GHASEDAK.ledger(emulator))
    report = await task
    assert report.outcome is Outcome.UNKNOWN
    assert report.is_cut_short
    assert not report.is_settled
    with pytest.raises(ClientStateError, match="not open"):
        await outbox.send(message)
    async with outbox_of(GHASEDAK, emulator, journal) as another:
        assert (await another.send(message)).outcome is Outcome.SENT
    assert len(GHASEDAK.ledger(emulator)) == 1


async def test_closed_while_the_gateway_is_asked(emulator: Emulator) -> None:
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    journal = MemoryJournal()
    async with outbox_of(GHASEDAK, emulator, journal) as outbox:
        task = asyncio.create_task(outbox.send(GHASEDAK.message(1)))
        await until(lambda: any("status" in request.path for request in emulator.requests))
    report = await task
    assert report.outcome is Outcome.UNKNOWN
    assert not report.is_settled
    async with outbox_of(GHASEDAK, emulator, journal) as another:
        assert (await another.send(report.message)).is_settled


@pytest.mark.parametrize("broken", ["reads", "writes"])
async def test_a_journal_that_fails_for_a_while(emulator: Emulator, broken: str) -> None:
    journal = FailingJournal(MemoryJournal(), OSError("disk"), once=True, **{broken: 0})
    messages = numbered(GHASEDAK, 3)
    async with outbox_of(GHASEDAK, emulator, journal) as outbox:
        for _ in range(2):
            reports = await send_each(outbox, messages)
            assert outcomes_of(reports) <= {Outcome.NOT_SENT, Outcome.UNKNOWN}
            assert not any(report.is_settled for report in reports)
        await asyncio.sleep(PAUSE + 1)
        assert outcomes_of(await send_each(outbox, messages)) == {Outcome.SENT}
    assert len(GHASEDAK.ledger(emulator)) == 3


SETTLED = [
    (Outcome.SENT, None, True),
    (Outcome.UNKNOWN, ConnectionLostError("a"), True),
    (Outcome.REFUSED, InvalidRecipientError("a"), True),
    (Outcome.REFUSED, InsufficientCreditError("a"), False),
    (Outcome.REFUSED, GatewayError("a"), False),
    (Outcome.NOT_SENT, InsufficientCreditError("a"), False),
    (Outcome.NOT_SENT, JournalError("a"), False),
    (Outcome.NOT_SENT, InvalidArgumentError("a"), True),
]


@pytest.mark.parametrize(("outcome", "error", "is_settled"), SETTLED)
def test_what_is_settled(outcome: Outcome, error: PayamakError | None, is_settled: bool) -> None:
    report = SendReport(0, OutgoingMessage("09121111111", "text"), outcome, error=error)
    assert report.is_settled is is_settled


WRONG: list[dict[str, Any]] = [
    {"journal": None}, {"journal": object()}, {"concurrency": 0}, {"urgent_concurrency": 0}, {"pause": -1},
    {"grace": -1}, {"close_timeout": "5"}, {"rate_limit": 5}, {"on_unknown": "ask"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
async def test_wrong_arguments(emulator: Emulator, wrong: dict[str, Any]) -> None:
    async with GHASEDAK.connect(emulator) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            client.outbox(**{"journal": MemoryJournal(), **wrong})
    assert caught.value.argument == next(iter(wrong))


async def test_no_message(emulator: Emulator) -> None:
    async with outbox_of(GHASEDAK, emulator) as outbox:
        with pytest.raises(InvalidArgumentError, match="message"):
            await outbox.send("text")  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="check_id"):
            await outbox.send(GHASEDAK.message(1, check_id=" "))
    assert repr(outbox) == "<Outbox closed, 0 on their way>"
