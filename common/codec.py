"""From JSON to models and back: the cattrs converters, dates, and scalars as loose as the gateways write them."""

from __future__ import annotations

import contextlib
import datetime
import enum
import json
import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeGuard, TypeVar, cast, get_args, get_origin
from zoneinfo import ZoneInfo

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from .errors import ReplyError
from .numbers import clean_digits

T = TypeVar("T")

TEHRAN = ZoneInfo("Asia/Tehran")
"""The zone of every time that an Iranian gateway writes without one."""

UnixTime = Annotated[datetime.datetime, "Unix time: seconds, as a number or a string"]
TehranTime = Annotated[datetime.datetime, "a date and time without zone, in Tehran"]

_INTEGER = re.compile(r"\s*-?[0-9]{1,19}\s*")
_DATE_TIME = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.\d+)?)?")


def loads(body: bytes, *, http_status: int) -> Any:
    """Parse a reply's JSON.

    Raises:
        ReplyError: It is empty or not JSON.
    """
    # Raised out here, because the parser's exception holds the whole document.
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body)
    what = "is not valid JSON" if body.strip() else "is empty"
    raise ReplyError(f"the body of the answer (HTTP status {http_status}) {what}", http_status=http_status)


def as_dict(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any] | None:
    """Return a JSON list, or None in place of anything else."""
    return value if _is_list(value) else None


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def as_int(value: object) -> int | None:
    """Return an integer that came as a number or as a string, or None in place of anything else."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def wire(name: str) -> dict[str, str]:
    """Metadata for `attrs.field`: the name that the gateway uses for this field."""
    return {"wire": name}


def decode(value: Any, model: type[T], *, path: str, http_status: int) -> T:
    """Turn parsed JSON into a model; fields that the model does not know are ignored.

    Args:
        value: The parsed JSON.
        model: An attrs class, or ``list[…]`` of one.
        path: Where the value stands in the reply, for the error message.
        http_status: The reply's HTTP status, for the error.

    Raises:
        ReplyError: It does not fit; ``field`` says where.
    """
    # Whatever a wrong shape makes a converter raise, the reply does not fit. What it raised can hold the value, so the
    # error is raised outside.
    with contextlib.suppress(Exception):
        return _fast.structure(value, model)
    field = _find_misfit(value, model, path)
    raise ReplyError(
        f"the answer (HTTP status {http_status}) does not fit at {field}", http_status=http_status, field=field
    )


def _find_misfit(value: Any, model: type[T], path: str) -> str:
    try:
        _detailed.structure(value, model)
    except Exception as error:
        described = cattrs.transform_error(error, path=path, format_exception=lambda _error, _type: "")
        return described[0].rpartition("@ ")[2] or path
    return path


def _to_int(value: Any, _type: Any = int) -> int:
    if isinstance(value, str):
        return int(clean_digits(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise TypeError("not an integer")
    return int(value)


def _to_str(value: Any, _type: Any = str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a string")
    return str(value)


def _to_unix_time(value: Any, _type: Any = None) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(_to_int(value), TEHRAN)


def _to_tehran_time(value: Any, _type: Any = None) -> datetime.datetime:
    match = _DATE_TIME.fullmatch(_to_str(value).strip())
    if match is None:
        raise ValueError("not a date and time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=TEHRAN)


def _to_open_enum(union: Any) -> Callable[[Any, Any], int]:
    member: type[enum.IntEnum] = get_args(union)[0]

    def structure(value: Any, _type: Any) -> int:
        number = _to_int(value)
        try:
            return member(number)
        except ValueError:
            return number

    return structure


def _is_open_enum(type_: Any) -> bool:
    """Whether the type is ``SomeIntEnum | int``: a code that may be one that nobody has documented."""
    arguments = get_args(type_)
    return (
        get_origin(type_) in _UNIONS
        and len(arguments) == 2
        and arguments[1] is int
        and isinstance(arguments[0], enum.EnumType)
    )


def _is_optional_scalar(type_: Any) -> bool:
    arguments = get_args(type_)
    return (
        get_origin(type_) in _UNIONS
        and len(arguments) == 2
        and arguments[1] is types.NoneType
        and (arguments[0] in _SCALARS)
    )


_SCALARS: tuple[Any, ...] = (int, str, UnixTime, TehranTime)
_UNIONS = (typing.Union, types.UnionType)


def _build_converter(*, detailed: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=detailed)
    converter.register_structure_hook(int, _to_int)
    converter.register_structure_hook(str, _to_str)
    converter.register_structure_hook_func(lambda type_: type_ == UnixTime, _to_unix_time)
    converter.register_structure_hook_func(lambda type_: type_ == TehranTime, _to_tehran_time)
    converter.register_structure_hook_factory(_is_open_enum, _to_open_enum)

    def optional_scalar(type_: Any) -> Callable[[Any, Any], Any]:
        scalar = get_args(type_)[0]
        structure = converter.get_structure_hook(scalar)
        # The gateways write an absent value as null or as an empty string.
        return lambda value, _type: None if value is None or value == "" else structure(value, scalar)

    converter.register_structure_hook_factory(_is_optional_scalar, optional_scalar)

    def attrs_class(type_: Any) -> Callable[[Any, Any], Any]:
        attrs.resolve_types(type_)
        names = {
            field.name: override(rename=field.metadata["wire"])
            for field in attrs.fields(type_)
            if "wire" in field.metadata
        }
        return make_dict_structure_fn(type_, converter, **names)  # type: ignore[arg-type]

    converter.register_structure_hook_factory(attrs.has, attrs_class)
    return converter


_fast = _build_converter(detailed=False)
# Slower, but it knows where the trouble was: used only after the fast one has failed.
_detailed = _build_converter(detailed=True)
