"""Processes that share a token by a store with a lock, at a gateway where a new token ends those before it."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault
from support import token_worker
from support.redis import RedisServer
from support.warm import for_token_workers

pytestmark = pytest.mark.real_time

PROCESSES = 8
CALLS = 100
ALL_WELL = {"ok": PROCESSES * CALLS}


@attrs.frozen
class Workers:
    """Eight processes, each with a client."""

    processes: list[Process]

    async def call(self, times: int = CALLS) -> dict[str, int]:
        """Let each make so many calls at once, and count how all of them ended."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{times}\n".encode())
        return await self.read()

    async def read(self) -> dict[str, int]:
        endings: collections.Counter[str] = collections.Counter()
        for process in self.processes:
            assert process.stdout is not None
            endings.update(json.loads(await process.stdout.readline()))
        return dict(endings)


@pytest.fixture(params=["files", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The kind of a store, and its place."""
    if request.param == "files":
        yield "files", str(tmp_path / "tokens")
        return
    with RedisServer() as server:
        yield "redis", server.socket


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        running.smsir.switches.new_token_revokes_old = True
        # So that each process asks before another has got its answer.
        running.add_fault(Fault("delay", seconds=0.1, path="GetToken", times=None))
        yield running


@pytest_asyncio.fixture
async def workers(emulator: Emulator, store: tuple[str, str]) -> AsyncIterator[Workers]:
    command = [*for_token_workers(), token_worker.__file__, emulator.smsir_url, *store]
    async with contextlib.AsyncExitStack() as stack:
        processes: list[Process] = []
        for _ in range(PROCESSES):
            processes.append(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE))
            stack.push_async_callback(_end, processes[-1])
        workers = Workers(processes)
        assert await workers.read() == {}
        yield workers


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


async def test_all_start_on_an_empty_store(emulator: Emulator, workers: Workers) -> None:
    assert await workers.call() == ALL_WELL
    assert emulator.smsir.tokens_issued == 1


async def test_all_are_rejected_at_once(emulator: Emulator, workers: Workers) -> None:
    assert await workers.call(1) == {"ok": PROCESSES}
    for issued in (2, 3):
        emulator.smsir.revoke_tokens()
        assert await workers.call() == ALL_WELL
        assert emulator.smsir.tokens_issued == issued
