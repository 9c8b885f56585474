"""What a person at a terminal sees: the bar, the question, tables."""

from __future__ import annotations

import fcntl
import os
import re
import select
import subprocess
import sys
import termios
from collections import Counter

import pytest
from support.command import FRESH, Command
from support.printed import control, sent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


def take_terminal() -> None:
    """Make the terminal that of the process, so that Ctrl-C is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def run_at_terminal(payamak: Command, *arguments: str, prompt: str = "", typed: bytes = b"") -> tuple[int, str]:
    """Run the command with all its streams at one terminal, and type something whenever it stops at a prompt."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*payamak.command, *arguments], cwd=payamak.folder, env=payamak.environment(TERM="xterm", COLUMNS="100"),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 -- there is one thread
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        # Typed again if nothing comes of it: a Ctrl-C in the instant before the command waits for input is lost.
        while piece := read_or_type(ours, typed if typed and prompt in shown.decode(errors="replace") else b""):
            shown += piece
        code = process.wait(30)
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def read_or_type(terminal: int, typed: bytes) -> bytes:
    """What is shown next, or nothing if nobody has the other end any more."""
    while not select.select([terminal], [], [], 0.5 if typed else None)[0]:
        os.write(terminal, typed)
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def write_many(payamak: Command, count: int) -> None:
    rows = "".join(f"0912{number:07},hello\n" for number in range(count))
    payamak.write("list.csv", f"number,text\n{rows}12,wrong\n")


def test_it_asks_and_shows_a_bar(payamak: Command) -> None:
    write_many(payamak, 150)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", prompt="[y/N]", typed=b"y\n")
    assert "150 messages in 150 SMS parts through ghasedak; 1 wrong rows will not be sent. Send?" in shown
    assert "151/151" in shown
    assert "1 failed" in shown
    assert "150 sent, 1 not sent" in shown
    assert code == 1
    assert len(sent()) == 150


def test_it_says_what_repeats_an_earlier_row(payamak: Command) -> None:
    rows = "".join(f"0912{number:07},hello\n" for number in range(120))
    payamak.write("list.csv", f"number,text\n{rows}9120000001,hello\n9120000002,hello\n")
    options = ["send-many", "list.csv", "--emulator"]
    code, shown = run_at_terminal(payamak, *options, prompt="[y/N]", typed=b"n\n")
    assert "122 messages in 122 SMS parts through ghasedak; 2 of them repeat a number and its text" in shown
    code, shown = run_at_terminal(payamak, *options, "--skip-duplicates", prompt="[y/N]", typed=b"y\n")
    assert "120 messages in 120 SMS parts through ghasedak; left out: 2 repeated. Send?" in shown
    assert "120/120" in shown
    assert (code, len(sent())) == (0, 120)


def test_a_terminal_that_is_closed_costs_no_results(payamak: Command) -> None:
    write_many(payamak, 150)
    for seconds in (0, 3):
        control("POST", "faults", {"kind": "delay_after", "seconds": seconds, "path": "sms/send/pair"})
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        # Not a fork of the warm one, whose terminal is another.
        [*FRESH, "send-many", "list.csv", "--emulator", "--concurrency", "1", "--yes"], cwd=payamak.folder,
        env=payamak.environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 -- there is one thread
    )  # fmt: skip
    os.close(theirs)
    while len(sent()) < 150:
        os.read(ours, 65536)
    os.close(ours)
    assert process.wait(30)
    rows = payamak.results("list.emulator.results.csv")
    assert Counter(row["outcome"] for row in rows) == {"sent": 150, "not sent": 1}


@pytest.mark.parametrize("typed", [b"n\n", b"\n", b"\x03", b"\x04"])
def test_no_means_no(payamak: Command, typed: bytes) -> None:
    write_many(payamak, 101)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", prompt="[y/N]", typed=typed)
    assert (code, sent()) == (1, [])
    assert "nothing was sent" in shown
    assert "Traceback" not in shown
    assert sorted(path.name for path in payamak.folder.iterdir()) == ["list.csv"]


@pytest.mark.parametrize(("count", "options"), [(100, []), (101, ["--yes"])])
def test_few_or_yes_need_no_answer(payamak: Command, count: int, options: list[str]) -> None:
    write_many(payamak, count)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", *options)
    assert (code, len(sent())) == (1, count)
    assert "Send?" not in shown


def test_a_table_takes_no_text_for_markup(payamak: Command) -> None:
    text = "[bold]سلام[/bold]"
    control("POST", "inbox", {"gateway": "ghasedak", "sender": "09121234567", "line": "10008566", "text": text})
    code, shown = run_at_terminal(payamak, "received", "--emulator")
    header, row = shown.splitlines()
    assert header.split() == ["received", "at", "sender", "line", "text"]
    assert row.split()[2:] == ["09121234567", "10008566", text]
    assert code == 0


def test_a_table_holds_nothing_that_moves_the_cursor(payamak: Command) -> None:
    text = "x\x1b[2J\x1b]0;title\x07\x9b31m\u202eevil"
    control("POST", "inbox", {"gateway": "ghasedak", "sender": "09121234567", "line": "10008566", "text": text})
    code, shown = run_at_terminal(payamak, "received", "--emulator")
    assert (code, "".join(shown.split()).rpartition("10008566")[2]) == (0, r"x\x1b[2J\x1b]0;title\x07\x9b31m\u202eevil")


def test_a_table_holds_nothing_that_the_terminal_obeys(payamak: Command) -> None:
    """OSC 52 writes the clipboard, C1 is the same in one byte, and a bidi mark turns what stands behind it."""
    text = "\x1b]52;c;cm0gLXJm\x07\x9d52;c;eA\x9c\u202emoc\u2066 می\u200cخواهم"
    control("POST", "inbox", {"gateway": "ghasedak", "sender": "09121234567", "line": "10008566", "text": text})
    _, shown = run_at_terminal(payamak, "received", "--emulator")
    assert not re.search("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    joined = "".join(shown.split())
    assert r"\x1b]52;c;cm0gLXJm\x07\x9d52;c;eA\x9c\u202emoc\u2066" in joined
    assert "می\u200cخواهم" in joined
