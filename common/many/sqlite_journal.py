"""A journal for `send_many` in an SQLite file. Needs ``pip install ".[journal]"`` in a clone of payamak."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import attrs

try:
    import aiosqlite
    import filelock
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'{error.name} is missing. In your clone of payamak: pip install ".[journal]"', name=error.name
    ) from None

from ..errors import InvalidArgumentError, JournalError, Outcome
from ..results import OutgoingMessage
from .journal import JournalEntry

_APPLICATION = 0x50594D4B
_VERSION = 2
# message_id has no type: SQLite would make a real number of an integer of more than 64 bits.
_SCHEMA = f"""
CREATE TABLE messages (
    key TEXT PRIMARY KEY,
    "index" INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT,
    send_at TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    run TEXT NOT NULL,
    reference TEXT,
    message_id,
    reason TEXT,
    detail TEXT,
    at TEXT NOT NULL,
    lease REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE salt (value BLOB NOT NULL);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_COLUMNS = (
    "key", '"index"', "gateway", "account", "recipient", "text", "sender", "send_at", "state", "attempt", "run",
    "reference", "message_id", "reason", "detail", "at", "lease",
)  # fmt: skip
_BEGIN = (
    f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 -- constants
    f"ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])} "
    "WHERE attempt = excluded.attempt - 1 AND state <> 'sent'"
)
_TAKE_OVER = "UPDATE messages SET attempt = ?2, run = ?3 WHERE key = ?1 AND attempt = ?2 - 1 AND state <> 'sent'"
_SETTLE = (
    "UPDATE messages SET state = ?4, reference = ?5, message_id = ?6, reason = ?7, detail = ?8, at = ?9 "
    "WHERE key = ?1 AND attempt = ?2 AND run = ?3 AND state IN ('in flight', 'unknown')"
)
_READ = f"SELECT {', '.join(_COLUMNS)} FROM messages WHERE key IN "  # noqa: S608 -- constants
_IN_FLIGHT = "in flight"
_MOST_PARAMETERS = 500
_MOST_BITS = 63
_OTHER_ACCOUNT = (
    "the journal is of another account (gateway, address, or key): go on with that one; or say that this is the same "
    "account, with a new key or address"
)

Row = tuple[Any, ...]


class _Hidden(list[Any]):
    """Values for SQLite. aiosqlite writes what it is given into its log, where no number and no text may stand."""

    def __repr__(self) -> str:
        return f"<{len(self)} hidden>"


class SqliteJournal:
    """A journal in a file, for one job: ``async with SqliteJournal("bills-2026-11.db") as journal``.

    The table ``messages`` can be read with plain SQL, also while it is in use: one row a message, with ``state`` one of
    ``in flight``, ``sent``, ``refused``, ``not sent`` and ``unknown``. What is written survives a power cut.

    One `send_many` at a time can use it; put ``async with client.send_many(…)`` inside, so that what is in flight is
    written down before the file is closed. One process at a time can use it; a second one gets a `JournalError`. A file
    named like it, with ``.lock``, is where they meet.

    Args:
        path: The file; it is made if it is not there. Keep it on a local disk.
        hash_key: At least 16 random bytes, the same for the whole job. With it the file holds keyed hashes in place of
            numbers and texts. Check ids are kept as they are: do not put a number into one.
        same_account: Whether what was sent with another account is of this one: after a change of key or address.

    Raises:
        InvalidArgumentError: The ``hash_key`` is too short.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, hash_key: bytes | None = None, same_account: bool = False
    ) -> None:
        if hash_key is not None and (not isinstance(hash_key, bytes) or not 16 <= len(hash_key) <= 64):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError("hash_key must be 16 to 64 bytes", argument="hash_key")
        self._path = os.fspath(path)
        self._hash_key = hash_key
        self._same_account = same_account
        # Those who come by another link to the same file must meet at the same lock.
        self._lock = filelock.FileLock(f"{os.path.realpath(self._path)}.lock", timeout=0, thread_local=False)
        self._database: aiosqlite.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._salt = b""
        self._account: str | None = None
        # Who has the file without the lock, such as after it was removed, is told apart by this.
        self._run = secrets.token_hex(8)
        self._waiting: list[_Job] = []
        self._writer: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<SqliteJournal {'closed' if self._database is None else 'open'}>"

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            JournalError: It is in use, or it cannot be opened.
        """
        if self._lock.is_locked:
            raise JournalError("the journal is open already")
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise JournalError("the journal is in use: one process at a time can send with it") from None
        except (OSError, NotImplementedError) as error:
            raise _fail("opened", error) from error
        opening = asyncio.create_task(self._open())
        try:
            self._database = await asyncio.shield(opening)
        except BaseException:
            # aiosqlite, if cancelled, leaves a connection that nobody closes: so it goes on to its end.
            await asyncio.wait({opening})
            if not opening.cancelled() and opening.exception() is None:
                await opening.result().close()
            self._lock.release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close it. Closing twice does no harm."""
        try:
            while self._writer is not None:
                await asyncio.wait({self._writer})
        finally:
            database, self._database = self._database, None
            if database is not None:
                try:
                    await database.close()
                finally:
                    self._lock.release()

    async def _open(self) -> aiosqlite.Connection:
        try:
            await asyncio.to_thread(_create, self._path)
            database = await aiosqlite.connect(self._path, isolation_level=None)
            try:
                await _prepare(database)
                self._salt = await _ask(database, "SELECT value FROM salt")
                self._file, self._account = _identify_file(self._path), None
            except BaseException:
                await database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise _fail("opened", error) from error
        return database

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        """Find what is known of messages. See `Journal.read`."""
        database = self._require_open()
        hidden = self._hide_account(account)
        found: dict[str, JournalEntry] = {}
        keys = {self._hide_key(key): key for key in wanted}
        try:
            if self._account != hidden:
                await self._check_account(database, hidden)
            for start in range(0, len(keys), _MOST_PARAMETERS):
                part = _Hidden(list(keys)[start : start + _MOST_PARAMETERS])
                async with database.execute(f"{_READ} ({', '.join('?' * len(part))})", part) as cursor:
                    async for row in cursor:
                        key = keys[row[0]]
                        found[key] = self._to_entry(key, tuple(row), wanted[key], account)
        except (sqlite3.Error, ValueError) as error:  # A ValueError tells of a file that somebody edited.
            raise _fail("read", error) from error
        return found

    async def _check_account(self, database: aiosqlite.Connection, hidden: str) -> None:
        others = "SELECT EXISTS (SELECT 1 FROM messages WHERE account <> ?)"
        ours = "SELECT EXISTS (SELECT 1 FROM messages WHERE account = ?)"
        if await _ask(database, others, hidden) and (self._same_account or not await _ask(database, ours, hidden)):
            if not self._same_account:
                raise JournalError(_OTHER_ACCOUNT)
            await database.execute("UPDATE messages SET account = ?", _Hidden([hidden]))
        self._account = hidden

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Write that a request is about to leave. See `Journal.begin`."""
        if _identify_file(self._path) != self._file:
            raise JournalError("the journal's file was removed or replaced while it was in use: nothing more is sent")
        rows = [self._to_row(entry, lease) for entry in entries]
        written = await self._write(_BEGIN, rows, [(row[0], row[9]) for row in rows])
        return [entry.attempt + 1 if is_written else None for entry, is_written in zip(entries, written, strict=True)]

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Write what became of messages. See `Journal.settle`."""
        rows = [
            (
                self._hide_key(entry.key), entry.attempt, self._run, entry.outcome and entry.outcome.value,
                entry.reference, _write_id(entry.message_id), entry.reason, entry.detail, entry.at.isoformat(),
            )
            for entry in entries
        ]  # fmt: skip
        return await self._write(_SETTLE, rows, [(row[0], row[1]) for row in rows])

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Take what an earlier run left behind. See `Journal.take_over`."""
        rows = [(self._hide_key(entry.key), entry.attempt + 1, self._run) for entry in entries]
        written = await self._write(_TAKE_OVER, rows, [(row[0], row[1]) for row in rows])
        return [entry.attempt + 1 if is_written else None for entry, is_written in zip(entries, written, strict=True)]

    async def _write(self, statement: str, rows: Sequence[Row], attempts: Sequence[tuple[str, int]]) -> Sequence[bool]:
        """Write rows durably; those who write at the same time share a commit. Returns which of them count."""
        self._require_open()
        job = _Job(statement, rows, attempts, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._writer is None:
            # A task of its own, so that who gives up meanwhile does not take the rows of others along.
            self._writer = asyncio.create_task(self._write_waiting())
        return await job.written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._write_together(waiting)
        finally:
            # There is more only if this task was cancelled, as all are when an event loop is shut down.
            self._writer = asyncio.create_task(self._write_waiting()) if self._waiting else None

    async def _write_together(self, jobs: Sequence[_Job]) -> None:
        problem: BaseException | None = asyncio.CancelledError()
        counted: list[Sequence[bool]] = []
        try:
            counted = await self._commit(jobs)
            problem = None
        except Exception as error:
            problem = error
        finally:
            for place, job in enumerate(jobs):
                if job.written.done():
                    continue
                if problem is None:
                    job.written.set_result(counted[place])
                else:
                    failure = _fail("written", problem)
                    failure.__cause__ = problem
                    job.written.set_exception(failure)

    async def _commit(self, jobs: Sequence[_Job]) -> list[Sequence[bool]]:
        database = self._require_open()
        counted: list[Sequence[bool]] = []
        try:
            await database.execute("BEGIN IMMEDIATE")
            for job in jobs:
                async with await database.executemany(job.statement, _Hidden(job.rows)) as cursor:
                    changed = cursor.rowcount
                are_all = changed == len(job.rows)
                counted.append([True] * changed if are_all else await self._find_written(database, job))
            await database.commit()
        except BaseException:
            # Whatever it was, the next write must not find this transaction open.
            await database.rollback()
            raise
        return counted

    async def _find_written(self, database: aiosqlite.Connection, job: _Job) -> Sequence[bool]:
        """Find out in which of its rows a job has been written, where it was not in all."""
        question = "SELECT count(*) FROM messages WHERE key = ? AND attempt = ? AND run = ?"
        found = [await _ask(database, question, key, attempt, self._run) for key, attempt in job.attempts]
        return [number == 1 for number in found]

    def _require_open(self) -> aiosqlite.Connection:
        if self._database is None:
            raise JournalError("the journal is not open: use `async with SqliteJournal(…) as journal`")
        return self._database

    def _to_row(self, entry: JournalEntry, lease: float) -> Row:
        message = entry.message
        send_at = None if message is None or message.send_at is None else _to_utc(message.send_at)
        return (
            self._hide_key(entry.key), entry.index, entry.gateway, self._hide_account(entry.account),
            self._hide(entry.recipient), self._hide(message.text if message else ""), message and message.sender,
            send_at, _IN_FLIGHT, entry.attempt + 1, self._run, entry.reference, None, None, None, entry.at.isoformat(),
            lease,
        )  # fmt: skip

    def _to_entry(self, key: str, row: Row, wanted: OutgoingMessage, account: str) -> JournalEntry:
        (
            _, index, gateway, hidden, recipient, text, sender, send_at, state, attempt, _, reference, message_id,
            reason, detail, at, lease,
        ) = row  # fmt: skip
        wanted_at = None if wanted.send_at is None else _to_utc(wanted.send_at)
        content = self._hide(wanted.to), self._hide(wanted.text), wanted.sender, wanted_at
        # What is known by its content is what it is, however its number and line are written.
        is_same = not key.startswith("check id") or (recipient, text, sender, send_at) == content
        return JournalEntry(
            key, index, gateway, recipient, wanted if is_same else None,
            account if hidden == self._hide_account(account) else "",
            None if state == _IN_FLIGHT else Outcome(state), attempt, reference,
            _read_id(message_id), reason, detail, datetime.datetime.fromisoformat(at), lease,
        )  # fmt: skip

    def _hide(self, value: str) -> str:
        return value if self._hash_key is None else _hash(value, self._hash_key)

    def _hide_key(self, key: str) -> str:
        return key if self._hash_key is None or key.startswith("check id") else _hash(key, self._hash_key)

    def _hide_account(self, account: str) -> str:
        return _hash(account, self._salt)


@attrs.define(eq=False, repr=False)
class _Job:
    """Rows to write with one statement, and the attempts by which it shows whether they count."""

    statement: str
    rows: Sequence[Row]
    attempts: Sequence[tuple[str, int]]
    written: asyncio.Future[Sequence[bool]]


def _hash(value: str, key: bytes) -> str:
    return hashlib.blake2b(value.encode(errors="surrogatepass"), key=key, digest_size=16).hexdigest()


def _to_utc(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat()


def _identify_file(path: str) -> tuple[int, int] | None:
    """What tells the file from another of the same name."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _create(path: str) -> None:
    """Make a journal, if there is none; under another name, so that who is killed meanwhile leaves no empty one."""
    if os.path.exists(path):
        return
    new = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.remove(new)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    database = sqlite3.connect(new, isolation_level=None)
    try:
        database.executescript(_SCHEMA)
        database.execute("INSERT INTO salt VALUES (?)", (secrets.token_bytes(16),))
    finally:
        database.close()
    os.replace(new, path)


def _write_id(message_id: int | None) -> int | str | None:
    """An id as SQLite keeps it: one of more than 64 bits as text, and so that it does not look like a number."""
    return f"#{message_id}" if message_id is not None and message_id.bit_length() > _MOST_BITS else message_id


def _read_id(value: int | str | None) -> int | None:
    return int(value.removeprefix("#")) if isinstance(value, str) else value


async def _prepare(database: aiosqlite.Connection) -> None:
    identity = await _ask(database, "PRAGMA application_id"), await _ask(database, "PRAGMA user_version")
    if identity == (_APPLICATION, 1):
        raise JournalError(
            "the journal was begun with an earlier version of payamak: finish that job with it, then take a new file"
        )
    if identity != (_APPLICATION, _VERSION):
        raise JournalError(
            "the file is no journal of this version of payamak, or was cut: what it knew may have been sent"
        )
    if await _ask(database, "PRAGMA quick_check(1)") != "ok":
        raise JournalError("the journal is damaged: messages that it should know may have been sent")
    # One file is the journal, so that a copy of it is one too; and a commit is on the disk when it returns.
    if await _ask(database, "PRAGMA journal_mode = TRUNCATE") != "truncate":
        raise JournalError("the journal cannot be kept there: it must be a file on a local disk")
    await database.execute("PRAGMA synchronous = EXTRA")
    await database.execute("PRAGMA fullfsync = ON")  # On macOS, a sync is none without it.


async def _ask(database: aiosqlite.Connection, question: str, *values: object) -> Any:
    async with database.execute(question, _Hidden(values)) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


def _fail(what: str, error: BaseException) -> JournalError:
    """What went wrong by the name that SQLite gives it, such as SQLITE_FULL."""
    return JournalError(f"the journal cannot be {what} ({getattr(error, 'sqlite_errorname', type(error).__name__)})")
