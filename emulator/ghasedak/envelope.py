"""The envelope `{"result": {"code", "message"}, "items"}` and the four documented errors in it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import frozen

OK = 200
BAD_REQUEST = 400
BAD_KEY = 401
NOT_FOUND = 404
EXCEPTION = 419

# Numbers of the document's error table that the emulator itself gives.
ERROR_EMPTY_LIST = 2
ERROR_LIST_TOO_LONG = 3
ERROR_LENGTHS_DIFFER = 4
ERROR_NO_NEW_MESSAGE = 5
ERROR_LINE = 7
ERROR_RECEPTOR = 8
ERROR_CREDIT = 9
ERROR_SYSTEM = 10
ERROR_FILTERED = 20


_FIRST_RESULT_CODE = 100
_EXCEPTION_TEXT = "error! Exception"


class RefusalError(Exception):
    """The call is refused; carries the envelope's code, message and items."""

    def __init__(self, code: int, message: str, items: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.items = items


def bad_request(*problems: str) -> RefusalError:
    """400. The document shows a JSON array inside the message text."""
    return RefusalError(BAD_REQUEST, json.dumps(problems, separators=(",", ":")), None)


def missing(*names: str) -> RefusalError:
    """400 for parameters that are not there."""
    return bad_request(*(f"{name} is required" for name in names))


def invalid(name: str) -> RefusalError:
    """400 for a value of the wrong type. INFERRED: the document shows only missing parameters."""
    return bad_request(f"{name} is invalid")


def bad_key() -> RefusalError:
    """401."""
    return RefusalError(BAD_KEY, "apikey is invalid", None)


def not_found() -> RefusalError:
    """404. The document's items are an empty text here, not null."""
    return RefusalError(NOT_FOUND, "the requested resource does not exist", "")


def exception(number: int) -> RefusalError:
    """419 with a number of the error table."""
    return RefusalError(EXCEPTION, _EXCEPTION_TEXT, [number])


def refusal(code: int) -> RefusalError:
    """What the document shows for a code of the result, or for a number of the error table."""
    if code < _FIRST_RESULT_CODE:
        return exception(code)
    documented = {BAD_REQUEST: missing("message"), BAD_KEY: bad_key(), NOT_FOUND: not_found()}
    return documented.get(code) or RefusalError(code, _EXCEPTION_TEXT, None)


@frozen
class Page:
    """A page of items; its total stands beside them at the top level."""

    items: list[Mapping[str, object]]
    total_count: int


def encode(code: int, message: str, items: object) -> bytes:
    """The reply's body."""
    envelope: dict[str, object] = {"result": {"code": code, "message": message}, "items": items}
    if isinstance(items, Page):
        envelope.update(items=items.items, totalcount=items.total_count)
    return json.dumps(envelope, ensure_ascii=False).encode()
