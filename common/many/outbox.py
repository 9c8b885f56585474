"""Single messages from many callers, in shared requests."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import math
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Self, TypeAlias

import attrs

from .. import checks
from ..errors import ClientStateError, InvalidSenderError, JournalError, Outcome, PayamakError
from ..results import OutgoingMessage, SendReport
from .items import as_not_sent, as_unknown
from .sending import SendMany

StartSending: TypeAlias = Callable[[AsyncIterable[OutgoingMessage], int], SendMany]
"""Starts a `send_many` with so many requests in flight."""

_LEAST_ID, _MOST_ID = 10**17, 10**18


class Outbox:
    """Takes one message at a time, from as many callers as you like: ``async with client.outbox(…) as outbox``.

    A message is known by its ``check_id`` alone, such as the id of the job or of the row that it comes from: given
    again, by this process or another one on the same journal, after a crash or a minute later, it is not sent again,
    and the report says what became of it. Without one it gets an id of its own, and is another message each time.

    When the gateway refuses for a reason that concerns all (credit, credentials), or the journal fails, all is *not
    sent* at once for that reason during a pause, but for what the journal knows. Then one message tries, and if it
    goes, so do the others.
    """

    def __init__(self, start: StartSending, *, concurrency: int, urgent_concurrency: int, pause: float) -> None:
        checks.require_between(concurrency, "concurrency", 1, 10_000)
        checks.require_between(urgent_concurrency, "urgent_concurrency", 1, 10_000)
        checks.require_seconds(pause, "pause", or_zero=True)
        self._start = start
        self._places = concurrency, urgent_concurrency
        self._pause = pause
        self._lanes: list[_Lane] = []
        self._on_their_way: dict[str, asyncio.Task[SendReport]] = {}
        self._is_open = False

    def __repr__(self) -> str:
        return f"<Outbox {'open' if self._is_open else 'closed'}, {len(self._on_their_way)} on their way>"

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            ClientStateError: It is open already.
        """
        if self._is_open:
            raise ClientStateError("the outbox is open already")
        self._lanes = [_Lane(self._start, places, self._pause) for places in self._places]
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def send(self, message: OutgoingMessage, *, urgent: bool = False) -> SendReport:
        """Send a message, and wait until it is known what became of it.

        Cancelled, it goes on all the same; give it in again by its ``check_id`` to learn of it. When the outbox is
        closed meanwhile, or the journal cannot be asked, it is *not sent*, or *unknown* and `is_cut_short`: whoever
        comes to it next asks on.

        Args:
            message: The message. If you may have to give it in again, give it a ``check_id``.
            urgent: Whether it has a lane of its own beside the others, as a one-time password needs while bills go out.

        Returns:
            The report, with the message as it was sent, so with its ``check_id``. If it `is_settled`, the job that
            asked for it is done.

        Raises:
            InvalidArgumentError: It is no message.
            ClientStateError: The outbox is not open.
        """
        checks.require_instance(message, OutgoingMessage, "message")
        if not self._is_open:
            raise ClientStateError("the outbox is not open: use `async with client.outbox(…) as outbox`")
        is_new = message.check_id is None
        if is_new:
            message = attrs.evolve(message, check_id=str(secrets.randbelow(_MOST_ID - _LEAST_ID) + _LEAST_ID))
        key = checks.require_text(message.check_id, "message.check_id").strip()
        while True:
            task = self._on_their_way.get(key)
            if task is None:
                given = _Given(message, is_new, asyncio.get_running_loop().create_future())
                task = asyncio.create_task(self._lanes[urgent].send(given))
                self._on_their_way[key] = task
                task.add_done_callback(functools.partial(self._forget, key))
            report = await asyncio.shield(task)
            if report.message == message:
                return report
            # It may be another one, or the same with its number written otherwise: the journal can tell.

    async def send_all(self, messages: Iterable[OutgoingMessage], *, urgent: bool = False) -> list[SendReport]:
        """Send several messages, and return their reports in the same order.

        Args:
            messages: The messages.
            urgent: As of `send`.

        Raises:
            InvalidArgumentError: One of them is no message. Nothing is sent.
            ClientStateError: As of `send`.
        """
        given = list(checks.require_iterable(messages, "messages"))
        for place, message in enumerate(given):
            checks.require_instance(message, OutgoingMessage, f"messages[{place}]")
        reports = await asyncio.gather(*(self.send(message, urgent=urgent) for message in given))
        return [attrs.evolve(report, index=place) for place, report in enumerate(reports)]

    def _forget(self, key: str, task: asyncio.Task[SendReport]) -> None:
        del self._on_their_way[key]
        if not task.cancelled():
            task.exception()  # Or asyncio would tell of it, where whoever waited for it has given up.

    async def aclose(self) -> None:
        """Take nothing more, and wait for what has left, as long as a `send_many` does. Closing twice does no harm."""
        self._is_open = False
        await asyncio.gather(*(lane.aclose() for lane in self._lanes))
        await asyncio.gather(*self._on_their_way.values(), return_exceptions=True)


@attrs.define(eq=False)
class _Given:
    """A message that somebody waits for."""

    message: OutgoingMessage
    is_new: bool
    """Whether nobody can have given it in before."""
    report: asyncio.Future[SendReport]

    def answer(self, report: SendReport) -> None:
        if not self.report.done():
            self.report.set_result(report)

    def leave(self, reason: PayamakError) -> SendReport:
        """The report if nothing was done: then the journal was not even asked whether another run has sent it."""
        error = as_not_sent(reason) if self.is_new else as_unknown(reason)
        return SendReport(0, self.message, error.outcome, error=error, is_cut_short=not self.is_new)


@attrs.frozen
class _Stop:
    """Nothing is sent any more, for the reason that a shift met, until then."""

    shift: _Shift
    until: float

    def is_lifted_by(self, report: SendReport) -> bool:
        """Whether the message that tried shows that the reason has passed. It may have been wrong itself, or known."""
        is_journals = isinstance(self.shift.stop_reason, JournalError)
        return report.outcome is Outcome.SENT and (is_journals or not report.from_journal)


class _Probing:
    """One message tries whether the others can go."""

    def __init__(self, until: float) -> None:
        self.over = asyncio.Event()
        self.until = until
        """Then another one tries, too: that of the first may be asked for, or another run may be at it."""


class _Lane:
    """One `send_many` after the other: a new one after each stop."""

    def __init__(self, start: StartSending, places: int, pause: float) -> None:
        self._start = start
        self._places = places
        self._pause = pause
        self._shift: _Shift | None = None
        self._stop: _Stop | None = None
        self._probing: _Probing | None = None
        self._shifts: set[_Shift] = set()
        self._is_closed = False

    async def send(self, given: _Given) -> SendReport:
        while not self._is_closed:
            self._note_stop()
            stop, probing, now = self._stop, self._probing, asyncio.get_running_loop().time()
            if stop is None:
                return await self._hand_over(given)
            if now < stop.until:
                return await self._hold_back(given, stop)
            if probing is None or now >= probing.until:
                return await self._probe(given, stop, _Probing(now + self._pause))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(probing.until):
                    await probing.over.wait()
        return given.leave(_closed())

    async def _hold_back(self, given: _Given, stop: _Stop) -> SendReport:
        """Send nothing; but what was sent is known to the journal, and what was lost can be asked for."""
        report = await stop.shift.send(given)
        if report.outcome is not Outcome.NOT_SENT or report.error is None or report.is_settled:
            return report
        reason = as_not_sent(report.error)
        reason.retry_after = max(0.0, stop.until - asyncio.get_running_loop().time())
        return attrs.evolve(report, error=reason)

    async def _probe(self, given: _Given, stop: _Stop, probing: _Probing) -> SendReport:
        self._probing = probing
        try:
            report = await self._hand_over(given)
        finally:
            if self._probing is probing:
                self._probing = None
            probing.over.set()
        if self._stop is stop and stop.is_lifted_by(report):
            self._stop = None
        return report

    async def _hand_over(self, given: _Given) -> SendReport:
        now = asyncio.get_running_loop().time
        shift = self._shift
        if shift is None or shift.stop_reason is not None or shift.has_ended or now() >= shift.retires_at:
            shift = self._change(shift)
        report = await shift.send(given)
        if isinstance(report.error, InvalidSenderError):
            # It sends nothing more by this line.
            shift.retires_at = min(shift.retires_at, now() + self._pause)
        self._note_stop()
        return report

    def _note_stop(self) -> None:
        shift = self._shift
        is_noted = self._stop is not None and self._stop.shift is shift
        if shift is not None and shift.stop_reason is not None and not is_noted:
            self._stop = _Stop(shift, asyncio.get_running_loop().time() + self._pause)

    def _change(self, shift: _Shift | None) -> _Shift:
        if shift is not None:
            shift.end()
        self._shifts = {one for one in self._shifts if not one.has_ended}
        self._shift = _Shift(self._start, self._places)
        self._shifts.add(self._shift)
        return self._shift

    async def aclose(self) -> None:
        self._is_closed = True
        for shift in self._shifts:
            shift.end()
        await asyncio.gather(*(shift.aclose() for shift in self._shifts))


class _Shift:
    """One `send_many`, and who waits for its reports."""

    def __init__(self, start: StartSending, places: int) -> None:
        self._queue: asyncio.Queue[_Given | None] = asyncio.Queue()
        self._waiting: dict[int, _Given] = {}
        self._failure: PayamakError | None = None
        self.retires_at = math.inf
        """When another one is to take its place."""
        self._is_ending = False
        self._sending = start(self._take(), places)
        self._reader = asyncio.create_task(self._read())

    @property
    def stop_reason(self) -> PayamakError | None:
        """Why it sends nothing more."""
        return self._failure or self._sending.stop_reason

    @property
    def has_ended(self) -> bool:
        return self._reader.done()

    async def send(self, given: _Given) -> SendReport:
        if self._is_ending:
            return given.leave(self.stop_reason or _closed())
        self._queue.put_nowait(given)
        return attrs.evolve(await given.report, index=0)

    def end(self) -> None:
        """Take nothing more."""
        self._is_ending = True
        self._queue.put_nowait(None)

    async def aclose(self) -> None:
        """Wait for what was taken, as long as a `send_many` does."""
        await self._sending.aclose()
        await asyncio.wait({self._reader})

    async def _take(self) -> AsyncGenerator[OutgoingMessage]:
        try:
            for index in itertools.count():
                given = await self._queue.get()
                if given is None:
                    return
                self._waiting[index] = given
                yield given.message
        finally:
            self._leave()

    async def _read(self) -> None:
        try:
            async for report in self._sending:
                self._waiting.pop(report.index).answer(report)
        except PayamakError as error:
            self._failure = as_not_sent(error)
        except Exception as error:
            self._failure = ClientStateError(f"the sending was ended by {type(error).__name__}")
        finally:
            self._leave()

    def _leave(self) -> None:
        """Answer those of whom the sending has taken no message."""
        self._is_ending = True
        while not self._queue.empty():
            given = self._queue.get_nowait()
            if given is not None:
                given.answer(given.leave(self.stop_reason or _closed()))


def _closed() -> ClientStateError:
    return ClientStateError("the outbox was closed before this message left")
