"""CPU time for each send, against what one would write by hand."""

from __future__ import annotations

import asyncio

from .clients import open_clients
from .harness import Options, Row, in_microseconds, measure_sends, ratio, running_server

TITLE = "CPU time for a send ÷ that of the naive one"
IN_FLIGHT = (1, 50, 500)


def run(options: Options) -> list[Row]:
    """Measure all clients."""
    with running_server() as server:
        return asyncio.run(_measure(server, options))


async def _measure(server: str, options: Options) -> list[Row]:
    rows: list[Row] = []
    async with open_clients(server) as clients:
        for name, sends in clients.items():
            is_form = name == "GhasedakClient.send"
            for in_flight in IN_FLIGHT if is_form and not options.quick else (50,):
                variants = {"ours": sends.ours, "naive": sends.naive, "bytes made beforehand": sends.ready}
                times = await measure_sends(
                    variants, passes=options.passes, times=max(150, in_flight), in_flight=in_flight
                )
                rows += [
                    Row(
                        f"{name}, {in_flight} in flight", ratio(times["ours"], times["naive"]),
                        goal=0.9 if is_form else 1.0, gate=1.0 if is_form else 1.15, detail=in_microseconds(times),
                    ),
                    Row("the same ÷ a post of its bytes", ratio(times["ours"], times["bytes made beforehand"])),
                ]  # fmt: skip
    return rows
