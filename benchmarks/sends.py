"""CPU time for each send, against what one would write by hand."""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing

from .clients import open_clients
from .harness import Options, Row, Times, in_microseconds, measure_sends, ratio, running_server

TITLE = "CPU time for a send ÷ that of the naive one"
IN_FLIGHT = (1, 50, 500)
PROCESSES = 5
"""Where in memory things happen to lie moves a ratio by some per cent, for as long as a process lives."""

_FORM = "GhasedakClient.send"


def run(options: Options) -> list[Row]:
    """Measure all clients."""
    processes = min(PROCESSES, options.passes)
    share = Options(options.passes // processes, options.quick)
    with concurrent.futures.ProcessPoolExecutor(
        max_workers=1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        parts = list(pool.map(_measure_in_process, [share] * processes))
    rows: list[Row] = []
    for name, in_flight in parts[0]:
        found = [part[name, in_flight] for part in parts]
        times = {variant: [time for part in found for time in part[variant]] for variant in found[0]}
        rows += [
            Row(
                f"{name}, {in_flight} in flight", ratio(times["ours"], times["naive"]),
                goal=0.9 if name == _FORM else 1.0, gate=1.0 if name == _FORM else 1.15, detail=in_microseconds(times),
            ),
            Row("the same ÷ a post of its bytes", ratio(times["ours"], times["bytes made beforehand"])),
        ]  # fmt: skip
    return rows


def _measure_in_process(options: Options) -> dict[tuple[str, int], Times]:
    with running_server() as server:
        return asyncio.run(_measure(server, options))


async def _measure(server: str, options: Options) -> dict[tuple[str, int], Times]:
    found: dict[tuple[str, int], Times] = {}
    async with open_clients(server) as clients:
        for name, sends in clients.items():
            for in_flight in IN_FLIGHT if name == _FORM and not options.quick else (50,):
                variants = {"ours": sends.ours, "naive": sends.naive, "bytes made beforehand": sends.ready}
                found[name, in_flight] = await measure_sends(
                    variants, passes=options.passes, times=max(150, in_flight), in_flight=in_flight
                )
    return found
