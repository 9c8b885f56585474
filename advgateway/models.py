"""What is sent to the gateway and received from it."""

from __future__ import annotations

import enum

import attrs

from ..common.fields import UnixTime, named
from ..common.results import DeliveryState


class DeliveryCode(enum.IntEnum):
    """The vendor's delivery codes."""

    SENDING = 1
    TELECOM_PROBLEM = 2
    REACHED_TELECOM = 3
    REACHED_HANDSET = 4
    NOT_REACHED_HANDSET = 5
    BLACKLISTED = 6


_STATES: dict[int, DeliveryState] = {
    DeliveryCode.SENDING: DeliveryState.QUEUED,
    DeliveryCode.TELECOM_PROBLEM: DeliveryState.FAILED,
    DeliveryCode.REACHED_TELECOM: DeliveryState.SENT,
    DeliveryCode.REACHED_HANDSET: DeliveryState.DELIVERED,
    DeliveryCode.NOT_REACHED_HANDSET: DeliveryState.FAILED,
    DeliveryCode.BLACKLISTED: DeliveryState.BLOCKED,
}


@attrs.frozen
class MessageStatus:
    """The status of one message.

    Attributes:
        message_id: The id that you asked for.
        status: The vendor's code: a `DeliveryCode`, the bare number if the vendor has not documented it, or ``None`` if
            the gateway gave none.
        text: The status in the vendor's words, if it gave any.
    """

    message_id: int
    status: DeliveryCode | int | None = None
    text: str | None = None

    @property
    def state(self) -> DeliveryState:
        """The status in the words that all gateways share."""
        return DeliveryState.UNKNOWN if self.status is None else _STATES.get(self.status, DeliveryState.UNKNOWN)


@attrs.frozen
class ReceivedMessage:
    """One message that came in.

    Attributes:
        text: The text.
        sender: The number it came from.
        line: The line it came to.
        received_at: When it came.
    """

    text: str | None = attrs.field(default=None, repr=False, metadata=named("msg"))
    sender: str | None = attrs.field(default=None, repr=False, metadata=named("from"))
    line: str | None = attrs.field(default=None, metadata=named("to"))
    received_at: UnixTime | None = attrs.field(default=None, metadata=named("time"))
