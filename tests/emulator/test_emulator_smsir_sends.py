from __future__ import annotations

import uuid
from typing import Any

import pytest
from payamak.emulator import Emulator

A, B, C, D = "09121111111", "09122222222", "09123333333", "09124444444"


async def to_numbers(smsir: Any, *numbers: object, **more: object) -> Any:
    return await smsir("SendByMobileNumbers", **{"Message": "m", "MobileNumbers": list(numbers), **more})


async def test_sending_to_groups_and_memberships(smsir: Any, emulator: Emulator) -> None:
    one, _, two = await smsir.group("یک", A, B), await smsir.group("دو", C), await smsir.group("سه", B)
    ids = await smsir.relations()
    answer = await smsir("Send", Message="سلام", ContactGroupIds=[one, two], contactRelationIds=[ids[C], ids[A]])
    assert (answer.http, answer.ok, answer["Message"]) == (201, True, "ارسال با موفقیت انجام گردید")
    assert [item["MobileNumber"] for item in answer["Ids"]] == [A, B, C]
    assert str(uuid.UUID(answer["BatchKey"])) == answer["BatchKey"]
    messages = emulator.messages(gateway="smsir")
    assert [(m.recipient, m.text, m.operation, m.kind) for m in messages] == [
        (number, "سلام", "Message/Send", "sms") for number in (A, B, C)
    ]
    assert [item["ID"] for item in answer["Ids"]] == [m.id for m in messages]
    assert all(m.id < 2**31 for m in messages), "the vendor's own SDK reads 32 bits"
    assert emulator.smsir.account.credit == 1_000_000 - 3 * 155
    (batch,) = emulator.smsir.batches
    assert (batch.id, batch.key, batch.messages) == (answer["MessageId"], answer["BatchKey"], messages)
    info = (await smsir("GetUserInfo")).body
    assert (info["SentCount"], info["Credit"]) == (3, 1_000_000 - 465)


async def test_sending_to_numbers(smsir: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A, B)
    answer = await to_numbers(smsir, "+989121111111", 9122222222, A)
    assert [item["MobileNumber"] for item in answer["Ids"]] == [A, B]
    emulator.smsir.switches.ids_without_zero = True
    answer = await to_numbers(smsir, A)
    assert answer["Ids"][0]["MobileNumber"] == "9121111111"
    assert [m.recipient for m in emulator.messages()] == [A, B, A]


async def test_numbers_must_be_contacts_unless_switched(smsir: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A, B)
    refused = await to_numbers(smsir, A, D)
    assert (refused.ok, refused["Ids"], refused["MessageId"]) == (False, None, 0)
    assert emulator.messages() == []
    partly = await to_numbers(smsir, A, D, CanContinueInCaseOfError=True)
    assert [item["MobileNumber"] for item in partly["Ids"]] == [A]
    emulator.smsir.cancel_membership(B)
    assert not (await to_numbers(smsir, B)).ok
    emulator.smsir.switches.numbers_must_be_contacts = False
    assert (await to_numbers(smsir, D)).ok


@pytest.mark.parametrize("numbers", [["12"], [""], [None], ["09000000008"], [A, "x"], []])
async def test_wrong_numbers(smsir: Any, emulator: Emulator, numbers: list[object]) -> None:
    await smsir.group("یک", A)
    answer = await to_numbers(smsir, *numbers)
    assert (answer.ok, answer.code) == (False, 8)
    assert emulator.messages() == []
    assert (await to_numbers(smsir, *numbers, CanContinueInCaseOfError="true")).ok is (A in numbers)


async def test_waiting_contacts(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.switches.membership_sms = False
    group_id = await smsir.group("یک", A)
    await smsir("AddContacts", GroupId=group_id, ContactsDetails=[{"Mobile": B}])
    waiting = (await smsir.relations())[B]
    to_group = await smsir("Send", Message="m", ContactGroupIds=[group_id], ContactRelationIds=[])
    assert [item["MobileNumber"] for item in to_group["Ids"]] == [A]
    named = {"Message": "m", "ContactGroupIds": [group_id], "ContactRelationIds": [waiting]}
    assert (await smsir("Send", **named)).code == 8
    continued = await smsir("Send", **named, CanContinueInCaseOfError=True)
    assert [item["MobileNumber"] for item in continued["Ids"]] == [A]
    alone = {"Message": "m", "ContactGroupIds": [], "ContactRelationIds": [waiting], "CanContinueInCaseOfError": True}
    assert not (await smsir("Send", **alone)).ok
    assert (await to_numbers(smsir, B)).ok
    emulator.smsir.switches.waiting_applies_to_numbers = True
    assert not (await to_numbers(smsir, B)).ok
    emulator.clock.advance(301)
    assert (await to_numbers(smsir, B)).ok
    assert (await smsir("Send", **alone)).ok


async def test_cancelled_and_unknown_ones_are_errors(smsir: Any, emulator: Emulator) -> None:
    group_id = await smsir.group("یک", A, B)
    ids = await smsir.relations()
    emulator.smsir.cancel_membership(B)
    for groups, relations in (([group_id], [ids[B]]), ([group_id, 99], []), ([], [1])):
        named = {"Message": "m", "ContactGroupIds": groups, "ContactRelationIds": relations}
        assert (await smsir("Send", **named)).code == 3
        assert (await smsir("Send", **named, CanContinueInCaseOfError=True)).ok is bool(groups)
    assert [m.recipient for m in emulator.messages()] == [A, A]


async def test_an_empty_text_or_nobody(smsir: Any, emulator: Emulator) -> None:
    empty = await smsir.group("خالی")
    await smsir.group("یک", A)
    for text in ("", "  ", None):
        assert (await to_numbers(smsir, A, Message=text)).code == 2
    nobody = await smsir("Send", Message="m", ContactGroupIds=[empty], ContactRelationIds=[])
    assert (nobody.ok, nobody.code) == (False, 8)
    assert emulator.messages() == []


@pytest.mark.parametrize(("text", "price"), [("a" * 160, 155), ("a" * 161, 310), ("س" * 71, 310)])
async def test_credit(smsir: Any, emulator: Emulator, text: str, price: int) -> None:
    await smsir.group("یک", A, B)
    emulator.smsir.account.credit = 2 * price - 1
    refused = await to_numbers(smsir, A, B, Message=text, CanContinueInCaseOfError=True)
    assert (refused.code, refused["Message"]) == (5, "اعتبار کافی نیست")
    assert emulator.messages() == []
    emulator.smsir.account.credit += 1
    assert (await to_numbers(smsir, A, B, Message=text)).ok
    assert (emulator.smsir.account.credit, [m.price for m in emulator.messages()]) == (0, [price, price])


async def test_an_expired_account_sends_nothing(smsir: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A)
    emulator.smsir.account.expire = int(emulator.clock.timestamp()) - 86_400
    assert (await to_numbers(smsir, A)).code == 9
    info = (await smsir("GetUserInfo")).body
    assert (info["IsExpired"], info["ExpirationLeftDays"]) == (True, -2)


@pytest.mark.parametrize("name", ["Send", "SendByMobileNumbers"])
async def test_exception_after_send(smsir: Any, emulator: Emulator, name: str) -> None:
    group_id = await smsir.group("یک", A)
    emulator.smsir.switches.exception_after_send = True
    named = {"MobileNumbers": [A], "ContactGroupIds": [group_id], "ContactRelationIds": []}
    answer = await smsir(name, Message="m", **named)
    assert (answer.ok, answer.code, answer["MessageId"], answer["Ids"]) == (False, 1, 0, None)
    assert answer["Message"] == "Object reference not set to an instance of an object."
    assert [m.recipient for m in emulator.messages()] == [A]
    assert emulator.smsir.account.credit == 1_000_000 - 155


@pytest.mark.parametrize(
    ("number", "steps"),
    [
        (A, ["در صف ارسال", "رسیده به مخابرات", "رسیده به گوشی"]),
        ("09000000002", ["در صف ارسال", "رسیده به مخابرات", "نرسیده به گوشی"]),
        ("09000000016", ["در صف ارسال", "نرسیده به مخابرات", "نرسیده به مخابرات"]),
        ("09000000027", ["در صف ارسال", "لیست سیاه", "لیست سیاه"]),
        ("09000000000", ["در صف ارسال", "در صف ارسال", "در صف ارسال"]),
        ("09000000088", ["در صف ارسال", "رسیده به مخابرات", "رسیده به مخابرات"]),
    ],
)
async def test_delivery_moves_with_the_clock(smsir: Any, emulator: Emulator, number: str, steps: list[str]) -> None:
    emulator.smsir.switches.telecom_after, emulator.smsir.switches.delivered_after = 100, 200
    await smsir.group("یک", number)
    key = (await to_numbers(smsir, number))["BatchKey"]
    seen: list[str] = []
    for _ in steps:
        (item,) = (await smsir("GetSentMessagesMobileNumbers", batchKey=key.upper()))["Messages"]
        seen.append(item["DeliveryStatus"])
        emulator.clock.advance(100)
    assert seen == steps


@pytest.mark.parametrize(("number", "code"), [("09000000009", 5), ("09000000010", 1)])
async def test_special_refusals(smsir: Any, emulator: Emulator, number: str, code: int) -> None:
    await smsir.group("یک", A, number)
    assert (await to_numbers(smsir, A, number, CanContinueInCaseOfError=True)).code == code
    assert emulator.messages() == []
    assert emulator.smsir.account.credit == 1_000_000


async def test_the_count_before_sending(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.switches.membership_sms = False
    one, two = await smsir.group("یک", A, B), await smsir.group("دو", B)
    await smsir("AddContacts", GroupId=one, ContactsDetails=[{"Mobile": C}])
    ids = await smsir.relations()

    async def count(groups: list[int], relations: list[int]) -> tuple[object, object]:
        answer = await smsir("GroupContactsDistinctCount", ContactsGroupIds=groups, ContactRelationIds=relations)
        return answer["Count"], answer["InvalidCount"]

    assert await count([one, two], []) == (2, 2)
    assert await count([one], [ids[A], ids[C], 5]) == (2, 4)
    assert await count([], []) == (0, 0)
    emulator.smsir.switches.reject_empty_lists_in_count = True
    for groups, relations in (([one], []), ([], [ids[A]])):
        answer = await smsir("GroupContactsDistinctCount", ContactsGroupIds=groups, ContactRelationIds=relations)
        assert (answer.ok, answer.code) == (False, 2)
    assert await count([one], [ids[B]]) == (2, 2)
    emulator.clock.advance(301)
    assert await count([one], [ids[C]]) == (3, 1)


@pytest.mark.parametrize(("as_number", "shown"), [(True, 9121111111), (False, A)])
async def test_mobile_as_number(smsir: Any, emulator: Emulator, as_number: bool, shown: object) -> None:
    await smsir.group("یک", A)
    emulator.smsir.switches.mobile_as_number = as_number
    sent = await to_numbers(smsir, A, Message="متن")
    (item,) = (await smsir("GetSentMessagesMobileNumbers", batchKey=sent["BatchKey"]))["Messages"]
    assert (item["MobileNumber"], item["Id"], item["SmsMessageBody"]) == (shown, sent["Ids"][0]["ID"], "متن")
    assert item["BatchKey"] == sent["BatchKey"]
    assert (await smsir("GetSentMessagesMobileNumbers", batchKey="x"))["Messages"] == []


async def test_sent_messages(smsir: Any) -> None:
    await smsir.group("یک", A, B)
    sent = [await to_numbers(smsir, A, B, Message="یک"), await to_numbers(smsir, A, Message="دو")]
    for items in (
        (await smsir("GetLastSentMessagesByPageId"))["Messages"],
        (await smsir("GetLastSentMessagesFromLastId", lastId=0))["Messages"],
    ):
        assert [(item["Message"], item["DistinctRecipientsCount"]) for item in items] == [("دو", 1), ("یک", 2)]
        assert [(item["Id"], item["BatchKey"]) for item in items] == [
            (answer["MessageId"], answer["BatchKey"]) for answer in reversed(sent)
        ]
