"""Walks through pages and from last id to last id: they end, they are lazy, and nothing comes twice."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from payamak.emulator import Emulator, Fault
from payamak.smsir import InvalidArgumentError, ReplyError, SmsIrClient
from support.raw_server import Exchange, RawServer, answer, http
from support.smsir import NUMBER, failure_of

Connect = Callable[..., SmsIrClient]
Start = Callable[[SmsIrClient], AsyncIterator[Any]]


@attrs.frozen
class Walk:
    """An iterator: how it starts, and where its entries and their ids are in the vendor's answer."""

    start: Start
    field: str
    id_name: str
    by_page: bool = True


WALKS: dict[str, Walk] = {
    "contacts": Walk(lambda c: c.contacts.iterate(), "ContactDetails", "ContactRelationId"),
    "contacts of a group": Walk(lambda c: c.contacts.iterate(7), "ContactDetails", "ContactRelationId"),
    "sends": Walk(lambda c: c.messages.iterate_sent(), "Messages", "Id"),
    "recipients": Walk(lambda c: c.messages.iterate_recipients("key"), "Messages", "Id", by_page=False),
    "notifications": Walk(lambda c: c.notifications.iterate(), "ListUserNotification", "Id"),
    "tickets": Walk(lambda c: c.tickets.iterate(), "TicketDetails", "Id"),
    "transactions": Walk(lambda c: c.transactions.iterate(), "Transaction", "Id", by_page=False),
}
FROM_LAST_ID = [name for name, walk in WALKS.items() if not walk.by_page]
PAGED = [name for name, walk in WALKS.items() if walk.by_page]


def page(walk: Walk, ids: list[int]) -> bytes:
    entries = [{walk.id_name: number, "Amount": 1, "IsValid": True} for number in ids]
    return json.dumps({"IsSuccessful": True, walk.field: entries}).encode()


async def ids_of(walk: Walk, client: SmsIrClient) -> list[int]:
    return [getattr(entry, "relation_id", None) or entry.id async for entry in walk.start(client)]


@attrs.define
class Listing:
    """A gateway with a list of ids, newest first, in pages of 50."""

    walk: Walk
    ids: list[int]
    direction: str = "older"
    inclusive: bool = False

    async def __call__(self, exchange: Exchange) -> None:
        request = await exchange.read()
        query = {
            name.lower(): int(v[0]) for name, v in parse_qs(urlsplit(request.target).query).items() if v[0] != "key"
        }
        await exchange.write(http(page(self.walk, self._choose(query)), 201))

    def _choose(self, query: dict[str, int]) -> list[int]:
        if "pageid" in query:
            return self.ids[query["pageid"] * 50 :][:50]
        last_id = query["lastid"]
        if last_id == 0:
            return self.ids[:50]
        if self.direction == "newer":
            return sorted(number for number in self.ids if number > last_id - self.inclusive)[:50]
        return [number for number in self.ids if number < last_id + self.inclusive][:50]


@pytest.mark.parametrize("count", [0, 49, 50, 51, 125])
@pytest.mark.parametrize("name", WALKS)
async def test_all_of_them(name: str, count: int, connect: Connect) -> None:
    ids = list(range(1000 + count, 1000, -1))
    async with RawServer(Listing(WALKS[name], ids)) as server, connect(server.url) as client:
        assert await ids_of(WALKS[name], client) == ids
    assert len(server.requests) <= count // 50 + 3


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("direction", ["older", "newer"])
@pytest.mark.parametrize("count", [0, 1, 50, 51, 125])
@pytest.mark.parametrize("name", FROM_LAST_ID)
async def test_either_direction(name: str, count: int, direction: str, inclusive: bool, connect: Connect) -> None:
    """Nobody knows whether older or newer ones follow an id, nor whether that one comes along."""
    ids = list(range(1000 + count, 1000, -1))
    listing = Listing(WALKS[name], ids, direction, inclusive)
    async with RawServer(listing) as server, connect(server.url) as client:
        found = await ids_of(WALKS[name], client)
    assert len(found) == len(set(found))
    assert sorted(found, reverse=True) == ids
    assert len(server.requests) <= 10


@pytest.mark.parametrize("size", [1, 2, 50, 51])
@pytest.mark.parametrize("name", WALKS)
async def test_a_server_that_repeats_itself(name: str, size: int, connect: Connect) -> None:
    walk, ids = WALKS[name], list(range(1, size + 1))
    async with RawServer(answer(page(walk, ids))) as server, connect(server.url) as client:
        assert await ids_of(walk, client) == ids
    assert len(server.requests) <= 3


@pytest.mark.parametrize("name", WALKS)
async def test_a_server_that_repeats_its_last_page(name: str, connect: Connect) -> None:
    walk = WALKS[name]
    pages = [answer(page(walk, ids)) for ids in ([6, 5], [4, 3], [2, 1])]
    async with RawServer(*pages) as server, connect(server.url) as client:
        assert await ids_of(walk, client) == [6, 5, 4, 3, 2, 1]
    assert len(server.requests) <= 5


@pytest.mark.parametrize("name", WALKS)
async def test_a_server_that_goes_round_in_a_circle(name: str, connect: Connect) -> None:
    walk = WALKS[name]
    pages: Iterator[bytes] = iter([page(walk, [1, 2]), page(walk, [3, 4])] * 50)

    async def circle(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(http(next(pages)))

    async with RawServer(circle) as server, connect(server.url) as client:
        assert sorted(await ids_of(walk, client)) == [1, 2, 3, 4]
    assert len(server.requests) <= 5


@pytest.mark.parametrize("name", WALKS)
async def test_overlapping_pages(name: str, connect: Connect) -> None:
    walk = WALKS[name]
    pages = [answer(page(walk, ids)) for ids in ([9, 8, 7], [7, 6, 5], [5, 5, 4], [])]
    async with RawServer(*pages) as server, connect(server.url) as client:
        assert await ids_of(walk, client) == [9, 8, 7, 6, 5, 4]


@pytest.mark.parametrize("name", WALKS)
async def test_it_is_lazy(name: str, connect: Connect) -> None:
    walk = WALKS[name]
    listing = Listing(walk, list(range(300, 0, -1)))
    async with RawServer(listing) as server, connect(server.url) as client:
        entries: Any = walk.start(client)
        assert server.requests == []
        for _ in range(50):
            await anext(entries)
        assert len(server.requests) == 1
        await anext(entries)
        assert len(server.requests) == 2
        await entries.aclose()
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", WALKS)
async def test_entries_added_meanwhile(name: str, connect: Connect) -> None:
    """New ones push others onto the next page; what was there at the start comes, and once."""
    walk = WALKS[name]
    listing = Listing(walk, list(range(1120, 1000, -1)))
    at_first = set(listing.ids)
    found: list[int] = []
    async with RawServer(listing), RawServer(listing) as server, connect(server.url) as client:
        async for entry in walk.start(client):
            found.append(getattr(entry, "relation_id", None) or entry.id)
            if len(found) in (1, 60):
                listing.ids = [*range(listing.ids[0] + 3, listing.ids[0], -1), *listing.ids]
    assert len(found) == len(set(found))
    assert at_first <= set(found)


async def test_failing_in_the_middle(emulator: Emulator, client: SmsIrClient) -> None:
    _put(emulator, 120)
    found: list[int] = []

    async def walk() -> None:
        async for contact in client.contacts.iterate():
            found.append(contact.relation_id)
            if len(found) == 50:
                emulator.add_fault(Fault("garbage"))

    error = await failure_of(walk())
    assert isinstance(error, ReplyError)
    assert (error.operation, len(found)) == ("contacts.page", 50)


async def test_a_passing_failure(emulator: Emulator, client: SmsIrClient) -> None:
    ids = _put(emulator, 120)
    await client.authenticate()
    emulator.add_fault(Fault("drop_after_read", times=2))
    assert [contact.relation_id async for contact in client.contacts.iterate()] == ids


def _put(emulator: Emulator, count: int) -> list[int]:
    """A group of contacts that need not wait; their relation ids, newest first."""
    book = emulator.smsir.phone_book
    group = book.group_named("g") or book.add_group("g")
    ids: list[int] = []
    for number in range(count):
        membership = book.add_contact(group.id, f"0912{number:07}")
        assert membership is not None
        ids.append(membership.relation_id)
    return ids[::-1]


@pytest.mark.parametrize("direction", ["older", "newer"])
async def test_against_the_emulator(direction: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.last_id_direction = direction
    ids = _put(emulator, 120)
    group = emulator.smsir.phone_book.groups()[0]
    assert [contact.relation_id async for contact in client.contacts.iterate()] == ids
    assert [contact.relation_id async for contact in client.contacts.iterate(group.id)] == ids
    emulator.smsir.phone_book.add_group("another")
    batch = await client.messages.send("t", group_ids=[group.id])
    assert batch.batch_key
    numbers = [status.mobile async for status in client.messages.iterate_recipients(batch.batch_key)]
    assert len(numbers) == len(set(numbers)) == 120
    for _ in range(60):
        emulator.smsir.charge(100)
    payments = [payment.id async for payment in client.transactions.iterate()]
    assert len(payments) == len(set(payments)) == 63
    assert [message.id async for message in client.messages.iterate_sent()] == [batch.message_id]
    opened = [(await client.tickets.open("s", str(number))).id for number in range(51)]
    assert [ticket.id async for ticket in client.tickets.iterate()] == opened[::-1]
    assert len([notice async for notice in client.notifications.iterate()]) == 2


async def test_contacts_that_change_while_they_are_read(emulator: Emulator, client: SmsIrClient) -> None:
    """Who is in two groups has two relation ids and is two entries; nobody is one entry twice."""
    _put(emulator, 120)
    book = emulator.smsir.phone_book
    other = book.add_group("other")
    found: list[int] = []
    async for contact in client.contacts.iterate():
        found.append(contact.relation_id)
        if len(found) in (10, 60):
            book.add_contact(other.id, f"0913{len(found):07}")
            book.add_contact(other.id, f"0912{len(found):07}")
    assert len(found) == len(set(found)) >= 120


@pytest.mark.parametrize("value", [0, -1, True, "7", 1.5])
async def test_bad_arguments_show_when_the_walk_begins(value: Any, emulator: Emulator, client: SmsIrClient) -> None:
    error = await failure_of(anext(client.contacts.iterate(value)))
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, error.operation) == ("group_id", "contacts.in_group")
    key = await failure_of(anext(client.messages.iterate_recipients("")))
    assert isinstance(key, InvalidArgumentError)
    assert (key.argument, key.operation) == ("batch_key", "messages.recipients")
    assert emulator.requests == []


async def test_dates_do_not_matter(connect: Connect) -> None:
    """Ids alone say what is new, whatever the order of the dates."""
    entries = [{"Id": number, "CreationDateTime": f"{datetime.date(2018, 1, number)}T00:00:00"} for number in (2, 9, 4)]
    body = json.dumps({"IsSuccessful": True, "TicketDetails": entries}).encode()
    async with RawServer(answer(body)) as server, connect(server.url) as client:
        assert [ticket.id async for ticket in client.tickets.iterate()] == [2, 9, 4]


@pytest.mark.parametrize("burst", [50, 60, 100, 150])
async def test_sends_while_the_list_of_sends_is_read(burst: int, emulator: Emulator, client: SmsIrClient) -> None:
    book = emulator.smsir.phone_book
    book.add_contact(book.add_group("g").id, NUMBER)
    before = [(await client.messages.send_to_numbers(NUMBER, "before")).message_id for _ in range(200)]
    seen: list[int] = []
    async for message in client.messages.iterate_sent():
        seen.append(message.id)
        if len(seen) == 100:
            for _ in range(burst):
                await client.messages.send_to_numbers(NUMBER, "meanwhile")
    assert set(before) <= set(seen)
    assert len(seen) == len(set(seen))
