"""A journal for `send_many` in an SQLite file. Needs ``pip install ".[journal]"`` in a clone of payamak."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import itertools
import math
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

import attrs

from ..extras import say_missing

try:
    import aiosqlite

    # In what is imported below; said here by whom it is needed.
    import filelock  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(say_missing(error.name, "journal"), name=error.name) from None

from ..checks import replace_halves
from ..errors import JournalError, Outcome, PayamakError
from ..hiding import hide_fields, hides_arguments, strip_frames
from ..results import OutgoingMessage
from .journal import JournalEntry
from .keys import KeyMaker, clean_line, is_content, keyed_hash, require_hash_key
from .presence import Presence
from .sqlite_file import (
    Hidden,
    ask,
    close_file,
    explain_failure,
    find_place,
    identify_file,
    keep_private,
    open_file,
)

_TEXT_OR_NULL = (str, type(None))
_COLUMNS: dict[str, type | tuple[type, ...]] = {
    "key": bytes,
    '"index"': int,
    "gateway": str,
    "account": str,
    "recipient": str,
    "text": str,
    "sender": _TEXT_OR_NULL,
    "send_at": _TEXT_OR_NULL,
    "check_id": _TEXT_OR_NULL,
    "state": str,
    "attempt": int,
    "run": str,
    "reference": _TEXT_OR_NULL,
    "message_id": (int, str, type(None)),
    "reason": _TEXT_OR_NULL,
    "detail": _TEXT_OR_NULL,
    "at": str,
    "leased_until": float,
}
"""What stands in each; SQLite itself would take anything anywhere."""
_BEGIN = (
    f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 -- constants
    f"ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name != 'key')} "
    "WHERE attempt = excluded.attempt - 1 AND state <> 'sent'"
)
_TAKE_OVER = (
    "UPDATE messages SET attempt = ?, run = ?, leased_until = ? "
    "WHERE key = ? AND attempt = ? AND state IN ('in flight', 'unknown') AND leased_until <= ?"
)
_SETTLE = (
    "UPDATE messages SET state = ?, reference = ?, message_id = ?, reason = ?, detail = ?, at = ?, leased_until = 0 "
    "WHERE key = ? AND attempt = ? AND run = ? AND state IN ('in flight', 'unknown')"
)
_CLAIM = (
    "UPDATE messages SET message_id = ? "
    "WHERE key = ? AND attempt = ? AND run = ? AND state IN ('in flight', 'unknown') "
    "AND NOT EXISTS (SELECT 1 FROM messages AS other WHERE other.message_id = ? AND other.key <> messages.key) "
    "AND NOT EXISTS (SELECT 1 FROM messages AS other WHERE other.recipient = messages.recipient "
    "AND other.text = messages.text AND other.run <> messages.run AND other.state IN ('in flight', 'unknown'))"
)
_END_LEASES = "UPDATE messages SET leased_until = 0 WHERE run = ? AND leased_until > 0"
_READ = f"SELECT {', '.join(_COLUMNS)} FROM messages WHERE key IN "  # noqa: S608 -- constants
_GIVEN = "CREATE TEMP TABLE given (key BLOB PRIMARY KEY, recipient TEXT, place INTEGER) WITHOUT ROWID"
_CHANGED = """
WITH lost AS (
    SELECT recipient FROM messages WHERE state IN ('sent', 'in flight', 'unknown')
    AND NOT EXISTS (SELECT 1 FROM temp.given WHERE given.key = messages.key)
)
SELECT place FROM temp.given WHERE place IS NOT NULL AND (
    recipient IN (SELECT recipient FROM lost) OR recipient = ? AND EXISTS (SELECT 1 FROM lost)
) ORDER BY place
"""
_RUN = list(_COLUMNS).index("run")
_IN_FLIGHT = "in flight"
_MOST_PARAMETERS = 500
_MOST_BITS = 63
_OTHER_ACCOUNT = (
    "the journal is of another account (gateway, address, or key): go on with that one; "
    "if only the key or the address has changed, say that it is the same account (same_account=True, --same-account)"
)

Row = tuple[Any, ...]
_Found: TypeAlias = tuple[JournalEntry, str]
"""What is known of a message, and the run that was at it last."""


@attrs.frozen
class Changes:
    """Where messages are not what the journal knows of their people, by their places.

    Attributes:
        new: New to somebody who has got another one, or may have, which is not there any more.
        reused: With the ``check_id`` of another one, which somebody has got, or may have.
    """

    new: Sequence[int]
    reused: Sequence[int]


class SqliteJournal:
    """A journal in a file, for one job: ``async with SqliteJournal("bills-2026-11.db") as journal``.

    Any number of `send_many` can use it at once, in one process or in several on one machine. Each message goes out
    from one of them. What a process was at that was killed is asked for by whoever comes to it next.

    The table ``messages`` can be read with plain SQL, also while it is in use, if that takes seconds and no minute,
    for meanwhile nothing can be written: one row a message, with ``state`` one of ``in flight``, ``sent``, ``refused``,
    ``not sent`` and ``unknown``. What is written survives a power cut.

    Put ``async with client.send_many(…)`` inside, so that what is in flight is written down before the file is closed.
    Files named like it, with ``.lock``, show who has it open.

    Args:
        path: The file; it is made if it is not there. Keep it on a local disk.
        hash_key: At least 16 random bytes, the same for the whole job. With it the file holds keyed hashes in place of
            numbers and texts. Check ids are kept as they are: do not put a number into one.
        same_account: Whether what was sent with another account is of this one: after a change of key or address.
        is_shared: Whether others may have it open. If not, it is opened only where nobody has it.

    Raises:
        InvalidArgumentError: The ``hash_key`` is too short, or the path names no file.
    """

    @hides_arguments
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        hash_key: bytes | None = None,
        same_account: bool = False,
        is_shared: bool = True,
    ) -> None:
        self._path = find_place(path)
        self._hash_key = None if hash_key is None else require_hash_key(hash_key)
        self._same_account = same_account
        self._is_shared = is_shared
        self._database: aiosqlite.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._salt = b""
        self._hidden: dict[str, str] = {}
        self._account: str | None = None
        self._is_renamed = False
        self._presence = Presence(self._path)
        self._waiting: list[_Job] = []
        self._writer: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<SqliteJournal {'closed' if self._database is None else 'open'}>"

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            JournalError: It is open already, in use although it is not to be shared, or cannot be opened.
            InvalidArgumentError: The path leads to a link, or to no regular file.
        """
        if self._presence.is_shown:
            raise JournalError("the journal is open already")
        try:
            keep_private(self._path)
            is_in_use = self._presence.show()
        except (OSError, NotImplementedError) as error:
            raise explain_failure("opened", error) from error
        if is_in_use and not self._is_shared:
            self._presence.end()
            raise JournalError("the journal is in use by another run, and is not to be shared")
        opening = asyncio.create_task(self._open())
        try:
            self._database = await asyncio.shield(opening)
        except BaseException:
            # aiosqlite, if cancelled, leaves a connection that nobody closes: so it goes on to its end.
            abandoning = asyncio.create_task(self._abandon(opening))
            while not abandoning.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({abandoning})
            raise
        return self

    async def _abandon(self, opening: asyncio.Task[aiosqlite.Connection]) -> None:
        try:
            await asyncio.wait({opening})
            if not opening.cancelled() and opening.exception() is None:
                await close_file(opening.result())
        finally:
            self._presence.end()

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
                    await close_file(database)
                finally:
                    self._presence.end()

    async def _open(self) -> aiosqlite.Connection:
        try:
            database = await open_file(self._path)
            try:
                await self._take_settings(database)
            except BaseException:
                await close_file(database)
                raise
        except PayamakError:
            raise
        except (sqlite3.Error, OSError) as error:
            strip_frames(error)
            raise explain_failure("opened", error) from error
        except Exception as error:  # Whatever a file leads to that was not written as a journal.
            failure = explain_failure("opened", error)
        else:
            self._account, self._file = None, identify_file(self._path)
            return database
        # Out here, because what Python says of a value quotes it.
        raise failure

    async def _take_settings(self, database: aiosqlite.Connection) -> None:
        salt = await ask(database, "SELECT salt FROM settings")
        if not isinstance(salt, bytes):
            raise JournalError("the journal is damaged: it has lost by what it knows its account; take a whole copy")
        self._salt = salt
        self._hidden.clear()
        proof = self._hide(self._salt.hex())
        await database.execute("UPDATE settings SET hash_proof = ? WHERE hash_proof IS NULL", Hidden([proof]))
        if await ask(database, "SELECT hash_proof FROM settings") != proof:
            raise JournalError("the journal was begun with another hash_key: it would not know its messages")

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        """Find what is known of messages. See `Journal.read`."""
        found = await self._find(wanted, account)
        runs = {run for entry, run in found.values() if entry.is_leased}
        dead = {run for run in runs if not self._presence.is_alive(run)}
        if dead:
            await self._write(_END_LEASES, [(run,) for run in dead])
        return {key: attrs.evolve(entry, lease=0.0) if run in dead else entry for key, (entry, run) in found.items()}

    async def _find(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, _Found]:
        try:
            return await self._look_up(wanted, account)
        except sqlite3.Error as error:
            strip_frames(error)
            raise explain_failure("read", error) from error
        except (ValueError, TypeError, LookupError, OverflowError) as error:  # Somebody has edited the file.
            failure = explain_failure("read", error)
        # Out here, because what Python says of a value quotes it.
        raise failure

    async def _look_up(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, _Found]:
        database = self._require_open()
        hidden = self._hide_account(account)
        found: dict[str, _Found] = {}
        keys = {self._hide_key(key): key for key in wanted}
        await self._check_account(database, hidden)
        for start in range(0, len(keys), _MOST_PARAMETERS):
            part = Hidden(list(keys)[start : start + _MOST_PARAMETERS])
            for row in await database.execute_fetchall(f"{_READ} ({', '.join('?' * len(part))})", part):
                key = keys[row[0]]
                found[key] = self._to_entry(key, tuple(row), wanted[key], account), row[_RUN]
        return found

    async def require_account(self, account: str) -> None:
        """Make sure that what is in the journal is of an account, as `send_many` does before it sends.

        Args:
            account: The ``account_hash`` of the client.

        Raises:
            JournalError: It is of another one.
        """
        try:
            await self._check_account(self._require_open(), self._hide_account(account))
        except sqlite3.Error as error:
            strip_frames(error)
            raise explain_failure("read", error) from error

    async def find_changed(self, messages: Iterable[tuple[str, OutgoingMessage]], account: str) -> Changes:
        """Find messages to people who have got another one, or may have, that is not among these any more.

        So it looks if a text was changed by mistake between two runs of a job. `send_many` does not ask: it sends what
        the journal does not know.

        Args:
            messages: All messages of the job, each with its number as it travels; an empty one may be anybody's.
            account: The ``account_hash`` of the client.

        Raises:
            JournalError: The journal cannot be read, or is of another account.
        """
        database = self._require_open()
        await self.require_account(account)
        try:
            # One transaction, which is taken back: to commit each batch would take ever longer.
            await database.execute("BEGIN")
            try:
                await database.execute(_GIVEN)
                reused = await self._take_given(database, messages, account)
                rows = await database.execute_fetchall(_CHANGED, (self._hide(""),))
                return Changes([place for (place,) in rows], reused)
            finally:
                await database.rollback()
        except sqlite3.Error as error:
            strip_frames(error)
            raise explain_failure("read", error) from error

    async def _take_given(
        self, database: aiosqlite.Connection, messages: Iterable[tuple[str, OutgoingMessage]], account: str
    ) -> list[int]:
        """Put messages beside those of the journal. Returns the places of those with the check id of another one."""
        reused: list[int] = []
        places = enumerate(messages)
        with contextlib.closing(KeyMaker()) as keys:
            while batch := list(itertools.islice(places, _MOST_PARAMETERS)):
                made = keys.make([pair for _, pair in batch])
                given = {
                    key: (place, *pair)
                    for (key, is_repeated), (place, pair) in zip(made, batch, strict=True)
                    if not is_repeated
                }
                wanted = {key: attrs.evolve(message, to=number) for key, (_, number, message) in given.items()}
                known = await self._find(wanted, account)
                reused += [
                    given[key][0] for key, (entry, _) in known.items() if entry.message is None and entry.is_taken
                ]
                rows = [
                    (self._hide_key(key), self._hide(number), None if key in known else place)
                    for key, (place, number, _) in given.items()
                ]
                await database.executemany("INSERT INTO temp.given VALUES (?, ?, ?)", Hidden(rows))
        return sorted(reused)

    async def _check_account(self, database: aiosqlite.Connection, hidden: str) -> None:
        if self._account == hidden:
            return
        others = "SELECT EXISTS (SELECT 1 FROM messages WHERE account <> ?)"
        ours = "SELECT EXISTS (SELECT 1 FROM messages WHERE account = ?)"
        if await ask(database, others, hidden) and (self._same_account or not await ask(database, ours, hidden)):
            if not self._same_account:
                raise JournalError(_OTHER_ACCOUNT)
            self._is_renamed = True
        self._account = hidden

    async def list_references(self) -> Collection[str]:
        """List the references of what was sent. See `Journal.list_references`."""
        question = "SELECT DISTINCT reference FROM messages WHERE state = 'sent' AND reference IS NOT NULL"
        try:
            return [str(reference) for (reference,) in await self._require_open().execute_fetchall(question)]
        except sqlite3.Error as error:
            strip_frames(error)
            raise explain_failure("read", error) from error

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Write that a request is about to leave. See `Journal.begin`."""
        if identify_file(self._path) != self._file:
            raise JournalError("the journal's file was removed or replaced while it was in use: nothing more is sent")
        if not self._presence.is_shown:
            raise JournalError("the file that shows who has the journal open was removed: open it anew")
        until = time.monotonic() + lease
        written = await self._write(_BEGIN, [self._to_row(entry, until) for entry in entries])
        return [entry.attempt + 1 if is_written else None for entry, is_written in zip(entries, written, strict=True)]

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Write what became of messages. See `Journal.settle`."""
        rows = [
            (
                entry.outcome and entry.outcome.value, _write_text(entry.reference), _write_id(entry.message_id),
                _write_text(entry.reason), _write_text(entry.detail), _write_moment(entry.at),
                self._hide_key(entry.key), entry.attempt, self._presence.run,
            )
            for entry in entries
        ]  # fmt: skip
        return await self._write(_SETTLE, rows)

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Take what was found by content alone. See `Journal.claim`."""
        rows = [
            (message_id, self._hide_key(entry.key), entry.attempt, self._presence.run, message_id)
            for entry in entries
            for message_id in [_write_id(entry.message_id)]
        ]
        return await self._write(_CLAIM, rows)

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Take what an earlier run left behind. See `Journal.take_over`."""
        now = time.monotonic()
        rows = [
            (entry.attempt + 1, self._presence.run, now + lease, self._hide_key(entry.key), entry.attempt, now)
            for entry in entries
        ]
        written = await self._write(_TAKE_OVER, rows)
        return [entry.attempt + 1 if is_written else None for entry, is_written in zip(entries, written, strict=True)]

    async def _write(self, statement: str, rows: Sequence[Row]) -> Sequence[bool]:
        """Write rows durably; those who write at the same time share a commit. Returns which of them count."""
        self._require_open()
        job = _Job(statement, rows, asyncio.get_running_loop().create_future())
        del rows  # Or an error tracker would find the numbers and texts of them in this frame.
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
            strip_frames(error)
            problem = error
        finally:
            for place, job in enumerate(jobs):
                if job.written.done():
                    continue
                if problem is None:
                    job.written.set_result(counted[place])
                else:
                    failure = explain_failure("written", problem)
                    # What Python says of a value quotes it.
                    failure.__cause__ = problem if isinstance(problem, (sqlite3.Error, OSError)) else None
                    job.written.set_exception(failure)

    async def _commit(self, jobs: Sequence[_Job]) -> list[Sequence[bool]]:
        database = self._require_open()
        try:
            await self._start_writing(database)
            counted: list[Sequence[bool]] = [[True] * len(job.rows) for job in jobs]
            for job in jobs:
                written = await database.executemany(job.statement, Hidden(job.rows))
                if written.rowcount < len(job.rows):
                    # Some came too late. Together they do not tell which, so all is written once more one by one.
                    await database.rollback()
                    await self._start_writing(database)
                    counted = [[await _write_row(database, job.statement, row) for row in job.rows] for job in jobs]
                    break
            await database.commit()
            self._is_renamed = False
        except BaseException:
            # Whatever it was, the next write must not find this transaction open.
            await database.rollback()
            raise
        return counted

    async def _start_writing(self, database: aiosqlite.Connection) -> None:
        await database.execute("BEGIN IMMEDIATE")
        if self._is_renamed:
            await database.execute("UPDATE messages SET account = ?", Hidden([self._account]))

    def _require_open(self) -> aiosqlite.Connection:
        if self._database is None:
            raise JournalError("the journal is not open: use `async with SqliteJournal(…) as journal`")
        return self._database

    def _to_row(self, entry: JournalEntry, leased_until: float) -> Row:
        message = entry.message
        return (
            self._hide_key(entry.key), entry.index, entry.gateway, self._hide_account(entry.account),
            self._hide(entry.recipient), self._hide(message.text if message else ""),
            _write_text(message.sender if message else None), _to_utc(message.send_at if message else None),
            _write_text(message.check_id if message else None), _IN_FLIGHT, entry.attempt + 1, self._presence.run,
            _write_text(entry.reference), None, None, None, _write_moment(entry.at), leased_until,
        )  # fmt: skip

    def _to_entry(self, key: str, row: Row, wanted: OutgoingMessage, account: str) -> JournalEntry:
        (
            _, index, gateway, hidden, recipient, text, sender, send_at, _, state, attempt, _, reference, message_id,
            reason, detail, at, leased_until,
        ) = row  # fmt: skip
        if not all(map(isinstance, row, _COLUMNS.values())) or not math.isfinite(leased_until):
            raise ValueError("a cell holds what no journal writes there")
        given = self._hide(wanted.to), self._hide(wanted.text), clean_line(wanted.sender), _to_utc(wanted.send_at)
        # What is known by its content is what it is.
        is_same = is_content(key) or (recipient, text, clean_line(sender), send_at) == given
        return JournalEntry(
            key, index, gateway, recipient, wanted if is_same else None,
            account if self._is_renamed or hidden == self._hide_account(account) else "",
            None if state == _IN_FLIGHT else Outcome(state), attempt, reference,
            _read_id(message_id), reason, detail, _read_moment(at), max(0.0, leased_until - time.monotonic()),
        )  # fmt: skip

    def _hide(self, value: str) -> str:
        return replace_halves(value) if self._hash_key is None else keyed_hash(value, self._hash_key).hexdigest()

    def _hide_key(self, key: str) -> bytes:
        return keyed_hash(key, self._hash_key or b"").digest()

    def _hide_account(self, account: str) -> str:
        if account not in self._hidden:
            self._hidden[account] = keyed_hash(account, self._salt).hexdigest()
        return self._hidden[account]


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class _Job:
    """Rows to write with one statement, each of which may come too late to count."""

    statement: str
    rows: Sequence[Row]
    written: asyncio.Future[Sequence[bool]]


async def _write_row(database: aiosqlite.Connection, statement: str, row: Row) -> bool:
    async with database.execute(statement, Hidden(row)) as cursor:
        return cursor.rowcount == 1


@functools.lru_cache(32)
def _write_moment(at: datetime.datetime) -> str:
    """The moment of a writing, which the messages of one request share."""
    return at.isoformat()


def _write_text(value: str | None) -> str | None:
    return None if value is None else replace_halves(value)


def _read_moment(at: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("a time without its time zone")
    return moment


def _to_utc(at: datetime.datetime | None) -> str | None:
    return None if at is None else at.astimezone(datetime.UTC).isoformat()


def _write_id(message_id: int | None) -> int | str | None:
    """An id as SQLite keeps it: one of more than 64 bits as text, and so that it does not look like a number."""
    # In base 16, in which Python writes and reads any number of digits.
    return f"#{message_id:#x}" if message_id is not None and message_id.bit_length() > _MOST_BITS else message_id


def _read_id(value: int | str | None) -> int | None:
    return int(value.removeprefix("#"), base=0) if isinstance(value, str) else value
