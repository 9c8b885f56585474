"""Which rows send-many leaves out: what results say of them, and rows that repeat others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from support.command import Command, Done, lines_of_json
from support.printed import control, sent

Call = Callable[..., Done]
RESULTS = (
    "number,text,row,outcome,message_id,error,reference\n"
    "09121111111,a,2,sent,77,,ref-1\n"
    "09122222222,b,3,not sent,,ConnectionLostError: lost,\n"
    "09123333333,c,4,refused,,InsufficientCreditError: no credit,\n"
    "09124444444,d,5,unknown,,TimeoutError: late,ref-4\n"
    "9.12E+09,e,6, SENT ,78,,ref-5\n"
)


def test_results_as_the_input(call: Call, payamak: Command) -> None:
    payamak.write("again.csv", RESULTS)
    dry = call("send-many", "again.csv", "--emulator", "--dry-run")
    assert dry.stdout == (
        "2 messages in 2 SMS parts, 0 wrong rows; left out: 2 sent before, 1 unknown before; nothing was sent\n"
    )
    done = call("send-many", "again.csv", "--emulator")
    assert done.stdout == (
        "2 sent, 0 not sent, 0 refused, 0 unknown; left out: 2 sent before, 1 unknown before; "
        "see again.emulator.results.csv\n"
    )
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "1 left out that may have gone out" in done.stderr
    assert sorted(message["text"] for message in sent()) == ["b", "c"]

    rows = payamak.results("again.emulator.results.csv")
    assert [row["row"] for row in rows] == ["2", "3", "4", "5", "6"]
    assert [row["outcome"] for row in rows] == ["sent", "sent", "sent", "unknown", "sent"]
    assert [row["message_id"] for row in rows[::4]] == ["77", "78"]
    assert (rows[3]["error"], rows[3]["reference"]) == ("TimeoutError: late", "ref-4")


def test_the_results_of_a_job_are_sent_to_nobody_twice(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n" + "".join(f"0912000{place:04},hello\n" for place in range(30)) + "12,x\n")
    assert call("send-many", "list.csv", "--emulator").returncode == 1
    again = call("send-many", "list.emulator.results.csv", "--emulator", "--json")
    (summary,) = lines_of_json(again.stdout)
    assert (summary["left_out_sent"], summary["total"], summary["not_sent"]) == (30, 1, 1)
    assert (again.returncode, len(sent())) == (1, 30)
    content = (payamak.folder / summary["results"]).read_text(encoding="utf-8-sig")
    assert content.splitlines()[0] == "number,text,row,outcome,message_id,error,reference"


@pytest.mark.parametrize("options", [[], ["--no-journal"]])
def test_results_that_leave_nothing_to_send(call: Call, payamak: Command, options: list[str]) -> None:
    payamak.write("list.csv", "number,text,row,outcome\n09121111111,a,2,sent\n")
    done = call("send-many", "list.csv", "--emulator", *options)
    assert (done.returncode, sent()) == (5, [])
    assert (
        done.stderr == "payamak: nothing was sent now: by the outcomes in the file itself, nothing was left to send\n"
    )


def test_results_from_a_pipe(payamak: Command) -> None:
    done = payamak.emulated("send-many", "-", "--no-journal", "--skip-duplicates", stdin=RESULTS.encode())
    assert done.returncode == 3
    outcomes = Counter(line.split(",")[3] for line in done.stdout.splitlines()[1:])
    assert outcomes == {"sent": 4, "unknown": 1}
    assert len(sent()) == 2


REPEATED = (
    "number,text\n"
    "09121111111,a\n"
    "+98 912 111 1111,a\n"
    "09121111111,b\n"
    "۹۱۲۱۱۱۱۱۱۱,a\n"
    "12,a\n"
    "12,a\n"
)  # fmt: skip


def test_repeated_rows_are_counted(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", REPEATED)
    dry = call("send-many", "list.csv", "--emulator", "--dry-run")
    assert dry.stdout.splitlines()[-1] == (
        "4 messages in 4 SMS parts, 2 wrong rows; 2 of them repeat a number and its text (--skip-duplicates); "
        "nothing was sent"
    )
    for_programs = lines_of_json(call("send-many", "list.csv", "--emulator", "--dry-run", "--json").stdout)[-1]
    assert (for_programs["messages"], for_programs["duplicates"], for_programs["left_out_repeated"]) == (4, 2, 0)
    assert call("send-many", "list.csv", "--emulator", "--no-journal").returncode == 1
    assert len(sent()) == 4


def test_repeated_rows_can_be_left_out(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", REPEATED)
    dry = call("send-many", "list.csv", "--emulator", "--dry-run", "--skip-duplicates")
    assert dry.stdout.splitlines()[-1] == (
        "2 messages in 2 SMS parts, 2 wrong rows; left out: 2 repeated; nothing was sent"
    )
    done = call("send-many", "list.csv", "--emulator", "--skip-duplicates")
    assert done.stdout.startswith("2 sent, 2 not sent, 0 refused, 0 unknown; left out: 2 repeated; see")
    assert sorted(message["text"] for message in sent()) == ["a", "b"]
    rows = payamak.results("list.emulator.results.csv")
    assert [row["outcome"] for row in rows] == ["sent", "left out", "sent", "left out", "not sent", "not sent"]
    # Also where these results are the input of another job.
    again = call("send-many", "list.emulator.results.csv", "--emulator", "--json")
    (summary,) = lines_of_json(again.stdout)
    assert (summary["left_out_sent"], summary["left_out_repeated"], len(sent())) == (2, 2, 2)


def test_a_row_that_repeats_what_was_sent_before_is_repeated(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text,outcome\n09121111111,a,sent\n09121111111,a,\n09122222222,a,\n")
    control("POST", "reset", {})
    assert call("send-many", "list.csv", "--emulator", "--skip-duplicates").returncode == 0
    assert [message["recipient"] for message in sent()] == ["09122222222"]
