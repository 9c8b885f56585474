"""What a reviewer found in `send_many`, one defect a test."""

from __future__ import annotations

import asyncio
import datetime
import functools
import itertools
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    ClientStateError,
    Hook,
    JournalEntry,
    Outcome,
    OutgoingMessage,
    Proceed,
    ReplyError,
    SendMany,
    SendReport,
)
from payamak.common.session import HttpSession
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator, Fault
from payamak.smsir.many import Claims
from support.advgateway import STYLES
from support.journals import MemoryJournal, entry_for, put
from support.many import (
    ADVANCED,
    GHASEDAK,
    OPGATEWAY,
    SMSIR,
    SOAP,
    Gateway,
    by_outcome,
    collect,
    each,
    judge,
    running,
    unread_too,
    until,
)
from support.sentinels import CHECK_ID, PHONE, TEXT, leaks

FIRST_BULK_ID = 10_929_800
FIRST_MESSAGE_ID = 536_221_499


def around_the_first(
    operation: str, *, before: Callable[[], Awaitable[object]] | None = None, after: Callable[[], Awaitable[object]]
) -> Hook:
    """Do something before the first call of a method leaves, and before its answer is handed on."""
    seen: list[str] = []

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(attempt.operation)
        is_first = attempt.operation == operation and seen.count(operation) == 1
        if is_first and before is not None:
            await before()
        reply = await proceed()
        if is_first:
            await after()
        return reply

    return hook


async def test_an_earlier_runs_request_may_have_left_later_than_it_was_written_down(emulator: Emulator) -> None:
    """It may have waited for a connection for as long as a call may take; the grace period begins then."""
    journal = MemoryJournal()
    written = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=10)
    message = GHASEDAK.message(0)
    async with GHASEDAK.connect(emulator) as earlier:
        await put(journal, entry_for(earlier, message, reference="mark", at=written))

        async def arrive() -> None:
            await earlier.send(message.to, message.text, sender=message.sender, check_id="mark")

        hooks = [around_the_first("statuses_by_check_id", after=arrive)]
        async with GHASEDAK.connect(emulator, hooks=hooks) as client:
            reports = await collect(client.send_many([message], journal=journal, grace=0.1))
    assert by_outcome(reports) == {Outcome.SENT: 1}
    judge(GHASEDAK, emulator, [message], reports)


@each()
async def test_a_journal_serves_several_sendings_at_once(gateway: Gateway, emulator: Emulator) -> None:
    messages = gateway.messages(150)
    journal = MemoryJournal()
    async with gateway.connect(emulator) as client:
        sendings = [client.send_many(messages, journal=journal, concurrency=3) for _ in range(3)]
        reports = await asyncio.gather(*map(collect, sendings))
    for seen in reports:
        judge(gateway, emulator, messages, seen)
        assert by_outcome(seen) == {Outcome.SENT: 150}
    assert len(gateway.ledger(emulator)) == 150
    own = [report.index for seen in reports for report in seen if not report.from_journal]
    assert sorted(own) == list(range(150)), "each message went out from one of them"


async def test_aiosqlites_log_holds_no_number_and_no_text(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = GHASEDAK.message(PHONE, TEXT, check_id=CHECK_ID)
    async with GHASEDAK.connect(emulator) as client, SqliteJournal(tmp_path / "journal.db") as journal:
        for _ in range(2):
            await collect(client.send_many([message], journal=journal))
    lines = [record.getMessage() for record in caplog.records if record.name == "aiosqlite"]
    assert any("INSERT" in line for line in lines)
    assert any("SELECT" in line for line in lines)
    assert leaks(caplog.text) == []


async def test_a_check_id_used_before_leads_to_another_number(emulator: Emulator) -> None:
    """Then the gateway cannot be asked for the new message, whether it has it or not."""
    earlier = [GHASEDAK.message(1, check_id="mark")]
    later = [GHASEDAK.message(2, "another text", check_id="mark")]
    async with GHASEDAK.connect(emulator) as client:
        assert by_outcome(await collect(client.send_many(earlier))) == {Outcome.SENT: 1}
        emulator.add_fault(Fault("drop_unprocessed"))
        reports = await collect(client.send_many(later, grace=0.05))
    assert by_outcome(reports) == {Outcome.UNKNOWN: 1}
    assert isinstance(reports[0].error, ReplyError)
    assert "another message by this check id" in str(reports[0].error)
    assert [entry.recipient for entry in GHASEDAK.ledger(emulator)] == [earlier[0].to]


async def test_smsir_what_another_sending_of_the_client_sent_is_not_taken_for_ours(emulator: Emulator) -> None:
    message = SMSIR.message(1)
    inner: list[SendReport] = []
    async with SMSIR.connect(emulator) as client:

        async def one_after_another_has_sent_the_same() -> AsyncIterator[OutgoingMessage]:
            inner.extend(await collect(client.send_many([message])))
            emulator.add_fault(SMSIR.fault("drop_unprocessed"))
            yield message

        outer = await collect(client.send_many(one_after_another_has_sent_the_same(), grace=0.05))
    assert by_outcome(inner) == {Outcome.SENT: 1}
    assert by_outcome(outer) == {Outcome.UNKNOWN: 1}
    assert len(SMSIR.ledger(emulator)) == 1


async def test_smsir_what_a_search_asks_for_does_not_grow_with_the_run(emulator: Emulator) -> None:
    """What is newer than the last look at the list is gone through, and there only what belongs to no other request."""
    asked: list[int] = []

    async def losing_the_last_of(ends: Sequence[int]) -> AsyncIterator[OutgoingMessage]:
        for number in range(ends[-1]):
            if number + 1 not in ends:
                yield SMSIR.message(1)
                continue
            await until(functools.partial(is_done, number))
            emulator.add_fault(SMSIR.fault("drop_after_read"))
            before = len(emulator.requests)
            yield SMSIR.message(1)
            await until(functools.partial(is_done, number + 1))
            asked.append(len(emulator.requests) - before)

    def is_done(count: int) -> bool:
        return sending.progress.done == count

    async with SMSIR.connect(emulator) as client:
        sending: SendMany = client.send_many(losing_the_last_of([41, 341]), grace=0)
        reports = await collect(sending)
    assert by_outcome(reports) == {Outcome.SENT: 341}
    assert len(asked) == 2
    assert max(asked) <= 7  # The send itself, few pages of the list, the recipients of one send.


def test_smsir_remembers_so_many_sends_and_no_more() -> None:
    claims = Claims()
    for number in range(30_000):
        claims.take(str(number))
    assert len(claims.taken) == 10_000
    assert "29999" in claims.taken


class HangingJournal(MemoryJournal):
    """Writes once and never again."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        await self._hang()
        return await super().begin(entries, lease)

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        await self._hang()
        return await super().settle(entries)

    async def _hang(self) -> None:
        self.writes += 1
        if self.writes > 1:
            await asyncio.Event().wait()


async def test_a_journal_that_hangs_does_not_keep_the_end(emulator: Emulator) -> None:
    given: list[OutgoingMessage] = []

    def endlessly() -> Iterator[OutgoingMessage]:
        for number in itertools.count():
            given.append(GHASEDAK.message(number))
            yield given[-1]

    journal = HangingJournal()
    async with GHASEDAK.connect(emulator) as client:
        sending = client.send_many(endlessly(), journal=journal, close_timeout=0, concurrency=3)
        task = asyncio.create_task(collect(sending))
        await until(lambda: journal.writes > 2)
        async with asyncio.timeout(20):
            await sending.aclose()
            reports = unread_too(await task, sending)
        assert running() == []
    judge(GHASEDAK, emulator, given, reports)


async def test_a_client_ends_its_sendings_together_and_starts_none_meanwhile(emulator: Emulator) -> None:
    left: list[int] = []
    release = asyncio.Event()

    async def waiting(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        await release.wait()
        return await proceed()

    async def one_and_no_more(number: int) -> AsyncIterator[OutgoingMessage]:
        yield GHASEDAK.message(number)
        try:
            await asyncio.Event().wait()
        finally:
            left.append(number)

    client = GHASEDAK.connect(emulator, hooks=[waiting])
    sendings = [client.send_many(one_and_no_more(number), close_timeout=60) for number in range(3)]
    tasks = [asyncio.create_task(collect(sending)) for sending in sendings]
    await until(lambda: len([name for name in running() if name.endswith("RequestRunner.run")]) == 3)
    closing = asyncio.create_task(client.aclose())
    try:
        await until(lambda: len(left) == 3)
        with pytest.raises(ClientStateError):
            await collect(client.send_many([GHASEDAK.message(9)]))
    finally:
        release.set()
        await closing
        reports = [await task for task in tasks]
    assert [by_outcome(some) for some in reports] == [{Outcome.SENT: 1}] * 3
    assert sorted(entry.recipient for entry in GHASEDAK.ledger(emulator)) == [
        GHASEDAK.message(number).to for number in range(3)
    ]


async def test_a_client_that_is_closed_is_not_asked_on_and_on(emulator: Emulator) -> None:
    """Of all faults, this one does not pass in an hour of grace."""
    session = HttpSession()
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    hooks = [around_the_first("statuses_by_check_id", after=session.aclose)]
    messages = GHASEDAK.messages(3)
    async with GHASEDAK.connect(emulator, session=session, hooks=hooks) as client:
        sending = client.send_many(messages, grace=3600)
        async with asyncio.timeout(20), sending:
            reports = await collect(sending)
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}


@each(*ADVANCED)
async def test_the_advanced_gateway_is_asked_again_for_those_it_did_not_know_yet(
    gateway: Gateway, emulator: Emulator
) -> None:
    messages = gateway.messages(3)
    ids = [str(FIRST_MESSAGE_ID + number) for number in range(3)]
    body = STYLES["struct" if gateway is SOAP else "rest"]({"ErrCode": "0", "result": ids}).decode()
    emulator.add_fault(gateway.fault("status", status=500, body=body))
    async with gateway.connect(emulator) as gateways_own:

        async def arrive(part: Sequence[OutgoingMessage]) -> None:
            await gateways_own.send_to_many([message.to for message in part], "text", sender=gateway.line)

        hooks = [around_the_first("statuses", before=lambda: arrive(messages[:1]), after=lambda: arrive(messages[1:]))]
        async with gateway.connect(emulator, hooks=hooks) as client:
            reports = await collect(client.send_many(messages, grace=0.1))
    assert by_outcome(reports) == {Outcome.SENT: 3}
    judge(gateway, emulator, messages, reports)


async def test_an_odd_number_in_a_delivery_hides_no_other(emulator: Emulator) -> None:
    messages = OPGATEWAY.messages(3)
    emulator.add_fault(Fault("status", status=500, body=json.dumps([0, FIRST_BULK_ID]), processed=True))
    delivery = ["98912x:send", *(f"{message.to}:send" for message in messages)]
    emulator.add_fault(Fault("status", status=200, body=json.dumps([0, json.dumps(delivery)])))
    async with OPGATEWAY.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=0))
    assert by_outcome(reports) == {Outcome.SENT: 3}
    judge(OPGATEWAY, emulator, messages, reports)
