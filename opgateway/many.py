"""How the op-driven gateway carries many messages: one text to many, under one bulk id."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Protocol

from ..common import checks
from ..common.errors import InvalidArgumentError, NotFoundError, Outcome, PayamakError
from ..common.many import NO_TRACE, BulkGateway, Finding, Item
from ..common.numbers import normalize_line, normalize_recipient
from ..common.results import OutgoingMessage, SendResult
from .models import RecipientDelivery


class Client(Protocol):
    """What this needs of the client."""

    async def send_to_many(
        self, recipients: Iterable[str], text: str, *, sender: str, send_at: datetime.datetime | None
    ) -> int:
        """Send one text to many numbers, and return the bulk id."""
        ...

    async def delivery(self, bulk_id: int) -> list[RecipientDelivery]:
        """Ask who is in a bulk."""
        ...


class OpBulkGateway(BulkGateway):
    """Sends with ``send_to_many``. Only a bulk id leads to what was sent."""

    limit = 100

    def __init__(self, client: Client) -> None:
        self._client = client

    @staticmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        checks.require_text(message.text, f"{argument}.text")
        normalize_line(message.sender, f"{argument}.sender")
        if message.send_at is not None:
            checks.require_send_time(message.send_at, f"{argument}.send_at")

    def travels_alone(self, item: Item) -> bool:
        """The panels seem to pass over numbers that are no Iranian mobiles, and refuse them if there are no others."""
        return not item.number.startswith("09")

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        first = items[0].message
        send_at = first.send_at
        if send_at is not None and send_at < datetime.datetime.now(datetime.UTC):
            send_at = None  # Its time has come while it waited for its turn, and panels refuse one that is past.
        bulk_id = await self._client.send_to_many(
            [item.number for item in items], first.text, sender=first.sender or "", send_at=send_at
        )
        return [SendResult(item.number, bulk_id) for item in items]

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> Sequence[Finding] | None:
        """Ask who is in the bulk, if an answer that could not be understood held its id."""
        if not all(item.reference for item in items):
            return None
        found: dict[str | None, set[str | None]] = {}
        for bulk_id in {item.reference for item in items}:
            await self.pace()
            try:
                deliveries = await self._client.delivery(int(bulk_id or 0))
            except NotFoundError:
                continue
            found[bulk_id] = {_clean(delivery.recipient) for delivery in deliveries}
        return [
            Finding(Outcome.SENT, int(item.reference or 0))
            if item.number in found.get(item.reference, ())
            else NO_TRACE
            for item in items
        ]


def _clean(recipient: str) -> str | None:
    try:
        return normalize_recipient(recipient, "recipient")
    except InvalidArgumentError:
        return None
