"""A few connections to a PostgreSQL server, and what is done when one of them breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from ..extras import say_missing

try:
    import asyncpg
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(say_missing(missing.name, "postgres"), name=missing.name) from None

from ..errors import JournalError
from ..hiding import Secret

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_MOST = 4
_LAST_TRY_AFTER = 4.5
LONGEST_TRY = 2.0
"""Seconds. In all, a statement ends well before a begin has taken too long."""
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 0.5
_PASSING = (
    "08",  # The connection is gone.
    "25006",  # The server has just become a standby.
    "40",  # A deadlock, or what cannot be put into an order with others.
    "53",  # Too many connections, or no room.
    "57",  # The server is stopping, has crashed, or is starting.
)
"""What the SQLSTATEs of errors begin with after which the same statement may succeed."""
# Whoever has chosen to wait for a standby to show it (remote_apply) keeps that.
_BE_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
"""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('payamak ' || $1, 0))"


class Connections:
    """Runs statements, each at most a few times, and each for the last time within about five seconds.

    It is no `asyncpg.Pool`: that resets a connection after each use, which takes as long as a statement, and waits for
    a server that hangs before it lets go of one.

    Args:
        dsn: Where the server is.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = Secret(dsn)
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(_MOST)

    async def fetch(
        self,
        what: str,
        statement: str,
        values: Secret[Sequence[Any]],
        longest: float = LONGEST_TRY,
        *,
        lock: str | None = None,
    ) -> list[asyncpg.Record]:
        """Run a statement that may be run twice, and return its rows.

        Args:
            what: What cannot be done to the journal if it fails.
            statement: The SQL.
            values: For its parameters.
            longest: Seconds for one try.
            lock: Of the statements with the same, one at a time is run, and sees what those before it have done.

        Raises:
            JournalError: It failed, or it is not known whether it did. Nothing hangs on it: errors of PostgreSQL quote
                the row, and those of asyncpg the values.
        """

        async def use(connection: Connection) -> list[asyncpg.Record]:
            if lock is None:
                return await connection.fetch(statement, *values.value)
            async with connection.transaction(isolation="read_committed"):
                await connection.execute(_LOCK, lock)
                return await connection.fetch(statement, *values.value)

        return await self._repeat(what, use, longest)

    async def execute(self, what: str, script: str) -> None:
        """Run several statements as one transaction. As `fetch`."""

        async def use(connection: Connection) -> str:
            return await connection.execute(script)

        await self._repeat(what, use, LONGEST_TRY)

    async def aclose(self) -> None:
        """Close what is open, when nothing is under way any more."""
        for _ in range(_MOST):
            await self._slots.acquire()
        try:
            while self._idle:
                await self._idle.pop().close(timeout=LONGEST_TRY)
        finally:
            self._drop_idle()
            for _ in range(_MOST):
                self._slots.release()

    async def _repeat(self, what: str, use: Callable[[Connection], Awaitable[T]], longest: float) -> T:
        now = asyncio.get_running_loop().time
        until, wait = now() + _LAST_TRY_AFTER, _FIRST_WAIT
        while True:
            try:
                async with asyncio.timeout(longest), self._slots:
                    return await self._use_one(use)
            except Exception as error:
                failure, may_pass = _explain(what, error), _may_pass(error)
            if not may_pass or now() + wait > until:
                raise failure  # Out here, so that the other one does not hang on it.
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _use_one(self, use: Callable[[Connection], Awaitable[T]]) -> T:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            result = await use(connection)
        except BaseException:
            # Nobody knows what it is still at; and if the server was away, the others are dead too.
            connection.terminate()
            self._drop_idle()
            raise
        self._idle.append(connection)
        return result

    async def _connect(self) -> Connection:
        connection: Connection = await asyncpg.connect(self._dsn.value)
        try:
            await connection.execute(_BE_DURABLE)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().terminate()


def _may_pass(error: Exception) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_PASSING)
    # An internal error is what asyncpg has for a server that stops in the middle of a sentence, or is a standby; one of
    # the interface tells of the connection, unless it tells of a value.
    passing = (OSError, asyncpg.InternalClientError, asyncpg.InterfaceError)
    return isinstance(error, passing) and not isinstance(error, ValueError)


def _explain(what: str, error: Exception) -> JournalError:
    if isinstance(error, (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)):
        return JournalError(
            "the journal's tables are not there, or of another version: make them with PostgresJournal.create_schema, "
            "or with what `python -m payamak.common.postgres_journal` prints"
        )
    state = f", SQLSTATE {error.sqlstate}" if isinstance(error, asyncpg.PostgresError) else ""
    return JournalError(f"the journal cannot be {what} ({type(error).__name__}{state})")
