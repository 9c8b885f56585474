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
TURNS = {1: (2, 100), 50: (2, 100), 500: (1, 500)}
"""How many turns a pass is made of, and of how many sends each, by how many are in flight. They are short because the
processor's speed changes from one tenth of a second to the next."""
PROCESSES = 5
"""Where in memory things happen to lie moves a ratio by some per cent, for as long as a process lives."""

GATES = {
    "GhasedakClient.send": 0.90,
    "sms.ir (JSON and token)": 1.21,
    "op gateway": 0.80,
    "advanced gateway, SOAP": 1.15,
    "advanced gateway, REST": 1.15,
}
"""In machine instructions, which CI counts; in CPU time they are held by hand."""
_IN_ALL_TURNS = "GhasedakClient.send"

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
            name,
            in_flight,
            ratio(times["ours"], times["naive"]),
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}: {in_microseconds(times)}",
        ),
        Row("the same ÷ a post of its bytes", ratio(times["ours"], times["bytes made beforehand"])),
    ]


def make_row(name: str, in_flight: int, value: float, detail: str) -> Row:
    """A row with the gate of this client's send."""
    return Row(f"{name}, {in_flight} in flight", value, GATES[name], detail=detail)


def _measure_in_process(server: str, options: Options) -> Found:
    return asyncio.run(_measure(server, options))


async def _measure(server: str, options: Options) -> Found:
    found: Found = {}
    async with open_clients(server) as clients:
        for name, sends in clients.items():
            for in_flight in TURNS if name == _IN_ALL_TURNS and not options.quick else (50,):
                variants = {"ours": sends.ours, "naive": sends.naive, "bytes made beforehand": sends.ready}
                turns_a_pass, times = TURNS[in_flight]
                # An even number, because the variants take turns at being the first.
                turns = math.ceil(options.passes * turns_a_pass / PROCESSES / 2) * 2
                found[name, in_flight] = await measure_sends(variants, passes=turns, times=times, in_flight=in_flight)
    return found
