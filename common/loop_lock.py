"""Between the event loops that run in the threads of a process: what one brings about, the others need not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import attrs

from .hiding import hide_fields

_LOOK_SECONDS = 0.01


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class _Holder:
    coming: asyncio.Future[Any]
    process: int

    @property
    def is_at_work(self) -> bool:
        return not self.coming.done() and self.coming.get_loop().is_running() and self.process == os.getpid()


class LoopLock:
    """Lets one at a time work on what all want, and the others wait without blocking their event loops.

    It is held until what is ``coming`` is there. A holder whose event loop stands still, or has stayed in the process
    that this one was forked from, is not waited for.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: _Holder | None = None

    @contextlib.asynccontextmanager
    async def held(self, coming: asyncio.Future[Any], *, unless: Callable[[], bool]) -> AsyncGenerator[bool]:
        """Hold it, and say so; or say that waiting has ended because ``unless`` came true."""
        mine = _Holder(coming, os.getpid())
        while not self._take(mine):
            await asyncio.sleep(_LOOK_SECONDS)
            if unless():
                yield False
                return
        try:
            # Who had it before may have brought it since it was asked for.
            yield not unless()
        finally:
            with self._guard:
                if self._holder is mine:
                    self._holder = None

    def _take(self, mine: _Holder) -> bool:
        with self._guard:
            if self._holder is not None and self._holder.is_at_work:
                return False
            self._holder = mine
            return True
