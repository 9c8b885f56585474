"""A small HTTP proxy on a raw socket: absolute URIs and CONNECT."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Coroutine
from typing import Any

from support.raw_server import Exchange


class RawProxy:
    """A behaviour for `RawServer`: joins the client with the target, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.credentials: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        head = (exchange.peeked + await exchange.reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        self.asked.append(f"{method} {target}")
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "proxy-authorization":
                self.credentials.append(base64.b64decode(value.removeprefix("Basic ")).decode())
        place, _, path = target.removeprefix("http://").partition("/")
        host, _, port = place.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            if method == "CONNECT":
                await exchange.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                writer.write(head.replace(target, "/" + path, 1).encode())
            await _first_of(_pump(exchange.reader, writer), _pump(reader, exchange.writer))
        finally:
            exchange.ended = True
            writer.transport.abort()


async def _first_of(*pumps: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
