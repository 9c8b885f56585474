"""Run an example as its reader does: as a process of its own, in its folder, with its settings in the environment."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from .warm import for_examples

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATIENCE = 90.0

T = TypeVar("T")


def wait_for(look: Callable[[], T]) -> T:
    """Look again and again until there is something to see."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)
    return found


class Example:
    """An example at work."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    def read_log(self) -> str:
        """What it has written to its standard error."""
        return self._log.read_text(encoding="utf-8")

    def wait_for_log(self, words: str) -> str:
        """Wait until it has written these words, and return the whole log."""

        def look() -> str | None:
            log = self.read_log()
            assert self.process.poll() is None or words in log, log
            return log if words in log else None

        return wait_for(look) or ""

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code. It must have left nothing behind."""
        code = self.process.wait(PATIENCE)
        log = self.read_log()
        for complaint in ("Traceback", "Warning", "never retrieved", "was destroyed", "Unclosed"):
            assert complaint not in log, log
        return code


@contextlib.contextmanager
def run_example(
    folder: str,
    *arguments: str,
    log: Path,
    environment: dict[str, str],
    stdin: int | None = None,
    python: Callable[[], list[str]] = for_examples,
) -> Generator[Example]:
    """Start ``python`` with these arguments in an example's folder; end it if the test has not."""
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [*python(), *arguments],
            cwd=EXAMPLES / folder,
            env=os.environ | environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        try:
            yield Example(process, log)
        finally:
            process.kill()
