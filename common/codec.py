"""Forms and JSON out, JSON in: the cattrs converters, dates, and scalars as loose as the gateways write them."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import enum
import functools
import json
import operator
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeGuard, TypeVar, cast, get_args, get_origin
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

import attrs
import cattrs
from cattrs.cols import is_mutable_sequence, list_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from .errors import ReplyError

T = TypeVar("T")

TEHRAN = ZoneInfo("Asia/Tehran")
"""The zone of every time that an Iranian gateway writes without one."""

UnixTime = Annotated[datetime.datetime, "Unix time: seconds, as a number or a string"]
TehranTime = Annotated[datetime.datetime, "a date and time, in Tehran unless it says otherwise"]
WholeAmount = Annotated[int, "an amount whose fraction, if it has one, does not count"]
Mobile = Annotated[str, "an Iranian mobile number that may have lost its leading zero"]

_INTEGER = re.compile(r"\s*-?[0-9]{1,19}\s*")
_DATE_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?(Z|[-+]\d\d:?\d\d)?"
)
_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[-+]\d{4})?\)/")
_BARE_MOBILE = re.compile(r"9\d{9}")


def encode_form(fields: Mapping[str, str]) -> str:
    """Write a form. The names are those of the vendors, which need no escaping."""
    return "&".join([f"{name}={_escape(value)}" for name, value in fields.items()])


def _escape(value: str) -> str:
    if value.isascii():
        # Lists of a hundred numbers are cheap with bare commas.
        return value if value.isalnum() else quote_plus(value, safe=",")
    # Of a Persian text nearly every byte has to be escaped. To escape all of them takes a tenth of the time.
    return "%" + value.encode().hex("%")


def dumps(value: Any) -> str:
    """Write JSON, with Persian as it is."""
    return _json.encode(value)


_json = json.JSONEncoder(ensure_ascii=False)


def loads(body: bytes, *, http_status: int) -> Any:
    """Parse a reply's JSON.

    Raises:
        ReplyError: It is empty or not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        what = "is not valid JSON" if body.strip() else "is empty"
    # Raised out here, because the parser's exception holds the whole document.
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
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def wire(name: str, *, also: str | None = None) -> dict[str, str]:
    """Metadata for `attrs.field`: the name that the gateway uses for this field, and another that has been seen."""
    return {"wire": name} if also is None else {"wire": name, "also": also}


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
        return described[0].rpartition("@ ")[2].lstrip(".") or path
    return path


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
    return datetime.datetime.fromtimestamp(value if type(value) is int else _to_int(value), TEHRAN)


def _to_tehran_time(value: Any, _type: Any = None) -> datetime.datetime:
    text = _to_str(value).strip()
    if match := _JSON_DATE.fullmatch(text):
        return datetime.datetime.fromtimestamp(int(match[1]) / 1000, TEHRAN)
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    *numbers, fraction, offset = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    zone = TEHRAN if offset is None else datetime.datetime.strptime(offset, "%z").tzinfo
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
    return int(_to_decimal(value))


def _to_bool(value: Any, _type: Any = None) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in _BOOLEANS:
        raise TypeError("not a boolean")
    return _BOOLEANS[word]


def _to_open_enum(union: Any) -> Callable[[Any, Any], int]:
    members: type[enum.IntEnum] = get_args(union)[0]
    known = {member.value: member for member in members}  # Calling the class takes three times as long.

    def structure(value: Any, _type: Any) -> int:
        number = value if type(value) is int else _to_int(value)
        return known.get(number, number)

    return structure


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


_FIRST_MOMENT = ("0001-01-01", "/Date(-62135")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_SCALARS: tuple[Any, ...] = (bool, int, float, str, decimal.Decimal, UnixTime, TehranTime, Mobile)
_UNIONS = (typing.Union, types.UnionType)


def _make_model_hook(converter: cattrs.Converter, model: Any) -> Callable[[Any, Any], Any]:
    """Make the hook for an attrs class from the wire names in its metadata."""
    attrs.resolve_types(model)
    fields = attrs.fields(model)
    names = {field.name: override(rename=field.metadata["wire"]) for field in fields if "wire" in field.metadata}
    aliases = {field.metadata["also"]: field.metadata["wire"] for field in fields if "also" in field.metadata}
    structure: Callable[[Any, Any], Any] = make_dict_structure_fn(model, converter, **names)  # type: ignore[arg-type]

    def structure_object(value: Any, wanted: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError("not an object")  # A string would pass for one whose fields are all missing.
        known = cast("dict[str, Any]", value)
        if not aliases:
            return structure(known, wanted)
        renamed = {name: known[alias] for alias, name in aliases.items() if alias in known}
        return structure({**renamed, **known} if renamed else known, wanted)

    return structure_object


def _build_converter(*, detailed: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=detailed)
    converter.register_structure_hook(bool, _to_bool)
    converter.register_structure_hook(int, _to_int)
    converter.register_structure_hook(float, _to_float)
    converter.register_structure_hook(str, _to_str)
    converter.register_structure_hook(decimal.Decimal, _to_decimal)
    for annotated, hook in (
        (UnixTime, _to_unix_time),
        (TehranTime, _to_tehran_time),
        (Mobile, _to_mobile),
        (WholeAmount, _to_whole_amount),
    ):
        converter.register_structure_hook_func(functools.partial(operator.eq, annotated), hook)
    converter.register_structure_hook_factory(_is_open_enum, _to_open_enum)

    def optional_scalar(type_: Any) -> Callable[[Any, Any], Any]:
        arguments = _union_without_none(type_)
        scalar = arguments[0] if len(arguments) == 1 else typing.Union[tuple(arguments)]  # noqa: UP007
        structure = converter.get_structure_hook(scalar)

        def structure_optional(value: Any, _type: Any) -> Any:
            # The gateways write an absent value as null, as an empty string, or as the first moment of the calendar.
            if not value and (value is None or value == ""):
                return None
            if type(value) is str:
                if value.startswith(_FIRST_MOMENT):
                    return None
                if scalar is str:
                    return value
            return structure(value, scalar)

        return structure_optional

    converter.register_structure_hook_factory(_is_optional_scalar, optional_scalar)

    def list_or_null(type_: Any) -> Callable[[Any, Any], Any]:
        structure = list_structure_factory(type_, converter)
        return lambda value, wanted: structure([] if value is None or value == "" else value, wanted)

    converter.register_structure_hook_factory(is_mutable_sequence, list_or_null)

    converter.register_structure_hook_factory(attrs.has, functools.partial(_make_model_hook, converter))
    return converter


_fast = _build_converter(detailed=False)
# Slower, but it knows where the trouble was: used only after the fast one has failed.
_detailed = _build_converter(detailed=True)
