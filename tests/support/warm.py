"""Runs code as ``python -c`` does, without the time that an interpreter and its imports take to start."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import attrs

PATIENCE = 60.0
MODULES = [
    "attrs", "cattrs", "fastapi", "uvicorn.main", "payamak.advgateway", "payamak.common.sqlite_journal",
    "payamak.emulator", "payamak.ghasedak", "payamak.opgateway", "payamak.smsir",
]  # fmt: skip


@attrs.define
class Run:
    """A process at work, and how it ended once it has.

    Attributes:
        process: Its id.
        code: Its exit code.
        output: What it printed.
        errors: What it wrote to its standard error.
    """

    process: int
    code: int | None = None
    output: str = ""
    errors: str = ""

    def send_signal(self, number: int) -> None:
        os.kill(self.process, number)


class WarmPython:
    """An interpreter with these options that has imported these modules, and what runs in forks of it."""

    def __init__(self, options: Sequence[str], modules: Sequence[str]) -> None:
        script = str(Path(__file__).with_name("warm_process.py"))
        self._process = subprocess.Popen(
            [sys.executable, *options, script, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @contextlib.contextmanager
    def start(
        self, code: str, folder: Path | None, environment: Mapping[str, str], arguments: Sequence[str] = ("-c",)
    ) -> Generator[Run]:
        """Run this code; at the end of the block wait for it. It is killed if it takes longer than `PATIENCE`."""
        with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as errors:
            request = {
                "code": code,
                "folder": str(folder or Path.cwd()),
                "environment": dict(environment),
                "arguments": list(arguments),
                "output": output.name,
                "errors": errors.name,
            }
            self._tell(request)
            run = Run(self._read_number())
            alarm = threading.Timer(PATIENCE, run.send_signal, [signal.SIGKILL])
            alarm.start()
            try:
                yield run
            except BaseException:
                run.send_signal(signal.SIGKILL)
                raise
            finally:
                run.code = self._read_number()
                alarm.cancel()
                run.output, run.errors = (Path(file.name).read_text(encoding="utf-8") for file in (output, errors))

    def run(self, code: str, folder: Path | None, environment: Mapping[str, str]) -> Run:
        """Run this code to its end."""
        with self.start(code, folder, environment) as run:
            pass
        return run

    def close(self) -> None:
        """End it. It also ends by itself when this process does."""
        with self._process:
            pass

    def _tell(self, request: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _read_number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@functools.cache
def for_examples() -> WarmPython:
    """In development mode, where a warning is an error."""
    python = WarmPython(["-W", "error", "-X", "dev"], MODULES)
    atexit.register(python.close)
    return python
