"""What `send_many` does with a journal that works, one that fails, and one that belongs to another input."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    InvalidArgumentError,
    Journal,
    JournalError,
    Outcome,
    OutgoingMessage,
    Proceed,
    SendMany,
    SendReport,
)
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator, Fault
from support.journals import FailingJournal, MemoryJournal, contents, query
from support.kill_worker import make_messages
from support.many import GHASEDAK, Gateway, collect, each, judge, sends, until
from support.sentinels import CHECK_ID, PHONE, TEXT, assert_silent

HASH_KEY = b"sixteen bytes ok"
COUNT = 25


async def run(
    gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage], journal: Journal, **options: Any
) -> list[SendReport]:
    """Send all, and return the reports in the order of the messages."""
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, **{"journal": journal, "grace": 0.05, **options}))
    return sorted(reports, key=lambda report: report.index)


async def run_to_the_end(
    gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage], journal: Journal
) -> list[SendReport]:
    """Run once more, and again if the first found out that something was not sent."""
    await run(gateway, emulator, messages, journal)
    return await run(gateway, emulator, messages, journal)


def outcomes(reports: Sequence[SendReport]) -> list[Outcome]:
    return [report.outcome for report in reports]


@each()
async def test_a_request_leaves_after_it_was_written(gateway: Gateway, emulator: Emulator) -> None:
    journal = MemoryJournal()
    written: list[int] = []

    async def look(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        if "send" in attempt.operation:
            written.append(sum(entry.outcome is None for entry in journal.entries.values()))
        return await proceed()

    messages = make_messages(gateway, COUNT)
    async with gateway.connect(emulator, hooks=[look]) as client:
        reports = await collect(client.send_many(messages, journal=journal, concurrency=1))
    assert written == [5] * 5
    judge(gateway, emulator, messages, reports)
    assert {entry.outcome for entry in journal.entries.values()} == {Outcome.SENT}
    assert {entry.message_id for entry in journal.entries.values()} == {report.message_id for report in reports}
    again = await run(gateway, emulator, messages, journal)
    assert all(report.from_journal for report in again)


@each()
@pytest.mark.parametrize("writes", range(7))
@pytest.mark.parametrize("error", [JournalError("the journal is full"), OSError(28, f"{PHONE} {TEXT}")])
async def test_a_write_fails(gateway: Gateway, error: Exception, writes: int, emulator: Emulator) -> None:
    inner = MemoryJournal()
    messages = make_messages(gateway, COUNT)
    reports = await run(gateway, emulator, messages, FailingJournal(inner, error, writes=writes), concurrency=2)
    judge(gateway, emulator, messages, reports)
    not_sent = [report.error for report in reports if report.outcome is Outcome.NOT_SENT]
    assert not_sent
    assert {type(reason) for reason in not_sent} == {JournalError}
    for reason in not_sent:
        assert reason is not None
        assert PHONE not in str(reason)
        assert TEXT not in str(reason)
    # Each message whose request left was written before.
    left = [entry for entry in inner.entries.values() if entry.outcome is not Outcome.NOT_SENT]
    assert len(gateway.ledger(emulator)) <= len(left)
    reports = await run_to_the_end(gateway, emulator, messages, inner)
    judge(gateway, emulator, messages, reports)
    assert not [report for report in reports if report.outcome is Outcome.NOT_SENT]


@each()
@pytest.mark.parametrize(("writes", "sent"), [(0, 0), (1, 5), (2, 5), (3, 10)])
async def test_a_write_that_failed_once_is_the_last(
    gateway: Gateway, writes: int, sent: int, emulator: Emulator
) -> None:
    """Nothing more leaves, although the next write would succeed: what the failed one held is not in the journal."""
    messages = make_messages(gateway, COUNT)
    journal = FailingJournal(MemoryJournal(), OSError(), writes=writes, once=True)
    reports = await run(gateway, emulator, messages, journal, concurrency=1)
    judge(gateway, emulator, messages, reports)
    assert outcomes(reports).count(Outcome.SENT) == sent
    assert outcomes(reports).count(Outcome.NOT_SENT) == COUNT - sent


@each()
async def test_the_disk_is_full(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    messages = [gateway.message(index % 5, f"{index // 5} {'long ' * 400}") for index in range(COUNT)]
    async with SqliteJournal(tmp_path / "journal.db") as journal, gateway.connect(emulator) as client:
        reports: list[SendReport] = []
        async for report in client.send_many(messages, journal=journal, concurrency=1):
            if not reports:
                database: Any = journal._database
                (pages,) = await database.execute_fetchall("PRAGMA page_count")
                await database.execute_fetchall(f"PRAGMA max_page_count = {pages[0]}")
            reports.append(report)
    judge(gateway, emulator, messages, reports)
    reasons = [report.error for report in reports if report.outcome is Outcome.NOT_SENT]
    assert reasons
    assert all(isinstance(reason, JournalError) and "SQLITE_FULL" in str(reason) for reason in reasons)
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        judge(gateway, emulator, messages, await run_to_the_end(gateway, emulator, messages, journal))
    assert len(gateway.ledger(emulator)) >= COUNT - 5


async def _append(reports: list[SendReport], sending: SendMany) -> None:
    async for report in sending:
        reports.append(report)  # noqa: PERF401 -- what came before an error counts


@each()
@pytest.mark.parametrize("reads", [0, 1, 2])
async def test_a_read_fails(gateway: Gateway, reads: int, emulator: Emulator) -> None:
    messages = [gateway.message(index) for index in range(350)]
    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client:
        sending = client.send_many(messages, journal=FailingJournal(MemoryJournal(), OSError(5, PHONE), reads=reads))
        with pytest.raises(JournalError, match="cannot be read") as caught:
            await _append(reports, sending)
    assert PHONE not in str(caught.value)
    assert sending.unread == []
    # All that were taken from the input have a report, and the others were not touched.
    judge(gateway, emulator, messages[: len(reports)], reports)
    assert len(gateway.ledger(emulator)) == reads * gateway.limit
    assert len(reports) == (reads + 1) * gateway.limit


@each()
@pytest.mark.parametrize("was_open", [False, True])
async def test_a_journal_that_is_not_open(gateway: Gateway, was_open: bool, emulator: Emulator, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    if was_open:
        async with journal:
            pass
    with pytest.raises(JournalError, match="not open"):
        await run(gateway, emulator, make_messages(gateway, COUNT), journal)
    assert gateway.ledger(emulator) == []


@each()
async def test_a_journal_that_is_closed_meanwhile(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    messages = make_messages(gateway, COUNT)
    journal = SqliteJournal(tmp_path / "journal.db")
    reports: list[SendReport] = []
    async with gateway.connect(emulator) as client, journal:
        async for report in client.send_many(messages, journal=journal, concurrency=1):
            await journal.aclose()
            reports.append(report)
    judge(gateway, emulator, messages, reports)
    assert Outcome.NOT_SENT in outcomes(reports)
    async with journal:
        judge(gateway, emulator, messages, await run_to_the_end(gateway, emulator, messages, journal))


@each()
async def test_the_states_as_others_see_them(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    states: list[Any] = []

    async def look(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        if "send" in attempt.operation:
            states.extend(query(path, "SELECT state, recipient FROM messages WHERE state = 'in flight'"))
        return await proceed()

    messages = [gateway.message(0, "a"), gateway.message(gateway.refused, "b"), gateway.message("12", "c")]
    async with SqliteJournal(path) as journal, gateway.connect(emulator, hooks=[look]) as client:
        await collect(client.send_many(messages, journal=journal, concurrency=1, grace=1))
        emulator.add_fault(Fault("drop_unprocessed", times=9))
        lost = [attrs.evolve(message, check_id=f"x{index}") for index, message in enumerate(messages[:1])]
        async with gateway.connect(emulator) as other:
            await collect(other.send_many(lost, journal=journal, grace=0))
        rows = query(path, 'SELECT "index", text, state, reason IS NULL FROM messages ORDER BY text, key')
    assert ("in flight", messages[0].to) in states
    found = {(text, state) for _, text, state, _ in rows}
    assert ("a", "sent") in found
    # What is wrong from the start never comes to the journal.
    assert {text for text, _ in found} <= {"a", "b"}
    assert all(has_no_reason == (state == "sent") for _, _, state, has_no_reason in rows)


@each()
async def test_a_journal_of_hashes(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    messages = [gateway.message(PHONE, TEXT), gateway.message(gateway.refused, TEXT), gateway.message(1, TEXT)]
    async with SqliteJournal(path, hash_key=HASH_KEY) as journal:
        first = await run(gateway, emulator, messages, journal)
        held = contents(path)
    for needle in (PHONE[1:], gateway.refused[1:], "9120000001", TEXT):
        assert needle.encode() not in held
        assert needle.encode() not in contents(path)
    async with SqliteJournal(path, hash_key=HASH_KEY) as journal:
        again = await run(gateway, emulator, messages, journal)
    assert [(report.outcome, report.message_id) for report in again] == [
        (report.outcome, report.message_id) for report in first
    ]
    assert all(report.from_journal for report in again if report.outcome is Outcome.SENT)
    before = sends(emulator)
    for wrong in (None, HASH_KEY[::-1]):
        async with SqliteJournal(path, hash_key=wrong) as journal:
            _assert_refused(await run(gateway, emulator, messages, journal))
    assert sends(emulator) == before


def _assert_refused(reports: Sequence[SendReport]) -> None:
    """Not sent, because the journal knows another message by that key."""
    for report in reports:
        assert report.outcome is Outcome.NOT_SENT
        assert isinstance(report.error, InvalidArgumentError)
        assert "journal" in str(report.error)
        assert_silent(report.error)


@each()
@pytest.mark.parametrize("change", ["reversed", "one more in front", "one less in front", "one more in the middle"])
async def test_another_input(gateway: Gateway, change: str, emulator: Emulator) -> None:
    """Messages are known by their places. If these have shifted, nobody can tell who got one: nothing goes out."""
    messages = [gateway.message(index, "text") for index in range(20)]
    new = gateway.message(99, "text")
    journal = MemoryJournal()
    await run(gateway, emulator, messages[:10], journal)
    changed = {
        "reversed": messages[::-1],
        "one more in front": [new, *messages],
        "one less in front": messages[1:],
        "one more in the middle": [*messages[:5], new, *messages[5:]],
    }[change]
    reports = await run(gateway, emulator, changed, journal)
    sent = [entry.recipient for entry in gateway.ledger(emulator)]
    assert len(set(sent)) == len(sent), "somebody got a message twice"
    _assert_refused([report for report in reports if report.outcome is not Outcome.SENT])
    assert [report.index for report in reports] == list(range(len(changed)))
    # The journal is as good as before.
    reports = await run(gateway, emulator, messages, journal)
    assert outcomes(reports) == [Outcome.SENT] * 20
    assert len(gateway.ledger(emulator)) == 20


@each()
async def test_check_ids_survive_another_order(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(index, check_id=f"check-{index}") for index in range(20)]
    journal = MemoryJournal()
    first = await run(gateway, emulator, messages[:10], journal)
    ids = {report.message.check_id: report.message_id for report in first}
    reports = await run(gateway, emulator, messages[::-1], journal)
    judge(gateway, emulator, messages[::-1], reports)
    assert outcomes(reports) == [Outcome.SENT] * 20
    assert len(gateway.ledger(emulator)) == 20
    known = [report for report in reports if report.from_journal]
    assert {report.message.check_id: report.message_id for report in known} == ids


@each()
@pytest.mark.parametrize("apart", [0, 150])
async def test_one_check_id_twice(gateway: Gateway, apart: int, emulator: Emulator) -> None:
    """The second is another message and does not go out, now or later."""
    between = [gateway.message(index, "between") for index in range(apart)]
    first, second = (gateway.message(7, text, check_id=CHECK_ID) for text in ("first", "second"))
    messages = [first, *between, second]
    journal = MemoryJournal()
    for _ in range(2):
        reports = await run(gateway, emulator, messages, journal, concurrency=1)
        assert outcomes(reports[:-1]) == [Outcome.SENT] * (apart + 1)
        _assert_not_sent_because_of_check_id(reports[-1])
        assert len(gateway.ledger(emulator)) == apart + 1


def _assert_not_sent_because_of_check_id(report: SendReport) -> None:
    assert report.outcome is Outcome.NOT_SENT
    assert isinstance(report.error, InvalidArgumentError)
    assert "check_id" in str(report.error)
    assert CHECK_ID not in str(report.error)


@each()
@pytest.mark.parametrize("wrong", [5, None, "09120000000"])
async def test_what_is_no_message(gateway: Gateway, wrong: object, emulator: Emulator) -> None:
    messages = cast("list[OutgoingMessage]", [gateway.message(0), wrong, gateway.message(1)])
    reports = await run(gateway, emulator, messages, MemoryJournal())
    assert outcomes(reports) == [Outcome.SENT, Outcome.NOT_SENT, Outcome.SENT]


async def test_the_loop_is_left_and_the_job_goes_on(emulator: Emulator, tmp_path: Path) -> None:
    messages = make_messages(GHASEDAK, COUNT)
    async with SqliteJournal(tmp_path / "journal.db") as journal, GHASEDAK.connect(emulator) as client:
        emulator.add_fault(Fault("delay_after", seconds=60, times=2))
        sending: SendMany = client.send_many(messages, journal=journal, concurrency=2, close_timeout=0)
        async with sending:
            iterator = aiter(sending)
            first = anext(iterator)

            task = asyncio.ensure_future(first)
            await until(lambda: len(GHASEDAK.ledger(emulator)) == 10)
            task.cancel()
            await asyncio.wait({task})
        judge(GHASEDAK, emulator, messages, sending.unread)
        reports = await run(GHASEDAK, emulator, messages, journal)
        judge(GHASEDAK, emulator, messages, reports)
        assert outcomes(reports) == [Outcome.SENT] * COUNT
    assert len(GHASEDAK.ledger(emulator)) == COUNT
