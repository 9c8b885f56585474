"""Takes the messages of one request to their end: sent, halved, asked for."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

from ..errors import ClientStateError, JournalError, Outcome, PayamakError
from ..results import OnUnknown, SendResult
from .bulk_gateway import BulkGateway
from .items import Item, as_not_sent
from .refusals import Refusals, may_split
from .reports import Reports

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0


class RequestRunner:
    """Runs requests. What it waits for can be cut short; what has left cannot.

    Args:
        gateway: What is to be known of the gateway.
        reports: Where messages are settled.
        refusals: What need not be tried.
        slots: One for each request that may be in flight.
        on_unknown: What to do about unknown outcomes.
        grace: Seconds after which a message that the gateway does not know was not sent.
        spawn: Runs a coroutine beside.
    """

    def __init__(
        self,
        gateway: BulkGateway,
        reports: Reports,
        refusals: Refusals,
        *,
        slots: asyncio.Semaphore,
        on_unknown: OnUnknown,
        grace: float,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._gateway = gateway
        self._reports = reports
        self._refusals = refusals
        self._slots = slots
        self._on_unknown = on_unknown
        self._grace = grace
        self._spawn = spawn
        self.closing = False
        """Whether to search no longer for what is unknown."""
        self.busy: set[asyncio.Task[Any] | None] = set()
        """Tasks that have something in flight, or write down what became of it."""
        self.searched = 0
        """How many messages are being asked for."""

    async def run(self, items: Sequence[Item]) -> None:
        """Send messages in one request, or more if it must be split. A slot is taken already, and is given back."""
        parts = [items]
        try:
            while parts:
                part = parts.pop()
                error = await self._send(part)
                if error is not None:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        finally:
            self._slots.release()

    async def _send(self, items: Sequence[Item]) -> PayamakError | None:
        """Send messages in one request and settle them, or return the error because of which to send each half."""
        items = await self._drop_hopeless(items)
        if items:
            await self._gateway.pace()
            items = await self._drop_hopeless(items)
        if not items:
            return None
        for item in items:
            if item.reference is None:
                self._gateway.mark(item)
        with self._keep_from_cutting():
            try:
                await self._reports.begin(items)
                results = await self._gateway.send(items)
            except JournalError as error:
                self._refusals.stop(error)
                await self._settle_failed(items, error)
            except PayamakError as error:
                if error.outcome is Outcome.UNKNOWN:
                    self._search_beside(items, error)
                elif may_split(error, items):
                    for item in items:
                        item.hold_back(as_not_sent(error))
                    return error
                else:
                    await self._settle_failed(items, error)
            else:
                await self._settle_sent(items, results)
        return None

    async def _drop_hopeless(self, items: Sequence[Item]) -> Sequence[Item]:
        if not self._refusals.is_any:
            return items
        reasons = [self._refusals.reason_against(item) for item in items]
        if not any(reasons):
            return items
        hopeless = [item for item, reason in zip(items, reasons, strict=True) if reason is not None]
        for item, reason in zip(items, reasons, strict=True):
            if reason is not None:
                item.hold_back(reason)
        with self._keep_from_cutting():
            await self._reports.settle(hopeless)
        return [item for item, reason in zip(items, reasons, strict=True) if reason is None]

    async def _settle_failed(self, items: Sequence[Item], error: PayamakError) -> None:
        for item in items:
            item.fail(error)
            self._refusals.note(error, item)
        await self._settle(items)

    async def _settle_sent(self, items: Sequence[Item], results: Sequence[SendResult]) -> None:
        lost: list[Item] = []
        known: list[Item] = []
        for item, result in zip(items, results, strict=True):
            if result.error is None:
                item.sent(result.message_id)
                self._refusals.note_success()
                known.append(item)
                continue
            item.fail(result.error)
            if item.outcome is Outcome.UNKNOWN:
                lost.append(item)
            else:
                self._refusals.note(result.error, item)
                known.append(item)
        await self._settle(known)
        if lost:
            self._search_beside(lost, None)

    async def _settle(self, items: Sequence[Item]) -> None:
        await self._reports.settle(items)
        if self._reports.failure is not None:
            self._refusals.stop(self._reports.failure)

    def _search_beside(self, items: Sequence[Item], error: PayamakError | None) -> None:
        for item in items:
            item.lose(error)
        self._spawn(self.search(items))

    async def search(self, items: Sequence[Item]) -> None:
        """Find out what became of messages whose request got no answer that can be understood."""
        self.searched += len(items)
        left = list(items)
        try:
            absent = await self._search(left)
        finally:
            self.searched -= len(items)
        if absent and self._on_unknown is OnUnknown.RESEND and not left[0].is_resent:
            for item in left:
                item.send_again()
            await self._slots.acquire()
            await self.run(left)
            return
        if absent:
            for item in left:
                item.hold_back(item.error and as_not_sent(item.error))
        for item in left:
            # A code that nobody explains, again and again, tells of the account too.
            if item.outcome is Outcome.UNKNOWN and item.error is not None:
                self._refusals.note(item.error, item)
        with self._keep_from_cutting():
            await self._settle(left)

    async def _search(self, left: list[Item]) -> bool:
        """Ask until all is known or the grace period is over. Returns whether what is left was certainly not sent."""
        now = asyncio.get_running_loop().time
        # An earlier run wrote down that a request would leave; it may have waited as long as a call may take.
        until = now() + self._grace - max(0.0, _get_age(left) - self._gateway.longest_call)
        wait = _FIRST_WAIT
        while left and not self.closing and self._on_unknown is not OnUnknown.LEAVE:
            # What is asked now may still come in later, unless the grace period is over already.
            is_last = now() >= until
            answered = await self._ask(left)
            if answered is None:
                return False
            if is_last or not left:
                return bool(left) and answered and self._gateway.absence_proves
            await asyncio.sleep(min(wait, max(0.0, until - now())))
            wait = min(wait * 2, _LONGEST_WAIT)
        return False

    async def _ask(self, left: list[Item]) -> bool | None:
        """Ask once, and settle what was found. Returns whether the gateway answered; None if it cannot be asked."""
        try:
            async with self._slots:
                found = await self._gateway.find(left, left[0].error)
        except ClientStateError:
            return None
        except PayamakError:
            return False  # Its attempts are in the log. It is asked again until the grace period is over.
        if found is None:
            return None
        for item, message_id in zip(left, found, strict=True):
            if message_id is not None:
                item.sent(message_id)
        sent = [item for item in left if item.outcome is Outcome.SENT]
        left[:] = [item for item in left if item.outcome is not Outcome.SENT]
        with self._keep_from_cutting():
            await self._settle(sent)
        return True

    @contextlib.contextmanager
    def _keep_from_cutting(self) -> Generator[None, None, None]:
        task = asyncio.current_task()
        nested = task in self.busy
        self.busy.add(task)
        try:
            yield
        finally:
            if not nested:
                self.busy.discard(task)


def _get_age(items: Sequence[Item]) -> float:
    """How long ago the requests of an earlier run left, in seconds; 0 for those of this one."""
    now = datetime.datetime.now(datetime.UTC)
    ages = [0.0 if item.left_at is None else (now - item.left_at).total_seconds() for item in items]
    return max(0.0, min(ages, default=0.0))
