from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.emulator.jalali import jalali_text, to_jalali

A, B = "09121111111", "09122222222"
# 13 May 2018, 10:20:30.123 in Tehran, which was at +04:30 then.
SUMMER = datetime(2018, 5, 13, 5, 50, 30, 123_000, tzinfo=UTC)
WINTER = datetime(2024, 1, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gregorian", "jalali"),
    [
        ((2018, 5, 13), (1397, 2, 23)),
        ((1979, 2, 11), (1357, 11, 22)),
        ((2000, 1, 1), (1378, 10, 11)),
        ((2017, 3, 20), (1395, 12, 30)),
        ((2021, 3, 20), (1399, 12, 30)),
        ((2024, 3, 19), (1402, 12, 29)),
        ((2024, 3, 20), (1403, 1, 1)),
        ((2024, 9, 21), (1403, 6, 31)),
        ((2024, 9, 22), (1403, 7, 1)),
        ((2025, 3, 20), (1403, 12, 30)),
        ((2025, 3, 21), (1404, 1, 1)),
        ((2030, 3, 20), (1408, 12, 30)),
    ],
)
def test_jalali_dates(gregorian: tuple[int, int, int], jalali: tuple[int, int, int]) -> None:
    assert to_jalali(date(*gregorian)) == jalali


def test_jalali_days_follow_one_another() -> None:
    day, (year, month, number) = date(1950, 3, 21), (1329, 1, 1)
    for _ in range(120 * 365):
        assert to_jalali(day) == (year, month, number)
        day += timedelta(days=1)
        following = to_jalali(day)
        if following[2] == 1:
            assert number in (29, 30, 31)
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
            number = 1
        else:
            number += 1


def test_jalali_leap_years_are_four_or_five_years_apart() -> None:
    leap_years: list[int] = []
    for gregorian in range(1822, 2800):
        spring = [date(gregorian, 3, day) for day in range(18, 24)]
        (last,) = (to_jalali(day) for day in spring if to_jalali(day + timedelta(days=1))[1:] == (1, 1))
        assert last[1] == 12
        if last[2] == 30:
            leap_years.append(last[0])
    assert {later - earlier for earlier, later in pairwise(leap_years)} == {4, 5}
    assert {1391, 1395, 1399, 1403, 1408, 1412} <= set(leap_years)


def test_jalali_text_is_of_tehran() -> None:
    assert jalali_text(SUMMER) == "1397/02/23 10:20"
    assert jalali_text(datetime(2024, 3, 19, 20, 31, tzinfo=UTC)) == "1403/01/01 00:01"


@pytest.mark.parametrize(
    ("date_format", "summer", "winter"),
    [
        ("naive", r"2018-05-13T10:20:30(\.\d{1,3})?", r"2024-01-01T03:30:0\d(\.\d{1,3})?"),
        ("naive_7_digits", r"2018-05-13T10:20:30\.\d{7}", r"2024-01-01T03:30:0\d\.\d{7}"),
        ("offset", r"2018-05-13T10:20:30(\.\d{1,3})?\+04:30", r"2024-01-01T03:30:0\d(\.\d{1,3})?\+03:30"),
        ("zulu", r"2018-05-13T05:50:30(\.\d{1,3})?Z", r"2024-01-01T00:00:0\d(\.\d{1,3})?Z"),
        ("ms_json", r"/Date\(15261906\d{5}\)/", r"/Date\(170406720\d{4}\)/"),
        ("min_value", "0001-01-01T00:00:00", "0001-01-01T00:00:00"),
    ],
)
async def test_date_formats(smsir: Any, emulator: Emulator, date_format: str, summer: str, winter: str) -> None:
    emulator.smsir.switches.date_format = date_format
    for moment, shape, persian in ((SUMMER, summer, "1397/02/23 10:20"), (WINTER, winter, "1402/10/11 03:30")):
        emulator.clock.set(moment)
        smsir.token = None
        (draft,) = (await smsir("AddOrUpdateDraftMessage", Message="m"))["DraftMessageDetails"]
        assert re.fullmatch(shape, draft["CreationDateTime"]), draft
        assert draft["PersianCreationDateTime"] == persian


async def test_a_fraction_has_no_zeros_at_its_end(smsir: Any, emulator: Emulator) -> None:
    notice = emulator.smsir.notifications[-1]
    for microsecond, fraction in ((0, ""), (120_000, ".12"), (123_456, ".123"), (999, "")):
        notice.created_at = notice.created_at.replace(microsecond=microsecond)
        items = (await smsir("GetUserNotificationFromPageId"))["ListUserNotification"]
        assert items[0]["CreationDateTime"] == f"2018-05-14T10:20:30{fraction}"


async def many_sends(smsir: Any, emulator: Emulator, count: int) -> list[int]:
    await smsir.group("یک", A)
    return [(await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A]))["MessageId"] for _ in range(count)]


def ids(items: list[dict[str, Any]]) -> list[int]:
    return [item["Id"] for item in items]


async def test_pages_of_fifty(smsir: Any, emulator: Emulator) -> None:
    sent = await many_sends(smsir, emulator, 101)
    pages = [ids((await smsir("GetLastSentMessagesByPageId", pageId=page))["Messages"]) for page in range(4)]
    assert [len(page) for page in pages] == [50, 50, 1, 0]
    assert [number for page in pages for number in page] == sent[::-1]
    assert (await smsir("GetLastSentMessagesByPageId", pageId="")).ok
    assert (await smsir("GetLastSentMessagesByPageId", pageId=-1)).code == 2


async def test_from_last_id(smsir: Any, emulator: Emulator) -> None:
    sent = await many_sends(smsir, emulator, 60)

    async def read(last_id: int) -> list[int]:
        return ids((await smsir("GetLastSentMessagesFromLastId", lastId=last_id))["Messages"])

    assert await read(0) == sent[:-51:-1]
    assert await read(sent[10]) == sent[9::-1]
    assert await read(sent[0]) == []
    emulator.smsir.switches.last_id_direction = "newer"
    assert await read(0) == sent[:-51:-1]
    assert await read(sent[2]) == sent[3:53]
    assert await read(sent[-1]) == []
    assert (await smsir("GetLastSentMessagesFromLastId", lastId=-1)).code == 2


async def test_numbers_of_a_batch_from_last_id(smsir: Any) -> None:
    group_id = await smsir.group("یک", *(f"0912{number:07}" for number in range(70)))
    sent = await smsir("Send", Message="m", ContactGroupIds=[group_id], ContactRelationIds=[])
    everyone = [item["ID"] for item in sent["Ids"]]
    first = (await smsir("GetSentMessagesMobileNumbers", batchKey=sent["BatchKey"]))["Messages"]
    rest = await smsir("GetSentMessagesMobileNumbers", batchKey=sent["BatchKey"], lastId=first[-1]["Id"])
    assert ids(first) + ids(rest["Messages"]) == everyone[::-1]


@pytest.mark.parametrize(
    ("by_page", "from_last_id", "name", "page_key", "last_key"),
    [
        ("GetContactsByPageId", "GetContactsFromLastId", "ContactDetails", "pageId", "lastid"),
        ("GetTicketsByPageId", "GetTicketsFromLastId", "TicketDetails", "pageId", "lastId"),
    ],
)
async def test_long_lists(smsir: Any, by_page: str, from_last_id: str, name: str, page_key: str, last_key: str) -> None:
    await smsir.group("یک", *(f"0912{number:07}" for number in range(60)))
    for number in range(60):
        await smsir.upload("PostNewTicket", Subject=str(number), Body="b")
    pages = [(await smsir(by_page, **{page_key: page}))[name] for page in range(3)]
    assert [len(page) for page in pages] == [50, 10, 0]
    first = (await smsir(from_last_id))[name]
    rest = (await smsir(from_last_id, **{last_key: first[-1]["Id"]}))[name]
    assert (len(first), len(rest)) == (50, 10)
    key = "Mobile" if name == "ContactDetails" else "Subject"
    assert [item[key] for item in first + rest] == [item[key] for page in pages for item in page]
    assert len({item["Id"] for item in first + rest}) == 60


async def test_drafts(smsir: Any, emulator: Emulator) -> None:
    for empty in ({}, {"Id": None}, {"Id": 0}, {"Id": "", "Title": "t"}):
        assert (await smsir("AddOrUpdateDraftMessage", Message="متن", **empty)).ok
    first, *others = emulator.smsir.drafts
    assert (await smsir("AddOrUpdateDraftMessage", Id=first, Message="نو"))["DraftMessageDetails"][0]["Message"] == "نو"
    for draft_id in others:
        assert (await smsir("DeleteDraftMessage", id=draft_id)).ok
        assert (await smsir("DeleteDraftMessage", id=draft_id)).code == 3
    assert [draft["Message"] for draft in (await smsir("GetDraftMessages"))["DraftMessageDetails"]] == ["نو"]
    assert (await smsir("AddOrUpdateDraftMessage", Id=9, Message="x")).code == 3
    await smsir("AddOrUpdateDraftMessage", Message="x")
    assert max(emulator.smsir.drafts) > max(others)


async def test_questions(smsir: Any) -> None:
    items = (await smsir("GetFrequentlyAskedQuestions"))["FrequentlyAskedQuestions"]
    assert [(item["Priority"], item["IsActive"]) for item in items] == [(1, True), (2, False)]


async def test_occasional_messages(smsir: Any) -> None:
    categories = (await smsir("GetOccasionalMessageCategory"))["OccasionalMessageCategory"]
    assert [category["MessageCount"] for category in categories] == [2, 1, 0]
    for category in categories:
        answer = await smsir("GetOccasionalMessages", occasionalMessageCategoryId=category["Id"])
        found = [item["OccasionalMessageCategoryId"] for item in answer["OccasionalMessages"]]
        assert found == [category["Id"]] * category["MessageCount"]
    assert len((await smsir("GetOccasionalMessages"))["OccasionalMessages"]) == 3
    assert (await smsir("GetOccasionalMessages", occasionalMessageCategoryId=99))["OccasionalMessages"] == []


async def test_notifications(smsir: Any, emulator: Emulator) -> None:
    async def read() -> list[tuple[int, bool]]:
        items = (await smsir("GetUserNotificationFromPageId"))["ListUserNotification"]
        return [(item["Id"], item["IsRead"]) for item in items]

    old, new = (notice.id for notice in emulator.smsir.notifications)
    assert await read() == [(new, False), (old, False)]
    for _ in range(2):
        assert (await smsir("UpdateNotificationStatus", id=old)).ok
        assert await read() == [(new, False), (old, True)]
    assert (await smsir("UpdateNotificationStatus")).code == 3
    older = await smsir("GetUserNotificationFromLastId", lastId=new)
    assert ids(older["ListUserNotification"]) == [old]


async def test_bank_transactions(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.charge(1500.5)
    emulator.smsir.charge(700, valid=False)
    by_page = (await smsir("GetBankTransactionsByPageId"))["Transaction"]
    assert [(item["Amount"], item["IsValid"]) for item in by_page][:2] == [(700.0, False), (1500.5, True)]
    by_id = (await smsir("GetBankTransactionsFromLastId"))["Transaction"]
    assert [{key: item[key] for key in item if key != "Id"} for item in by_id] == by_page
    older = (await smsir("GetBankTransactionsFromLastId", lastid=by_id[0]["Id"]))["Transaction"]
    assert older == by_id[1:]
    assert (await smsir("GetUserInfo"))["Credit"] == 1_001_500
    for amount in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            emulator.smsir.charge(amount)


async def test_user_info(smsir: Any, emulator: Emulator) -> None:
    emulator.clock.set(datetime(2030, 1, 1, 12, tzinfo=UTC))
    emulator.smsir.account.expire = int(datetime(2030, 1, 11, 20, tzinfo=UTC).timestamp())
    emulator.smsir.account.credit = 7
    info = (await smsir("GetUserInfo")).body
    assert (info["ExpirationDateTime"], info["PersianExpirationDateTime"]) == (
        "2030-01-11T23:30:00",
        "1408/10/22 23:30",
    )
    assert (info["ExpirationLeftDays"], info["IsExpired"], info["Credit"]) == (10, False, 7)
    assert info["CancelMembershipKeyword"] == "لغو"
