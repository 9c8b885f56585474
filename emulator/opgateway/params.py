"""Fields as clients send them: in any case, spelled as in the document or as in public code, lists as JSON text."""

from __future__ import annotations

from typing import cast

from ..forms import Pairs
from ..texts import read_json

# The document's spellings, lower case and with underscores, of what public code calls otherwise.
_ALIASES = {"user_name": "user_uname"}
_MAX_DIGITS = 18


class Params:
    """Fields by name; the first of several with the same name counts."""

    def __init__(self, pairs: Pairs) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.strip().lower().replace("-", "_")
            self._values.setdefault(_ALIASES.get(key, key), value)

    def text(self, name: str) -> str:
        """The value without blanks around it; empty if the field is absent."""
        return self._values.get(name, "").strip()

    def raw(self, name: str) -> str:
        """The value as it came; empty if the field is absent."""
        return self._values.get(name, "")

    def integer(self, name: str) -> int | None:
        """A whole number, or None."""
        return parse_integer(self.text(name))

    def is_list(self, name: str) -> bool:
        """Whether the value is a JSON array."""
        return isinstance(_loads(self.text(name)), list)

    def entries(self, name: str) -> list[str]:
        """The entries of a JSON array; a bare value is a list of one, as some clients send it."""
        text = self.text(name)
        content = _loads(text)
        if isinstance(content, list):
            items = cast("list[object]", content)
            return [str(item).strip() for item in items if isinstance(item, str | int) and str(item).strip()]
        return [text.strip('"')] if text else []


def parse_integer(text: str) -> int | None:
    """A whole number in ASCII digits, or None."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else None


def _loads(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        return None
