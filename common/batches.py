"""Many things in requests that hold a limited number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunked(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split a sequence into parts of at most ``size`` entries."""
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
