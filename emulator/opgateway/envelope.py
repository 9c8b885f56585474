"""The reply `[code, data]`, the exceptions from it, and the error table."""

from __future__ import annotations

from attrs import frozen

from ..phpjson import php_json
from .state import Switches

OK = 0
EMPTY_TEXT = 1
FOREIGN_LINE = 3
NO_RECIPIENTS = 4
CREDIT = 5
TOO_MANY_RECIPIENTS = 98
BULK_ID = 456
WRONG_CREDENTIALS = 962
NO_ACCESS = 963
NOT_A_RESELLER = 964
BOOKS_NOT_A_LIST = 993
TIME_IS_PAST = 1006

# The sentence of 962 is the document's, the others are INFERRED from the meanings that public code gives the codes.
SENTENCES = {
    1: "The message text is empty",
    2: "The user is restricted",
    3: "The sender line does not belong to you",
    4: "There are no recipients",
    5: "The credit is not enough",
    6: "The length of the message is unsuitable",
    7: "The line is not suitable for bulk sending",
    9: "The line can not send at this hour",
    98: "There are too many recipients",
    99: "The operator of the sender line is not available",
    100: "The phone book number is invalid",
    266: "Sending from shared lines is not possible",
    301: "The username has special characters",
    302: "No pricing is set",
    303: "The username is not entered",
    304: "The username is already taken",
    305: "The username is not entered",
    306: "The national id is not entered",
    307: "The national id is incorrect",
    308: "The certificate id is invalid",
    309: "The certificate id is not entered",
    310: "The email is not entered",
    311: "The phone number is not entered",
    312: "The phone number is incorrect",
    313: "The address is not entered",
    314: "The mobile number is not entered",
    315: "The mobile number is incorrect",
    316: "The access level is incorrect",
    317: "The password is not entered",
    455: "The scheduled sending of the bulk is cancelled",
    456: "The bulk id is invalid",
    962: "The username or password is incorrect",
    963: "The access is invalid",
    964: "You do not have reseller access",
    992: "Sending is possible from 8 to 23",
    993: "The phone book must be an array",
    1001: "The username format is incorrect",
    1002: "The password is weak",
    1003: "Registration failed, contact support",
    1004: "Registration failed, contact support",
    1005: "Registration failed, contact support",
    1006: "The send date is in the past",
}


class RefusalError(Exception):
    """The call is refused with a code of the table."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@frozen
class Listing:
    """A list, which travels as JSON text within the reply's JSON."""

    items: list[object]
    is_delivery: bool = False


@frozen
class BulkId:
    """The id of an accepted order."""

    number: int


@frozen
class Bare:
    """A reply without `[code, data]` around it."""

    content: object


def refusal(code: int, switches: Switches, sentence: str | None = None) -> str:
    """The reply of a refused call, in the usual words unless others are given."""
    usual = SENTENCES.get(code, "An error occurred")
    return _pair(code, usual if sentence is None else sentence, switches)


def encode(data: object, switches: Switches) -> str:
    """The reply of a successful call."""
    if isinstance(data, Bare):
        return php_json(data.content)
    if isinstance(data, BulkId):
        return _pair(OK, str(data.number) if switches.bulk_id_as_string else data.number, switches)
    if isinstance(data, Listing):
        items = [php_json(item) for item in data.items] if switches.double_nesting else data.items
        if data.is_delivery and switches.nesting == "bare":
            return php_json(items)
        return _pair(OK, items if switches.nesting == "array" else php_json(items), switches)
    return _pair(OK, data, switches)


def _pair(code: int, data: object, switches: Switches) -> str:
    return php_json([str(code) if switches.string_codes else code, data])
