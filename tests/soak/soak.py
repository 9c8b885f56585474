"""The runner: rounds of waves, judged one after the other; then what is left behind."""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import gc
import importlib
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence

import attrs

from .judge import Judge, Tally
from .lanes import LANES, make_wave
from .lies import LIES, keeps_numbers_only
from .server import SHARE, Server
from .waves import Result, Worker

_DEFAULT_SECONDS = 180.0
_JUDGED_FROM = 12
"""With fewer rounds, memory tells nothing."""
_LIES_JUDGED_FROM = 2_000
"""Of fewer requests it is chance how many are answered with a lie."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@attrs.frozen
class Options:
    """How to run it.

    Attributes:
        seconds: For how long; a round that has begun is finished, and the first is always run.
        seed: Of everything that is thrown.
        uvloop: Whether to use uvloop.
        loops: How many event loops run at once, each in a thread of its own.
    """

    seconds: float = _DEFAULT_SECONDS
    seed: int = 0
    uvloop: bool = False
    loops: int = 1


@attrs.define
class Report:
    """What came of it."""

    judge: Judge
    rounds: int = 0
    left_sockets: int = 0
    left_tasks: list[str] = attrs.Factory(list[str])
    logged_errors: list[str] = attrs.Factory(list[str])
    memory: list[tuple[int, int]] = attrs.Factory(list[tuple[int, int]])
    """After each round: blocks of Python's allocator, and bytes resident."""

    @property
    def problems(self) -> list[str]:
        """All that is wrong."""
        problems = [*self.judge.problems, *self.logged_errors, *(f"task left: {task}" for task in self.left_tasks)]
        if self.left_sockets:
            problems.append(f"{self.left_sockets} sockets left open")
        if self.judge.total.faults < self.judge.total.requests * SHARE / 2:
            problems.append("too few requests met a fault for this to prove anything")
        if self.judge.total.lies < (self.judge.total.requests - _LIES_JUDGED_FROM) * LIES / 3:
            problems.append("too few requests were answered with a lie for this to prove anything")
        return problems + self._growth()

    def _growth(self) -> list[str]:
        if len(self.memory) < _JUDGED_FROM:
            return []
        quarter = len(self.memory) // 4
        early, late = self.memory[quarter : 2 * quarter], self.memory[-quarter:]
        grown: list[str] = []
        # The least of each, because how much is alive after a round depends on the round.
        for index, name, margin in ((0, "blocks", 3_000), (1, "bytes", 8 * 1024 * 1024)):
            before, after = (min(sample[index] for sample in samples) for samples in (early, late))
            if after > before * 1.02 + margin:
                grown.append(f"memory grew from {before:,} to {after:,} {name}")
        return grown


def run(options: Options, say: Callable[[str], object] = lambda _line: None) -> Report:
    """Run it, and say after each round how it stands."""
    dice = random.Random(options.seed)  # noqa: S311 -- it is to be repeatable
    report = Report(Judge())
    sockets = _count_sockets()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_collect_errors(report.logged_errors))
        server = stack.enter_context(Server())
        workers = [stack.enter_context(Worker(server.url, _loop_factory(options))) for _ in range(options.loops)]
        end = time.monotonic() + options.seconds
        while not report.rounds or time.monotonic() < end:
            report.rounds += 1
            _run_round(server, workers, dice, report)
            total = report.judge.total
            say(f"round {report.rounds}: {total.messages:,} messages, {len(report.problems)} problems")
    gc.collect()
    report.left_sockets = _count_sockets() - sockets
    return report


def _run_round(server: Server, workers: Sequence[Worker], dice: random.Random, report: Report) -> None:
    switches = server.begin(dice)
    results = _run_waves(workers, dice, report, forgets_words=keeps_numbers_only(switches))
    report.judge.judge_round(results, *server.end(), switches)
    results.clear()
    gc.collect()
    report.memory.append((sys.getallocatedblocks(), _resident()))


def _run_waves(workers: Sequence[Worker], dice: random.Random, report: Report, *, forgets_words: bool) -> list[Result]:
    running: list[concurrent.futures.Future[tuple[list[Result], list[str]]]] = []
    for place, worker in enumerate(workers):
        lanes = [lane for lane in LANES for _ in range(dice.choice((1, 2, 3, 4)))]
        waves = [make_wave(lane, f"{report.rounds}.{place}.{number}", dice) for number, lane in enumerate(lanes)]
        running.append(worker.run(worker.run_waves(waves, forgets_words=forgets_words)))
    results: list[Result] = []
    for future in running:
        done, left = future.result()
        results += done
        report.left_tasks += left
    return results


def _loop_factory(options: Options) -> Callable[[], asyncio.AbstractEventLoop]:
    if not options.uvloop:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


@contextlib.contextmanager
def _collect_errors(errors: list[str]) -> Generator[None]:
    """Collect what is logged as an error, and drop the warnings, of which there are many."""
    loggers = [logging.getLogger(name) for name in ("payamak", "asyncio")]
    before = [(log.level, log.propagate) for log in loggers]
    collector = _Collector(errors)
    for log in loggers:
        log.addHandler(collector)
        log.setLevel(logging.ERROR)
        log.propagate = False
    try:
        yield
    finally:
        for log, (level, propagate) in zip(loggers, before, strict=True):
            log.removeHandler(collector)
            log.setLevel(level)
            log.propagate = propagate


class _Collector(logging.Handler):
    def __init__(self, errors: list[str]) -> None:
        super().__init__()
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(f"logged: {self.format(record)}")


def _count_sockets() -> int:
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE


_COLUMNS = {
    "waves": "waves",
    "messages": "messages",
    "sent": "sent",
    "refused": "refused",
    "not_sent": "not sent",
    "unknown": "unknown",
    "unknown_processed": "taken",
    "requests": "requests",
    "faults": "with a fault",
    "lies": "with a lie",
    "false_refusals": "false refusals",
    "repeats": "again after 429",
    "reruns": "again in a rerun",
    "duplicates": "twice",
    "lost": "lost",
    "unexplained": "unexplained",
}


def format_table(judge: Judge) -> str:
    """The counts as a table, in Markdown."""
    rows = [["gateway", *_COLUMNS.values()]]
    tallies: list[tuple[str, Tally]] = [(lane.name, tally) for lane, tally in judge.tallies.items()]
    for name, tally in [*tallies, ("total", judge.total)]:
        rows.append([name, *(f"{getattr(tally, column):,}" for column in _COLUMNS)])
    first, *others = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        " | ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in rows
    ]
    lines.insert(1, " | ".join(["-" * first, *("-" * (width - 1) + ":" for width in others)]))
    return "\n".join(f"| {line} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m soak", description="Soak send_many in random faults and lies.")
    parser.add_argument("seconds", type=float, nargs="?", default=_DEFAULT_SECONDS, help="default: %(default)s")
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(10_000), help="default: any")  # noqa: S311
    parser.add_argument("--uvloop", action="store_true", help="use uvloop")
    parser.add_argument("--loops", type=int, default=1, help="event loops at once, each in a thread (default: 1)")
    chosen = parser.parse_args(arguments)
    options = Options(chosen.seconds, chosen.seed, chosen.uvloop, chosen.loops)
    _say(f"{options.seconds:g} seconds, seed {options.seed}, {options.loops} event loop(s), uvloop: {options.uvloop}")
    report = run(options, _say)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in report.judge.fault_kinds.most_common())
    _say(f"\n{format_table(report.judge)}\n\nfaults: {kinds}\n{_describe_memory(report)}")
    _say(f"tasks left: {len(report.left_tasks)}, sockets left: {report.left_sockets}")
    for problem in report.problems[:50]:
        _say(f"PROBLEM {problem}")
    return 1 if report.problems else 0


def _describe_memory(report: Report) -> str:
    quarter = report.memory[len(report.memory) // 4]
    (blocks, resident), (last_blocks, last_resident) = quarter, report.memory[-1]
    return (
        f"memory after a quarter of the rounds and at the end: {resident / 2**20:.1f} and {last_resident / 2**20:.1f} "
        f"MiB, {blocks:,} and {last_blocks:,} blocks"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
