"""What the refusal of some messages means for the others."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidSenderError,
    JournalError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    ReplyError,
)
from ..results import SendResult
from .items import Item, as_not_sent

_OF_THE_ACCOUNT = (AuthenticationError, InsufficientCreditError, PermissionDeniedError)
_HOPELESS = 3
"""So many requests that end alike, one after the other, tell of the account or the gateway and not of the messages: not
every gateway says of a refusal what it concerns."""
_HOPELESS_ALONE = 30
"""So many refusals, if each is of one message: it may be its recipient that is refused each time."""


class Refusals:
    """Knows which messages need not be tried any more, and why."""

    def __init__(self) -> None:
        self._all: PayamakError | None = None
        self._senders: dict[str | None, PayamakError] = {}
        self._last: object = None
        self._in_a_row = 0

    def stop(self, reason: PayamakError) -> None:
        """Let nothing more leave. The first reason counts."""
        if self._all is None:
            # A journal may have been lost to another run, and nobody here knows to whom that one sends.
            self._all = reason if isinstance(reason, JournalError) else as_not_sent(reason)

    @property
    def stop_reason(self) -> PayamakError | None:
        """Why nothing more may leave."""
        return self._all

    @property
    def is_any(self) -> bool:
        """Whether there are messages that need not be tried."""
        return self._all is not None or bool(self._senders)

    def reason_against(self, item: Item) -> PayamakError | None:
        """Why a message need not be tried."""
        return self._all or self._senders.get(item.message.sender)

    def note_failure(self, items: Sequence[Item], error: PayamakError) -> None:
        """Take in that a request failed as a whole."""
        if not concerns_some(error, items):
            self._note_reason(error, items[0])
        self._count([error], len(items))

    def note_results(self, items: Sequence[Item], results: Sequence[SendResult]) -> None:
        """Take in how each message of a request fared."""
        failed = [(item, result.error) for item, result in zip(items, results, strict=True) if result.error is not None]
        for item, error in failed:
            self._note_reason(error, item)
        self._count([error for _, error in failed] if len(failed) == len(items) else [], len(items))

    def _note_reason(self, error: PayamakError, item: Item) -> None:
        if error.outcome is Outcome.UNKNOWN:
            return
        if isinstance(error, _OF_THE_ACCOUNT):
            self.stop(error)
        elif isinstance(error, InvalidSenderError):
            self._senders.setdefault(item.message.sender, as_not_sent(error))

    def _count(self, errors: Sequence[PayamakError], messages: int) -> None:
        """Count a request of which nothing was sent, once, however many messages it carried."""
        error = next((error for error in errors if _kind_of(error) is not None), None)
        kind = None if error is None else _kind_of(error)
        self._in_a_row = self._in_a_row + 1 if kind == self._last else 1
        self._last = kind
        most = _HOPELESS if messages > 1 or kind is Outcome.UNKNOWN else _HOPELESS_ALONE
        if error is not None and self._in_a_row >= most:
            self.stop(error)


def _kind_of(error: PayamakError) -> object:
    """What makes an answer like another; ``None`` if it tells of one recipient or one line, or if no answer came."""
    if not isinstance(error, (GatewayError, ReplyError)) or isinstance(
        error, (InvalidRecipientError, InvalidSenderError)
    ):
        return None
    if error.outcome is Outcome.UNKNOWN or isinstance(error, ReplyError):
        return Outcome.UNKNOWN
    return type(error), error.code


def concerns_some(error: PayamakError, items: Sequence[Item]) -> bool:
    """Whether the refusal of a request concerns one of its messages, and says nothing of the others."""
    if isinstance(error, InvalidSenderError):
        return len({item.message.sender for item in items}) > 1
    return isinstance(error, InvalidRecipientError) and len(items) > 1
