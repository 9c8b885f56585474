"""The same command again, after its file, its account or its journal's file has changed."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable

import pytest
from support.command import Command, Done
from support.journals import query
from support.printed import EMULATOR, sent

Call = Callable[..., Done]
JOURNAL, RESULTS = "list.emulator.journal.db", "list.emulator.results.csv"
ROWS = [("Sara", "09121111111"), ("Reza", "09122222222"), ("Ali", "09123333333"), ("Mina", "09124444444")]
TEXT = ("--text", "Dear {name}")


def write(payamak: Command, rows: list[tuple[str, str]], delimiter: str = ",", end: str = "\n") -> None:
    lines = [delimiter.join(cells) for cells in [("name", "number"), *rows]]
    payamak.write("list.csv", end.join([*lines, ""]))


def send(call: Call, *options: str) -> Done:
    return call("send-many", "list.csv", "--emulator", *TEXT, *options)


def of_several(numbers: list[str]) -> int:
    """How many people have got more than one message."""
    return sum(times > 1 for times in Counter(numbers).values())


def got() -> list[str]:
    return [message["recipient"] for message in sent()]


EDITS: dict[str, Callable[[list[tuple[str, str]]], list[tuple[str, str]]]] = {
    "a row deleted": lambda rows: rows[1:],
    "a row inserted": lambda rows: [*rows[:1], ("Nima", "09125555555"), *rows[1:]],
    "sorted": sorted,
    "turned round": lambda rows: rows[::-1],
    "no leading zero": lambda rows: [(name, number.lstrip("0")) for name, number in rows],
    "Persian digits": lambda rows: [
        (name, number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))) for name, number in rows
    ],
    "with the country code": lambda rows: [(name, f"+98{number[1:]}") for name, number in rows],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
def test_an_edited_file_costs_nothing(
    call: Call, payamak: Command, edit: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]
) -> None:
    rows = [*ROWS[:2], ("Wrong", "0912"), *ROWS[2:]]
    write(payamak, rows)
    assert send(call).returncode == 1
    write(payamak, edit([row for row in rows if row[0] != "Wrong"]), delimiter=";", end="\r\n")
    send(call)
    assert of_several(got()) == 0
    assert all(row["outcome"] == "sent" for row in payamak.results(RESULTS, ";"))
    assert set(got()) >= {number for _, number in ROWS}


def test_one_number_several_times(call: Call, payamak: Command) -> None:
    write(payamak, [ROWS[0]] * 3)
    assert send(call).returncode == 0
    write(payamak, [ROWS[1], *[ROWS[0]] * 4])
    assert send(call).returncode == 0
    assert Counter(got()) == {ROWS[0][1]: 4, ROWS[1][1]: 1}
    write(payamak, ROWS[:2])
    assert send(call).returncode == 5


def test_a_text_that_was_changed_by_mistake(call: Call, payamak: Command) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    before = (payamak.folder / RESULTS).read_bytes()
    done = call("send-many", "list.csv", "--emulator", "--text", "dear {name}")
    assert (done.returncode, done.stdout, len(sent())) == (2, "", len(ROWS))
    assert done.stderr.startswith("payamak: row 2, 3, 4, 5: an earlier run has sent the number another text")
    assert (payamak.folder / RESULTS).read_bytes() == before
    assert not (payamak.folder / f"{RESULTS}.part").exists()
    new = call("send-many", "list.csv", "--emulator", "--text", "dear {name}", "--changed-texts-are-new")
    assert (new.returncode, len(sent())) == (0, 2 * len(ROWS))


def test_many_changed_rows_are_not_all_named(call: Call, payamak: Command) -> None:
    write(payamak, [(f"name {place}", f"0912000{place:04}") for place in range(30)])
    assert send(call).returncode == 0
    write(payamak, [(f"name {place}!", f"0912000{place:04}") for place in range(30)])
    assert "row 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 20 more: " in send(call).stderr


@pytest.mark.parametrize("state", ["sent", "in flight", "unknown"])
def test_what_may_have_been_sent_counts_as_sent(call: Call, payamak: Command, state: str) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    query(payamak.folder / JOURNAL, f"UPDATE messages SET state = '{state}'")  # noqa: S608 -- the test's own
    write(payamak, [("Sarah", ROWS[0][1]), *ROWS[1:]])
    done = send(call)
    assert (done.returncode, "row 2: " in done.stderr, len(sent())) == (2, True, len(ROWS))


@pytest.mark.parametrize("state", ["refused", "not sent"])
def test_a_row_that_nobody_got_may_be_changed(call: Call, payamak: Command, state: str) -> None:
    write(payamak, ROWS[:1])
    assert send(call).returncode == 0
    query(payamak.folder / JOURNAL, f"UPDATE messages SET state = '{state}'")  # noqa: S608 -- the test's own
    write(payamak, [("Sarah", ROWS[0][1])])
    assert send(call).returncode == 0


def test_a_second_message_to_somebody_is_no_change(call: Call, payamak: Command) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    write(payamak, [*ROWS, ("Mrs Sara", ROWS[0][1])])
    assert (send(call).returncode, len(sent())) == (0, len(ROWS) + 1)


def test_rows_that_are_left_out_are_held_all_the_same(call: Call, payamak: Command) -> None:
    """Here the repeated one, which is known as the second of its like."""
    write(payamak, [*ROWS, ROWS[0]])
    assert send(call).returncode == 0
    assert send(call, "--skip-duplicates").returncode == 5
    assert len(sent()) == len(ROWS) + 1


def test_another_text_by_the_same_check_id(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text,check_id\n09121111111,a,one\n09122222222,b,two\n")
    assert call("send-many", "list.csv", "--emulator").returncode == 0
    before = (payamak.folder / RESULTS).read_bytes()
    payamak.write("list.csv", "number,text,check_id\n09122222222,b,two\n09121111111,c,one\n")
    for options in [(), ("--changed-texts-are-new",)]:  # The gateway, too, would take it for the first.
        done = call("send-many", "list.csv", "--emulator", *options)
        assert (done.returncode, done.stdout, len(sent())) == (2, "", 2)
        assert done.stderr.startswith("payamak: row 3: an earlier run has sent another message with the same check_id")
        assert (payamak.folder / RESULTS).read_bytes() == before


def test_a_check_id_that_stands_twice_in_a_file(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text,check_id\n09121111111,a,one\n09122222222,b,two\n09123333333,c,one \n")
    for options in [(), ("--no-journal",)]:
        done = call("send-many", "list.csv", "--emulator", *options)
        assert (done.returncode, done.stdout, sent()) == (2, "", [])
        assert done.stderr.startswith("payamak: row 4: the check_id is that of an earlier row")
    done = call("send-many", "list.csv", "--emulator", "--dry-run")
    assert done.stdout.startswith(
        "row 4: its check_id is that of an earlier row\n2 messages in 2 SMS parts, 1 wrong rows"
    )


SPOILED = {
    "a time": "number,name,send_at\n09121111111,Sara,1/1/2027 25:00 AM\n09122222222,Reza,\n",
    "a number": "number,name,send_at\n9.12E+09,Sara,\n09122222222,Reza,\n",
    "an error": "number,name,send_at\n#####,Sara,\n09122222222,Reza,\n",
    "a name": "number,name,send_at\n09121111111,,\n09122222222,Reza,\n",
    "a cell too much": "number,name,send_at\n09121111111,Sara,,x\n09122222222,Reza,\n",
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=list(SPOILED))
def test_a_row_that_was_sent_and_is_spoiled_now(call: Call, payamak: Command, spoiled: str) -> None:
    """Nobody who has got it is told otherwise."""
    payamak.write("list.csv", "number,name,send_at\n09121111111,Sara,\n09122222222,Reza,\n")
    assert send(call).returncode == 0
    before = (payamak.folder / RESULTS).read_bytes()
    payamak.write("list.csv", spoiled)
    done = send(call)
    assert (done.returncode, "row 2: " in done.stderr, len(sent())) == (2, True, 2)
    assert (payamak.folder / RESULTS).read_bytes() == before


def test_a_row_that_was_wrong_and_stays_so_hinders_no_other_edit(call: Call, payamak: Command) -> None:
    write(payamak, [*ROWS, ("Wrong", "0912")])
    assert send(call).returncode == 1
    write(payamak, [*ROWS[1:], ("Wrong", "0912"), ("Nobody", "")])
    assert (send(call).returncode, len(sent())) == (1, len(ROWS))


def test_a_key_that_was_wrong_renames_nothing(
    call: Call, payamak: Command, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    monkeypatch.setenv("PAYAMAK_EMULATOR_URL", EMULATOR)
    write(payamak, [("Sarah", ROWS[0][1]), *ROWS[1:]])
    assert send(call, "--same-account").returncode == 2
    monkeypatch.setenv("PAYAMAK_EMULATOR_URL", EMULATOR.replace("127.0.0.1", "localhost"))
    write(payamak, ROWS)
    assert send(call).returncode == 5


@pytest.fixture
def elsewhere(payamak: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same emulator by another name of its machine: another address."""
    monkeypatch.setenv("PAYAMAK_EMULATOR_URL", EMULATOR.replace("127.0.0.1", "localhost"))


def test_another_account_sends_nothing(call: Call, payamak: Command, request: pytest.FixtureRequest) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    write(payamak, [*ROWS, ("Nima", "09125555555")])
    before = (payamak.folder / RESULTS).read_bytes()
    request.getfixturevalue("elsewhere")
    done = send(call)
    assert (done.returncode, done.stdout, len(sent())) == (1, "", len(ROWS))
    assert done.stderr.startswith("payamak: the journal is of another account (gateway, address, or key): ")
    assert "--same-account" in done.stderr
    assert (payamak.folder / RESULTS).read_bytes() == before
    assert (send(call, "--same-account").returncode, len(sent())) == (0, len(ROWS) + 1)
    assert send(call).returncode == 5  # Said once, it is known.


def test_another_gateway_is_another_account(call: Call, payamak: Command) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    done = send(call, "-g", "opgateway")
    assert (done.returncode, len(sent())) == (1, len(ROWS))
    assert "of another account" in done.stderr


def _cut(path: str) -> None:
    os.truncate(path, 100)


def _link(path: str) -> None:
    os.link(path, f"{path}.second")


def _age(path: str) -> None:
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA user_version = 1")
    database.close()


def _spoil(path: str) -> None:
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("UPDATE messages SET at = x'ff', attempt = 'many'")
    database.close()


def _unname(path: str) -> None:
    """So that SQLite quotes a name that is no UTF-8."""
    with open(path, "r+b") as file:
        content = file.read()
        file.seek(content.index(b"CREATE TABLE messages"))
        file.write(b"CREATE \xff\xfe")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut, "journal"),
        (_link, "two names"),
        (_age, "payamak 0.1"),
        (_spoil, "the journal cannot be read (ValueError)"),
        (_unname, "the journal cannot be opened"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such links")
def test_a_journal_that_is_not_whole(call: Call, payamak: Command, damage: Callable[[str], None], message: str) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    before = (payamak.folder / RESULTS).read_bytes()
    damage(str(payamak.folder / JOURNAL))
    done = send(call)
    assert (done.returncode, message in done.stderr, len(sent())) == (1, True, len(ROWS)), done.stderr
    assert (payamak.folder / RESULTS).read_bytes() == before


def test_an_empty_journal_is_no_new_one(call: Call, payamak: Command) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    os.truncate(payamak.folder / JOURNAL, 0)
    done = send(call)
    assert (done.returncode, "no journal that says" in done.stderr) == (2, True)
    os.remove(payamak.folder / RESULTS)
    done = send(call)
    assert (done.returncode, "only a part of one" in done.stderr, len(sent())) == (1, True, len(ROWS))


def test_the_journal_is_one_file(call: Call, payamak: Command) -> None:
    write(payamak, ROWS)
    assert send(call).returncode == 0
    files = {path.name for path in payamak.folder.iterdir() if path.name.startswith(JOURNAL)}
    assert files == {JOURNAL, f"{JOURNAL}.lock"}
    assert (payamak.folder / JOURNAL).stat().st_mode & 0o777 == 0o600
