"""How sms.ir carries many messages: by number, with the list of what was sent as the trace of a lost answer."""

from __future__ import annotations

import datetime
import logging
import weakref
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence, Set

from ..common import checks
from ..common.errors import (
    InvalidArgumentError,
    InvalidRecipientError,
    Outcome,
    PayamakError,
)
from ..common.many import NO_TRACE, BulkGateway, Finding, Item, refuse_time
from ..common.numbers import normalize_recipient
from ..common.paging import WalkLimit, iterate_from_last_id, iterate_pages
from ..common.results import OutgoingMessage, SendResult
from .messages import Messages, RecipientStatus, SentMessage

_MARK = "after "
_SENDS_BETWEEN_LOOKS = 50
"""So often it is looked up which send is the newest, so that a search need not go back to the beginning."""
_MOST_TAKEN = 10_000
_MOST_PAGES, _LONGEST_SEARCH = 1000, 60.0
"""So many pages, or so many seconds, does a search take for each full request that was lost."""
_CLOCK_SLACK = datetime.timedelta(seconds=5)
"""So much may the gateway's clock differ from ours. With more, sends of others could be taken for a lost one."""


class Claims:
    """Which sends of an account belong to a request. All sendings of a client share it.

    Attributes:
        taken: Batch keys of sends whose answer named them; the last so many.
        in_flight: Text and numbers of each request that may still be answered.
        lost: Messages that are looked for, by text and number: what the list shows may be any of them.
        given: Of batches in which messages were found, the numbers for which one was.
    """

    def __init__(self) -> None:
        self.taken: dict[str | None, None] = {}
        self.in_flight: list[tuple[str, frozenset[str]]] = []
        self.lost: dict[tuple[str, str], weakref.WeakSet[Item]] = {}
        self.given: dict[str, set[str]] = {}

    def take(self, batch_key: str | None) -> None:
        """A send belongs to one request only."""
        self.taken[batch_key] = None
        if len(self.taken) > _MOST_TAKEN:
            del self.taken[next(iter(self.taken))]

    def is_free(self, batch_key: str, text: str, numbers: Collection[str]) -> bool:
        """Whether a send belongs to no request that was answered, or whose answer may still come."""
        return batch_key not in self.taken and not any(
            text == sent and to.issuperset(numbers) for sent, to in self.in_flight
        )

    def look_for(self, items: Iterable[Item]) -> None:
        """Take in that messages are looked for, and forget those that no longer are, with their texts and numbers."""
        self.lost = {content: seekers for content, seekers in self.lost.items() if seekers}
        for item in items:
            self.lost.setdefault((item.message.text, item.number), weakref.WeakSet()).add(item)

    def give(self, batch_key: str, item: Item) -> None:
        """A message was found."""
        self.given.setdefault(batch_key, set()).add(item.number)
        self.lost[item.message.text, item.number].discard(item)
        if len(self.given) > _MOST_TAKEN:
            del self.given[next(iter(self.given))]


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
        self._named: weakref.WeakKeyDictionary[Item, Set[str]] = weakref.WeakKeyDictionary()
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
        try:
            await self.pace()
            self._newest = max((sent.id for sent in await self._messages.sent_page()), default=0)
        except Exception as error:  # A hook's, too: no message is lost by it.
            self._log.warning(
                "send_many: the list of what was sent cannot be read (%s), so an unknown outcome may stay unknown",
                type(error).__name__,
            )

    def set_apart(self, reference: str) -> None:
        """What an earlier run sent is no trace of a lost message."""
        self._claims.take(reference)

    def mark(self, item: Item) -> None:
        """Remember after which send the message left."""
        if self._newest is not None:
            item.reference = f"{_MARK}{self._newest}"

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        numbers, text = [item.number for item in items], items[0].message.text
        flight = text, frozenset(numbers)
        self._sends += 1
        if self._newest is None or self._sends % _SENDS_BETWEEN_LOOKS == 0:
            await self.start()
        self._claims.in_flight.append(flight)
        try:
            batch = await self._messages.send_to_numbers(numbers, text, continue_on_error=True)
        finally:
            self._claims.in_flight.remove(flight)
        ids = {
            number: recipient.id
            for recipient in batch.recipients
            if (number := clean_number(recipient.mobile)) is not None and recipient.id is not None
        }
        return [self._take(item, ids, batch.batch_key) for item in items]

    def _take(self, item: Item, ids: Mapping[str, int], batch_key: str | None) -> SendResult:
        item.reference = batch_key
        message_id = ids.get(item.number)
        if message_id is None:
            self._named[item] = ids.keys()
            problem = "the answer has no id for this number"
            return SendResult(item.number, error=InvalidRecipientError(problem, outcome=Outcome.UNKNOWN))
        return SendResult(item.number, message_id)

    def can_show(self, items: Sequence[Item]) -> bool:
        """Failures of this gateway are known to have come after a message was sent."""
        return True

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> Sequence[Finding] | None:
        """Look into the batch of those whose answer named it, and for the others through what was sent since."""
        if not all(item.reference for item in items):
            return None
        lost = [item for item in items if _last_before(item) is not None]
        batches: dict[str, list[Item]] = {}
        for item in items:
            if item.reference is not None and _last_before(item) is None:
                batches.setdefault(item.reference, []).append(item)
        # For all of it, or an endless list would be walked through until long after the grace period.
        share = max(1.0, len(items) / self.limit)
        limit = WalkLimit(pages=int(_MOST_PAGES * share), seconds=_LONGEST_SEARCH * share, pace=self.pace)
        found = await self._find_by_content(lost, limit) if lost else {}
        for batch_key, answered in batches.items():
            shown = await self._list_recipients(batch_key, limit)
            found.update({item: self._look_up(item, shown) for item in answered})
        return [found.get(item, NO_TRACE) for item in items]

    def _look_up(self, item: Item, shown: Mapping[str, int]) -> Finding:
        """Look for a message in the list of its batch, of which the answer did not name it."""
        if item.number in shown:
            return Finding(Outcome.SENT, shown[item.number])
        named = self._named.get(item)
        # A list that lacks whom the answer has named, or if that is not known any more shows nobody, says nothing.
        if not shown if named is None else not shown.keys() >= named:
            return NO_TRACE
        # Of a request that was taken, the vendor lists the numbers that it took.
        problem = "the gateway did not take this number: neither its answer nor its list of the batch has it"
        return Finding(Outcome.REFUSED, error=InvalidRecipientError(problem))

    async def _find_by_content(self, items: Sequence[Item], limit: WalkLimit) -> dict[Item, Finding]:
        """Find messages in sends of the same text that belong to no other request."""
        self._claims.look_for(items)
        since = min(_last_before(item) or 0 for item in items)
        earliest = min((item.left_at for item in items if item.left_at), default=None)
        texts = {item.message.text for item in items}
        # What can be told apart neither by its place nor by its time is nobody's, so all are looked at first.
        open_entries: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for sent in await self._list_sent_after(since, limit):
            if (
                sent.text is None
                or sent.text not in texts
                or not sent.batch_key
                or sent.batch_key in self._claims.taken
            ):
                continue
            if sent.sent_at is not None and earliest is not None and sent.sent_at < earliest - _CLOCK_SLACK:
                continue
            shown = await self._list_recipients(sent.batch_key, limit)
            if self._claims.is_free(sent.batch_key, sent.text, shown):
                for number in shown.keys() - self._claims.given.get(sent.batch_key, set()):
                    open_entries.setdefault((sent.text, number), []).append((sent.batch_key, shown[number]))
        found: dict[Item, Finding] = {}
        for item in items:
            content = item.message.text, item.number
            entries = open_entries.get(content, [])
            if entries and len(entries) <= len(self._claims.lost[content]):
                item.reference, message_id = entries.pop()
                self._claims.give(item.reference, item)
                found[item] = Finding(Outcome.SENT, message_id, is_by_content=True)
        return found

    async def _list_recipients(self, batch_key: str, limit: WalkLimit) -> dict[str, int]:
        def fetch(last_id: int) -> Awaitable[list[RecipientStatus]]:
            return self._messages.recipients(batch_key, last_id)

        entries = iterate_from_last_id(fetch, lambda status: status.id, limit=limit)
        return {number: entry.id async for entry in entries if (number := clean_number(entry.mobile)) is not None}

    async def _list_sent_after(self, last_id: int, limit: WalkLimit) -> list[SentMessage]:
        found: list[SentMessage] = []
        async for entry in iterate_pages(self._messages.sent_page, lambda sent: sent.id, limit=limit):
            if entry.id <= last_id:
                break
            found.append(entry)
        return found


def _last_before(item: Item) -> int | None:
    """The newest send before a message left, if its answer has not named a batch."""
    mark = item.reference or ""
    return int(mark.removeprefix(_MARK)) if mark.startswith(_MARK) else None


def clean_number(mobile: str | None) -> str | None:
    """Return a number of an answer as those of a request are written, or None if it is none."""
    try:
        return normalize_recipient(mobile, "mobile")
    except InvalidArgumentError:
        return None
