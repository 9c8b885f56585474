"""What `send_many` needs to know of a gateway: what can travel together, and what a lost answer leaves to ask."""

from __future__ import annotations

import abc
from collections.abc import Hashable, Sequence
from typing import Protocol

import attrs

from ..errors import InvalidArgumentError, Outcome, PayamakError
from ..numbers import normalize_recipient
from ..results import OutgoingMessage, SendResult
from .items import Item


class RateLimiter(Protocol):
    """What ``rate_limit`` must be able to do, such as `aiolimiter.AsyncLimiter`."""

    async def acquire(self) -> object:
        """Wait until one more request may leave."""
        ...


@attrs.frozen
class Finding:
    """What the gateway says of one message.

    Attributes:
        outcome: Sent; not sent, if the gateway says itself that it does not have it; refused, if it shows that it did
            not take it; unknown, if it says nothing. Not sent and refused count once the grace period is over, not sent
            after a refusal a second after it.
        message_id: The gateway's id of it, if it was sent and the gateway says so.
        error: Why it was refused, or why nothing can be known of it.
        is_by_content: Whether it was found by its content alone, so that it may be that of another process.
    """

    outcome: Outcome
    message_id: int | None = None
    error: PayamakError | None = None
    is_by_content: bool = False


NO_TRACE = Finding(Outcome.UNKNOWN)
ABSENT = Finding(Outcome.NOT_SENT)


class BulkGateway(abc.ABC):
    """How one gateway takes many messages."""

    limit: int
    """The most messages in one request."""
    rate_limit: RateLimiter | None = None
    """Asked before each request, for those of `find` by the gateway's own part: see `pace`."""
    least_grace = 0.0
    """An absence proves nothing before so many seconds, however short the grace period is."""
    finds_by_content = False
    """Whether it takes what the gateway has of the same content for the message. What an earlier run left open is then
    looked for last, when all is known of what that run has sent."""

    @staticmethod
    @abc.abstractmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse a text, a line or a time that cannot be sent."""

    @staticmethod
    def check_number(message: OutgoingMessage, argument: str) -> str:
        """Refuse a recipient that cannot be sent to, and return the number as it travels."""
        return normalize_recipient(message.to, f"{argument}.to")

    def travels_alone(self, item: Item) -> bool:
        """Whether a message is only refused, and not passed over in silence, if it has a request of its own."""
        return False

    def pair_key(self, message: OutgoingMessage) -> Hashable | None:
        """What messages of different texts must share to travel together; ``None`` if this one cannot."""
        return None

    async def pace(self) -> None:
        """Wait until one more request may leave."""
        if self.rate_limit is not None:
            await self.rate_limit.acquire()

    async def start(self) -> None:  # noqa: B027 -- most have nothing to do
        """Do what must be done once, before the first request."""

    def recall(self, item: Item) -> None:  # noqa: B027 -- most learn nothing of it
        """Take in what an earlier run sent."""

    def set_apart(self, reference: str) -> None:  # noqa: B027 -- most have nothing to tell apart
        """Take nothing with this reference for a lost message: an earlier run has sent it, perhaps of another input."""

    def mark(self, item: Item) -> None:  # noqa: B027 -- most have nothing to ask by
        """Give a message the reference by which it can be asked for, before its request leaves."""

    @abc.abstractmethod
    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send messages in one request: of one text and line, or of one `pair_key`; no number is there twice."""

    def can_show(self, items: Sequence[Item]) -> bool:
        """Whether the gateway is to be asked what it took of a request before its refusal is believed."""
        return False

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> Sequence[Finding] | None:
        """Ask the gateway for messages whose outcome is unknown, with `pace` before each request.

        Args:
            items: Of one request, or left behind by an earlier run.
            error: What came instead of an answer, or the refusal that is not believed yet; ``None`` after an earlier
                run.

        Returns:
            What it says of each message; ``None`` in place of the list if there is no way to ask.
        """
        return None


def have_one_text(items: Sequence[Item]) -> bool:
    """Whether messages can travel as one text to many."""
    return len({item.content for item in items}) == 1


def text_key(message: OutgoingMessage) -> Hashable:
    """What messages share that travel as one text to many."""
    return message.text, message.sender, message.send_at


def refuse_time(message: OutgoingMessage, argument: str) -> None:
    """For a gateway that sends only at once."""
    if message.send_at is not None:
        raise InvalidArgumentError(f"{argument}.send_at is unknown to this gateway", argument=f"{argument}.send_at")
