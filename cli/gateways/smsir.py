"""sms.ir, White SMS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ...common import DeliveryState, Outcome, SendReport
from ...smsir import SmsIrClient
from ...smsir.many import SmsIrBulkGateway
from ..exits import CommandError
from ..settings import Settings
from .base import Gateway, Inbox, Record


class SmsIr(Gateway):
    """It chooses the line itself, has no inbox, and is asked by batch key."""

    chooses_line = True
    needs_line = False
    is_asked_by_reference = True
    client: SmsIrClient

    def find_reference(self, report: SendReport) -> str | None:
        """The batch key. Before there is one, the reference means something to `send_many` alone."""
        return report.reference if report.outcome is Outcome.SENT else None

    async def statuses(self, ids: Sequence[str], check_ids: Sequence[str]) -> AsyncIterator[Record]:
        """Each recipient of each batch. The gateway tells of delivery in words that no document lists."""
        self.refuse_check_ids(check_ids)
        for batch_key in ids:
            found = False
            async for recipient in self.client.messages.iterate_recipients(batch_key):
                found = True
                yield {
                    "message_id": recipient.id,
                    "batch_key": batch_key,
                    "recipient": recipient.mobile,
                    "state": DeliveryState.UNKNOWN,
                    "status": recipient.delivery,
                    "final": False,
                    "sent_at": recipient.sent_at,
                }
            if not found:
                yield {"message_id": None, "batch_key": batch_key, "state": DeliveryState.NOT_FOUND, "final": False}

    async def received(self, inbox: Inbox) -> AsyncIterator[Record]:
        """There is no such thing."""
        raise CommandError("smsir has no inbox: White SMS cannot be answered")
        yield {}

    async def credit(self) -> int:
        """In messages or money: the document does not say."""
        return await self.client.credit()


def make(settings: Settings) -> SmsIr:
    """Make it from its settings."""
    client = SmsIrClient(**settings.options)
    return SmsIr(settings, client, SmsIrBulkGateway)
