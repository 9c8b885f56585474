"""The journal in PostgreSQL, by itself. What it has in common with the others is tested with the one in a file."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, cast

import asyncpg
import attrs
import pytest
from payamak.common import InvalidArgumentError, JournalEntry, JournalError, Outcome, OutgoingMessage, SendReport
from payamak.common.hiding import Secret
from payamak.common.many import postgres_connections, postgres_journal
from payamak.common.postgres_journal import SCHEMA, PostgresJournal
from payamak.emulator import Emulator
from support.ghasedak import failure_of
from support.journals import ACCOUNT, HASH_KEY, MESSAGE, begin, entry, put, read, read_leased
from support.many import GHASEDAK, by_outcome
from support.postgres import PostgresServer
from support.postgres_proxy import PostgresProxy
from support.printed import list_blocks, read_page
from support.sentinels import CHECK_ID, PASSWORD, PHONE, TEXT, assert_all_silent, assert_silent

pytestmark = pytest.mark.real_time
LEASE = 700.0
_scopes = itertools.count()


@pytest.fixture
def scope() -> str:
    return f"scope {next(_scopes)}"


@pytest.fixture
async def journal(postgres: PostgresServer, scope: str) -> AsyncIterator[PostgresJournal]:
    async with postgres.open_journal(scope) as opened:
        yield opened


async def query(server: PostgresServer, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the database as anybody would."""
    connection = await asyncpg.connect(server.dsn)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *values)]
    finally:
        await connection.close()


@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_what_is_written_is_read(journal: PostgresJournal, outcome: Outcome | None) -> None:
    written = entry(7, outcome, reference="r", message_id=5, reason="RateLimitError", detail="too many")
    await put(journal, written)
    if outcome is None:  # Nobody has an id yet, or an error.
        written = attrs.evolve(written, message_id=None, reason=None, detail=None)
    assert await read(journal, 7, 8) == {"content 7": attrs.evolve(written, attempt=1)}
    assert await read(journal) == {}


async def test_ids_of_any_size(journal: PostgresJournal) -> None:
    ids = {index: sign * (1 << (index * 500)) - 1 for index in range(40) for sign in [-1 if index % 2 else 1]}
    await put(journal, *(entry(index, Outcome.SENT, message_id=number) for index, number in ids.items()))
    assert {found.index: found.message_id for found in (await read(journal, *ids)).values()} == ids


async def test_what_postgresql_has_no_characters_for(journal: PostgresJournal) -> None:
    odd = "a\ud800\0b"
    message = OutgoingMessage(odd, odd, odd, check_id=odd)
    given = entry(1, Outcome.UNKNOWN, key=odd, message=message, recipient=odd, reference=odd, reason=odd, detail=odd)
    await put(journal, given)
    found = (await journal.read({odd: message}, ACCOUNT))[odd]
    assert (found.reference, found.reason, found.detail) == ("a\ufffd\ufffdb",) * 3
    assert found.message == message


async def test_each_entry_has_its_account(journal: PostgresJournal) -> None:
    await put(journal, entry(1), entry(2, account="another"))
    assert [found.account for found in (await read(journal, 1, 2)).values()] == [ACCOUNT, ""]


_AT = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"to": "09120000000"}, False),
        ({"text": "another"}, False),
        ({"sender": None}, False),
        ({"send_at": _AT + datetime.timedelta(seconds=1)}, False),
        ({"send_at": _AT.astimezone(datetime.timezone(datetime.timedelta(hours=3)))}, True),
        ({"sender": "+9810008566"}, True),
        ({}, True),
    ],
)
async def test_another_message_by_the_same_key(journal: PostgresJournal, change: dict[str, Any], is_same: bool) -> None:
    message = attrs.evolve(MESSAGE, send_at=_AT)
    key = f"check id {CHECK_ID}"
    await put(journal, entry(1, Outcome.SENT, key=key, message=message))
    wanted = attrs.evolve(message, **change)
    (found,) = (await journal.read({key: wanted}, ACCOUNT)).values()
    assert (found.message, found.recipient) == ((wanted, wanted.to) if is_same else (None, ""))


async def test_scopes_know_nothing_of_each_other(
    journal: PostgresJournal, postgres: PostgresServer, scope: str
) -> None:
    await put(journal, entry(1, Outcome.SENT, reference="r"))
    async with postgres.open_journal(f"{scope} too") as other:
        assert await read(other, 1) == {}
        assert await other.list_references() == []
        assert await begin(other, 1) == [1]
        assert await other.purge(datetime.timedelta(microseconds=1)) == 0
    assert (await read(journal, 1))["content 1"].outcome is Outcome.SENT
    assert await journal.list_references() == ["r"]


async def test_what_was_settled_long_ago_can_be_deleted(journal: PostgresJournal) -> None:
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
    states = [None, *Outcome]
    await put(journal, *(entry(index, outcome, at=old) for index, outcome in enumerate(states)))
    await put(journal, *(entry(10 + index, outcome) for index, outcome in enumerate(states)))
    assert await journal.purge(datetime.timedelta(days=31)) == 0
    assert await journal.purge(datetime.timedelta(days=29)) == 3
    left = await read(journal, *range(20))
    assert {found.outcome for found in left.values() if found.index < 10} == {None, Outcome.UNKNOWN}
    assert len(left) == 2 + len(states)
    for age in (datetime.timedelta(), cast("datetime.timedelta", 5)):
        assert isinstance(await failure_of(journal.purge(age)), InvalidArgumentError)


# Two at one database.


async def test_of_two_only_one_begins(postgres: PostgresServer, scope: str) -> None:
    """Though each comes to the messages from another end."""
    async with postgres.open_journal(scope) as first, postgres.open_journal(scope) as second:
        for start in range(0, 500, 50):
            numbers = range(start, start + 50)
            ours, theirs = await asyncio.gather(begin(first, *numbers), begin(second, *reversed(numbers)))
            assert sorted(zip(ours, reversed(theirs), strict=True), key=str) == sorted(
                ((1, None) if attempt else (None, 1) for attempt in ours), key=str
            )
            settled = [entry(number, Outcome.SENT, attempt=1) for number in numbers]
            assert await first.settle(settled) == [attempt == 1 for attempt in ours]


async def test_who_was_overtaken_writes_nothing_more(postgres: PostgresServer, scope: str) -> None:
    async with postgres.open_journal(scope) as first, postgres.open_journal(scope) as second:
        assert await begin(first, 1) == [1]
        assert await second.take_over([entry(1, attempt=1)], 1.0) == [2]
        for attempt in (1, 2):
            assert await first.settle([entry(1, Outcome.NOT_SENT, attempt=attempt)]) == [False]
        assert await first.begin([entry(1, attempt=1)], 1.0) == [None]
        assert await first.take_over([entry(1, attempt=1)], 1.0) == [None]
        assert await second.settle([entry(1, Outcome.SENT, attempt=2)]) == [True]


# Ids that are found by content.


async def test_an_id_is_of_one_message(journal: PostgresJournal) -> None:
    await put(journal, entry(1, Outcome.SENT, message_id=5), *map(entry, (2, 3, 4)), entry(5, Outcome.UNKNOWN))

    def claim(index: int, message_id: int, attempt: int = 1) -> JournalEntry:
        return entry(index, attempt=attempt, message_id=message_id)

    assert await journal.claim([claim(2, 5), claim(3, 6), claim(4, 7, attempt=2), claim(5, 8)]) == [
        False, True, False, True,
    ]  # fmt: skip
    assert await journal.claim([claim(3, 6), claim(2, 6), claim(9, 9)]) == [True, False, False]
    assert (await journal.claim([claim(2, 10), claim(4, 10)])).count(True) == 1
    assert await journal.claim([claim(1, 11)]) == [False], "it was sent already"
    assert (await read(journal, 3))["content 3"].message_id == 6


async def test_of_two_at_once_one_has_the_id(postgres: PostgresServer, scope: str) -> None:
    async with postgres.open_journal(scope) as first, postgres.open_journal(scope) as second:
        for number in range(0, 40, 2):
            messages = [attrs.evolve(MESSAGE, text=str(place)) for place in (number, number + 1)]
            entries = [entry(number + place, message=message) for place, message in enumerate(messages)]
            await first.begin(entries[:1], LEASE)
            await second.begin(entries[1:], LEASE)
            ours, theirs = [attrs.evolve(one, attempt=1, message_id=number) for one in entries]
            granted = await asyncio.gather(first.claim([ours]), second.claim([theirs]))
            assert sorted(map(any, granted)) == [False, True]


@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_nobody_can_tell_whose_it_is(postgres: PostgresServer, scope: str, outcome: Outcome | None) -> None:
    """If another run has the same text to the same number in flight, or has lost it."""
    async with postgres.open_journal(scope) as first, postgres.open_journal(scope) as second:
        await put(first, entry(1), entry(2, message=attrs.evolve(MESSAGE, text="another")))
        await put(second, entry(3, outcome, key=f"check id {CHECK_ID}"))
        wanted = [entry(index, attempt=1, message_id=index) for index in (1, 2)]
        assert await first.claim(wanted) == [outcome not in (None, Outcome.UNKNOWN), True]


# Connections that break.


Write = Callable[[PostgresJournal], Coroutine[Any, Any, Sequence[object]]]
WRITES: dict[str, tuple[Write, Sequence[object], tuple[Outcome | None, int]]] = {
    "begin": (lambda journal: journal.begin([entry(0), entry(1, attempt=1)], LEASE), [1, 2], (None, 2)),
    "take_over": (lambda journal: journal.take_over([entry(0), entry(1, attempt=1)], LEASE), [None, 2], (None, 2)),
    "settle": (
        lambda journal: journal.settle([entry(0), entry(1, Outcome.SENT, attempt=1)]),
        [False, True],
        (Outcome.SENT, 1),
    ),
}


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[PostgresProxy]:
    async with PostgresProxy(postgres.port) as running:
        yield running


def through(proxy: PostgresProxy, server: PostgresServer, scope: str) -> PostgresJournal:
    dsn = server.dsn.replace(str(server.port), str(proxy.port))
    return PostgresJournal(dsn, scope=scope, hash_key=HASH_KEY)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("where", ["statement", "answer"])
async def test_a_connection_that_breaks(
    postgres: PostgresServer, proxy: PostgresProxy, scope: str, name: str, where: str
) -> None:
    write, expected, after = WRITES[name]
    async with through(proxy, postgres, scope) as journal:
        assert await begin(journal, 1) == [1]
        proxy.break_at = where
        assert await write(journal) == expected
        found = (await read(journal, 1))["content 1"]
    assert proxy.broken == 1
    assert (found.outcome, found.attempt) == after


@pytest.mark.parametrize("name", WRITES)
async def test_what_comes_late_changes_nothing(
    postgres: PostgresServer, proxy: PostgresProxy, scope: str, name: str
) -> None:
    """What is still on its way when it is written a second time arrives when all is over."""
    write, expected, _ = WRITES[name]
    async with postgres.open_journal(scope) as other, through(proxy, postgres, scope) as journal:
        assert await begin(journal, 1) == [1]
        proxy.break_at = "held statement"
        assert await write(journal) == expected
        (found,) = (await read(journal, 1)).values()
        await journal.settle([attrs.evolve(found, outcome=Outcome.NOT_SENT)])
        if name != "settle":
            await other.begin([attrs.evolve(found)], LEASE)
        before = await read_leased(other, 0, 1)
        await journal.aclose()
        await proxy.release()
        after = await read_leased(other, 0, 1)
    assert [attrs.evolve(one, lease=0.0) for one in after.values()] == [
        attrs.evolve(one, lease=0.0) for one in before.values()
    ]
    assert [one.lease > 0 for one in after.values()] == [one.lease > 0 for one in before.values()]


async def test_who_gives_up_leaves_nothing_behind(journal: PostgresJournal, postgres: PostgresServer) -> None:
    for index in range(12):
        task = asyncio.create_task(begin(journal, index))
        await asyncio.sleep(index / 4000)
        task.cancel()
        await asyncio.wait({task})
    assert await begin(journal, 20) == [1]
    # The connections of those who gave up have ended, and are not used again.
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
    async with asyncio.timeout(10):
        while await query(postgres, open_ones) != [(1,)]:  # noqa: ASYNC110 -- the server tells nobody
            await asyncio.sleep(0.01)


async def test_the_database_crashes_between_two_writings(
    journal: PostgresJournal, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connections, "_LAST_TRY_AFTER", 60.0)  # How long it starts is the machine's affair.
    assert await asyncio.gather(*(begin(journal, index, lease=LEASE) for index in range(8))) == [[1]] * 8
    await asyncio.to_thread(postgres.kill)
    writing = asyncio.create_task(journal.settle([entry(1, Outcome.SENT, attempt=1)]))
    await asyncio.to_thread(postgres.start)
    assert await writing == [True]
    assert await begin(journal, 9) == [1]
    found = await read_leased(journal, *range(10))
    assert [one.outcome for one in found.values()].count(Outcome.SENT) == 1
    assert 0 < found["content 2"].lease <= LEASE
    assert len(found) == 9


# What it costs.


async def test_two_commits_a_request(journal: PostgresJournal, postgres: PostgresServer) -> None:
    async def count() -> int:
        ((number,),) = await query(postgres, "SELECT pg_current_xact_id()::text::bigint")
        return int(number)

    before = await count()
    await put(journal, *(entry(index, Outcome.SENT) for index in range(100)))
    assert await count() - before == 2 + 1, "asking takes one too"


async def test_what_is_written_into_the_log(journal: PostgresJournal, postgres: PostgresServer) -> None:
    async def measure() -> int:
        ((place,),) = await query(postgres, "SELECT pg_current_wal_insert_lsn() - '0/0'")
        return int(place)

    before = await measure()
    for start in range(0, 2000, 100):
        fields = {"reference": f"{10**17 + start}", "message_id": 10**9 + start}
        await put(journal, *(entry(start + index, Outcome.SENT, **fields) for index in range(100)))
    assert await measure() - before <= 550 * 2000


def _count_rows(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each node of a plan has read."""
    thrown_away = sum(count for name, count in plan.items() if name.startswith("Rows Removed"))
    yield (plan["Actual Rows"] + thrown_away) * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from _count_rows(part)


_FILL = """
INSERT INTO payamak_messages (key, scope, index, gateway, account, content, state, attempt, run, step, at)
SELECT decode(md5(number::text), 'hex'), $1, number, 'ghasedak', '', '', 'sent', 1, gen_random_uuid(), 0, now()
FROM generate_series(1, 60000) AS number
"""


async def test_no_statement_reads_more_than_it_is_asked_for(
    journal: PostgresJournal, postgres: PostgresServer, scope: str
) -> None:
    """Also before PostgreSQL has looked at what is in the table."""
    statements: list[tuple[str, Sequence[Any]]] = []

    class Spy:
        async def fetch(self, _: str, statement: str, values: Secret[Sequence[Any]], *__: Any, **___: Any) -> list[Any]:
            statements.append((statement, values.value))
            return []

    await query(postgres, _FILL, scope)
    await begin(journal, *range(800))
    opened, journal._connections = journal._connections, cast("Any", Spy())
    # Rows of their own for each, for what is rolled back leaves dead ones.
    for start in (0, 400):
        begun = [entry(index, Outcome.SENT, attempt=1) for index in range(start, start + 400)]
        await read(journal, *range(start, start + 100))
        await journal.begin(begun[100:200], LEASE)
        await journal.take_over(begun[200:300], LEASE)
        await journal.settle(begun[300:])
    journal._connections = opened
    connection = await asyncpg.connect(postgres.dsn)
    try:
        for place, (statement, values) in enumerate(statements):
            kind = "generic" if place < 4 else "custom"
            await connection.execute(f"SET plan_cache_mode = force_{kind}_plan")
            transaction = connection.transaction()
            await transaction.start()
            explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
            await transaction.rollback()
            (plan,) = json.loads(explained)
            assert max(_count_rows(plan["Plan"])) == 100, f"{kind} {explained}"
    finally:
        await connection.close()
    assert len(statements) == 8


# Whose it is, and what it tells.


async def test_what_is_committed_is_on_the_disk(postgres: PostgresServer, scope: str) -> None:
    for given, used in {"off": "on", "local": "on", "on": "on", "remote_apply": "remote_apply"}.items():
        dsn = f"{postgres.dsn}&synchronous_commit={given}"
        async with PostgresJournal(dsn, scope=scope, hash_key=HASH_KEY) as journal:
            assert journal._connections is not None
            rows = await journal._connections.fetch("read", "SHOW synchronous_commit", Secret(()))
            assert rows[0][0] == used


async def test_another_hash_key_knows_no_message(
    postgres: PostgresServer, journal: PostgresJournal, scope: str
) -> None:
    other = PostgresJournal(postgres.dsn, scope=scope, hash_key=HASH_KEY[::-1])
    error = await failure_of(other.__aenter__())
    assert isinstance(error, JournalError)
    assert "another hash_key" in str(error)
    assert repr(other) == "<PostgresJournal closed>"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("hash_key", value) for value in (b"x" * 15, b"x" * 65, "sixteen letters.", None)),
        *(("scope", value) for value in ("", "x" * 101, "\0", "\ud800", 5)),
        *(("dsn", value) for value in ("", None)),
    ],
)
def test_arguments_that_are_none(name: str, value: Any) -> None:
    given: dict[str, Any] = {"dsn": "postgresql://", "scope": "s", "hash_key": HASH_KEY, name: value}
    with pytest.raises(InvalidArgumentError) as caught:
        PostgresJournal(given.pop("dsn"), **given)
    assert caught.value.argument == name


async def test_a_journal_that_is_not_open(postgres: PostgresServer, scope: str) -> None:
    journal = postgres.open_journal(scope)
    async with journal:
        assert isinstance(await failure_of(journal.__aenter__()), JournalError)
        assert repr(journal) == "<PostgresJournal open>"
        await begin(journal, 1)
    await journal.aclose()
    for use in (
        read(journal, 1),
        begin(journal, 1),
        journal.settle([]),
        journal.take_over([], 1.0),
        journal.list_references(),
        journal.purge(datetime.timedelta(1)),
    ):
        assert "not open" in str(await failure_of(use))
    async with journal:
        assert len(await read(journal, 1)) == 1


def test_the_same_journal_in_one_event_loop_after_another(postgres: PostgresServer, scope: str) -> None:
    journal = postgres.open_journal(scope)

    async def use(attempt: int) -> Sequence[Sequence[int | None]]:
        async with journal:
            return await asyncio.gather(
                *(journal.begin([entry(index, attempt=attempt)], 1.0) for index in range(20)),
            )

    for attempt in range(2):
        assert asyncio.run(use(attempt)) == [[attempt + 1]] * 20


async def test_without_its_tables(postgres: PostgresServer) -> None:
    await query(postgres, "CREATE SCHEMA elsewhere")
    try:
        dsn = f"{postgres.dsn}&search_path=elsewhere"
        journal = PostgresJournal(dsn, scope="s", hash_key=HASH_KEY)
        assert "create_schema" in str(await failure_of(journal.__aenter__()))
        await asyncio.gather(*(PostgresJournal.create_schema(dsn) for _ in range(3)))
        async with journal:
            await begin(journal, 1)
    finally:
        await query(postgres, "DROP SCHEMA elsewhere CASCADE")


async def test_no_number_and_no_text_is_in_the_database(
    postgres: PostgresServer, journal: PostgresJournal, scope: str
) -> None:
    with_id = entry(1, Outcome.SENT, key=f"check id {CHECK_ID}", account="an account's hash", message_id=5)
    await put(journal, with_id, entry(2), entry(3, Outcome.REFUSED, reason="RateLimitError", detail="too many"))
    ((held,),) = await query(
        postgres, "SELECT string_agg(row_to_json(m)::text, ' ') FROM payamak_messages m WHERE scope = $1", scope
    )
    ((settings,),) = await query(postgres, "SELECT string_agg(row_to_json(s)::text, ' ') FROM payamak_scopes s")
    held += settings
    assert "too many" in held
    for secret in (PHONE[1:], TEXT, CHECK_ID, "an account", "content 2", HASH_KEY.decode(), HASH_KEY.hex()):
        assert secret not in held
        assert secret.encode().hex() not in held


@pytest.mark.parametrize("fields", [{"attempt": 2**31}, {"gateway": None}], ids=["asyncpg's", "PostgreSQL's"])
async def test_errors_tell_nothing(journal: PostgresJournal, fields: dict[str, Any]) -> None:
    """asyncpg quotes the value, PostgreSQL the row."""
    given = attrs.evolve(entry(1, reference=CHECK_ID), **fields)
    error = await failure_of(journal.begin([given], 1.0))
    assert isinstance(error, JournalError)
    assert error.__cause__ is error.__context__ is None
    assert_silent(error)
    frame = error.__traceback__
    while frame is not None:
        assert_all_silent(frame.tb_frame.f_locals.values())
        frame = frame.tb_next
    assert await begin(journal, 2) == [1]


async def test_nothing_shows(journal: PostgresJournal) -> None:
    assert_all_silent([journal, PostgresJournal(f"postgresql://{PASSWORD}", scope=TEXT, hash_key=TEXT.encode() * 2)])


# The page about it, the tables, and what it needs.


async def test_the_printed_example(
    postgres: PostgresServer, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "DATABASE_URL": postgres.dsn,
        "JOURNAL_KEY": HASH_KEY.hex(),
        "GHASEDAK_URL": emulator.ghasedak_url,
        "GHASEDAK_KEY": "emulator-key",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (block,) = (one for one in list_blocks(read_page("docs/sending-many.md")) if "PostgresJournal(" in one.code)
    printed: dict[str, Any] = {}
    exec(block.code, printed)  # noqa: S102
    messages = GHASEDAK.messages(5)
    for is_second in (False, True):
        reports: list[SendReport] = await printed["send_bills"](messages)
        assert by_outcome(reports) == {Outcome.SENT: 5}
        assert {report.from_journal for report in reports} == {is_second}
    assert len(GHASEDAK.ledger(emulator)) == 5


def test_the_schema_is_printed() -> None:
    command = [sys.executable, "-m", "payamak.common.postgres_journal"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == SCHEMA == postgres_journal.SCHEMA
    assert not done.stderr


_IMPORT = """
import sys
sys.modules["asyncpg"] = None
import payamak.common, payamak.ghasedak, payamak.common.sqlite_journal
import payamak.common.postgres_journal
"""


def test_without_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines()
    assert lines[-1] == 'ModuleNotFoundError: asyncpg is missing; in your clone of payamak: pip install ".[postgres]"'
    assert len([line for line in lines if line.startswith("Traceback")]) == 1
