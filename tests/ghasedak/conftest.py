"""An emulator and a client of it, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from payamak.emulator import Emulator
from payamak.ghasedak import GhasedakClient
from support.clock import pytest_asyncio_loop_factories
from support.ghasedak import PATIENT, QUICKLY

__all__ = ["pytest_asyncio_loop_factories"]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture
async def client(emulator: Emulator) -> AsyncIterator[GhasedakClient]:
    async with GhasedakClient(
        "emulator-key", base_url=emulator.ghasedak_url, retry=QUICKLY, timeout=PATIENT
    ) as connected:
        yield connected
