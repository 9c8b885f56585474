"""What `send_many` writes down, so that a killed process loses nothing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from .. import errors
from ..errors import (
    AuthenticationError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidSenderError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from ..results import OutgoingMessage

# Refusals that do not concern the message: it goes out when the same job runs again.
_PASSING = (
    AuthenticationError,
    InsufficientCreditError,
    InvalidSenderError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)


@attrs.frozen
class JournalEntry:
    """What is known of one message.

    Attributes:
        key: What the message is known by: its ``check_id`` if you gave one, else its place in the input.
        index: Its place in the input.
        gateway: The gateway's package name.
        message: The message. From `Journal.read`, ``None`` if another message is known by the key.
        outcome: ``None`` while its request is on its way.
        reference: By what the gateway can be asked for it.
        message_id: The gateway's id of it.
        reason: The name of the error's class, if it was not sent.
        detail: The error's message. It holds no number and no text.
        at: When this was written, or rather handed over for writing; of an unknown outcome, when the request left.
    """

    key: str = attrs.field(repr=False)
    index: int
    gateway: str
    message: OutgoingMessage | None = attrs.field(repr=False)
    outcome: Outcome | None = None
    reference: str | None = attrs.field(default=None, repr=False)
    message_id: int | None = None
    reason: str | None = None
    detail: str | None = None
    at: datetime.datetime = attrs.field(factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def is_open(self) -> bool:
        """Whether the message may go out: it was not sent, or was refused for a reason that may have passed, or for one
        that nobody knows, such as the want of credit at a gateway that has no code for it."""
        if self.outcome is Outcome.REFUSED:
            return self._error_class is GatewayError or issubclass(self._error_class, _PASSING)
        return self.outcome is Outcome.NOT_SENT

    @property
    def _error_class(self) -> type[PayamakError]:
        found = getattr(errors, self.reason or "", GatewayError)
        return found if isinstance(found, type) and issubclass(found, PayamakError) else GatewayError

    def make_error(self) -> PayamakError | None:
        """The error that the message met, made anew; ``None`` if it was sent."""
        if self.outcome is Outcome.SENT:
            return None
        kind = ConnectionLostError if self.outcome is None else self._error_class
        error = kind(self.detail or "an earlier run ended before the answer was here")
        error.gateway, error.operation, error.outcome = self.gateway, "send_many", self.outcome or Outcome.UNKNOWN
        return error


class Journal(Protocol):
    """Where `send_many` writes down what it does. `payamak.common.sqlite_journal` has one that keeps it in a file.

    A journal belongs to one job. When it fails it raises `JournalError`: nothing is sent that it has not written down.
    """

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        """Find what is known of messages.

        Args:
            wanted: The messages by their keys.

        Returns:
            An entry for each key that is known. Its ``message`` is ``None`` if it was written for another message.
        """
        ...

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """Write entries, in place of those with the same keys. On return they must survive a power cut."""
        ...
