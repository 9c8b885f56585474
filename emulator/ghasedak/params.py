"""Parameters as the vendor's own SDKs send them, which is to say in every possible way."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ..forms import Pairs
from .envelope import ERROR_EMPTY_LIST, ERROR_LIST_TOO_LONG, exception, invalid, missing

MAX_LIST = 100
_INTEGER = re.compile(r"-?[0-9]{1,19}")
# Vendor SDKs for JavaScript and Java send these words for values that they do not have.
_NO_VALUE = ("undefined", "null")


class Params:
    """Parameters by name, in any case; an empty value is an absent one."""

    def __init__(self, pairs: Pairs) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if value.strip():
                self._values.setdefault(name.strip().lower(), value)

    def require(self, *names: str) -> tuple[str, ...]:
        """Values of required parameters; refuses naming all that are missing."""
        absent = [name for name in names if name not in self._values]
        if absent:
            raise missing(*absent)
        return tuple(self._values[name] for name in names)

    def get(self, name: str) -> str | None:
        """The value of an optional parameter."""
        value = self._values.get(name)
        return None if value is None or value.strip() in _NO_VALUE else value

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number; required if there is no default."""
        if default is None:
            return parse_integer(name, self.require(name)[0])
        value = self.get(name)
        return default if value is None else parse_integer(name, value)

    def moment(self, name: str) -> datetime | None:
        """A time given in unix seconds, or None for now."""
        value = self.get(name)
        return None if value is None else parse_moment(name, value)


def parse_integer(name: str, text: str) -> int:
    """A whole number in ASCII digits."""
    if not _INTEGER.fullmatch(text.strip()):
        raise invalid(name)
    return int(text)


def parse_moment(name: str, text: str) -> datetime:
    """Unix seconds."""
    try:
        return datetime.fromtimestamp(parse_integer(name, text), UTC)
    except (OverflowError, ValueError, OSError):
        raise invalid(name) from None


def split(text: str) -> list[str]:
    """Entries of a list. Blanks around them are dropped, as the document's samples have them (INFERRED)."""
    return [entry.strip() for entry in text.split(",")]


def check_list(entries: list[str]) -> list[str]:
    """Refuse an empty list (error 2) and one that is too long (error 3)."""
    if not any(entry.strip() for entry in entries):
        raise exception(ERROR_EMPTY_LIST)
    if len(entries) > MAX_LIST:
        raise exception(ERROR_LIST_TOO_LONG)
    return entries


def split_ids(text: str) -> list[str]:
    """A list of ids; empty entries are left out."""
    return check_list([entry for entry in split(text) if entry])
