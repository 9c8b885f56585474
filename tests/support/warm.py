"""Stands in for the command ``python``, without the time that an interpreter and its imports take to start."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
CLIENTS = ("payamak.advgateway", "payamak.ghasedak", "payamak.opgateway", "payamak.smsir")
SHARED = (*CLIENTS, "payamak.common.sqlite_journal", "payamak.emulator")


class WarmPython:
    """An interpreter with these options that has imported these modules; what is run runs in forks of it.

    Attributes:
        command: Stands for ``python`` and its options; after it come ``-c CODE``, ``-m MODULE`` or a file, and
            arguments.
    """

    def __init__(self, options: Sequence[str], modules: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")
        place = str(Path(self._folder.name) / "socket")
        # In a session of its own, so that Ctrl-C at a terminal is left to those that stand for the forks.
        self._process = subprocess.Popen(
            [sys.executable, *options, str(FOLDER / "warm_process.py"), place, *modules],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self.command = [sys.executable, "-I", "-S", str(FOLDER / "warm_stub.py"), place]

    def close(self) -> None:
        """End it. It also ends by itself when this process does."""
        with self._process:
            pass
        self._folder.cleanup()


@functools.cache
def warm_python(options: Sequence[str], modules: Sequence[str]) -> list[str]:
    """The command of the one with these options and modules, or of a Python with these options where none can fork."""
    if not hasattr(os, "fork"):
        return [sys.executable, *options]
    python = WarmPython(options, modules)
    atexit.register(python.close)
    return python.command


def for_examples() -> list[str]:
    """In development mode, where a warning is an error."""
    return warm_python(("-W", "error", "-X", "dev"), ("fastapi", "uvicorn.main", *SHARED))


def for_bots() -> list[str]:
    """Where a warning is an error. Without the development mode, in which aiogram takes twice its time to import."""
    return warm_python(("-W", "error"), ("aiogram", *SHARED))


def for_nested_pytest() -> list[str]:
    """In development mode, in which what is left open warns. What pytest is to rewrite must not have been imported."""
    return warm_python(("-X", "dev"), ("pytest", *SHARED))


def for_token_workers() -> list[str]:
    """With what reaches either store that ships."""
    return warm_python(("-W", "error"), ("payamak.smsir.stores", "redis.asyncio", *SHARED))


def for_commands() -> list[str]:
    """With what ``payamak`` imports until it sends, whatever it is told to do."""
    return warm_python(("-W", "error", "-X", "utf8"), ("payamak.cli.app", "rich.table", "rich.progress", *SHARED))
