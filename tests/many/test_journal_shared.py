"""Several runs share a journal: each message goes out from one of them, and all learn what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import filelock
import pytest
from payamak.common import InvalidArgumentError, JournalEntry, JournalError, OnUnknown, Outcome
from payamak.common.many.presence import Presence
from payamak.common.many.reports import LONGEST_BEGIN
from payamak.common.outbox import Outbox
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator
from support.journals import FailingJournal, MemoryJournal, entry_for, put
from support.kill_worker import make_messages
from support.killing import Job, Worker
from support.many import GHASEDAK, SMSIR, Gateway, by_outcome, collect, each, judge, until
from support.postgres import PostgresServer

CALL = 5.0
LEASE = CALL + LONGEST_BEGIN
PROCESSES = 3


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Worker]]:
    running = [Worker() for _ in range(PROCESSES)]
    yield running
    for worker in running:
        worker.close()


def make_jobs(
    workers: Sequence[Worker], gateway: Gateway, emulator: Emulator, folder: Path, count: int, concurrency: int = 4
) -> list[Job]:
    messages = make_messages(gateway, count)
    return [
        Job(worker, gateway, emulator, folder, messages, concurrency=concurrency, name=f"-{place}")
        for place, worker in enumerate(workers)
    ]


def count_copies(gateway: Gateway, emulator: Emulator) -> Counter[int]:
    """How many messages went out how often."""
    taken = Counter((entry.recipient, entry.text) for entry in gateway.ledger(emulator))
    return Counter(taken.values())


@pytest.mark.real_time
@each()
async def test_processes_with_the_same_messages(
    gateway: Gateway, emulator: Emulator, workers: list[Worker], tmp_path: Path
) -> None:
    await run_together(make_jobs(workers, gateway, emulator, tmp_path, 300))


@pytest.mark.real_time
async def test_processes_at_one_database(
    emulator: Emulator, workers: list[Worker], tmp_path: Path, postgres: PostgresServer
) -> None:
    jobs = make_jobs(workers, GHASEDAK, emulator, tmp_path, 300)
    await run_together([attrs.evolve(job, dsn=postgres.dsn) for job in jobs])


async def run_together(jobs: Sequence[Job]) -> None:
    """Run jobs with the same messages. Each message goes out once, and all know of it."""
    gateway, emulator = jobs[0].gateway, jobs[0].emulator
    await asyncio.gather(*(job.start() for job in jobs))
    assert await asyncio.gather(*(job.end() for job in jobs)) == [False] * PROCESSES
    assert count_copies(gateway, emulator) == {1: 300}
    own: list[int] = []
    for job in jobs:
        reports = job.take_reports()
        assert by_outcome(reports) == {Outcome.SENT: 300}
        own += [report.index for report in reports if not report.from_journal]
    assert sorted(own) == list(range(300))


@pytest.mark.real_time
async def test_one_of_them_is_killed(emulator: Emulator, workers: list[Worker], tmp_path: Path) -> None:
    """The others go on with what it was at, at once: that it is dead is seen, and no lease need be waited for."""
    jobs = make_jobs(workers, GHASEDAK, emulator, tmp_path, 600, concurrency=1)
    first, *others = [await job.start() for job in jobs]
    await until(lambda: len(GHASEDAK.ledger(emulator)) > 50)
    assert await jobs[0].end(first)
    assert await asyncio.gather(*(job.end() for job in jobs[1:])) == [False] * len(others)
    # What was not sent when it was killed is known as such, and goes out with the next run of the job.
    reports = await jobs[1].run_to_the_end()
    assert by_outcome(reports) == {Outcome.SENT: 600}
    assert count_copies(GHASEDAK, emulator) == {1: 600}


class SlowJournal(MemoryJournal):
    """Writes at once and answers late, as one whose process was stopped meanwhile."""

    def __init__(self, inner: MemoryJournal, seconds: float) -> None:
        super().__init__()
        self.entries, self._leased_until = inner.entries, inner._leased_until
        self._seconds = seconds

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        attempts = await super().begin(entries, lease)
        await asyncio.sleep(self._seconds)
        return attempts


@pytest.mark.parametrize("seconds", [LONGEST_BEGIN + 1, LEASE + 100])
async def test_who_slept_while_it_began_sends_nothing(emulator: Emulator, seconds: float) -> None:
    messages = GHASEDAK.messages(3)
    journal = MemoryJournal()
    async with GHASEDAK.connect(emulator, timeout=CALL) as client:
        await GHASEDAK.bear_witness(client)
        slow = client.send_many(messages, journal=SlowJournal(journal, seconds))
        sleeping = asyncio.create_task(collect(slow))
        await until(lambda: journal.entries)
        woken = await collect(client.send_many(messages, journal=journal, on_unknown=OnUnknown.RESEND))
        asleep = await sleeping
    assert by_outcome(woken) == {Outcome.SENT: 3}
    assert by_outcome(asleep) == {Outcome.NOT_SENT: 3}
    assert all(isinstance(report.error, JournalError) for report in asleep)
    judge(GHASEDAK, emulator, messages, woken)


async def test_what_a_run_left_behind_is_asked_for_when_its_lease_is_over(emulator: Emulator) -> None:
    messages = GHASEDAK.messages(2)
    journal = MemoryJournal()
    now = asyncio.get_running_loop().time
    async with GHASEDAK.connect(emulator, timeout=CALL) as client:
        marks = [f"mark {place}" for place in range(2)]
        entries = [entry_for(client, message, reference=mark) for message, mark in zip(messages, marks, strict=True)]
        await put(journal, *entries, lease=LEASE)
        await client.send(messages[0].to, messages[0].text, sender=messages[0].sender, check_id=marks[0])
        until = now() + LEASE
        reports = await collect(client.send_many(messages, journal=journal))
    assert now() > until
    assert {report.index: report.outcome for report in reports} == {0: Outcome.SENT, 1: Outcome.NOT_SENT}
    judge(GHASEDAK, emulator, messages, reports)


@pytest.mark.real_time
@pytest.mark.parametrize("arrived", [0, 1, 2])
async def test_what_is_found_by_its_content_is_nobodys_or_one_runs(
    emulator: Emulator, tmp_path: Path, arrived: int
) -> None:
    """Two processes lose the answers to the same text to the same number, and so many of the two went out."""
    async with contextlib.AsyncExitStack() as stack:
        outboxes: list[Outbox] = []
        for _ in range(2):
            journal = await stack.enter_async_context(SqliteJournal(tmp_path / "journal.db"))
            client = await stack.enter_async_context(SMSIR.connect(emulator))
            await client.credit()  # It has its token.
            outboxes.append(await stack.enter_async_context(client.outbox(journal=journal, grace=1.5)))
        for number in range(2):
            emulator.add_fault(SMSIR.fault("drop_after_read" if number < arrived else "drop_unprocessed"))
        message = SMSIR.message(1)
        reports = await asyncio.gather(
            *(outbox.send(attrs.evolve(message, check_id=f"job {place}")) for place, outbox in enumerate(outboxes))
        )
        assert len(SMSIR.ledger(emulator)) == arrived
        known = [report.message_id for report in reports if report.outcome is Outcome.SENT]
        assert len(set(known)) == len(known) <= arrived, "no two are sent with one id"
        assert {report.outcome for report in reports} <= {Outcome.SENT, Outcome.UNKNOWN}


async def test_one_of_them_loses_an_answer(emulator: Emulator) -> None:
    """The other one's message, which looks alike, is not taken for it."""
    journal = MemoryJournal()
    message = SMSIR.message(1)
    async with (
        SMSIR.connect(emulator) as one,
        SMSIR.connect(emulator) as other,
        one.outbox(journal=journal) as loser,
        other.outbox(journal=journal) as winner,
    ):
        emulator.add_fault(SMSIR.fault("drop_unprocessed"))
        losing = asyncio.create_task(loser.send(attrs.evolve(message, check_id="a")))
        await until(lambda: any(record.fault for record in emulator.requests))
        won = await winner.send(attrs.evolve(message, check_id="b"))
        lost = await losing
    assert (won.outcome, lost.outcome) == (Outcome.SENT, Outcome.UNKNOWN)
    assert won.message_id == SMSIR.ledger(emulator)[0].id


async def test_a_call_without_an_end_has_no_lease(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator, timeout=None) as client:
        with pytest.raises(InvalidArgumentError, match="timeout") as caught:
            client.send_many([], journal=MemoryJournal())
    assert caught.value.argument == "journal"


async def test_one_that_is_not_to_be_shared(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    alone = SqliteJournal(path, is_shared=False)
    async with SqliteJournal(path):
        with pytest.raises(JournalError, match="in use by another run"):
            await alone.__aenter__()
    async with alone:
        pass


def test_a_run_that_is_looked_at_before_its_file_is_locked(tmp_path: Path) -> None:
    run = Presence(str(tmp_path / "journal.db"))
    look = filelock.FileLock(f"{tmp_path / 'journal.db'}.{run.run}.lock")
    with look:
        run.show()
        assert Presence(str(tmp_path / "journal.db")).is_alive(run.run)
    run.end()


def test_a_run_that_begins_while_another_one_sweeps_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is swept up is the file that was left behind, and never the one of a run that is alive."""
    run, sweeper = (Presence(str(tmp_path / "journal.db")) for _ in range(2))
    (tmp_path / f"journal.db.{run.run}.lock").touch()

    def make_lock(name: str) -> filelock.FileLock:
        return Lock(name, timeout=0)

    class Lock(filelock.FileLock):
        def release(self, force: bool = False) -> None:
            super().release(force)
            run.show()

    with monkeypatch.context() as patch:
        patch.setattr("payamak.common.many.presence._make_lock", make_lock)
        assert not sweeper.is_alive(run.run)
    assert Presence(str(tmp_path / "journal.db")).is_alive(run.run)
    run.end()


def remove_runs(folder: Path) -> None:
    (file,) = folder.glob("*.????????????????.lock")
    file.unlink()


@pytest.mark.real_time
async def test_a_run_whose_file_was_removed_sends_nothing(emulator: Emulator, tmp_path: Path) -> None:
    """The others take it for dead, and what it has in flight for left behind."""
    async with (
        GHASEDAK.connect(emulator) as client,
        SqliteJournal(tmp_path / "journal.db") as journal,
    ):
        remove_runs(tmp_path)
        (report,) = await collect(client.send_many(GHASEDAK.messages(1), journal=journal))
    assert report.outcome is Outcome.NOT_SENT
    assert isinstance(report.error, JournalError)
    assert not GHASEDAK.ledger(emulator)


@pytest.mark.real_time
@pytest.mark.parametrize("jump", [-(10**6), 10**6])
async def test_a_clock_that_jumps(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    """A lease goes by a clock that nobody sets."""
    clock = time.time
    async with (
        GHASEDAK.connect(emulator) as client,
        SqliteJournal(tmp_path / "journal.db") as first,
        SqliteJournal(tmp_path / "journal.db") as second,
    ):
        entry = entry_for(client, GHASEDAK.message(1))
        await put(first, entry, lease=LEASE)
        monkeypatch.setattr("time.time", lambda: clock() + jump)
        known = await second.read({entry.key: GHASEDAK.message(1)}, client.account_hash)
        assert 0 < known[entry.key].lease <= LEASE
        assert await second.take_over([attrs.evolve(entry, attempt=1)], LEASE) == [None]


@pytest.mark.parametrize("jobs", [1, 2])
async def test_the_journal_fails_while_another_run_is_waited_for(emulator: Emulator, jobs: int) -> None:
    """Whoever waits learns of it, though nothing else comes, and the outbox goes on after its pause."""
    journal = MemoryJournal()
    async with GHASEDAK.connect(emulator, timeout=CALL) as client:
        messages = [GHASEDAK.message(place, check_id=f"{place}") for place in range(jobs)]
        entries = [entry_for(client, message, reference=message.check_id) for message in messages]
        await put(journal, *entries, lease=LEASE)
        failing = FailingJournal(journal, OSError("disk"), reads=1, once=True)
        async with client.outbox(journal=failing, pause=1.0) as outbox:
            async with asyncio.timeout(LEASE):
                reports = await outbox.send_all(messages)
            for report in reports:
                assert report.outcome is Outcome.UNKNOWN
                assert isinstance(report.error, JournalError)
                assert report.error.outcome is Outcome.UNKNOWN
                assert not report.is_settled
            await asyncio.sleep(2)
            assert (await outbox.send(GHASEDAK.message(9))).outcome is Outcome.SENT
