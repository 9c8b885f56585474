"""One call of a client's method, through all its attempts: the deadline, repeating, hooks and log records."""

from __future__ import annotations

import asyncio
import datetime
import functools
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import attrs

from .errors import ClientStateError, ConnectionLostError, Outcome, PayamakError
from .hooks import Attempt, AttemptReply, Hook, Proceed, note_nothing_left
from .results import errors_within
from .retry import Effect, RetryPolicy, TryAgainError, repeating, wait_before_next
from .session import Reply, Request

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


@attrs.frozen(eq=False, repr=False)
class Caller:
    """What a client lends to its calls.

    Attributes:
        gateway: The gateway's package name.
        retry: How often to try.
        hooks: What runs around each attempt.
        log: Where the log records go.
        exchange: Sends the request of one attempt, and returns the answer; it gets the call's deadline as well.
    """

    gateway: str
    retry: RetryPolicy
    hooks: tuple[Hook, ...]
    log: logging.Logger
    exchange: Callable[[Operation, Request, float | None], Awaitable[Reply]]

    def describe(self, error: PayamakError, operation: Operation, operation_id: str | None) -> None:
        """Set what an error says of where it comes from."""
        error.gateway = self.gateway
        error.operation = operation.name
        error.operation_id = operation_id


# Neither compared nor shown; frozen, each would take longer to make.
@attrs.define(eq=False, repr=False)
class Call(Generic[T]):
    """One call of a client's method.

    Attributes:
        caller: The client's part in it.
        operation: What to run.
        operation_id: The same on every attempt, error and log record.
        request: What to send, on each attempt.
        read: Turns the answer into the result; raises `GatewayError` or `ReplyError`.
        deadline: The event loop's time by which it must end.
    """

    caller: Caller
    operation: Operation
    operation_id: str
    request: Request
    read: Callable[[Reply], T]
    deadline: float | None
    _attempts: int = attrs.field(default=0, init=False)
    _in_flight: bool = attrs.field(default=False, init=False)
    _may_have_run: bool = attrs.field(default=False, init=False)

    async def run(self, preparation: Awaitable[object] | None) -> T:
        """Make attempts until one ends it.

        Args:
            preparation: What must be awaited before the first attempt.
        """
        try:
            if preparation is not None:
                await preparation
            try:
                return await self._attempt()
            except TryAgainError as again:
                wait = again.wait
            await asyncio.sleep(wait)
            # Not around the first attempt, which is mostly the only one: it costs as much as the JSON of an answer.
            return await self._attempt_repeatedly()
        except PayamakError as error:
            self._describe(error)
            if error.outcome is Outcome.UNKNOWN:
                error.references = error.references or self.request.references
            raise
        except asyncio.CancelledError:
            self._log_cancelled()
            raise
        except Exception as error:
            if not self._attempts and self.operation.effect is Effect.ONCE:
                note_nothing_left(error)  # A hook has kept the preparation from being done.
            raise

    async def _attempt(self) -> T:
        self._attempts += 1
        self._in_flight = True
        try:
            if self.caller.hooks:
                return await self._attempt_with_hooks()
            if self.caller.log.isEnabledFor(logging.DEBUG):
                return (await self._attempt_observed(self._make_attempt()))[0]
            return self._read(await self.caller.exchange(self.operation, self.request, self.deadline))
        except PayamakError as error:
            self._in_flight = False
            wait = self._choose_wait(error)
            if wait is None:
                if self._may_have_run:
                    error.outcome = Outcome.UNKNOWN
                raise
            # Only of a read is it no matter whether an attempt got through.
            self._may_have_run |= error.outcome is Outcome.UNKNOWN and self.operation.effect is not Effect.NONE
            self.caller.log.warning(
                "%s: attempt %d of at most %d failed (%s, outcome: %s), next in %.2f s, operation id %s",
                self.operation.name, self._attempts, self.caller.retry.attempts, type(error).__name__,
                error.outcome.value, wait, self.operation_id,
            )  # fmt: skip
            raise TryAgainError(wait) from error

    @repeating
    async def _attempt_repeatedly(self) -> T:
        return await self._attempt()

    def _read(self, reply: Reply) -> T:
        result = self.read(reply)
        for failure in errors_within(result):
            self._describe(failure)
        return result

    def _describe(self, error: PayamakError) -> None:
        self.caller.describe(error, self.operation, self.operation_id)
        if error.outcome is Outcome.UNKNOWN:
            error.at = datetime.datetime.now(datetime.UTC)

    def _choose_wait(self, error: PayamakError) -> float | None:
        # A request within this one, such as that for a token, has had its own attempts.
        if error.operation_id not in (None, self.operation_id):
            return None
        now = asyncio.get_running_loop().time()
        remaining = math.inf if self.deadline is None else self.deadline - now
        return wait_before_next(
            self.caller.retry, self.operation.effect, error, attempt=self._attempts, remaining=remaining
        )

    def _make_attempt(self) -> Attempt:
        return Attempt(self.caller.gateway, self.operation.name, self.operation_id, self._attempts)

    async def _attempt_with_hooks(self) -> T:
        attempt = self._make_attempt()
        started = ended = False
        finished: list[T] = []
        failed: list[PayamakError] = []

        async def proceed() -> AttemptReply:
            nonlocal started
            if ended:
                raise ClientStateError("a hook called proceed after it had returned: nothing was sent")
            if started:
                raise RuntimeError("a hook called proceed twice")
            started = True
            try:
                result, reply = await self._attempt_observed(attempt)
            except PayamakError as error:
                failed.append(error)
                raise
            finished.append(result)
            return AttemptReply(reply.status, len(reply.body))

        chain: Proceed = proceed
        for hook in reversed(self.caller.hooks):
            chain = functools.partial(hook, attempt, chain)
        try:
            await chain()
        except Exception as error:
            if not started:
                if self.operation.effect is Effect.ONCE:
                    note_nothing_left(error)
                raise
            if not failed or error is not failed[0]:
                # Without the exception, whose text may hold anything.
                self.caller.log.log(
                    logging.ERROR, "%s: a hook failed with %s, operation id %s",
                    self.operation.name, type(error).__name__, self.operation_id,
                )  # fmt: skip
        finally:
            ended = True  # What a hook has put into a task, and has not begun, must not begin now.
        if finished:
            return finished[0]
        if failed:
            raise failed[0]
        if started:
            raise ConnectionLostError("a hook gave up on the attempt before its answer was here")
        raise ClientStateError("a hook returned without calling proceed: nothing was sent")

    async def _attempt_observed(self, attempt: Attempt) -> tuple[T, Reply]:
        log = self.caller.log
        started = time.perf_counter()
        ending = "broken off"
        try:
            reply = await self.caller.exchange(self.operation, self.request, self.deadline)
            attempt.http_status = reply.status
            result = self._read(reply)
        except PayamakError as error:
            ending = type(error).__name__
            attempt.outcome = error.outcome
            if error.operation_id is None:
                self.caller.describe(error, self.operation, self.operation_id)
            raise
        else:
            ending = "ok"
            return result, reply
        finally:
            attempt.duration = time.perf_counter() - started
            if log.isEnabledFor(logging.DEBUG):
                log.debug(
                    "%s: attempt %d, HTTP status %s, %.0f ms, %s, operation id %s",
                    attempt.operation, attempt.number, attempt.http_status, attempt.duration * 1000,
                    ending, attempt.operation_id,
                )  # fmt: skip

    def _log_cancelled(self) -> None:
        unknown = self._in_flight or self._may_have_run
        level = logging.WARNING if unknown and self.operation.effect is not Effect.NONE else logging.DEBUG
        self.caller.log.log(
            level, "%s: cancelled in attempt %d, outcome: %s, operation id %s",
            self.operation.name, self._attempts, (Outcome.UNKNOWN if unknown else Outcome.NOT_SENT).value,
            self.operation_id,
        )  # fmt: skip
