"""The file that `SqliteJournal` is kept in: made whole or not at all, and opened only if it is whole."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
import sqlite3
import tempfile
from typing import Any, Self

import aiosqlite
import filelock

from ..errors import InvalidArgumentError, JournalError
from ..private_files import make_private
from .keys import KEY_BYTES

_APPLICATION = 0x50594D4B
_VERSION = 3
_PATIENCE = 60.0
"""For so many seconds a write waits for who looks into the file meanwhile."""
# Rows stand in the order in which they were written, and only the index is scattered, which is small: each page that a
# commit touches is written twice. message_id has no type: SQLite would make a real number of a huge integer.
_SCHEMA = f"""
CREATE TABLE messages (
    key BLOB NOT NULL,
    "index" INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT,
    send_at TEXT,
    check_id TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    run TEXT NOT NULL,
    reference TEXT,
    message_id,
    reason TEXT,
    detail TEXT,
    at TEXT NOT NULL,
    leased_until REAL NOT NULL
);
CREATE UNIQUE INDEX messages_key ON messages (key);
CREATE TABLE settings (salt BLOB NOT NULL, hash_proof TEXT);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_SHAPE = """
SELECT parts.type, parts.name, columns.name, columns.type, columns."notnull"
FROM sqlite_master AS parts LEFT JOIN pragma_table_info(parts.name) AS columns
WHERE parts.type = 'trigger' OR parts.name IN ('messages', 'settings') ORDER BY parts.name, columns.cid
"""
"""Its tables, and what would change by itself what is written there."""
_HAS_OTHER_KEYS = f"SELECT EXISTS (SELECT 1 FROM messages WHERE typeof(key) <> 'blob' OR length(key) <> {KEY_BYTES})"  # noqa: S608 -- a constant
_BESIDE = ("", "-journal", "-wal", "-shm", ".lock")
"""What the names of a journal's files end with: SQLite's own, also those of other versions, and the lock."""


class Hidden(list[Any]):
    """Values for SQLite. aiosqlite writes what it is given into its log, where no number and no text may stand."""

    def __repr__(self) -> str:
        return f"<{len(self)} hidden>"


class HiddenRow(tuple[Any, ...]):
    """A row of SQLite's. asyncio, if it is to debug, writes what a thread hands back into its log."""

    __slots__ = ()

    def __new__(cls, _cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Self:
        """As SQLite asks for one."""
        return super().__new__(cls, row)

    def __repr__(self) -> str:
        return f"<{len(self)} hidden>"


def find_place(path: str | os.PathLike[str]) -> str:
    """Where a journal is, by a name that is the same whatever folder or link to a folder leads there.

    Raises:
        InvalidArgumentError: The path names no file.
    """
    try:
        folder, name = os.path.split(os.fsdecode(path))
        place = os.path.join(os.path.realpath(folder), name)
    except (TypeError, ValueError):  # No path at all, or one with a zero in it.
        name = place = ""
    if name in ("", ":memory:") or "\0" in place:
        raise InvalidArgumentError("path must name a file", argument="path")
    return place


def keep_private(path: str) -> None:
    """See to it that nobody else may read what is there of a journal.

    Raises:
        InvalidArgumentError: One of its files is a link, or no regular file.
        OSError: It cannot be looked at.
    """
    for end in _BESIDE:
        make_private(f"{path}{end}")


async def open_file(path: str) -> aiosqlite.Connection:
    """Open a journal's file; make it if nothing is there.

    Raises:
        JournalError: It is no journal, or not a whole one.
        sqlite3.Error: It cannot be opened.
        OSError: It cannot be made.
    """
    await asyncio.to_thread(_create, path)
    database = await aiosqlite.connect(path, isolation_level=None, timeout=_PATIENCE)
    try:
        database.row_factory = HiddenRow
        database.text_factory = _decode
        await _prepare(database, path)
    except BaseException:
        await database.close()
        raise
    return database


async def close_file(database: aiosqlite.Connection) -> None:
    """Close it, so that nothing is left beside it."""
    try:
        with contextlib.suppress(sqlite3.Error):  # Another process may have it open, for a look.
            await ask(database, "PRAGMA journal_mode = DELETE")
    finally:
        await database.close()


async def ask(database: aiosqlite.Connection, question: str, *values: object) -> Any:
    """Ask for one value; ``None`` if there is none."""
    async with database.execute(question, Hidden(values)) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


def identify_file(path: str) -> tuple[int, int] | None:
    """What tells the file from another of the same name."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def explain_failure(what: str, error: BaseException) -> JournalError:
    """What went wrong by the name that SQLite gives it, such as SQLITE_FULL."""
    return JournalError(f"the journal cannot be {what} ({getattr(error, 'sqlite_errorname', type(error).__name__)})")


def _create(path: str) -> None:
    """Make a journal, if there is none; under another name, so that who is killed meanwhile leaves no empty one."""
    if os.path.exists(path):
        return
    with filelock.FileLock(f"{path}.lock", timeout=_PATIENCE, mode=0o600):
        if not os.path.exists(path):
            _make(path)


def _make(path: str) -> None:
    descriptor, new = tempfile.mkstemp(prefix=f"{os.path.basename(path)}.", dir=os.path.dirname(path))
    os.close(descriptor)
    try:
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.executescript(_SCHEMA)
            database.execute("INSERT INTO settings VALUES (?, NULL)", (secrets.token_bytes(16),))
        os.replace(new, path)
    except BaseException:
        os.remove(new)
        raise


def _decode(text: bytes) -> str:
    """SQLite's own error about a damaged text quotes it."""
    return text.decode("utf-8", "replace")


async def _list_shape(database: aiosqlite.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.execute_fetchall(_SHAPE)]


@functools.cache
def _expected_shape() -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        return database.execute(_SHAPE).fetchall()


async def _prepare(database: aiosqlite.Connection, path: str) -> None:
    identity = await ask(database, "PRAGMA application_id"), await ask(database, "PRAGMA user_version")
    if identity == (_APPLICATION, 1):
        raise JournalError(
            "the journal was begun with payamak 0.1, which knew messages by their places: "
            "finish that job with it, and take a new file for the next"
        )
    if identity != (_APPLICATION, _VERSION) or await _list_shape(database) != _expected_shape():
        raise JournalError(
            "the file is no journal of this version of payamak, or only a part of one: "
            "what a whole one would know may have been sent"
        )
    # Not quick_check: it does not see that half of a commit is missing, as in a copy without what was beside the file.
    # Nor does either look at keys, without which messages are taken for new ones.
    if await ask(database, "PRAGMA integrity_check(1)") != "ok" or await ask(database, _HAS_OTHER_KEYS):
        raise JournalError("the journal is damaged: what it should know may have been sent; take a whole copy")
    if os.stat(path).st_nlink > 1:
        # Two names have two locks, and what SQLite writes down for the case of a crash goes by the name too.
        raise JournalError("the journal has two names (a hard link): make a copy of it in place of one")
    # One file is the journal, so that a copy of it is one too; and a commit is on the disk when it returns.
    if await ask(database, "PRAGMA journal_mode = PERSIST") != "persist":
        raise JournalError("the journal is in use by another program: close it there")
    await database.execute("PRAGMA synchronous = EXTRA")
    await database.execute("PRAGMA cache_size = -16000")  # kB: an index of half a million messages.
    await database.execute("PRAGMA cache_spill = OFF")  # Nothing of a transaction is in the file before its commit.
    await database.execute("PRAGMA fullfsync = ON")  # On macOS, a sync is none without it.
