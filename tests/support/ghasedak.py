"""Ghasedak's client as the vehicle by which the shared code is tested."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from payamak.common import PayamakError, RetryPolicy, Timeout
from payamak.ghasedak import GhasedakClient

KEY = "a-key"
QUICKLY = RetryPolicy(attempts=3, base_delay=0.001, max_delay=0.001)
ONCE = RetryPolicy(attempts=1)
PATIENT = Timeout(total=10, attempt=5, connect=2)
HASTY = Timeout(total=5, attempt=0.15, connect=0.1)


def make_client(url: str, **options: Any) -> GhasedakClient:
    """A client that repeats without waiting."""
    settings: dict[str, Any] = {"base_url": url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return GhasedakClient(KEY, **settings)


async def send(client: GhasedakClient) -> Any:
    """Something that must not run twice."""
    return await client.send("09121234567", "text")


async def ask(client: GhasedakClient) -> Any:
    """A read by POST."""
    return await client.statuses([70001])


async def look(client: GhasedakClient) -> Any:
    """A read by GET."""
    return await client.groups.list()


async def rename(client: GhasedakClient) -> Any:
    """A write whose second run changes nothing more."""
    return await client.groups.rename(7, "name")


Call = Callable[[GhasedakClient], Awaitable[Any]]
CALLS: dict[str, Call] = {"send": send, "statuses": ask, "groups.list": look}


async def failure_of(awaitable: Awaitable[Any]) -> PayamakError:
    """The error that it must raise."""
    try:
        result = await awaitable
    except PayamakError as error:
        return error
    raise AssertionError(f"no error, but {result!r}")
