"""Function calls, as cProfile counts them: a measure of work without noise."""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import pstats
from collections.abc import Generator, Mapping
from typing import Any

from payamak.ghasedak import GhasedakClient

from .clients import open_clients
from .decoding import make_decodings
from .handtuned import HandTuned
from .harness import LINE, TEXT, TO, Options, Row, Send, running_server, send_times
from .many import IN_FLIGHT, send_messages

TITLE = "Function calls"
GATE = 1.15

GATES: Mapping[str, float] = {
    "GhasedakClient.send ÷ a post of its bytes": 1.3,
    "sms.ir (JSON and token) ÷ a post of its bytes": 1.30,
    "op gateway ÷ a post of its bytes": 1.35,
    "advanced gateway, SOAP ÷ a post of its bytes": 1.65,
    "advanced gateway, REST ÷ a post of its bytes": 1.34,
    "for each entry of a status reply of 100 messages": 19,
    "for each entry of a GetMsg SOAP reply of 50": 46,
    "for each message of send_many": 50,
}
"""A little above what was counted with Python 3.11 to 3.13, so that nothing creeps in."""


class Counter:
    """Counts function calls."""

    calls = 0.0

    @contextlib.contextmanager
    def counting(self) -> Generator[None, None, None]:
        """Count what is called in the block."""
        profile = cProfile.Profile()
        profile.enable()
        try:
            yield
        finally:
            profile.disable()
            stats: Any = pstats.Stats(profile)  # Its types leave this out.
            self.calls += stats.total_calls


def run(_options: Options) -> list[Row]:
    """Count everything."""
    with running_server() as server:
        ours, hand_tuned = asyncio.run(count(server))
        found = asyncio.run(count_others(server))
    detail = f"ours {ours:.0f}, tuned by hand {hand_tuned:.0f}"
    return [
        Row("GhasedakClient.send ÷ the same work tuned by hand", ours / hand_tuned, GATE, detail=detail),
        *(Row(what, calls, gate=GATES[what]) for what, calls in found.items()),
    ]


async def count(server: str) -> tuple[float, float]:
    """Function calls for a send by the client, and for one tuned by hand."""
    base_url = f"{server}/v2/"
    hand_tuned = HandTuned("benchmark-key", base_url)
    async with GhasedakClient("benchmark-key", base_url=base_url) as client:
        ours = await _count(lambda: client.send(TO, TEXT, sender=LINE))
        theirs = await _count(lambda: hand_tuned.send(TO, TEXT, LINE))
    await hand_tuned.aclose()
    return ours, theirs


async def count_others(server: str) -> dict[str, float]:
    """What `GATES` names."""
    found: dict[str, float] = {}
    async with open_clients(server) as clients:
        for name, sends in clients.items():
            found[f"{name} ÷ a post of its bytes"] = await _count(sends.ours) / await _count(sends.ready)
    for what, decoding in make_decodings().items():
        decoding.ours()
        counter = Counter()
        with counter.counting():
            decoding.ours()
        found[f"for each entry of {what}"] = counter.calls / decoding.entries
    found["for each message of send_many"] = await count_many(server)
    return found


async def count_many(server: str, messages: int = 10_000) -> float:
    """Function calls for each message of a `send_many`, with its requests and the loop that takes the reports."""
    counter = Counter()
    async with GhasedakClient("benchmark-key", base_url=f"{server}/v2/") as client:
        await send_messages(client, IN_FLIGHT * 100)
        with counter.counting():
            await send_messages(client, messages)
    return counter.calls / messages


async def _count(send: Send, times: int = 200) -> float:
    await send_times(send, 10)
    counter = Counter()
    with counter.counting():
        for _ in range(times):
            await send()
    return counter.calls / times
