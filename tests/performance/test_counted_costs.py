"""The gates on cost that stand on counters: the same on every machine, however busy it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import calls, counters, imports, many
from benchmarks.harness import running_server, take_stats


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Shared, for it is a process, and what it counts is taken by each test."""
    with running_server() as url:
        yield url


async def test_function_calls_for_a_send(server: str) -> None:
    ours, hand_tuned = await calls.count(server)
    assert 100 < ours <= calls.GATE * hand_tuned


async def test_function_calls_do_not_creep_up(server: str) -> None:
    found = await calls.count_others(server)
    assert found.keys() == calls.GATES.keys()
    assert {what: count for what, count in found.items() if not 0.5 < count <= calls.GATES[what]} == {}


@pytest.mark.parametrize("package", ["ghasedak", "smsir", "opgateway", "advgateway"])
def test_a_client_is_imported_without_what_a_first_send_does_not_need(package: str) -> None:
    modules = imports.find_modules(f"payamak.{package}")
    assert {"aiohttp", "attr", "payamak.common.client", f"payamak.{package}.client"} <= modules
    assert not modules & {"cattrs", "zoneinfo", "sqlite3", "aiosqlite"}


async def test_a_long_send_many_needs_no_more_memory_than_a_short_one(server: str) -> None:
    short = long = 0
    for _ in range(3):  # On a busy machine, more waits at once in some runs.
        short, long = [await many.trace_memory(server, count) for count in (5_000, 20_000)]
        if long < min(2_000_000, 1.5 * short):
            break
    assert long < 2_000_000
    assert long < 1.5 * short


async def test_send_many_has_no_more_in_flight_than_it_may() -> None:
    with running_server(delay=0.1) as slow:
        await many.take_time(slow, 5_000)
        assert 10 < take_stats(slow)["most_in_flight"] <= many.IN_FLIGHT == 20


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
