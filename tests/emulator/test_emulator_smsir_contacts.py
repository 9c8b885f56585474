from __future__ import annotations

from typing import Any

import pytest
from payamak.emulator import Emulator

A, B, C, D = "09121111111", "09122222222", "09123333333", "09124444444"


def people(*mobiles: str) -> list[dict[str, object]]:
    return [{"Mobile": mobile} for mobile in mobiles]


def mobiles(items: Any) -> list[str]:
    chosen: list[dict[str, Any]] = items or []
    return [item["Mobile"] for item in chosen]


async def add(smsir: Any, group_id: int, *numbers: str) -> Any:
    return await smsir("AddContacts", GroupId=group_id, ContactsDetails=people(*numbers))


async def test_groups(smsir: Any) -> None:
    made = await smsir("AddOrUpdateContactGroup", GroupId=0, GroupName="یک", Color="#00ff00")
    assert (made["GroupName"], made["ContactsCount"]) == ("یک", 0)
    group_id = made["GroupId"]
    await smsir("AddOrUpdateContactGroup", GroupId=0, GroupName="دو")
    changed = await smsir("AddOrUpdateContactGroup", GroupId=group_id, GroupName="سه")
    assert (changed["GroupId"], changed["GroupName"]) == (group_id, "سه")
    groups = (await smsir("GetContactGroups"))["ContactGroups"]
    assert [(group["Name"], group["Color"]) for group in groups] == [("سه", "#00ff00"), ("دو", "#ffffff")]


async def test_group_titles_are_unique(smsir: Any) -> None:
    group_id = await smsir.group("یک")
    other = await smsir.group("دو")
    for target in (0, other):
        answer = await smsir("AddOrUpdateContactGroup", GroupId=target, GroupName=" یک ")
        assert (answer.ok, answer.code, answer["GroupId"]) == (False, 4, 0)
    assert (await smsir("AddOrUpdateContactGroup", GroupId=group_id, GroupName="یک", Color="#000000")).ok
    assert (await smsir("AddOrUpdateContactGroup", GroupId=99, GroupName="x")).code == 3


async def test_group_counts(smsir: Any, emulator: Emulator) -> None:
    group_id = await smsir.group("یک", A)
    await add(smsir, group_id, B, C)
    emulator.smsir.cancel_membership(C)
    (group,) = (await smsir("GetContactGroups"))["ContactGroups"]
    assert (group["ContactsCount"], group["InvalidContactsCount"]) == (2, 1)
    emulator.clock.advance(301)
    (group,) = (await smsir("GetContactGroups"))["ContactGroups"]
    assert (group["ContactsCount"], group["InvalidContactsCount"]) == (2, 0)


async def test_deleting_a_group(smsir: Any) -> None:
    group_id, _ = await smsir.group("یک", A), await smsir.group("دو", A, B)
    assert (await smsir("DeleteContactGroup", groupId=group_id)).ok
    again = await smsir("DeleteContactGroup", groupId=group_id)
    assert (again.ok, again.code) == (False, 3)
    assert mobiles((await smsir("GetContactsByPageId"))["ContactDetails"]) == [B, A]
    assert not (await smsir("DeleteContactGroup")).ok
    assert (await smsir("AddOrUpdateContactGroup", GroupId=0, GroupName="یک"))["GroupId"] > group_id


async def test_the_misprint_of_the_document_answers_too(smsir: Any, emulator: Emulator) -> None:
    """It has a small L for the capital I, in the method's name and in its parameter's."""
    group_id = await smsir.group("یک")
    for number in range(60):
        emulator.smsir.phone_book.add_contact(group_id, f"0912111{number:04}")
    answer = await smsir.request("GET", "Contacts/GetContactsByPageld?pageld=1")
    assert len(answer["ContactDetails"]) == 10


async def test_emptying_groups(smsir: Any) -> None:
    one, two, three = await smsir.group("یک", A), await smsir.group("دو", B), await smsir.group("سه", C)
    assert not (await smsir("DeleteGroupContacts", GroupIds=[one, 99])).ok
    assert (await smsir("DeleteGroupContacts", GroupIds=[one, two, one])).ok
    assert (await smsir("DeleteGroupContacts", GroupIds=[one])).ok
    assert mobiles((await smsir("GetContactsByPageId"))["ContactDetails"]) == [C]
    assert len((await smsir("GetContactGroups"))["ContactGroups"]) == 3
    assert not (await smsir("DeleteGroupContacts", GroupIds=[])).ok
    assert three


async def test_adding_contacts(smsir: Any) -> None:
    group_id = await smsir.group()
    details = [
        {"Mobile": "+989121111111", "Prefix": "p", "FirstName": "f", "LastName": "l", "EmojiId": "2"},
        {"mobile": 9122222222, "emojiid": 3},
        {"Mobile": "0212222222"},
        {"Mobile": A},
        {"Mobile": "09000000008"},
        {"FirstName": "nobody"},
    ]
    answer = await smsir("AddContacts", GroupId=group_id, ContactsDetails=details)
    empty = {"Prefix": None, "FirstName": None, "LastName": None}
    full = {"Prefix": "p", "FirstName": "f", "LastName": "l", "Mobile": A, "EmojiId": 2}
    assert answer["AddedList"] == [full, {**empty, "Mobile": B, "EmojiId": 3}]
    assert [(item["Mobile"], item["FirstName"]) for item in answer["ErroneousList"]] == [
        ("0212222222", None),
        (A, None),
        ("09000000008", None),
        ("", "nobody"),
    ]
    good = await add(smsir, group_id, C)
    assert (mobiles(good["AddedList"]), good["ErroneousList"]) == ([C], None)


async def test_refusals_of_adding(smsir: Any) -> None:
    group_id = await smsir.group()
    assert (await add(smsir, 99, A)).code == 3
    assert (await smsir("AddContacts", GroupId=group_id, ContactsDetails=[])).code == 2
    assert (await smsir("AddContacts", GroupId=group_id, ContactsDetails=[A])).code == 1
    wrong = await smsir("AddContacts", GroupId=group_id, ContactsDetails="x")
    assert (wrong.http, wrong.body) == (400, {"Message": "The request is invalid."})


async def test_a_contact_in_two_groups(smsir: Any) -> None:
    one, two = await smsir.group("یک"), await smsir.group("دو")
    await smsir("AddContacts", GroupId=one, ContactsDetails=[{"Mobile": A, "FirstName": "f", "EmojiId": 2}])
    await smsir("AddContacts", GroupId=two, ContactsDetails=[{"Mobile": A, "LastName": "l"}])
    items = (await smsir("GetContactsByPageId"))["ContactDetails"]
    assert [(item["GroupName"], item["FirstName"], item["LastName"], item["EmojiId"]) for item in items] == [
        ("دو", "f", "l", 2),
        ("یک", "f", "l", 2),
    ]
    assert len({item["ContactRelationId"] for item in items}) == 2
    (by_id,) = (await smsir("GetContactsFromLastId"))["ContactDetails"]
    assert by_id["ContactRelationId"] == items[0]["ContactRelationId"]
    assert by_id["Id"] not in {item["ContactRelationId"] for item in items}


async def test_membership_message_and_waiting_time(smsir: Any, emulator: Emulator) -> None:
    one, two = await smsir.group("یک"), await smsir.group("دو")
    await add(smsir, one, A)
    (message,) = emulator.messages(gateway="smsir")
    assert (message.recipient, message.kind, message.price) == (A, "membership", 0)
    assert "لغو" in message.text

    async def remaining() -> float:
        return float((await smsir("GetContactsByPageId"))["ContactDetails"][0]["RemainedSecondsToBeValid"])

    assert 295 < await remaining() <= 300
    emulator.clock.advance(100)
    assert 195 < await remaining() <= 200
    emulator.clock.advance(200)
    assert await remaining() == 0.0
    await add(smsir, two, A)
    assert await remaining() == 0.0
    await smsir("DeleteGroupContacts", GroupIds=[one, two])
    await add(smsir, one, A)
    assert await remaining() == 0.0
    assert len(emulator.messages()) == 1


async def test_switches_of_the_membership_message(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.switches.membership_sms = False
    emulator.smsir.switches.membership_wait = 0
    await add(smsir, await smsir.group(), A)
    assert emulator.messages() == []
    assert (await smsir("GetContactsByPageId"))["ContactDetails"][0]["RemainedSecondsToBeValid"] == 0.0


async def test_cancelled_members(smsir: Any, emulator: Emulator) -> None:
    one, _ = await smsir.group("یک", A, B), await smsir.group("دو", A)
    relation = (await smsir.relations())[A]
    assert emulator.smsir.cancel_membership("+989121111111") == 2
    with pytest.raises(ValueError, match="number of a contact"):
        emulator.smsir.cancel_membership(A)
    answer = await smsir("GetCancelledContactsByPageId")
    assert (mobiles(answer["ContactDetails"]), answer["CancelledContactCount"]) == ([A, A], 2)
    past = await smsir("GetCancelledContactsByPageId", pageId=1)
    assert (past["ContactDetails"], past["CancelledContactCount"]) == ([], 2)
    assert mobiles((await smsir("GetContactsByPageId"))["ContactDetails"]) == [B]
    assert mobiles((await smsir("SearchContacts"))["Contacts"]) == [B]
    assert mobiles((await add(smsir, one, A))["ErroneousList"]) == [A]
    assert not (await smsir("UpdateContact", ContactGroupRelationId=relation, Mobile=A)).ok


async def test_updating_a_contact(smsir: Any) -> None:
    one, two = await smsir.group("یک", A, B), await smsir.group("دو")
    relation = (await smsir.relations())[A]

    async def update(**changes: object) -> Any:
        return await smsir("UpdateContact", **{"ContactGroupRelationId": relation, "mobile": A, **changes})

    async def seen() -> dict[str, Any]:
        items = (await smsir("GetContactsByPageId"))["ContactDetails"]
        return next(item for item in items if item["ContactRelationId"] == relation)

    assert (await update(FirstName="f", Prefix="p", EmojiId="3", GroupId=0)).ok
    assert ((await seen())["FirstName"], (await seen())["EmojiId"], (await seen())["GroupId"]) == ("f", 3, one)
    assert (await update(LastName="l", GroupId=two)).ok
    assert ((await seen())["FirstName"], (await seen())["LastName"], (await seen())["GroupId"]) == ("f", "l", two)
    assert (await update(mobile=C)).ok
    assert ((await seen())["Mobile"], (await seen())["RemainedSecondsToBeValid"] > 290) == (C, True)
    assert (await update(mobile=B)).code == 4
    assert (await update(mobile="12")).code == 8
    assert (await update(GroupId=99)).code == 3
    assert (await update(ContactGroupRelationId=1)).code == 3
    assert (await seen())["Mobile"] == C


async def test_moving_contacts(smsir: Any) -> None:
    one, two = await smsir.group("یک", A, B, C), await smsir.group("دو", C)
    ids = {item["Mobile"]: item["ContactRelationId"] for item in await in_group(smsir, one)}
    answer = await smsir("TransferContactsToGroup", ContactGroupRelationId=list(ids.values()), NewGroupId=two)
    assert (answer["MovedCount"], answer["DuplicateCount"]) == (2, 1)
    assert mobiles(await in_group(smsir, one)) == [C]
    assert {item["Mobile"]: item["ContactRelationId"] for item in await in_group(smsir, two)}[A] == ids[A]
    misprint = await smsir("TransferContactsToGroup", ContactGroupId=[ids[A]], NewGroupId=one)
    assert (misprint["MovedCount"], misprint["DuplicateCount"]) == (1, 0)
    mistakes: list[dict[str, object]]
    mistakes = [{"ContactGroupRelationId": [1]}, {"ContactGroupRelationId": []}, {"NewGroupId": 99}]
    for wrong in mistakes:
        arguments = {"ContactGroupRelationId": [ids[A]], "NewGroupId": two, **wrong}
        assert not (await smsir("TransferContactsToGroup", **arguments)).ok
    assert mobiles(await in_group(smsir, one)) == [C, A]


async def in_group(smsir: Any, group_id: int) -> list[dict[str, Any]]:
    items = (await smsir("GetContactsByGroupIdByPageId", groupId=group_id))["ContactDetails"]
    return sorted(items, key=lambda item: -item["ContactRelationId"])


@pytest.mark.parametrize(
    ("kind", "by_relation", "by_contact"), [("both", True, True), ("relation", True, False), ("contact", False, True)]
)
async def test_deleting_contacts(
    smsir: Any, emulator: Emulator, kind: str, by_relation: bool, by_contact: bool
) -> None:
    emulator.smsir.switches.delete_contacts_by = kind
    await smsir.group("یک", A, B)
    await smsir.group("دو", A)
    items = (await smsir("GetContactsFromLastId"))["ContactDetails"]
    ids = {item["Mobile"]: item for item in items}
    assert (await smsir("DeleteContacts", Ids=[ids[B]["ContactRelationId"], 5])).ok is by_relation
    assert (await smsir("DeleteContacts", Ids=[ids[A]["Id"]])).ok is by_contact
    left = mobiles((await smsir("GetContactsByPageId"))["ContactDetails"])
    assert left == ([] if by_relation else [B]) + ([] if by_contact else [A, A])
    assert (await smsir("DeleteContacts", Ids=[5])).code == 3
    assert (await smsir("DeleteContacts", Ids=[])).code == 2


async def test_searching(smsir: Any) -> None:
    one, two = await smsir.group("یک"), await smsir.group("دو", C)
    details = [
        {"Mobile": A, "Prefix": "Dr", "FirstName": "Anna", "LastName": "Bell"},
        {"Mobile": B, "FirstName": "Hanna"},
    ]
    await smsir("AddContacts", GroupId=one, ContactsDetails=details)

    async def search(**words: object) -> list[str]:
        return mobiles((await smsir("SearchContacts", **words))["Contacts"])

    assert await search() == [B, A, C]
    assert await search(firstname="anna") == [B, A]
    assert await search(firstName="anna", prefix="dr") == [A]
    assert await search(lastname="bel") == [A]
    assert await search(mobile="0912222") == [B]
    assert await search(Mobile="+989122222222") == [B]
    assert await search(groupid=two) == [C]
    assert await search(groupid=0, pageid=0, mobile="") == [B, A, C]
    assert await search(pageid=1) == []
    assert await search(mobile="0999") == []


async def test_emoji_as_string(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.switches.emoji_as_string = True
    group_id = await smsir.group()
    details = [{"Mobile": A, "EmojiId": 2}, {"Mobile": B}]
    answer = await smsir("AddContacts", GroupId=group_id, ContactsDetails=details)
    assert [item["EmojiId"] for item in answer["AddedList"]] == ["2", None]
    emulator.smsir.switches.nulls = "none"
    items = (await smsir("GetContactsByPageId"))["ContactDetails"]
    assert [item["EmojiId"] for item in items] == ["1", "2"]


async def test_reported_null_date_by_group(smsir: Any, emulator: Emulator) -> None:
    group_id = await smsir.group("یک", A)
    assert (await in_group(smsir, group_id))[0]["CreationDateTime"] is None
    assert (await smsir("GetContactsByPageId"))["ContactDetails"][0]["CreationDateTime"] is not None
    emulator.smsir.switches.nulls = "none"
    assert (await in_group(smsir, group_id))[0]["CreationDateTime"] is not None
    assert (await smsir("GetContactsByGroupIdByPageId", groupId=99)).code == 3
