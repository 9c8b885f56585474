"""Runs the documentation's examples as they are printed, against the emulator on a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .warm import for_commands, for_examples

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


def free_port() -> int:
    """A port at which nothing listens, and which no connection gets meanwhile: systems take higher ones for those."""
    while True:
        port = random.randrange(10_000, 32_000)  # noqa: S311 -- so that two workers hardly choose the same
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


# The printed port may be in use: by the emulator that the reader has started, for one.
PORT = free_port()
EMULATOR = f"http://127.0.0.1:{PORT}"


def read_page(path: str) -> str:
    """A page of the documentation, with this run's port in it."""
    return (ROOT / path).read_text(encoding="utf-8").replace("8650", str(PORT))


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes:
        heading: The heading that it stands under.
        language: What stands after the backticks.
        title: The name of the file that the reader saves it in, if the page gives one.
        code: The code.
    """

    heading: str
    language: str
    title: str | None
    code: str


def list_blocks(page: str) -> list[Block]:
    """All blocks of a page, in their order."""
    blocks: list[Block] = []
    heading = ""
    found = re.finditer(r"^##+ (?P<heading>.+?)$|^```(?P<info>.*?)\n(?P<code>.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for match in found:
        if match["heading"]:
            heading = match["heading"]
            continue
        title = re.search(r'title="(.+?)"', match["info"])
        blocks.append(Block(heading, match["info"].partition(" ")[0], title[1] if title else None, match["code"]))
    return blocks


def list_examples(page: str) -> dict[str, str]:
    """The examples in Python by the headings that they stand under."""
    examples: dict[str, str] = {}
    for block in list_blocks(page):
        if block.language == "python":
            assert block.heading not in examples, f"one example a heading, to name it by: {block.heading}"
            examples[block.heading] = block.code
    return examples


def control(method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{EMULATOR}/emulator/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def sent() -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = control("GET", "messages")["messages"]
    return messages


def environment() -> dict[str, str]:
    """What a deployment would set, with the emulator in place of the gateway."""
    return {**os.environ, "GHASEDAK_KEY": "emulator-key", "GHASEDAK_URL": f"{EMULATOR}/v2/"}


def run(code: str, folder: Path | None = None) -> str:
    """Run an example, and return what it prints. It may warn of nothing but attempts that it makes again."""
    with start(["-c", code], folder) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert re.sub(r"^\S+: attempt \d+ of at most .*\n", "", errors, flags=re.MULTILINE) == ""
    return output


@contextlib.contextmanager
def start(arguments: list[str], folder: Path | None) -> Generator[subprocess.Popen[str]]:
    """Start ``python`` with these arguments; end it if the block has not."""
    with subprocess.Popen(
        [*for_examples(), *arguments], cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def serve(command: list[str], folder: Path) -> Generator[str, None, None]:
    """Run a service on a port of its own, stop it with SIGTERM, and see that it ends without a complaint."""
    port = free_port()
    with start(["-m", *command, "--port", str(port)], folder) as server:
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        _, errors = server.communicate(timeout=PATIENCE)
    # uvicorn ends by the signal that it was sent, once it has shut down.
    assert server.returncode in (0, -signal.SIGTERM), errors
    assert "Traceback" not in errors


@contextlib.contextmanager
def emulator_as_printed() -> Generator[None]:
    """The emulator as the README starts it, but for the port."""
    with subprocess.Popen(
        [*for_commands(), "-m", "payamak.emulator", "--port", str(PORT)],
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
            assert process.wait(30) == 0
