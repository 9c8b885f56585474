"""What `send_many` writes down, so that a killed process loses nothing."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs

from .. import errors
from ..errors import ConnectionLostError, GatewayError, Outcome, PayamakError
from ..results import OutgoingMessage, may_pass


@attrs.frozen
class JournalEntry:
    """What is known of one message.

    ::

        event        from                                   to
        ───────────  ─────────────────────────────────────  ──────────────────────────────────────────────
        begin()      nothing, or anything but sent          in flight, as the next attempt, with a lease
        take_over()  in flight or unknown, no lease runs    the same, as the next attempt, with a lease
        settle()     in flight or unknown, of this attempt  sent, refused, not sent or unknown, without a lease

    What was *sent* stays so. An event that comes from another state, or with the number of an attempt that is not the
    last, comes too late: another run has gone on with the message. While a lease runs, a run is at it, and the others
    wait; when it is over, that run may send no more, and another one may ask the gateway.

    Attributes:
        key: What the message is known by: its ``check_id`` if you gave one, else its content.
        index: Its place in the input of the run that wrote this last.
        gateway: The gateway's package name.
        recipient: The number as it travels.
        message: The message. From `Journal.read`, ``None`` if another message is known by the check id.
        account: The account that it was begun with. From `Journal.read`, empty if that is another than was asked for.
        outcome: ``None`` while its request is on its way.
        attempt: How often it was begun or taken over.
        reference: By what the gateway can be asked for it.
        message_id: The gateway's id of it.
        reason: The name of the error's class, if it was not sent.
        detail: The error's message. It holds no number and no text.
        at: When this was written, or rather handed over for writing; of an unknown outcome, when the request left.
        lease: For how many seconds from now a run may be at it, by the journal's own clock; 0 if none is.
    """

    key: str = attrs.field(repr=False)
    index: int
    gateway: str
    recipient: str = attrs.field(repr=False)
    message: OutgoingMessage | None = attrs.field(repr=False)
    account: str = attrs.field(default="", repr=False)
    outcome: Outcome | None = None
    attempt: int = 0
    reference: str | None = attrs.field(default=None, repr=False)
    message_id: int | None = None
    reason: str | None = None
    detail: str | None = None
    at: datetime.datetime = attrs.field(factory=lambda: datetime.datetime.now(datetime.UTC))
    lease: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether somebody has got it, or may have."""
        return self.outcome in (None, Outcome.SENT, Outcome.UNKNOWN)

    @property
    def is_leased(self) -> bool:
        """Whether a run is at it."""
        return self.outcome in (None, Outcome.UNKNOWN) and self.lease > 0

    @property
    def is_open(self) -> bool:
        """Whether the message may go out: it was not sent, or was refused for a reason that may have passed."""
        if self.outcome is Outcome.REFUSED:
            return may_pass(self._error_class)
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

    Several runs can share one, in one process or in many, also over the same messages: each message goes out from one
    of them, and the others wait for what becomes of it.

    When it fails it raises `JournalError`: nothing is sent that it has not written down. What is written must survive a
    power cut when a method returns. `JournalEntry` has the table of what may become of an entry.
    """

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        """Find what is known of messages.

        Args:
            wanted: The messages by their keys, with numbers as they travel.
            account: The account of this run.

        Returns:
            An entry for each key that is known. Its ``message`` is ``None`` if it was written for another message, its
            ``account`` empty if it was written for another account.

        Raises:
            JournalError: It cannot be read, or is of another account.
        """
        ...

    async def list_references(self) -> Collection[str]:
        """List the references of all that was sent, also of what is not among the messages of this run any more.

        Only gateways are asked for it at which a lost message is looked for among all that the account has sent, and
        several messages share a reference there.
        """
        ...

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Write that the request of these messages is about to leave. It must not, where the answer says nothing.

        Args:
            entries: With the number of the last attempt that is known, 0 for none.
            lease: For how many seconds from now this run may be at it.

        Returns:
            The number of each new attempt, one more than the last; ``None`` where another run has gone on with it. If
            it is written twice because the first answer was lost, the second one says the same.
        """
        ...

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Write what became of messages, each with the number of its attempt.

        Returns:
            Of each whether it counts. It does not where another run has gone on with the message.
        """
        ...

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        """Take ids that the gateway has shown for messages whose content is all that they are known by.

        Only gateways are concerned at which a lost message is looked for among all that the account has sent.

        Args:
            entries: Each with the number of its attempt, which is in flight or unknown, and the ``message_id`` for it.

        Returns:
            Of each whether it is its own. It is not if another entry has the id, or if another run has the same text to
            the same number in flight, or has lost it: then nobody can tell whose it is.
        """
        ...

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        """Take messages that another run left behind, to ask for them: no lease of theirs may run. As `begin`."""
        ...
