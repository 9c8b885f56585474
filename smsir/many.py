"""How sms.ir carries many messages: by number, with the list of what was sent as the trace of a lost answer."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from ..common import checks
from ..common.errors import InvalidArgumentError, PayamakError, ReplyError
from ..common.many import BulkGateway, Item, refuse_time
from ..common.numbers import normalize_recipient
from ..common.paging import iterate_from_last_id, iterate_pages
from ..common.results import OutgoingMessage, SendResult
from .messages import Messages, RecipientStatus, SentMessage

_MARK = "after "
_SENDS_BETWEEN_LOOKS = 50
"""So often it is looked up which send is the newest, so that a search need not go back to the beginning."""
_MOST_TAKEN = 10_000


class Claims:
    """Which sends of an account belong to a request. All sendings of a client share it.

    Attributes:
        taken: Batch keys of sends whose answer named them, or that were found for a request; the last so many.
        in_flight: Text and numbers of each request that may still be answered.
    """

    def __init__(self) -> None:
        self.taken: dict[str | None, None] = {}
        self.in_flight: list[tuple[str, frozenset[str]]] = []

    def take(self, batch_key: str | None) -> None:
        """A send belongs to one request only."""
        self.taken[batch_key] = None
        if len(self.taken) > _MOST_TAKEN:
            del self.taken[next(iter(self.taken))]


class SmsIrBulkGateway(BulkGateway):
    """Sends with ``messages.send_to_numbers``. Before its request leaves, a message is marked with the newest send that
    the gateway's list has, so that a lost one can be looked for among those that came after.
    """

    limit = 100
    finds_by_content = True

    def __init__(self, messages: Messages, claims: Claims) -> None:
        self._messages = messages
        self._claims = claims
        self._newest: int | None = None
        self._sends = 0
        self._log = logging.getLogger("payamak.smsir")

    @staticmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        checks.require_text(message.text, f"{argument}.text")
        if message.sender is not None:
            raise InvalidArgumentError(
                f"{argument}.sender: this gateway chooses the line itself", argument=f"{argument}.sender"
            )
        refuse_time(message, argument)

    async def start(self) -> None:
        """Learn which send is the newest. What leaves from now on is newer."""
        await self.pace()
        try:
            self._newest = max((sent.id for sent in await self._messages.sent_page()), default=0)
        except PayamakError as error:
            self._log.warning(
                "send_many: the list of what was sent cannot be read (%s), so an unknown outcome may stay unknown",
                type(error).__name__,
            )

    def recall(self, item: Item) -> None:
        """What an earlier run sent is no trace of a lost message."""
        self._claims.take(item.reference)

    def mark(self, item: Item) -> None:
        """Remember after which send the message left."""
        if self._newest is not None:
            item.reference = f"{_MARK}{self._newest}"

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        numbers, text = [item.number for item in items], items[0].message.text
        flight = text, frozenset(numbers)
        self._sends += 1
        if self._sends % _SENDS_BETWEEN_LOOKS == 0:
            await self.start()
        self._claims.in_flight.append(flight)
        try:
            batch = await self._messages.send_to_numbers(numbers, text)
        finally:
            self._claims.in_flight.remove(flight)
        ids = {_clean(recipient.mobile): recipient.id for recipient in batch.recipients}
        results = [self._take(item, ids, batch.batch_key) for item in items]
        if all(result.ok for result in results):
            self._claims.take(batch.batch_key)
        return results

    def _take(self, item: Item, ids: Mapping[str | None, int | None], batch_key: str | None) -> SendResult:
        message_id = ids.get(item.number)
        if message_id is None:
            return SendResult(item.number, error=ReplyError("the answer has no id for this number", field="Ids"))
        item.reference = batch_key
        return SendResult(item.number, message_id)

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> list[int | None] | None:
        """Look through what was sent since, for sends of the same text that belong to no other request."""
        marks = [item.reference or "" for item in items]
        if not all(mark.startswith(_MARK) for mark in marks):
            return None
        places: dict[tuple[str, str], list[int]] = {}
        for place, item in enumerate(items):
            places.setdefault((item.message.text, item.number), []).append(place)
        texts = {item.message.text for item in items}
        ids: list[int | None] = [None] * len(items)
        for sent in await self._list_sent_after(min(int(mark.removeprefix(_MARK)) for mark in marks)):
            if sent.text not in texts or not sent.batch_key or sent.batch_key in self._claims.taken:
                continue
            found = await self._list_recipients(sent.batch_key)
            wanted = {number: open_places for number in found if (open_places := places.get((sent.text, number)))}
            if wanted and self._is_left_over(sent, found):
                self._claims.take(sent.batch_key)
                for number, open_places in wanted.items():
                    place = open_places.pop()
                    ids[place], items[place].reference = found[number], sent.batch_key
        return ids

    async def _list_recipients(self, batch_key: str) -> dict[str, int]:
        async def fetch(last_id: int) -> list[RecipientStatus]:
            await self.pace()
            return await self._messages.recipients(batch_key, last_id)

        entries = iterate_from_last_id(fetch, lambda status: status.id)
        return {number: entry.id async for entry in entries if (number := _clean(entry.mobile)) is not None}

    def _is_left_over(self, sent: SentMessage, numbers: Collection[str]) -> bool:
        """Whether a send belongs to no other request, also none whose answer is still to come."""
        return sent.batch_key not in self._claims.taken and not any(
            text == sent.text and to.issuperset(numbers) for text, to in self._claims.in_flight
        )

    async def _list_sent_after(self, last_id: int) -> list[SentMessage]:
        async def fetch(page: int) -> list[SentMessage]:
            await self.pace()
            return await self._messages.sent_page(page)

        found: list[SentMessage] = []
        async for entry in iterate_pages(fetch, lambda sent: sent.id):
            if entry.id <= last_id:
                break
            found.append(entry)
        return found


def _clean(mobile: str | None) -> str | None:
    try:
        return normalize_recipient(mobile, "mobile")
    except InvalidArgumentError:
        return None
