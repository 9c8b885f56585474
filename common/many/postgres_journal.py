"""A journal for `send_many` in PostgreSQL. Needs ``pip install ".[postgres]"`` in a clone of payamak."""

from __future__ import annotations

import datetime
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from .. import checks
from ..errors import InvalidArgumentError, JournalError, Outcome
from ..hiding import Secret
from ..results import OutgoingMessage
from .journal import JournalEntry
from .keys import clean_line, is_content, keyed_hash, require_hash_key
from .postgres_connections import LONGEST_TRY, Connections

SCHEMA = """\
CREATE TABLE IF NOT EXISTS payamak_scopes (
    scope        text        PRIMARY KEY,
    hash_proof   bytea       NOT NULL           -- tells whether a hash_key is the one that the scope was begun with
);
CREATE TABLE IF NOT EXISTS payamak_messages (
    key          bytea       NOT NULL,          -- keyed hash of the check id, or of the content
    scope        text        NOT NULL,
    gateway      text        NOT NULL,
    account      bytea       NOT NULL,          -- keyed hash
    content      bytea       NOT NULL,          -- keyed hash of number and text
    manner       bytea,                         -- keyed hash of line and time; none where the key is one of all four
    index        bigint      NOT NULL,          -- its place in the input of the run that began it last
    run          uuid        NOT NULL,          -- who was at it last
    reference    text,
    attempt      integer     NOT NULL,
    step         integer     NOT NULL,          -- the number of that run's last writing
    at           timestamptz NOT NULL,          -- when it was written; of what is unknown, when the request left
    leased_until timestamptz,
    state        text        NOT NULL CHECK (state IN ('in flight', 'sent', 'refused', 'not sent', 'unknown')),
    message_id   text,
    reason       text,
    detail       text,
    PRIMARY KEY (key, scope)
) WITH (fillfactor = 50);
"""
# The key comes first and its values are listed, or PostgreSQL would read all of a scope where it has no statistics yet.
# No column that changes has an index, so that a new version of a row stays on its page: what is free there is for it.
# Those that change come last, for of a new version PostgreSQL's log holds what follows the first difference.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(5786998413);"

_IS_THE_SAME_WRITING = "known.run = $2 AND known.step = $3"
"""It was written once already, and the answer was lost."""
_BEGIN = f"""
INSERT INTO payamak_messages AS known
    (key, scope, index, gateway, account, content, manner, state, attempt, run, step, reference, at, leased_until)
SELECT given.key, $1, given.index, given.gateway, given.account, given.content, given.manner, 'in flight',
    given.attempt + 1, $2, $3, given.reference, given.at, clock_timestamp() + $4::float8 * interval '1 second'
FROM unnest($5::bytea[], $6::int[], $7::bigint[], $8::text[], $9::bytea[], $10::bytea[], $11::bytea[],
    $12::text[], $13::timestamptz[]) AS given (key, attempt, index, gateway, account, content, manner, reference, at)
ORDER BY given.key
ON CONFLICT (key, scope) DO UPDATE SET
    index = excluded.index, gateway = excluded.gateway, account = excluded.account, content = excluded.content,
    manner = excluded.manner,
    state = excluded.state, attempt = excluded.attempt, run = excluded.run, step = excluded.step,
    reference = excluded.reference, message_id = NULL, reason = NULL, detail = NULL, at = excluded.at,
    leased_until = excluded.leased_until
WHERE known.attempt = excluded.attempt - 1 AND known.state <> 'sent' OR {_IS_THE_SAME_WRITING}
RETURNING known.key
"""  # noqa: S608 -- constants
_TAKE_OVER = f"""
UPDATE payamak_messages AS known SET
    attempt = given.attempt + 1, run = $2, step = $3,
    leased_until = clock_timestamp() + $4::float8 * interval '1 second'
FROM unnest($5::bytea[], $6::int[]) AS given (key, attempt)
WHERE known.key = ANY($5) AND known.scope = $1 AND known.key = given.key AND (
    known.attempt = given.attempt AND known.state IN ('in flight', 'unknown')
        AND (known.leased_until IS NULL OR known.leased_until <= clock_timestamp())
    OR {_IS_THE_SAME_WRITING}
)
RETURNING known.key
"""  # noqa: S608 -- constants
_SETTLE = f"""
UPDATE payamak_messages AS known SET
    state = given.state, step = $3, reference = given.reference, message_id = given.message_id, reason = given.reason,
    detail = given.detail, at = given.at, leased_until = NULL
FROM unnest($4::bytea[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
    AS given (key, attempt, state, reference, message_id, reason, detail, at)
WHERE known.key = ANY($4) AND known.scope = $1 AND known.key = given.key AND (
    known.attempt = given.attempt AND known.run = $2 AND known.state IN ('in flight', 'unknown')
    OR {_IS_THE_SAME_WRITING}
)
RETURNING known.key
"""  # noqa: S608 -- constants
# It goes through all of the table, for the sake of all the other statements, which would have to keep an index.
_CLAIM = """
WITH given AS (
    SELECT * FROM unnest($4::bytea[], $5::int[], $6::text[]) AS given (key, attempt, message_id)
)
UPDATE payamak_messages AS known SET message_id = given.message_id, step = $3 FROM given
WHERE known.key = ANY($4) AND known.scope = $1 AND known.key = given.key
    AND known.attempt = given.attempt AND known.run = $2 AND known.state IN ('in flight', 'unknown')
    AND NOT EXISTS (
        SELECT 1 FROM given AS earlier WHERE earlier.message_id = given.message_id AND earlier.key < given.key
    )
    AND NOT EXISTS (
        SELECT 1 FROM payamak_messages AS other
        WHERE other.scope = $1 AND other.message_id = given.message_id AND other.key <> given.key
    )
    AND NOT EXISTS (
        SELECT 1 FROM payamak_messages AS twin WHERE twin.scope = $1 AND twin.content = known.content
            AND twin.run <> $2 AND twin.state IN ('in flight', 'unknown')
    )
RETURNING known.key
"""
_READ = """
SELECT key, index, gateway, account, content, manner, state, attempt, reference, message_id, reason, detail, at,
    greatest(0, extract(epoch FROM leased_until - clock_timestamp()))::float8
FROM payamak_messages WHERE key = ANY($2::bytea[]) AND scope = $1
"""
_LIST_REFERENCES = """
SELECT DISTINCT reference FROM payamak_messages WHERE scope = $1 AND state = 'sent' AND reference IS NOT NULL
"""
_PURGE = """
WITH purged AS (
    DELETE FROM payamak_messages
    WHERE scope = $1 AND state IN ('sent', 'refused', 'not sent') AND at < clock_timestamp() - $2::interval
    RETURNING 1
)
SELECT count(*) FROM purged
"""
_PROVE = """
INSERT INTO payamak_scopes (scope, hash_proof) VALUES ($1, $2) ON CONFLICT (scope) DO NOTHING
"""
_READ_PROOF = "SELECT hash_proof FROM payamak_scopes WHERE scope = $1"
_IN_FLIGHT = "in flight"
_MOST_BITS = 63
_LONGEST_SCOPE = 100
_LONGEST_LOOK = 600.0
"""Seconds for what goes through all of the table."""

_MakeRow: TypeAlias = Callable[[JournalEntry], tuple[Any, ...]]


class PostgresJournal:
    """A journal in PostgreSQL, for any number of processes on any number of machines.

    ``async with PostgresJournal(dsn, scope="bills-2026-11", hash_key=key) as journal``. Each message goes out from one
    of those who share a scope; the others wait for what becomes of it. What a run was at that was killed is asked for
    by another one when its lease is over: the longest time of a call and ten seconds more.

    The tables are made once, by `create_schema` or by what ``python -m payamak.common.postgres_journal`` prints.
    ``payamak_messages`` can be read with SQL at any time: one row a message, with ``state`` one of ``in flight``,
    ``sent``, ``refused``, ``not sent`` and ``unknown``. It holds no number and no text, but keyed hashes. The
    ``reference`` of a message may be its check id: do not put a number into one.

    What is written survives a power cut if the server keeps what it has committed (``fsync`` is on), and a failover if
    it commits to a standby too (``synchronous_standby_names``). If a connection breaks, what was under way is written
    again; what cannot be written within about five seconds is a `JournalError`. It opens up to four connections, in the
    event loop in which it is used. PgBouncer must pool sessions, not transactions.

    Args:
        dsn: Where the server is: ``postgresql://user:password@host/database``. asyncpg knows more forms of it.
        scope: What the messages belong to: a job, or an application. At most 100 characters. The same message in
            another scope is another one.
        hash_key: 16 to 64 random bytes, the same for all who share the scope.

    Raises:
        InvalidArgumentError: An argument cannot be used.
    """

    def __init__(self, dsn: str, *, scope: str, hash_key: bytes) -> None:
        self._dsn = Secret(_require_plain(dsn, "dsn"))
        self._scope = _require_plain(scope, "scope")
        if len(scope) > _LONGEST_SCOPE:
            raise InvalidArgumentError(
                f"scope has {len(scope)} characters; at most {_LONGEST_SCOPE} are allowed", argument="scope"
            )
        self._hash_key = Secret(require_hash_key(hash_key))
        self._accounts: dict[str, bytes] = {}
        self._connections: Connections | None = None
        self._run = uuid.UUID(int=0)
        self._steps = itertools.count()

    def __repr__(self) -> str:
        return f"<PostgresJournal {'closed' if self._connections is None else 'open'}>"

    @staticmethod
    async def create_schema(dsn: str) -> None:
        """Make the tables, where they are not there yet.

        Raises:
            JournalError: They cannot be made.
        """
        connections = Connections(_require_plain(dsn, "dsn"))
        try:
            await connections.execute("made", _ONE_AT_A_TIME + SCHEMA)
        finally:
            await connections.aclose()

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            JournalError: It is open already, cannot be reached, has no tables, or was begun with another ``hash_key``.
        """
        if self._connections is not None:
            raise JournalError("the journal is open already")
        self._connections = Connections(self._dsn.value)
        self._run = uuid.uuid4()  # Here, for it may have been made before a process forked.
        try:
            await self._check_hash_key(self._connections)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close it. Closing twice does no harm."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.aclose()

    async def _check_hash_key(self, connections: Connections) -> None:
        proof = self._hide("proof", self._scope)
        await connections.fetch("opened", _PROVE, Secret((self._scope, proof)))
        ((kept,),) = await connections.fetch("opened", _READ_PROOF, Secret((self._scope,)))
        if kept != proof:
            raise JournalError("the journal's scope was begun with another hash_key: it would not know its messages")

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        """Find what is known of messages. See `Journal.read`."""
        connections = self._require_open()
        keys = {self._hide("key", key): key for key in wanted}
        rows = await connections.fetch("read", _READ, Secret((self._scope, list(keys))))
        return {keys[row[0]]: self._to_entry(keys[row[0]], row, wanted[keys[row[0]]], account) for row in rows}

    async def list_references(self) -> Collection[str]:
        """List the references of what was sent. See `Journal.list_references`."""
        rows = await self._require_open().fetch("read", _LIST_REFERENCES, Secret((self._scope,)), _LONGEST_LOOK)
        return [row[0] for row in rows]

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Write that a request is about to leave. See `Journal.begin`."""
        return _number(entries, await self._write(_BEGIN, entries, self._to_begin, lease))

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Take what an earlier run left behind. See `Journal.take_over`."""
        return _number(entries, await self._write(_TAKE_OVER, entries, lambda entry: (), lease))

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Write what became of messages. See `Journal.settle`."""
        return await self._write(_SETTLE, entries, _to_settle)

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Take what was found by content alone. See `Journal.claim`."""
        return await self._write(
            _CLAIM, entries, lambda entry: (_write_id(entry.message_id),), longest=_LONGEST_LOOK, lock=self._scope
        )

    async def purge(self, older_than: datetime.timedelta) -> int:
        """Delete what was settled long ago. What is in flight or unknown stays.

        Only what is in the journal is not sent again: take more time than any message may take to come once more.

        Args:
            older_than: How long ago it must have been written.

        Returns:
            How many messages were deleted.

        Raises:
            JournalError: The journal cannot be written.
            InvalidArgumentError: ``older_than`` is not a positive time.
        """
        connections = self._require_open()
        if not isinstance(older_than, datetime.timedelta) or older_than <= datetime.timedelta():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError("older_than must be a positive timedelta", argument="older_than")
        rows = await connections.fetch("written", _PURGE, Secret((self._scope, older_than)), _LONGEST_LOOK)
        return int(rows[0][0])

    async def _write(
        self,
        statement: str,
        entries: Sequence[JournalEntry],
        make_row: _MakeRow,
        *lease: float,
        longest: float = LONGEST_TRY,
        lock: str | None = None,
    ) -> Sequence[bool]:
        """Write entries durably, in one transaction. Returns which of them count."""
        connections = self._require_open()
        counts = [False] * len(entries)
        for places in _in_rounds([self._hide("key", entry.key) for entry in entries]):
            # One step each, however often it is tried.
            rows = Secret([(key, entries[place].attempt, *make_row(entries[place])) for key, place in places.items()])
            values: Secret[Sequence[Any]] = Secret(
                (self._scope, self._run, next(self._steps), *lease, *zip(*rows.value, strict=True))
            )
            for (key,) in await connections.fetch("written", statement, values, longest, lock=lock):
                counts[places[key]] = True
        return counts

    def _require_open(self) -> Connections:
        if self._connections is None:
            raise JournalError("the journal is not open: use `async with PostgresJournal(…) as journal`")
        return self._connections

    def _to_begin(self, entry: JournalEntry) -> tuple[Any, ...]:
        message = entry.message
        content, manner = self._hide_message(entry.key, entry.recipient, message) if message else (b"", b"")
        return (
            entry.index, entry.gateway, self._hide_account(entry.account), content, manner,
            _write_text(entry.reference), entry.at,
        )  # fmt: skip

    def _to_entry(self, key: str, row: Iterable[Any], wanted: OutgoingMessage, account: str) -> JournalEntry:
        (
            _, index, gateway, hidden, content, manner, state, attempt, reference, message_id, reason, detail, at,
            lease,
        ) = row  # fmt: skip
        # What is known by its content is what it is.
        is_same = is_content(key) or (content, manner) == self._hide_message(key, wanted.to, wanted)
        return JournalEntry(
            key, index, gateway, wanted.to if is_same else "", wanted if is_same else None,
            account if hidden == self._hide_account(account) else "",
            None if state == _IN_FLIGHT else Outcome(state), attempt, reference,
            None if message_id is None else int(message_id, base=0), reason, detail, at, lease,
        )  # fmt: skip

    def _hide(self, kind: str, value: str) -> bytes:
        return keyed_hash(f"{kind} {value}", self._hash_key.value).digest()

    def _hide_message(self, key: str, number: str, message: OutgoingMessage) -> tuple[bytes, bytes | None]:
        content = self._hide("content", f"{number}\0{message.text}")
        if is_content(key):
            return content, None
        at = "" if message.send_at is None else message.send_at.astimezone(datetime.UTC).isoformat()
        return content, self._hide("manner", f"{clean_line(message.sender) or ''}\0{at}")

    def _hide_account(self, account: str) -> bytes:
        if account not in self._accounts:
            self._accounts[account] = self._hide("account", account)
        return self._accounts[account]


def _require_plain(value: object, argument: str) -> str:
    text = checks.require_text(value, argument)
    if "\0" in text:
        raise InvalidArgumentError(f"{argument} holds a NUL character, which PostgreSQL has none of", argument=argument)
    return text


def _number(entries: Sequence[JournalEntry], counts: Sequence[bool]) -> Sequence[int | None]:
    return [entry.attempt + 1 if is_written else None for entry, is_written in zip(entries, counts, strict=True)]


def _in_rounds(keys: Sequence[bytes]) -> Iterator[Mapping[bytes, int]]:
    """Places by their keys, in the keys' order, so that two runs do not wait for each other. A statement changes a row
    once: of those with the same key, which `send_many` never writes at once, each is in a round of its own."""
    seen = Counter[bytes]()
    rounds: list[dict[bytes, int]] = []
    for place, key in enumerate(keys):
        if seen[key] == len(rounds):
            rounds.append({})
        rounds[seen[key]][key] = place
        seen[key] += 1
    for places in rounds:
        yield dict(sorted(places.items()))


def _to_settle(entry: JournalEntry) -> tuple[Any, ...]:
    return (
        entry.outcome and entry.outcome.value, _write_text(entry.reference), _write_id(entry.message_id),
        _write_text(entry.reason), _write_text(entry.detail), entry.at,
    )  # fmt: skip


def _write_text(value: str | None) -> str | None:
    """A text as PostgreSQL takes it: without NUL."""
    return None if value is None else checks.replace_halves(value).replace("\0", "\ufffd")


def _write_id(message_id: int | None) -> str | None:
    """An id of any size. In base 16 Python writes and reads any number of digits."""
    if message_id is None:
        return None
    return str(message_id) if message_id.bit_length() <= _MOST_BITS else hex(message_id)
