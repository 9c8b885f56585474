"""The emulator's clock: real time plus an offset that tests move."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime


class Clock:
    """Runs with the real time until it is moved; everything stateful in the emulator reads this clock."""

    def __init__(self) -> None:
        self._offset = 0.0

    @property
    def offset(self) -> float:
        """Seconds ahead of the real time; it changes only when the clock is moved."""
        return self._offset

    def timestamp(self) -> float:
        """Unix seconds."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Moving it back is left to `set`, where it is hard to do by accident."""
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError("advance must be a number of seconds, 0 or more")
        self._set_offset(self._offset + seconds)

    def set(self, moment: datetime) -> None:
        """Jump to a moment, which must carry a time zone. The clock keeps running from there."""
        if moment.tzinfo is None:
            raise ValueError("set must be a time with a zone, such as 2026-01-31T12:00:00+03:30")
        self._set_offset(moment.timestamp() - time.time())

    def reset(self) -> None:
        """Back to the real time."""
        self._offset = 0.0

    def _set_offset(self, offset: float) -> None:
        try:
            datetime.fromtimestamp(time.time() + offset, UTC)
        except (OverflowError, ValueError, OSError):
            raise ValueError("the clock cannot be moved that far") from None
        self._offset = offset
