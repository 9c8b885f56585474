"""From parsed JSON to models. It loads `cattrs`, and is itself loaded by the first answer that needs it."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import operator
import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias, cast, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import is_mutable_sequence

from .codec import Mobile, TehranTime, UnixTime, WholeAmount, as_list, tehran

_DATE_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?(Z|[-+]\d\d:?\d\d)?"
)
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[-+]\d{4})?\)/")
_FIRST_MOMENT = ("0001-01-01", "/Date(-62135")
_BARE_MOBILE = re.compile(r"9\d{9}")
_MOST_DIGITS = 1000
"""Of an amount: to write out 1e999999 takes minutes."""
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_SCALARS: tuple[Any, ...] = (bool, int, float, str, decimal.Decimal, UnixTime, TehranTime, Mobile)
_UNIONS = (typing.Union, types.UnionType)
_TEHRAN = tehran()

_converter = cattrs.Converter(detailed_validation=False)

structure: Callable[[Any, Any], Any] = _converter.structure
"""Turn parsed JSON into an instance of a model, or of ``list[…]`` of one. What does not fit raises anything."""

_Hook: TypeAlias = Callable[[Any, Any], Any]


class _Field(NamedTuple):
    """How an attribute is read: its name on the wire and another, what it is if it is missing, its hook and type."""

    name: str
    also: str
    default: Any
    hook: _Hook
    type: Any


def find_misfit(value: Any, model: Any, path: str) -> str:
    """Say where a value that does not fit first fails to."""
    for step, part, kind in _parts(value, model):
        try:
            structure(part, kind)
        except Exception:
            return find_misfit(part, kind, path + step)
    return path.lstrip(".")


def _parts(value: Any, model: Any) -> Iterator[tuple[str, Any, Any]]:
    kinds = _union_without_none(model)
    if len(kinds) == 1:
        model = kinds[0]
    if get_origin(model) is list:
        for index, entry in enumerate(as_list(value) or []):
            yield f"[{index}]", entry, get_args(model)[0]
    elif attrs.has(model) and isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        for attribute, field in zip(attrs.fields(model), _get_fields(model), strict=True):
            part = known.get(field.name, known.get(field.also, field.default))
            yield f".{attribute.name}", part, field.type


def _to_int(value: Any, _type: Any = int) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str):
        if "_" in value:
            raise ValueError("not an integer")  # int() would take it for a separator of thousands.
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise TypeError("not an integer")
    return int(value)


def _to_float(value: Any, _type: Any = float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("not a number")
    return float(value)


def _to_str(value: Any, _type: Any = str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a string")
    return str(value)


def _to_unix_time(value: Any, _type: Any = None) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(_to_int(value), _TEHRAN)


def _to_tehran_time(value: Any, _type: Any = None) -> datetime.datetime:
    text = _to_str(value).strip()
    if match := _JSON_DATE.fullmatch(text):
        return datetime.datetime.fromtimestamp(int(match[1]) / 1000, _TEHRAN)
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    *numbers, fraction, offset = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    zone = _TEHRAN if offset is None else datetime.datetime.strptime(offset, "%z").tzinfo
    return datetime.datetime(year, month, day, hour, minute, second, microsecond, zone)


def _to_mobile(value: Any, _type: Any = None) -> str:
    number = _to_str(value).strip()
    return f"0{number}" if _BARE_MOBILE.fullmatch(number) else number


def _to_decimal(value: Any, _type: Any = None) -> decimal.Decimal:
    amount = decimal.Decimal(_to_str(value).strip())
    if not amount.is_finite():
        raise ValueError("not an amount")
    return amount


def _to_whole_amount(value: Any, _type: Any = None) -> int:
    amount = _to_decimal(value)
    if amount.adjusted() > _MOST_DIGITS:
        raise ValueError("not an amount")
    return int(amount)


def _to_bool(value: Any, _type: Any = None) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in _BOOLEANS:
        raise TypeError("not a boolean")
    return _BOOLEANS[word]


def _make_open_enum_hook(union: Any) -> _Hook:
    members: type[enum.IntEnum] = _union_without_none(union)[0]
    known = {member.value: member for member in members}  # Calling the class takes three times as long.

    def structure_code(value: Any, _type: Any) -> int:
        number = value if type(value) is int else _to_int(value)
        return known.get(number, number)

    return structure_code


def _is_open_enum(type_: Any) -> bool:
    """Whether the type is ``SomeIntEnum | int``, perhaps with None: a code that may be one that nobody documented."""
    arguments = _union_without_none(type_)
    return len(arguments) == 2 and arguments[1] is int and isinstance(arguments[0], enum.EnumType)


def _is_optional_scalar(type_: Any) -> bool:
    arguments = _union_without_none(type_)
    return types.NoneType in get_args(type_) and (
        arguments[0] in _SCALARS if len(arguments) == 1 else _is_open_enum(type_)
    )


def _union_without_none(type_: Any) -> list[Any]:
    if get_origin(type_) not in _UNIONS:
        return []
    return [argument for argument in get_args(type_) if argument is not types.NoneType]


def _make_optional_hook(type_: Any) -> _Hook:
    """The gateways write an absent value as null or as an empty string, and a time as the calendar's first moment."""
    arguments = _union_without_none(type_)
    scalar = arguments[0]
    structure_scalar = _converter.get_structure_hook(scalar) if len(arguments) == 1 else _make_open_enum_hook(type_)

    def structure_optional(value: Any, _type: Any) -> Any:
        return None if value is None or value == "" else structure_scalar(value, scalar)

    def structure_optional_time(value: Any, _type: Any) -> Any:
        if value is None or value == "" or (type(value) is str and value.startswith(_FIRST_MOMENT)):
            return None
        return structure_scalar(value, scalar)

    return structure_optional_time if scalar in (UnixTime, TehranTime) else structure_optional


@functools.cache
def _get_fields(model: Any) -> list[_Field]:
    attrs.resolve_types(model)
    return [
        _Field(
            attribute.metadata.get("wire", attribute.name),
            attribute.metadata.get("also", attribute.metadata.get("wire", attribute.name)),
            # What is missing reads as null.
            attribute.default if isinstance(attribute.default, (int, str)) else None,
            _converter.get_structure_hook(attribute.type),
            attribute.type,
        )
        for attribute in attrs.fields(model)
    ]


def _make_model_hook(model: Any) -> _Hook:
    """Make one expression of all fields, as attrs and cattrs do: a loop over them takes half as long again."""
    names: dict[str, Any] = {"model": model}
    arguments: list[str] = []
    fields = zip(attrs.fields(model), _get_fields(model), strict=True)
    # Those that are only taken by name stand last.
    for number, (attribute, field) in enumerate(sorted(fields, key=lambda pair: pair[0].kw_only)):
        names |= {f"hook{number}": field.hook, f"default{number}": field.default, f"type{number}": field.type}
        # Of what an answer can hold, only an object has this method: anything else fails here.
        get = "get" if number else "(get := value.get)"
        otherwise = f"get({field.also!r}, default{number})" if field.also != field.name else f"default{number}"
        value = f"{get}({field.name!r}, {otherwise})"
        argument = f"hook{number}({value}, type{number})"
        # What has its type already, as most have, needs no hook.
        if field.type in (int, int | None):
            argument = f"found if type(found := {value}) is int else hook{number}(found, type{number})"
        elif field.type in (str, str | None):
            argument = f"found if type(found := {value}) is str and found else hook{number}(found, type{number})"
        arguments.append(f"{attribute.alias}=({argument})" if attribute.kw_only else f"({argument})")
    read: _Hook = eval(f"lambda value, _type: model({', '.join(arguments)})", names)  # noqa: S307 -- our own words
    return read


def _make_list_hook(type_: Any) -> _Hook:
    (entry_type,) = get_args(type_)
    hook = _converter.get_structure_hook(entry_type)

    def structure_list(value: Any, _type: Any) -> list[Any]:
        entries = as_list(value)
        if entries is not None:
            return [hook(entry, entry_type) for entry in entries]
        if value in (None, "", {}):  # An empty list, as gateways write it.
            return []
        raise TypeError("not a list")

    return structure_list


_SIMPLE: dict[type, _Hook] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
    decimal.Decimal: _to_decimal,
}
_ANNOTATED: dict[Any, _Hook] = {
    UnixTime: _to_unix_time,
    TehranTime: _to_tehran_time,
    Mobile: _to_mobile,
    WholeAmount: _to_whole_amount,
}
for _plain in _SIMPLE.items():
    _converter.register_structure_hook(*_plain)
for _annotated, _annotated_hook in _ANNOTATED.items():
    _converter.register_structure_hook_func(functools.partial(operator.eq, _annotated), _annotated_hook)
_converter.register_structure_hook_factory(_is_open_enum, _make_open_enum_hook)
_converter.register_structure_hook_factory(_is_optional_scalar, _make_optional_hook)
_converter.register_structure_hook_factory(is_mutable_sequence, _make_list_hook)
_converter.register_structure_hook_factory(attrs.has, _make_model_hook)
