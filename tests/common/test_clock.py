"""The clock that most tests run on."""

from __future__ import annotations

import asyncio
import time

import pytest


async def test_an_hour_passes_at_once() -> None:
    clock = asyncio.get_running_loop().time
    before, started = time.monotonic(), clock()
    await asyncio.sleep(3600)
    assert 3600 <= clock() - started < 3601
    assert time.monotonic() - before < 30


async def test_timers_end_in_their_order() -> None:
    ended: list[int] = []

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    await asyncio.gather(*map(wait, (30, 10, 20)))
    assert ended == [10, 20, 30]


async def test_a_busy_machine_passes_no_deadline() -> None:
    async with asyncio.timeout(0.1):
        time.sleep(0.2)  # noqa: ASYNC251 -- it is busy
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_who_works_without_end_is_interrupted() -> None:
    async def work() -> None:
        while True:  # noqa: ASYNC110 -- it waits for nothing
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work(), 0.01)


async def test_a_thread_has_its_time() -> None:
    async with asyncio.timeout(5):
        await asyncio.to_thread(time.sleep, 0.1)


@pytest.mark.real_time
async def test_real_time_is_that_of_the_machine() -> None:
    before = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - before >= 0.049
