"""What the gateway remembers, and what can be set from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import attrs
from attrs import Factory, define, field

from .. import settings
from ..clock import Clock
from ..ledger import InboxMessage, Ledger, Message
from .seeds import PhoneBook, phone_books

NAME = "opgateway"
_FIRST_BULK_ID = 10_929_800
_FIRST_MESSAGE_ID = 5_000_001
_FIRST_USER_ID = 30_401
_STATUS_WORDS = (
    *("Finish", "NoContactWithTheOperator", "Interacting", "NoAuthentication", "Active", "NoSendSMS", "Cancel"),
    "No Sufficient Charge",
)


def _money(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(cast("float", value)) < float("inf"):
        raise ValueError(f"{attribute.name} must be a number")


@define
class Account:
    """The one account, in rial.

    Attributes:
        user: `uname`.
        password: `pass`.
        credit: what is left; it may have two decimals.
        lines: own sender lines, without the country's code.
        sms_price: of one part of a message.
        reseller: whether the account may make users; otherwise newuser is refused with 964.
    """

    user: str = field(default="emulator", validator=settings.text)
    password: str = field(default="emulator", repr=False, validator=settings.text)
    credit: float = field(default=1_000_000, validator=_money)
    lines: tuple[str, ...] = field(
        default=("3000505", "100020400", "50001"), converter=settings.to_tuple, validator=settings.texts()
    )
    sms_price: float = field(default=155, validator=_money)
    reseller: bool = field(default=True, validator=settings.boolean)


@define
class Switches:
    """What public sources leave open. The defaults follow the document, public code, or the likeliest reading.

    Attributes:
        names: of ops and fields, "any" that the document and public code write, in any case; or only those of the
            "document", to the letter.
        string_codes: the code is a text: `["0",…]`.
        bulk_id_as_string: a send answers `[0,"10929800"]`.
        credit_decimal_mark: of the credit, "." or "/"; both were seen.
        credit_as_number: the credit is a number, not a text (the mark is then always a point).
        nesting: a list is JSON text within JSON ("string"), a real "array", or for delivery alone "bare", without
            `[0, …]` around it, as the document prints it; other lists are then texts.
        double_nesting: each entry of a list is JSON text once more, as in a sibling operation of the service.
        approval: what becomes of orders from now on: "approve", "notconfirm" (awaits approval) or "cancel" (refused).
            Only an approved order is sent.
        approval_case: of checkmessage's validMessage: "lower" (public code) or "title" (document).
        approval_colon: validMessage ends with a colon, as one public client expects.
        status_message: statusMessage of every checkmessage; None works it out from the messages (INFERRED).
        allow_get: GET is answered too; otherwise HTTP 405 (INFERRED).
        unknown_op: an unknown or missing op answers "null", with an "empty" body, or with the code "963" (INFERRED).
        invalid_recipients: of a send: "drop" leaves them out, "refuse" refuses the send with 4 (INFERRED).
        partial_lists: a refused recipient in a list refuses the send after those before it were sent to; otherwise
            nobody is.
        max_recipients: of one send, more are refused with 98; None is no limit.
        jalali_times: the times of inboxlist are in Iran's calendar, 1405/09/06 10:20:00 (INFERRED).
        reading_marks_as_read: whether inboxlist gives a message once only.
        refuse_calls_with: code for every call with right credentials, such as 963.
        refuse_sends_with: code for every send, such as 992.
        sent_after: seconds until a message is sent.
        telecom_after: seconds until it reaches the operator.
        delivered_after: seconds until it reaches the handset.
    """

    names: str = field(default="any", validator=settings.one_of("any", "document"))
    string_codes: bool = field(default=False, validator=settings.boolean)
    bulk_id_as_string: bool = field(default=False, validator=settings.boolean)
    credit_decimal_mark: str = field(default=".", validator=settings.one_of(".", "/"))
    credit_as_number: bool = field(default=False, validator=settings.boolean)
    nesting: str = field(default="string", validator=settings.one_of("string", "array", "bare"))
    double_nesting: bool = field(default=False, validator=settings.boolean)
    approval: str = field(default="approve", validator=settings.one_of("approve", "notconfirm", "cancel"))
    approval_case: str = field(default="lower", validator=settings.one_of("lower", "title"))
    approval_colon: bool = field(default=False, validator=settings.boolean)
    status_message: str | None = field(default=None, validator=settings.if_given(settings.one_of(*_STATUS_WORDS)))
    allow_get: bool = field(default=False, validator=settings.boolean)
    unknown_op: str = field(default="null", validator=settings.one_of("null", "empty", "963"))
    invalid_recipients: str = field(default="drop", validator=settings.one_of("drop", "refuse"))
    partial_lists: bool = field(default=False, validator=settings.boolean)
    max_recipients: int | None = field(default=None, validator=settings.integer(1, optional=True))
    jalali_times: bool = field(default=False, validator=settings.boolean)
    reading_marks_as_read: bool = field(default=False, validator=settings.boolean)
    refuse_calls_with: int | None = field(default=None, validator=settings.integer(1, optional=True))
    refuse_sends_with: int | None = field(default=None, validator=settings.integer(1, optional=True))
    sent_after: float = field(default=0.5, validator=settings.seconds)
    telecom_after: float = field(default=1.0, validator=settings.seconds)
    delivered_after: float = field(default=3.0, validator=settings.seconds)


@define(eq=False)
class Bulk:
    """An accepted order: its messages, and whether the vendor approved of it."""

    id: int
    approval: str
    messages: Sequence[Message]


@define
class User:
    """A user that newuser made."""

    id: int
    name: str
    fields: dict[str, str] = field(repr=False)


@define(eq=False)
class State:
    """Everything behind the operations."""

    clock: Clock
    ledger: Ledger
    account: Account = Factory(Account)
    switches: Switches = Factory(Switches)
    phone_books: list[PhoneBook] = Factory(phone_books)
    inbox: list[InboxMessage] = Factory(list[InboxMessage])
    bulks: dict[int, Bulk] = Factory(dict[int, Bulk])
    users: list[User] = Factory(list[User])
    _messages: int = 0
    _first_bulk_id: int = _FIRST_BULK_ID

    def new_message_id(self) -> int:
        """Ids that only the control interface shows: this service knows bulks."""
        self._messages += 1
        return _FIRST_MESSAGE_ID + self._messages - 1

    def next_bulk_id(self) -> int:
        """The id of the next order."""
        return self._first_bulk_id + len(self.bulks)

    def add_bulk(self, bulk: Bulk) -> None:
        """Enter an order with its messages, and forget the orders whose messages were dropped."""
        self.bulks[bulk.id] = bulk
        for message in bulk.messages:
            self.ledger.add(message)
        while not self.ledger.keeps(self.bulks[self._first_bulk_id].messages[-1]):
            del self.bulks[self._first_bulk_id]
            self._first_bulk_id += 1

    def next_user_id(self) -> int:
        """The id of the next user."""
        return _FIRST_USER_ID + len(self.users)
