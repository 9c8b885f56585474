"""What the emulator's tests share. They speak plain HTTP and raw sockets, never through a client of this project."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import pytest_asyncio
from attrs import frozen
from payamak.emulator import Emulator

KEY = "emulator-key"


@frozen
class Reply:
    """A reply that was JSON."""

    http: int
    body: Any

    @property
    def code(self) -> int:
        return int(self.body["result"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["result"]["message"])

    @property
    def items(self) -> Any:
        return self.body["items"]


class Call(Protocol):
    """Calls a Ghasedak method."""

    async def __call__(
        self, path: str, /, *, method: str = "POST", key: str | None = KEY, **params: object
    ) -> Reply: ...


Control = Callable[..., Awaitable[Reply]]
Raw = Callable[[bytes], Awaitable[bytes]]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture
async def call(emulator: Emulator, session: aiohttp.ClientSession) -> Call:
    async def run(path: str, /, *, method: str = "POST", key: str | None = KEY, **params: object) -> Reply:
        headers = {} if key is None else {"apikey": key}
        fields = {name: str(value) for name, value in params.items()}
        where: Any = {"params": fields} if method == "GET" else {"data": fields}
        url = emulator.ghasedak_url + path
        async with session.request(method, url, headers=headers, **where) as response:
            assert response.content_type == "application/json"
            return Reply(response.status, json.loads(await response.read()))

    return run


@pytest_asyncio.fixture
async def control(emulator: Emulator, session: aiohttp.ClientSession) -> Control:
    async def run(method: str, path: str, body: object = None, *, data: bytes | None = None) -> Reply:
        content: Any = {"data": data} if data is not None else {} if body is None else {"json": body}
        async with session.request(method, f"{emulator.url}/emulator/{path}", **content) as response:
            return Reply(response.status, json.loads(await response.read()))

    return run


@pytest_asyncio.fixture
async def raw(emulator: Emulator) -> Raw:
    """Send bytes, return all bytes until the server closes. A reset raises ConnectionResetError."""

    async def run(request: bytes) -> bytes:
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    return run


@pytest_asyncio.fixture
async def send(call: Call) -> Callable[..., Awaitable[int]]:
    """Send one message and return its id."""

    async def run(receptor: str = "09121111111", **params: Any) -> int:
        reply = await call("sms/send/simple", **{"message": "test", **params}, receptor=receptor)
        assert reply.http == 200, reply.body
        return int(reply.items[0])

    return run
