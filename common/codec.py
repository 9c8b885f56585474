"""Forms and JSON out, JSON in."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from .errors import ReplyError

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

DEEPEST_NESTING = 32
"""Of lists and objects in an answer, where those of the vendors have four: what is handed on can be walked through."""
_LONG = 64 * 1024
_BLANKS = " \t\n\r"
_SURROGATE = re.compile("[\ud800-\udfff]")
# Pairs, and backslashes that are escaped themselves, are passed over, many at once.
_ESCAPED_SURROGATE = re.compile(
    r"((?:\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})+)|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def _to_short_int(digits: str) -> int:
    if len(digits) > sys.int_info.default_max_str_digits:
        raise ValueError("too many digits")  # As Python itself says, unless that is switched off.
    return int(digits)


_Json: TypeAlias = "dict[str, Any] | list[Any] | str | float | None"

_decode = json.JSONDecoder().raw_decode
_decode_long = json.JSONDecoder(parse_int=_to_short_int).raw_decode


def loads(body: bytes, *, http_status: int) -> Any:
    """Parse a reply's JSON.

    Raises:
        ReplyError: It is empty or not JSON, or nothing that a gateway would write.
    """
    try:
        # On a short document json.loads spends two thirds of its time on the encoding.
        return parse(body.decode())
    except ValueError:
        pass
    # With a mark at the beginning, in an encoding that was not meant for JSON, or with half a character in it.
    try:
        return parse(_SURROGATE.sub("\ufffd", body.decode(json.detect_encoding(body), "surrogatepass")))
    except ValueError:
        what = "is not valid JSON" if body.strip() else "is empty"
    # Raised out here, because the parser's exception holds the whole document.
    raise ReplyError(f"the body of the answer (HTTP status {http_status}) {what}", http_status=http_status)


def parse(text: str) -> Any:
    """Parse JSON, as it comes in an answer or in a string of one.

    Half a character (a lone surrogate), which no database and no file takes, becomes the replacement character.

    Raises:
        ValueError: It is no JSON, is nested too deeply or holds a number of too many digits.
    """
    # To look for one character is the faster by far, and a text in Persian has mostly none.
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        text = _mend(text)
    # On a short document, to look for blanks around it takes as long as all the rest.
    if text[:1] not in "[{":
        text = text.lstrip(_BLANKS)
    size = len(text)
    try:
        value, end = (_decode if size < _LONG else _decode_long)(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != size and text[end:].strip(_BLANKS):
        raise ValueError("something follows the document")
    openings = text.count("[") + text.count("{")
    if openings > DEEPEST_NESTING:
        _refuse_depth(value, openings)
    return value


def _mend(text: str) -> str:
    return _ESCAPED_SURROGATE.sub(lambda match: match[1] or "\\ufffd", text)


def _refuse_depth(document: _Json, openings: int) -> None:
    """Refuse what is nested too deeply. There are no more objects and lists in it than openings in its text."""
    # By levels, so that few calls are made, and none within another.
    level = [document]
    found = 0
    for _ in range(DEEPEST_NESTING):
        objects: list[dict[str, Any]] = [part for part in level if type(part) is dict]
        lists: list[list[Any]] = [part for part in level if type(part) is list]
        found += len(objects) + len(lists)
        # Mostly all are found before the values at the bottom are looked at, of which there are the most.
        if found >= openings or not (objects or lists):
            return
        level = list(itertools.chain(*map(dict[str, Any].values, objects), *lists))
    if any(type(part) in (dict, list) for part in level):
        raise ValueError("nested too deeply")


def find_document(body: bytes) -> Any:
    """The JSON that stands between what a server's own warnings have put around it; ``None`` if there is none.

    It ends where the body does, or begins there. What stands within a page, such as a script, is none.
    """
    text = _mend(body[:_MOST_OF_A_DOCUMENT].decode("utf-8", "replace").strip())
    for opening in itertools.islice(re.finditer(r"[\[{]", text), _MOST_OPENINGS):
        start = opening.start()
        try:
            value, end = _decode(text, start)
            _refuse_depth(value, end)
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
