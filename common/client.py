"""What every client does around a request: checks, attempts, deadlines, hooks, log records."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import os
import ssl as ssl_module
import time
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import aiohttp
import attrs

from . import checks
from .errors import ClientStateError, ConnectionLostError, InvalidArgumentError, Outcome, PayamakError
from .hooks import Attempt, AttemptReply, Hook, Proceed
from .results import OnUnknown, OutgoingMessage, Progress, errors_within
from .retry import Effect, RetryPolicy, TryAgainError, repeating, wait_before_next
from .session import HttpSession, Reply, Request, Timeout

if TYPE_CHECKING:
    from .carrier import Carrier, RateLimiter
    from .journal import Journal
    from .many import SendMany

T = TypeVar("T")


@attrs.frozen
class Operation:
    """One of the vendor's methods.

    Attributes:
        name: The client's method, as errors and log records name it.
        path: The path below the base URL.
        effect: What a second run would do.
        method: The HTTP method.
    """

    name: str
    path: str
    effect: Effect
    method: str = "POST"


@attrs.define(eq=False, repr=False)
class _Call(Generic[T]):
    """One call of a client's method, through all its attempts."""

    operation: Operation
    operation_id: str
    request: Request
    read: Callable[[Reply], T]
    deadline: float | None
    attempts: int = 0
    in_flight: bool = False
    may_have_run: bool = False


Start: TypeAlias = tuple[str, float | None]
"""What all requests of one call share: its operation id, and the event loop's time by which it must end."""


class GatewayClient:
    """The base of the four clients. It cannot be used by itself."""

    gateway: ClassVar[str]

    def __init__(
        self,
        *,
        base_url: str,
        timeout: float | Timeout | None,
        retry: RetryPolicy,
        session: HttpSession | aiohttp.ClientSession | None,
        allow_http: bool,
        proxy: str | None,
        ssl: ssl_module.SSLContext | None,
        trust_env: bool,
        hooks: Sequence[Hook],
    ) -> None:
        checks.require_instance(allow_http, bool, "allow_http")
        self._base_url = checks.require_base_url(base_url, allow_http=allow_http)
        self._timeout = _check_timeout(timeout)
        checks.require_instance(retry, RetryPolicy, "retry")
        self._retry = retry
        self._hooks = tuple(checks.require_iterable(hooks, "hooks"))
        if not all(callable(hook) for hook in self._hooks):
            raise InvalidArgumentError("hooks must be a list of coroutine functions", argument="hooks")
        self._closes_session = not isinstance(session, HttpSession)
        if isinstance(session, HttpSession):
            if proxy is not None or ssl is not None or trust_env:
                raise InvalidArgumentError(
                    "proxy, ssl and trust_env are settings of the HttpSession: set them there", argument="session"
                )
            self._session = session
        else:
            self._session = HttpSession(session, proxy=proxy, ssl=ssl, trust_env=trust_env)
        repeating(GatewayClient._attempt)  # What cannot be loaded must show before anything is sent.
        self._closed = False
        self._closing = False
        self._sendings: weakref.WeakSet[SendMany] = weakref.WeakSet()
        self._log = logging.getLogger(f"payamak.{self.gateway}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' (closed)' if self._closed else ''}>"

    def __getstate__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: make one in each process")

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._closed

    async def __aenter__(self) -> Self:
        if self._closed:
            raise ClientStateError("the client is closed: make a new one")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client, and its connections unless you brought the session. Closing twice does no harm.

        A `send_many` that still runs is ended first, as if its loop had been left.
        """
        self._closing = True
        await asyncio.gather(*(sending.aclose() for sending in list(self._sendings)))
        self._closed = True
        if self._closes_session:
            await self._session.aclose()

    def send_many(
        self,
        messages: Iterable[OutgoingMessage] | AsyncIterable[OutgoingMessage],
        *,
        concurrency: int = 10,
        rate_limit: RateLimiter | None = None,
        progress: Callable[[Progress], object] | None = None,
        journal: Journal | None = None,
        on_unknown: OnUnknown = OnUnknown.ASK,
        grace: float = 60.0,
        close_timeout: float = 10.0,
    ) -> SendMany:
        """Send any number of messages, and yield what became of each: ``async for report in client.send_many(…)``.

        Messages that can travel together share requests. Each message gets exactly one `SendReport`, as they come and
        not in your order: sent with its id, refused, not sent, or unknown. One bad message does not sink the others of
        its request. When the gateway refuses for a reason that concerns all (credit, credentials, a blocked line), the
        rest is not tried and comes out as not sent for that reason.

        Leaving the loop early ends the sending; put ``async with client.send_many(…) as sending`` around it, then
        nothing runs on, and ``sending.unread`` has the reports that the loop did not take.

        Args:
            messages: Any iterable, also an asynchronous one. It is read only as fast as messages go out, so that a
                generator of a million costs no more memory than one of a thousand.
            concurrency: How many requests may be in flight at once, 1 to 10,000.
            rate_limit: Anything with an ``async acquire()``, such as ``aiolimiter.AsyncLimiter(10, 1)`` for 10 requests
                a second. It is asked before each request but those that are repeated, and can be shared.
            progress: A function that is called with a `Progress` after each report.
            journal: Where to write down what is done, so that a killed process can go on where it was: a
                `payamak.common.sqlite_journal.SqliteJournal`, or your own `Journal`. For one `send_many` at a time.
            on_unknown: What to do when the answer to a request was lost; by default the gateway is asked, where it can
                be. Nothing is ever sent again unless you say `OnUnknown.RESEND`.
            grace: How long a message that the gateway does not know may still turn up, in seconds. Only after that is
                it said to be not sent.
            close_timeout: How long to wait for what is in flight when the loop is left early, in seconds.

        Raises:
            InvalidArgumentError: An argument is wrong. A message that is wrong gets a report and raises nothing.
            ClientStateError: When iterating: the client is closed, or the journal is in use by another `send_many`.
            JournalError: When iterating: the journal cannot be read.
        """
        from .many import Plan, SendMany  # noqa: PLC0415 -- most programs never get here

        plan = Plan(concurrency, rate_limit, progress, journal, on_unknown, grace, close_timeout)
        carrier = self._make_carrier()
        if self._timeout.total is not None:
            carrier.longest_call = self._timeout.total
        return SendMany(
            messages,
            plan,
            gateway=self.gateway,
            carrier=carrier,
            log=self._log,
            on_start=self._enter_sending,
        )

    def _make_carrier(self) -> Carrier:
        raise NotImplementedError

    def _enter_sending(self, sending: SendMany) -> None:
        if self._closing:
            raise ClientStateError("the client is closed: make a new one")
        self._sendings.add(sending)

    def _check(self, operation: Operation, check: Callable[[], T]) -> T:
        """Check arguments before the first of several requests, with errors as complete as those of `_perform`."""
        try:
            return check()
        except PayamakError as error:
            self._describe(error, operation, os.urandom(16).hex())
            raise

    def _start(self) -> Start:
        """Mint the operation id and set the deadline of one call of a method."""
        total = self._timeout.total
        return os.urandom(16).hex(), None if total is None else asyncio.get_running_loop().time() + total

    async def _perform(
        self,
        operation: Operation,
        build: Callable[[], Request],
        read: Callable[[Reply], T],
        *,
        start: Start | None = None,
    ) -> T:
        """Run one operation, with all that belongs to it.

        Args:
            operation: What to run.
            build: Makes the request; raises `InvalidArgumentError` for bad arguments.
            read: Turns the answer into the result; raises `GatewayError` or `ReplyError`.
            start: That of the call, where one call makes several requests.
        """
        operation_id, deadline = start or self._start()
        try:
            if self._closed:
                raise ClientStateError("the client is closed: make a new one")
            call = _Call(operation, operation_id, build(), read, deadline)
            try:
                if (preparation := self._prepare(operation, deadline)) is not None:
                    await preparation
                try:
                    return await self._attempt(call)
                except TryAgainError as again:
                    wait = again.wait
                await asyncio.sleep(wait)
                # Not around the first attempt, which is mostly the only one: it costs as much as the JSON of an answer.
                return await repeating(GatewayClient._attempt)(self, call)
            except asyncio.CancelledError:
                self._log_cancelled(call)
                raise
        except PayamakError as error:
            self._describe(error, operation, operation_id)
            raise

    def _describe(self, error: PayamakError, operation: Operation, operation_id: str | None) -> None:
        error.gateway = self.gateway
        error.operation = operation.name
        error.operation_id = operation_id

    async def _attempt(self, call: _Call[T]) -> T:
        call.attempts += 1
        call.in_flight = True
        try:
            if self._hooks:
                return await self._attempt_with_hooks(call)
            if self._log.isEnabledFor(logging.DEBUG):
                return (await self._attempt_observed(call, self._make_attempt(call)))[0]
            return self._read(call, await self._exchange(call.operation, call.request, call.deadline))
        except PayamakError as error:
            call.in_flight = False
            wait = self._choose_wait(call, error)
            if wait is None:
                if call.may_have_run:
                    error.outcome = Outcome.UNKNOWN
                raise
            # Only of a read is it no matter whether an attempt got through.
            call.may_have_run |= error.outcome is Outcome.UNKNOWN and call.operation.effect is not Effect.NONE
            self._log.warning(
                "%s: attempt %d of at most %d failed (%s, outcome: %s), next in %.2f s, operation id %s",
                call.operation.name, call.attempts, self._retry.attempts, type(error).__name__,
                error.outcome.value, wait, call.operation_id,
            )  # fmt: skip
            raise TryAgainError(wait) from error

    def _read(self, call: _Call[T], reply: Reply) -> T:
        result = call.read(reply)
        for refusal in errors_within(result):
            self._describe(refusal, call.operation, call.operation_id)
        return result

    def _choose_wait(self, call: _Call[Any], error: PayamakError) -> float | None:
        # A request within this one, such as that for a token, has had its own attempts.
        if error.operation_id not in (None, call.operation_id):
            return None
        now = asyncio.get_running_loop().time()
        remaining = math.inf if call.deadline is None else call.deadline - now
        return wait_before_next(self._retry, call.operation.effect, error, attempt=call.attempts, remaining=remaining)

    def _make_attempt(self, call: _Call[Any]) -> Attempt:
        return Attempt(self.gateway, call.operation.name, call.operation_id, call.attempts)

    async def _attempt_with_hooks(self, call: _Call[T]) -> T:
        attempt = self._make_attempt(call)
        started = False
        finished: list[T] = []
        failed: list[PayamakError] = []

        async def proceed() -> AttemptReply:
            nonlocal started
            if started:
                raise RuntimeError("a hook called proceed twice")
            started = True
            try:
                result, reply = await self._attempt_observed(call, attempt)
            except PayamakError as error:
                failed.append(error)
                raise
            finished.append(result)
            return AttemptReply(reply.status, len(reply.body))

        chain: Proceed = proceed
        for hook in reversed(self._hooks):
            chain = functools.partial(hook, attempt, chain)
        try:
            await chain()
        except Exception as error:
            if not started:
                raise
            if not failed or error is not failed[0]:
                self._log.error(
                    "%s: a hook failed with %s, operation id %s",
                    call.operation.name, type(error).__name__, call.operation_id,
                )  # fmt: skip
        if finished:
            return finished[0]
        if failed:
            raise failed[0]
        if started:
            raise ConnectionLostError("a hook gave up on the attempt before its answer was here")
        raise ClientStateError("a hook returned without calling proceed: nothing was sent")

    async def _attempt_observed(self, call: _Call[T], attempt: Attempt) -> tuple[T, Reply]:
        started = time.perf_counter()
        ending = "broken off"
        try:
            reply = await self._exchange(call.operation, call.request, call.deadline)
            attempt.http_status = reply.status
            result = self._read(call, reply)
        except PayamakError as error:
            ending = type(error).__name__
            attempt.outcome = error.outcome
            if error.operation_id is None:
                self._describe(error, call.operation, call.operation_id)
            raise
        else:
            ending = "ok"
            return result, reply
        finally:
            attempt.duration = time.perf_counter() - started
            if self._log.isEnabledFor(logging.DEBUG):
                self._log.debug(
                    "%s: attempt %d, HTTP status %s, %.0f ms, %s, operation id %s",
                    attempt.operation, attempt.number, attempt.http_status, attempt.duration * 1000,
                    ending, attempt.operation_id,
                )  # fmt: skip

    def _prepare(self, operation: Operation, deadline: float | None) -> Awaitable[object] | None:
        """Do what must be done once before the first attempt. A gateway with short-lived tokens fetches one here."""
        return None

    def _exchange(self, operation: Operation, request: Request, deadline: float | None) -> Awaitable[Reply]:
        """Send the request of one attempt. A gateway with short-lived tokens adds its token here."""
        return self._session.send(request, deadline=deadline, timeout=self._timeout)

    def _log_cancelled(self, call: _Call[T]) -> None:
        unknown = call.in_flight or call.may_have_run
        level = logging.WARNING if unknown and call.operation.effect is not Effect.NONE else logging.DEBUG
        self._log.log(
            level, "%s: cancelled in attempt %d, outcome: %s, operation id %s",
            call.operation.name, call.attempts, (Outcome.UNKNOWN if unknown else Outcome.NOT_SENT).value,
            call.operation_id,
        )  # fmt: skip


def _check_timeout(timeout: float | Timeout | None) -> Timeout:
    if isinstance(timeout, Timeout):
        return timeout
    if timeout is None:
        return Timeout(total=None, attempt=None, connect=None)
    checks.require_seconds(timeout, "timeout")
    return Timeout(total=timeout, attempt=timeout)
