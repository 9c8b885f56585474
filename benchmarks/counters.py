"""What can be counted: requests for a token, connections, tasks and timers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from payamak.common.tokens import MemoryTokenStore, Token
from payamak.ghasedak import GhasedakClient
from payamak.smsir import SmsIrClient

from .harness import LINE, TEXT, TO, Options, Row, running_server, send_times, take_stats

TITLE = "Counted"


def run(_options: Options) -> list[Row]:
    """Count everything."""
    with running_server() as server:
        rows = [
            Row(f"token requests of 1,000 sends at {name} token", asyncio.run(count_token_requests(server, age)), 1)
            for name, age in (("an expired", 3600.0), ("a rejected", 0.0))
        ]
        for in_flight in (1, 20, 100):
            connections = asyncio.run(count_connections(server, in_flight))
            rows.append(Row(f"connections of {in_flight} in flight", connections, in_flight))
        rows.append(Row("tasks and timers left after aclose()", asyncio.run(count_left(server)), 0))
    return rows


class _SharedStore(MemoryTokenStore):
    """A store in which another process has left a token."""

    def __init__(self, token: Token) -> None:
        super().__init__()
        self._left: Token | None = token

    async def get(self, key: str) -> Token | None:
        left, self._left = self._left, None
        return left or await super().get(key)


async def count_token_requests(server: str, age: float, sends: int = 1000) -> int:
    """How often a token is asked for by sends that all begin with a token of this age, which the server rejects."""
    take_stats(server)
    store = _SharedStore(Token("an-older-token", time.time() - age))
    async with SmsIrClient("key", "secret", base_url=f"{server}/users/v1/", token_store=store) as client:
        await asyncio.gather(*(client.messages.send_to_numbers(TO, TEXT) for _ in range(sends)))
    return take_stats(server)["token_requests"]


async def count_connections(server: str, in_flight: int) -> int:
    """How many connections are opened by sends of which so many are in flight at once."""
    take_stats(server)
    async with GhasedakClient("key", base_url=f"{server}/v2/") as client:
        await send_times(lambda: client.send(TO, TEXT, sender=LINE), 5 * in_flight, in_flight)
    return take_stats(server)["connections"]


async def count_left(server: str) -> int:
    """How many tasks and timers a client leaves behind in the event loop."""
    async with SmsIrClient("key", "secret", base_url=f"{server}/users/v1/") as client:
        await send_times(lambda: client.messages.send_to_numbers(TO, TEXT), 300, 150)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    loop: Any = asyncio.get_running_loop()
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # noqa: SLF001 -- nothing else tells
    return len(tasks) + len(timers)
