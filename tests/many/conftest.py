"""An emulator for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from payamak.emulator import Emulator
from support.clock import pytest_asyncio_loop_factories
from support.many import prepare
from support.postgres import PostgresServer

__all__ = ["pytest_asyncio_loop_factories"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield prepare(running)
