"""The advanced gateway."""

from __future__ import annotations

import decimal
from collections.abc import AsyncIterator, Sequence

from ...advgateway import AdvGatewayClient, Transport
from ...advgateway.many import AdvBulkGateway
from ...common import Outcome, PayamakError
from ..exits import CommandError, ExitCode, SettingsError
from ..settings import Settings
from .base import Gateway, Inbox, Record, read_ids


class AdvGateway(Gateway):
    """Who fetches what came in marks it as read."""

    client: AdvGatewayClient

    async def statuses(self, ids: Sequence[str], check_ids: Sequence[str]) -> AsyncIterator[Record]:
        """Ask by the gateway's ids."""
        self.refuse_check_ids(check_ids)
        for status in await self.client.statuses(read_ids(ids)):
            yield {
                "message_id": status.message_id,
                "state": status.state,
                "status": status.status if status.status is None else int(status.status),
                "final": status.state.is_final,
                "detail": status.text,
            }

    async def received(self, inbox: Inbox) -> AsyncIterator[Record]:
        """What came in on all lines and was not read yet."""
        self.refuse_choice(inbox)
        try:
            messages = await self.client.received()
        except PayamakError as error:
            if error.outcome is not Outcome.UNKNOWN:
                raise
            raise CommandError(
                f"advgateway: {error.args[0]}: what was in the answer may be marked as read now, look into the panel",
                ExitCode.UNKNOWN,
            ) from None
        for message in messages:
            yield {
                "received_at": message.received_at,
                "sender": message.sender,
                "line": message.line,
                "text": message.text,
            }

    async def credit(self) -> decimal.Decimal:
        """In rial."""
        return await self.client.credit()


def make(settings: Settings) -> AdvGateway:
    """Make it from its settings."""
    options = dict(settings.options)
    transport = options.pop("transport", Transport.SOAP.value)
    if transport not in [known.value for known in Transport]:
        raise SettingsError(f"advgateway: transport must be {' or '.join(known.value for known in Transport)}")
    client = AdvGatewayClient(**options, transport=Transport(transport))
    return AdvGateway(settings, client, AdvBulkGateway)
