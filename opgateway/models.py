"""What is sent to the gateway and received from it."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from ..common.fields import TehranTime, named
from ..common.results import DeliveryState


class Operator(enum.StrEnum):
    """A mobile operator."""

    MCI = "tci"
    """Hamrah-e Aval."""
    IRANCELL = "mtn"


class Gender(enum.IntEnum):
    """Whom to send to in an area."""

    ALL = 0
    MEN = 1
    WOMEN = 2


_DELIVERY_STATES = {
    "notsync": DeliveryState.QUEUED,
    "send": DeliveryState.SENT,
    "pending": DeliveryState.SENT,
    "failed": DeliveryState.FAILED,
    "discarded": DeliveryState.BLOCKED,
    "delivered": DeliveryState.DELIVERED,
}


@attrs.frozen
class RecipientDelivery:
    """What became of one recipient's message.

    Attributes:
        recipient: The number, as the gateway writes it: ``+989121234567``.
        status: The vendor's word, in lower case: ``notsync``, ``send``, ``pending``, ``failed``, ``discarded`` or
            ``delivered``, or one that it has not documented.
    """

    recipient: str = attrs.field(repr=False)
    status: str

    @property
    def state(self) -> DeliveryState:
        """The status in the words that all gateways share."""
        return _DELIVERY_STATES.get(self.status, DeliveryState.UNKNOWN)


class Approval(enum.StrEnum):
    """Whether the panel lets a message pass."""

    APPROVED = "approve"
    REJECTED = "cancel"
    WAITING = "notconfirm"


@attrs.frozen
class MessageProgress:
    """How far a bulk is.

    Attributes:
        status: The vendor's word: ``Finish``, ``NoContactWithTheOperator``, ``Interacting``, ``NoAuthentication``,
            ``Active``, ``NoSendSMS``, ``Cancel``, or one that it has not documented.
        approval: Whether the panel lets it pass: an `Approval`, or the bare word if the vendor has not documented it.
    """

    status: str | None = attrs.field(default=None, metadata=named("statusMessage"))
    approval: Approval | str | None = None


@attrs.frozen
class ReceivedMessage:
    """One message that came in.

    Attributes:
        text: The text.
        sender: The number it came from.
        line: The line it came to.
        received_at: When it came.
    """

    text: str | None = attrs.field(default=None, repr=False, metadata=named("message"))
    sender: str | None = attrs.field(default=None, repr=False, metadata=named("from"))
    line: str | None = attrs.field(default=None, metadata=named("to"))
    received_at: TehranTime | None = attrs.field(default=None, metadata=named("time"))


@attrs.frozen
class ListEntry:
    """An entry of one of the gateway's lists.

    The vendor documents none of their shapes. ``id`` and ``title`` are what the panels of this family are known, or
    likely, to send; ``raw`` is the entry as it came.

    Attributes:
        id: Its id, or ``None`` if none was found.
        title: Its title, or ``None`` if none was found.
        raw: The entry as it came.
    """

    id: int | str | None
    title: str | None
    raw: Any = attrs.field(repr=False)


class PhoneBook(ListEntry):
    """A phone book of the panel."""


class AccessLevel(ListEntry):
    """A level of access that a new user can get."""


class PostalArea(ListEntry):
    """An area with postal codes."""


class Job(ListEntry):
    """A profession."""


class JobTrend(ListEntry):
    """A branch of a profession."""


@attrs.frozen
class PanelAnswer:
    """The answer of an op that was called by its name.

    Attributes:
        code: The code of success; ``None`` if the answer has none.
        data: What stands behind it, or the whole of an answer without a code, with JSON inside strings taken out.
    """

    code: int | None
    data: Any = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class NewUser:
    """A user to be made by a reseller.

    The vendor's document says of no field whether it may be left away. There are error codes for all but ``name``,
    ``company`` and ``postal_code``, which are optional here.

    Attributes:
        username: The user name.
        password: The password.
        name: The person's name.
        company: The company.
        national_id: The national id.
        certificate_id: The number of the birth certificate.
        access_id: The access level, see `OpGatewayClient.access_levels`.
        telephone: The telephone number.
        mobile: The mobile number.
        postal_code: The postal code.
        email: The email address.
        address: The address.
    """

    username: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    name: str | None = attrs.field(default=None, repr=False)
    company: str | None = attrs.field(default=None, repr=False)
    national_id: str = attrs.field(repr=False)
    certificate_id: str = attrs.field(repr=False)
    access_id: int | str
    telephone: str = attrs.field(repr=False)
    mobile: str = attrs.field(repr=False)
    postal_code: str | None = attrs.field(default=None, repr=False)
    email: str = attrs.field(repr=False)
    address: str = attrs.field(repr=False)


@attrs.frozen
class CreatedUser:
    """A user that was made. The vendor does not document the answer.

    Attributes:
        id: What is likely its id, or ``None``.
        raw: The answer as it came.
    """

    id: int | None
    raw: Any = attrs.field(repr=False)
