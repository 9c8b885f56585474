"""CPU time for each send, against what one would write by hand."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import math
import multiprocessing
from collections.abc import Sequence
from typing import TypeAlias

from .clients import open_clients
from .harness import Options, Row, Times, in_microseconds, measure_sends, ratio, running_server

TITLE = "CPU time for a send ÷ that of the naive one"
TURNS = {1: 3, 50: 3, 500: 1}
"""How many turns a pass has, by how many sends are in flight. Short turns, because the processor's speed changes from
one tenth of a second to the next."""
PROCESSES = 5
"""Where in memory things happen to lie moves a ratio by some per cent, for as long as a process lives."""

_FORM = "GhasedakClient.send"

Found: TypeAlias = dict[tuple[str, int], Times]
"""By client, and by how many sends were in flight."""


def run(options: Options) -> list[Row]:
    """Measure all clients."""
    spawn = multiprocessing.get_context("spawn")
    with (
        running_server() as server,
        concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool,
    ):
        share = functools.partial(_measure_in_process, server, options)
        parts = [task.result() for task in [pool.submit(share) for _ in range(PROCESSES)]]
    return [row for name, in_flight in parts[0] for row in _make_rows(name, in_flight, parts)]


def _make_rows(name: str, in_flight: int, parts: Sequence[Found]) -> list[Row]:
    found = [part[name, in_flight] for part in parts]
    times = {variant: [time for part in found for time in part[variant]] for variant in found[0]}
    ratios = sorted(ratio(part["ours"], part["naive"]) for part in found)
    return [
        make_row(
            f"{name}, {in_flight} in flight",
            ratio(times["ours"], times["naive"]),
            detail=f"{ratios[0]:.2f} to {ratios[-1]:.2f}: {in_microseconds(times)}",
        ),
        Row("the same ÷ a post of its bytes", ratio(times["ours"], times["bytes made beforehand"])),
    ]


def make_row(what: str, value: float, *, detail: str) -> Row:
    """A row with the goal and the gate of this client's send."""
    is_form = what.startswith(_FORM)
    return Row(what, value, goal=0.9 if is_form else 1.0, gate=1.0 if is_form else 1.15, detail=detail)


def _measure_in_process(server: str, options: Options) -> Found:
    return asyncio.run(_measure(server, options))


async def _measure(server: str, options: Options) -> Found:
    found: Found = {}
    async with open_clients(server) as clients:
        for name, sends in clients.items():
            for in_flight in TURNS if name == _FORM and not options.quick else (50,):
                variants = {"ours": sends.ours, "naive": sends.naive, "bytes made beforehand": sends.ready}
                # An even number, because the variants take turns at being the first.
                passes = math.ceil(options.passes * TURNS[in_flight] / PROCESSES / 2) * 2
                times = max(50, in_flight)
                found[name, in_flight] = await measure_sends(variants, passes=passes, times=times, in_flight=in_flight)
    return found
