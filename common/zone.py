"""The time zone of Iran, from the package tzdata, whatever the system has.

Iran gave up daylight saving in 2022. A system that has not been updated since still has it, and `zoneinfo.ZoneInfo`
asks the system first.
"""

from __future__ import annotations

import functools
import importlib.resources
import zoneinfo
from typing import Any


class _PackagedZone(zoneinfo.ZoneInfo):
    def __repr__(self) -> str:
        return "payamak.common.tehran()"

    def __reduce__(self) -> tuple[Any, ...]:
        return load_tehran, ()  # What is read from a file could not be pickled.


@functools.cache
def load_tehran() -> zoneinfo.ZoneInfo:
    """Read it, the first time."""
    with importlib.resources.files("tzdata.zoneinfo.Asia").joinpath("Tehran").open("rb") as file:
        return _PackagedZone.from_file(file, key="Asia/Tehran")
