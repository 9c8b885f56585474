"""Words that mean the same at every gateway."""

from __future__ import annotations

import datetime
import enum
from typing import cast

import attrs

from .errors import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidSenderError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    ServiceUnavailableError,
)


class DeliveryState(enum.Enum):
    """Where a message is on its way. Each gateway's own codes map to these."""

    SCHEDULED = "scheduled"
    """Waits for its time."""
    QUEUED = "queued"
    """The gateway has it and has not passed it on."""
    SENT = "sent"
    """Passed on to the operator."""
    DELIVERED = "delivered"
    """Reached the handset."""
    FAILED = "failed"
    """Did not reach the handset, and will not."""
    BLOCKED = "blocked"
    """Kept back: the recipient has blocked advertising, or is on a blacklist."""
    CANCELLED = "cancelled"
    """Taken back before it was sent."""
    NOT_FOUND = "not found"
    """The gateway knows no message by this id."""
    UNKNOWN = "unknown"
    """The gateway used a code that this library does not know; the raw code is kept beside it."""

    @property
    def is_final(self) -> bool:
        """Whether the state will not change any more, so that asking again is useless."""
        return self in _FINAL


_FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.BLOCKED, DeliveryState.CANCELLED})


@attrs.frozen
class SendResult:
    """What became of one recipient's message in a request that the gateway took.

    Attributes:
        recipient: The number as you gave it.
        message_id: The gateway's id of the message, or ``None`` if this recipient was refused.
        error: Why this one recipient was refused, or ``None``. A `ReplyError` says that the gateway's answer has
            neither an id nor a refusal at this place, so that nobody knows.
    """

    recipient: str = attrs.field(repr=False)
    message_id: int | None = None
    error: GatewayError | ReplyError | None = None

    @property
    def ok(self) -> bool:
        """Whether the gateway took the message. Taken is not yet delivered: ask for its status."""
        return self.error is None


def only_result(results: list[SendResult]) -> SendResult:
    """The result of a send to one recipient, whose refusal is that of the whole call."""
    (result,) = results
    if result.error is not None:
        raise result.error
    return result


def errors_within(result: object) -> list[PayamakError]:
    """The errors that single recipients met, if ``result`` is a list of `SendResult`."""
    if not isinstance(result, list):
        return []
    entries = cast("list[object]", result)
    return [entry.error for entry in entries if isinstance(entry, SendResult) and entry.error is not None]


@attrs.frozen
class OutgoingMessage:
    """One message with a text of its own, for the methods that send many different ones.

    Attributes:
        to: The recipient's number.
        text: The text.
        sender: The line to send from; ``None`` only where a gateway chooses it.
        send_at: An aware datetime to send it at; now if ``None``. Not every gateway can.
        check_id: Your own unique mark of this message. Ghasedak takes it along, so that its status can be asked for;
            the journal of `send_many` knows the message by it.
    """

    to: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    sender: str | None = None
    send_at: datetime.datetime | None = None
    check_id: str | None = attrs.field(default=None, repr=False)


# Refusals that do not concern the message.
_PASSING = (
    AuthenticationError,
    InsufficientCreditError,
    InvalidSenderError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)


def may_pass(kind: type[object]) -> bool:
    """Whether a refusal of this kind may not be there any more later on: it does not concern the message, or nobody
    knows what it concerns, such as the want of credit at a gateway that has no code for it."""
    return kind is GatewayError or issubclass(kind, _PASSING)


def _describe(message: object) -> str:
    """What a report shows of a message: a caller's tuple in the place of one would show all that it holds."""
    return repr(message) if isinstance(message, OutgoingMessage) else f"<{type(message).__name__}>"


class OnUnknown(enum.Enum):
    """What `send_many` does when nobody knows whether a message went out."""

    LEAVE = "leave"
    """Report it as unknown at once."""
    ASK = "ask"
    """Ask the gateway, where it can be asked."""
    RESEND = "resend"
    """Ask, and send once more what the gateway does not know after the grace period. Where it cannot be asked, nothing
    is sent again."""


@attrs.frozen
class SendReport:
    """What became of one message of `send_many`.

    Attributes:
        index: The message's place in what you gave, from 0.
        message: The message.
        outcome: Sent, refused, not sent or unknown.
        message_id: The gateway's id, if it was sent: the bulk id at the op-driven gateway.
        error: Why it was not sent, or why nobody knows; ``None`` if it was sent.
        reference: By what the gateway can be asked for it: the check id at Ghasedak, the batch key at sms.ir.
        from_journal: Whether the journal had it settled already, so that nothing was done.
        is_cut_short: Whether the sending ended before more could be known of a message that is *unknown*, or the
            gateway could not be asked for it: it did not answer, or the key is wrong.
    """

    index: int
    message: OutgoingMessage = attrs.field(repr=_describe)
    outcome: Outcome
    message_id: int | None = None
    error: PayamakError | None = None
    reference: str | None = attrs.field(default=None, repr=False)
    from_journal: bool = False
    is_cut_short: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing is gained by giving the message in once more.

        It was sent; or it was refused, or is wrong, for what it is; or it is *unknown*, and the gateway was asked as
        long as that makes sense: then it is for a person to look at, for nothing of it is ever sent again. What is not
        settled may go out the next time.
        """
        if self.outcome is Outcome.NOT_SENT:
            return isinstance(self.error, InvalidArgumentError)
        if self.outcome is Outcome.REFUSED:
            return not may_pass(type(self.error))
        return not self.is_cut_short


@attrs.frozen
class Progress:
    """How far a `send_many` is, in messages.

    Attributes:
        sent: Taken by the gateway.
        refused: Refused by the gateway.
        not_sent: Certainly not sent.
        unknown: Perhaps sent.
        total: How many there are in all, or ``None`` if what you gave has no length.
    """

    sent: int = 0
    refused: int = 0
    not_sent: int = 0
    unknown: int = 0
    total: int | None = None

    @property
    def done(self) -> int:
        """How many have been reported."""
        return self.sent + self.refused + self.not_sent + self.unknown
