"""The journal in an SQLite file, by itself."""

# ruff: noqa: ASYNC240 -- nothing else goes on meanwhile

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from payamak.common import InvalidArgumentError, Journal, JournalEntry, JournalError, Outcome, OutgoingMessage
from payamak.common.many.keys import KeyMaker
from payamak.common.numbers import normalize_recipient
from payamak.common.sqlite_journal import Changes, SqliteJournal
from support.ghasedak import failure_of
from support.journals import (
    ACCOUNT,
    HASH_KEY,
    MESSAGE,
    MemoryJournal,
    begin,
    contents,
    entry,
    put,
    query,
    read,
    read_leased,
)
from support.postgres import PostgresServer
from support.sentinels import CHECK_ID, KEY, PHONE, TEXT, assert_all_silent, assert_silent

OTHER_ACCOUNT = "another account"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path) as opened:
        yield opened


async def lease_of(journal: Journal) -> float:
    return (await read_leased(journal, 1))["content 1"].lease


async def open_and_close(journal: SqliteJournal) -> None:
    """Leave nothing open, whether it should have opened or not."""
    async with journal:
        pass


async def ask(journal: SqliteJournal, question: str) -> Any:
    """Ask the journal's own connection, whose settings are its own."""
    assert journal._database is not None
    async with journal._database.execute(question) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def test_what_is_written_is_on_the_disk(journal: SqliteJournal) -> None:
    assert await ask(journal, "PRAGMA journal_mode") == "persist"
    assert await ask(journal, "PRAGMA synchronous") == 3  # EXTRA: each commit waits for the disk and the folder.
    assert await ask(journal, "PRAGMA fullfsync") == 1
    assert await ask(journal, "PRAGMA cache_spill") == 0  # The file never holds a part of a commit that goes on.


@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_what_is_written_is_read(journal: SqliteJournal, path: Path, outcome: Outcome | None) -> None:
    written = entry(7, outcome, reference="r", message_id=2**63 - 1, reason="RateLimitError", detail="too many")
    await put(journal, written)
    if outcome is None:  # Nobody has an id yet, or an error.
        written = attrs.evolve(written, message_id=None, reason=None, detail=None)
    assert await read(journal, 7, 8) == {"content 7": attrs.evolve(written, attempt=1)}
    rows = query(path, "SELECT recipient, text, sender, state, attempt, message_id FROM messages")
    assert rows == [(PHONE, TEXT, "10008566", outcome.value if outcome else "in flight", 1, written.message_id)]


async def test_an_id_that_sqlite_cannot_hold_spoils_nothing(journal: SqliteJournal) -> None:
    ids = {index: sign * 10 ** (index * 15) for index in range(280) for sign in [-1 if index % 2 else 1]}
    await put(journal, *(entry(index, Outcome.SENT, message_id=number) for index, number in ids.items()))
    assert {found.index: found.message_id for found in (await read(journal, *ids)).values()} == ids


async def test_a_later_entry_takes_the_place_of_an_earlier_one(journal: SqliteJournal, path: Path) -> None:
    first, second = entry(1, Outcome.REFUSED, reason="RateLimitError", detail="d"), entry(1, Outcome.SENT, message_id=5)
    await put(journal, first)
    await put(journal, attrs.evolve(second, index=8, attempt=1))
    assert query(path, 'SELECT "index", state, attempt, reason, detail FROM messages') == [(8, "sent", 2, None, None)]


async def test_more_entries_than_a_statement_takes(journal: SqliteJournal) -> None:
    assert await begin(journal, *range(2000)) == [1] * 2000
    assert len(await read(journal, *range(3000))) == 2000
    assert await read(journal) == {}


# The table of states, in each journal and in the shortest that there is.


@pytest.fixture(params=["a file", "memory", "PostgreSQL"])
async def any_journal(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    if request.param == "PostgreSQL":
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.open_journal(path) as opened:
            yield opened
        return
    async with SqliteJournal(path) as opened:
        yield opened


STATES = ("nothing", None, *Outcome)
LAST = 3
"""The attempt that an entry is at; of nothing it is 0."""
EARLIER, LATER = LAST - 1, LAST + 1
LEASE = 700.0


async def bring(journal: Journal, state: str | Outcome | None, *, lease: float = LEASE) -> None:
    """Bring an entry into a state at its third attempt."""
    if state == "nothing":
        return
    for attempt in range(LAST):
        await journal.begin([entry(1, attempt=attempt)], lease)
    if isinstance(state, Outcome):
        await settle(journal, state, LAST)


async def settle(journal: Journal, outcome: Outcome, attempt: int, **fields: Any) -> bool:
    (counts,) = await journal.settle([entry(1, outcome, attempt=attempt, **fields)])
    return counts


@pytest.mark.real_time
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("attempt", [0, EARLIER, LAST, LATER])
async def test_who_may_begin(any_journal: Journal, state: str | Outcome | None, attempt: int) -> None:
    await bring(any_journal, state)
    before = await read(any_journal, 1)
    began = await any_journal.begin([entry(1, attempt=attempt, reference="new")], 2 * LEASE)
    after = await read(any_journal, 1)
    if state == "nothing" or (state is not Outcome.SENT and attempt == LAST):
        assert began == [attempt + 1]
        found = after["content 1"]
        assert (found.outcome, found.attempt, found.reference) == (None, attempt + 1, "new")
        assert LEASE < await lease_of(any_journal) <= 2 * LEASE
    else:
        assert began == [None]
        assert after == before


@pytest.mark.real_time
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("attempt", [0, EARLIER, LAST, LATER])
@pytest.mark.parametrize("lease", [0.0, LEASE])
async def test_who_may_take_over(any_journal: Journal, state: str | Outcome | None, attempt: int, lease: float) -> None:
    await bring(any_journal, state, lease=lease)
    before = await read(any_journal, 1)
    taken = await any_journal.take_over([entry(1, attempt=attempt, reference="another")], 2 * LEASE)
    after = await read(any_journal, 1)
    # What is settled has no lease any more.
    is_left = state is Outcome.UNKNOWN or (state is None and not lease)
    if is_left and attempt == LAST:
        assert taken == [LATER]
        assert LEASE < await lease_of(any_journal) <= 2 * LEASE
        assert await any_journal.take_over([entry(1, attempt=LATER)], LEASE) == [None], "somebody is at it"
        # All else is as the first run wrote it.
        assert after == {"content 1": attrs.evolve(before["content 1"], attempt=LATER)}
    else:
        assert taken == [None]
        assert after == before


@pytest.mark.real_time
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("attempt", [0, EARLIER, LAST, LATER])
async def test_what_counts(any_journal: Journal, state: str | Outcome | None, outcome: Outcome, attempt: int) -> None:
    await bring(any_journal, state)
    before = await read(any_journal, 1)
    counts = await settle(any_journal, outcome, attempt, reference="new")
    after = await read(any_journal, 1)
    assert counts is (state in (None, Outcome.UNKNOWN) and attempt == LAST)
    if counts:
        found = after["content 1"]
        assert (found.outcome, found.attempt, found.reference) == (outcome, LAST, "new")
        assert await lease_of(any_journal) == 0
    else:
        assert after == before


@pytest.mark.real_time
async def test_of_many_each_is_told_apart(any_journal: Journal) -> None:
    await put(any_journal, entry(1, Outcome.SENT), entry(2), entry(3, Outcome.REFUSED))
    places = [(1, 1), (2, 1), (3, 1), (4, 0), (2, 1), (3, 2)]
    given = [entry(index, attempt=attempt) for index, attempt in places]
    assert await any_journal.take_over(given, 1.0) == [None, 2, None, None, None, None]
    assert await any_journal.begin(given, 1.0) == [None, None, 2, 1, None, 3]
    settled = [
        entry(index, Outcome.SENT, attempt=attempt) for index, attempt in [(1, 1), (2, 1), (2, 2), (3, 3), (3, 3)]
    ]
    assert await any_journal.settle(settled) == [False, False, True, True, False]
    assert {found.index for found in (await read(any_journal, 1, 2, 3, 4)).values() if found.outcome} == {1, 2, 3}


@pytest.mark.real_time
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_SENT])
async def test_what_did_not_leave_may_go_on_as_another_message(any_journal: Journal, outcome: Outcome) -> None:
    """Rows that were not sent may be changed. By a check id it is another message that begins in place of the first."""
    first, second = MESSAGE, attrs.evolve(MESSAGE, text="another")
    key = f"check id {CHECK_ID}"
    await put(any_journal, entry(1, outcome, key=key, message=first))
    (known,) = (await any_journal.read({key: second}, ACCOUNT)).values()
    assert (known.message, known.is_taken, known.attempt) == (None, False, 1)
    assert await any_journal.begin([entry(1, key=key, message=second, attempt=1)], 1.0) == [2]
    assert (await any_journal.read({key: second}, ACCOUNT))[key].message == second
    assert (await any_journal.read({key: first}, ACCOUNT))[key].message is None


# Two at one file.


@contextlib.asynccontextmanager
async def two_at(path: Path) -> AsyncGenerator[tuple[SqliteJournal, SqliteJournal]]:
    async with SqliteJournal(path) as first, SqliteJournal(path) as second:
        yield first, second


async def test_of_two_only_one_begins(path: Path) -> None:
    async with two_at(path) as both:
        for number in range(20):
            attempts = await asyncio.gather(*(journal.begin([entry(number)], 1.0) for journal in both))
            assert sorted(attempts, key=str) == [[1], [None]]
            counted = [await journal.settle([entry(number, Outcome.SENT, attempt=1)]) for journal in both]
            assert [began == [1] for began in attempts] == [counts == [True] for counts in counted]


async def test_who_was_overtaken_writes_nothing_more(path: Path) -> None:
    async with two_at(path) as (first, second):
        assert await begin(first, 1) == [1]
        assert await second.take_over([entry(1, attempt=1)], 1.0) == [2]
        assert await first.settle([entry(1, Outcome.NOT_SENT, attempt=1)]) == [False]
        assert await first.settle([entry(1, Outcome.NOT_SENT, attempt=2)]) == [False]
        assert await first.begin([entry(1, attempt=1)], 1.0) == [None]
        assert await first.take_over([entry(1, attempt=1)], 1.0) == [None]
        assert await second.settle([entry(1, Outcome.SENT, attempt=2, message_id=5)]) == [True]
        assert (await read(first, 1))["content 1"].message_id == 5


async def test_the_same_journal_opened_again_goes_on(path: Path) -> None:
    journal = SqliteJournal(path)
    async with journal:
        await begin(journal, 1)
    async with journal:
        assert await journal.settle([entry(1, Outcome.SENT, attempt=1)]) == [True]


@pytest.mark.parametrize("how", ["removed", "replaced", "linked away"])
async def test_a_file_that_is_not_there_any_more(path: Path, how: str) -> None:
    """Whoever opens one by its name would know nothing of what is written into it now."""
    async with SqliteJournal(path) as journal:
        await begin(journal, 1)
        if how == "replaced":
            copy = path.with_suffix(".copy")
            shutil.copy(path, copy)
            copy.replace(path)
        else:
            path.rename(path.with_suffix(".old"))
        if how == "linked away":
            path.symlink_to("nowhere")
        error = await failure_of(begin(journal, 2))
        assert isinstance(error, JournalError)
        assert "removed or replaced" in str(error)
        assert isinstance(await failure_of(journal.settle([entry(1, Outcome.SENT, attempt=1)])), JournalError)


# Whose it is.


async def test_a_journal_of_another_account(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await put(journal, entry(1, Outcome.SENT), entry(2))
        before = contents(path)
        for use in (
            journal.read({"content 1": MESSAGE}, OTHER_ACCOUNT),
            journal.read({}, OTHER_ACCOUNT),
            journal.require_account(OTHER_ACCOUNT),
            journal.find_changed([], OTHER_ACCOUNT),
        ):
            error = await failure_of(use)
            assert isinstance(error, JournalError)
            assert "another account" in str(error)
            assert "--same-account" in str(error)
        assert contents(path) == before
        await journal.require_account(ACCOUNT)
        assert len(await read(journal, 1, 2)) == 2


async def test_an_empty_journal_is_of_nobody_yet(journal: SqliteJournal) -> None:
    await journal.require_account(ACCOUNT)
    await journal.require_account(OTHER_ACCOUNT)
    await put(journal, entry(1, account=OTHER_ACCOUNT))
    assert "another account" in str(await failure_of(journal.require_account(ACCOUNT)))


async def test_an_account_that_is_said_to_be_the_same(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await put(journal, entry(1, Outcome.SENT), entry(2))
    async with SqliteJournal(path, same_account=True) as journal:
        found = await journal.read({"content 1": MESSAGE, "content 2": MESSAGE}, OTHER_ACCOUNT)
        assert {known.account for known in found.values()} == {OTHER_ACCOUNT}
        await put(journal, entry(3, account=OTHER_ACCOUNT))
    async with SqliteJournal(path) as journal:  # That it said once is enough.
        assert len(await journal.read({"content 1": MESSAGE}, OTHER_ACCOUNT)) == 1
        assert "another account" in str(await failure_of(read(journal, 1)))


async def test_each_entry_has_its_account(journal: SqliteJournal) -> None:
    await put(journal, entry(1), entry(2, account=OTHER_ACCOUNT), entry(3, Outcome.SENT, account=OTHER_ACCOUNT))
    found = await read(journal, 1, 2, 3)
    known = [found[f"content {index}"] for index in (1, 2, 3)]
    assert [one.account for one in known] == [ACCOUNT, "", ""]
    assert [one.outcome for one in known] == [None, None, Outcome.SENT]


async def test_an_account_is_not_to_be_guessed_from_the_file(tmp_path: Path) -> None:
    """Not even by who has two journals of it."""
    kept: list[str] = []
    for name in ("a.db", "b.db"):
        async with SqliteJournal(tmp_path / name) as journal:
            await put(journal, entry(1))
        assert ACCOUNT.encode() not in contents(tmp_path / name)
        kept += [row[0] for row in query(tmp_path / name, "SELECT account FROM messages")]
    assert len(set(kept)) == 2


# Another message by the same check id.


_AT = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
_ELSEWHERE = datetime.timezone(datetime.timedelta(hours=3, minutes=30))


@pytest.mark.parametrize("hash_key", [None, HASH_KEY])
@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"to": "09120000000"}, False),
        ({"text": "another"}, False),
        ({"sender": "10008567"}, False),
        ({"sender": None}, False),
        ({"send_at": None}, False),
        ({"send_at": _AT + datetime.timedelta(seconds=1)}, False),
        ({"send_at": _AT.astimezone(_ELSEWHERE)}, True),
        ({"sender": "+9810008566"}, True),
        ({"sender": "۱۰۰۰۸۵۶۶"}, True),
        ({}, True),
    ],
)
async def test_another_message_by_the_same_key(
    path: Path, change: dict[str, Any], is_same: bool, hash_key: bytes | None
) -> None:
    message = attrs.evolve(MESSAGE, send_at=_AT)
    key = f"check id {CHECK_ID}"
    async with SqliteJournal(path, hash_key=hash_key) as journal:
        await put(journal, entry(1, Outcome.SENT, key=key, message=message))
        (found,) = (await journal.read({key: attrs.evolve(message, **change)}, ACCOUNT)).values()
    assert (found.message is not None) is is_same


# Others who look.


@pytest.mark.real_time
@pytest.mark.parametrize("isolation", ["BEGIN", "BEGIN IMMEDIATE"])
async def test_who_reads_delays_a_commit_and_breaks_none(journal: SqliteJournal, path: Path, isolation: str) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(reader):
        reader.execute(isolation)
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        writing = asyncio.create_task(begin(journal, 1))
        await asyncio.wait({writing}, timeout=0.3)
        assert not writing.done()
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        reader.execute("COMMIT")
        assert await writing == [1]
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (1,)


async def test_who_reads_for_ever_leads_to_an_error(journal: SqliteJournal, path: Path) -> None:
    await ask(journal, "PRAGMA busy_timeout = 10")
    reader = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(reader):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        error = await failure_of(begin(journal, 1))
        assert "SQLITE_BUSY" in str(error)
        reader.execute("COMMIT")
    assert await begin(journal, 1) == [1]


async def test_closing_does_not_wait_for_who_reads(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await begin(journal, 1)
        await ask(journal, "PRAGMA busy_timeout = 10")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM messages").fetchone() == (1,)
            await journal.aclose()
    async with SqliteJournal(path) as journal:
        assert len(await read(journal, 1)) == 1


def _hashes(value: str) -> list[bytes]:
    encodings = [value.encode(), value.encode("utf-16-le")]
    kinds: list[Callable[[bytes], Any]] = [
        hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.blake2b, hashlib.blake2s,
        lambda data: hashlib.blake2b(data, digest_size=16), lambda data: hashlib.blake2b(data, digest_size=32),
    ]  # fmt: skip
    found = [kind(encoded) for kind in kinds for encoded in encodings]
    return [*encodings, *(one.digest() for one in found), *(one.hexdigest().encode() for one in found)]


async def test_hashes_in_place_of_numbers_and_texts(path: Path) -> None:
    shown = [text for value in (PHONE, PHONE[1:], f"98{PHONE[1:]}", f"+98{PHONE[1:]}", TEXT) for text in _hashes(value)]
    async with SqliteJournal(path, hash_key=HASH_KEY) as journal:
        await put(journal, *(entry(index) for index in range(50)))
        held = contents(path)
        assert b"in flight" in held
        assert not [text for text in shown if text in held]
        await journal.settle([entry(index, Outcome.SENT, attempt=1) for index in range(50)])
        assert not [text for text in shown if text in contents(path)]
        assert (await read(journal, 3))["content 3"].message == MESSAGE
    assert not [text for text in shown if text in contents(path)]
    (hidden,) = query(path, "SELECT DISTINCT recipient, text, sender FROM messages")
    assert (len(hidden[0]), len(hidden[1]), hidden[2]) == (32, 32, "10008566")


@pytest.mark.parametrize(("first", "other"), [(HASH_KEY, None), (HASH_KEY, HASH_KEY[::-1]), (None, HASH_KEY)])
@pytest.mark.parametrize("is_used", [False, True])
async def test_another_hash_key_knows_no_message(
    path: Path, first: bytes | None, other: bytes | None, is_used: bool
) -> None:
    async with SqliteJournal(path, hash_key=first) as journal:
        if is_used:
            await put(journal, entry(1, Outcome.SENT))
    before = path.read_bytes()
    error = await failure_of(open_and_close(SqliteJournal(path, hash_key=other)))
    assert isinstance(error, JournalError)
    assert "another hash_key" in str(error)
    assert path.read_bytes() == before
    async with SqliteJournal(path, hash_key=first) as journal:
        assert len(await read(journal, 1)) == is_used


@pytest.mark.parametrize("hash_key", [b"", b"x" * 15, b"x" * 65, "sixteen letters.", 5])
def test_a_hash_key_that_is_none(path: Path, hash_key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="hash_key"):
        SqliteJournal(path, hash_key=hash_key)


def _roundabout(path: Path) -> str:
    return os.path.relpath(path)


async def test_one_object_opens_once(journal: SqliteJournal, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(".")
    await begin(journal, 1, lease=LEASE)
    for _ in range(2):  # The failure must not take the lock away from the first.
        assert "open already" in str(await failure_of(open_and_close(journal)))
        for other in (SqliteJournal(path), SqliteJournal(link / path.name), SqliteJournal(_roundabout(path))):
            async with other:
                assert await lease_of(other) > 0, "the first is seen to be alive"
    await journal.aclose()
    await journal.aclose()
    async with SqliteJournal(link / path.name) as other:
        assert await read(other, 1)
    async with journal:  # The same object again.
        assert await read(journal, 1)


_HOLD = """
import asyncio, sys
from payamak.common import JournalEntry, OutgoingMessage
from payamak.common.sqlite_journal import SqliteJournal
async def hold():
    message = OutgoingMessage("09121111111", "text")
    async with SqliteJournal(sys.argv[1]) as journal:
        await journal.begin([JournalEntry("content 1", 0, "ghasedak", message.to, message, "an account")], 700.0)
        print("open", flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


async def test_what_a_killed_process_was_at_is_left_at_once(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"open\n"
        async with SqliteJournal(path) as journal:
            assert await journal.take_over([entry(1, attempt=1)], LEASE) == [None]
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            assert await lease_of(journal) == 0
            assert await journal.take_over([entry(1, attempt=1)], LEASE) == [2]
            assert await lease_of(journal) > 0
    assert beside(path) == [f"{path.name}.lock"], "nothing is left of who was killed"


# What is no journal, or not a whole one.


def _make_foreign(path: Path) -> None:
    """Another program's database, with a table of the same name."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE messages (id INTEGER)")


def _make_newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 99")


_VERSION_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE messages (
    key TEXT PRIMARY KEY, "index" INTEGER NOT NULL, gateway TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL,
    sender TEXT, send_at TEXT, state TEXT NOT NULL, reference TEXT, message_id INTEGER, reason TEXT, detail TEXT,
    at TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = 1348029771;
PRAGMA user_version = 1;
INSERT INTO messages VALUES ('index 0', 0, 'ghasedak', '09121234567', 'text', NULL, NULL, 'sent', 'r', 5, NULL, NULL,
    '2026-11-22T12:00:00+00:00');
"""


def _make_old(path: Path) -> None:
    """As payamak 0.1 wrote it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(_VERSION_1)


async def _fill(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await begin(journal, *range(500))
        await journal.settle([entry(index, Outcome.SENT, attempt=1) for index in range(500)])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda path: path.write_bytes(b"not a database " * 500), "SQLITE_NOTADB"),
    "empty": (lambda path: path.touch(), "only a part of one"),
    "another program's": (_make_foreign, "no journal of this version"),
    "a newer version's": (_make_newer, "no journal of this version"),
    "an older version's": (_make_old, "finish that job with it"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=list(BAD))
async def test_what_is_no_journal_is_left_alone(make: Callable[[Path], object], message: str, path: Path) -> None:
    make(path)
    before = _read(path)
    for _ in range(2):
        error = await failure_of(open_and_close(SqliteJournal(path)))
        assert isinstance(error, JournalError)
        assert message in str(error)
        assert _read(path) == before
        assert beside(path) == []
    # Its lock is free again.
    path.unlink()
    async with SqliteJournal(path):
        pass


def _read(path: Path) -> bytes:
    return path.read_bytes()


def beside(path: Path) -> list[str]:
    """What is in the folder but the file."""
    return sorted(other.name for other in path.parent.iterdir() if other != path)


async def _read_all(path: Path, count: int = 500) -> Mapping[str, JournalEntry]:
    async with SqliteJournal(path) as journal:
        return await read(journal, *range(count))


async def test_a_file_with_two_names(path: Path) -> None:
    """Each would have a lock of its own."""
    await _fill(path)
    second = path.with_suffix(".second")
    second.hardlink_to(path)
    for name in (path, second):
        error = await failure_of(open_and_close(SqliteJournal(name)))
        assert isinstance(error, JournalError)
        assert "hard link" in str(error)
    second.unlink()
    assert len(await _read_all(path)) == 500


async def test_a_part_of_a_file(path: Path) -> None:
    """A copy that was not finished, or from a disk that was full."""
    await _fill(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 509):
        path.write_bytes(whole[:size])
        error = await failure_of(_read_all(path))
        assert isinstance(error, JournalError), size
    path.write_bytes(whole)
    assert len(await _read_all(path)) == 500


async def test_a_damaged_file(path: Path) -> None:
    await _fill(path)
    whole = path.read_bytes()
    for start in range(4096, len(whole), 4096):
        for filler in (b"\x00", b"\xff"):
            path.write_bytes(whole[:start] + filler * 4096 + whole[start + 4096 :])
            error = await failure_of(open_and_close(SqliteJournal(path)))
            assert isinstance(error, JournalError), start
            assert "damaged" in str(error) or "SQLITE_" in str(error)


@pytest.mark.parametrize(("known", "more"), [(500, 200), (700, 20), (2500, 20)])
async def test_half_of_a_commit(path: Path, known: int, more: int) -> None:
    """As in a copy of the file alone, made after a kill in the middle of one: what is missing must not count as new."""
    async with SqliteJournal(path) as journal:
        await begin(journal, *range(known))
    before = path.read_bytes()
    async with SqliteJournal(path) as journal:
        await begin(journal, *range(known, known + more))
    after = path.read_bytes()
    pages = [
        start for start in range(0, len(after), 4096) if before[start : start + 4096] != after[start : start + 4096]
    ]
    assert len(pages) > 4
    refused = 0
    for count in range(1, len(pages)):
        torn = bytearray(before.ljust(len(after), b"\x00") if pages[count - 1] >= len(before) else before)
        for start in pages[:count]:
            torn[start : start + 4096] = after[start : start + 4096]
        path.write_bytes(torn)
        try:
            assert len(await _read_all(path, known)) == known
        except JournalError:
            refused += 1
    assert refused


# How it comes into being, and what is left of it.


async def test_nothing_is_left_beside_it_but_the_lock(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await begin(journal, *range(100))
        names = [f"{path.name}-journal", f"{path.name}.{journal._presence.run}.lock", f"{path.name}.lock"]
        assert beside(path) == names
    assert beside(path) == [f"{path.name}.lock"]


async def test_it_comes_into_being_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def fail(source: str, target: str) -> None:
        assert target == str(path)
        made.append(Path(source).read_bytes())
        raise OSError(errno.ENOSPC, "no space", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        error = await failure_of(open_and_close(SqliteJournal(path)))
    assert isinstance(error, JournalError)
    assert not path.exists()
    # It was whole before it had its name, and what was left of it is in nobody's way.
    assert made[0].startswith(b"SQLite format 3")
    async with SqliteJournal(path) as journal:
        await begin(journal, 1)


async def test_files_of_others_stay(path: Path) -> None:
    others = [Path(f"{path}{end}") for end in (".new", ".part", "~")]
    for other in others:
        other.write_text("mine")
    async with SqliteJournal(path) as journal:
        await begin(journal, 1)
    assert [other.read_text() for other in others] == ["mine"] * 3
    assert len(list(path.parent.iterdir())) == 5


_DIE = """
import asyncio, os, signal, sys
from payamak.common import JournalEntry, Outcome, OutgoingMessage
from payamak.common.sqlite_journal import Changes, SqliteJournal

def entries(outcome, attempt):
    message = OutgoingMessage("09121234567", "text")
    return [
        JournalEntry(f"content {index}", index, "ghasedak", message.to, message, "an account", outcome, attempt)
        for index in range(500)
    ]

async def main():
    async with SqliteJournal(sys.argv[1]) as journal:
        await journal.begin(entries(None, 0), 1.0)
        # So a part of the next transaction is in the file before its end, as in the middle of a commit.
        await journal._database.execute("PRAGMA cache_spill = ON")
        await journal._database.execute("PRAGMA cache_size = 2")
        die = lambda statement: statement == "COMMIT" and os.kill(os.getpid(), signal.SIGKILL)
        await journal._database.set_trace_callback(die)
        await journal.settle(entries(Outcome.SENT, 1))

asyncio.run(main())
"""
_IN_FLIGHT = "SELECT count(*) FROM messages WHERE state = 'in flight'"


def _die_in_a_commit(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DIE, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert Path(f"{path}-journal").stat().st_size > 0


def _look_with_the_module(path: Path) -> None:
    assert query(path, _IN_FLIGHT) == [(500,)]


def _look_with_the_shell(path: Path) -> None:
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("there is no sqlite3 here")
    assert subprocess.check_output([shell, str(path), _IN_FLIGHT]) == b"500\n"


def _look_without_writing(path: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database,
        contextlib.suppress(sqlite3.OperationalError),  # Who may not write cannot undo half a commit.
    ):
        database.execute(_IN_FLIGHT).fetchall()


def _vacuum(path: Path) -> None:
    query(path, "VACUUM")


def _look_away(_path: Path) -> None:
    pass


LOOKS = (_look_with_the_module, _look_with_the_shell, _look_without_writing, _vacuum, _look_away)


@pytest.mark.parametrize("look", LOOKS, ids=["module", "shell", "read-only", "vacuum", "nobody looks"])
async def test_killed_in_the_middle_of_a_commit(path: Path, look: Callable[[Path], object]) -> None:
    """The commit is undone whole, and whoever looks into the file before the next run makes it no worse."""
    await asyncio.to_thread(_die_in_a_commit, path)
    look(path)
    async with SqliteJournal(path) as journal:
        found = (await read(journal, *range(500))).values()
        assert [(known.outcome, known.attempt) for known in found] == [(None, 1)] * 500
        taken = await journal.take_over([entry(index, attempt=1) for index in range(500)], 1.0)
        assert taken == [2] * 500
    assert beside(path) == [f"{path.name}.lock"]


async def test_killed_and_copied_with_what_was_beside_it(path: Path, tmp_path: Path) -> None:
    await asyncio.to_thread(_die_in_a_commit, path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for part in ("journal.db", "journal.db-journal"):
        shutil.copy(path.with_name(part), folder)
    assert len(await _read_all(folder / path.name)) == 500


@pytest.mark.parametrize("was_open", [False, True])
async def test_a_closed_journal_says_so(path: Path, was_open: bool) -> None:
    journal = SqliteJournal(path)
    if was_open:
        async with journal:
            pass
    for use in (
        read(journal, 1),
        begin(journal, 1),
        journal.settle([entry(1, Outcome.SENT, attempt=1)]),
        journal.take_over([entry(1, attempt=1)], 1.0),
        journal.require_account(ACCOUNT),
        journal.find_changed([], ACCOUNT),
    ):
        error = await failure_of(use)
        assert isinstance(error, JournalError)
        assert "not open" in str(error) or "removed" in str(error)


async def test_opening_can_be_cancelled(path: Path) -> None:
    for steps in range(12):
        task = asyncio.ensure_future(SqliteJournal(path).__aenter__())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await task).aclose()
        async with SqliteJournal(path):
            pass


async def test_those_who_write_at_once_share_commits(journal: SqliteJournal, path: Path) -> None:
    statements: list[str] = []
    database: Any = journal._database
    await database.set_trace_callback(statements.append)

    async def write(index: int) -> None:
        await begin(journal, index)
        # When it returns, it is there for others.
        assert query(path, f'SELECT state FROM messages WHERE "index" = {index}') == [("in flight",)]  # noqa: S608

    await asyncio.gather(*(write(index) for index in range(200)))
    assert 1 <= statements.count("COMMIT") <= 3


async def test_those_who_write_at_once_are_told_apart(journal: SqliteJournal) -> None:
    """What came too late is told to whoever wrote it, though others share the commit."""
    await put(journal, entry(0, Outcome.SENT))
    given = [entry(index, attempt=attempt) for index, attempt in [(0, 1), (1, 0), (1, 0), (2, 0), (1, 1)]]
    attempts = await asyncio.gather(*(journal.begin([one], 1.0) for one in given))
    assert attempts == [[None], [1], [None], [1], [2]]


async def test_who_gives_up_takes_nobody_along(journal: SqliteJournal) -> None:
    writes = [asyncio.create_task(begin(journal, index)) for index in range(3)]
    await asyncio.sleep(0)
    writes[0].cancel()
    await asyncio.gather(*writes[1:])
    assert writes[0].cancelled()
    await begin(journal, 3)
    assert len(await read(journal, 1, 2, 3)) == 3


@pytest.mark.parametrize("steps", range(6))
async def test_nobody_waits_for_ever_if_all_tasks_are_cancelled(journal: SqliteJournal, steps: int) -> None:
    """As `asyncio.run` does at its end, where what is in flight must still be settled."""
    first = asyncio.create_task(begin(journal, 1))
    for _ in range(1 + steps):
        await asyncio.sleep(0)
    second = asyncio.create_task(begin(journal, 2))
    await asyncio.sleep(0)
    if journal._writer is not None:
        journal._writer.cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(first, second, return_exceptions=True)
        await begin(journal, 3)
    assert all(result == [1] or isinstance(result, JournalError) for result in results)
    found = {known.index for known in (await read(journal, 1, 2, 3)).values()}
    assert {index for index, result in enumerate(results, 1) if result == [1]} <= found
    assert 3 in found


async def test_what_cannot_be_written_spoils_nothing_else(journal: SqliteJournal) -> None:
    error = await failure_of(journal.begin([entry(1, attempt=2**63)], 1.0))
    assert isinstance(error, JournalError)
    await begin(journal, 2)
    assert set(await read(journal, 1, 2)) == {"content 2"}


async def test_a_full_disk(journal: SqliteJournal) -> None:
    pages = await ask(journal, "PRAGMA page_count")
    await ask(journal, f"PRAGMA max_page_count = {pages}")
    error = await failure_of(begin(journal, *range(1000)))
    assert "SQLITE_FULL" in str(error)
    assert isinstance(error.__cause__, sqlite3.Error)
    assert_silent(error)
    await ask(journal, f"PRAGMA max_page_count = {pages + 1000}")
    await begin(journal, 1)
    assert len(await read(journal, *range(1000))) == 1


async def test_nothing_shows(journal: SqliteJournal) -> None:
    of_check_id = entry(1, key=f"check id {CHECK_ID}", account=KEY, reference=CHECK_ID)
    assert_all_silent([journal, of_check_id, SqliteJournal(f"{PHONE}.db", hash_key=TEXT.encode().ljust(16))])


# What has changed between two runs of a job.


def made(text: str = TEXT, to: str = PHONE, **fields: Any) -> tuple[str, OutgoingMessage]:
    """A message with its number as it travels."""
    return normalize_recipient(to, "to"), OutgoingMessage(to, text, "10008566", **fields)


async def note(journal: SqliteJournal, *messages: tuple[str, OutgoingMessage], outcome: Outcome | None) -> None:
    """Let the journal know messages as a run of them writes them."""
    with contextlib.closing(KeyMaker()) as keys:
        await put(
            journal,
            *(
                entry(index, outcome, key=keys.make([(number, message)])[0][0], recipient=number, message=message)
                for index, (number, message) in enumerate(messages)
            ),
        )


A, B, C, D = (made(text) for text in "abcd")
ELSE = made("b", "09120000000")
OF_ID, CHANGED_OF_ID = made("a", check_id="c"), made("b", check_id="c")
CHANGES: dict[str, tuple[list[tuple[str, OutgoingMessage]], list[tuple[str, OutgoingMessage]], list[int]]] = {
    "nothing": ([A, B], [A, B], []),
    "a row deleted": ([A, B], [B], []),
    "all deleted": ([A, B], [], []),
    "sorted": ([A, B], [B, A], []),
    "a row inserted": ([A], [B, A], []),
    "another person": ([A], [ELSE], []),
    "a text changed": ([A], [B], [0]),
    "a text changed to one that is known": ([A, B], [B, B], [1]),
    "one of two texts changed": ([A, B], [A, C], [1]),
    "both texts changed": ([A, B], [C, ELSE, D], [0, 2]),
    "one of two alike changed": ([A, A], [A, B], [1]),
    "one of two alike deleted": ([A, A], [A], []),
    "one more alike": ([A], [A, A], []),
    "the line changed": ([A], [(A[0], attrs.evolve(A[1], sender="10008567"))], [0]),
    "the number written otherwise": ([A], [made("a", f"+98{PHONE[1:]}")], []),
    "the text of a check id changed": ([OF_ID], [ELSE, CHANGED_OF_ID], [1]),
    "the number of a check id changed": ([OF_ID], [made("a", "09120000000", check_id="c")], [0]),
    "a blank in a check id": ([OF_ID], [made("a", check_id="c ")], []),
    "another check id": ([OF_ID], [made("a", check_id="d")], [0]),
}


@pytest.mark.parametrize(("before", "after", "changed"), CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("hash_key", [None, HASH_KEY])
@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_what_has_changed(
    before: list[tuple[str, OutgoingMessage]],
    after: list[tuple[str, OutgoingMessage]],
    changed: list[int],
    hash_key: bytes | None,
    outcome: Outcome | None,
    path: Path,
) -> None:
    """What nobody got may be changed freely."""
    is_taken = outcome in (None, Outcome.SENT, Outcome.UNKNOWN)
    async with SqliteJournal(path, hash_key=hash_key) as journal:
        await note(journal, *before, outcome=outcome)
        known = query(path, "SELECT * FROM messages")
        for _ in range(2):
            found = await journal.find_changed(after, ACCOUNT)
            assert sorted([*found.new, *found.reused]) == (changed if is_taken else [])
            assert not found.reused or before[0][1].check_id is not None
        assert query(path, "SELECT * FROM messages") == known


async def test_many_have_changed(journal: SqliteJournal) -> None:
    before = [made(f"text {index % 3}", f"0912{index:07}") for index in range(1700)]
    after = [made(f"text {index % 4}", f"0912{index:07}") for index in range(1700)]
    await note(journal, *before, outcome=Outcome.SENT)
    assert await journal.find_changed(iter(before), ACCOUNT) == Changes([], [])
    assert await journal.find_changed(iter(before[::-1]), ACCOUNT) == Changes([], [])
    changed = [index for index in range(1700) if index % 3 != index % 4]
    assert await journal.find_changed(iter(after), ACCOUNT) == Changes(changed, [])


async def test_a_journal_that_knows_nothing(journal: SqliteJournal) -> None:
    assert await journal.find_changed([A, B], ACCOUNT) == Changes([], [])


_IMPORT = """
import sys
sys.modules[sys.argv[1]] = None
import payamak.common, payamak.ghasedak
from payamak.common import Journal, JournalEntry
import payamak.common.sqlite_journal
"""


@pytest.mark.parametrize("name", ["aiosqlite", "filelock"])
def test_without_the_extra(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT, name], capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    assert lines[-1] == f'ModuleNotFoundError: {name} is missing; in your clone of payamak: pip install ".[journal]"'
    assert len([line for line in lines if line.startswith("Traceback")]) == 1
