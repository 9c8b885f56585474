"""How sms.ir carries many messages: by number, with the list of what was sent as the trace of a lost answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..common import checks
from ..common.carrier import Carrier, Item, refuse_time
from ..common.errors import InvalidArgumentError, PayamakError, ReplyError
from ..common.numbers import normalize_recipient
from ..common.results import OutgoingMessage, SendResult
from .messages import SentMessage

if TYPE_CHECKING:
    from .client import SmsIrClient

_MARK = "after "


class SmsIrCarrier(Carrier):
    """Sends with ``messages.send_to_numbers``. Before its request leaves, a message is marked with the newest send that
    the gateway's list has, so that a lost one can be looked for among those that came after.
    """

    limit = 100

    def __init__(self, client: SmsIrClient) -> None:
        self._client = client
        self._newest: int | None = None
        self._answered: set[str | None] = set()
        self._log = logging.getLogger(f"payamak.{client.gateway}")

    def check(self, message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        checks.require_text(message.text, f"{argument}.text")
        if message.sender is not None:
            raise InvalidArgumentError(
                f"{argument}.sender: this gateway chooses the line itself", argument=f"{argument}.sender"
            )
        refuse_time(message, argument)

    async def start(self) -> None:
        """Learn which send is the newest."""
        try:
            self._newest = max((sent.id for sent in await self._client.messages.sent_page()), default=0)
        except PayamakError as error:
            self._log.warning(
                "send_many: the list of what was sent cannot be read (%s), so unknown outcomes will stay unknown",
                type(error).__name__,
            )

    def mark(self, item: Item) -> None:
        """Remember after which send the message left."""
        if self._newest is not None:
            item.reference = f"{_MARK}{self._newest}"

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        batch = await self._client.messages.send_to_numbers([item.number for item in items], items[0].message.text)
        self._answered.add(batch.batch_key)
        ids = {_clean(recipient.mobile): recipient.id for recipient in batch.recipients}
        return [self._take(item, ids, batch.batch_key) for item in items]

    def _take(self, item: Item, ids: Mapping[str | None, int | None], batch_key: str | None) -> SendResult:
        message_id = ids.get(item.number)
        if message_id is None:
            return SendResult(item.number, error=ReplyError("the answer has no id for this number", field="Ids"))
        item.reference = batch_key
        return SendResult(item.number, message_id)

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> list[int | None] | None:
        """Look through what was sent since, for sends of the same text that no answer has named."""
        marks = [item.reference or "" for item in items]
        if not all(mark.startswith(_MARK) for mark in marks):
            return None
        oldest = min(int(mark.removeprefix(_MARK)) for mark in marks)
        texts = {item.message.text for item in items}
        found: dict[tuple[str | None, str | None], tuple[int, str | None]] = {}
        for sent in await self._list_sent_after(oldest):
            if sent.text in texts and sent.batch_key and sent.batch_key not in self._answered:
                async for recipient in self._client.messages.iterate_recipients(sent.batch_key):
                    found[sent.text, _clean(recipient.mobile)] = recipient.id, sent.batch_key
        ids: list[int | None] = []
        for item in items:
            message_id, batch_key = found.get((item.message.text, item.number), (None, item.reference))
            item.reference = batch_key
            ids.append(message_id)
        return ids

    async def _list_sent_after(self, last_id: int) -> list[SentMessage]:
        found: list[SentMessage] = []
        async for entry in self._client.messages.iterate_sent():
            if entry.id <= last_id:
                break
            found.append(entry)
        return found


def _clean(mobile: str | None) -> str | None:
    try:
        return normalize_recipient(mobile, "mobile")
    except InvalidArgumentError:
        return None
