"""What a client sent as JSON or as text, without what no list could be written with afterwards."""

from __future__ import annotations

import json
import re

_HALVES = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_REPLACEMENT = "\ufffd"


def replace_halves(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair that stands alone, which UTF-8 cannot carry."""
    return _HALVES.sub(_REPLACEMENT, text)


def read_json(content: str | bytes) -> object:
    """The value that a JSON document means, in which no text holds half a surrogate pair.

    Raises:
        ValueError: it is no JSON, or nested deeper than Python goes.
    """
    text = content if isinstance(content, str) else content.decode(json.detect_encoding(content))
    try:
        value: object = json.loads(text)
        if _ESCAPED_HALF.search(text):
            # Written out, pairs are characters, and what is left over stands alone.
            value = json.loads(replace_halves(json.dumps(value, ensure_ascii=False)))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value
