"""Takes the messages of one request to their end: sent, asked for, sent again if that is safe."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

from ..errors import (
    AuthenticationError,
    ClientStateError,
    ConnectionLostError,
    GatewayError,
    InvalidArgumentError,
    JournalError,
    Outcome,
    PayamakError,
    RateLimitError,
)
from ..hooks import has_nothing_left
from ..results import OnUnknown, SendResult, may_pass
from .bulk_gateway import NO_TRACE, BulkGateway, Finding
from .items import Item, as_not_sent, as_unknown
from .packing import Packer
from .refusals import Refusals, concerns_some
from .reports import Admitted, Reports

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0
_FIRST_LOOK = 0.1
_LONGEST_LOOK = 2.0
"""So often the journal is asked for what another run is at."""
_AGREED_AFTER = 1.0
"""A gateway may show a message a moment late: so long after a refusal its word that it does not have one counts."""
_CLOCK_SLACK = datetime.timedelta(minutes=10)
_LONGEST_MEMORY = datetime.timedelta(days=1)
"""Of an older message an absence proves nothing: no gateway says how long it keeps what it is asked by."""


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
        log: For what fails beside the sends.
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
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        log: logging.Logger,
    ) -> None:
        self._gateway = gateway
        self._reports = reports
        self._refusals = refusals
        self._slots = slots
        self._on_unknown = on_unknown
        self._grace = grace
        self._spawn = spawn
        self._log = log
        self.closing = False
        """Whether to search no longer for what is unknown."""
        self.busy: set[asyncio.Task[Any] | None] = set()
        """Tasks that have something in flight, or write down what became of it."""
        self.searched = 0
        """How many messages are being asked for."""

    async def run(self, *parts: Sequence[Item]) -> None:
        """Send messages, each part in one request. A slot is taken already, and is given back."""
        left = list(parts)
        try:
            while left:
                left[:0] = await self._send(left.pop(0))
        finally:
            self._slots.release()

    async def _send(self, items: Sequence[Item]) -> list[Sequence[Item]]:
        """Send messages in one request. Returns the parts in which to send them instead, if nothing could leave."""
        items = await self._drop_hopeless(items)
        if items and not await self._wait_for_turn(items):
            return []
        items = await self._drop_hopeless(items)
        if not items:
            return []
        for item in items:
            if item.reference is None:
                self._gateway.mark(item)
        with self._keep_from_cutting():
            try:
                items = await self._begin(items)
                results = await self._gateway.send(items) if items else []
            except JournalError as error:
                self._refusals.stop(error)
                await self._settle_failed(items, error)
            except InvalidArgumentError as error:
                if len(items) > 1:
                    for item in items:
                        item.hold_back(error)
                    return _halve(items)
                await self._settle_failed(items, error)
            except PayamakError as error:
                await self._take_failure(items, error)
            except Exception as error:
                if not has_nothing_left(error):
                    raise
                await self._settle_failed(items, _blame_hook(error))
            else:
                await self._take_results(items, results)
        return []

    async def _begin(self, items: Sequence[Item]) -> Sequence[Item]:
        items, elsewhere = await self._reports.begin(items)
        if elsewhere:
            self._spawn(self.wait_for_others(elsewhere))
        return items

    async def _wait_for_turn(self, items: Sequence[Item]) -> bool:
        try:
            await self._gateway.pace()
        except Exception as error:
            blame = ClientStateError(f"the rate limiter failed with {type(error).__name__}")
            blame.__cause__ = error
            with self._keep_from_cutting():
                await self._settle_failed(items, blame)
            return False
        return True

    async def _drop_hopeless(self, items: Sequence[Item]) -> Sequence[Item]:
        if not self._refusals.is_any:
            return items
        reasons = [self._refusals.reason_against(item) for item in items]
        if not any(reasons):
            return items
        hopeless = [item for item, reason in zip(items, reasons, strict=True) if reason is not None]
        for item, reason in zip(items, reasons, strict=True):
            if reason is not None:
                item.fail(reason)
        with self._keep_from_cutting():
            await self._reports.settle(hopeless)
        return [item for item, reason in zip(items, reasons, strict=True) if reason is None]

    async def _take_failure(self, items: Sequence[Item], error: PayamakError) -> None:
        self._refusals.note_failure(items, error)
        is_doubtful = error.outcome is Outcome.REFUSED and not _is_too_early(error) and self._gateway.can_show(items)
        if is_doubtful or error.outcome is Outcome.UNKNOWN:
            self._search_beside(items, error)
        else:
            await self._settle_failed(items, error)

    async def _take_results(self, items: Sequence[Item], results: Sequence[SendResult]) -> None:
        self._refusals.note_results(items, results)
        lost: list[Item] = []
        known: list[Item] = []
        for item, result in zip(items, results, strict=True):
            if result.error is None:
                item.sent(result.message_id)
            else:
                item.fail(result.error)
            (lost if item.outcome is Outcome.UNKNOWN else known).append(item)
        await self._settle(known)
        if lost:
            self._search_beside(lost, None)

    async def _settle_failed(self, items: Sequence[Item], error: PayamakError) -> None:
        for item in items:
            item.fail(error)
        await self._settle(items)

    async def _settle(self, items: Sequence[Item]) -> None:
        await self._reports.settle(items)
        if self._reports.failure is not None:
            self._refusals.stop(self._reports.failure)

    def _search_beside(self, items: Sequence[Item], error: PayamakError | None) -> None:
        for item in items:
            item.lose(error)
        if error is not None and len(error.references) == len(items):
            for item, reference in zip(items, error.references, strict=True):
                item.reference = reference
        self._spawn(self.search(items))

    async def search(self, items: Sequence[Item]) -> None:
        """Find out what became of messages whose answer did not come, or is not to be believed before asking."""
        refusal = _refusal_of(items)
        left = list(items)
        self.searched += len(items)
        try:
            findings = await self._search(left)
        finally:
            self.searched -= len(items)
        parts = self._conclude(left, findings) if refusal is None else self._believe(left, findings, refusal)
        again = {item for part in parts for item in part}
        for item in left:
            item.is_cut_short = (self.closing or item.is_cut_short) and item.outcome is Outcome.UNKNOWN
        with self._keep_from_cutting():
            await self._settle([item for item in left if item not in again])
        if parts:
            await self._slots.acquire()
            await self.run(*parts)

    async def admit(self, items: Sequence[Item]) -> Admitted:
        """Settle those messages of which the journal knows enough, or that cannot be sent."""
        admitted = await self._reports.admit(items)
        if len(admitted.fresh) < len(items):
            for item in items:
                if item.outcome is Outcome.SENT:
                    self._gateway.recall(item)
        return admitted

    async def search_left(self, items: Sequence[Item]) -> None:
        """Find out what became of messages that another run left behind."""
        if self._gateway.finds_by_content:
            try:
                references = await self._reports.list_references()
            except JournalError:
                await self.give_up(items)
                raise
            for reference in references:
                self._gateway.set_apart(reference)
        await self.search(items)

    async def wait_for_others(self, items: Sequence[Item]) -> None:
        """Wait until it is known what became of messages that another run is at, and take up what it leaves behind."""
        self.searched += len(items)
        left = items
        wait = _FIRST_LOOK
        try:
            while left and not self.closing:
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_LOOK)
                try:
                    fresh, lost, still = await self.admit(left)
                except JournalError:
                    await self.give_up(left)
                    raise
                self.searched -= len(left) - len(still)
                left = still
                if lost:
                    self._spawn(self.search_left(lost))
                packer = Packer(self._gateway.limit, self._gateway.pair_key, self._gateway.travels_alone)
                for part in (*packer.add(fresh), *packer.take_all()):
                    await self._slots.acquire()
                    self._spawn(self.run(part))
        finally:
            self.searched -= len(left)

    async def give_up(self, items: Sequence[Item]) -> None:
        """Say of those messages that are still open why nothing more is known of them."""
        failure = self._reports.failure
        left = [item for item in items if item.index in self._reports.open]
        for item in left:
            if item.outcome is Outcome.UNKNOWN and item.error is not None and item.error.outcome is Outcome.REFUSED:
                item.fail(item.error)  # It was only to be asked for once more.
            elif item.outcome is Outcome.UNKNOWN:
                ended = ConnectionLostError("the sending was ended before it was known what became of it")
                item.lose(item.error or (as_unknown(failure) if failure else ended))
                item.is_cut_short = True
            elif item.outcome is Outcome.NOT_SENT:
                ended_by_error = ClientStateError("the sending was ended by an error")
                item.fail(self._refusals.reason_against(item) or failure or ended_by_error)
        with self._keep_from_cutting():
            await self._reports.settle(left)

    def _conclude(self, items: Sequence[Item], findings: Sequence[Finding]) -> list[Sequence[Item]]:
        """Say of messages whose outcome was unknown what has been found. Returns the parts to send again."""
        again: list[Item] = []
        for item, finding in zip(items, findings, strict=True):
            if finding.outcome is Outcome.REFUSED and finding.error is not None:
                item.fail(finding.error)
            elif finding.outcome is not Outcome.NOT_SENT:
                item.lose(finding.error)
            elif self._on_unknown is OnUnknown.RESEND and not item.is_resent:
                item.send_again()
                again.append(item)
            else:
                item.hold_back(item.error and as_not_sent(item.error))
        return [again] if again else []

    def _believe(
        self, items: Sequence[Item], findings: Sequence[Finding], refusal: PayamakError
    ) -> list[Sequence[Item]]:
        """Refuse what the gateway has not shown. Returns the parts in which to find out whom the refusal concerns."""
        absent = [item for item, finding in zip(items, findings, strict=True) if finding.outcome is Outcome.NOT_SENT]
        parts = _halve(absent) if concerns_some(refusal, absent) and not self.closing else []
        again = {item for part in parts for item in part}
        for item in items:
            if item in again:
                item.hold_back(as_not_sent(refusal))
            else:
                item.fail(refusal)
        return parts

    async def _search(self, left: list[Item]) -> Sequence[Finding]:
        """Ask until all is known or the grace period is over.

        Returns:
            The last word on each message that is left; those that were sent are settled and taken out.
        """
        is_refused = _refusal_of(left) is not None
        now = asyncio.get_running_loop().time
        until = now() + self._grace
        wait = _FIRST_WAIT
        if is_refused:
            await asyncio.sleep(min(_AGREED_AFTER, self._grace))
        while left and not self.closing and (is_refused or self._on_unknown is not OnUnknown.LEAVE):
            # What is asked now may still come in later, unless the grace period is over already.
            is_last = now() >= until
            findings = await self._ask(left)
            if findings is None:
                break
            # A refusal and an absence are two statements that agree; an absence alone must have had the whole time.
            is_agreed = is_refused and all(finding.outcome is Outcome.NOT_SENT for finding in findings)
            if is_last or is_agreed or not left:
                return [self._weigh(item, finding) for item, finding in zip(left, findings, strict=True)]
            await asyncio.sleep(min(wait, max(0.0, until - now())))
            wait = min(wait * 2, _LONGEST_WAIT)
        return [NO_TRACE for _ in left]

    def _weigh(self, item: Item, finding: Finding) -> Finding:
        if finding.outcome is not Outcome.NOT_SENT or _refusal_of([item]) is not None:
            return finding
        age = datetime.datetime.now(datetime.UTC) - item.left_at if item.left_at else datetime.timedelta()
        proves = self._grace >= self._gateway.least_grace and -_CLOCK_SLACK <= age <= _LONGEST_MEMORY
        return finding if proves else NO_TRACE

    async def _ask(self, left: list[Item]) -> Sequence[Finding] | None:
        """Ask once, settle what was sent and take it out. Returns what was said of the rest; None if one cannot ask."""
        try:
            async with self._slots:
                marks = [item.reference for item in left]
                findings = await self._gateway.find(left, left[0].error)
            if findings is not None and any(finding.is_by_content for finding in findings):
                findings = await self._reports.claim(left, findings, marks)
        except Exception as error:
            for item in left:
                item.is_cut_short = not isinstance(error, GatewayError) or may_pass(type(error))
            if isinstance(error, (ClientStateError, AuthenticationError)):
                return None
            if not isinstance(error, PayamakError):  # Of the others, the attempts are in the log.
                self._log.error("send_many: asking for messages failed with %s", type(error).__name__)
            # It is asked again until the grace period is over.
            return [NO_TRACE for _ in left]
        for item in left:
            item.is_cut_short = False
        if findings is None:
            return None
        sent = [item for item, finding in zip(left, findings, strict=True) if finding.outcome is Outcome.SENT]
        for item, finding in zip(left, findings, strict=True):
            if finding.outcome is Outcome.SENT:
                item.sent(finding.message_id)
        left[:] = [item for item in left if item.outcome is not Outcome.SENT]
        with self._keep_from_cutting():
            await self._settle(sent)
        return [finding for finding in findings if finding.outcome is not Outcome.SENT]

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


def _halve(items: Sequence[Item]) -> list[Sequence[Item]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]]


def _blame_hook(error: Exception) -> PayamakError:
    blame = ClientStateError(f"a hook failed with {type(error).__name__} before this message left")
    blame.__cause__ = error
    return blame


def _is_too_early(error: PayamakError) -> bool:
    """Whether HTTP itself says that nothing was done, and to ask would be to ask too often."""
    return isinstance(error, RateLimitError) and error.is_bare


def _refusal_of(items: Sequence[Item]) -> PayamakError | None:
    """The refusal of their request, if they are only asked for because it is not believed yet."""
    error = items[0].error if items else None
    return error if error is not None and error.outcome is Outcome.REFUSED else None
