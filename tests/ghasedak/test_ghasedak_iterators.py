"""Going through pages: all of it, none of it twice, and an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import Contact, GhasedakClient, NotFoundError, ReceivedMessage, ReplyError
from support.ghasedak import KEY, PATIENT, QUICKLY, failure_of, make_client
from support.raw_server import Exchange, RawServer, answer, envelope, http

LINE = "10008566"
START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=30)


def _fill(emulator: Emulator, count: int) -> list[int]:
    return [
        emulator.add_inbox_message(
            gateway="ghasedak",
            sender="09121111111",
            line=LINE,
            text=f"text {number}",
            received_at=START + timedelta(minutes=number),
        ).id
        for number in range(count)
    ]


async def _received(client: GhasedakClient, **options: Any) -> list[int]:
    arguments: dict[str, Any] = {"start": START, "end": END, **options}
    return [message.message_id async for message in client.iterate_received(LINE, **arguments)]


@pytest.mark.parametrize(
    ("count", "page_size", "requests"),
    [(0, 200, 1), (1, 200, 1), (199, 200, 1), (200, 200, 1), (201, 200, 2), (450, 200, 3), (7, 1, 7), (400, 100, 4)],
)
async def test_received(count: int, page_size: int, requests: int, emulator: Emulator, client: GhasedakClient) -> None:
    ids = _fill(emulator, count)
    assert await _received(client, page_size=page_size) == ids
    assert len(emulator.requests) == requests


async def test_received_between_two_times(emulator: Emulator, client: GhasedakClient) -> None:
    ids = _fill(emulator, 450)
    start, end = START + timedelta(minutes=10), START + timedelta(minutes=430)
    assert await _received(client, start=start, end=end) == ids[10:431]
    assert await _received(client, read=True) == []


async def test_received_is_lazy(emulator: Emulator, client: GhasedakClient) -> None:
    _fill(emulator, 450)
    messages: Any = client.iterate_received(LINE, start=START, end=END)
    assert emulator.requests == []
    first = await anext(messages)
    assert isinstance(first, ReceivedMessage)
    assert len(emulator.requests) == 1
    await messages.aclose()
    assert len(emulator.requests) == 1


async def test_received_if_reading_marks_as_read(emulator: Emulator, client: GhasedakClient) -> None:
    """Nobody knows whether it does. If so, the pages of what is unread move up under the reader."""
    emulator.ghasedak.switches.reading_marks_as_read = True
    ids = _fill(emulator, 450)
    found = await _received(client)
    assert len(found) == len(set(found))
    assert sorted(found) == ids


async def test_received_while_more_arrive(emulator: Emulator, client: GhasedakClient) -> None:
    """An older message that shows up late shifts the pages; what was there already does not come twice."""
    ids = _fill(emulator, 5)
    found: list[int] = []
    async for message in client.iterate_received(LINE, start=START, end=END, page_size=2):
        if not found:
            emulator.add_inbox_message(
                gateway="ghasedak", sender="09121111111", line=LINE, text="late", received_at=START
            )
        found.append(message.message_id)
    assert len(found) == len(set(found))
    assert set(ids) <= set(found)


def _page(*numbers: int, total: object = None) -> bytes:
    items = [{"messageid": number, "message": "text"} for number in numbers]
    return envelope(items, totalcount=total)


@pytest.mark.parametrize("total", [None, 1000, "1000"])
async def test_received_from_a_server_that_repeats_itself(total: object) -> None:
    async with RawServer(answer(_page(1, 2, total=total))) as server, make_client(server.url) as client:
        assert await _received(client, page_size=2) == [1, 2]
    assert len(server.requests) <= 3


async def test_received_of_overlapping_pages() -> None:
    pages = [_page(1, 2, 3), _page(3, 4, 5), _page(5, 6), _page(99)]
    async with RawServer(*map(answer, pages)) as server, make_client(server.url) as client:
        assert await _received(client, page_size=3) == [1, 2, 3, 4, 5, 6]
    assert len(server.requests) == 3


async def test_received_ends_when_all_are_there() -> None:
    async with RawServer(answer(_page(1, 2, total=2)), answer(_page(9))) as server, make_client(server.url) as client:
        assert await _received(client, page_size=2) == [1, 2]
    assert len(server.requests) == 1


async def test_received_in_pages_smaller_than_asked_for() -> None:
    """The gateway says how many there are: a short page is not the end while some are missing."""
    pages = [_page(1, 2, total=5), _page(3, 4, total=5), _page(5, total=5), _page()]
    async with RawServer(*map(answer, pages)) as server, make_client(server.url) as client:
        assert await _received(client, page_size=200) == [1, 2, 3, 4, 5]
    assert len(server.requests) == 3


async def test_received_twice_on_one_page() -> None:
    async with RawServer(answer(_page(1, 1, 2)), answer(_page())) as server, make_client(server.url) as client:
        assert await _received(client, page_size=3) == [1, 2]


async def test_received_failing_in_the_middle(emulator: Emulator, client: GhasedakClient) -> None:
    ids = _fill(emulator, 5)
    found: list[int] = []

    async def read() -> None:
        async for message in client.iterate_received(LINE, start=START, end=END, page_size=2):
            found.append(message.message_id)
            if len(found) == 3:
                emulator.add_fault(Fault("garbage"))

    error = await failure_of(read())
    assert isinstance(error, ReplyError)
    assert error.operation == "received_page"
    assert found == ids[:4]


async def test_received_survives_a_passing_failure(emulator: Emulator, client: GhasedakClient) -> None:
    ids = _fill(emulator, 450)
    emulator.add_fault(Fault("drop_after_read", times=2))
    assert await _received(client) == ids
    assert len(emulator.requests) == 5


def _put(emulator: Emulator, count: int) -> tuple[int, list[str]]:
    book = emulator.ghasedak.phone_book
    group = book.add_group("g")
    numbers = [f"0912{number:07}" for number in range(count)]
    for number in numbers:
        book.add_contact(group.id, number, "", "", "")
    return group.id, numbers


async def _contacts(client: GhasedakClient, group_id: int, page_size: int) -> list[str]:
    return [contact.number async for contact in client.groups.iterate_contacts(group_id, page_size=page_size)]


@pytest.mark.parametrize("first_page", [0, 1])
@pytest.mark.parametrize(
    ("count", "page_size"),
    [(0, 100), (1, 100), (99, 100), (100, 100), (101, 100), (200, 100), (250, 100), (7, 1), (1, 1), (6, 3), (7, 3)],
)
async def test_contacts(
    first_page: int, count: int, page_size: int, emulator: Emulator, client: GhasedakClient
) -> None:
    emulator.ghasedak.switches.contacts_first_page = first_page
    group_id, numbers = _put(emulator, count)
    assert await _contacts(client, group_id, page_size) == numbers
    assert len(emulator.requests) <= count // page_size + 3


async def test_contacts_of_an_unknown_group(emulator: Emulator, client: GhasedakClient) -> None:
    assert isinstance(await failure_of(_contacts(client, 999, 100)), NotFoundError)


@attrs.define
class PagedContacts:
    """A gateway whose first page is 1 and which answers a page 0 in a way of its own."""

    numbers: list[str]
    page_zero: bytes
    status: int = 200

    async def __call__(self, exchange: Exchange) -> None:
        request = await exchange.read()
        query = dict(part.split("=") for part in request.target.partition("?")[2].split("&"))
        page, size = int(query["page"]), int(query["offset"])
        if page == 0:
            await exchange.write(http(self.page_zero, self.status))
            return
        part = self.numbers[(page - 1) * size : page * size]
        await exchange.write(http(envelope([{"number": number} for number in part])))


NUMBERS = [f"0912{number:07}" for number in range(7)]


@pytest.mark.parametrize(
    ("page_zero", "status"),
    [
        (envelope(None, 400, '["page is invalid"]'), 400),
        (envelope(None, 400, '["page is invalid"]'), 200),
        (envelope([2], 419, "error! Exception"), 419),
        (envelope([]), 200),
        (envelope(None), 200),
        (envelope(""), 200),
    ],
)
@pytest.mark.parametrize("page_size", [3, 7, 100])
async def test_contacts_where_there_is_no_page_0(page_zero: bytes, status: int, page_size: int) -> None:
    async with RawServer(PagedContacts(NUMBERS, page_zero, status)) as server, make_client(server.url) as client:
        assert await _contacts(client, 7, page_size) == NUMBERS


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_contacts_from_a_server_that_repeats_itself(count: int) -> None:
    items = [{"number": number} for number in NUMBERS[:count]]
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await _contacts(client, 7, 2) == NUMBERS[:count]
    assert len(server.requests) <= 3


async def test_contacts_from_a_server_that_repeats_its_last_page() -> None:
    pages = [envelope([{"number": number} for number in NUMBERS[at : at + 2]]) for at in (0, 2, 4)]
    async with RawServer(*map(answer, pages)) as server, make_client(server.url) as client:
        assert await _contacts(client, 7, 2) == NUMBERS[:6]
    assert len(server.requests) == 4


async def test_contacts_is_lazy(emulator: Emulator, client: GhasedakClient) -> None:
    group_id, numbers = _put(emulator, 5)
    contacts: Any = client.groups.iterate_contacts(group_id, page_size=2)
    assert emulator.requests == []
    assert await anext(contacts) == Contact(numbers[0])
    assert len(emulator.requests) == 1
    await contacts.aclose()


async def test_contacts_survive_a_passing_failure(emulator: Emulator) -> None:
    emulator.ghasedak.account.key = KEY
    group_id, numbers = _put(emulator, 5)
    emulator.add_fault(Fault("reset_after_read", times=2))
    async with GhasedakClient(KEY, base_url=emulator.ghasedak_url, retry=QUICKLY, timeout=PATIENT) as client:
        assert await _contacts(client, group_id, 2) == numbers
