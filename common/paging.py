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

    Entries that are added meanwhile push others onto later pages, so that a page may bring nothing new: the walk goes
    on over as many entries as it has seen. A page that is the one before again was pushed there, if the first page has
    something new; otherwise the gateway repeats itself, and the walk ends.

    Args:
        fetch: Fetches a page; the first is 0.
        identify: Returns what tells an entry from all others.
        has_more: Whether there may be more, by the last page and the number of entries seen; by default until a page is
            empty.
        moves_up: Whether what was not fetched yet may move up to earlier pages, because reading takes others off the
            list. When a page brings nothing new, the walk then begins anew.
    """
    seen: set[Hashable] = set()
    page = passed = 0
    before: list[Hashable] = []
    while True:
        found = await fetch(page)
        new = _keep_new(found, identify, seen)
        for entry in new:
            yield entry
        passed = 0 if new else passed + len(found)
        is_over = passed > len(seen) or (page == 0 and not new)
        if is_over or not (has_more(found, len(seen)) if has_more else found):
            return
        shown = [identify(entry) for entry in found]
        if shown == before:
            first = _keep_new(await fetch(0), identify, seen)
            if not first:
                return
            for entry in first:
                yield entry
        before = shown
        page = 0 if moves_up and not new else page + 1


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
