"""What is sent to Ghasedak and received from it."""

from __future__ import annotations

import datetime
import enum

import attrs

from ..common.fields import TehranTime, UnixTime, WholeAmount, named
from ..common.results import DeliveryState


class OtpKind(enum.IntEnum):
    """How a one-time password reaches its recipient."""

    TEXT = 1
    """As an SMS."""
    VOICE = 2
    """Read out in a call."""


class DeliveryCode(enum.IntEnum):
    """The vendor's delivery codes."""

    WRONG_ID = -1
    HANDED_TO_OPERATOR = 0
    REACHED_HANDSET = 1
    SEND_ERROR = 2
    REACHED_TELECOM = 8
    NOT_REACHED_TELECOM = 16
    BLACKLISTED = 27


_STATES = {
    DeliveryCode.WRONG_ID: DeliveryState.NOT_FOUND,
    DeliveryCode.HANDED_TO_OPERATOR: DeliveryState.SENT,
    DeliveryCode.REACHED_HANDSET: DeliveryState.DELIVERED,
    DeliveryCode.SEND_ERROR: DeliveryState.FAILED,
    DeliveryCode.REACHED_TELECOM: DeliveryState.SENT,
    DeliveryCode.NOT_REACHED_TELECOM: DeliveryState.FAILED,
    DeliveryCode.BLACKLISTED: DeliveryState.BLOCKED,
}


@attrs.frozen
class MessageStatus:
    """The status of one message.

    Attributes:
        message_id: The gateway's id. For an id that the gateway does not know, whatever it answered.
        status: The vendor's code: a `DeliveryCode`, or the bare number if the vendor has not documented it.
        text: The text that was sent.
        price: What it cost, in rial; a fraction is cut off.
        sender: The line it was sent from.
        recipient: The number it was sent to.
        sent_at: When it was or will be sent.
    """

    message_id: int | None = attrs.field(default=None, metadata=named("messageid"))
    status: DeliveryCode | int = attrs.field(kw_only=True)
    text: str | None = attrs.field(default=None, repr=False, metadata=named("message"))
    price: WholeAmount | None = None
    sender: str | None = None
    recipient: str | None = attrs.field(default=None, repr=False, metadata=named("receptor"))
    sent_at: UnixTime | None = attrs.field(default=None, metadata=named("senddate"))

    @property
    def state(self) -> DeliveryState:
        """The status in the words that all gateways share."""
        return _STATES.get(self.status, DeliveryState.UNKNOWN)  # type: ignore[call-overload, no-any-return]


@attrs.frozen
class ReceivedMessage:
    """One message that came in on a line.

    Attributes:
        message_id: The gateway's id of it.
        text: The text.
        sender: The number it came from.
        line: The line it came to.
        received_at: When it came.
    """

    message_id: int = attrs.field(metadata=named("messageid"))
    text: str | None = attrs.field(default=None, repr=False, metadata=named("message"))
    sender: str | None = attrs.field(default=None, repr=False)
    line: str | None = attrs.field(default=None, metadata=named("linenumber"))
    received_at: TehranTime | None = attrs.field(default=None, metadata=named("receivedate"))


@attrs.frozen
class ReceivedPage:
    """One page of received messages.

    Attributes:
        messages: The messages of this page.
        total: How many messages there are on all pages, if the gateway said so.
    """

    messages: list[ReceivedMessage]
    total: int | None = None


@attrs.frozen
class Account:
    """The account.

    Attributes:
        balance: The credit in rial; it can be negative, and a fraction is cut off.
        expires_at: When the account expires.
    """

    balance: WholeAmount
    expires_at: UnixTime | None = attrs.field(default=None, metadata=named("expire"))


@attrs.frozen
class Group:
    """A group of contacts.

    Attributes:
        id: The gateway's id of the group.
        name: Its name.
        parent_id: The group it lies in; 0 is the root.
    """

    id: int
    name: str | None = None
    parent_id: int | None = attrs.field(default=None, metadata=named("parent"))


@attrs.frozen
class Contact:
    """A contact of a group. The gateway does not tell the record id of a contact.

    Attributes:
        number: The telephone number.
        first_name: Without commas.
        last_name: Without commas.
        email: Without commas.
    """

    number: str = attrs.field(repr=False)
    first_name: str | None = attrs.field(default=None, repr=False, metadata=named("firstName"))
    last_name: str | None = attrs.field(default=None, repr=False, metadata=named("lastName"))
    email: str | None = attrs.field(default=None, repr=False)


def to_unix(time: datetime.datetime) -> str:
    """Return an aware datetime as Unix seconds, as the gateway takes it."""
    return str(int(time.timestamp()))
