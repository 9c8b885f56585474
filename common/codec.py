"""Forms and JSON out, JSON in."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from .errors import ReplyError

_MOST_DIGITS = 19
# So much is looked through for ids in an answer that is no JSON: what a send answers is shorter.
_MOST_OF_A_DOCUMENT = 64 * 1024
_MOST_OPENINGS = 100


def encode_form(fields: Mapping[str, str]) -> str:
    """Write a form. The names are those of the vendors, which need no escaping."""
    # No f-string: a caller's own kind of string, such as a member of an enum, may format as something else.
    return "&".join([name + "=" + _escape(value) for name, value in fields.items()])


def _escape(value: str) -> str:
    if value.isascii() and value.replace(",", "0").isalnum():
        return value  # such as a list of numbers
    # To escape all of a text takes a tenth of the time of looking at each byte, and in Persian nearly all need it. An
    # English text travels in more bytes than it needs.
    return "%" + value.encode().hex("%") if value else ""


dumps = json.JSONEncoder(ensure_ascii=False).encode
"""Write JSON, with Persian as it is."""

_decode = json.JSONDecoder().raw_decode


def loads(body: bytes, *, http_status: int) -> Any:
    """Parse a reply's JSON.

    Raises:
        ReplyError: It is empty or not JSON.
    """
    try:
        return _parse(body)
    except (ValueError, RecursionError):
        what = "is not valid JSON" if body.strip() else "is empty"
    # Raised out here, because the parser's exception holds the whole document.
    raise ReplyError(f"the body of the answer (HTTP status {http_status}) {what}", http_status=http_status)


def _parse(body: bytes) -> Any:
    # On a short document json.loads spends two thirds of its time on the encoding and on white space around it.
    try:
        text = body.decode()
        value, end = _decode(text)
    except ValueError:
        return json.loads(body)
    return value if end == len(text) else json.loads(body)


def find_document(body: bytes) -> Any:
    """The JSON that stands between what a server's own warnings have put around it; ``None`` if there is none.

    It ends where the body does, or begins there. What stands within a page, such as a script, is none.
    """
    text = body[:_MOST_OF_A_DOCUMENT].decode("utf-8", "replace").strip()
    for opening in itertools.islice(re.finditer(r"[\[{]", text), _MOST_OPENINGS):
        start = opening.start()
        try:
            value, end = _decode(text, start)
        except json.JSONDecodeError as error:
            if text[start + 1 : error.pos].strip():
                return None  # Half a document: what stands within it is no whole one.
        except (ValueError, RecursionError):
            return None  # Too many digits, or nested too deeply.
        else:
            if start == 0 or end == len(text):
                return value
    return None


def as_dict(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any] | None:
    """Return a JSON list, or None in place of anything else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_int(value: object) -> int | None:
    """Return an integer that came as a number or as a string, or None in place of anything else."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
