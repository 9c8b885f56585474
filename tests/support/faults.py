"""The emulator's faults, and what a call must make of each."""

from __future__ import annotations

import attrs
from payamak.common import (
    ConnectionLostError,
    GatewayError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    Timeout,
)
from payamak.common.retry import Effect
from payamak.emulator import Fault

ATTEMPTS = 3
# Where a connection stands already, all of it is for the answer.
HASTY = Timeout(total=20, attempt=0.3, connect=5)


@attrs.frozen
class Case:
    """A fault, and what it does.

    Attributes:
        fault: It.
        kind: The error, or None if the call succeeds all the same.
        processed: Whether the gateway did what it was asked to.
        repeats: Whether what may run twice is tried again; what must run once is not, unless ``all_repeat``.
        all_repeat: Whether anything is tried again, because the gateway refused for now.
        outcome: What the error says.
    """

    fault: Fault
    kind: type[PayamakError] | None
    processed: bool = True
    repeats: bool = True
    all_repeat: bool = False
    outcome: Outcome = Outcome.UNKNOWN

    @property
    def name(self) -> str:
        fault = self.fault
        told = [fault.kind, fault.status, fault.seconds, "processed" if fault.processed else None]
        return "-".join(str(part) for part in told if part is not None)

    def repeats_for(self, effect: Effect) -> bool:
        return self.all_repeat or (self.repeats and effect is not Effect.ONCE)


def _fault(kind: str, **arguments: object) -> Fault:
    return Fault.from_dict({"kind": kind, "times": ATTEMPTS, **arguments})


ELSEWHERE = "/elsewhere"
CASES = [
    Case(_fault("delay", seconds=0.01), None),
    Case(_fault("delay_after", seconds=0.01), None),
    Case(_fault("drop_before_read"), ConnectionLostError, processed=False),
    Case(_fault("reset_before_read"), ConnectionLostError, processed=False),
    Case(_fault("drop_unprocessed"), ConnectionLostError, processed=False),
    Case(_fault("drop_after_read"), ConnectionLostError),
    Case(_fault("reset_after_read"), ConnectionLostError),
    Case(_fault("cut_reply"), ConnectionLostError),
    Case(_fault("wrong_content_type"), None),
    Case(_fault("html"), ReplyError, processed=False),
    Case(_fault("html", processed=True, status=504), ReplyError),
    Case(_fault("html", processed=True, status=200), ReplyError, repeats=False),
    Case(_fault("status", status=500), ReplyError, processed=False),
    Case(_fault("status", status=503, processed=True, headers={"Retry-After": "0"}), ReplyError),
    Case(_fault("status", status=408), ReplyError, processed=False, repeats=False),
    Case(
        _fault("status", status=403), PermissionDeniedError, processed=False, repeats=False, outcome=Outcome.REFUSED
    ),
    Case(_fault("status", status=429), RateLimitError, processed=False, all_repeat=True, outcome=Outcome.REFUSED),
    Case(_fault("status", status=204, processed=True), ReplyError, repeats=False),
    Case(_fault("redirect", location=ELSEWHERE), ReplyError, processed=False, repeats=False),
    Case(_fault("redirect", location=ELSEWHERE, status=307, processed=True), ReplyError, repeats=False),
    Case(_fault("garbage"), ReplyError, repeats=False),
    Case(_fault("empty"), ReplyError, repeats=False),
    Case(_fault("oversized"), ReplyError, repeats=False),
    Case(_fault("bad_gzip"), ReplyError, repeats=False),
    Case(_fault("refuse", code=999, message="Object reference not set", status=400), GatewayError, repeats=False),
]  # fmt: skip
LATE = [
    Case(_fault("delay", seconds=0.5), RequestTimeoutError),
    Case(_fault("delay_after", seconds=0.5), RequestTimeoutError),
    Case(_fault("hang"), RequestTimeoutError),
    Case(_fault("hang", processed=False), RequestTimeoutError, processed=False),
]
