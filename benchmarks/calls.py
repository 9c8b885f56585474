"""Function calls for each send, as cProfile counts them: a measure of work without noise."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
from typing import Any

from payamak.ghasedak import GhasedakClient

from .handtuned import HandTuned
from .harness import LINE, TEXT, TO, Options, Row, Send, running_server, send_times

TITLE = "Function calls for a send ÷ those of the same work tuned by hand"
GOAL, GATE = 1.10, 1.15


def run(_options: Options) -> list[Row]:
    """Count both."""
    with running_server() as server:
        ours, hand_tuned = asyncio.run(count(server))
    detail = f"ours {ours:.0f}, tuned by hand {hand_tuned:.0f}"
    return [Row("GhasedakClient.send", ours / hand_tuned, goal=GOAL, gate=GATE, detail=detail)]


async def count(server: str) -> tuple[float, float]:
    """Function calls for a send by the client, and for one tuned by hand."""
    base_url = f"{server}/v2/"
    hand_tuned = HandTuned("benchmark-key", base_url)
    async with GhasedakClient("benchmark-key", base_url=base_url) as client:
        ours = await _count(lambda: client.send(TO, TEXT, sender=LINE))
        theirs = await _count(lambda: hand_tuned.send(TO, TEXT, LINE))
    await hand_tuned.aclose()
    return ours, theirs


async def _count(send: Send, times: int = 200) -> float:
    await send_times(send, 10)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(times):
        await send()
    profile.disable()
    stats: Any = pstats.Stats(profile)  # Its types leave this out.
    return float(stats.total_calls / times)
