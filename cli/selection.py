"""Which rows of a file go out: not those that have gone out already, and not one twice, if it is so wished."""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from collections.abc import Mapping

from ..common import Outcome
from .gateways.base import Gateway, Record
from .rows import Row


class LeftOut(enum.StrEnum):
    """Why a row is left out."""

    SENT = "sent before"
    UNKNOWN = "unknown before"
    REPEATED = "repeated"


LEFT_OUT = "left out"
"""The outcome of a row that repeats an earlier one."""
_BY_OUTCOME = {
    Outcome.SENT.value: LeftOut.SENT,
    Outcome.UNKNOWN.value: LeftOut.UNKNOWN,
    LEFT_OUT: LeftOut.REPEATED,
}


class Selection:
    """Goes through the rows once, in their order.

    A row with an outcome is one of results. What was sent is not sent again; nor is that of which nobody knows, because
    only the journal of the job that sent it can ask.

    Args:
        gateway: Where the messages go.
        skips_repeated: Whether rows are left out whose number, as it travels, and text are those of an earlier row.
        counts_repeated: Whether they are to be counted, which takes memory for each row.

    Attributes:
        left_out: How many were left out, and why.
        repeated: How many had the number and text of an earlier row, left out or not, if they are counted.
    """

    def __init__(self, gateway: Gateway, *, skips_repeated: bool, counts_repeated: bool) -> None:
        self.left_out: Counter[LeftOut] = Counter()
        self.repeated = 0
        self._gateway = gateway
        self._skips_repeated = skips_repeated
        self._counts_repeated = counts_repeated or skips_repeated
        self._seen: set[bytes] = set()
        self._check_ids: set[bytes] = set()

    def judge(self, row: Row) -> LeftOut | None:
        """Why the next row is left out; ``None`` if it is to be sent."""
        is_repeated = self._counts_repeated and self._is_repeated(row)
        reason = _BY_OUTCOME.get(row.outcome)
        if reason is None and is_repeated:
            self.repeated += 1
            reason = LeftOut.REPEATED if self._skips_repeated else None
        if reason is not None:
            self.left_out[reason] += 1
        return reason

    def is_reused(self, row: Row) -> bool:
        """Whether a row that is to be sent has the check id of an earlier one."""
        return row.check_id is not None and not self._is_first(row.check_id.strip(), self._check_ids)

    def _is_repeated(self, row: Row) -> bool:
        number = self._gateway.find_number(row)
        if number is None:
            return False
        # A number ends where the zero is.
        return not self._is_first(f"{number}\0{row.text}", self._seen)

    @staticmethod
    def _is_first(content: str, seen: set[bytes]) -> bool:
        # A million of these take less than the texts do.
        digest = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        is_first = digest not in seen
        seen.add(digest)
        return is_first


def describe_left_out(counts: Mapping[LeftOut, int]) -> str:
    """How many rows were left out, as the end of a line; empty if none were."""
    parts = [f"{counts[reason]} {reason.value}" for reason in LeftOut if counts.get(reason)]
    return f"; left out: {', '.join(parts)}" if parts else ""


def record_left_out(counts: Mapping[LeftOut, int]) -> Record:
    """How many rows were left out, for programs."""
    return {f"left_out_{reason.name.lower()}": counts.get(reason, 0) for reason in LeftOut}
