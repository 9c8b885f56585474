"""Validated settings: attrs classes whose fields the control interface reads and changes by name.

The validators word their errors for somebody who typed a value into `POST /emulator/switches`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import attrs

_MIN_STATUS, _MAX_STATUS = 200, 599
_Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def one_of(*allowed: object) -> _Validator:
    """One of a few values. 1 and True are different values here, as they are in JSON."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not any(value == choice and type(value) is type(choice) for choice in allowed):
            raise ValueError(f"{attribute.name} must be one of {', '.join(map(repr, allowed))}")

    return check


boolean = one_of(True, False)


def integer(minimum: int | None = None, *, optional: bool = False) -> _Validator:
    """A whole number, or None where that is allowed."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        if not is_integer or (minimum is not None and cast("int", value) < minimum):
            bound = "" if minimum is None else f", {minimum} or more"
            raise ValueError(f"{attribute.name} must be an integer{bound}{' or null' if optional else ''}")

    return check


def if_given(check: _Validator) -> _Validator:
    """The same check, with None allowed."""

    def check_given(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not None:
            check(instance, attribute, value)

    return check_given


def http_status(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A status that ends a response."""
    if type(value) is not int or not is_http_status(value):
        raise ValueError(f"{attribute.name} must be an HTTP status from {_MIN_STATUS} to {_MAX_STATUS}")


def is_http_status(value: int) -> bool:
    """Whether a response can end with it."""
    return _MIN_STATUS <= value <= _MAX_STATUS


def seconds(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A length of time, 0 or more."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= cast("float", value) < float("inf"):
        raise ValueError(f"{attribute.name} must be a number of seconds, 0 or more")


def text(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{attribute.name} must be text, not empty")


def texts(*, optional: bool = False) -> _Validator:
    """A tuple of non-empty texts; `to_tuple` is its converter."""

    def check(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        items = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
        if not isinstance(value, tuple) or not all(isinstance(item, str) and item for item in items):
            raise ValueError(f"{attribute.name} must be a list of texts{' or null' if optional else ''}")

    return check


def to_tuple(value: Any) -> Any:
    """Lists (from JSON) become tuples; the validator judges anything else."""
    return tuple(cast("Sequence[object]", value)) if isinstance(value, list | set | frozenset) else value


def change(settings: attrs.AttrsInstance, values: Mapping[str, object]) -> None:
    """Set several fields, all or none of them.

    Raises:
        ValueError: an unknown name (the message lists the known ones) or a value that does not fit.
    """
    known = attrs.fields_dict(type(settings))
    for name in values:
        if name not in known:
            raise ValueError(f"unknown name {name!r}; known: {', '.join(sorted(known))}")
    # Runs every validator on a copy, so that a bad value leaves nothing changed.
    attrs.evolve(cast("Any", settings), **values)
    for name, value in values.items():
        setattr(settings, name, value)
