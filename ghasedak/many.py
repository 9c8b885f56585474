"""How Ghasedak carries many messages: 100 in a request, each with a check id, by which a lost one is found."""

from __future__ import annotations

import datetime
import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence, Set
from typing import Protocol, TypeAlias

import attrs

from ..common import checks
from ..common.errors import InvalidArgumentError, Outcome, PayamakError, ReplyError
from ..common.many import ABSENT, NO_TRACE, BulkGateway, Finding, Item, have_one_text
from ..common.numbers import normalize_iranian, normalize_line, normalize_recipient
from ..common.results import DeliveryState, OutgoingMessage, SendResult
from . import wire
from .models import MessageStatus

SendChecked: TypeAlias = Callable[[Sequence[str], OutgoingMessage, Sequence[str]], Awaitable[list[SendResult]]]
"""Sends one text to numbers as they travel, each with its check id."""


class Client(Protocol):
    """What this needs of the client."""

    async def send_pairs(self, messages: Iterable[OutgoingMessage]) -> list[SendResult]:
        """Send messages, each with its own text."""
        ...

    async def statuses_by_check_id(self, check_ids: Iterable[str]) -> list[MessageStatus]:
        """Ask what became of messages, by check ids."""
        ...


_match_number = re.compile("[1-9][0-9]{0,17}").fullmatch
_CLOCK_SLACK = datetime.timedelta(hours=6)
"""So much may the gateway's clock, or its idea of the time zone, differ from ours."""
_FIRST_SEND = datetime.datetime(2001, 9, 9, tzinfo=datetime.UTC)
"""A time before is no time that a message was sent at, but what stands there in place of one."""


class Marks:
    """What is known of how the gateway keeps check ids. All sendings of a client share it.

    A gateway that keeps only some of them, say only numbers, would say of each message with another that it does not
    have it. So its word is taken once it has shown a message that it has taken with a check id of the same kind.

    Attributes:
        kept: The kinds of which it has shown one: whether they are plain numbers.
    """

    def __init__(self) -> None:
        self._taken: dict[bool, tuple[str, int]] = {}
        self.kept: set[bool] = set()

    @property
    def witnessed(self) -> Set[bool]:
        """The kinds of which there is a message to ask for."""
        return self._taken.keys()

    def note(self, marks: Sequence[str], results: Sequence[SendResult]) -> None:
        """Take in one message whose id an answer has named; what may have been sent can be asked for by its mark."""
        taken: tuple[str, int] | None = None
        for mark, result in zip(marks, results, strict=False):
            if result.message_id is not None:
                taken = mark, result.message_id
            elif result.error is not None and result.error.outcome is Outcome.UNKNOWN:
                result.error.references = (mark,)
        if taken is not None:
            self._taken[_match_number(taken[0]) is not None] = taken

    async def are_kept(self, ask: Callable[[str], Awaitable[list[MessageStatus]]], *, is_number: bool) -> bool:
        """Whether the gateway keeps check ids of this kind."""
        if is_number not in self.kept and is_number in self._taken:
            mark, message_id = self._taken[is_number]
            if any(status.message_id == message_id and _is_shown(status) for status in await ask(mark)):
                self.kept.add(is_number)
        return is_number in self.kept


class GhasedakBulkGateway(BulkGateway):
    """Sends with ``send_to_many`` where texts are the same, with ``send_pairs`` where they differ."""

    limit = wire.MAX_ENTRIES

    def __init__(self, client: Client, send_checked: SendChecked, marks: Marks) -> None:
        self._client = client
        self._send_checked = send_checked
        self._marks = marks
        self._first_mark = int(wire.mint_check_id())

    @staticmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        checks.require_text(message.text, f"{argument}.text")
        if message.sender is not None:
            normalize_line(message.sender, f"{argument}.sender")
        if message.send_at is not None:
            checks.require_send_time(message.send_at, f"{argument}.send_at")

    @staticmethod
    def check_number(message: OutgoingMessage, argument: str) -> str:
        """Only one-time passwords go abroad."""
        if message.check_id is not None:
            wire.check_id_text(message.check_id, f"{argument}.check_id")
        return normalize_iranian(message.to, f"{argument}.to")

    def pair_key(self, message: OutgoingMessage) -> Hashable | None:
        """Texts with commas cannot travel in a list; a list has a time for each or none, and a line for each."""
        return None if "," in message.text or message.sender is None else message.send_at is None

    def mark(self, item: Item) -> None:
        """Give each message a check id."""
        item.reference = item.message.check_id or f"{self._first_mark + item.index}"

    def recall(self, item: Item) -> None:
        """What an earlier run sent shows how the gateway keeps check ids, too."""
        self._marks.note([_mark_of(item)], [SendResult(item.number, item.message_id)])

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        marks = [(item.reference or "").strip() for item in items]
        if have_one_text(items):
            message = _not_before_now(items[0].message)
            return await self._send_checked([item.number for item in items], message, marks)
        return await self._client.send_pairs(
            [
                attrs.evolve(_not_before_now(item.message), check_id=mark)
                for item, mark in zip(items, marks, strict=True)
            ]
        )

    def can_show(self, items: Sequence[Item]) -> bool:
        """It may have taken some of a list."""
        return len(items) > 1

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> Sequence[Finding]:
        """Ask by check id: for all at once, or for one at a time where the answer does not show whose status it is."""
        is_otp = error is not None and error.operation == wire.SEND_OTP.name
        findings = await self._find_together(items, is_otp=is_otp)
        kinds = [_match_number(_mark_of(item)) is not None for item in items]
        shown = {kind for kind, finding in zip(kinds, findings, strict=True) if finding.outcome is Outcome.SENT}
        absent = {kind for kind, finding in zip(kinds, findings, strict=True) if finding is ABSENT}
        self._marks.kept |= shown
        kept = {kind for kind in absent if await self._marks.are_kept(self._ask_one, is_number=kind)}
        if error is not None and error.outcome is Outcome.REFUSED:
            # The refusal says the same, so that it takes no witness; but one must not say otherwise.
            kept |= absent - self._marks.witnessed
        return [
            NO_TRACE if finding is ABSENT and kind not in kept else finding
            for kind, finding in zip(kinds, findings, strict=True)
        ]

    async def _find_together(self, items: Sequence[Item], *, is_otp: bool) -> Sequence[Finding]:
        if len(items) > 1:
            await self.pace()
            statuses = await self._client.statuses_by_check_id([_mark_of(item) for item in items])
            shown = [status for status in statuses if _is_shown(status)]
            by_number = {_number_of(status): status for status in shown}
            numbers = {item.number for item in items}
            if any(not _is_shown(status) and _number_of(status) in numbers for status in statuses):
                return [NO_TRACE for _ in items]  # To have a message and not to have it is to say nothing.
            if len(numbers) == len(items) and numbers.issuperset(by_number) and len(by_number) == len(shown):
                # Each that is not shown must have an entry that says so.
                other = ABSENT if len(statuses) == len(items) else NO_TRACE
                return [
                    _compare(item, by_number[item.number], is_otp=is_otp) if item.number in by_number else other
                    for item in items
                ]
        return [await self._find_alone(item, is_otp=is_otp) for item in items]

    async def _find_alone(self, item: Item, *, is_otp: bool) -> Finding:
        statuses = await self._ask_one(_mark_of(item))
        if len(statuses) == 1 and not _is_shown(statuses[0]):
            return NO_TRACE if _number_of(statuses[0]) == item.number else ABSENT
        found = [
            _compare(item, status, is_otp=is_otp)
            for status in statuses
            if _is_shown(status) and (_number_of(status) == item.number or status.message_id)
        ]
        sent = [finding for finding in found if finding.outcome is Outcome.SENT]
        return next(iter(sent or found), NO_TRACE)

    async def _ask_one(self, mark: str) -> list[MessageStatus]:
        await self.pace()
        return await self._client.statuses_by_check_id([mark])


def _not_before_now(message: OutgoingMessage) -> OutgoingMessage:
    """The message, whose time may have come while it waited for its turn."""
    if message.send_at is None:
        return message
    return attrs.evolve(message, send_at=max(message.send_at, datetime.datetime.now(datetime.UTC)))


def _mark_of(item: Item) -> str:
    return (item.reference or "").strip()


def _is_shown(status: MessageStatus) -> bool:
    return status.state is not DeliveryState.NOT_FOUND


def _compare(item: Item, status: MessageStatus, *, is_otp: bool) -> Finding:
    """Whether a status is that of a message. A check id that was used before leads to another's, too."""
    number, text = _number_of(status), _fold(status.text or "")
    is_same = number in (item.number, None)
    # The gateway may add a line to a text; what it makes of a template only it knows.
    is_same &= is_otp or not text or text.startswith(_fold(item.message.text))
    if status.sent_at is not None and status.sent_at > _FIRST_SEND and item.left_at is not None:
        is_same &= status.sent_at >= min(item.left_at, item.message.send_at or item.left_at) - _CLOCK_SLACK
    if not is_same:
        problem = "the gateway has another message by this check id, so it cannot be asked for this one"
        return Finding(Outcome.UNKNOWN, error=ReplyError(problem, field="items"))
    message_id = status.message_id
    return Finding(Outcome.SENT, message_id if message_id is not None and message_id > 0 else None)


def _fold(text: str) -> str:
    return " ".join(text.replace("\u064a", "\u06cc").replace("\u0643", "\u06a9").split())


def _number_of(status: MessageStatus) -> str | None:
    try:
        return normalize_recipient(status.recipient, "recipient")
    except InvalidArgumentError:
        return None
