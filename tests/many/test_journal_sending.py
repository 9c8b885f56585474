"""What `send_many` does with a journal that works, one that fails, and one that belongs to another input."""

from __future__ import annotations

import asyncio
import collections
import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    InvalidArgumentError,
    Journal,
    JournalEntry,
    JournalError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    Proceed,
    SendMany,
    SendReport,
)
from payamak.common.numbers import normalize_recipient
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator, Fault
from support.journals import FailingJournal, KilledJournal, MemoryJournal, contents, entry_for, put, query
from support.kill_worker import make_messages
from support.many import GHASEDAK, OPGATEWAY, SMSIR, Gateway, collect, each, judge, prepare, sends, until
from support.sentinels import CHECK_ID, PHONE, TEXT, assert_silent

HASH_KEY = b"sixteen bytes ok"
COUNT = 25


async def run(
    gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage], journal: Journal | None, **options: Any
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


# Messages are known by what they are, wherever they stand.


PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def _shuffle(messages: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
    return random.Random(5).sample(messages, len(messages))  # noqa: S311 -- to be repeated, not to be secret


EDITS: dict[str, Callable[[list[OutgoingMessage]], list[OutgoingMessage]]] = {
    "reversed": lambda messages: messages[::-1],
    "shuffled": _shuffle,
    "sorted by number": lambda messages: sorted(messages, key=lambda message: message.to[::-1]),
    "moved to the end": lambda messages: [*messages[3:], *messages[:3]],
    "one more in front": lambda messages: [attrs.evolve(messages[0], text="new"), *messages],
    "one more in the middle": lambda messages: [*messages[:5], attrs.evolve(messages[0], text="new"), *messages[5:]],
    "one less in front": lambda messages: messages[1:],
    "one less in the middle": lambda messages: [*messages[:5], *messages[6:]],
    "only one left": lambda messages: messages[4:5],
    "without leading zeros": lambda messages: [attrs.evolve(one, to=one.to.lstrip("0")) for one in messages],
    "with the country": lambda messages: [attrs.evolve(one, to=f"+98{one.to[1:]}") for one in messages],
    "in Persian digits": lambda messages: [attrs.evolve(one, to=one.to.translate(PERSIAN)) for one in messages],
    "with blanks": lambda messages: [attrs.evolve(one, to=f" {one.to[:4]} {one.to[4:]}") for one in messages],
}


@each()
@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
@pytest.mark.parametrize("hash_key", [None, HASH_KEY], ids=["plain", "hashed"])
async def test_another_input(
    gateway: Gateway,
    edit: Callable[[list[OutgoingMessage]], list[OutgoingMessage]],
    hash_key: bytes | None,
    emulator: Emulator,
    tmp_path: Path,
) -> None:
    """Rows are deleted, inserted, moved, sorted and written otherwise between two runs: that costs nothing."""
    messages = [*make_messages(gateway, 20), *make_messages(gateway, 4)[::2]]  # Two are there twice.
    async with SqliteJournal(tmp_path / "journal.db", hash_key=hash_key) as journal:
        first = await run(gateway, emulator, messages[:12], journal)
    ids = {report.message.text + report.message.to: report.message_id for report in first}
    changed = edit(messages)
    async with SqliteJournal(tmp_path / "journal.db", hash_key=hash_key) as journal:
        reports = await run(gateway, emulator, changed, journal)
    assert outcomes(reports) == [Outcome.SENT] * len(changed)
    taken = collections.Counter((entry.recipient, entry.text) for entry in gateway.ledger(emulator))
    given = [*messages[:12], *changed]
    before, after = (
        collections.Counter((normalize_recipient(one.to, "to"), one.text) for one in part)
        for part in (messages[:12], changed)
    )
    assert taken == before | after, "somebody got a message twice, or none"
    assert len(given) - taken.total() == sum(report.from_journal for report in reports)
    for report in reports:
        if report.from_journal:
            assert report.message_id == ids[report.message.text + normalize_recipient(report.message.to, "to")]


@each()
@pytest.mark.parametrize(("first", "second"), [(1, 3), (2, 3), (3, 3), (3, 2), (3, 1)])
async def test_one_message_so_many_times(gateway: Gateway, first: int, second: int, emulator: Emulator) -> None:
    """Each is one of its own: what is more than the journal knows goes out, what is less does not matter."""
    other = gateway.message(1)
    journal = MemoryJournal()
    await run(gateway, emulator, [gateway.message(0)] * first, journal, concurrency=1)
    messages = [other, *[gateway.message(0)] * second]
    reports = await run(gateway, emulator, messages, journal, concurrency=1)
    assert outcomes(reports) == [Outcome.SENT] * (second + 1)
    if gateway is not OPGATEWAY:  # Whose ids are those of requests.
        assert len({report.message_id for report in reports}) == second + 1
    assert sum(report.from_journal for report in reports) == min(first, second)
    assert len(gateway.ledger(emulator)) == max(first, second) + 1


@each()
@pytest.mark.parametrize("change", [{"text": "another"}, {"text": "text "}, {"to": "09129999999"}])
async def test_what_is_changed_is_another_message(gateway: Gateway, change: dict[str, Any], emulator: Emulator) -> None:
    """Whether it was changed by mistake is not for `send_many` to know."""
    messages = gateway.messages(3)
    journal = MemoryJournal()
    await run(gateway, emulator, messages, journal)
    changed = [messages[0], attrs.evolve(messages[1], **change), messages[2]]
    reports = await run(gateway, emulator, changed, journal)
    assert [report.from_journal for report in reports] == [True, False, True]


# By a check id, the journal knows one message.


@each()
@pytest.mark.parametrize("change", [{"text": "another"}, {"to": "09129999999"}, {"check_id": f"{CHECK_ID} "}, {}])
@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_another_message_by_a_check_id_of_an_earlier_run(
    gateway: Gateway, outcome: Outcome | None, change: dict[str, Any], emulator: Emulator, tmp_path: Path
) -> None:
    """It is refused if somebody has got the first, or may have; what never went out may be changed freely."""
    first = gateway.message(0, check_id=CHECK_ID)
    second = attrs.evolve(first, **change)
    reason = "InvalidRecipientError" if outcome is Outcome.REFUSED else None
    async with SqliteJournal(tmp_path / "journal.db") as journal, gateway.connect(emulator) as client:
        await put(journal, entry_for(client, first, outcome, message_id=7, reason=reason, reference=CHECK_ID))
        (report,) = await collect(client.send_many([second], journal=journal, grace=0.05))
        is_another = "text" in change or "to" in change
        assert len(gateway.ledger(emulator)) == (outcome is Outcome.NOT_SENT or (is_another and reason is not None))
        if is_another and outcome in (None, Outcome.SENT, Outcome.UNKNOWN):
            assert report.outcome is Outcome.NOT_SENT
            assert isinstance(report.error, InvalidArgumentError)
            assert "journal" in str(report.error)
            assert_silent(report.error)
            # The journal is as good as before.
            (again,) = await collect(client.send_many([first], journal=journal, grace=0.05))
            assert again.outcome is (outcome or Outcome.UNKNOWN)
        elif is_another:
            assert report.outcome is Outcome.SENT
            (again,) = await collect(client.send_many([second], journal=journal, grace=0.05))
            assert again.from_journal
        else:
            told = {None: Outcome.UNKNOWN, Outcome.NOT_SENT: Outcome.SENT}
            assert report.outcome is told.get(outcome, outcome)


# The journal is asked first, and only then what is wrong with a message today.

FORBIDDEN: dict[str, dict[str, Any]] = {
    "a line": {"sender": "no line"},
    "a time": {"send_at": datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)},
    "a check id": {"check_id": "x" * 5000 + "\ud800"},
}


@each()
@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_what_a_rule_of_today_forbids(
    gateway: Gateway, what: str, outcome: Outcome | None, emulator: Emulator
) -> None:
    message = gateway.message(0, **FORBIDDEN[what])
    journal = MemoryJournal()
    is_forbidden = what != "a time" or gateway not in (GHASEDAK, OPGATEWAY)
    async with gateway.connect(emulator) as client:
        reason = "InvalidRecipientError" if outcome is Outcome.REFUSED else None
        await put(journal, entry_for(client, message, outcome, message_id=7, reason=reason, reference="7"))
        (report,) = await collect(client.send_many([message], journal=journal, grace=0.05))
    if outcome is Outcome.NOT_SENT and is_forbidden:
        assert isinstance(report.error, InvalidArgumentError)
    if is_forbidden:
        assert report.outcome is (outcome or Outcome.UNKNOWN)
        assert gateway.ledger(emulator) == []
    assert report.from_journal is (outcome in (Outcome.SENT, Outcome.REFUSED))
    assert outcome is not Outcome.SENT or report.message_id == 7


# Whose journal it is.


@each()
async def test_what_was_sent_to_the_emulator_was_not_sent(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    """Another address is another account: nothing of it is believed, and nothing leaves."""
    messages = make_messages(gateway, COUNT)
    path = tmp_path / "journal.db"
    async with Emulator() as trial:
        async with SqliteJournal(path) as journal:
            await run(gateway, prepare(trial), messages[:-1], journal)
        async with SqliteJournal(path) as journal, gateway.connect(emulator) as client:
            reports: list[SendReport] = []
            with pytest.raises(JournalError, match="another account"):
                await _append(reports, client.send_many(messages, journal=journal))
            assert {report.outcome for report in reports} <= {Outcome.UNKNOWN}
        assert gateway.ledger(emulator) == []
        before = sends(trial)
        async with SqliteJournal(path) as journal:
            assert outcomes(await run(gateway, trial, messages, journal)) == [Outcome.SENT] * COUNT
        assert sends(trial) == before + 1


@each()
async def test_a_key_that_was_changed(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    """If the caller says that it is the same account, sent stays sent."""
    messages = make_messages(gateway, COUNT)
    path = tmp_path / "journal.db"
    async with Emulator() as before, SqliteJournal(path) as journal:
        first = await run(gateway, prepare(before), messages[:10], journal)
    async with SqliteJournal(path, same_account=True) as journal:
        reports = await run(gateway, emulator, messages, journal)
    assert [report.message_id for report in reports[:10]] == [report.message_id for report in first]
    assert outcomes(reports) == [Outcome.SENT] * COUNT
    assert len(gateway.ledger(emulator)) == COUNT - 10
    async with SqliteJournal(path) as journal:
        assert all(report.from_journal for report in await run(gateway, emulator, messages, journal))


@each()
async def test_in_flight_of_another_account(gateway: Gateway, emulator: Emulator) -> None:
    """Nobody can be asked for it here. It stays unknown, and as it was for a run that can ask."""
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    await run(gateway, emulator, messages[:10], journal)
    await run(gateway, emulator, messages[:20], KilledJournal(journal))
    ours = dict(journal.entries)
    journal.entries = {key: attrs.evolve(entry, account="another") for key, entry in ours.items()}
    theirs = dict(journal.entries)
    reports = await run(gateway, emulator, messages, journal, on_unknown=OnUnknown.RESEND)
    assert outcomes(reports) == [Outcome.SENT] * 10 + [Outcome.UNKNOWN] * 10 + [Outcome.SENT] * 5
    assert len(gateway.ledger(emulator)) == COUNT
    assert {key: journal.entries[key] for key in theirs} == theirs
    journal.entries.update(ours)
    judge(gateway, emulator, messages, await run(gateway, emulator, messages, journal))


@each()
async def test_two_on_one_journal(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    """Somebody has removed the lock, and started the job twice. Who comes too late sends nothing of it, and stops."""
    messages = make_messages(gateway, 200)
    path = tmp_path / "journal.db"
    async with SqliteJournal(path) as first:
        path.with_name("journal.db.lock").unlink()
        async with SqliteJournal(path) as second:
            both = await asyncio.gather(
                *(run(gateway, emulator, messages, journal, concurrency=2) for journal in (first, second))
            )
    taken = [(entry.recipient, entry.text) for entry in gateway.ledger(emulator)]
    assert len(set(taken)) == len(taken), "somebody got a message twice"
    sent = [{report.index for report in reports if report.outcome is Outcome.SENT} for reports in both]
    assert len(sent[0] | sent[1]) == len(taken)
    for reports, others in zip(both, sent[::-1], strict=True):
        held = [report for report in reports if report.outcome is not Outcome.SENT]
        assert all("another run" in str(report.error) for report in held)
        assert not [report for report in held if report.outcome is Outcome.NOT_SENT and report.index in others]
    async with SqliteJournal(path) as journal:
        judge(gateway, emulator, messages, await run_to_the_end(gateway, emulator, messages, journal))
    assert len(gateway.ledger(emulator)) == len(messages)


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
@pytest.mark.parametrize("change", [{"text": "second"}, {"check_id": f"{CHECK_ID} "}, {"to": "09129999999"}, {}])
@pytest.mark.parametrize("has_journal", [True, False])
async def test_one_check_id_twice(
    gateway: Gateway, apart: int, change: dict[str, Any], has_journal: bool, emulator: Emulator
) -> None:
    """The second is another message and does not go out, now or later."""
    between = [gateway.message(index, "between") for index in range(apart)]
    first = gateway.message(7, "first", check_id=CHECK_ID)
    messages = [first, *between, attrs.evolve(first, **change)]
    journal = MemoryJournal() if has_journal else None
    for _ in range(2 if has_journal else 1):
        reports = await run(gateway, emulator, messages, journal, concurrency=1)
        assert outcomes(reports[:-1]) == [Outcome.SENT] * (apart + 1)
        _assert_not_sent_because_of_check_id(reports[-1])
        assert len(gateway.ledger(emulator)) == apart + 1


def _assert_not_sent_because_of_check_id(report: SendReport) -> None:
    assert report.outcome is Outcome.NOT_SENT
    assert isinstance(report.error, InvalidArgumentError)
    assert "check_id" in str(report.error)
    assert CHECK_ID not in str(report.error)


class _OldJournal:
    """As it was written for payamak 0.1."""

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        return {}

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        pass


@each()
@pytest.mark.parametrize("missing", ["begin", "settle", "take_over"])
async def test_a_journal_of_the_old_form(gateway: Gateway, missing: str, emulator: Emulator) -> None:
    journal: Any = _OldJournal()
    for name in ("begin", "settle", "take_over"):
        if name == missing:
            break
        setattr(journal, name, journal.write)
    async with gateway.connect(emulator) as client:
        with pytest.raises(InvalidArgumentError, match=f"journal has no method {missing}") as caught:
            client.send_many([gateway.message(0)], journal=journal)
    assert caught.value.argument == "journal"


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


# Whatever a message holds, the others get their reports.


@each()
@pytest.mark.parametrize(
    "odd",
    [{"check_id": 12345}, {"sender": ["10008566"]}, {"sender": 10008566}, {"check_id": ["c"]}, {"send_at": "today"}],
    ids=repr,
)
async def test_values_of_other_types(gateway: Gateway, odd: dict[str, Any], emulator: Emulator, tmp_path: Path) -> None:
    messages = [gateway.message(0), attrs.evolve(gateway.message(1), **odd), gateway.message(2)]
    async with SqliteJournal(tmp_path / "journal.db") as journal, gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, journal=journal))
    assert outcomes(sorted(reports, key=lambda report: report.index)) == [
        Outcome.SENT, Outcome.NOT_SENT, Outcome.SENT,
    ]  # fmt: skip
    assert len(gateway.ledger(emulator)) == 2


@each(SMSIR)
async def test_what_was_sent_of_a_row_that_is_gone_is_no_trace_of_its_twin(
    gateway: Gateway, emulator: Emulator
) -> None:
    """Both have one number and text, and the list of what was sent shows the first."""
    journal = MemoryJournal()
    first, twin = (gateway.message(0, check_id=check_id) for check_id in ("c1", "c2"))
    async with gateway.connect(emulator) as client:
        await collect(client.send_many([first], journal=journal))
        emulator.add_fault(gateway.fault("drop_unprocessed", times=1000))
        killed = KilledJournal(journal)
        await collect(client.send_many([twin], journal=killed, grace=0, on_unknown=OnUnknown.LEAVE))
        emulator.clear_faults()
    # As that first run marked it, before the first was sent.
    key = next(key for key in journal.entries if "c2" in key)
    journal.entries[key] = attrs.evolve(journal.entries[key], reference="after 0")
    async with gateway.connect(emulator) as client:
        (report,) = await collect(client.send_many([twin], journal=journal, grace=0.05))
    assert report.outcome is Outcome.UNKNOWN
    assert len(gateway.ledger(emulator)) == 1
