"""Walks through pages, at gateways whose lists change meanwhile: all that was there, nothing twice, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

import attrs
import pytest
from payamak.common import ReplyError
from payamak.common.paging import WalkLimit, chunked, iterate_from_last_id, iterate_pages


@attrs.define
class Listing:
    """A list, newest first, in pages of 10.

    Attributes:
        count: How many entries there are at first; their ids are 1 to this.
        arrivals: How many come in with each request, at the front.
        reading_removes: Whether what was fetched leaves the list.
    """

    count: int
    arrivals: int = 0
    reading_removes: bool = False
    requests: int = 0
    ids: list[int] = attrs.Factory(lambda self: list(range(self.count, 0, -1)), takes_self=True)

    async def fetch(self, page: int) -> Sequence[int]:
        self.requests += 1
        assert self.requests < 100, "it does not end"
        found = self.ids[page * 10 :][:10]
        if self.reading_removes:
            self.ids = [number for number in self.ids if number not in found]
        newest = self.count + self.requests * self.arrivals
        self.ids[:0] = range(newest, newest - self.arrivals, -1)
        return found


class Walk(Protocol):
    """What is asked for a page after the other."""

    def __call__(
        self,
        fetch: Callable[[int], Awaitable[Sequence[int]]],
        identify: Callable[[int], int],
        *,
        limit: WalkLimit | None = None,
    ) -> AsyncIterator[int]: ...


def itself(entry: int) -> int:
    return entry


@pytest.mark.parametrize(
    ("count", "arrivals", "requests"),
    [(0, 0, 1), (1, 0, 2), (10, 0, 2), (25, 0, 4), (30, 0, 4), (100, 1, 13), (500, 3, 73), (40, 4, 8)],
)
async def test_entries_that_arrive_meanwhile(count: int, arrivals: int, requests: int) -> None:
    listing = Listing(count, arrivals)
    found = [entry async for entry in iterate_pages(listing.fetch, itself)]
    assert len(found) == len(set(found))
    assert set(range(1, count + 1)) <= set(found)
    assert listing.requests == requests


@pytest.mark.parametrize("after", range(1, 6))
@pytest.mark.parametrize("size", [1, 9, 10, 11, 15, 20, 25, 30, 40, 45])
async def test_many_that_arrive_at_once(size: int, after: int) -> None:
    """Also as many as a page or two hold, behind which a page shows nothing new."""
    listing = Listing(45)

    async def fetch(page: int) -> Sequence[int]:
        found = await listing.fetch(page)
        if listing.requests == after:
            listing.ids[:0] = range(1000 + size, 1000, -1)
        return found

    found = [entry async for entry in iterate_pages(fetch, itself)]
    assert len(found) == len(set(found))
    assert set(range(1, 46)) <= set(found)


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (9, 1), (10, 1), (25, 4), (100, 13)])
async def test_entries_that_leave_when_they_are_read(count: int, requests: int) -> None:
    listing = Listing(count, reading_removes=True)
    walk = iterate_pages(listing.fetch, itself, has_more=lambda _, seen: seen < count, moves_up=True)
    found = [entry async for entry in walk]
    assert sorted(found) == list(range(1, count + 1))
    assert listing.requests == requests


async def test_a_total_that_is_never_reached() -> None:
    listing = Listing(25)
    walk = iterate_pages(listing.fetch, itself, has_more=lambda _, seen: seen < 1000, moves_up=True)
    assert [entry async for entry in walk] == list(range(25, 0, -1))
    assert listing.requests == 5


@pytest.mark.parametrize("step", [1, -1])
async def test_from_the_last_id_in_either_direction(step: int) -> None:
    async def fetch(last_id: int) -> Sequence[int]:
        if last_id == 0:
            return range(125, 115, -1)
        following = [number for number in range(101, 126)[::step] if (number - last_id) * step > 0]
        return following[:10]

    found = [entry async for entry in iterate_from_last_id(fetch, itself)]
    assert sorted(found) == list(range(101, 126))


@attrs.define
class Endless:
    """A gateway that always has another page."""

    size: int = 1
    requests: int = 0

    async def fetch(self, _place: int) -> Sequence[int]:
        start = self.requests * self.size + 1
        self.requests += 1
        return range(start, start + self.size)


@pytest.mark.parametrize("walk", [iterate_pages, iterate_from_last_id])
@pytest.mark.parametrize(
    ("size", "limits", "requests"), [(1, {}, 20_000), (4, {"pages": 5}, 5), (4, {"entries": 30}, 8)]
)
async def test_a_list_that_does_not_end(walk: Walk, size: int, limits: dict[str, Any], requests: int) -> None:
    endless = Endless(size)
    with pytest.raises(ReplyError, match="does not end"):
        async for _ in walk(endless.fetch, itself, limit=WalkLimit(**limits)):
            pass
    assert endless.requests == requests


@pytest.mark.parametrize("walk", [iterate_pages, iterate_from_last_id])
async def test_walks_that_share_a_limit_also_of_the_time_that_the_gateway_takes(walk: Walk) -> None:
    async def take_time() -> None:
        await asyncio.sleep(0.01)

    endless = Endless()
    limit = WalkLimit(pages=5, seconds=0.01, pace=take_time)
    for _ in range(2):
        with pytest.raises(ReplyError, match="does not end"):
            async for _ in walk(endless.fetch, itself, limit=limit):
                pass
        assert endless.requests == 5

    async def fetch_slowly(place: int) -> Sequence[int]:
        await take_time()
        return await endless.fetch(place)

    with pytest.raises(ReplyError, match="takes too long"):
        async for _ in walk(fetch_slowly, itself, limit=WalkLimit(seconds=0.01)):
            pass
    assert endless.requests == 6


class Alike(int):
    """Integers that share a hash, as anybody can choose some that do."""

    compared = 0

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        Alike.compared += 1
        return int(self) == other


@pytest.mark.parametrize("walk", [iterate_pages, iterate_from_last_id])
async def test_ids_that_are_chosen_to_collide_make_nothing_slow(walk: Walk) -> None:
    Alike.compared = 0

    async def fetch(_place: int) -> Sequence[int]:
        return [Alike(number) for number in range(1, 101)]

    assert len([entry async for entry in walk(fetch, itself)]) == 100
    assert Alike.compared < 500  # A page with the one before, and ids with the last; not each with all, which is 5,000.


async def test_a_list_that_goes_on_from_a_negative_id() -> None:
    async def fetch(_last_id: int) -> Sequence[int]:
        return [7, -7]

    with pytest.raises(ReplyError, match="negative id"):
        assert [entry async for entry in iterate_from_last_id(fetch, itself)]


def test_parts_of_a_list() -> None:
    assert [list(part) for part in chunked([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]


async def test_no_list_takes_a_day() -> None:
    """Of whoever gives no limit: the hours are those of the gateway."""
    pages = 0

    async def fetch_slowly(page: int) -> list[int]:
        nonlocal pages
        pages += 1
        await asyncio.sleep(3600)
        return [page]

    with pytest.raises(ReplyError, match="does not end"):
        async for _ in iterate_pages(fetch_slowly, lambda entry: entry):
            pass
    assert pages == 6
