"""An event loop for tests in which much time passes and little happens.

A folder of tests uses it when its conftest.py imports `pytest_asyncio_loop_factories`; a test whose time must be that
of the machine is marked with ``real_time``.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Mapping

import pytest

QUIET = 0.005
"""When nothing has happened for so long, nothing will before the next timer: both ends of each connection live here."""

PACE = 0.1
"""How fast the clock is while something happens. If it stood still, nothing would interrupt who works without end."""


class QuickLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is slow while something happens, and jumps to the next timer when nothing does.

    So an hour passes in milliseconds; and on a busy machine no deadline passes because a step took long.
    """

    def __init__(self) -> None:
        self.jumped = 0.0
        # By themselves and not by their number: one of an earlier test may end later.
        self._threads = frozenset(threading.enumerate())
        super().__init__(_QuickSelector(self))

    def time(self) -> float:
        return self.jumped + time.monotonic() * PACE

    @property
    def is_alone(self) -> bool:
        """Whether no thread works beside it, for which time is what it is."""
        return self._threads.issuperset(threading.enumerate())


class _QuickSelector(selectors.DefaultSelector):
    def __init__(self, loop: QuickLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        quiet = min(timeout, QUIET)
        # Before: a thread that ends after nothing was found here may have left something for the next look.
        may_jump = self._loop.is_alone
        events = super().select(quiet)
        if not events:
            self._loop.jumped += timeout if may_jump else quiet
        return events


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    is_real = item.get_closest_marker("real_time") is not None
    return {"real": asyncio.new_event_loop} if is_real else {"quick": QuickLoop}
