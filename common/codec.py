"""Forms and JSON out, JSON in, and the types of fields that the gateways write in ways of their own."""

from __future__ import annotations

import datetime
import functools
import json
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from .errors import ReplyError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

T = TypeVar("T")

UnixTime = Annotated[datetime.datetime, "Unix time: seconds, as a number or a string"]
TehranTime = Annotated[datetime.datetime, "a date and time, in Tehran unless it says otherwise"]
WholeAmount = Annotated[int, "an amount whose fraction, if it has one, does not count"]
Mobile = Annotated[str, "an Iranian mobile number that may have lost its leading zero"]

_MOST_DIGITS = 19


@functools.cache
def tehran() -> ZoneInfo:
    """The zone of every time that an Iranian gateway writes without one."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 -- slow to import, and few sends have a time

    return ZoneInfo("Asia/Tehran")


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

_decode = json.JSONDecoder().raw_decode


def loads(body: bytes, *, http_status: int) -> Any:
    """Parse a reply's JSON.

    Raises:
        ReplyError: It is empty or not JSON.
    """
    try:
        return _parse(body)
    except (ValueError, RecursionError):
        what = "is not valid JSON" if body.strip() else "is empty"
    # Raised out here, because the parser's exception holds the whole document.
    raise ReplyError(f"the body of the answer (HTTP status {http_status}) {what}", http_status=http_status)


def _parse(body: bytes) -> Any:
    # On a short document json.loads spends two thirds of its time on the encoding and on white space around it.
    try:
        text = body.decode()
        value, end = _decode(text)
    except ValueError:
        return json.loads(body)
    return value if end == len(text) else json.loads(body)


def as_dict(value: object) -> dict[str, Any]:
    """Return a JSON object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any] | None:
    """Return a JSON list, or None in place of anything else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_int(value: object) -> int | None:
    """Return an integer that came as a number or as a string, or None in place of anything else."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
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
    try:
        structuring = load_structuring()
    except Exception:
        structuring = None
    if structuring is None:
        raise ReplyError("this installation is broken: the answer cannot be read", http_status=http_status)
    try:
        return cast("T", structuring.structure(value, model))
    except Exception:  # noqa: S110 -- whatever a wrong shape makes a hook raise, the reply does not fit
        pass
    # Out here, because what the hook raised can hold the value.
    field = structuring.find_misfit(value, model, path)
    raise ReplyError(
        f"the answer (HTTP status {http_status}) does not fit at {field}", http_status=http_status, field=field
    )


@functools.cache
def load_structuring() -> types.ModuleType:
    """Import what `decode` needs."""
    from . import structuring  # noqa: PLC0415 -- it loads cattrs, which takes as long as all the rest of a client

    return structuring
