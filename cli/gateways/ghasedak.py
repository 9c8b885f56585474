"""Ghasedak."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Sequence

from ...common import DeliveryState, NotFoundError
from ...ghasedak import GhasedakClient
from ...ghasedak.many import GhasedakBulkGateway
from ...ghasedak.models import MessageStatus, ReceivedMessage
from ..exits import CommandError, SettingsError
from ..settings import Settings
from .base import Gateway, Inbox, Record, read_ids


class Ghasedak(Gateway):
    """It has a default line, and can be asked by check id."""

    needs_line = False
    client: GhasedakClient

    async def statuses(self, ids: Sequence[str], check_ids: Sequence[str]) -> AsyncIterator[Record]:
        """Ask by the gateway's ids, and by check ids one at a time: an answer does not say whose status it is."""
        if ids:
            for status in await self.client.statuses(read_ids(ids)):
                yield _to_record(status, None)
        for check_id in check_ids:
            try:
                statuses = await self.client.statuses_by_check_id([check_id])
            except NotFoundError:
                yield {"message_id": None, "check_id": check_id, "state": DeliveryState.NOT_FOUND, "final": False}
                continue
            for status in statuses:
                yield _to_record(status, check_id)

    async def received(self, inbox: Inbox) -> AsyncIterator[Record]:
        """The 100 last of a line, or all between two times."""
        line = inbox.line or self._sender
        if line is None:
            raise SettingsError("ghasedak needs a line to read: give --line, or set PAYAMAK_GHASEDAK_SENDER")
        if inbox.since is None:
            if inbox.until is not None:
                raise CommandError("--until needs --since")
            for message in await self.client.received(line, read=inbox.read):
                yield _to_received(message)
            return
        until = inbox.until or datetime.datetime.now(datetime.UTC)
        async for message in self.client.iterate_received(line, start=inbox.since, end=until, read=inbox.read):
            yield _to_received(message)

    async def credit(self) -> int:
        """In rial."""
        return await self.client.credit()


def make(settings: Settings) -> Ghasedak:
    """Make it from its settings."""
    client = GhasedakClient(**settings.options)
    return Ghasedak(settings, client, GhasedakBulkGateway)


def _to_record(status: MessageStatus, check_id: str | None) -> Record:
    return {
        "message_id": status.message_id,
        "check_id": check_id,
        "recipient": status.recipient,
        "state": status.state,
        "status": int(status.status),
        "final": status.state.is_final,
        "price": status.price,
        "sent_at": status.sent_at,
    }


def _to_received(message: ReceivedMessage) -> Record:
    return {
        "message_id": message.message_id,
        "received_at": message.received_at,
        "sender": message.sender,
        "line": message.line,
        "text": message.text,
    }
