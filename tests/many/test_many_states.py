"""The states of a message on its way: only what the table allows, and what is final stays when all ends at once."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence

import attrs
import pytest
from payamak.common import (
    ConnectionLostError,
    GatewayError,
    JournalEntry,
    Outcome,
    OutgoingMessage,
)
from payamak.common.many.items import Item
from payamak.emulator import Emulator
from support.journals import MemoryJournal
from support.many import OPGATEWAY, collect, judge

NOW = datetime.datetime.now(datetime.UTC)
NOT_SENT, UNKNOWN, SENT, REFUSED = Outcome.NOT_SENT, Outcome.UNKNOWN, Outcome.SENT, Outcome.REFUSED
MESSAGE = OutgoingMessage("09121234567", "text")
LOST, REFUSAL = ConnectionLostError("lost"), GatewayError("no")


def entry(outcome: Outcome | None, reason: str | None = None) -> JournalEntry:
    return JournalEntry(
        "content 0", 0, "ghasedak", MESSAGE.to, MESSAGE, outcome=outcome, attempt=3, reference="mark",
        message_id=7 if outcome is SENT else None, reason=reason,
    )  # fmt: skip


EVENTS: dict[str, tuple[Callable[[Item], None], dict[Outcome, Outcome]]] = {
    "consult": (lambda item: item.consult(), {NOT_SENT: UNKNOWN, UNKNOWN: UNKNOWN}),
    "recall nothing": (lambda item: item.recall(None), {UNKNOWN: NOT_SENT}),
    "recall in flight": (lambda item: item.recall(entry(None)), {UNKNOWN: UNKNOWN}),
    "recall sent": (lambda item: item.recall(entry(SENT)), {UNKNOWN: SENT}),
    "recall refused": (lambda item: item.recall(entry(REFUSED, "InvalidRecipientError")), {UNKNOWN: REFUSED}),
    "recall another message": (
        lambda item: item.recall(attrs.evolve(entry(REFUSED, "InvalidRecipientError"), message=None)),
        {UNKNOWN: NOT_SENT},
    ),
    "recall what may have passed": (lambda item: item.recall(entry(REFUSED, "RateLimitError")), {UNKNOWN: NOT_SENT}),
    "leave": (lambda item: item.leave(NOW), {NOT_SENT: UNKNOWN}),
    "sent": (lambda item: item.sent(7), {UNKNOWN: SENT}),
    "fail unknown": (lambda item: item.fail(LOST), {NOT_SENT: UNKNOWN, UNKNOWN: UNKNOWN}),
    "fail refused": (lambda item: item.fail(REFUSAL), {NOT_SENT: REFUSED, UNKNOWN: REFUSED}),
    "lose": (lambda item: item.lose(LOST), {UNKNOWN: UNKNOWN}),
    "hold back": (lambda item: item.hold_back(REFUSAL), {NOT_SENT: NOT_SENT, UNKNOWN: NOT_SENT}),
    "send again": (lambda item: item.send_again(), {UNKNOWN: NOT_SENT}),
}


def item_that_is(outcome: Outcome) -> Item:
    item = Item(0, MESSAGE)
    if outcome is not NOT_SENT:
        item.leave(NOW)
    if outcome is SENT:
        item.sent(7)
    if outcome is REFUSED:
        item.fail(REFUSAL)
    assert item.outcome is outcome
    return item


@pytest.mark.parametrize("before", [NOT_SENT, UNKNOWN, SENT, REFUSED])
@pytest.mark.parametrize("event", EVENTS)
def test_each_event_in_each_state(event: str, before: Outcome) -> None:
    happen, allowed = EVENTS[event]
    item = item_that_is(before)
    if before in allowed:
        happen(item)
        assert item.outcome is allowed[before]
        assert (item.message_id is None) == (item.outcome is not SENT)
    else:
        with pytest.raises(RuntimeError, match="cannot become"):
            happen(item)
        assert item.outcome is before


def test_the_outcome_is_read_only_from_outside() -> None:
    with pytest.raises(AttributeError):
        item_that_is(NOT_SENT).outcome = SENT  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


class SlowJournal(MemoryJournal):
    """A journal that takes long to write down what became of messages."""

    def __init__(self) -> None:
        super().__init__()
        self.settling = asyncio.Event()

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        self.settling.set()
        await asyncio.sleep(10)
        return await super().settle(entries)


async def test_all_tasks_are_cancelled_while_what_became_of_messages_is_written_down(emulator: Emulator) -> None:
    """As at the end of `asyncio.run`: each message has its one report all the same, and what was sent is said to be."""
    given = [OPGATEWAY.message(number, text=f"text {number}") for number in range(5)]
    others = asyncio.all_tasks()
    journal = SlowJournal()
    async with OPGATEWAY.connect(emulator) as client:
        sending = client.send_many(given, journal=journal, concurrency=2)
        loop = asyncio.create_task(collect(sending))
        await journal.settling.wait()
        for task in asyncio.all_tasks() - others:
            if "SendMany" in repr(task) or "RequestRunner" in repr(task) or task is loop:
                task.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        judge(OPGATEWAY, emulator, given, sending.unread)
        assert any(report.outcome is SENT for report in sending.unread)
