"""When a token is renewed: before its end, behind the callers; and by a clock that does not jump."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from payamak.common import InvalidArgumentError
from payamak.common.tokens import TokenManager
from payamak.smsir import SmsIrClient
from support.smsir import (
    DAY,
    EXPIRY_MARGIN,
    LIFETIME,
    ONCE,
    PAUSE,
    REFRESH_MARGIN,
    SECRET_KEY,
    USER_API_KEY,
    Clocks,
    TokenGateway,
    ask,
    make_client,
    nothing_unheard,
    put_clocks,
    refreshes,
    refuse,
    send,
    settle,
    until,
)


async def test_near_the_end_nobody_waits() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(LIFETIME - REFRESH_MARGIN)
        gateway.gate.clear()
        async with asyncio.timeout(2):
            await asyncio.gather(*(ask(client) for _ in range(20)))
            await send(client)
        await until(lambda: gateway.token_requests == 2)
        took = REFRESH_MARGIN - EXPIRY_MARGIN - 1
        clocks.advance(took)
        async with asyncio.timeout(2):
            await ask(client)

        assert len(refreshes()) == 1
        assert set(gateway.tokens_used) == {gateway.issued[0]}
        gateway.gate.set()
        await settle()
        assert gateway.token_requests == 2
        await ask(client)
        assert gateway.tokens_used[-1] == gateway.issued[1]
        clocks.advance(LIFETIME - REFRESH_MARGIN - took - 1)
        await ask(client)
        assert gateway.token_requests == 2, "the new one has a life of its own"


async def test_a_refresh_behind_that_becomes_the_refresh_waited_for() -> None:
    """The old token ends while the new one is on its way: callers wait for that one and start no other."""
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(LIFETIME - REFRESH_MARGIN)
        gateway.gate.clear()
        await ask(client)
        clocks.advance(REFRESH_MARGIN)
        task = asyncio.create_task(ask(client))
        await until(lambda: gateway.token_requests == 2)
        assert not task.done()
        gateway.gate.set()
        await task
        assert gateway.token_requests == 2
        assert gateway.tokens_used[-1] == gateway.issued[1]


@pytest.mark.parametrize(
    ("age", "requests", "waits"),
    [
        (59, 1, False),
        (60, 2, False),
        (79.9, 2, False),
        (80, 2, True),
        (100, 2, True),
    ],
)
async def test_the_margins_are_arguments(age: float, requests: int, waits: bool) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_lifetime=100, token_refresh_margin=40, token_expiry_margin=20) as client,
    ):
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(age)
        gateway.gate.clear()
        task = asyncio.create_task(ask(client))
        await until(lambda: gateway.token_requests == requests and (waits or task.done()))
        await asyncio.sleep(0.01)
        assert task.done() is not waits
        gateway.gate.set()
        await task
        await settle()
        assert gateway.token_requests == requests
        assert gateway.tokens_used[-1] == gateway.issued[1 if waits else 0]


@pytest.mark.parametrize(
    ("guilty", "margins"),
    [
        ("token_lifetime", {"token_lifetime": 0}),
        ("token_lifetime", {"token_lifetime": -1}),
        ("token_lifetime", {"token_lifetime": math.nan}),
        ("token_lifetime", {"token_lifetime": "1800"}),
        ("token_lifetime", {"token_lifetime": None}),
        ("token_lifetime", {"token_lifetime": True}),
        ("token_refresh_margin", {"token_refresh_margin": -1}),
        ("token_refresh_margin", {"token_refresh_margin": math.nan}),
        ("token_refresh_margin", {"token_refresh_margin": "180"}),
        ("token_refresh_margin", {"token_refresh_margin": None}),
        ("token_refresh_margin", {"token_refresh_margin": LIFETIME}),
        ("token_refresh_margin", {"token_refresh_margin": LIFETIME + 1}),
        ("token_refresh_margin", {"token_refresh_margin": math.inf}),
        ("token_refresh_margin", {"token_lifetime": 100}),
        ("token_refresh_margin", {"token_refresh_margin": 9}),
        ("token_expiry_margin", {"token_expiry_margin": -1}),
        ("token_expiry_margin", {"token_expiry_margin": math.nan}),
        ("token_expiry_margin", {"token_expiry_margin": "10"}),
        ("token_expiry_margin", {"token_expiry_margin": None}),
    ],
)
def test_bad_margins_are_refused(guilty: str, margins: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        SmsIrClient(USER_API_KEY, SECRET_KEY, **margins)
    assert caught.value.argument == guilty
    assert guilty in str(caught.value)


@pytest.mark.parametrize(
    "margins",
    [
        {"token_expiry_margin": 0},
        {"token_expiry_margin": 30, "token_refresh_margin": 30},
        {"token_lifetime": 1.5, "token_refresh_margin": 0.5, "token_expiry_margin": 0.1},
    ],
)
def test_good_margins_are_taken(margins: dict[str, Any]) -> None:
    assert SmsIrClient(USER_API_KEY, SECRET_KEY, **margins)


async def test_the_time_that_a_token_took_to_come_counts_as_used() -> None:
    clocks = Clocks()
    fetched = 0

    async def fetch() -> str:
        nonlocal fetched
        fetched += 1
        clocks.advance(30)
        return f"token {fetched}"

    tokens = TokenManager(fetch, key="a-key", monotonic=clocks.monotonic, wall_clock=clocks.wall)
    await tokens.get()
    clocks.advance(LIFETIME - EXPIRY_MARGIN - 30)
    assert (await tokens.get()).value == "token 2", "by the gateway's reckoning the first one is as good as over"
    await tokens.aclose()


async def test_a_token_that_took_its_time_is_renewed_by_the_first_refresh_behind() -> None:
    """The token in the store is our own old one: to take it over again is no refresh."""
    clocks = Clocks()
    fetched = 0

    async def fetch() -> str:
        nonlocal fetched
        fetched += 1
        clocks.advance(2)
        return f"token {fetched}"

    tokens = TokenManager(fetch, key="a-key", monotonic=clocks.monotonic, wall_clock=clocks.wall)
    await tokens.get()
    clocks.advance(LIFETIME - REFRESH_MARGIN - 2)
    assert (await tokens.get()).value == "token 1"
    await settle()
    assert fetched == 2
    assert (await tokens.get()).value == "token 2"
    await tokens.aclose()


async def test_a_refresh_behind_that_fails_changes_nothing_for_the_callers() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        with nothing_unheard():
            clocks = put_clocks(client)
            await ask(client)
            clocks.advance(LIFETIME - REFRESH_MARGIN)
            gateway.every_token_answer = refuse("یک خطا", 500)
            for wait in (0, 0, PAUSE - 0.1):
                clocks.advance(wait)
                await ask(client)
                await settle()
            assert gateway.token_requests == 2, "the next try waits"
            clocks.advance(0.1)
            for _ in range(10):
                await ask(client)
                await settle()
            assert gateway.token_requests == 3
            assert set(gateway.tokens_used) == {gateway.issued[0]}

            clocks.advance(PAUSE)
            gateway.every_token_answer = None
            await ask(client)
            await settle()
            await ask(client)
            assert gateway.token_requests == 4
            assert gateway.tokens_used[-1] == gateway.issued[1]


async def test_a_refresh_behind_that_failed_does_not_keep_callers_from_trying_when_the_token_has_ended() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(LIFETIME - EXPIRY_MARGIN - 1)
        gateway.token_answers = [refuse("یک خطا", 500)]
        await ask(client)
        await settle()
        clocks.advance(1)  # Still within the pause.
        await ask(client)
        assert gateway.tokens_used[-1] == gateway.issued[1]


@pytest.mark.parametrize("jump", [DAY, -DAY, 365 * DAY, -365 * DAY, 60, -60])
async def test_the_wall_clock_may_jump(jump: float) -> None:
    """One process renews at the same moments, wherever the wall clock goes."""
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.wall.advance(jump)
        await ask(client)
        clocks.advance(LIFETIME - REFRESH_MARGIN - 1)
        await ask(client)
        assert gateway.token_requests == 1

        clocks.advance(1)
        clocks.wall.advance(-2 * jump)
        await ask(client)
        await settle()
        assert gateway.token_requests == 2, "renewed behind"
        await ask(client)
        assert gateway.tokens_used[-1] == gateway.issued[1]

        clocks.advance(LIFETIME)
        clocks.wall.advance(jump - LIFETIME)
        await ask(client)
        assert gateway.token_requests == 3, "renewed at the end"
        assert gateway.tokens_used[-1] == gateway.issued[2]


@pytest.mark.parametrize("wall_sleeps_too", [True, False])
async def test_a_machine_that_slept_recovers_by_the_rejection(wall_sleeps_too: bool) -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await send(client, "before")
        gateway.valid.clear()
        if not wall_sleeps_too:
            clocks.wall.advance(8 * 60 * 60)
        await send(client, "after")
        assert gateway.sent == ["before", "after"]
        assert gateway.token_requests == 2
