"""From parsed JSON to models, on `cattrs`."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import operator
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs

from .bounds import LEAST_INTEGER, MOST_INTEGER, to_amount, to_float, to_int
from .codec import as_list
from .errors import ReplyError
from .fields import Mobile, TehranTime, UnixTime, WholeAmount, tehran
from .jalali import JALALI_YEARS, to_gregorian

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")

_DATE_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?(Z|[-+]\d\d:?\d\d)?"
)
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[-+]\d{4})?\)/")
_FIRST_MOMENT = ("0001-01-01", "/Date(-62135")
_BARE_MOBILE = re.compile(r"9\d{9}")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_SCALARS: tuple[Any, ...] = (bool, int, float, str, decimal.Decimal, UnixTime, TehranTime, Mobile, WholeAmount)
_UNIONS = (typing.Union, types.UnionType)

_Hook: TypeAlias = Callable[[Any, Any], Any]


@functools.cache
def load_converter() -> cattrs.Converter:
    """Import cattrs, which takes as long as all the rest of a client, and teach it how the gateways write."""
    import cattrs  # noqa: PLC0415

    converter = cattrs.Converter(detailed_validation=False)
    for plain in _SIMPLE.items():
        converter.register_structure_hook(*plain)
    for annotated, hook in _ANNOTATED.items():
        converter.register_structure_hook_func(functools.partial(operator.eq, annotated), hook)
    converter.register_structure_hook_factory(_is_open_enum, _make_open_enum_hook)
    converter.register_structure_hook_factory(_is_optional_scalar, _make_optional_hook)
    converter.register_structure_hook_factory(_is_list, _make_list_hook)
    converter.register_structure_hook_factory(attrs.has, _make_model_hook)
    return converter


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
    try:
        return load_converter().structure(value, model)
    except Exception:  # noqa: S110 -- whatever a wrong shape makes a hook raise, the reply does not fit
        pass
    # Out here, because what the hook raised can hold the value.
    field = _find_misfit(value, model, path)
    raise ReplyError(
        f"the answer (HTTP status {http_status}) does not fit at {field}", http_status=http_status, field=field
    )


def _find_misfit(value: Any, model: Any, path: str) -> str:
    """Say where a value that does not fit first fails to."""
    for step, part, kind in _parts(value, model):
        try:
            load_converter().structure(part, kind)
        except Exception:
            return _find_misfit(part, kind, path + step)
    return path.lstrip(".")


def _parts(value: Any, model: Any) -> Iterator[tuple[str, Any, Any]]:
    kinds = _union_without_none(model)
    if len(kinds) == 1:
        model = kinds[0]
    if get_origin(model) is list:
        for index, entry in enumerate(as_list(value) or []):
            yield f"[{index}]", entry, get_args(model)[0]
    elif attrs.has(model) and isinstance(value, dict):
        known = _with_usual_names(cast("dict[str, Any]", value), _get_other_names(model))
        for attribute in attrs.fields(model):
            name = _get_name(attribute)
            if name in known or attribute.default is attrs.NOTHING:
                yield f".{attribute.name}", known.get(name), attribute.type


def _to_int(value: Any, _type: Any = int) -> int:
    if type(value) is int and LEAST_INTEGER <= value <= MOST_INTEGER:
        return value
    return to_int(value)


def _to_str(value: Any, _type: Any = str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a string")
    return str(_to_int(value) if isinstance(value, int) else value)


def _to_unix_time(value: Any, _type: Any = None) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(to_int(value), tehran())


def _to_tehran_time(value: Any, _type: Any = None) -> datetime.datetime:
    text = _to_str(value).strip()
    if match := _JSON_DATE.fullmatch(text):
        return datetime.datetime.fromtimestamp(to_int(match[1]) / 1000, tehran())
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    *numbers, fraction, offset = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    if year in JALALI_YEARS:
        year, month, day = to_gregorian(year, month, day)
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    if offset is None:
        return datetime.datetime(year, month, day, hour, minute, second, microsecond, tehran())
    zone = datetime.datetime.strptime(offset, "%z").tzinfo
    moment = datetime.datetime(year, month, day, hour, minute, second, microsecond, zone)
    moment.astimezone(datetime.UTC)  # Raises at the ends of the calendar, where whoever goes on with it would fail.
    return moment


def _to_mobile(value: Any, _type: Any = None) -> str:
    number = _to_str(value).strip()
    return f"0{number}" if _BARE_MOBILE.fullmatch(number) else number


def _to_whole_amount(value: Any, _type: Any = None) -> int:
    return _to_int(value if type(value) is int else int(to_amount(value)))


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
        if type(value) is int and value in known:
            return known[value]
        number = _to_int(value)
        return known.get(number, number)

    return structure_code


def _is_open_enum(type_: Any) -> bool:
    """Whether the type is ``SomeIntEnum | int``, perhaps with None: a code that may be one that nobody documented."""
    arguments = _union_without_none(type_)
    return len(arguments) == 2 and arguments[1] is int and isinstance(arguments[0], enum.EnumType)


def _is_list(type_: Any) -> bool:
    return get_origin(type_) is list


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
    structure_scalar = (
        load_converter().get_structure_hook(scalar) if len(arguments) == 1 else _make_open_enum_hook(type_)
    )

    def structure_optional(value: Any, _type: Any) -> Any:
        return None if value is None or value == "" else structure_scalar(value, scalar)

    def structure_optional_text(value: Any, _type: Any) -> Any:
        return value if type(value) is str and value else structure_optional(value, _type)

    def structure_optional_number(value: Any, _type: Any) -> Any:
        if type(value) is int and LEAST_INTEGER <= value <= MOST_INTEGER:
            return value
        return structure_optional(value, _type)

    def structure_optional_time(value: Any, _type: Any) -> Any:
        if value is None or value == "" or (type(value) is str and value.startswith(_FIRST_MOMENT)):
            return None
        return structure_scalar(value, scalar)

    if scalar in (UnixTime, TehranTime):
        return structure_optional_time
    if scalar in (int, WholeAmount):
        return structure_optional_number
    return structure_optional_text if scalar is str else structure_optional


def _get_name(attribute: attrs.Attribute[Any]) -> str:
    return str(attribute.metadata.get("name", attribute.name))


@functools.cache
def _get_other_names(model: type[attrs.AttrsInstance]) -> dict[str, str]:
    """The usual name of a field by its other one."""
    return {
        attribute.metadata["also"]: _get_name(attribute)
        for attribute in attrs.fields(model)
        if "also" in attribute.metadata
    }


def _with_usual_names(value: dict[str, Any], other_names: Mapping[str, str]) -> dict[str, Any]:
    for other, usual in other_names.items():
        if other in value:
            value = {usual: value[other], **value}
    return value


def _make_model_hook(model: Any) -> _Hook:
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415 -- loaded with cattrs

    attrs.resolve_types(model)
    names: dict[str, Any] = {attribute.name: override(rename=_get_name(attribute)) for attribute in attrs.fields(model)}
    build = make_dict_structure_fn(model, load_converter(), _cattrs_detailed_validation=False, **names)
    other_names = _get_other_names(model)

    def structure_model(value: Any, _type: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        known = cast("dict[str, Any]", value)
        return build(_with_usual_names(known, other_names) if other_names else known, model)

    return structure_model


def _make_list_hook(type_: Any) -> _Hook:
    (entry_type,) = get_args(type_)
    hook = load_converter().get_structure_hook(entry_type)

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
    float: lambda value, _type: to_float(value),
    str: _to_str,
    decimal.Decimal: lambda value, _type: to_amount(value),
}
_ANNOTATED: dict[Any, _Hook] = {
    UnixTime: _to_unix_time,
    TehranTime: _to_tehran_time,
    Mobile: _to_mobile,
    WholeAmount: _to_whole_amount,
}
