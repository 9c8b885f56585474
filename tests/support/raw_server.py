"""A server on a raw socket whose every step is scripted, and which counts the requests that it read.

It speaks no HTTP of its own: a behaviour reads, writes, closes or resets as the test orders. aiohttp's own test server
and client are of no use here, because they switch off aiohttp's silent resending.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl as ssl_module
import struct
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import attrs

from .sockets import close_server

Behaviour = Callable[["Exchange"], Awaitable[None]]


@attrs.frozen
class Received:
    """One request that the server read whole."""

    connection: int
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class Exchange:
    """What a behaviour can do with one request of one connection."""

    def __init__(self, server: RawServer, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._server = server
        self._connection = connection
        self.reader = reader
        self.writer = writer
        self.peeked = b""
        self.ended = False

    async def read(self) -> Received:
        head = self.peeked + await self.reader.readuntil(b"\r\n\r\n")
        self.peeked = b""
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(self._connection, method, target, headers, body)
        self._server.requests.append(received)
        self._server.has_read.set()
        return received

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def close(self) -> None:
        self.ended = True
        self.writer.close()
        await self.writer.wait_closed()

    def reset(self) -> None:
        self.ended = True
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        await asyncio.Event().wait()


class RawServer:
    """Plays its behaviours, one for each request, the last for ever.

    A behaviour is taken as soon as a connection opens, and on a connection that was kept alive as soon as the first
    byte of the next request is there.
    """

    def __init__(self, *script: Behaviour, ssl: ssl_module.SSLContext | None = None) -> None:
        self._script = list(script)
        self._ssl = ssl
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.port = 0
        self.requests: list[Received] = []
        self.connections = 0
        self.has_read = asyncio.Event()
        """Set as soon as a request was read."""

    @property
    def url(self) -> str:
        return f"{'https' if self._ssl else 'http'}://127.0.0.1:{self.port}/v2/"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close_server(self._server, self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(Exchange(self, self.connections, reader, writer)))
        self._tasks.add(task)

    async def _serve(self, exchange: Exchange) -> None:
        try:
            while not exchange.ended:
                behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                await behaviour(exchange)
                if not exchange.ended:
                    exchange.peeked = await exchange.reader.read(1)
                    exchange.ended = not exchange.peeked
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client went away.
        finally:
            exchange.writer.transport.abort()


def http(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP answer."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def envelope(items: Any = None, code: object = 200, message: object = "success", **beside: Any) -> bytes:
    """Ghasedak's envelope."""
    return json.dumps({"result": {"code": code, "message": message}, "items": items, **beside}).encode()


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None, *, after: float = 0) -> Behaviour:
    """Read, then answer, and keep the connection alive."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        await asyncio.sleep(after)
        await exchange.write(http(body, status, headers))

    return behaviour


def accept(*items: Any) -> Behaviour:
    """Read, then answer with success and these items."""
    return answer(envelope(list(items)))


def bytes_then_close(data: bytes) -> Behaviour:
    """Read, write these bytes, close."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(data)
        await exchange.close()

    return behaviour


def bytes_then_hang(data: bytes) -> Behaviour:
    """Read, write these bytes, and nothing more."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(data)
        await exchange.hang()

    return behaviour


async def close_unread(exchange: Exchange) -> None:
    """Accept, close before reading."""
    await exchange.close()


async def reset_unread(exchange: Exchange) -> None:
    """Accept, reset before reading."""
    exchange.reset()


async def close_read(exchange: Exchange) -> None:
    """Read all, close without an answer."""
    await exchange.read()
    await exchange.close()


async def reset_read(exchange: Exchange) -> None:
    """Read all, reset."""
    await exchange.read()
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    """Read all, never answer."""
    await exchange.read()
    await exchange.hang()


async def hang_unread(exchange: Exchange) -> None:
    """Accept, never read."""
    await exchange.hang()
