"""Switches with which a gateway takes, keeps or shows other than it says."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from payamak.emulator import Emulator

A, B, C = "09121111111", "09122222222", "09123333333"
START = datetime(2030, 1, 1, tzinfo=UTC)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
ACCESS = {"uname": "emulator", "pass": "emulator"}

Post = Callable[..., Awaitable[Any]]


def recipients(emulator: Emulator) -> list[str]:
    return [message.recipient for message in emulator.messages()]


@pytest.fixture
def op(emulator: Emulator, session: aiohttp.ClientSession) -> Post:
    async def run(*numbers: str) -> Any:
        data = {**ACCESS, "op": "send", "from": "3000505", "message": "m", "to": json.dumps(numbers)}
        async with session.post(emulator.opgateway_url, data=data) as response:
            return json.loads(await response.read())

    return run


@pytest.fixture
def rest(emulator: Emulator, session: aiohttp.ClientSession) -> Post:
    async def run(file: str, **fields: object) -> Any:
        body = {**ACCESS, "from": "50001", **fields}
        async with session.post(f"{emulator.advgateway_rest_url}{file}.php", json=body) as response:
            return await response.json()

    return run


# Part of a list.


@pytest.mark.parametrize(("taken", "numbers"), [([A, B], [A, B, "09000000008", C]), ([], ["12", A]), ([A], [A, "12"])])
async def test_ghasedak_takes_those_before_a_wrong_number(
    call: Any, emulator: Emulator, numbers: list[str], taken: list[str]
) -> None:
    emulator.ghasedak.switches.partial_lists = True
    reply = await call(
        "sms/send/pair", message="m", receptor=",".join(numbers), checkid=",".join("1234"[: len(numbers)])
    )
    assert (reply.code, reply.items) == (419, [8])
    assert recipients(emulator) == taken
    assert emulator.ghasedak.account.credit == 1_000_000 - 155 * len(taken)
    assert [item["status"] for item in (await call("sms/status", id="1,2,3,4", type=2)).items] == [
        *([0] * len(taken)),
        *([-1] * (4 - len(taken))),
    ]


async def test_ghasedak_refuses_before_it_takes_a_part(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.partial_lists = True
    emulator.ghasedak.account.credit = 155
    fields = {"message": "m", "receptor": f"{A},{B},12"}
    assert (await call("sms/send/pair", **fields)).items == [9]
    assert emulator.messages() == []
    emulator.ghasedak.account.credit = 310
    assert (await call("sms/send/pair", **fields)).items == [8]
    assert (await call("sms/send/pair", message="m", receptor=A)).items == [9]
    assert recipients(emulator) == [A, B]


async def test_ghasedak_answers_for_each_where_it_was_told_to(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.partial_lists = emulator.ghasedak.switches.per_recipient_errors = True
    reply = await call("sms/send/pair", message="m", receptor=f"{A},12,{B}")
    assert (reply.code, reply.items[1]) == (200, 8)
    assert recipients(emulator) == [A, B]


@pytest.mark.parametrize("wrong", ["12", "09000000008", C])
async def test_smsir_takes_those_before_a_wrong_number(smsir: Any, emulator: Emulator, wrong: str) -> None:
    await smsir.group("یک", A, B)
    order = {"Message": "m", "MobileNumbers": [A, wrong, B, wrong]}
    refused = await smsir("SendByMobileNumbers", **order)
    assert recipients(emulator) == []
    emulator.smsir.switches.partial_lists = True
    answer = await smsir("SendByMobileNumbers", **order)
    assert (answer.http, answer.body) == (refused.http, refused.body)
    assert not answer.ok
    assert recipients(emulator) == [A]
    emulator.smsir.switches.partial_list_answer = "success"
    answer = await smsir("SendByMobileNumbers", **order)
    assert answer.ok
    assert [item["MobileNumber"] for item in answer["Ids"]] == [A]
    assert recipients(emulator) == [A, A]
    assert emulator.smsir.account.credit == 1_000_000 - 2 * 155


@pytest.mark.parametrize("answer", ["refusal", "success"])
async def test_smsir_goes_on_where_it_may(smsir: Any, emulator: Emulator, answer: str) -> None:
    await smsir.group("یک", A, B)
    emulator.smsir.switches.partial_lists = True
    emulator.smsir.switches.partial_list_answer = answer
    order = {"Message": "m", "MobileNumbers": [A, "12", B], "CanContinueInCaseOfError": True}
    assert [item["MobileNumber"] for item in (await smsir("SendByMobileNumbers", **order))["Ids"]] == [A, B]
    nobody = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=["12", A])
    assert (nobody.ok, nobody.code) == (False, 8)
    assert recipients(emulator) == [A, B]


async def test_smsir_takes_those_before_a_membership_that_is_none(smsir: Any, emulator: Emulator) -> None:
    group_id = await smsir.group("یک", A)
    await smsir.group("دو", B)
    relation = (await smsir.relations())[B]
    emulator.smsir.switches.partial_lists = True
    named = {"ContactGroupIds": [group_id, 99], "ContactRelationIds": [relation]}
    assert (await smsir("Send", Message="m", **named)).code == 3
    assert recipients(emulator) == [A]


@pytest.mark.parametrize(("wrong", "code"), [("09000000098", 98), ("12", 4)])
async def test_opgateway_takes_those_before_a_wrong_number(op: Post, emulator: Emulator, wrong: str, code: int) -> None:
    emulator.opgateway.switches.invalid_recipients = "refuse"
    assert (await op(A, wrong, B))[0] == code
    assert recipients(emulator) == []
    emulator.opgateway.switches.partial_lists = True
    assert (await op(A, wrong, B))[0] == code
    assert (await op(wrong, B))[0] == code
    assert recipients(emulator) == [A]
    assert emulator.opgateway.account.credit == 1_000_000 - 155
    # Nobody was told of the order, which has an id all the same.
    assert await op(B) == [0, 10_929_801]


async def test_opgateway_judges_a_list_before_it_takes_a_part(op: Post, emulator: Emulator) -> None:
    emulator.opgateway.switches.partial_lists = True
    emulator.opgateway.switches.max_recipients = 2
    assert (await op(A, B, "09000000003"))[0] == 98
    assert recipients(emulator) == []


async def test_advgateway_takes_those_before_a_wrong_number(rest: Post, emulator: Emulator) -> None:
    numbers = [A, B, "12", C]
    pairs = [{"to": number, "msg": "m"} for number in numbers]
    assert (await rest("sendSms_OneToMany", to=numbers, msg="m"))["errCode"] == -3
    assert recipients(emulator) == []
    emulator.advgateway.switches.partial_lists = True
    assert (await rest("sendSms_OneToMany", to=numbers, msg="m"))["errCode"] == -3
    assert recipients(emulator) == [A, B]
    assert (await rest("sendSms_ManyToMany", content=pairs))["errCode"] == -3
    assert recipients(emulator) == [A, B, A, B]
    assert emulator.advgateway.account.credit == 1_000_000 - 4 * 155
    assert (await rest("sendSms_OneToMany", to=["12", C], msg="m"))["errCode"] == -3
    assert len(emulator.messages()) == 4


# Check ids.


@pytest.mark.parametrize(
    ("kept", "known"),
    [
        ("all", ["7", "123456789012345678", "1234567890123456789", "07", "0", "1-2", "a1", "۷"]),
        ("numbers", ["7", "123456789012345678"]),
        ("none", []),
    ],
)
async def test_kept_check_ids(call: Any, send: Any, emulator: Emulator, kept: str, known: list[str]) -> None:
    marks = ["7", "123456789012345678", "1234567890123456789", "07", "0", "1-2", "a1", "۷"]
    for mark in marks:
        await send(checkid=mark)
    emulator.ghasedak.switches.kept_check_ids = kept
    reply = await call("sms/status", id=",".join(marks), type=2)
    assert [mark for mark, item in zip(marks, reply.items, strict=True) if item["status"] == 0] == known
    assert {item["status"] for item in reply.items} <= {0, -1}
    assert [message.check_id for message in emulator.messages()] == marks


@pytest.mark.parametrize(("shown", "wanted"), [("all", [0, 1]), ("first", [0]), ("last", [1])])
async def test_reused_check_id(call: Any, send: Any, emulator: Emulator, shown: str, wanted: list[int]) -> None:
    ids = [await send(checkid="7", message=text) for text in ("October", "November")]
    emulator.ghasedak.switches.reused_check_id = shown
    reply = await call("sms/status", id="7", type=2)
    assert [item["messageid"] for item in reply.items] == [ids[place] for place in wanted]
    assert [item["status"] for item in (await call("sms/status", id="8", type=2)).items] == [-1]


async def test_an_ignored_check_id(call: Any, send: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.duplicate_check_id = "ignore"
    first = await send(checkid="7", message="October")
    assert await send(checkid="7", message="November") == first
    assert await send(checkid="8") != first
    reply = await call("sms/send/pair", message="m", receptor=f"{A},{B}", checkid="7,9")
    assert reply.items[0] == first
    assert [message.check_id for message in emulator.messages()] == ["7", "8", "9"]
    assert emulator.ghasedak.account.credit == 1_000_000 - 3 * 155


async def test_a_check_id_is_ignored_for_an_earlier_call_only(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.duplicate_check_id = "ignore"
    fields = {"message": "m", "receptor": f"{A},{B}", "checkid": "7"}
    assert len(set((await call("sms/send/simple", **fields)).items)) == 2
    assert len(set((await call("sms/send/simple", **fields)).items)) == 1
    assert recipients(emulator) == [A, B]


@pytest.mark.parametrize("manner", ["refuse", "ignore"])
async def test_a_check_id_that_is_not_kept_is_not_known_again(call: Any, emulator: Emulator, manner: str) -> None:
    emulator.ghasedak.switches.duplicate_check_id = manner
    emulator.ghasedak.switches.kept_check_ids = "numbers"
    for check_id, count in (("a1", 2), ("7", 3)):
        for _ in range(2):
            await call("sms/send/simple", message="m", receptor=A, checkid=check_id)
        assert len(emulator.messages()) == count


# What the status shows.


@pytest.mark.parametrize(
    ("manner", "name", "value"),
    [
        ("items", "messageid", 2578793735),
        ("null_ids", "messageid", None),
        ("zero_ids", "messageid", 0),
        ("text_ids", "messageid", "2578793735"),
        ("misspelled_ids", "messageId", 2578793735),
        ("short_receptors", "receptor", 9121111111),
        ("long_receptors", "receptor", 989121111111),
    ],
)
async def test_status_items(call: Any, send: Any, emulator: Emulator, manner: str, name: str, value: object) -> None:
    message_id = await send(checkid="7")
    (usual,) = (await call("sms/status", id=message_id, type=1)).items
    absent = (await call("sms/status", id="8", type=2)).items
    emulator.ghasedak.switches.status_reply = manner
    wanted = {**usual, name: value}
    if name == "messageId":
        del wanted["messageid"]
    for fields in ({"id": message_id, "type": 1}, {"id": "7", "type": 2}):
        assert (await call("sms/status", **fields)).items == [wanted]
    (unknown,) = (await call("sms/status", id="8", type=2)).items
    assert (unknown["status"], unknown["receptor"]) == (-1, absent[0]["receptor"])


@pytest.mark.parametrize(
    ("manner", "code", "content"), [("null", 200, None), ("empty", 200, []), ("not_found", 404, "")]
)
async def test_status_without_items(
    call: Any, send: Any, emulator: Emulator, manner: str, code: int, content: object
) -> None:
    message_id = await send()
    emulator.ghasedak.switches.status_reply = manner
    reply = await call("sms/status", id=message_id, type=1)
    assert (reply.http, reply.code, reply.items) == (code, code, content)
    assert (await call("sms/status", id="", type=1)).code == 400


async def test_appended_text(call: Any, send: Any, emulator: Emulator) -> None:
    message_id = await send(message="حراج")
    emulator.ghasedak.switches.appended_text = "\nلغو11"
    assert (await call("sms/status", id=message_id, type=1)).items[0]["message"] == "حراج\nلغو11"
    assert emulator.messages()[0].text == "حراج"


# Lists of sends.


async def listed(smsir: Any) -> list[tuple[int, int]]:
    """Id and number of recipients of each send, as both lists say."""
    by_page = (await smsir("GetLastSentMessagesByPageId", pageId=0))["Messages"]
    assert (await smsir("GetLastSentMessagesFromLastId", lastId=0))["Messages"] == by_page
    return [(item["Id"], item["DistinctRecipientsCount"]) for item in by_page]


async def numbers(smsir: Any, key: str) -> list[str]:
    found = (await smsir("GetSentMessagesMobileNumbers", batchKey=key, lastId=0))["Messages"]
    return [f"0{item['MobileNumber']}" for item in found]


async def test_a_send_is_listed_late(smsir: Any, emulator: Emulator) -> None:
    emulator.clock.set(START)
    await smsir.group("یک", A, B)
    first = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A])
    emulator.clock.advance(60)
    emulator.smsir.switches.sends_listed_after = 30
    second = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A, B])
    assert await listed(smsir) == [(first["MessageId"], 1)]
    assert await numbers(smsir, second["BatchKey"]) == []
    emulator.clock.advance(15)
    assert await listed(smsir) == [(first["MessageId"], 1)]
    emulator.clock.advance(15)
    assert await listed(smsir) == [(second["MessageId"], 2), (first["MessageId"], 1)]
    assert await numbers(smsir, second["BatchKey"]) == [B, A]


async def test_recipients_are_listed_one_by_one(smsir: Any, emulator: Emulator) -> None:
    emulator.clock.set(START)
    await smsir.group("یک", A, B, C)
    emulator.smsir.switches.recipients_listed_every = 20
    sent = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A, B, C])
    for shown in ([A], [B, A], [C, B, A], [C, B, A]):
        assert await listed(smsir) == [(sent["MessageId"], len(shown))]
        assert await numbers(smsir, sent["BatchKey"]) == shown
        emulator.clock.advance(20)


async def test_recipients_are_listed_one_by_one_from_when_the_send_is(smsir: Any, emulator: Emulator) -> None:
    emulator.clock.set(START)
    await smsir.group("یک", A, B)
    emulator.smsir.switches.sends_listed_after = 30
    emulator.smsir.switches.recipients_listed_every = 20
    sent = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A, B])
    for seconds, shown in ((15, []), (15, [A]), (10, [A]), (10, [B, A])):
        emulator.clock.advance(seconds)
        assert await numbers(smsir, sent["BatchKey"]) == shown


async def test_a_clock_that_is_set_back_hides_nothing(smsir: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A)
    sent = await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A])
    emulator.clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    smsir.token = None
    assert await listed(smsir) == [(sent["MessageId"], 1)]


# The page.


def test_the_page_names_switches_and_values_that_there_are() -> None:
    gateways = Emulator().gateways
    table = PAGE.partition("## When the gateway lies")[2].partition("`curl -d '{}'")[0]
    named = re.findall(r"`(\w+)\.(\w+)`(?: = ((?:`\w+`(?:, )?)+))?", table)
    assert len(named) > 10
    for gateway, name, values in named:
        switches = gateways[gateway].switches
        assert name in attrs.fields_dict(type(switches))
        for value in re.findall(r"\w+", values):
            setattr(switches, name, value)
