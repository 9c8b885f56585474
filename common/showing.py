"""What reprs hide, for those who want to see it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import cast

import attrs


def show(value: object) -> str:
    """Write out a result or a message with all that it holds, also what its ``repr`` hides: numbers, texts, passwords.

    It is for your own eyes: what it returns does not belong into a log.

    Args:
        value: Anything that this library returns or takes, or a list or a dict of it.
    """
    kind = type(value)
    if attrs.has(kind):
        fields = [f"{field.name}={show(operator.attrgetter(field.name)(value))}" for field in attrs.fields(kind)]
        return f"{kind.__name__}({', '.join(fields)})"
    if isinstance(value, list):
        return f"[{', '.join(map(show, cast('list[object]', value)))}]"
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value).items()
        return f"{{{', '.join(f'{name!r}: {show(entry)}' for name, entry in entries)}}}"
    return repr(value)
