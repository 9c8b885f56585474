"""Many tasks at once on one client."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import DeliveryState, GhasedakClient, Outcome, PayamakError, RetryPolicy

SENDS = 300
CONNECTIONS = 100


async def _watch(emulator: Emulator, counts: list[int]) -> None:
    while True:
        counts.append(emulator.connections)
        await asyncio.sleep(0.002)


async def _send_all(emulator: Emulator, client: GhasedakClient) -> tuple[list[Any], int]:
    counts: list[int] = []
    watcher = asyncio.create_task(_watch(emulator, counts))
    results: list[Any] = await asyncio.gather(
        *(client.send(f"0912{number:07}", f"text {number}", check_id=str(number)) for number in range(SENDS)),
        return_exceptions=True,
    )
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)
    return results, max(counts)


async def _assert_all_released(emulator: Emulator) -> None:
    async with asyncio.timeout(5):
        while emulator.connections:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_sends_at_once(seconds: float, emulator: Emulator) -> None:
    if seconds:
        emulator.add_fault(Fault("delay_after", times=SENDS, seconds=seconds))
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        results, most = await _send_all(emulator, client)
    messages = emulator.messages()
    assert len(messages) == len(emulator.requests) == SENDS
    by_id = {message.id: message for message in messages}
    assert len(by_id) == SENDS
    # Each caller has the id of its own message.
    for number, result in enumerate(results):
        message = by_id[result.message_id]
        assert (message.recipient, message.text) == (result.recipient, f"text {number}")
        assert (message.recipient, message.check_id) == (f"0912{number:07}", str(number))
    assert most <= CONNECTIONS
    if seconds:
        assert most == CONNECTIONS
    await _assert_all_released(emulator)


async def test_sends_at_once_while_connections_break(emulator: Emulator) -> None:
    """None is sent twice, and each knows what became of it."""
    for kind in ("drop_after_read", "reset_before_read", "cut_reply", "drop_unprocessed", "garbage") * 10:
        emulator.add_fault(Fault(kind))
    retry = RetryPolicy(base_delay=0.001)
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url, retry=retry) as client:
        results, most = await _send_all(emulator, client)
        unknown = [number for number, result in enumerate(results) if isinstance(result, PayamakError)]
        assert {results[number].outcome for number in unknown} == {Outcome.UNKNOWN}
        statuses = await client.statuses_by_check_id(str(number) for number in unknown)
    assert len(emulator.requests) == SENDS + 1
    assert len(unknown) == 50
    assert set(Counter(message.check_id for message in emulator.messages()).values()) == {1}
    # What the check ids say is what there is.
    found = {status.message_id for status in statuses if status.state is not DeliveryState.NOT_FOUND}
    known = {result.message_id for result in results if not isinstance(result, PayamakError)}
    assert found | known == {message.id for message in emulator.messages()}
    assert len(found) == 30
    assert most <= CONNECTIONS
    await _assert_all_released(emulator)


async def test_cancelled_sends_give_their_connections_back(emulator: Emulator, client: GhasedakClient) -> None:
    emulator.add_fault(Fault("hang", times=SENDS))
    tasks = [asyncio.create_task(client.send(f"0912{number:07}", "text")) for number in range(SENDS)]
    async with asyncio.timeout(5):
        while len(emulator.requests) < CONNECTIONS:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert len(emulator.requests) == CONNECTIONS
    emulator.clear_faults()
    assert (await client.send("09121111111", "text")).ok
