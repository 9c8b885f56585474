"""A server in a thread of its own, for clients in several event loops."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator
from concurrent.futures import Future

from .raw_server import Behaviour, RawServer


@contextlib.contextmanager
def serving(*script: Behaviour) -> Generator[RawServer]:
    """A `RawServer` that goes on while event loops come and go."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, RawServer]] = Future()

    async def serve() -> None:
        async with RawServer(*script) as server:
            stop = asyncio.Event()
            started.set_result((asyncio.get_running_loop(), stop, server))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop, stop, server = started.result(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
