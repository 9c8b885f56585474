"""JSON byte for byte as PHP's `json_encode` writes it: no blanks, ASCII only, slashes escaped."""

from __future__ import annotations

import json


def php_json(value: object) -> str:
    """The text of a value."""
    # A slash occurs in JSON only within texts, so every one of them may be escaped.
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")
