"""Ports of this machine at which nothing good happens, and servers that leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Collection, Generator


@contextlib.contextmanager
def dead_port() -> Generator[int, None, None]:
    """A port at which nothing listens, and which nobody else gets."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def stalled_port() -> Generator[int, None, None]:
    """A port at which no connection comes about: its backlog is full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def close_server(server: asyncio.Server, tasks: Collection[asyncio.Task[None]]) -> None:
    """Close a server, and end the tasks that serve its connections."""
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()
    for _ in range(3):  # The transports close in a later turn of the loop.
        await asyncio.sleep(0)
