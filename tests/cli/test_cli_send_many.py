"""send-many: outcomes for every row, and that killing it loses nothing and sends nothing twice."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from support.command import FRESH, Command, Done, lines_of_json
from support.printed import control, sent

Call = Callable[..., Done]
GATEWAYS = ["ghasedak", "smsir", "opgateway", "advgateway"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs signals")
ENDING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP, signal.SIGQUIT] if os.name == "posix" else [])]
FROM_EXCEL = (
    "\ufeffنام;شماره;بدهی\r\n"
    "سارا;۰۹۱۲۱۱۱۱۱۱۱;۱۲۰۰۰۰\r\n"
    'رضا;9122222222;"۵۰;۰۰۰"\r\n'
    ";09123333333;1\r\n"
    "\r\n"
    "علی;9.12E+09;2\r\n"
    "مریم;09000000008;3\r\n"
).encode()
DEBT = "سلام {نام}، بدهی شما {بدهی} تومان است."


def test_a_file_from_excel_in_persian(call: Call, payamak: Command) -> None:
    payamak.write("مشتریان.csv", FROM_EXCEL)
    dry = call("send-many", "مشتریان.csv", "--emulator", "--text", DEBT, "--dry-run")
    assert (dry.returncode, dry.stderr, sent()) == (1, "", [])
    *problems, total = dry.stdout.splitlines()
    assert [line.partition(":")[0] for line in problems] == ["row 4", "row 6"]
    assert total == "3 messages in 3 SMS parts, 2 wrong rows; nothing was sent"
    assert not list(payamak.folder.glob("*.db")) + list(payamak.folder.glob("*.results.csv"))

    done = call("send-many", "مشتریان.csv", "--emulator", "--text", DEBT)
    assert done.returncode == 1
    assert done.stdout == "2 sent, 2 not sent, 1 refused, 0 unknown; see مشتریان.emulator.results.csv\n"
    assert done.stderr.startswith("payamak: 2 not sent, 1 refused, of 5; the first: ")
    assert {message["text"] for message in sent()} == {
        "سلام سارا، بدهی شما ۱۲۰۰۰۰ تومان است.",
        "سلام رضا، بدهی شما ۵۰;۰۰۰ تومان است.",
    }
    content = (payamak.folder / "مشتریان.emulator.results.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    rows = payamak.results("مشتریان.emulator.results.csv", ";")
    assert [(row["row"], row["outcome"]) for row in rows] == [
        ("2", "sent"), ("3", "sent"), ("4", "not sent"), ("6", "not sent"), ("7", "refused"),
    ]  # fmt: skip
    assert rows[1]["بدهی"] == "۵۰;۰۰۰"
    assert [int(row["message_id"]) for row in rows if row["message_id"]] == [message["id"] for message in sent()]
    assert "Excel" in rows[3]["error"]
    assert rows[4]["error"].startswith("InvalidRecipientError")


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_every_gateway(call: Call, payamak: Command, gateway: str) -> None:
    numbers = [f"0912000{place:04}" for place in range(150)]
    payamak.write("list.csv", "number,text\n" + "".join(f"{number},hello\n" for number in numbers))
    done = call("send-many", "list.csv", "--emulator", "-g", gateway, "--json", "--rate", "1000", "--concurrency", "3")
    (summary,) = lines_of_json(done.stdout)
    assert summary == {
        "sent": 150, "not_sent": 0, "refused": 0, "unknown": 0, "total": 150, "earlier": 0,
        "left_out_sent": 0, "left_out_unknown": 0, "left_out_repeated": 0, "interrupted": False,
        "results": "list.emulator.results.csv", "journal": "list.emulator.journal.db",
    }  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(message["recipient"][-10:] for message in sent()) == [number[1:] for number in numbers]

    again = call("send-many", "list.csv", "--emulator", "-g", gateway, "--json")
    assert lines_of_json(again.stdout)[0]["earlier"] == 150
    assert again.returncode == 5
    assert again.stderr.startswith("payamak: nothing was sent now")
    assert len(sent()) == 150
    assert Counter(row["outcome"] for row in payamak.results("list.emulator.results.csv")) == {"sent": 150}


def test_lines_times_and_marks_of_rows(call: Call, payamak: Command) -> None:
    payamak.write(
        "list.csv",
        "number,text,sender,send_at,check_id\n09121111111,a,30005088,2030-01-01 12:00,x-1\n09122222222,b,,,\n",
    )
    assert call("send-many", "list.csv", "--emulator", "--sender", "300002525").returncode == 0
    found = {message["text"]: message for message in sent()}
    assert (found["a"]["line"], found["a"]["check_id"]) == ("30005088", "x-1")
    assert found["a"]["send_at"] == "2030-01-01T08:30:00+00:00"
    assert (found["b"]["line"], found["b"]["send_at"]) == ("300002525", None)
    assert payamak.results("list.emulator.results.csv")[0]["reference"] == "x-1"


@pytest.mark.parametrize(
    ("fault", "code", "outcomes"),
    [
        ({"kind": "drop_after_read"}, 0, {"sent": 3}),
        ({"kind": "drop_before_read"}, 3, {"unknown": 3}),
        ({"kind": "status", "status": 401}, 4, {"refused": 3}),
    ],
)
def test_how_it_ends(call: Call, payamak: Command, fault: dict[str, Any], code: int, outcomes: dict[str, int]) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n09122222222,a\n09123333333,a\n")
    control("POST", "faults", {**fault, "gateway": "ghasedak"})
    done = call("send-many", "list.csv", "--emulator", "--grace", "0")
    assert done.returncode == code
    assert Counter(row["outcome"] for row in payamak.results("list.emulator.results.csv")) == outcomes
    if code == 4:
        # What was not sent for a reason that has passed goes out.
        assert call("send-many", "list.csv", "--emulator").returncode == 0
    if code == 3:
        assert call("send-many", "list.csv", "--emulator", "--grace", "0", "--on-unknown", "resend").returncode == 3
        assert sent() == []
    else:
        assert [message["recipient"] for message in sent()] == ["09121111111", "09122222222", "09123333333"]


@pytest.mark.parametrize("on_unknown", ["ask", "resend"])
def test_what_was_certainly_not_sent(call: Call, payamak: Command, on_unknown: str) -> None:
    """A hundred others went out before, and the gateway can be asked for them."""
    numbers = [f"0912000{place:04}" for place in range(105)]
    payamak.write("list.csv", "number,text\n" + "".join(f"{number},hello\n" for number in numbers))
    for kind in ({"kind": "delay", "seconds": 0}, {"kind": "drop_unprocessed"}):
        control("POST", "faults", {**kind, "gateway": "ghasedak"})
    options = ("--emulator", "--concurrency", "1", "--grace", "0", "--on-unknown", on_unknown)
    done = call("send-many", "list.csv", *options)
    outcomes = Counter(row["outcome"] for row in payamak.results("list.emulator.results.csv"))
    if on_unknown == "ask":
        assert (done.returncode, outcomes) == (1, {"sent": 100, "not sent": 5})
        # What was not sent goes out in the next run.
        assert call("send-many", "list.csv", *options).returncode == 0
    else:
        assert (done.returncode, outcomes) == (0, {"sent": 105})
    assert sorted(message["recipient"] for message in sent()) == numbers


@pytest.mark.parametrize("options", [[], ["--no-journal"]])
def test_an_id_that_is_too_large_for_most_things(call: Call, payamak: Command, options: list[str]) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n09122222222,a\n")
    body = json.dumps({"result": {"code": 200, "message": "success"}, "items": [10**30, 77_000]})
    control("POST", "faults", {"kind": "status", "status": 200, "body": body, "content_type": "application/json"})
    done = call("send-many", "list.csv", "--emulator", "--on-unknown", "leave", *options)
    assert done.returncode == 3
    rows = payamak.results("list.emulator.results.csv")
    assert [(row["outcome"], row["message_id"]) for row in rows] == [("unknown", ""), ("sent", "77000")]


def test_unknown_is_3(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n12,a\n")
    control("POST", "faults", {"kind": "drop_after_read"})
    done = call("send-many", "list.csv", "--emulator", "-g", "opgateway")
    assert done.returncode == 3
    assert [row["outcome"] for row in payamak.results("list.emulator.results.csv")] == ["unknown", "not sent"]
    assert call("send-many", "list.csv", "--emulator", "-g", "opgateway").returncode == 3
    assert len(sent()) == 1


def test_what_an_earlier_run_has_settled_is_no_silent_success(call: Call, payamak: Command) -> None:
    settled = "payamak: nothing was sent now: list.emulator.journal.db says that an earlier run has settled "
    payamak.write("list.csv", "number,text\n09121111111,a\n09000000008,a\n")
    assert call("send-many", "list.csv", "--emulator", "--grace", "0").returncode == 1
    again = call("send-many", "list.csv", "--emulator")
    # A refusal that will not pass is as settled as what was sent.
    assert again.returncode == 5
    assert again.stdout.startswith("1 sent, 0 not sent, 1 refused, 0 unknown (2 settled in an earlier run); see ")
    assert again.stderr.splitlines()[-1].startswith(f"{settled}it all; ")
    payamak.write("list.csv", "number,text\n09121111111,a\n09000000008,a\n12,a\n")
    again = call("send-many", "list.csv", "--emulator")
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1].startswith(f"{settled}the rest; ")
    payamak.write("list.csv", "number,text\n09121111111,a\n09000000008,a\n09122222222,a\n")
    again = call("send-many", "list.csv", "--emulator")
    assert (again.returncode, "nothing was sent now" in again.stderr, len(sent())) == (1, False, 2)


def test_a_row_that_was_wrong_can_be_mended(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n912,b\n09123333333,c\n")
    assert call("send-many", "list.csv", "--emulator").returncode == 1
    payamak.write("list.csv", "number,text\n09121111111,a\n09122222222,b\n09123333333,c\n09124444444,d\n")
    assert call("send-many", "list.csv", "--emulator").returncode == 0
    assert [message["text"] for message in sent()] == ["a", "c", "b", "d"]


def make_of(content: str, how: str) -> bytes:
    """What a spreadsheet makes of a file that is opened, mended and saved."""
    match how:
        case "zeros":
            content = content.replace(",0", ",")
        case "semicolons":
            content = content.replace(",", ";")
        case "digits":
            content = content.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        case "formulas":
            content = content.replace(",0", ',="0')
            content = "\n".join(f'{line}"' if "=" in line else line for line in content.split("\n"))
        case "columns":
            content = "".join(f"{','.join(reversed(line.split(',')))},\n" for line in content.splitlines())
        case _:
            pass
    return content.replace("\n", "\r\n").encode("utf-8-sig")


@pytest.mark.parametrize("how", ["bom", "zeros", "semicolons", "digits", "formulas", "columns"])
def test_a_row_that_was_wrong_can_be_mended_in_a_spreadsheet(call: Call, payamak: Command, how: str) -> None:
    content = "name,number\nSara,09121111111\nReza,09122222222\nAli,0912\n"
    arguments = ("send-many", "list.csv", "--emulator", "--text", "Dear {name}")
    payamak.write("list.csv", content)
    assert call(*arguments).returncode == 1
    payamak.write("list.csv", make_of(content.replace("0912\n", "09124444444\n"), how))
    assert call(*arguments).returncode == 0
    assert [message["text"] for message in sent()] == ["Dear Sara", "Dear Reza", "Dear Ali"]
    rows = payamak.results("list.emulator.results.csv", ";" if how == "semicolons" else ",")
    assert [row["outcome"] for row in rows] == ["sent", "sent", "sent"]


def test_columns_and_an_encoding_that_are_named(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "نام,پدر,یادداشت\nسارا,09121111111,سلام\n".encode("cp1256", "replace"))
    arguments = ("send-many", "list.csv", "--emulator", "--number-column", "پدر", "--text-column", "یادداشت")
    done = call(*arguments)
    assert (done.returncode, "--encoding" in done.stderr) == (2, True)
    # cp1256 has no Persian ya, so an older Excel writes the Arabic one.
    payamak.write("list.csv", "نام,پدر,يادداشت\nسارا,09121111111,سلام\n".encode("cp1256"))
    assert call(*arguments, "--encoding", "cp1256").returncode == 0
    assert [message["text"] for message in sent()] == ["سلام"]
    done = call(*arguments, "--text", "hi")
    assert (done.returncode, done.stderr) == (2, "payamak: --text and --text-column exclude each other\n")


def test_results_without_a_journal_are_not_written_over(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n")
    assert call("send-many", "list.csv", "--emulator", "--no-journal").returncode == 0
    refused = call("send-many", "list.csv", "--emulator", "--no-journal")
    assert (refused.returncode, "--overwrite" in refused.stderr, len(sent())) == (2, True, 1)
    assert call("send-many", "list.csv", "--emulator", "--no-journal", "--overwrite").returncode == 0
    assert len(sent()) == 2


def test_what_cannot_be_read_is_found_before_anything_leaves(call: Call, payamak: Command) -> None:
    rows = "".join(f"0912000{place:04},hello\n" for place in range(5000))
    payamak.write("list.csv", f'number,text\n{rows}0912,"open\n')
    done = call("send-many", "list.csv", "--emulator")
    assert (done.returncode, done.stdout, sent()) == (2, "", [])
    assert "after row 5001" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list.csv", "--json", "-o", "-"], "cannot both go to standard output"),
        (["list.csv", "-o", "list.csv"], "--output is the file itself"),
        (["list.csv", "--journal", "x.db", "--no-journal"], "exclude each other"),
        (["list.csv", "--text", "hi"], "leave --text away"),
        (["list.csv", "--concurrency", "0"], "--concurrency"),
        (["list.csv", "--rate", "0"], "--rate"),
        (["list.csv", "-g", "smsir", "--sender", "3000"], "leave --sender away"),
        (["-"], "give --journal or --no-journal"),
        ([".", "--no-journal"], "directory"),
    ],
)
def test_what_makes_no_sense(call: Call, payamak: Command, arguments: list[str], message: str) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n")
    done = call("send-many", "--emulator", *arguments)
    assert (done.returncode, sent()) == (2, [])
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dry_run_for_programs(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", f"number,text\n09121111111,{'سلام' * 20}\n12,a\n")
    done = call("send-many", "list.csv", "--emulator", "--dry-run", "--json")
    problem, total = lines_of_json(done.stdout)
    assert problem["row"] == 3
    assert total == {
        "messages": 1, "parts": 2, "wrong": 1, "duplicates": 0,
        "left_out_sent": 0, "left_out_unknown": 0, "left_out_repeated": 0,
    }  # fmt: skip


def test_a_journal_that_another_process_has(call: Call, payamak: Command) -> None:
    import filelock

    payamak.write("list.csv", "number,text\n09121111111,a\n")
    with filelock.FileLock(payamak.folder / f"list.emulator.journal.db.{'0' * 16}.lock"):
        done = call("send-many", "list.csv", "--emulator")
    assert (done.returncode, sent()) == (1, [])
    assert "in use" in done.stderr


def test_a_pipe(payamak: Command) -> None:
    content = b"number,text\n09121111111,a\n12,b\n"
    done = payamak.emulated("send-many", "-", "--no-journal", stdin=content)
    assert done.returncode == 1
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert sorted(row["outcome"] for row in rows) == ["not sent", "sent"]
    assert done.stderr.startswith("payamak: 1 sent, 1 not sent")
    broken = payamak.emulated("send-many", "-", "--no-journal", stdin=content + b'"')
    assert broken.returncode == 2
    assert "after row 3" in broken.stderr
    assert len(broken.stdout.splitlines()) == 3
    assert len(sent()) == 2


@POSIX
def test_a_pipe_that_pauses_does_not_hold_up_what_is_there(payamak: Command) -> None:
    process = payamak.start("send-many", "-", "--emulator", "--journal", "j.db", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"number,text\n09121111111,a\n")
    process.stdin.flush()
    wait_for_messages(1)
    process.stdin.write(b"09122222222,b\n")
    process.stdin.flush()
    wait_for_messages(2)
    process.send_signal(signal.SIGTERM)  # It waits for rows, which will not come.
    assert process.wait(30) == 143
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read().splitlines()) == 3
    assert b"run the same command again" in process.stderr.read()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def wait_for_messages(count: int) -> None:
    while len(sent()) < count:
        pass


MANY = 1500
MANY_NUMBERS = [f"0912{number:07}" for number in range(MANY)]


def write_many(payamak: Command) -> None:
    payamak.write("many.csv", "number,text\n" + "".join(f"{number},hello\n" for number in MANY_NUMBERS))


@POSIX
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_it_cleanly_and_it_goes_on(call: Call, payamak: Command, number: signal.Signals) -> None:
    write_many(payamak)
    control("POST", "faults", {"kind": "delay_after", "seconds": 0.2, "times": None, "path": "sms/send/pair"})
    process = payamak.start("send-many", "many.csv", "--emulator", "--concurrency", "2")
    wait_for_messages(200)
    process.send_signal(number)
    if number.name == "SIGHUP":  # Whose terminal is gone gets a second one.
        time.sleep(0.05)
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    *_, last = errors.decode().splitlines()
    assert last == "payamak: interrupted: the rest was not sent; run the same command again, and it goes on"
    rows = payamak.results("many.emulator.results.csv")
    assert {row["outcome"] for row in rows} <= {"sent", "not sent"}
    assert sum(row["outcome"] == "sent" for row in rows) == len(sent()) < MANY
    control("DELETE", "faults")
    assert_goes_on(call, payamak)


@POSIX
def test_nohup_outlives_its_terminal(payamak: Command) -> None:
    write_many(payamak)
    control("POST", "faults", {"kind": "delay_after", "seconds": 0.1, "times": None, "path": "sms/send/pair"})
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # As nohup does for what it starts.
    try:
        # A fork of the warm one would not inherit it.
        process = Command(payamak.folder, FRESH).start("send-many", "many.csv", "--emulator", "--concurrency", "2")
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for_messages(200)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert (process.returncode, len(sent())) == (0, MANY)


@POSIX
def test_killed_at_any_moment_it_goes_on(call: Call, payamak: Command) -> None:
    write_many(payamak)
    dice = random.Random(7)  # noqa: S311 -- no secret
    control("POST", "faults", {"kind": "delay", "seconds": 0.1, "times": None, "path": "sms/send/pair"})
    for _ in range(3):
        goal = len(sent()) + dice.randint(50, 300)
        process = payamak.start("send-many", "many.csv", "--emulator", "--concurrency", "2")
        wait_for_messages(goal)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    control("DELETE", "faults")
    assert len(sent()) < MANY
    assert_goes_on(call, payamak, "--on-unknown", "resend", "--grace", "1")


def assert_goes_on(call: Call, payamak: Command, *options: str) -> None:
    done = call("send-many", "many.csv", "--emulator", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(message["recipient"] for message in sent()) == MANY_NUMBERS
    rows = payamak.results("many.emulator.results.csv")
    assert [row["number"] for row in rows] == MANY_NUMBERS
    assert {row["outcome"] for row in rows} == {"sent"}
    assert {int(row["message_id"]) for row in rows} == {message["id"] for message in sent()}
