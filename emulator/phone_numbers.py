"""Telephone numbers: of mobiles, of other countries, of the account's lines, and of special recipients."""

from __future__ import annotations

import re

_MOBILE = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_FOREIGN = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})")
_BARE_FOREIGN = re.compile(r" +([1-9][0-9]{6,14}) *")
_IRAN = "98"
_IRAN_PREFIXES = ("+98", "0098", "98")
_SPECIAL_PREFIX = "090000000"


def normalise_mobile(text: str) -> str | None:
    """An Iranian mobile number as 09…, or None. A `+` that was decoded to a blank is forgiven."""
    match = _MOBILE.fullmatch(text.strip())
    return f"0{match[1]}" if match else None


def normalise_foreign(text: str) -> str | None:
    """A number of another country as +CC…, or None."""
    # An unencoded `+` arrives as a blank; without any mark a number is not international.
    match = _FOREIGN.fullmatch(text.strip()) or _BARE_FOREIGN.fullmatch(text)
    return f"+{match[1]}" if match and not match[1].startswith(_IRAN) else None


def international(mobile: str) -> str:
    """09… as some gateways write it: +989…."""
    return f"+98{mobile.removeprefix('0')}"


def own_line(given: str, lines: tuple[str, ...]) -> str | None:
    """The account's line that is meant, with or without the country's code; None if it is not the account's."""
    # An unencoded `+` arrives as a blank, which is gone by now.
    candidates = [given, *(given.removeprefix(prefix) for prefix in _IRAN_PREFIXES)]
    return next((line for line in candidates if line in lines), None)


def special_number(recipient: str) -> int | None:
    """The last two digits of 0900 000 00xx, which works like the test cards of payment gateways.

    Each gateway gives them a meaning. None for an ordinary number.
    """
    return int(recipient.removeprefix(_SPECIAL_PREFIX)) if recipient.startswith(_SPECIAL_PREFIX) else None
