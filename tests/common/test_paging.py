"""Walks through pages, at gateways whose lists change meanwhile: all that was there, nothing twice, and an end."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from payamak.common.paging import chunked, iterate_from_last_id, iterate_pages


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


def test_parts_of_a_list() -> None:
    assert [list(part) for part in chunked([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
