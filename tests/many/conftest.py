"""An emulator for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from payamak.emulator import Emulator
from support.clock import pytest_asyncio_loop_factories
from support.many import prepare

__all__ = ["pytest_asyncio_loop_factories"]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield prepare(running)
