"""Many things in requests that hold a limited number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from .errors import ReplyError

T = TypeVar("T")


class WalkLimit:
    """What a walk through pages may cost, or several together: a gateway's list may go on for ever.

    Args:
        pages: So many pages.
        entries: So many entries in all. A page may bring more than were asked for.
        seconds: So long may the gateway take for all of it; what is done with the entries meanwhile does not count.
        pace: Awaited before each page; its time does not count.
    """

    def __init__(
        self,
        *,
        pages: int = 20_000,
        entries: int = 1_000_000,
        seconds: float = 6 * 3600.0,
        pace: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._pages = pages
        self._entries = entries
        self._seconds = seconds
        self._pace = pace

    async def fetch(self, fetch: Callable[[int], Awaitable[Sequence[T]]], place: int) -> Sequence[T]:
        """Fetch a page.

        Raises:
            ReplyError: There were enough of them.
        """
        if min(self._pages, self._entries, self._seconds) <= 0:
            raise ReplyError("the list does not end: it has more pages or entries than any account, or takes too long")
        if self._pace is not None:
            await self._pace()
        now = asyncio.get_running_loop().time
        started = now()
        found = await fetch(place)
        self._pages -= 1
        self._entries -= len(found)
        self._seconds -= now() - started
        return found


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
    limit: WalkLimit | None = None,
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
        limit: What it may cost, if not as much as any.

    Raises:
        ReplyError: It does not end.
    """
    limit = limit or WalkLimit()
    seen: set[str] = set()
    page = passed = 0
    before: list[Hashable] = []
    while True:
        found = await limit.fetch(fetch, page)
        new = _keep_new(found, identify, seen)
        for entry in new:
            yield entry
        passed = 0 if new else passed + len(found)
        is_over = passed > len(seen) or (page == 0 and not new)
        if is_over or not (has_more(found, len(seen)) if has_more else found):
            return
        shown = [identify(entry) for entry in found]
        if shown == before:
            first = _keep_new(await limit.fetch(fetch, 0), identify, seen)
            if not first:
                return
            for entry in first:
                yield entry
        before = shown
        page = 0 if moves_up and not new else page + 1


async def iterate_from_last_id(
    fetch: Callable[[int], Awaitable[Sequence[T]]], identify: Callable[[T], int], *, limit: WalkLimit | None = None
) -> AsyncIterator[T]:
    """Go through all entries of a list that is asked for from the last id on, none of them twice.

    The next request names the last entry of the answer before, so that it matters little whether the gateway goes from
    new to old or from old to new.

    Args:
        fetch: Fetches what follows an id; the first is 0.
        identify: Returns an entry's id.
        limit: What it may cost, if not as much as any.

    Raises:
        ReplyError: It does not end, or holds a negative id, from which no gateway goes on.
    """
    limit = limit or WalkLimit()
    seen: set[str] = set()
    for start in (0, 1):
        last_id = start
        while new := _keep_new(found := await limit.fetch(fetch, last_id), identify, seen):
            for entry in new:
                yield entry
            last_id = identify(found[-1])
            if last_id < 0:
                raise ReplyError("the list goes on from a negative id, from which nothing can be asked for")
        if all(identify(entry) == last_id for entry in found):
            return
        # What follows an id is newer, and 0 means the newest of all: the old ones are reached from the other end.


def _keep_new(found: Sequence[T], identify: Callable[[T], Hashable], seen: set[str]) -> list[T]:
    new: list[T] = []
    for entry in found:
        # Of integers anybody can choose such as meet in one place of a set, which then takes as long for each as it has
        # entries. Strings are hashed with a secret.
        identity = str(identify(entry))
        if identity not in seen:
            seen.add(identity)
            new.append(entry)
    return new
