"""Stands between a client and PostgreSQL, and breaks the connection where it hurts."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from .sockets import close_server

_BIND = b"B"
"""What asyncpg sends once a statement is prepared begins with it: its values, and that it is to be run."""
_BEFORE_A_TERMINATE = b"X\0\0\0\4"


class PostgresProxy:
    """A proxy on a port of its own.

    Attributes:
        break_at: ``"statement"``: the next statement does not arrive; ``"answer"``: it is run, and its answer does not
            arrive; ``"held statement"``: it arrives when `release` says so, though its client has gone.
        broken: How many connections were broken.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.break_at: str | None = None
        self.broken = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close_server(self._server, self._tasks)

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def release(self) -> None:
        """Let what was held arrive, and wait until the server has done with it."""
        self._released.set()
        await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(ConnectionError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
            back = asyncio.create_task(self._pass_back(server_reader, writer))
            try:
                await self._pass_on(reader, writer, server_reader, server_writer, back)
            finally:
                back.cancel()
                for end in (writer, server_writer):
                    end.transport.abort()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        back: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(1 << 20):
            if self.break_at is None or not data.startswith(_BIND):
                server_writer.write(data)
                continue
            how, self.break_at = self.break_at, None
            self.broken += 1
            back.cancel()
            await asyncio.wait({back})
            if how == "held statement":
                writer.transport.abort()
                await self._released.wait()
            if how != "statement":
                server_writer.write(data + _BEFORE_A_TERMINATE)
                await server_reader.read()
            return

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 20):
            writer.write(data)
        writer.transport.abort()
