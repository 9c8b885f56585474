"""The groups of contacts, against the emulator."""

from __future__ import annotations

import pytest
from payamak.emulator import Emulator
from payamak.ghasedak import (
    AuthenticationError,
    Contact,
    GatewayError,
    GhasedakClient,
    Group,
    InvalidRecipientError,
    NotFoundError,
    Outcome,
    ReplyError,
    ServiceUnavailableError,
)
from support.ghasedak import Call, failure_of, make_client
from support.raw_server import RawServer, answer, envelope

FIRST, SECOND = "09121111111", "09122222222"
CALLS: dict[str, Call] = {
    "groups.create": lambda client: client.groups.create("n", parent_id=999),
    "groups.add_contacts": lambda client: client.groups.add_contacts(999, [Contact(FIRST)]),
    "groups.list": lambda client: client.groups.list(999),
    "groups.contacts": lambda client: client.groups.contacts(999),
    "groups.rename": lambda client: client.groups.rename(999, "n"),
    "groups.delete": lambda client: client.groups.delete(999),
    "groups.remove_contacts": lambda client: client.groups.remove_contacts(999, [1]),
}
REPEATED = ("groups.list", "groups.contacts", "groups.rename")
"""Those whose second run changes nothing."""
EACH_CALL = pytest.mark.parametrize("name", CALLS)


async def test_life_of_a_group(emulator: Emulator, client: GhasedakClient) -> None:
    name = "مشتریان, +&= "
    group_id = await client.groups.create(name)
    child_id = await client.groups.create("child", parent_id=group_id)
    assert await client.groups.list() == [Group(group_id, name, 0)]
    assert await client.groups.list(group_id) == [Group(child_id, "child", group_id)]
    await client.groups.rename(child_id, "فرزند")
    assert await client.groups.list(group_id) == [Group(child_id, "فرزند", group_id)]
    await client.groups.delete(child_id)
    assert await client.groups.list(group_id) == []
    assert [group.name for group in emulator.ghasedak.phone_book.groups(0)] == [name]


async def test_contacts(emulator: Emulator, client: GhasedakClient) -> None:
    group_id = await client.groups.create("g")
    await client.groups.add_contacts(
        group_id,
        iter([Contact("+989121111111", email="a+b@example.com"), Contact("۰۹۱۲۲۲۲۲۲۲۲", "رضا", "احمدی پور")]),
    )
    first, second = emulator.ghasedak.phone_book.contacts(group_id)
    assert (first.number, first.first_name, first.last_name, first.email) == (FIRST, "", "", "a+b@example.com")
    assert (second.number, second.first_name, second.last_name, second.email) == (SECOND, "رضا", "احمدی پور", "")
    found = await client.groups.contacts(group_id)
    assert [(contact.number, contact.first_name or None, contact.email or None) for contact in found] == [
        (FIRST, None, "a+b@example.com"),
        (SECOND, "رضا", None),
    ]
    # An absent name comes back in the same form in which it can be left out.
    assert found[0].first_name is None
    await client.groups.remove_contacts(group_id, [first.record_id, 1])
    assert [contact.number for contact in await client.groups.contacts(group_id)] == [SECOND]


@pytest.mark.parametrize("strict", [False, True])
async def test_optional_details_are_always_complete_lists(
    strict: bool, emulator: Emulator, client: GhasedakClient
) -> None:
    emulator.ghasedak.switches.strict_contact_lists = strict
    group_id = await client.groups.create("g")
    people = [Contact(FIRST), Contact(SECOND, "a"), Contact(FIRST, None, "b"), Contact(SECOND, None, None, "c")]
    await client.groups.add_contacts(group_id, people)
    assert [
        (contact.number, contact.first_name, contact.last_name, contact.email)
        for contact in emulator.ghasedak.phone_book.contacts(group_id)
    ] == [(FIRST, "", "", ""), (SECOND, "a", "", ""), (FIRST, "", "b", ""), (SECOND, "", "", "c")]


async def test_what_was_read_can_be_written(emulator: Emulator, client: GhasedakClient) -> None:
    """Contacts of one group go into another as they are."""
    one, other = await client.groups.create("one"), await client.groups.create("other")
    await client.groups.add_contacts(one, [Contact(FIRST), Contact(SECOND, "a")])
    contacts = await client.groups.contacts(one)
    await client.groups.add_contacts(other, contacts)
    assert await client.groups.contacts(other) == contacts


async def test_100_contacts_in_pages(emulator: Emulator, client: GhasedakClient) -> None:
    group_id = await client.groups.create("g")
    contacts = [Contact(f"0912{number:07}", f"n{number}") for number in range(100)]
    await client.groups.add_contacts(group_id, contacts)
    numbers = [contact.number for contact in contacts]
    assert [contact.number for contact in await client.groups.contacts(group_id)] == numbers
    page = await client.groups.contacts(group_id, page=1, page_size=30)
    assert [contact.number for contact in page] == numbers[30:60]
    emulator.ghasedak.switches.contacts_first_page = 1
    page = await client.groups.contacts(group_id, page=1, page_size=30)
    assert [contact.number for contact in page] == numbers[:30]
    page = await client.groups.contacts(group_id, page_size=30)
    assert [contact.number for contact in page] == numbers[:30]


async def test_number_abroad_in_a_group(emulator: Emulator, client: GhasedakClient) -> None:
    group_id = await client.groups.create("g")
    error = await failure_of(client.groups.add_contacts(group_id, [Contact("+33456351753")]))
    assert isinstance(error, InvalidRecipientError)


@EACH_CALL
@pytest.mark.parametrize("in_200", [False, True], ids=["mirrored", "in-200"])
async def test_unknown_group(name: str, in_200: bool, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.switches.errors_in_http_200 = in_200
    error = await failure_of(CALLS[name](client))
    assert isinstance(error, NotFoundError)
    assert (error.code, error.outcome, error.operation) == (404, Outcome.REFUSED, name)
    assert len(emulator.requests) == 1

    emulator.ghasedak.switches.unknown_group = "exception"
    error = await failure_of(CALLS[name](client))
    assert isinstance(error, ServiceUnavailableError)
    assert (error.code, error.outcome, error.operation) == (10, Outcome.UNKNOWN, name)
    assert len(emulator.requests) == 1 + (3 if name in REPEATED else 1)


@EACH_CALL
async def test_wrong_key(name: str, emulator: Emulator) -> None:
    async with make_client(emulator.ghasedak_url) as client:
        error = await failure_of(CALLS[name](client))
    assert isinstance(error, AuthenticationError)
    assert error.operation == name


@pytest.mark.parametrize("items", [None, "", [], {}, {"groupid": None}, {"groupid": ""}, {"id": 7}, [{"groupid": 7}]])
async def test_new_group_without_an_id(items: object) -> None:
    """There may be a group now, so it is not made again."""
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        error = await failure_of(client.groups.create("n"))
    assert isinstance(error, ReplyError)
    assert (error.outcome, error.field) == (Outcome.UNKNOWN, "items.groupid")
    assert len(server.requests) == 1


async def test_new_group_with_an_id_as_text() -> None:
    async with RawServer(answer(envelope({"groupid": "209531"}))) as server, make_client(server.url) as client:
        assert await client.groups.create("n") == 209531


@pytest.mark.parametrize("items", [None, "", [], {}, 5, [7]])
@pytest.mark.parametrize("name", ["groups.add_contacts", "groups.rename", "groups.delete", "groups.remove_contacts"])
async def test_success_with_any_items(name: str, items: object) -> None:
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await CALLS[name](client) is None


async def test_groups_loosely_written() -> None:
    items = [{"id": "7", "name": None, "parent": ""}, {"id": 8, "name": 5, "parent": "7", "new": 1}]
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await client.groups.list() == [Group(7), Group(8, "5", 7)]


async def test_contact_without_a_number_is_not_understood() -> None:
    async with RawServer(answer(envelope([{"firstName": "a"}]))) as server, make_client(server.url) as client:
        error = await failure_of(client.groups.contacts(7))
    assert isinstance(error, ReplyError)
    assert not isinstance(error, GatewayError)
