"""The gates on cost that stand on counters: the same on every machine, however busy it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import calls, counters
from benchmarks.harness import running_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Shared, for it is a process, and what it counts is taken by each test."""
    with running_server() as url:
        yield url


async def test_function_calls_for_a_send(server: str) -> None:
    ours, hand_tuned = await calls.count(server)
    assert 100 < ours <= calls.GATE * hand_tuned


@pytest.mark.parametrize("age", [pytest.param(3600.0, id="expired"), pytest.param(0.0, id="rejected")])
async def test_a_thousand_sends_ask_for_one_token(server: str, age: float) -> None:
    assert await counters.count_token_requests(server, age) == 1


async def test_sends_one_after_the_other_share_a_connection(server: str) -> None:
    assert await counters.count_connections(server, 1) == 1


@pytest.mark.parametrize("in_flight", [2, 20, 100])
async def test_concurrent_sends_open_no_more_connections_than_they_are(server: str, in_flight: int) -> None:
    assert 1 <= await counters.count_connections(server, in_flight) <= in_flight


async def test_nothing_is_left_after_aclose(server: str) -> None:
    assert await counters.count_left(server) == 0
