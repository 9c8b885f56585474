"""What the refusal of some messages means for the others."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidSenderError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
)
from .items import Item, as_not_sent

_OF_THE_ACCOUNT = (AuthenticationError, InsufficientCreditError, PermissionDeniedError)
_OF_THE_MOMENT = (RateLimitError, ServiceUnavailableError)
_HOPELESS = 100
"""So many messages refused one after the other, all for the same reason, tell of the account and not of the messages:
not every gateway says of a refusal what it concerns."""


class Refusals:
    """Knows which messages need not be tried any more, and why."""

    def __init__(self) -> None:
        self._all: PayamakError | None = None
        self._senders: dict[str | None, PayamakError] = {}
        self._same: tuple[type[PayamakError], int | str | None] | None = None
        self._in_a_row = 0

    def stop(self, reason: PayamakError) -> None:
        """Let nothing more leave. The first reason counts."""
        if self._all is None:
            self._all = as_not_sent(reason)

    @property
    def is_any(self) -> bool:
        """Whether there are messages that need not be tried."""
        return self._all is not None or bool(self._senders)

    def reason_against(self, item: Item) -> PayamakError | None:
        """Why a message need not be tried."""
        return self._all or self._senders.get(item.message.sender)

    def note(self, error: PayamakError, item: Item) -> None:
        """Take in that one message was refused."""
        if isinstance(error, _OF_THE_ACCOUNT):
            self.stop(error)
        elif isinstance(error, InvalidSenderError):
            self._senders.setdefault(item.message.sender, as_not_sent(error))
        elif isinstance(error, GatewayError) and not isinstance(error, (InvalidRecipientError, *_OF_THE_MOMENT)):
            same = type(error), error.code
            self._in_a_row = self._in_a_row + 1 if same == self._same else 1
            self._same = same
            if self._in_a_row >= _HOPELESS:
                self.stop(error)

    def note_success(self) -> None:
        """Take in that a message was sent."""
        self._in_a_row = 0


def may_split(error: PayamakError, items: Sequence[Item]) -> bool:
    """Whether to find out which of the messages of a request the error concerns, by sending each half."""
    if len(items) == 1 or isinstance(error, (*_OF_THE_ACCOUNT, *_OF_THE_MOMENT)):
        return False
    if isinstance(error, InvalidSenderError):
        return len({item.message.sender for item in items}) > 1
    return error.outcome is Outcome.REFUSED or isinstance(error, InvalidArgumentError)
