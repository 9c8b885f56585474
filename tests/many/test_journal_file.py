"""The journal in an SQLite file, by itself."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from payamak.common import InvalidArgumentError, JournalEntry, JournalError, Outcome, OutgoingMessage
from payamak.common.sqlite_journal import SqliteJournal
from support.ghasedak import failure_of
from support.journals import contents, query
from support.sentinels import CHECK_ID, PHONE, TEXT, assert_all_silent, assert_silent

MESSAGE = OutgoingMessage(PHONE, TEXT, "10008566", check_id=CHECK_ID)
HASH_KEY = b"sixteen bytes ok"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path) as opened:
        yield opened


def entry(index: int, outcome: Outcome | None = None, **fields: Any) -> JournalEntry:
    return JournalEntry(f"index {index}", index, "ghasedak", fields.pop("message", MESSAGE), outcome, **fields)


async def ask(journal: SqliteJournal, question: str) -> Any:
    """Ask the journal's own connection, whose settings are its own."""
    assert journal._database is not None
    async with journal._database.execute(question) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def test_what_is_written_is_on_the_disk(journal: SqliteJournal) -> None:
    assert await ask(journal, "PRAGMA journal_mode") == "wal"
    assert await ask(journal, "PRAGMA synchronous") == 2  # FULL: each commit waits for the disk.
    assert await ask(journal, "PRAGMA fullfsync") == 1


@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_what_is_written_is_read(journal: SqliteJournal, path: Path, outcome: Outcome | None) -> None:
    written = entry(7, outcome, reference="r", message_id=2**63 - 1, reason="RateLimitError", detail="too many")
    await journal.write([written])
    assert await journal.read({"index 7": MESSAGE, "index 8": MESSAGE}) == {"index 7": written}
    rows = query(path, "SELECT recipient, text, sender, state, message_id FROM messages")
    assert rows == [(PHONE, TEXT, "10008566", outcome.value if outcome else "in flight", 2**63 - 1)]


async def test_an_id_that_sqlite_cannot_hold_spoils_nothing(journal: SqliteJournal) -> None:
    written = {f"index {index}": entry(index, Outcome.SENT, message_id=10 ** (index * 15)) for index in range(4)}
    await journal.write([*written.values()])
    assert await journal.read(dict.fromkeys(written, MESSAGE)) == written


async def test_a_later_entry_takes_the_place_of_an_earlier_one(journal: SqliteJournal, path: Path) -> None:
    await asyncio.gather(*(journal.write([entry(1, outcome)]) for outcome in (None, Outcome.UNKNOWN, Outcome.SENT)))
    assert query(path, 'SELECT "index", state FROM messages') == [(1, "sent")]


async def test_more_entries_than_a_statement_takes(journal: SqliteJournal) -> None:
    await journal.write([entry(index) for index in range(2000)])
    assert len(await journal.read({f"index {index}": MESSAGE for index in range(3000)})) == 2000
    assert await journal.read({}) == {}


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
        ({}, True),
    ],
)
async def test_another_message_by_the_same_key(
    path: Path, change: dict[str, Any], is_same: bool, hash_key: bytes | None
) -> None:
    message = attrs.evolve(MESSAGE, send_at=_AT)
    async with SqliteJournal(path, hash_key=hash_key) as journal:
        await journal.write([entry(1, Outcome.SENT, message=message)])
        (found,) = (await journal.read({"index 1": attrs.evolve(message, **change)})).values()
    assert (found.message is not None) is is_same


async def test_it_can_be_read_by_others_while_it_writes(journal: SqliteJournal, path: Path) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(reader):
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        await journal.write([entry(1)])
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (0,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (1,)


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
        for outcome in (None, Outcome.SENT):
            await journal.write([entry(index, outcome) for index in range(50)])
            held = contents(path)
            assert b"in flight" in held
            assert not [text for text in shown if text in held]
        found = await journal.read({"index 3": MESSAGE})
        assert found["index 3"].message == MESSAGE
    assert not [text for text in shown if text in contents(path)]
    (hidden,) = query(path, "SELECT DISTINCT recipient, text, sender FROM messages")
    assert (len(hidden[0]), len(hidden[1]), hidden[2]) == (32, 32, "10008566")


@pytest.mark.parametrize("other", [None, b"another key of 16 bytes"])
async def test_another_hash_key_knows_no_message(path: Path, other: bytes | None) -> None:
    async with SqliteJournal(path, hash_key=HASH_KEY) as journal:
        await journal.write([entry(1, Outcome.SENT)])
    async with SqliteJournal(path, hash_key=other) as journal:
        (found,) = (await journal.read({"index 1": MESSAGE})).values()
    assert found.message is None


@pytest.mark.parametrize("hash_key", [b"", b"x" * 15, b"x" * 65, "sixteen letters.", 5])
def test_a_hash_key_that_is_none(path: Path, hash_key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="hash_key"):
        SqliteJournal(path, hash_key=hash_key)


def _roundabout(path: Path) -> str:
    return os.path.relpath(path)


async def test_it_opens_once(journal: SqliteJournal, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    for _ in range(2):  # The failure must not take the lock away from the first.
        for other in (SqliteJournal(path), SqliteJournal(link), SqliteJournal(_roundabout(path))):
            error = await failure_of(other.__aenter__())
            assert isinstance(error, JournalError)
            assert "one process at a time" in str(error)
        assert "open already" in str(await failure_of(journal.__aenter__()))
    await journal.write([entry(1)])
    await journal.aclose()
    await journal.aclose()
    async with SqliteJournal(link) as other, contextlib.AsyncExitStack():
        assert await other.read({"index 1": MESSAGE})
    async with journal:  # The same object again.
        assert await journal.read({"index 1": MESSAGE})


_HOLD = """
import asyncio, sys
from payamak.common.sqlite_journal import SqliteJournal
async def hold():
    async with SqliteJournal(sys.argv[1]):
        print("open", flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


async def test_a_killed_process_holds_it_no_longer(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"open\n"
        assert "one process at a time" in str(await failure_of(SqliteJournal(path).__aenter__()))
        process.send_signal(signal.SIGKILL)
    async with SqliteJournal(path) as journal:
        await journal.write([entry(1)])


def _make_foreign(path: Path) -> None:
    """Another program's database, with a table of the same name."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE messages (id INTEGER)")


def _make_newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 99")


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _remove(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()


def _damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda path: path.write_bytes(b"not a database " * 500), "SQLITE_NOTADB"),
    "a directory": (lambda path: path.mkdir(), "SQLITE_CANTOPEN"),
    "another program's": (_make_foreign, "no journal of this version"),
    "a newer version's": (_make_newer, "no journal of this version"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=list(BAD))
async def test_what_is_no_journal_is_left_alone(make: Callable[[Path], object], message: str, path: Path) -> None:
    make(path)
    before = _read(path)
    error = await failure_of(SqliteJournal(path).__aenter__())
    assert isinstance(error, JournalError)
    assert message in str(error)
    assert _read(path) == before
    # Its lock is free again.
    _remove(path)
    async with SqliteJournal(path):
        pass


@pytest.mark.parametrize("place", [":memory:", ""])
async def test_what_is_not_kept_in_a_file(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = await failure_of(SqliteJournal(place).__aenter__())
    assert "must be a file" in str(error)


async def test_a_broken_file(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await journal.write([entry(index) for index in range(500)])
    _damage(path)
    with pytest.raises(JournalError, match=r"SQLITE_CORRUPT|SQLITE_NOTADB"):
        async with SqliteJournal(path) as journal:
            await journal.read({f"index {index}": MESSAGE for index in range(500)})


@pytest.mark.parametrize(("column", "value"), [("state", "posted"), ("at", "yesterday")])
async def test_a_file_that_somebody_edited(journal: SqliteJournal, path: Path, column: str, value: str) -> None:
    await journal.write([entry(1)])
    query(path, f"UPDATE messages SET {column} = '{value}'")  # noqa: S608 -- the test's own
    assert isinstance(await failure_of(journal.read({"index 1": MESSAGE})), JournalError)


@pytest.mark.parametrize("was_open", [False, True])
async def test_a_closed_journal_says_so(path: Path, was_open: bool) -> None:
    journal = SqliteJournal(path)
    if was_open:
        async with journal:
            pass
    for use in (journal.read({"index 1": MESSAGE}), journal.write([entry(1)])):
        error = await failure_of(use)
        assert isinstance(error, JournalError)
        assert "not open" in str(error)


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
        await journal.write([entry(index)])
        # When it returns, it is there for others.
        assert query(path, f'SELECT state FROM messages WHERE "index" = {index}') == [("in flight",)]  # noqa: S608

    await asyncio.gather(*(write(index) for index in range(200)))
    assert 1 <= statements.count("COMMIT") <= 3


async def test_who_gives_up_takes_nobody_along(journal: SqliteJournal) -> None:
    writes = [asyncio.create_task(journal.write([entry(index)])) for index in range(3)]
    await asyncio.sleep(0)
    writes[0].cancel()
    await asyncio.gather(*writes[1:])
    assert writes[0].cancelled()
    await journal.write([entry(3)])
    assert len(await journal.read({f"index {index}": MESSAGE for index in range(1, 4)})) == 3


@pytest.mark.parametrize("steps", range(6))
async def test_nobody_waits_for_ever_if_all_tasks_are_cancelled(journal: SqliteJournal, steps: int) -> None:
    """As `asyncio.run` does at its end, where what is in flight must still be settled."""
    first = asyncio.create_task(journal.write([entry(1)]))
    for _ in range(1 + steps):
        await asyncio.sleep(0)
    second = asyncio.create_task(journal.write([entry(2)]))
    await asyncio.sleep(0)
    if journal._writer is not None:
        journal._writer.cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(first, second, return_exceptions=True)
        await journal.write([entry(3)])
    assert all(result is None or isinstance(result, JournalError) for result in results)
    found = await journal.read({f"index {index}": MESSAGE for index in (1, 2, 3)})
    assert {f"index {index}" for index, result in enumerate(results, 1) if result is None} <= set(found)
    assert "index 3" in found


async def test_what_cannot_be_written_spoils_nothing_else(journal: SqliteJournal) -> None:
    error = await failure_of(journal.write([entry(1, reference="\ud800")]))
    assert isinstance(error, JournalError)
    await journal.write([entry(2)])
    assert set(await journal.read({"index 1": MESSAGE, "index 2": MESSAGE})) == {"index 2"}


async def test_a_full_disk(journal: SqliteJournal) -> None:
    pages = await ask(journal, "PRAGMA page_count")
    await ask(journal, f"PRAGMA max_page_count = {pages}")
    error = await failure_of(journal.write([entry(index) for index in range(1000)]))
    assert "SQLITE_FULL" in str(error)
    assert isinstance(error.__cause__, sqlite3.Error)
    assert_silent(error)
    await ask(journal, f"PRAGMA max_page_count = {pages + 1000}")
    await journal.write([entry(1)])
    assert len(await journal.read({f"index {index}": MESSAGE for index in range(1000)})) == 1


async def test_nothing_shows(journal: SqliteJournal) -> None:
    of_check_id = JournalEntry(f"check id {CHECK_ID}", 1, "ghasedak", MESSAGE, reference=CHECK_ID)
    assert_all_silent([journal, of_check_id, SqliteJournal(f"{PHONE}.db", hash_key=TEXT.encode().ljust(16))])


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
    assert lines[-1] == f'ModuleNotFoundError: {name} is missing. In your clone of payamak: pip install ".[journal]"'
    assert len([line for line in lines if line.startswith("Traceback")]) == 1
