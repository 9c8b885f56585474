"""What a person at a terminal sees: the bar, the question, tables."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest
from support.command import COMMAND, Command
from support.printed import control, sent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


def take_terminal() -> None:
    """Make the terminal that of the process, so that Ctrl-C is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def run_at_terminal(payamak: Command, *arguments: str, answer: Callable[[str], bytes | None]) -> tuple[int, str]:
    """Run the command with all its streams at one terminal.

    Args:
        payamak: Where it runs.
        arguments: Its arguments.
        answer: Gets all that was shown so far, and returns what is typed now, if anything.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=payamak.folder, env=payamak.environment(TERM="xterm", COLUMNS="100"),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 -- there is one thread
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
            if typed := answer(shown.decode(errors="replace")):
                os.write(ours, typed)
    except OSError:  # Nobody has the other end any more.
        pass
    finally:
        os.close(ours)
    return process.wait(30), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def write_many(payamak: Command, count: int) -> None:
    rows = "".join(f"0912{number:07},hello\n" for number in range(count))
    payamak.write("list.csv", f"number,text\n{rows}12,wrong\n")


def once(prompt: str, typed: bytes) -> Callable[[str], bytes | None]:
    answers = [typed]
    return lambda shown: answers.pop() if prompt in shown and answers else None


def test_it_asks_and_shows_a_bar(payamak: Command) -> None:
    write_many(payamak, 150)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", answer=once("[y/N]", b"y\n"))
    assert "150 messages in 150 SMS parts through ghasedak; 1 wrong rows will not be sent. Send?" in shown
    assert "151/151" in shown
    assert "1 failed" in shown
    assert "150 sent, 1 not sent" in shown
    assert code == 1
    assert len(sent()) == 150


@pytest.mark.parametrize("typed", [b"n\n", b"\n", b"\x03", b"\x04"])
def test_no_means_no(payamak: Command, typed: bytes) -> None:
    write_many(payamak, 101)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", answer=once("[y/N]", typed))
    assert (code, sent()) == (1, [])
    assert "nothing was sent" in shown
    assert "Traceback" not in shown
    assert sorted(path.name for path in payamak.folder.iterdir()) == ["list.csv"]


@pytest.mark.parametrize(("count", "options"), [(100, []), (101, ["--yes"])])
def test_few_or_yes_need_no_answer(payamak: Command, count: int, options: list[str]) -> None:
    write_many(payamak, count)
    code, shown = run_at_terminal(payamak, "send-many", "list.csv", "--emulator", *options, answer=lambda shown: None)
    assert (code, len(sent())) == (1, count)
    assert "Send?" not in shown


def test_a_table_takes_no_text_for_markup(payamak: Command) -> None:
    text = "[bold]سلام[/bold]"
    control("POST", "inbox", {"gateway": "ghasedak", "sender": "09121234567", "line": "10008566", "text": text})
    code, shown = run_at_terminal(payamak, "received", "--emulator", answer=lambda shown: None)
    header, row = shown.splitlines()
    assert header.split() == ["received", "at", "sender", "line", "text"]
    assert row.split()[2:] == ["09121234567", "10008566", text]
    assert code == 0
