"""The journal's file where others have had their hands in it: who may read it, what it holds, where its path leads."""

# ruff: noqa: ASYNC240 -- nothing else goes on meanwhile

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from payamak.common import InvalidArgumentError, JournalEntry, JournalError, Outcome, OutgoingMessage, private_files
from payamak.common.sqlite_journal import SqliteJournal
from support.ghasedak import failure_of
from support.journals import put, query
from support.sentinels import PHONE, TEXT, assert_silent

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
ENDS = ("", "-journal", "-wal", "-shm", ".lock")
MESSAGE = OutgoingMessage(PHONE, TEXT)
ACCOUNT = "an account"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture(params=[0, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def entry(**fields: Any) -> JournalEntry:
    given: dict[str, Any] = {"key": "content 1", "recipient": PHONE, "message": MESSAGE, "account": ACCOUNT, **fields}
    return JournalEntry(index=1, gateway="ghasedak", **given)


async def use(path: Path) -> JournalEntry:
    """Do all that a run does with what it finds."""
    async with SqliteJournal(path) as journal:
        await journal.require_account(ACCOUNT)
        (found,) = (await journal.read({"content 1": MESSAGE}, ACCOUNT)).values()
        found.make_error()
        await journal.list_references()
        await journal.find_changed([(PHONE, MESSAGE)], ACCOUNT)
        await journal.begin([found], 1.0)
        return found


async def make(path: Path, **fields: Any) -> None:
    async with SqliteJournal(path) as journal:
        await put(journal, entry(**{"outcome": Outcome.UNKNOWN, "reference": "r", **fields}))


# Who may read it.


@POSIX
@pytest.mark.usefixtures("umask")
async def test_nobody_else_may_read_any_file_of_it(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await put(journal, entry())
        files = sorted(path.parent.iterdir())
        ends = ["", "-journal", f".{journal._presence.run}.lock", ".lock"]
        assert [file.name for file in files] == [f"journal.db{end}" for end in ends]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@POSIX
async def test_what_others_could_read_they_cannot_any_more(path: Path) -> None:
    await make(path)
    for end in ENDS:
        file = Path(f"{path}{end}")
        file.touch()
        file.chmod(0o644)
    async with SqliteJournal(path):
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


@POSIX
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("end", ENDS)
async def test_no_link_is_followed(path: Path, end: str, *, is_there: bool) -> None:
    target = path.with_name("target")
    if is_there:
        target.write_text("mine")
        target.chmod(0o644)
    Path(f"{path}{end}").symlink_to(target)
    error = await failure_of(use(path))
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, f"'journal.db{end}' is a symbolic link" in str(error)) == ("path", True)
    assert target.exists() == is_there
    assert not is_there or (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("mine", 0o644)


@POSIX
@pytest.mark.parametrize("end", ["", ".lock"])
async def test_a_file_of_another_user_is_no_place(path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Who owns it can read it, whatever its mode."""
    Path(f"{path}{end}").touch()
    monkeypatch.setattr(os, "geteuid", lambda: path.parent.stat().st_uid + 1000)
    monkeypatch.setattr(private_files, "_ROOT", -1)  # Who runs the test may be root.
    error = await failure_of(use(path))
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, f"'journal.db{end}' belongs to another" in str(error)) == ("path", True)


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
async def test_root_closes_the_file_of_a_user(path: Path) -> None:
    await make(path)
    os.chown(path, 12345, 12345)
    path.chmod(0o644)
    async with SqliteJournal(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@POSIX
@pytest.mark.parametrize("make_other", [os.mkdir, os.mkfifo])
async def test_what_is_no_file(path: Path, make_other: Callable[[Path], None]) -> None:
    make_other(path)
    error = await failure_of(use(path))
    assert isinstance(error, InvalidArgumentError)
    assert "regular file" in str(error)


@pytest.mark.parametrize("place", [":memory:", "", b"", "folder/", "a\0b", 5, None])
def test_what_is_not_kept_in_a_file(place: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="must name a file") as caught:
        SqliteJournal(place)
    assert caught.value.argument == "path"


async def test_a_path_of_bytes(path: Path) -> None:
    async with SqliteJournal(os.fsencode(path)):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert path.exists()


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read all")
@pytest.mark.parametrize("mode", [0o000, 0o400])
async def test_a_file_that_may_not_be_read_or_written(path: Path, mode: int) -> None:
    await make(path)
    path.chmod(mode)
    assert isinstance(await failure_of(use(path)), JournalError)


# What it holds.

SECRET = f"CAST('{TEXT}' AS BLOB)"
CELLS = [
    ("state", "'posted'"), ("state", SECRET), ("state", "x'ff'"), ("at", f"'{TEXT}'"), ("at", "'2026-11-22'"),
    ("at", "5"), ("at", "x'00'"), ("message_id", f"'{TEXT}'"), ("message_id", "'#'"), ("message_id", "1.5"),
    ("message_id", SECRET), ("attempt", f"'{TEXT}'"), ("attempt", "x'01'"), ("attempt", "9223372036854775807"),
    ("leased_until", f"'{TEXT}'"), ("leased_until", "9e999"), ("reason", SECRET), ("detail", SECRET),
    ("reference", SECRET), ("recipient", SECRET),
    ('"index"', "1.5"), ("gateway", "x'00'"), ("sender", SECRET), ("send_at", SECRET),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), CELLS)
async def test_a_cell_that_no_journal_writes(path: Path, column: str, value: str) -> None:
    await make(path)
    query(path, f"UPDATE messages SET {column} = {value}")  # noqa: S608 -- the test's own
    error = await failure_of(use(path))
    assert isinstance(error, JournalError)
    assert_silent(error)


@pytest.mark.parametrize(
    ("column", "value"),
    [("reason", "'ReplyError'"), ("reason", "'Outcome'"), ("reason", "'__name__'"), ("detail", "CAST(x'ff' AS TEXT)"),
     ("reference", "CAST(x'ff' AS TEXT)"), ("message_id", "'#123'"), ("text", "CAST(x'eda080' AS TEXT)")],
)  # fmt: skip
async def test_a_cell_that_makes_no_difference(path: Path, column: str, value: str) -> None:
    await make(path)
    query(path, f"UPDATE messages SET {column} = {value}")  # noqa: S608 -- the test's own
    assert (await use(path)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE settings",
        "DELETE FROM settings",
        "UPDATE settings SET salt = 'text'",
        "UPDATE settings SET salt = 5",
        "UPDATE settings SET salt = zeroblob(65)",
        "UPDATE settings SET hash_proof = x'00'",
        "DROP TABLE messages",
        "ALTER TABLE messages RENAME COLUMN state TO status",
        "ALTER TABLE messages RENAME TO others",
        "ALTER TABLE messages ADD COLUMN more TEXT",
        "ALTER TABLE messages RENAME TO others; CREATE VIEW messages AS SELECT * FROM others",
        "CREATE TRIGGER forget AFTER INSERT ON messages BEGIN DELETE FROM messages; END",
        "DROP INDEX messages_key",
        "UPDATE messages SET key = x'00'",
        "UPDATE messages SET key = hex(zeroblob(8))",
        "PRAGMA user_version = 99",
        "PRAGMA application_id = 3",
    ],
)
async def test_tables_that_are_no_journals(path: Path, change: str) -> None:
    await make(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(change)
    assert isinstance(await failure_of(use(path)), JournalError)


async def test_bytes_that_somebody_has_spoiled(path: Path) -> None:
    """Whatever stands there: one error of ours, or what was there before."""
    await make(path)
    whole = path.read_bytes()
    dice = random.Random(5)  # noqa: S311 -- no secret
    refused = 0
    for _ in range(60):
        spoiled = bytearray(whole[: dice.choice([len(whole), dice.randrange(len(whole))])])
        for _ in range(dice.choice([1, 5, 200])):
            if spoiled:
                # The header, and the names of the tables behind it, are where most of the strange errors come from.
                spoiled[dice.randrange(min(len(spoiled), dice.choice([100, 4096, len(whole)])))] = dice.randrange(256)
        path.unlink()
        Path(f"{path}-journal").unlink(missing_ok=True)
        path.write_bytes(spoiled)
        try:
            await use(path)
        except JournalError as error:
            refused += 1
            assert_silent(error)
        except ValueError as error:
            # A flipped bit that nothing tells from what was written can hide a message's key.
            assert "not enough values to unpack" in str(error)  # noqa: PT017
    assert refused > 30


# What it is given.


@pytest.mark.parametrize(
    "message_id",
    [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1 << 20_000, None],
    ids=lambda value: f"{value:#x}"[:8] if value else "none",
)
async def test_an_id_of_any_size(path: Path, message_id: int | None) -> None:
    await make(path, outcome=Outcome.SENT, message_id=message_id)
    async with SqliteJournal(path) as journal:
        (found,) = (await journal.read({"content 1": MESSAGE}, ACCOUNT)).values()
    assert found.message_id == message_id


async def test_half_a_character_is_written_as_none(path: Path) -> None:
    half = "a\ud800b"
    message = OutgoingMessage(half, half, half, check_id=half)
    async with SqliteJournal(path) as journal:
        await put(
            journal,
            entry(message=message, recipient=half, outcome=Outcome.UNKNOWN, reference=half, detail=half, reason=half),
        )
    columns = "recipient, text, sender, check_id, reference, detail, reason"
    assert query(path, f"SELECT {columns} FROM messages") == [("a\ufffdb",) * 7]  # noqa: S608 -- the test's own
