"""How the advanced gateway carries many messages: 60 in a request, with nothing to ask by until their ids are here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Protocol

import attrs

from ..common import checks
from ..common.errors import Outcome, PayamakError
from ..common.many import NO_TRACE, BulkGateway, Finding, Item, refuse_time
from ..common.numbers import normalize_line
from ..common.results import OutgoingMessage, SendResult
from . import wire
from .models import DeliveryCode, MessageStatus
from .text import require_xml_text


class Client(Protocol):
    """What this needs of the client."""

    async def send_pairs(self, messages: Iterable[OutgoingMessage]) -> list[SendResult]:
        """Send messages, each with its own text."""
        ...

    async def statuses(self, message_ids: Iterable[int]) -> list[MessageStatus]:
        """Ask what became of messages."""
        ...


class AdvBulkGateway(BulkGateway):
    """Sends with ``send_pairs``, also where texts are the same: it answers for each recipient."""

    limit = wire.MAX_NUMBERS

    def __init__(self, client: Client) -> None:
        self._client = client

    @staticmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        require_xml_text(checks.require_text(message.text, f"{argument}.text"), f"{argument}.text")
        normalize_line(message.sender, f"{argument}.sender")
        refuse_time(message, argument)

    def pair_key(self, message: OutgoingMessage) -> Hashable | None:
        """A request has one line."""
        return normalize_line(message.sender, "sender")

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        # The check id is the caller's and the journal's; the gateway knows none.
        return await self._client.send_pairs([attrs.evolve(item.message, check_id=None) for item in items])

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> Sequence[Finding] | None:
        """Ask for the ids of an answer that could not be understood, if it has one for each message."""
        if not all(item.reference for item in items):
            return None
        await self.pace()
        statuses = await self._client.statuses(int(item.reference or "") for item in items)
        return [
            Finding(Outcome.SENT, status.message_id) if isinstance(status.status, DeliveryCode) else NO_TRACE
            for status in statuses
        ]
