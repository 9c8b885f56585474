"""What the gateways have accepted: outgoing messages, and the inbox of incoming ones.

A message carries the whole course of its life from the start, as `Step`s. Its state is worked out from the clock
whenever somebody looks, so no background task moves messages and moving the clock is all a test needs.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import define, field, frozen

from .clock import Clock

log = logging.getLogger("payamak.emulator")

STATES = ("scheduled", "queued", "sent", "delivered", "failed", "blocked", "cancelled")


@frozen
class Step:
    """From `after` seconds past the start a message has this gateway-neutral state and the vendor's own status, a
    number or a word."""

    after: float
    state: str
    status: int | str


@define(kw_only=True, eq=False)
class Message:
    """One message to one recipient, as a gateway accepted it."""

    id: int
    gateway: str
    operation: str
    line: str
    recipient: str
    text: str
    kind: str
    parts: int
    encoding: str | None
    price: int
    created_at: datetime
    steps: tuple[Step, ...]
    scheduled_status: int | str
    cancelled_status: int | str
    send_at: datetime | None = None
    check_id: str | None = None
    template: str | None = None
    params: tuple[str, ...] = ()
    cancelled_at: datetime | None = None
    place: int = 0
    """Of all messages, the how manyth it is, from 0 on; the ledger gives it."""
    _clock: Clock = field(alias="clock", repr=False)

    @property
    def is_scheduled(self) -> bool:
        """Whether the message still waits for its time."""
        return self.cancelled_at is None and self._starts_at > self._clock.now()

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.cancelled_at is not None:
            return "cancelled"
        return "scheduled" if self.is_scheduled else self._step.state

    @property
    def status(self) -> int | str:
        """The vendor's status at this moment."""
        if self.cancelled_at is not None:
            return self.cancelled_status
        return self.scheduled_status if self.is_scheduled else self._step.status

    @property
    def is_settled(self) -> bool:
        """Whether the state stays as it is, unless the clock is set back."""
        return self.cancelled_at is not None or (not self.is_scheduled and self._step is self.steps[-1])

    def cancel(self) -> None:
        """Take a scheduled message back. Giving the money back is the gateway's business."""
        self.cancelled_at = self._clock.now()

    @property
    def _starts_at(self) -> datetime:
        return self.created_at if self.send_at is None else max(self.send_at, self.created_at)

    @property
    def _step(self) -> Step:
        elapsed = self._clock.now() - self._starts_at
        reached = [step for step in self.steps if timedelta(seconds=step.after) <= elapsed]
        # A clock that was set back may stand before the first step; the message is then where it began.
        return reached[-1] if reached else self.steps[0]

    def to_dict(self) -> dict[str, object]:
        """What the control interface shows."""
        return {
            "id": self.id,
            "gateway": self.gateway,
            "operation": self.operation,
            "line": self.line,
            "recipient": self.recipient,
            "text": self.text,
            "kind": self.kind,
            "parts": self.parts,
            "encoding": self.encoding,
            "price": self.price,
            "state": self.state,
            "status": self.status,
            "check_id": self.check_id,
            "template": self.template,
            "params": list(self.params),
            "send_at": self.send_at.isoformat() if self.send_at else None,
            "created_at": self.created_at.isoformat(),
        }


class Ledger:
    """The messages that any gateway accepted, in order.

    Args:
        limit: how many are kept; the oldest are dropped. None keeps all.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.epoch = _new_epoch()
        self._limit = limit
        self._dropped = 0
        # By place: what is dropped at the front moves nothing behind it.
        self._messages: dict[int, Message] = {}
        self._by_id: dict[tuple[str, int], Message] = {}
        self._by_check_id: dict[tuple[str, str], deque[Message]] = {}
        self._has_warned = False

    @property
    def taken(self) -> int:
        """How many messages were accepted, those that were dropped too."""
        return self._dropped + len(self._messages)

    @property
    def dropped(self) -> int:
        """How many were dropped, which is also the place of the first that is kept."""
        return self._dropped

    def add(self, message: Message) -> None:
        """Enter an accepted message."""
        message.place = self.taken
        self._messages[message.place] = message
        self._by_id[message.gateway, message.id] = message
        if message.check_id is not None:
            self._by_check_id.setdefault((message.gateway, message.check_id), deque()).append(message)
        if self._limit is not None and len(self._messages) > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        message = self._messages.pop(self._dropped)
        self._dropped += 1
        del self._by_id[message.gateway, message.id]
        if message.check_id is not None:
            tagged = self._by_check_id[message.gateway, message.check_id]
            tagged.popleft()
            if not tagged:
                del self._by_check_id[message.gateway, message.check_id]
        if not self._has_warned:
            self._has_warned = True
            log.warning("more than %d messages were sent: from now on the emulator drops the oldest", self._limit)

    def keeps(self, message: Message) -> bool:
        """Whether a message that was entered has not been dropped."""
        return message.place >= self._dropped

    def find(self, gateway: str, message_id: int) -> Message | None:
        """The message a gateway gave this id to."""
        return self._by_id.get((gateway, message_id))

    def find_by_check_id(self, gateway: str, check_id: str) -> Sequence[Message]:
        """All messages sent with this tag of the caller's, oldest first."""
        return list(self._by_check_id.get((gateway, check_id), ()))

    def messages(self, gateway: str | None = None, recipient: str | None = None) -> list[Message]:
        """Messages oldest first, filtered if asked."""
        return [
            message
            for message in self._messages.values()
            if gateway in (None, message.gateway) and recipient in (None, message.recipient)
        ]

    def between(self, start: int, stop: int) -> list[Message]:
        """Of the messages from one place until before another, those that are kept, oldest first."""
        return [self._messages[place] for place in range(max(start, self._dropped), min(stop, self.taken))]

    def clear(self) -> None:
        """Forget everything; `epoch` tells whoever counted messages to start over."""
        self.epoch = _new_epoch()
        self._dropped = 0
        self._messages.clear()
        self._by_id.clear()
        self._by_check_id.clear()


def _new_epoch() -> str:
    # Not a counter: an emulator that was started anew is told apart from the one before it.
    return secrets.token_hex(4)


@define(kw_only=True, eq=False)
class InboxMessage:
    """A message that somebody sent to one of the account's lines."""

    id: int
    gateway: str
    sender: str
    line: str
    text: str
    received_at: datetime
    read: bool = False

    def to_dict(self) -> dict[str, object]:
        """What the control interface shows."""
        return {
            "id": self.id,
            "gateway": self.gateway,
            "sender": self.sender,
            "line": self.line,
            "text": self.text,
            "received_at": self.received_at.isoformat(),
            "read": self.read,
        }
