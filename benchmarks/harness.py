"""What all benchmarks share: the server's process, interleaved measurements of CPU time, tables and gates."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[1]
TO, TEXT, LINE = "09121234567", "سلام! سفارش شما ارسال شد.", "10008566"
"""What is sent."""

Send = Callable[[], Awaitable[object]]
Times = Mapping[str, list[float]]
"""Seconds of CPU time a call, by variant and pass."""


@attrs.frozen
class Options:
    """How thoroughly to measure.

    Attributes:
        passes: How often each variant has its turn, or a small multiple where turns are short.
        quick: Whether to leave out what takes long and is only reported.
    """

    passes: int = 30
    quick: bool = False


@attrs.frozen
class Row:
    """One line of a table: a number, and what it must be (the gate)."""

    what: str
    value: float
    gate: float | None = None
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the gate lets it through."""
        return self.gate is None or self.value <= self.gate

    def cells(self) -> list[str]:
        """What stands in the table."""
        gate = "" if self.gate is None else f"≤ {self.gate:g}"
        return [self.what, f"{self.value:.2f}" if self.value % 1 else f"{self.value:g}", gate, self.detail]


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print a table that can be pasted into the documentation."""
    lines = [["what", "measured", "gate", "in numbers"], *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    texts = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    sys.stdout.write("\n".join([f"\n### {title}\n", *texts, ""]))
    sys.stdout.flush()


CORES: list[int] = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
"""The processors that this process may use; empty where the system does not let it choose."""
CLIENT_CORE, SERVER_CORE = (CORES[0], CORES[-1]) if CORES else (None, None)


def stay_on_core(core: int | None) -> None:
    """Keep this thread, and what it starts, on one processor, where the system lets it choose."""
    if sys.platform == "linux" and core is not None:
        os.sched_setaffinity(0, {core})


def use_all_cores() -> None:
    """Let this thread, and what it starts, run on any processor again."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, CORES)


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program in the repository's root, and take what it writes."""
    done = subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=environment, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done


@contextlib.contextmanager
def running_server(*, delay: float = 0, certificate: Path | None = None) -> Generator[str, None, None]:
    """A server in a process of its own; yields where it is, such as ``http://127.0.0.1:12345``."""
    command = [sys.executable, "-m", "benchmarks.server", "--delay", str(delay)]
    if SERVER_CORE is not None:
        command += ["--core", str(SERVER_CORE)]
    if certificate is not None:
        command += ["--certificate", str(certificate)]
    # It ends when its standard input does.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline()) if process.stdout else 0
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        process.communicate()


def take_stats(server: str) -> dict[str, int]:
    """What the server has counted since the last time."""
    stats: dict[str, int] = json.loads(_ask(f"{server}/stats"))
    stats["connections"] -= 1  # this one
    return stats


def last_body(server: str) -> bytes:
    """What a client sent last."""
    return _ask(f"{server}/last")


def _ask(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


async def send_times(send: Send, times: int, in_flight: int = 1) -> None:
    """Call it so often, with so many calls under way at once."""
    left = iter(range(times))

    async def work() -> None:
        for _ in left:
            await send()

    await asyncio.gather(*(work() for _ in range(in_flight)))


def free_a_large_block() -> None:
    """Bring the allocator where any program that has run for a while has it.

    asyncio makes room for 256 KiB at each read. Until a block of that size was freed as it was, which happens when a
    connection ends and at each read over TLS, glibc has the kernel map each of them anew, which can take a sixth of the
    time of a call.
    """
    block = bytes(2**20)
    del block


async def measure_sends(variants: Mapping[str, Send], *, passes: int, times: int, in_flight: int = 1) -> Times:
    """CPU time of this process for each call, the variants taking turns."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    free_a_large_block()
    for number in range(passes + 1):
        for name in _turns(variants, number):
            gc.collect()
            started = time.process_time()
            await send_times(variants[name], times, in_flight)
            if number:  # The first pass opens the connections and warms up.
                found[name].append((time.process_time() - started) / times)
    return found


def measure_calls(variants: Mapping[str, Callable[[], object]], *, passes: int, times: int) -> Times:
    """The same for plain functions."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(passes):
        for name in _turns(variants, number):
            gc.collect()
            started = time.process_time()
            for _ in range(times):
                variants[name]()
            found[name].append((time.process_time() - started) / times)
    return found


def _turns(variants: Mapping[str, object], number: int) -> list[str]:
    return list(variants)[:: 1 if number % 2 else -1]


def ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of the ratios of each pass: what disturbs a pass disturbs both of its sides."""
    return statistics.median(one / other for one, other in zip(of, to, strict=True))


def in_microseconds(times: Times) -> str:
    """Medians, for reading."""
    return ", ".join(f"{name} {statistics.median(values) * 1e6:,.0f} µs" for name, values in times.items())
