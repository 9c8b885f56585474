"""Many things in requests that hold a limited number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunked(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split a sequence into parts of at most ``size`` entries."""
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


async def iterate_pages(
    fetch: Callable[[int], Awaitable[Sequence[T]]],
    identify: Callable[[T], Hashable],
    *,
    has_more: Callable[[Sequence[T], int], bool] | None = None,
    moves_up: bool = False,
) -> AsyncIterator[T]:
    """Go through all entries of a list in numbered pages, none of them twice.

    When a page brings nothing new, the first page is looked at again. If that has something new, entries were added
    meanwhile and have pushed others onto later pages, so that the walk goes on; if not, it ends, also at a gateway that
    repeats itself.

    Args:
        fetch: Fetches a page; the first is 0.
        identify: Returns what tells an entry from all others.
        has_more: Whether there may be more, by the last page and the number of entries seen; by default until a page is
            empty.
        moves_up: Whether what was not fetched yet may move up to earlier pages, because reading takes others off the
            list. The walk then begins anew.
    """
    seen: set[Hashable] = set()
    page, after_first = 0, 1
    while True:
        found = await fetch(page)
        new = _keep_new(found, identify, seen)
        for entry in new:
            yield entry
        if not (has_more(found, len(seen)) if has_more else found) or (page == 0 and not new):
            return
        if new:
            page = page + 1 if page else after_first
        else:
            page, after_first = 0, 1 if moves_up else page + 1


async def iterate_from_last_id(
    fetch: Callable[[int], Awaitable[Sequence[T]]], identify: Callable[[T], int]
) -> AsyncIterator[T]:
    """Go through all entries of a list that is asked for from the last id on, none of them twice.

    The next request names the last entry of the answer before, so that it matters little whether the gateway goes from
    new to old or from old to new.

    Args:
        fetch: Fetches what follows an id; the first is 0.
        identify: Returns an entry's id.
    """
    seen: set[Hashable] = set()
    for start in (0, 1):
        last_id = start
        while new := _keep_new(found := await fetch(last_id), identify, seen):
            for entry in new:
                yield entry
            last_id = identify(found[-1])
        if all(identify(entry) == last_id for entry in found):
            return
        # What follows an id is newer, and 0 means the newest of all: the old ones are reached from the other end.


def _keep_new(found: Sequence[T], identify: Callable[[T], Hashable], seen: set[Hashable]) -> list[T]:
    new: list[T] = []
    for entry in found:
        identity = identify(entry)
        if identity not in seen:
            seen.add(identity)
            new.append(entry)
    return new
