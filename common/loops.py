"""The aiohttp sessions of a client that is used in several event loops, in threads or one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future

import aiohttp

from .connector import Connector

_CLOSING_SECONDS = 1.0
"""So long the closing in other threads is waited for, for they may be waiting for this one."""


class LoopSession:
    """A session in the event loop that runs, which closes it at its end if nobody has done so before.

    Attributes:
        session: The session.
        slots: One for each connection that may still be opened.
        loop: The event loop.
    """

    def __init__(self, session: aiohttp.ClientSession, connector: Connector, slots: asyncio.Semaphore) -> None:
        self.session = session
        self.slots = slots
        self.loop = asyncio.get_running_loop()
        self._connector = connector
        self._process = os.getpid()
        self._end: AsyncGenerator[None]

    def hold(self, forget: Callable[[], object]) -> None:
        """Let the event loop close it at its end, and call ``forget`` then."""
        # An asynchronous generator is what all event loops close at their end, however they are run. It is known to
        # them from its first step on, for which it need not wait.
        self._end = _wait_for_end(self.session, forget)
        with contextlib.suppress(StopIteration):
            self._end.__anext__().send(None)

    @property
    def is_orphan(self) -> bool:
        """Whether the loop was closed without having ended it, or is that of the process which this was forked from."""
        return self.loop.is_closed() or self._process != os.getpid()

    async def aclose(self) -> None:
        """Close it, inside its event loop."""
        self.session.detach()
        await self._connector.close()
        await self._end.aclose()

    def start_closing(self) -> Future[None]:
        """Close it from elsewhere, as soon as its event loop comes to it; return what tells when that is done."""
        done: Future[None] = Future()

        def start() -> None:
            self.loop.create_task(self.aclose()).add_done_callback(lambda _: done.set_result(None))

        try:
            self.loop.call_soon_threadsafe(start)
        except RuntimeError:  # It was closed this moment.
            done.set_result(None)
        return done

    def let_go(self) -> None:
        """Close it when its event loop comes to it, if ever. Nothing is on its way in it."""
        self.session.detach()
        self.start_closing()

    def abandon(self) -> None:
        """Close it without its event loop."""
        self._connector.abandon()
        self.session.detach()
        with contextlib.suppress(StopIteration):
            self._end.aclose().send(None)  # Nothing is left to wait for.


async def _wait_for_end(session: aiohttp.ClientSession, forget: Callable[[], object]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        forget()
        await session.close()


class LoopSessions:
    """One session for each event loop. Threads may use it at the same time.

    Attributes:
        by_loop: The sessions that are open.
        were_used: Whether one has ever been opened.
    """

    def __init__(self) -> None:
        self.by_loop: dict[asyncio.AbstractEventLoop, LoopSession] = {}
        self.were_used = False

    def add(self, opened: LoopSession) -> None:
        """Take in the session of the event loop that runs."""
        self._abandon_orphans()
        self.were_used = True
        self.by_loop[opened.loop] = opened
        opened.hold(functools.partial(self.by_loop.pop, opened.loop, None))

    async def aclose(self) -> None:
        """Close each in its own event loop."""
        self._abandon_orphans()
        here = self.by_loop.pop(asyncio.get_running_loop(), None)
        closing: list[asyncio.Future[None]] = []
        for loop in list(self.by_loop):
            opened = self.by_loop.pop(loop, None)
            if opened is None:
                continue  # Its event loop has ended meanwhile.
            if loop.is_running():
                closing.append(asyncio.wrap_future(opened.start_closing()))
            else:
                opened.let_go()
        if here is not None:
            await here.aclose()
        if closing:
            await asyncio.wait(closing, timeout=_CLOSING_SECONDS)

    def let_go(self) -> None:
        """Close all, as far as that goes without waiting. Nothing is on its way in any."""
        self._abandon_orphans()
        while self.by_loop:
            self.by_loop.popitem()[1].let_go()

    def _abandon_orphans(self) -> None:
        for loop, opened in list(self.by_loop.items()):
            if opened.is_orphan and self.by_loop.pop(loop, None) is not None:
                opened.abandon()
