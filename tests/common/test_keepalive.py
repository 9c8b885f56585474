"""Connections that were idle: a firewall may have forgotten them, and then what is sent on them is never heard of."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from payamak.common import HttpSession, InvalidArgumentError, Outcome, PayamakError, Timeout
from payamak.common import session as session_module
from support.firewall import Firewall
from support.ghasedak import ONCE, make_client, send
from support.raw_server import RawServer, accept

pytestmark = pytest.mark.real_time

BRIEFLY = Timeout(total=5, attempt=0.3)


async def send_with_pauses(keepalive: float, forgets_after: float) -> list[Outcome]:
    """What becomes of six one-time passwords, one every 200 ms."""
    outcomes: list[Outcome] = []
    async with (
        RawServer(accept(70001)) as server,
        Firewall(server.port, forgets_after=forgets_after) as firewall,
        HttpSession(keepalive=keepalive) as session,
        make_client(firewall.url, session=session, timeout=BRIEFLY, retry=ONCE) as client,
    ):
        for _ in range(6):
            try:
                await send(client)
            except PayamakError as error:
                outcomes.append(error.outcome)
            else:
                outcomes.append(Outcome.SENT)
            await asyncio.sleep(0.2)
    return outcomes


async def test_a_connection_that_was_idle_for_longer_is_not_used_again() -> None:
    assert await send_with_pauses(keepalive=0.05, forgets_after=0.1) == [Outcome.SENT] * 6


async def test_on_a_forgotten_connection_every_second_message_is_unknown() -> None:
    """What the limit is for."""
    assert await send_with_pauses(keepalive=15, forgets_after=0.1) == [Outcome.SENT, Outcome.UNKNOWN] * 3


async def test_the_default_is_shorter_than_common_servers_wait() -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url) as client:
        await send(client)
        (own,) = client._session._own.by_loop.values()
        assert own.session.connector is not None
        assert own.session.connector._keepalive_timeout == session_module.KEEPALIVE < 5


async def test_an_idle_connection_is_closed_without_a_next_call() -> None:
    async with RawServer(accept(70001)) as server, HttpSession(keepalive=0.05) as session:
        await send(make_client(server.url, session=session))
        (own,) = session._own.by_loop.values()
        assert own.session.connector is not None
        async with asyncio.timeout(5):
            while own.session.connector._conns:  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0.01)


async def test_none_is_kept_at_all() -> None:
    async with RawServer(accept(70001)) as server, HttpSession(keepalive=0) as session:
        client = make_client(server.url, session=session)
        for _ in range(3):
            await send(client)
        assert server.connections == 3


async def test_within_it_a_connection_is_kept() -> None:
    async with RawServer(accept(70001)) as server, HttpSession(keepalive=60) as session:
        client = make_client(server.url, session=session)
        for _ in range(3):
            await send(client)
            await asyncio.sleep(0.05)
        assert server.connections == 1


@pytest.mark.parametrize("keepalive", [-1, math.nan, "4", None, True])
def test_it_is_a_number_of_seconds(keepalive: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="keepalive"):
        HttpSession(keepalive=keepalive)
