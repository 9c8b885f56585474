"""Sending many messages: each gets exactly one report, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import warnings
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Hashable, Iterable, Sequence, Sized
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from .. import checks
from ..errors import ClientStateError, InvalidArgumentError, PayamakError
from ..hiding import strip_frames
from ..numbers import normalize_recipient
from ..results import OnUnknown, OutgoingMessage, Progress, SendReport
from .bulk_gateway import BulkGateway, RateLimiter, text_key
from .intake import read_batches
from .items import Item
from .journal import Journal
from .packing import Packer
from .refusals import Refusals
from .reports import Reports
from .runner import RequestRunner

if TYPE_CHECKING:
    from .keys import KeyMaker

_MOST_WAITING = 5
"""So many requests' worth of messages with different texts wait for company."""
_LINGER = 0.05
"""How long messages wait for company when their source pauses, in seconds."""
_OUTBOX_LINGER = 0.005
"""The same where somebody waits for each."""
_LONGEST_WAITING = 50
"""So many requests' worth of messages are read while one waits for company."""


@attrs.frozen
class Plan:
    """How `send_many` is to go about it. The arguments of `GatewayClient.send_many`, which explains them."""

    concurrency: int
    rate_limit: RateLimiter | None
    progress: Callable[[Progress], object] | None
    journal: Journal | None
    on_unknown: OnUnknown
    grace: float
    close_timeout: float

    def __attrs_post_init__(self) -> None:
        checks.require_between(self.concurrency, "concurrency", 1, 10_000)
        checks.require_instance(self.on_unknown, OnUnknown, "on_unknown")
        checks.require_seconds(self.grace, "grace", or_zero=True)
        checks.require_seconds(self.close_timeout, "close_timeout", or_zero=True)
        _require_methods(self.rate_limit, "rate_limit", "acquire")
        _require_methods(self.journal, "journal", "read", "begin", "settle", "take_over", "claim", "list_references")
        if self.progress is not None and (not callable(self.progress) or inspect.iscoroutinefunction(self.progress)):
            raise InvalidArgumentError("progress must be a plain function of one argument", argument="progress")


def _require_methods(value: object, argument: str, *names: str) -> None:
    for name in names:
        if value is not None and not callable(getattr(value, name, None)):
            raise InvalidArgumentError(f"{argument} has no method {name}", argument=argument)


class SendMany:
    """A `send_many` at work: an asynchronous iterable of reports, and a context manager.

    ``async for report in client.send_many(…)`` is enough to send all. With ``async with client.send_many(…) as
    sending`` around the loop nothing is left running when the loop is left early, and `unread` has the rest.
    """

    def __init__(
        self,
        messages: Iterable[OutgoingMessage] | AsyncIterable[OutgoingMessage],
        plan: Plan,
        *,
        name: str,
        gateway: BulkGateway,
        log: logging.Logger,
        on_start: Callable[[SendMany], None],
        account: str,
        longest_call: float,
        is_outbox: bool = False,
    ) -> None:
        self._task: asyncio.Task[None] | None = None
        self._closed = True
        checks.refuse_mapping(messages, "messages")
        if isinstance(messages, (str, bytes)) or not (hasattr(messages, "__iter__") or hasattr(messages, "__aiter__")):
            raise InvalidArgumentError("messages must be an iterable of OutgoingMessage", argument="messages")
        self._messages = messages
        gateway.rate_limit = plan.rate_limit
        self._gateway = gateway
        self._plan = plan
        self._on_start = on_start
        total = len(messages) if isinstance(messages, Sized) else None
        self._reports = Reports(
            name, plan.journal, plan.progress, total, log, account=account, longest_call=longest_call
        )
        self._keys: KeyMaker | None = None
        self._refusals = Refusals()
        self._packer = Packer(gateway.limit, gateway.pair_key, gateway.travels_alone)
        self._slots = asyncio.Semaphore(plan.concurrency)
        self._runner = RequestRunner(
            gateway, self._reports, self._refusals, slots=self._slots,
            on_unknown=plan.on_unknown, grace=plan.grace, spawn=self._spawn, log=log,
        )  # fmt: skip
        self._most = plan.concurrency * gateway.limit
        self._room = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._taking: asyncio.Task[None] | None = None
        self._taken = 0
        self._checked: Hashable = None
        self._is_outbox = is_outbox
        self._failure: BaseException | None = None
        self._log = log
        self._closed = False

    def __repr__(self) -> str:
        return f"<SendMany {self.progress}>"

    def __del__(self) -> None:
        if getattr(self, "_task", self) is None and not self._closed:
            warnings.warn("send_many was never iterated, so nothing was sent", RuntimeWarning, stacklevel=2)

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self._task is not None and not self._task.done()

    @property
    def progress(self) -> Progress:
        """How many messages were reported so far."""
        return self._reports.counts

    @property
    def stop_reason(self) -> PayamakError | None:
        """Why nothing more is tried; ``None`` as long as something is."""
        return self._refusals.stop_reason

    @property
    def unread(self) -> list[SendReport]:
        """Reports that the loop has not taken. After an early end, with those of all messages taken from the input."""
        return list(self._reports.unread)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def __aiter__(self) -> AsyncGenerator[SendReport]:
        """Send, and yield one report for each message, as they come.

        Raises:
            Exception: What the iterable of messages raised, or a hook, after the reports of all that was taken.
        """
        self._start()
        reports, news = self._reports.unread, self._reports.news
        try:
            while True:
                while reports:
                    report = reports.popleft()
                    if len(reports) <= self._most:
                        self._room.set()
                    yield report
                if self._task is None or self._task.done():
                    break
                news.clear()
                await news.wait()
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """End early. What has left is waited for as long as ``close_timeout`` says, what has not is not sent."""
        self._closed = True
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            return
        self._refusals.stop(ClientStateError("the sending was ended before this message left"))
        if not self._runner.closing:
            # Once only: both the loop and the block around it end it, and the source may be at its own cleaning up.
            self._runner.closing = True
            for task in self._tasks - self._runner.busy:
                task.cancel()
        try:
            await asyncio.wait({self._task}, timeout=self._plan.close_timeout)
        finally:
            for task in self._tasks:
                task.cancel()
            while not self._task.done():
                await asyncio.wait({self._task}, timeout=max(1.0, self._plan.close_timeout))
                self._task.cancel()  # It waits for a journal that hangs.
            if self._failure is not None:
                self._log.error("send_many: it was left early, and had failed with %s", type(self._failure).__name__)

    def _start(self) -> None:
        if self._task is None and not self._closed:
            try:
                self._on_start(self)
            except ClientStateError:
                self._closed = True
                raise
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._end)
        elif self._task is not None and self._task.get_loop() is not asyncio.get_running_loop():
            raise ClientStateError("this send_many belongs to another event loop")

    def _end(self, _task: asyncio.Task[None]) -> None:
        self._messages = ()  # Or an asynchronous generator would be kept from its own cleaning up.
        self._reports.news.set()

    async def _run(self) -> None:
        try:
            self._taking = self._spawn(self._take_all())
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await self._runner.give_up(list(self._reports.open.values()))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
            self._refusals.stop(
                error if isinstance(error, PayamakError) else ClientStateError("the sending was ended by an error")
            )
            if self._is_outbox and self._taking is not None:
                self._taking.cancel()  # It has no end of its own, and what the task was at is reported at the end.

    async def _take_all(self) -> None:
        """Take the messages from the caller, and hand them on as fast as they can be sent."""
        await self._gateway.start()
        late: list[Item] = []
        gathered: list[object] = []
        try:
            await self._take_batches(gathered, late)
        finally:
            # What an asynchronous source had given when this was ended is reported too.
            self._check(gathered)
            if self._keys is not None:
                self._keys.close()
        if late:
            self._spawn(self._runner.search_left(late))

    async def _take_batches(self, gathered: list[object], late: list[Item]) -> None:
        async with contextlib.aclosing(self._read_batches(gathered)) as batches:
            rounds = 0
            async for batch, pauses in batches:
                rounds += 1
                items = self._check(batch)
                fresh, lost, elsewhere = await self._runner.admit(items)
                if elsewhere:
                    self._spawn(self._runner.wait_for_others(elsewhere))
                if self._gateway.finds_by_content and not self._is_outbox:
                    late += lost
                elif lost:
                    self._spawn(self._runner.search_left(lost))
                for complete in self._packer.add(fresh):
                    await self._dispatch(complete)
                # The last: a rare text in an endless source must not wait for ever.
                is_long = self._packer.waiting >= _MOST_WAITING * self._gateway.limit
                if pauses or is_long or rounds % _LONGEST_WAITING == 0:
                    await self._dispatch_all()
                await self._wait_for_room()
        await self._dispatch_all()

    def _read_batches(self, gathered: list[object]) -> AsyncGenerator[tuple[list[object], bool]]:
        linger = _OUTBOX_LINGER if self._is_outbox else _LINGER
        return read_batches(self._messages, self._gateway.limit, gathered, linger=linger)

    async def _dispatch_all(self) -> None:
        for items in self._packer.take_all():
            await self._dispatch(items)

    def _check(self, batch: Sequence[Any]) -> Sequence[Item]:
        """Number the messages. Those that cannot be sent are reported at once."""
        entered = [Item(index, message) for index, message in enumerate(batch, self._taken)]
        self._taken += len(entered)
        # First of all, so that they get a report whatever happens.
        self._reports.enter(entered)
        items: list[Item] = []
        for item in entered:
            error = self._prepare(item, "")
            if error is not None:
                # Once more by its name: names for all would cost as much as the checks.
                error = self._prepare(item, f"messages[{item.index}]") or error
            if error is None or self._may_be_known(item):
                item.problem = error
                items.append(item)
            else:
                self._reports.reject(item, error)
        return self._name(items)

    def _may_be_known(self, item: Item) -> bool:
        """Whether an earlier run may have sent what a rule of today forbids."""
        if self._plan.journal is None or not isinstance(item.message, OutgoingMessage):  # pyright: ignore[reportUnnecessaryIsInstance]
            return False
        try:
            item.number = normalize_recipient(item.message.to, "to")
            checks.require_text(item.message.text, "text")
            checks.require_instance(item.message.sender or "", str, "sender")
            checks.require_instance(item.message.check_id or "", str, "check_id")
            if item.message.send_at is not None:
                checks.require_aware(item.message.send_at, "send_at")
        except InvalidArgumentError:
            return False
        return True

    def _name(self, items: Sequence[Item]) -> Sequence[Item]:
        """Give messages their keys, where they need one. Those with the check id of an earlier one are reported."""
        unnamed = [item for item in items if self._plan.journal is not None or item.message.check_id is not None]
        if not unnamed:
            return items
        if self._keys is None:
            from .keys import CheckIdKeys, KeyMaker  # noqa: PLC0415 -- few sendings have a journal or check ids

            self._keys = CheckIdKeys() if self._is_outbox else KeyMaker()
        keys = self._keys.make([(item.number, item.message) for item in unnamed])
        repeated: set[int] = set()
        for item, (key, is_repeated) in zip(unnamed, keys, strict=True):
            item.key = key
            if is_repeated:
                repeated.add(item.index)
                argument = f"messages[{item.index}].check_id"
                problem = f"{argument} is that of an earlier message of this sending"
                self._reports.reject(item, InvalidArgumentError(problem, argument=argument))
        return [item for item in items if item.index not in repeated] if repeated else items

    def _prepare(self, item: Item, argument: str) -> InvalidArgumentError | None:
        message = item.message
        try:
            checks.require_instance(message, OutgoingMessage, argument)
            content = text_key(message)
            if content != self._checked:
                self._gateway.check(message, argument)
                self._checked = content
            if message.check_id is not None:
                checks.require_text(message.check_id, f"{argument}.check_id")
            item.number = self._gateway.check_number(message, argument)
        except Exception as error:  # A value's own methods may raise anything.
            strip_frames(error)
            return checks.as_invalid_argument(error, argument or None)
        item.content = self._checked  # Not an equal one: lookups of one and the same are cheaper.
        return None

    async def _dispatch(self, items: Sequence[Item]) -> None:
        await self._wait_for_room()
        await self._slots.acquire()
        self._spawn(self._runner.run(items))

    async def _wait_for_room(self) -> None:
        """Wait until the caller has taken its reports, and the gateway has told of most that is unknown."""
        while len(self._reports.unread) > self._most or self._runner.searched > self._most:
            self._room.clear()
            await self._room.wait()
