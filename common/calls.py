"""One call of a client's method, through all its attempts: the deadline, repeating, hooks and log records."""

from __future__ import annotations

import asyncio
import datetime
import functools
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import attrs

from .errors import ClientStateError, ConnectionLostError, GatewayError, Outcome, PayamakError, ReplyError
from .hiding import Secret, hide_fields, strip_frames
from .hooks import (
    Attempt,
    AttemptReply,
    CallHook,
    ClientCall,
    Hook,
    make_extra,
    note_failure,
    note_nothing_left,
)
from .results import errors_within
from .retry import Effect, RetryPolicy, wait_before_next
from .session import Reply, Request

T = TypeVar("T")
Seen = TypeVar("Seen")
Passed = TypeVar("Passed")


@attrs.frozen
class Operation:
    """One of the vendor's methods.

    Attributes:
        name: The client's method, as errors and log records name it.
        path: The path below the base URL.
        effect: What a second run would do.
        method: The HTTP method.
        gives_credential: Whether a success is answered with a credential, which is shown to nobody.
    """

    name: str
    path: str
    effect: Effect
    method: str = "POST"
    gives_credential: bool = False


@attrs.frozen(eq=False, repr=False, field_transformer=hide_fields)
class Caller:
    """What a client lends to its calls.

    Attributes:
        gateway: The gateway's package name.
        retry: How often to try.
        hooks: What runs around each attempt.
        call_hooks: What runs around each call.
        log: Where the log records go.
        exchange: Sends the request of one attempt, and returns the answer; it gets the call's deadline as well.
        keeps_replies: Whether hooks get the answers, and errors those that cannot be understood.
    """

    gateway: str
    retry: RetryPolicy
    hooks: tuple[Hook, ...]
    call_hooks: tuple[CallHook, ...]
    log: logging.Logger
    exchange: Callable[[Operation, Request, float | None], Awaitable[Reply]]
    keeps_replies: bool

    def describe(self, error: PayamakError, operation: Operation, operation_id: str | None) -> None:
        """Set what an error says of where it comes from."""
        error.gateway = self.gateway
        error.operation = operation.name
        error.operation_id = operation_id


class _TryAgainError(Exception):
    """An attempt failed, and another is to be made after a wait."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait


# Neither compared nor shown; frozen, each would take longer to make.
@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
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
            while True:
                try:
                    return await self._attempt()
                except _TryAgainError as again:
                    wait = again.wait
                # Out here, so that the next failure does not carry this one as its context.
                await asyncio.sleep(wait)
        except PayamakError as error:
            self._complete(error)
            raise
        except asyncio.CancelledError as error:
            self._log_cancelled(error)
            raise
        except Exception as error:
            if not self._attempts and self.operation.effect is Effect.ONCE:
                note_nothing_left(error)  # A hook has kept the preparation from being done.
            raise

    async def run_with_hooks(self, prepare: Callable[[], Awaitable[object] | None]) -> T:
        """Do the same within the hooks around the whole call.

        Args:
            prepare: Makes what must be awaited before the first attempt.
        """
        call = ClientCall(self.caller.gateway, self.operation.name, self.operation_id)

        async def run() -> tuple[T, None]:
            started = time.perf_counter()
            try:
                return await self.run(prepare()), None
            except BaseException as error:
                note_failure(call, error, self._judge_interrupted())
                raise
            finally:
                call.attempts = self._attempts
                call.duration = time.perf_counter() - started

        try:
            return await self._surround(self.caller.call_hooks, call, run)
        except PayamakError as error:
            self._complete(error)
            raise

    async def _attempt(self) -> T:
        self._attempts += 1
        self._in_flight = True
        try:
            if self.caller.hooks:
                return await self._attempt_with_hooks()
            if self.caller.log.isEnabledFor(logging.DEBUG):
                return (await self._attempt_observed(self._make_attempt()))[0]
            try:
                return self._read(await self.caller.exchange(self.operation, self.request, self.deadline))
            except BaseException as error:
                strip_frames(error)
                raise
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
                error.outcome.value, wait, self.operation_id, extra=self._make_extra(error),
            )  # fmt: skip
            raise _TryAgainError(wait) from error

    def _read(self, reply: Reply) -> T:
        try:
            result = self.read(reply)
        except (ReplyError, GatewayError) as error:
            self._keep(reply, error)
            raise
        except Exception as error:  # Whatever it is, also one of ours: the request has left, and this says no more.
            problem = type(error).__name__
        else:
            for failure in errors_within(result):
                self._describe(failure)
                self._keep(reply, failure)
            return result
        # Out here, because what was raised can hold the answer.
        unreadable = ReplyError(
            f"the answer (HTTP status {reply.status}) could not be read ({problem})", http_status=reply.status
        )
        self._keep(reply, unreadable)
        raise unreadable

    def _keep(self, reply: Reply, error: PayamakError) -> None:
        if self.caller.keeps_replies and isinstance(error, ReplyError):
            error.body = reply.body

    def _complete(self, error: PayamakError) -> None:
        self._describe(error)
        if error.outcome is Outcome.UNKNOWN:
            error.references = error.references or self.request.references

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

    def _make_extra(self, error: BaseException, outcome: Outcome = Outcome.UNKNOWN) -> dict[str, object]:
        attempt = self._make_attempt()
        attempt.http_status = getattr(error, "http_status", None)
        note_failure(attempt, error, outcome)
        return make_extra(attempt)

    async def _attempt_with_hooks(self) -> T:
        attempt = self._make_attempt()

        async def run() -> tuple[T, AttemptReply]:
            result, reply = await self._attempt_observed(attempt)
            return result, AttemptReply(reply.status, len(reply.body))

        return await self._surround(self.caller.hooks, attempt, run)

    async def _surround(
        self,
        hooks: Sequence[Callable[[Seen, Callable[[], Awaitable[Passed]]], Awaitable[Passed]]],
        seen: Seen,
        run: Callable[[], Awaitable[tuple[T, Passed]]],
    ) -> T:
        """Run hooks around something, whose result or error is what comes out, whatever the hooks make of it.

        Args:
            hooks: The hooks, the outermost first.
            seen: What they see of it.
            run: What they are around; it returns the result, and what hooks get of it.
        """
        started = ended = False
        finished: list[Secret[T]] = []
        failed: list[Exception] = []

        async def proceed() -> Passed:
            nonlocal started
            if ended:
                raise ClientStateError("a hook called proceed after it had returned: nothing was sent")
            if started:
                raise RuntimeError("a hook called proceed twice")
            started = True
            try:
                result, passed = await run()
            except Exception as error:
                failed.append(error)
                raise
            finished.append(Secret(result))
            return passed

        chain: Callable[[], Awaitable[Passed]] = proceed
        for hook in reversed(hooks):
            chain = functools.partial(hook, seen, chain)
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
                    self.operation.name, type(error).__name__, self.operation_id, extra=self._make_extra(error),
                )  # fmt: skip
        finally:
            ended = True  # What a hook has put into a task, and has not begun, must not begin now.
        if finished:
            return finished[0].value
        if failed:
            raise failed[0]
        if started:
            raise ConnectionLostError("a hook gave up before the answer was here")
        raise ClientStateError("a hook returned without calling proceed: nothing was sent")

    async def _attempt_observed(self, attempt: Attempt) -> tuple[T, Reply]:
        log = self.caller.log
        started = time.perf_counter()
        reply: Reply | None = None
        try:
            reply = await self.caller.exchange(self.operation, self.request, self.deadline)
            attempt.http_status = reply.status
            result = self._read(reply)
        except BaseException as error:
            note_failure(attempt, error)
            if reply is not None and self.caller.keeps_replies:
                attempt.body = reply.body
            if isinstance(error, PayamakError) and error.operation_id is None:
                self.caller.describe(error, self.operation, self.operation_id)
            strip_frames(error)
            raise
        else:
            if self.caller.keeps_replies and not self.operation.gives_credential:
                attempt.body = reply.body
            return result, reply
        finally:
            attempt.duration = time.perf_counter() - started
            if log.isEnabledFor(logging.DEBUG):
                log.debug(
                    "%s: attempt %d, HTTP status %s, %.0f ms, %s, operation id %s",
                    attempt.operation, attempt.number, attempt.http_status, attempt.duration * 1000,
                    attempt.error_type or "ok", attempt.operation_id, extra=make_extra(attempt),
                )  # fmt: skip

    def _judge_interrupted(self) -> Outcome:
        return Outcome.UNKNOWN if self._in_flight or self._may_have_run else Outcome.NOT_SENT

    def _log_cancelled(self, error: asyncio.CancelledError) -> None:
        outcome = self._judge_interrupted()
        is_serious = outcome is Outcome.UNKNOWN and self.operation.effect is not Effect.NONE
        self.caller.log.log(
            logging.WARNING if is_serious else logging.DEBUG,
            "%s: cancelled in attempt %d, outcome: %s, operation id %s",
            self.operation.name, self._attempts, outcome.value, self.operation_id,
            extra=self._make_extra(error, outcome),
        )  # fmt: skip
