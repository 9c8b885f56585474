"""What of a result its user cannot go on with at once: count with, compare, write into a database."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from typing import Any

import attrs
from payamak.common.checks import replace_halves
from payamak.common.codec import as_dict, as_list

_AS_THEY_CAME = ("raw", "data")
"""Fields whose numbers may be any that a parser makes: nobody has documented them."""


def find_costly(value: Any, *, is_raw: bool = False) -> list[Any]:
    """What within it takes long to go on with, or fails where it is kept."""
    if isinstance(value, str):
        return [] if replace_halves(value) == value else [value]
    if isinstance(value, int):
        return [] if is_raw or -(2**63) <= value < 2**63 else [value]
    if isinstance(value, float):
        return [] if is_raw or math.isfinite(value) else [value]
    if isinstance(value, decimal.Decimal):
        return [] if abs(value.adjusted()) <= 64 else [value]
    if isinstance(value, datetime.datetime):
        return [] if _can_be_converted(value) else [value]
    parts = [*as_dict(value), *as_dict(value).values(), *_entries_of(value)]
    found = [entry for part in parts for entry in find_costly(part, is_raw=is_raw)]
    fields: tuple[attrs.Attribute[Any], ...] = getattr(value, "__attrs_attrs__", ())
    for field in fields:
        found += find_costly(getattr(value, field.name), is_raw=field.name in _AS_THEY_CAME)
    return found


def _entries_of(value: object) -> Sequence[Any]:
    if isinstance(value, tuple):
        return value  # pyright: ignore[reportUnknownVariableType]
    return as_list(value) or ()


def _can_be_converted(moment: datetime.datetime) -> bool:
    try:
        moment.astimezone(datetime.UTC)
    except OverflowError:
        return False
    return True
