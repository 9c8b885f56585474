"""A firewall, or a router that translates addresses, which forgets idle connections and tells nobody."""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

from .sockets import close_server


class Firewall:
    """Passes connections on to a port, and drops without a word what comes on one that was idle for too long."""

    def __init__(self, port: int, *, forgets_after: float) -> None:
        self._target = port
        self._forgets_after = forgets_after
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.forgotten = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v2/"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close_server(self._server, self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._pass_on(reader, writer)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", self._target)
        last = time.monotonic()

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            nonlocal last
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    if time.monotonic() - last > self._forgets_after:
                        self.forgotten += 1
                        await asyncio.Event().wait()
                    last = time.monotonic()
                    sink.write(data)

        pumps = [asyncio.ensure_future(pump(reader, out)), asyncio.ensure_future(pump(there, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pumps:
                task.cancel()
            out.transport.abort()
            writer.transport.abort()
