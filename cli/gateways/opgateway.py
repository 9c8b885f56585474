"""The op-driven gateway."""

from __future__ import annotations

import decimal
from collections.abc import AsyncIterator, Sequence

from ...opgateway import OpGatewayClient
from ...opgateway.many import OpBulkGateway
from ..settings import Settings
from .base import Gateway, Inbox, Record, read_ids


class OpGateway(Gateway):
    """It is asked by bulk id."""

    client: OpGatewayClient

    async def statuses(self, ids: Sequence[str], check_ids: Sequence[str]) -> AsyncIterator[Record]:
        """Each recipient of each bulk."""
        self.refuse_check_ids(check_ids)
        for bulk_id in read_ids(ids):
            for delivery in await self.client.delivery(bulk_id):
                yield {
                    "message_id": bulk_id,
                    "recipient": delivery.recipient,
                    "state": delivery.state,
                    "status": delivery.status,
                    "final": delivery.state.is_final,
                }

    async def received(self, inbox: Inbox) -> AsyncIterator[Record]:
        """What came in on all lines."""
        self.refuse_choice(inbox)
        for message in await self.client.received():
            yield {
                "received_at": message.received_at,
                "sender": message.sender,
                "line": message.line,
                "text": message.text,
            }

    async def credit(self) -> decimal.Decimal:
        """In rial."""
        return await self.client.credit()


def make(settings: Settings) -> OpGateway:
    """Make it from its settings."""
    client = OpGatewayClient(**settings.options)
    return OpGateway(settings, client, OpBulkGateway)
