"""Fields of models that the gateways write in ways of their own, and the names they go by on the wire."""

from __future__ import annotations

import datetime
import functools
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

UnixTime = Annotated[datetime.datetime, "Unix time: seconds, as a number or a string"]
TehranTime = Annotated[datetime.datetime, "a date and time, in Tehran unless it says otherwise"]
WholeAmount = Annotated[int, "an amount whose fraction, if it has one, does not count"]
Mobile = Annotated[str, "an Iranian mobile number that may have lost its leading zero"]


@functools.cache
def tehran() -> ZoneInfo:
    """The time zone of Iran, without the daylight saving that systems which were not updated since 2022 still have.

    It is that of every time that an Iranian gateway writes without one.
    """
    from .zone import load_tehran  # noqa: PLC0415 -- a hundredth of an import, and few sends have a time

    return load_tehran()


def named(name: str, *, also: str | None = None) -> dict[str, str]:
    """Metadata for `attrs.field`: the name that the gateway uses for this field, and another that has been seen."""
    return {"name": name} if also is None else {"name": name, "also": also}
