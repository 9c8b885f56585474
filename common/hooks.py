"""Hooks: a user's own functions around each attempt, for metrics and traces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs

from .errors import Outcome


@attrs.define
class Attempt:
    """What a hook sees of one attempt. The last three are set when the attempt has ended.

    Attributes:
        gateway: The gateway's package name.
        operation: The client's method.
        operation_id: The same for all attempts of one call.
        number: 1 for the first attempt.
        duration: Seconds from the request to the understood answer.
        http_status: The status of the answer, if one came.
        outcome: How it failed; ``None`` if it did what it should.
    """

    gateway: str
    operation: str
    operation_id: str
    number: int
    duration: float | None = None
    http_status: int | None = None
    outcome: Outcome | None = None


@attrs.frozen
class AttemptReply:
    """What a hook gets from ``proceed``: the size of the answer in bytes and its HTTP status."""

    http_status: int
    size: int


Proceed: TypeAlias = Callable[[], Awaitable[AttemptReply]]
Hook: TypeAlias = Callable[[Attempt, Proceed], Awaitable[AttemptReply]]
"""``async def hook(call, proceed): …; reply = await proceed(); …; return reply``, run around each attempt.

A hook observes. If it raises before it calls ``proceed``, nothing is sent and its exception reaches the caller. What it
raises afterwards is logged, and the caller gets the real result or the real error, so that a broken metric never costs
the id of a message. It must await ``proceed`` itself: when it returns, what it has put into a task and has not begun
never begins, and what has begun has an unknown outcome.
"""

_NOTHING_LEFT = "payamak: a hook raised this before anything was sent"


def note_nothing_left(error: Exception) -> None:
    """Write onto what a hook raised, for its reader and for `send_many`, that nothing of the request has left."""
    if not has_nothing_left(error):
        error.add_note(_NOTHING_LEFT)


def has_nothing_left(error: BaseException) -> bool:
    """Whether a hook raised this before anything of the request that would send left."""
    return _NOTHING_LEFT in getattr(error, "__notes__", ())
