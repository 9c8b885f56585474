"""Values as loose as the vendor may write them: dates, emojis, numbers, and models that tell no secrets."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from payamak.emulator import Emulator
from payamak.smsir import Contact, Emoji, NewContact, ReplyError, SmsIrClient
from support.raw_server import RawServer, answer
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
TEHRAN = ZoneInfo("Asia/Tehran")
DAY = datetime.datetime(2018, 5, 13, 10, 20, 30, tzinfo=TEHRAN)
UTC = datetime.UTC


async def contact_with(connect: Connect, **fields: object) -> Contact:
    body = {"IsSuccessful": True, "ContactDetails": [{"ContactRelationId": 5, **fields}]}
    async with RawServer(answer(json.dumps(body).encode())) as server, connect(server.url) as client:
        (contact,) = await client.contacts.page()
    return contact


DATES: dict[str, datetime.datetime | None] = {
    "2018-05-13T10:20:30": DAY,
    "2018-05-13T10:20:30.1": DAY.replace(microsecond=100_000),
    "2018-05-13T10:20:30.12": DAY.replace(microsecond=120_000),
    "2018-05-13T10:20:30.123": DAY.replace(microsecond=123_000),
    "2018-05-13T10:20:30.1234": DAY.replace(microsecond=123_400),
    "2018-05-13T10:20:30.12345": DAY.replace(microsecond=123_450),
    "2018-05-13T10:20:30.123456": DAY.replace(microsecond=123_456),
    "2018-05-13T10:20:30.1234567": DAY.replace(microsecond=123_456),
    "2018-05-13T10:20:30.9999999": DAY.replace(microsecond=999_999),
    "2018-05-13T10:20:30+04:30": DAY,
    "2018-05-13T10:20:30.1234567+04:30": DAY.replace(microsecond=123_456),
    "2018-05-13T10:20:30+03:30": datetime.datetime(2018, 5, 13, 6, 50, 30, tzinfo=UTC),
    "2018-05-13T05:50:30Z": DAY,
    "2018-05-13T05:50:30.5Z": DAY.replace(microsecond=500_000),
    "2018-05-13 10:20:30": DAY,
    "2018-05-13T10:20": DAY.replace(second=0),
    "2018-05-13": DAY.replace(hour=0, minute=0, second=0),
    " 2018-05-13T10:20:30 ": DAY,
    f"/Date({int(DAY.timestamp()) * 1000})/": DAY,
    f"/Date({int(DAY.timestamp()) * 1000 + 123})/": DAY.replace(microsecond=123_000),
    f"/Date({int(DAY.timestamp()) * 1000}+0430)/": DAY,
    "2023-07-01T12:00:00": datetime.datetime(2023, 7, 1, 8, 30, tzinfo=UTC),
    "2021-07-01T12:00:00": datetime.datetime(2021, 7, 1, 7, 30, tzinfo=UTC),
    "0001-01-01T00:00:00": None,
    "0001-01-01T00:00:00Z": None,
    "0001-01-01T00:00:00+03:25": None,
    "/Date(-62135596800000)/": None,
    "": None,
}


@pytest.mark.parametrize("text", DATES)
async def test_dates(text: str, connect: Connect) -> None:
    contact = await contact_with(connect, CreationDateTime=text)
    assert contact.created_at == DATES[text]
    if contact.created_at is not None:
        assert contact.created_at.utcoffset() is not None


async def test_a_date_that_is_null(connect: Connect) -> None:
    assert (await contact_with(connect, CreationDateTime=None)).created_at is None


@pytest.mark.parametrize("text", ["yesterday", "2018-13-01T00:00:00", "/Date(x)/", 5, True, {"a": 1}])
async def test_a_date_that_is_none(text: object, connect: Connect) -> None:
    error = await failure_of(contact_with(connect, CreationDateTime=text))
    assert isinstance(error, ReplyError)
    assert error.field == "ContactDetails[0].created_at"


@pytest.mark.parametrize("text", ["1397/02/23", "1397/2/1 10:20:30", "یکشنبه ۲۳ اردیبهشت ۱۳۹۷", None, ""])
async def test_persian_dates_are_opaque(text: str | None, connect: Connect) -> None:
    contact = await contact_with(connect, PersianCreationDateTime=text)
    assert contact.persian_created_at == (text or None)


@pytest.mark.parametrize("form", ["naive", "naive_7_digits", "offset", "zulu", "ms_json"])
async def test_dates_of_the_emulator(form: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.date_format = form
    moment = datetime.datetime(2021, 8, 1, 12, 30, 45, 250_000, tzinfo=TEHRAN)
    emulator.clock.set(moment)
    group = emulator.smsir.phone_book.add_group("g")
    emulator.smsir.phone_book.add_contact(group.id, "09121111111")
    (contact,) = await client.contacts.page()
    assert contact.created_at is not None
    assert abs((contact.created_at - moment).total_seconds()) < 5
    assert contact.persian_created_at is not None
    account = await client.account()
    assert account.expires_at == datetime.datetime.fromtimestamp(emulator.smsir.account.expire, UTC)


async def test_the_empty_date_of_the_emulator(emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.date_format = "min_value"
    assert (await client.account()).expires_at is None
    assert {payment.created_at for payment in await client.transactions.page()} == {None}


EMOJIS: list[tuple[object, object]] = [
    (1, Emoji.UNKNOWN),
    (2, Emoji.MAN),
    (3, Emoji.WOMAN),
    ("1", Emoji.UNKNOWN),
    ("2", Emoji.MAN),
    ("3", Emoji.WOMAN),
    (None, None),
    ("", None),
    (0, 0),
    (7, 7),
    ("7", 7),
    (255, 255),
]


@pytest.mark.parametrize(("value", "emoji"), EMOJIS)
async def test_emoji(value: object, emoji: object, connect: Connect) -> None:
    contact = await contact_with(connect, EmojiId=value)
    assert (contact.emoji, type(contact.emoji)) == (emoji, type(emoji))
    person = {"Mobile": "09121111111", "EmojiId": value}
    body = {"IsSuccessful": True, "AddedList": [person]}
    async with RawServer(answer(json.dumps(body).encode())) as server, connect(server.url) as client:
        added = await client.contacts.add(7, [NewContact("09121111111")])
    assert added.added[0].emoji == emoji


@pytest.mark.parametrize("as_string", [False, True])
@pytest.mark.parametrize("nulls", ["reported", "none", "all"])
async def test_emojis_of_the_emulator(as_string: bool, nulls: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.emoji_as_string = as_string
    emulator.smsir.switches.nulls = nulls
    group = emulator.smsir.phone_book.add_group("g")
    numbers = ["09121111111", "09122222222"]
    await client.contacts.add(group.id, [NewContact(numbers[0], emoji=Emoji.WOMAN), NewContact(numbers[1])])
    nobody = Emoji.UNKNOWN if nulls == "none" else None
    assert [contact.emoji for contact in await client.contacts.page()] == [nobody, Emoji.WOMAN]


@pytest.mark.parametrize("nulls", ["reported", "none", "all"])
async def test_every_read_survives_nulls(nulls: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.nulls = nulls
    group = emulator.smsir.phone_book.add_group("g")
    emulator.smsir.phone_book.add_contact(group.id, "09121111111")
    emulator.smsir.phone_book.add_contact(group.id, "09122222222")
    emulator.smsir.cancel_membership("09122222222")
    added = await client.contacts.add(group.id, [NewContact("09123333333")])
    assert (len(added.added), added.erroneous) == (1, [])
    batch = await client.messages.send("t", group_ids=[group.id])
    ticket = await client.tickets.open("s", "b")
    emulator.smsir.answer_ticket(ticket.id, "a")
    assert batch.message_id
    for read in (
        client.transactions.page, client.transactions.from_last_id, client.groups.list, client.contacts.page,
        client.contacts.from_last_id, client.contacts.search, client.messages.sent_page,
        client.messages.sent_from_last_id, client.notifications.page, client.notifications.from_last_id,
        client.occasional_messages.categories, client.tickets.page, client.tickets.from_last_id, client.faq,
        client.tickets.statuses,
    ):  # fmt: skip
        entries: Any = await read()
        assert entries
    assert (await client.contacts.cancelled()).total == 1
    assert len((await client.tickets.get(ticket.id)).replies) == 1
    assert await client.occasional_messages.list(13) == []


async def test_texts_that_come_as_numbers(connect: Connect) -> None:
    contact = await contact_with(connect, FirstName=5, GroupName=7, GroupId="12", RemainedSecondsToBeValid="3.5")
    assert (contact.first_name, contact.group_name, contact.group_id) == ("5", "7", 12)
    assert contact.remaining_seconds == 3.5


async def test_ids_of_64_bits(connect: Connect) -> None:
    assert (await contact_with(connect, Id=2**62 + 1)).id == 2**62 + 1


@pytest.mark.parametrize("value", [{}, [], True, "x", 1.5])
async def test_an_id_that_is_none(value: object, connect: Connect) -> None:
    error = await failure_of(contact_with(connect, GroupId=value))
    assert isinstance(error, ReplyError)
    assert error.field == "ContactDetails[0].group_id"


@pytest.mark.parametrize("value", ["x", 5, True, {"a": 1}, ["x"], [None], [[]]])
async def test_a_list_that_is_none(value: object, connect: Connect) -> None:
    body = {"IsSuccessful": True, "ContactDetails": value}
    async with RawServer(answer(json.dumps(body).encode())) as server, connect(server.url) as client:
        assert isinstance(await failure_of(client.contacts.page()), ReplyError)
