"""Runs the documentation's examples as they are printed, against the emulator on a port of its own."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# The printed port may be in use: by the emulator that the reader has started, for one.
PORT = free_port()
EMULATOR = f"http://127.0.0.1:{PORT}"


def read_page(path: str) -> str:
    """A page of the documentation, with this run's port in it."""
    return (ROOT / path).read_text(encoding="utf-8").replace("8650", str(PORT))


def list_examples(page: str) -> dict[str, str]:
    """The examples in Python by the headings that they stand under."""
    examples: dict[str, str] = {}
    heading = ""
    for title, code in re.findall(r"^##+ (.+?)$|^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        else:
            assert heading not in examples, f"one example a heading, so that a failing test names it: {heading}"
            examples[heading] = code
    return examples


def control(method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{EMULATOR}/emulator/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=5) as reply:
        return json.load(reply)


def sent() -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = control("GET", "messages")["messages"]
    return messages


def run(code: str, folder: Path | None = None) -> str:
    """Run an example, and return what it prints. It may warn of nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    # On a busy machine the development mode finds fault with how long a step took.
    assert re.sub(r"^Executing <.* took [0-9.]+ seconds\n", "", done.stderr, flags=re.MULTILINE) == ""
    return done.stdout


@contextlib.contextmanager
def emulator_as_printed() -> Generator[None]:
    """The emulator as the README starts it, but for the port."""
    with subprocess.Popen(
        [sys.executable, "-m", "payamak.emulator", "--port", str(PORT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "already" not in line and "ready" in line:
                break
        else:
            raise AssertionError("the emulator did not start: " + "".join(lines))
        try:
            yield
        finally:
            process.terminate()
            process.stdout.read()
            assert process.wait(5) == 0
