"""A journal for `send_many` in an SQLite file. Needs ``pip install ".[journal]"`` in a clone of payamak."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

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
_VERSION = 1
# In one transaction, so that who is killed here leaves an empty file or a journal.
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE messages (
    key TEXT PRIMARY KEY,
    "index" INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT,
    send_at TEXT,
    state TEXT NOT NULL,
    reference TEXT,
    message_id INTEGER,
    reason TEXT,
    detail TEXT,
    at TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_COLUMNS = (
    "key", '"index"', "gateway", "recipient", "text", "sender", "send_at", "state", "reference", "message_id",
    "reason", "detail", "at",
)  # fmt: skip
_WRITE = f"INSERT OR REPLACE INTO messages ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 -- constants
_READ = f"SELECT {', '.join(_COLUMNS)} FROM messages WHERE key IN "  # noqa: S608 -- constants
_IN_FLIGHT = "in flight"
_MOST_PARAMETERS = 500
_MOST_BITS = 63

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

    Raises:
        InvalidArgumentError: The ``hash_key`` is too short.
    """

    def __init__(self, path: str | os.PathLike[str], *, hash_key: bytes | None = None) -> None:
        if hash_key is not None and (not isinstance(hash_key, bytes) or not 16 <= len(hash_key) <= 64):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError("hash_key must be 16 to 64 bytes", argument="hash_key")
        self._path = os.fspath(path)
        self._hash_key = hash_key
        # Those who come by another link to the same file must meet at the same lock.
        self._lock = filelock.FileLock(f"{os.path.realpath(self._path)}.lock", timeout=0, thread_local=False)
        self._database: aiosqlite.Connection | None = None
        self._waiting: list[tuple[list[Row], asyncio.Future[None]]] = []
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
            database = await aiosqlite.connect(self._path, isolation_level=None)
            try:
                await _prepare(database)
            except BaseException:
                await database.close()
                raise
        except sqlite3.Error as error:
            raise _fail("opened", error) from error
        return database

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        """Find what is known of messages. See `Journal.read`."""
        database = self._require_open()
        found: dict[str, JournalEntry] = {}
        keys = list(wanted)
        try:
            for start in range(0, len(keys), _MOST_PARAMETERS):
                part = _Hidden(keys[start : start + _MOST_PARAMETERS])
                async with database.execute(f"{_READ} ({', '.join('?' * len(part))})", part) as cursor:
                    async for row in cursor:
                        found[row[0]] = self._to_entry(tuple(row), wanted[row[0]])
        except (sqlite3.Error, ValueError) as error:  # A ValueError tells of a file that somebody edited.
            raise _fail("read", error) from error
        return found

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """Write entries durably. Those who write at the same time share a commit. See `Journal.write`."""
        self._require_open()
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(([self._to_row(entry) for entry in entries], written))
        if self._writer is None:
            # A task of its own, so that who gives up meanwhile does not take the rows of others along.
            self._writer = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._write_together(waiting)
        finally:
            # There is more only if this task was cancelled, as all are when an event loop is shut down.
            self._writer = asyncio.create_task(self._write_waiting()) if self._waiting else None

    async def _write_together(self, waiting: Sequence[tuple[list[Row], asyncio.Future[None]]]) -> None:
        problem: BaseException | None = asyncio.CancelledError()
        try:
            await self._commit([row for rows, _ in waiting for row in rows])
            problem = None
        except Exception as error:
            problem = error
        finally:
            for _, written in waiting:
                if written.done():
                    continue
                if problem is None:
                    written.set_result(None)
                else:
                    failure = _fail("written", problem)
                    failure.__cause__ = problem
                    written.set_exception(failure)

    async def _commit(self, rows: Sequence[Row]) -> None:
        database = self._require_open()
        try:
            await database.execute("BEGIN IMMEDIATE")
            await database.executemany(_WRITE, _Hidden(rows))
            await database.commit()
        except BaseException:
            # Whatever it was, the next write must not find this transaction open.
            await database.rollback()
            raise

    def _require_open(self) -> aiosqlite.Connection:
        if self._database is None:
            raise JournalError("the journal is not open: use `async with SqliteJournal(…) as journal`")
        return self._database

    def _to_row(self, entry: JournalEntry) -> Row:
        state = _IN_FLIGHT if entry.outcome is None else entry.outcome.value
        identity = ("", "", None, None) if entry.message is None else self._identify(entry.message)
        return (
            entry.key, entry.index, entry.gateway, *identity, state, entry.reference,
            _write_id(entry.message_id), entry.reason, entry.detail, entry.at.isoformat(),
        )  # fmt: skip

    def _to_entry(self, row: Row, wanted: OutgoingMessage) -> JournalEntry:
        key, index, gateway, recipient, text, sender, send_at, state, reference, message_id, reason, detail, at = row
        is_same = (recipient, text, sender, send_at) == self._identify(wanted)
        return JournalEntry(
            key, index, gateway, wanted if is_same else None, None if state == _IN_FLIGHT else Outcome(state),
            reference, _read_id(message_id), reason, detail, datetime.datetime.fromisoformat(at),
        )  # fmt: skip

    def _identify(self, message: OutgoingMessage) -> tuple[str, str, str | None, str | None]:
        send_at = None if message.send_at is None else message.send_at.astimezone(datetime.UTC).isoformat()
        return self._hide(message.to), self._hide(message.text), message.sender, send_at

    def _hide(self, value: str) -> str:
        if self._hash_key is None:
            return value
        return hashlib.blake2b(value.encode(), key=self._hash_key, digest_size=16).hexdigest()


def _write_id(message_id: int | None) -> int | str | None:
    """An id as SQLite keeps it: one of more than 64 bits as text, and so that it does not look like a number."""
    return f"#{message_id}" if message_id is not None and message_id.bit_length() > _MOST_BITS else message_id


def _read_id(value: int | str | None) -> int | None:
    return int(value.removeprefix("#")) if isinstance(value, str) else value


async def _prepare(database: aiosqlite.Connection) -> None:
    identity = await _ask(database, "PRAGMA application_id"), await _ask(database, "PRAGMA user_version")
    is_new = identity == (0, 0) and not await _ask(database, "SELECT count(*) FROM sqlite_master")
    if not is_new and identity != (_APPLICATION, _VERSION):
        raise JournalError("the file is no journal of this version of payamak: take a new one")
    # So others can read while it is written; a commit is on the disk when it returns.
    if await _ask(database, "PRAGMA journal_mode = WAL") != "wal":
        raise JournalError("the journal cannot be kept there: it must be a file on a local disk")
    await database.execute("PRAGMA synchronous = FULL")
    await database.execute("PRAGMA fullfsync = ON")  # On macOS, a sync is none without it.
    if is_new:
        await database.executescript(_SCHEMA)


async def _ask(database: aiosqlite.Connection, question: str) -> Any:
    async with database.execute(question) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


def _fail(what: str, error: BaseException) -> JournalError:
    """What went wrong by the name that SQLite gives it, such as SQLITE_FULL."""
    return JournalError(f"the journal cannot be {what} ({getattr(error, 'sqlite_errorname', type(error).__name__)})")
