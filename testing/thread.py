"""The emulator in a thread of its own, for tests with an event loop, with several, with none."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

from aiohttp import web

from ..emulator import Emulator

T = TypeVar("T")
Started: TypeAlias = "Future[tuple[asyncio.AbstractEventLoop, Emulator]]"


class _EmulatorForTests(Emulator):
    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = await super()._serve(request)
        # Most tests have an event loop of their own: no client may be left with an idle connection when that ends.
        response.force_close()
        return response

    def reset(self, *, seed: int | None = None) -> None:
        super().reset(seed=seed)
        # What a request of the last test still waits for must not happen in the next one.
        self._stopping.set()
        self._stopping = asyncio.Event()


class EmulatorThread:
    """Runs an emulator until it is stopped.

    Raises:
        OSError: No port could be had.
        RuntimeError: Something forbids sockets, as pytest-socket does.
    """

    def __init__(self) -> None:
        with socket.socket():  # Where sockets are forbidden, this fails, and leaves no event loop half made.
            pass
        started: Started = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="payamak emulator", daemon=True)
        self._thread.start()
        self._loop, self._emulator = started.result()

    @property
    def emulator(self) -> Emulator:
        """The emulator itself. What belongs to more than one moment is read and changed by `call`."""
        return self._emulator

    def call(self, function: Callable[[Emulator], T]) -> T:
        """Run a function on the emulator in its thread, between two requests."""

        async def run() -> T:
            return function(self._emulator)

        return self.wait_for(run())

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the emulator's event loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """Close every connection, and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _serve(self, started: Started) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop()  # If this fails, no coroutine has been made that nobody awaits.
                runner.run(self._run(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _run(self, started: Started) -> None:
        async with _EmulatorForTests() as emulator:
            started.set_result((asyncio.get_running_loop(), emulator))
            await self._stop.wait()
