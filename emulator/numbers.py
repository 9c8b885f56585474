"""Telephone numbers, and the special recipients that work like the test cards of payment gateways."""

from __future__ import annotations

import re

_MOBILE = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_SPECIAL_PREFIX = "090000000"


def normalise_mobile(text: str) -> str | None:
    """An Iranian mobile number as 09…, or None. A `+` that was decoded to a blank is forgiven."""
    match = _MOBILE.fullmatch(text.strip())
    return f"0{match[1]}" if match else None


def special_number(recipient: str) -> int | None:
    """The last two digits of 0900 000 00xx; each gateway gives them a meaning. None for an ordinary number."""
    return int(recipient.removeprefix(_SPECIAL_PREFIX)) if recipient.startswith(_SPECIAL_PREFIX) else None
