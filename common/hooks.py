"""Hooks: a user's own functions around each call and each attempt, for metrics and traces."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs

from .errors import Outcome, PayamakError


@attrs.define(eq=False)
class ClientCall:
    """What a hook sees of one call, with all its attempts. What has a default is set when the call has ended.

    Attributes:
        gateway: The gateway's package name.
        operation: The client's method.
        operation_id: The same in all attempts, errors and log records of one call.
        attempts: How many attempts were made.
        duration: Seconds from the start to the result, with all waiting.
        outcome: How it failed; ``None`` if it did what it should.
        error_type: The class of the error, such as ``"RateLimitError"``; ``None`` if there was none.
        code: The vendor's own number or word for the failure, if it gave one.
    """

    gateway: str
    operation: str
    operation_id: str
    attempts: int = 0
    duration: float | None = None
    outcome: Outcome | None = None
    error_type: str | None = None
    code: int | str | None = attrs.field(default=None, repr=False)


@attrs.define(eq=False)
class Attempt:
    """What a hook sees of one attempt. What has a default is set when the attempt has ended.

    Attributes:
        gateway: The gateway's package name.
        operation: The client's method.
        operation_id: The same for all attempts of one call.
        number: 1 for the first attempt.
        duration: Seconds from the request to the understood answer.
        http_status: The status of the answer, if one came.
        outcome: How it failed; ``None`` if it did what it should.
        error_type: The class of the error, such as ``"RateLimitError"``; ``None`` if there was none.
        code: The vendor's own number or word for the failure, if it gave one.
        body: The answer, if the client was made with ``keep_replies=True``; not that which holds a token. It may quote
            what you sent.
    """

    gateway: str
    operation: str
    operation_id: str
    number: int
    duration: float | None = None
    http_status: int | None = None
    outcome: Outcome | None = None
    error_type: str | None = None
    code: int | str | None = attrs.field(default=None, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen
class AttemptReply:
    """What a hook gets from ``proceed``: the size of the answer in bytes and its HTTP status."""

    http_status: int
    size: int


Proceed: TypeAlias = Callable[[], Awaitable[AttemptReply]]
Hook: TypeAlias = Callable[[Attempt, Proceed], Awaitable[AttemptReply]]
"""``async def hook(attempt, proceed): …; reply = await proceed(); …; return reply``, run around each attempt.

A hook observes. If it raises before it calls ``proceed``, nothing is sent and its exception reaches the caller. What it
raises afterwards is logged, and the caller gets the real result or the real error, so that a broken metric never costs
the id of a message. It must await ``proceed`` itself: when it returns, what it has put into a task and has not begun
never begins, and what has begun has an unknown outcome.
"""
ProceedCall: TypeAlias = Callable[[], Awaitable[None]]
CallHook: TypeAlias = Callable[[ClientCall, ProceedCall], Awaitable[None]]
"""``async def hook(call, proceed): …; await proceed(); …``, run around a whole call by the rules of a `Hook`."""

_MOST_OF_A_CODE = 100_000
"""Above it are telephone numbers and ids."""
_FAULT_CODE = r"(?:[A-Za-z-]{1,20}:)?(?:Client|Server|Sender|Receiver|VersionMismatch|MustUnderstand)"
_NOTHING_LEFT = "payamak: a hook raised this before anything was sent"


def note_failure(seen: ClientCall | Attempt, error: BaseException, outcome: Outcome = Outcome.UNKNOWN) -> None:
    """Write down how it failed.

    Args:
        seen: What the hooks see of it.
        error: What was raised.
        outcome: That of an error which does not know it, such as that of a cancelled task.
    """
    seen.error_type = type(error).__name__
    seen.outcome = error.outcome if isinstance(error, PayamakError) else outcome
    seen.code = getattr(error, "code", None)


def make_extra(attempt: Attempt) -> dict[str, object]:
    """What a log record carries beside its text, under names that nobody else gives: logging refuses a name twice."""
    code = attempt.code
    is_harmless = abs(code) < _MOST_OF_A_CODE if isinstance(code, int) else re.fullmatch(_FAULT_CODE, code or "")
    return {
        "payamak_gateway": attempt.gateway,
        "payamak_operation": attempt.operation,
        "payamak_operation_id": attempt.operation_id,
        "payamak_attempt": attempt.number,
        "payamak_duration": attempt.duration,
        "payamak_http_status": attempt.http_status,
        "payamak_outcome": None if attempt.outcome is None else attempt.outcome.value,
        "payamak_error_type": attempt.error_type,
        "payamak_code": code if is_harmless else None,
    }


def note_nothing_left(error: Exception) -> None:
    """Write onto what a hook raised, for its reader and for `send_many`, that nothing of the request has left."""
    if not has_nothing_left(error):
        error.add_note(_NOTHING_LEFT)


def has_nothing_left(error: BaseException) -> bool:
    """Whether a hook raised this before anything of the request that would send left."""
    return _NOTHING_LEFT in getattr(error, "__notes__", ())
