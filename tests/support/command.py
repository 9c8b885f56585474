"""Runs the command ``payamak`` as a process of its own, against the emulator of `support.printed`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import attrs

from .printed import EMULATOR
from .warm import for_commands

FRESH = [sys.executable, "-W", "error", "-m", "payamak.cli"]


def command() -> list[str]:
    """The command, but for its arguments."""
    return [*for_commands(), "-m", "payamak.cli"]


@attrs.frozen
class Command:
    """The command, in a folder of its own and with an environment in which nothing is set.

    Attributes:
        folder: Where it runs; also the home of its user.
        command: What starts it.
    """

    folder: Path
    command: list[str] = attrs.field(factory=command)

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAYAMAK", "XDG"))}
        home = {"HOME": str(self.folder), "APPDATA": str(self.folder), "USERPROFILE": str(self.folder)}
        return {**kept, **home, "PYTHONUTF8": "1", "PAYAMAK_EMULATOR_URL": EMULATOR, **variables}

    def start(
        self, *arguments: str, stdin: int = subprocess.DEVNULL, stdout: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.command, *arguments], cwd=self.folder, env=self.environment(), stdin=stdin, stdout=stdout,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(
        self, *arguments: str, stdin: bytes = b"", variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.command, *arguments], cwd=self.folder, env=self.environment(**variables or {}), input=stdin,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        text = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in text.stderr, text.stderr
        return text

    def emulated(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run(*arguments, "--emulator", **options)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def results(self, name: str, delimiter: str = ",") -> list[dict[str, str]]:
        """A file of results, in the order of the rows that they tell of."""
        text = (self.folder / name).read_text(encoding="utf-8-sig")
        return sorted(csv.DictReader(text.splitlines(), delimiter=delimiter), key=lambda row: int(row["row"]))


@attrs.frozen
class Done:
    """How a command ended that ran in this process."""

    returncode: int
    stdout: str
    stderr: str


def lines_of_json(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]
