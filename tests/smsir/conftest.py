"""An emulator, a client of it, and clients of scripted servers that need not ask for a token first."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from payamak.emulator import Emulator
from payamak.smsir import SmsIrClient, Token
from support.clock import pytest_asyncio_loop_factories
from support.smsir import PATIENT, QUICKLY

__all__ = ["pytest_asyncio_loop_factories"]


class ReadyStore:
    """A token store that always has a token."""

    async def get(self, key: str) -> Token:
        return Token("a-token", time.time())

    async def set(self, key: str, token: Token) -> None:
        raise AssertionError(f"a token was asked for: {key}, {token}")

    async def delete(self, key: str, token: Token) -> None:
        """It stays."""


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture
async def client(emulator: Emulator) -> AsyncIterator[SmsIrClient]:
    async with SmsIrClient(
        "emulator-key", "emulator-secret", base_url=emulator.smsir_url, retry=QUICKLY, timeout=PATIENT
    ) as connected:
        yield connected


@pytest.fixture
def connect() -> Callable[..., SmsIrClient]:
    """Makes a client that has a token already."""

    def make(url: str, **options: Any) -> SmsIrClient:
        settings: dict[str, Any] = {"token_store": ReadyStore(), "retry": QUICKLY, "timeout": PATIENT, **options}
        return SmsIrClient("a-key", "a-secret", base_url=url, **settings)

    return make
