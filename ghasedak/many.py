"""How Ghasedak carries many messages: 100 in a request, each with a check id, by which a lost one is found."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Protocol, TypeAlias

import attrs

from ..common import checks
from ..common.errors import InvalidArgumentError, NotFoundError, PayamakError
from ..common.many import BulkGateway, Item, have_one_text
from ..common.numbers import normalize_iranian, normalize_line
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


class GhasedakBulkGateway(BulkGateway):
    """Sends with ``send_to_many`` where texts are the same, with ``send_pairs`` where they differ."""

    limit = wire.MAX_ENTRIES
    absence_proves = True

    def __init__(self, client: Client, send_checked: SendChecked) -> None:
        self._client = client
        self._send_checked = send_checked
        self._prefix = secrets.token_hex(8)

    @staticmethod
    def check(message: OutgoingMessage, argument: str) -> None:
        """Refuse what cannot be sent."""
        checks.require_text(message.text, f"{argument}.text")
        if message.sender is not None:
            normalize_line(message.sender, f"{argument}.sender")
        if message.send_at is not None:
            checks.require_aware(message.send_at, f"{argument}.send_at")

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
        item.reference = item.message.check_id or f"{self._prefix}-{item.index}"

    async def send(self, items: Sequence[Item]) -> list[SendResult]:
        """Send in one request."""
        marks = [(item.reference or "").strip() for item in items]
        if have_one_text(items):
            return await self._send_checked([item.number for item in items], items[0].message, marks)
        return await self._client.send_pairs(
            [attrs.evolve(item.message, check_id=mark) for item, mark in zip(items, marks, strict=True)]
        )

    async def find(self, items: Sequence[Item], error: PayamakError | None) -> list[int | None] | None:
        """Ask by check id: for all at once, or for one at a time where the answer does not show whose status it is."""
        if len(items) > 1:
            await self.pace()
            statuses = await self._client.statuses_by_check_id(item.reference or "" for item in items)
            found = [status for status in statuses if _is_known(status)]
            by_number = {_number_of(status): status.message_id for status in found}
            numbers = {item.number for item in items}
            if len(numbers) == len(items) and numbers.issuperset(by_number) and len(by_number) == len(found):
                return [by_number.get(item.number) for item in items]
        return [await self._find_one(item) for item in items]

    async def _find_one(self, item: Item) -> int | None:
        await self.pace()
        try:
            statuses = await self._client.statuses_by_check_id([item.reference or ""])
        except NotFoundError as error:
            if error.gateway_message is None:
                raise  # A bare 404 may come from anything on the way, and says nothing about the message.
            return None
        # A check id that was used before leads to another's message, too.
        ids = (
            status.message_id for status in statuses if _is_known(status) and _number_of(status) in (item.number, None)
        )
        return next(ids, None)


def _is_known(status: MessageStatus) -> bool:
    return status.state is not DeliveryState.NOT_FOUND and status.message_id is not None and status.message_id > 0


def _number_of(status: MessageStatus) -> str | None:
    try:
        return normalize_iranian(status.recipient, "recipient")
    except InvalidArgumentError:
        return None
