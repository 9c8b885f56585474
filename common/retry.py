"""What may be repeated, when, and how often. The only module that knows `backoff`."""

from __future__ import annotations

import enum

import attrs
import backoff

from . import checks
from .errors import (
    ConnectionFailedError,
    GatewayError,
    Outcome,
    PayamakError,
    RateLimitError,
    ReplyError,
    ServiceUnavailableError,
    TransportError,
)

_SERVER_ERROR = 500
_LONGEST_WAIT = 86_400.0
"""So many seconds a call waits for what a gateway asks, also one without a deadline."""


class Effect(enum.Enum):
    """What a second run of an operation would do; it decides what may be repeated."""

    NONE = "none"
    """It only reads."""
    REPEATABLE = "repeatable"
    """It changes something, and a second run changes nothing more and answers the same."""
    ONCE = "once"
    """A second run would send, create or bill again, or answer with a false failure."""


@attrs.frozen
class RetryPolicy:
    """How often and how patiently an operation is tried.

    What is repeated is not a setting:

    - Reads, and writes whose second run changes nothing, are repeated on any transport failure, on an unreadable 5xx
      answer, on 429 and on "try again".
    - Sends, and every write that creates something, are repeated only if they provably never left
      (`ConnectionFailedError`), or after an answer that is nothing but the HTTP status 429, which means just that.

    Between attempts the client waits a random time up to ``base_delay``, doubled with each attempt up to ``max_delay``,
    or as long as the gateway asks for in ``Retry-After``. If the wait would pass the call's deadline, or takes more
    than a day, the error is raised at once.

    Attributes:
        attempts: How often an operation is tried at the most, 1 to 100. 1 means: never repeat.
        base_delay: The longest first wait, in seconds.
        max_delay: The longest wait, in seconds.
    """

    attempts: int = 3
    base_delay: float = 0.5
    max_delay: float = 8.0

    def __attrs_post_init__(self) -> None:
        checks.require_between(self.attempts, "attempts", 1, 100)
        for name in ("base_delay", "max_delay"):
            checks.require_seconds(getattr(self, name), name, or_zero=True)


def may_repeat(effect: Effect, error: PayamakError) -> bool:
    """Decide whether an operation of this effect may be tried again after this error."""
    if effect is Effect.ONCE:
        # The status 429 means that nothing was done. A gateway's own words, also "try again", may come afterwards.
        is_too_early = isinstance(error, RateLimitError) and error.is_bare
        return error.outcome is not Outcome.UNKNOWN and (isinstance(error, ConnectionFailedError) or is_too_early)
    if isinstance(error, (ConnectionFailedError, RateLimitError, ServiceUnavailableError)):
        return True
    if isinstance(error, (ReplyError, GatewayError)):
        failed_there = error.http_status is not None and error.http_status >= _SERVER_ERROR
        return failed_there and error.outcome is Outcome.UNKNOWN
    return isinstance(error, TransportError)


def wait_before_next(
    policy: RetryPolicy, effect: Effect, error: PayamakError, *, attempt: int, remaining: float
) -> float | None:
    """Decide how many seconds to wait before the next attempt; ``None`` means: do not try again.

    Args:
        policy: The client's policy.
        effect: What a second run would do.
        error: How the attempt failed.
        attempt: Which attempt that was; the first is 1.
        remaining: Seconds until the call's deadline.
    """
    if attempt >= policy.attempts or not may_repeat(effect, error):
        return None
    if error.retry_after is not None:
        wait = error.retry_after
    else:
        # Nothing else of backoff: its loops call what Python 3.16 no longer has.
        wait = backoff.full_jitter(min(policy.max_delay, policy.base_delay * 2 ** (attempt - 1)))
    return wait if wait < remaining and wait <= _LONGEST_WAIT else None
