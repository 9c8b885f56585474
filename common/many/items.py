"""One message on its way, and the only place where what is to be said of it changes."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Hashable

import attrs

from ..errors import InvalidArgumentError, Outcome, PayamakError
from ..results import OutgoingMessage
from .journal import JournalEntry

_NOT_SENT, _UNKNOWN = (Outcome.NOT_SENT,), (Outcome.UNKNOWN,)
_OPEN = _NOT_SENT + _UNKNOWN
_FINAL = (Outcome.SENT, Outcome.REFUSED)


@attrs.define(eq=False)
class Item:
    """One message on its way. `outcome` is what is to be said of it if nothing more is learned.

    ::

        event              from                  to
        ─────────────────  ────────────────────  ────────────────────────────────────────────────────────────────
        (new)                                    not sent
        consult()          not sent, unknown     unknown: the journal is being asked whether another run sent it
        recall(entry)      unknown               what the journal says; not sent if it may go out
        leave()            not sent              unknown: its request is about to leave
        sent(id)           unknown               sent
        fail(error)        not sent, unknown     the error's own outcome: refused, not sent or unknown
        lose(error)        unknown               unknown: the answer is missing, or not to be believed before asking
        hold_back(reason)  not sent, unknown     not sent: it cannot, need not or did provably not go out
        send_again()       unknown               not sent: it did provably not go out, and is to

    Any other event is a mistake of the engine, and raises: above all, what was sent or refused stays so.

    Attributes:
        index: Its place in what the caller gave.
        key: What the sending and the journal know it by; empty where neither must.
        message: As the caller gave it.
        number: The recipient as it travels.
        content: What it shares with those that it can travel with as one text to many: its `text_key`.
        reference: By what the gateway can be asked for it.
        left_at: When its request left, in this run or an earlier one.
        attempt: The number of its last attempt in the journal.
        is_noted: Whether this run may have written it there.
        problem: Why it cannot be sent, if an earlier run has not done so.
        is_resent: Whether it went out a second time, because the first was certainly not sent.
        is_cut_short: Whether the sending ended before more could be known of it, or the gateway could not be asked.
    """

    index: int
    message: OutgoingMessage
    number: str = attrs.field(default="", repr=False)
    content: Hashable = attrs.field(factory=object, repr=False)
    key: str = attrs.field(default="", repr=False)
    reference: str | None = attrs.field(default=None, repr=False)
    left_at: datetime.datetime | None = None
    attempt: int = 0
    is_noted: bool = False
    problem: InvalidArgumentError | None = attrs.field(default=None, init=False)
    is_resent: bool = attrs.field(default=False, init=False)
    is_cut_short: bool = attrs.field(default=False, init=False)
    _outcome: Outcome = attrs.field(default=Outcome.NOT_SENT, init=False)
    _error: PayamakError | None = attrs.field(default=None, init=False)
    _message_id: int | None = attrs.field(default=None, init=False)

    @property
    def outcome(self) -> Outcome:
        """What is to be said of it if nothing more is learned."""
        return self._outcome

    @property
    def error(self) -> PayamakError | None:
        """Why that is so."""
        return self._error

    @property
    def message_id(self) -> int | None:
        """The gateway's id of it, if it was sent."""
        return self._message_id

    def consult(self) -> None:
        """The journal is being asked for it: until the answer is here, an earlier run may have sent it."""
        self._become(Outcome.UNKNOWN, None, _OPEN)

    def recall(self, entry: JournalEntry | None) -> None:
        """Take in what the journal knows of it."""
        if entry is not None:
            self.attempt = entry.attempt
        if entry is None or entry.message is None or entry.is_open:
            self._become(Outcome.NOT_SENT, None, _UNKNOWN)
            return
        if entry.outcome in _FINAL:
            self._become(entry.outcome, entry.make_error(), _UNKNOWN)
            self._message_id = entry.message_id
        else:
            self._become(Outcome.UNKNOWN, entry.make_error(), _UNKNOWN)
            self.left_at = entry.at
        self.reference = entry.reference

    def leave(self, at: datetime.datetime) -> None:
        """Its request is about to leave. What an earlier try of it met says nothing of this one."""
        self._become(Outcome.UNKNOWN, None, _NOT_SENT)
        self.left_at = at

    def sent(self, message_id: int | None) -> None:
        """The gateway took it."""
        self._become(Outcome.SENT, None, _UNKNOWN)
        self._message_id = message_id

    def fail(self, error: PayamakError) -> None:
        """Its request met an error, or the answer holds one for it."""
        self._become(error.outcome, error, _OPEN)

    def lose(self, error: PayamakError | None = None) -> None:
        """Nobody knows what became of it, because of this error or the one that it has met already."""
        self._become(Outcome.UNKNOWN, error or self._error, _UNKNOWN)

    def hold_back(self, reason: PayamakError | None) -> None:
        """It is not to go out, or did provably not, for this reason."""
        self._become(Outcome.NOT_SENT, reason, _OPEN)

    def send_again(self) -> None:
        """It did provably not go out, so that it can once more."""
        self._become(Outcome.NOT_SENT, None, _UNKNOWN)
        self.is_resent = True

    def _become(self, outcome: Outcome, error: PayamakError | None, allowed: tuple[Outcome, ...]) -> None:
        if self._outcome not in allowed:
            raise RuntimeError(f"a message that is {self._outcome.value} cannot become {outcome.value}")
        self._outcome, self._error = outcome, error


def as_not_sent(error: PayamakError) -> PayamakError:
    """The error as the reason why another message, or this one for certain, was not sent."""
    return _as_reason(error, Outcome.NOT_SENT)


def as_unknown(error: PayamakError) -> PayamakError:
    """The error as the reason why nobody knows of this message, to which it may not even have happened."""
    return _as_reason(error, Outcome.UNKNOWN)


def _as_reason(error: PayamakError, outcome: Outcome) -> PayamakError:
    reason = copy.copy(error)
    reason.outcome, reason.references = outcome, ()
    return reason
