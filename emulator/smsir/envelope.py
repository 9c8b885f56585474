"""The envelope `IsSuccessful`, `Message`, `ErrorCode` beside the payload; errors outside it; dates.

No public source has a table of `ErrorCode`. The numbers here are this emulator's own: 0 is none, as the document's one
sample shows, and a client must not take any other for the vendor's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from attrs import frozen

from ..jalali import TEHRAN

NO_ERROR = 0
ERROR_EXCEPTION = 1
ERROR_ARGUMENT = 2
ERROR_NOT_FOUND = 3
ERROR_DUPLICATE = 4
ERROR_CREDIT = 5
ERROR_TOKEN = 6
ERROR_KEYS = 7
ERROR_RECIPIENT = 8
ERROR_STATE = 9

# Seen for real in the answers of this vendor's sibling service.
SENT = "ارسال با موفقیت انجام گردید"
DONE = "عملیات با موفقیت انجام شد"
# The vendor's own SDK reports this text from several methods: an exception of .NET in the envelope.
NULL_REFERENCE = "Object reference not set to an instance of an object."
REFUSED = "عملیات انجام نشد"
INVALID_REQUEST = "The request is invalid."

Payload = dict[str, object]


class FailureError(Exception):
    """The call is refused in the envelope."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class HttpError(Exception):
    """The call is refused by ASP.NET, before there is an envelope."""

    def __init__(self, status: int, message: str, detail: str | None = None, *, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"Message": message} if detail is None else {"Message": message, "MessageDetail": detail}
        self.allow = allow

    def encode(self) -> bytes:
        """The body of a reply."""
        return json.dumps(self.body, ensure_ascii=False).encode(errors="replace")


def argument(name: str) -> FailureError:
    """A parameter that is missing or makes no sense."""
    return FailureError(ERROR_ARGUMENT, f"مقدار پارامتر {name} معتبر نیست")


def not_found(what: str) -> FailureError:
    """An id that belongs to nothing."""
    return FailureError(ERROR_NOT_FOUND, f"{what} یافت نشد")


def exception() -> FailureError:
    """What a crash of the vendor's code looks like."""
    return FailureError(ERROR_EXCEPTION, NULL_REFERENCE)


def bad_request(detail: str | None = None) -> HttpError:
    """What ASP.NET says to a value that it cannot bind."""
    return HttpError(400, INVALID_REQUEST, detail)


class Emoji(int):
    """An EmojiId, which is a number or a text by switch."""


@frozen
class Style:
    """How values are written."""

    date_format: str
    emoji_as_string: bool
    null_texts: bool


def encode(payload: Mapping[str, object], code: int, message: str, style: Style) -> bytes:
    """The body of a reply."""
    written = cast("Payload", _write(dict(payload), style))
    envelope = {**written, "IsSuccessful": code == NO_ERROR, "Message": message, "ErrorCode": code}
    # What a client sent as half a surrogate pair cannot be UTF-8.
    return json.dumps(envelope, ensure_ascii=False).encode(errors="replace")


def format_date(moment: datetime, date_format: str) -> str:
    """A Gregorian date in one of the ways that ASP.NET services write it."""
    local = moment.astimezone(TEHRAN)
    stem = f"{local:%Y-%m-%dT%H:%M:%S}"
    # Json.NET leaves out the zeros at the end of a fraction, and the point if nothing follows it.
    fraction = f".{local.microsecond // 1000:03}".rstrip("0").rstrip(".")
    if date_format == "naive_7_digits":
        return f"{stem}.{local.microsecond:06}7"
    if date_format == "offset":
        return f"{stem}{fraction}{_offset(local)}"
    if date_format == "zulu":
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
    if date_format == "ms_json":
        return f"/Date({int(moment.timestamp() * 1000)})/"
    return "0001-01-01T00:00:00" if date_format == "min_value" else f"{stem}{fraction}"


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"


def _write(value: object, style: Style) -> object:
    if isinstance(value, datetime):
        return format_date(value, style.date_format)
    if isinstance(value, Emoji):
        return str(int(value)) if style.emoji_as_string else int(value)
    if isinstance(value, dict):
        items = cast("Payload", value).items()
        return {key: None if _is_nulled(key, item, style) else _write(item, style) for key, item in items}
    if isinstance(value, list):
        return [_write(item, style) for item in cast("list[object]", value)]
    return value


def _is_nulled(key: str, value: object, style: Style) -> bool:
    # Any text and any empty list may be null in .NET; ids that are texts still have to name something.
    return style.null_texts and key != "Id" and (isinstance(value, str) or value == [])
