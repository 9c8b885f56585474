"""``send_many`` to 100,000 recipients: how long, how much memory, how many at once."""

from __future__ import annotations

import asyncio
import functools
import gc
import statistics
import time
import tracemalloc
from collections.abc import Iterator

import aiohttp
from payamak.ghasedak import GhasedakClient, Outcome, OutgoingMessage

from .clients import GHASEDAK, Naive
from .harness import LINE, TEXT, Options, Row, last_body, ratio, running_server, send_times, take_stats

TITLE = "send_many"
RECIPIENTS, IN_FLIGHT, DELAY = 100_000, 20, 0.05
_PER_REQUEST = 100


def run(options: Options) -> list[Row]:
    """Measure everything."""
    with running_server(delay=DELAY) as server:
        times: list[float] = []
        by_hand: list[float] = []
        in_flight = 0
        for _ in range(min(options.passes, 5)):
            take_stats(server)
            times.append(asyncio.run(take_time(server, RECIPIENTS)))
            in_flight = max(in_flight, take_stats(server)["most_in_flight"])
            by_hand.append(asyncio.run(_take_time_by_hand(server, last_body(server))))
    ideal = RECIPIENTS / _PER_REQUEST / IN_FLIGHT * DELAY
    ratios, ratios_by_hand = (", ".join(f"{taken / ideal:.2f}" for taken in found) for found in (times, by_hand))
    # Without a delay: what is in flight at once is the same, and a million take minutes as it is.
    with running_server() as server:
        memory = asyncio.run(trace_memory(server, RECIPIENTS))
        rows = [
            Row("time ÷ ideal (requests ÷ 20 × 50 ms)", statistics.median(times) / ideal, detail=ratios),
            Row("the same ÷ as many bare posts of a request's bytes", ratio(times, by_hand), detail=ratios_by_hand),
            Row("most requests in flight of 20", in_flight, IN_FLIGHT),
            Row("memory for 100,000, MB traced", memory / 1e6, 2),
        ]
        if not options.quick:
            more = asyncio.run(trace_memory(server, 10 * RECIPIENTS))
            rows.append(Row("memory for 1,000,000 ÷ for 100,000", more / memory, 1.5, detail=f"{more / 1e6:.2f} MB"))
    return rows


def make_messages(count: int) -> Iterator[OutgoingMessage]:
    """One text to many, one at a time."""
    return (OutgoingMessage(f"0912{number % 10_000_000:07}", TEXT, LINE) for number in range(count))


async def take_time(server: str, count: int) -> float:
    """Seconds from the first message to the last report."""
    async with GhasedakClient("benchmark-key", base_url=f"{server}/v2/") as client:
        started = time.perf_counter()
        await send_messages(client, count)
        return time.perf_counter() - started


async def _take_time_by_hand(server: str, body: bytes) -> float:
    """Seconds for as many requests, made beforehand, with the answers parsed and nothing done with them."""
    async with aiohttp.ClientSession() as session:
        post = functools.partial(Naive(session, server).post, f"{server}/v2/sms/send/pair", body, GHASEDAK)
        started = time.perf_counter()
        await send_times(post, RECIPIENTS // _PER_REQUEST, IN_FLIGHT)
        return time.perf_counter() - started


async def trace_memory(server: str, count: int) -> int:
    """The most bytes that Python has allocated at once beyond those of a client at work."""
    async with GhasedakClient("benchmark-key", base_url=f"{server}/v2/") as client:
        await send_messages(client, IN_FLIGHT * _PER_REQUEST)
        gc.collect()
        tracemalloc.start()
        try:
            await send_messages(client, count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


async def send_messages(client: GhasedakClient, count: int) -> None:
    """Send so many, and see that all were sent."""
    sent = 0
    async for report in client.send_many(make_messages(count), concurrency=IN_FLIGHT):
        sent += report.outcome is Outcome.SENT
    assert sent == count  # noqa: S101
