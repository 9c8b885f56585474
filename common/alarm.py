"""The end of an exchange's time, which must not take an answer that is here already."""

from __future__ import annotations

import asyncio

from .errors import ClientStateError

_LAST_MOMENT = 0.01
"""A turn of the event loop or two, in seconds."""


class Alarm:
    """Interrupts the running task at a time, or a moment later: first, what is here by then is read.

    It does what `asyncio.timeout` does, which would cost a send three per cent.
    """

    def __init__(self, ends: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise ClientStateError("a call must run in a task of asyncio")
        self._task = task
        self._cancelling = task.cancelling()
        self._has_rung = False
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_at(ends, self._wait_a_moment)

    def _wait_a_moment(self) -> None:
        self._handle = self._loop.call_later(_LAST_MOMENT, self._ring)

    def _ring(self) -> None:
        self._has_rung = True
        self._task.cancel()

    def stop(self) -> None:
        """Do not ring any more."""
        self._handle.cancel()
        if self._has_rung:
            self._task.uncancel()

    def has_interrupted(self) -> bool:
        """Whether a cancellation was this alarm, and nobody else has asked for one."""
        has_rung, self._has_rung = self._has_rung, False
        return has_rung and self._task.uncancel() <= self._cancelling
