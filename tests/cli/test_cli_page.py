"""Every console example of docs/command-line.md prints what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import attrs
import pytest
from support.command import Command
from support.printed import ROOT, control

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the page is for a shell, and needs a terminal")

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
# What cannot be tried in a test: it installs something, or does not end by itself.
NOT_TRIED = ("pip install", "payamak emulator", "payamak --install-completion")


@attrs.frozen
class Example:
    command: str
    printed: str


def list_examples(page: str) -> list[Example]:
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    found = [re.fullmatch(r"\$ (.+)\n((?:(?!\$ ).*\n)*)", part) for block in blocks for part in split(block)]
    assert all(found)
    return [Example(match[1], match[2]) for match in found if match and not match[1].startswith(NOT_TRIED)]


def split(block: str) -> list[str]:
    return re.findall(r"^\$ .*\n(?:(?!\$ ).*\n)*", block, re.MULTILINE)


def run_on_terminal(command: str, payamak: Command) -> str:
    """Run a shell's command whose output goes to a terminal, and return that, then what went to the error stream."""
    path = f"{payamak.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = payamak.environment(PATH=path, COLUMNS="200", TERM="xterm", NO_COLOR="1")
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=payamak.folder, env=environment, text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    printed = read_all(ours)
    _, errors = process.communicate(timeout=60)
    return printed + errors


def read_all(terminal: int) -> str:
    content = b""
    try:
        while piece := os.read(terminal, 65536):
            content += piece
    except OSError:  # Linux says so that nobody has the other end any more.
        pass
    finally:
        os.close(terminal)
    return re.sub(r"\x1b\[[0-9;]*m", "", content.decode())


def normalize(text: str) -> str:
    """Leave out what differs from run to run: ids and times, and how wide their columns are."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", "TIME", text)
    text = re.sub(r"\b\d{10}\b", "ID", text)
    return "\n".join(re.sub(r" {2,}", "  ", line).strip() for line in text.splitlines())


def install(payamak: Command) -> None:
    """Put the command where the shell finds it, whether or not its script is installed."""
    script = payamak.folder / "bin" / "payamak"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.join(payamak.command)} "$@"\n')
    script.chmod(0o755)


def test_every_example_prints_what_the_page_says(payamak: Command) -> None:
    install(payamak)
    control(
        "POST",
        "switches",
        {"ghasedak": {"telecom_after": 1000, "delivered_after": 2000}, "smsir": {"numbers_must_be_contacts": True}},
    )
    (content,) = re.findall(r"^```csv\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    payamak.write("customers.csv", content)
    examples = list_examples(PAGE)
    assert len(examples) > 10
    previous = ""
    for example in examples:
        # So that `echo $?` tells of the command before it.
        command = f"{previous} >/dev/null 2>&1; {example.command}" if "$?" in example.command else example.command
        assert normalize(run_on_terminal(command, payamak)) == normalize(example.printed), example.command
        previous = example.command


def test_every_option_is_on_the_page(payamak: Command) -> None:
    shown = set[str]()
    for command in ("send", "send-many", "status", "received", "credit"):
        shown |= set(re.findall(r"--[a-z-]+", payamak.run(command, "--help", variables={"COLUMNS": "200"}).stdout))
    assert {"--gateway", "--concurrency", "--check-id"} <= shown
    assert {option for option in shown if option not in PAGE} == {"--help"}
