"""asyncio's own event loop and uvloop, and how many connections to allow. Only reported."""

from __future__ import annotations

import asyncio
import statistics
import time
from importlib.metadata import version

import uvloop
from payamak.ghasedak import GhasedakClient, HttpSession

from .harness import LINE, TEXT, TO, Options, Row, running_server, send_times

TITLE = "Event loops and connections, in µs of CPU time for a send"


def run(options: Options) -> list[Row]:
    """Measure each combination, one after the other in each pass."""
    if options.quick:
        return []
    loops = {"asyncio": asyncio.new_event_loop, f"uvloop {version('uvloop')}": uvloop.new_event_loop}
    settings = [(1, 100), (50, 100), (500, 20), (500, 100), (500, 500)]
    found: dict[tuple[str, int, int], list[tuple[float, float]]] = {}
    with running_server() as server:
        for _ in range(options.passes):
            for name, factory in loops.items():
                for in_flight, connections in settings:
                    with asyncio.Runner(loop_factory=factory) as runner:
                        measured = runner.run(_measure(server, in_flight, connections))
                    found.setdefault((name, in_flight, connections), []).append(measured)
    return [
        Row(
            f"{name}, {in_flight} in flight, max_connections={connections}",
            round(statistics.median(cpu for cpu, _ in measured) * 1e6),
            detail=f"{1 / statistics.median(wall for _, wall in measured):,.0f} sends a second",
        )
        for (name, in_flight, connections), measured in found.items()
    ]


async def _measure(server: str, in_flight: int, connections: int) -> tuple[float, float]:
    times = max(200, in_flight)
    async with (
        HttpSession(max_connections=connections) as session,
        GhasedakClient("benchmark-key", base_url=f"{server}/v2/", session=session) as client,
    ):
        await send_times(lambda: client.send(TO, TEXT, sender=LINE), in_flight, in_flight)  # opens the connections
        cpu, wall = time.process_time(), time.perf_counter()
        await send_times(lambda: client.send(TO, TEXT, sender=LINE), times, in_flight)
        return (time.process_time() - cpu) / times, (time.perf_counter() - wall) / times
