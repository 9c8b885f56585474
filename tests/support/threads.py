"""A server in a thread of its own, for clients in several event loops."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from .raw_server import Behaviour, RawServer

T = TypeVar("T")


def run_in_threads(make: Callable[[], Coroutine[Any, Any, T]], threads: int, times: int | None = None) -> list[T]:
    """Run a coroutine in that many threads at once, in an event loop each time; as often as there are threads."""
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(lambda: asyncio.run(make())) for _ in range(times or threads)]
        return [one.result() for one in running]


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
