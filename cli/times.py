"""Times as people write them."""

from __future__ import annotations

import datetime
import re
import unicodedata

_FIRST_YEAR = 2000
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")


def parse_time(text: str) -> datetime.datetime:
    """Read ``2026-11-22 18:30`` in Iran's time, or with an offset of its own, as ``2026-11-22T15:00Z``.

    Raises:
        ValueError: It is no such time. The message does not quote it.
    """
    plain = "".join(str(unicodedata.decimal(character, character)) for character in text.strip())
    if date := _DATE.match(plain):
        if int(date[1]) < _FIRST_YEAR:
            from ..common.checks import GREGORIAN  # noqa: PLC0415 -- it takes a while to load

            raise ValueError(f"a time {GREGORIAN}, like 2026-11-22 18:30")
        plain = f"{date[1]}-{date[2]:0>2}-{date[3]:0>2}{plain[date.end() :]}"
    if ":" not in plain:
        raise ValueError("a time must be written like 2026-11-22 18:30")
    try:
        time = datetime.datetime.fromisoformat(plain)
    except ValueError:
        raise ValueError("a time must be written like 2026-11-22 18:30") from None
    if time.tzinfo is not None:
        return time
    from ..common import tehran  # noqa: PLC0415 -- it takes a while to load, and the help does without

    return time.replace(tzinfo=tehran())
