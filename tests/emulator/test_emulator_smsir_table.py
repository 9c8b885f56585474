"""Every method's reply held against the table of the vendor's document: exactly its fields, with its JSON types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from payamak.emulator import Emulator
from support.excel import xlsx

METHODS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "smsir_methods.json").read_text(encoding="utf-8"))
NAMES = [method["name"] for method in METHODS]
BY_NAME = {method["name"]: method for method in METHODS}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?")
FULL, BARE, GONE, NEW = "09121111111", "09122222222", "09123333333", "09124444444"


def is_date(value: object) -> bool:
    return isinstance(value, str) and ISO.fullmatch(value) is not None


def is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


CHECKS: dict[str, Callable[[Any], bool]] = {
    "integer": is_integer,
    "number": lambda value: isinstance(value, float) or is_integer(value),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "byte": lambda value: is_integer(value) and value in (1, 2, 3),
    "datetime-string": is_date,
    "array<object>": lambda value: isinstance(value, list),
}


def problems(fields: list[dict[str, Any]], value: dict[str, Any], where: str = "") -> list[str]:
    found: list[str] = []
    names = {field["name"] for field in fields}
    if set(value) != names:
        found.append(f"{where}: extra {set(value) - names}, missing {names - set(value)}")
    for field in fields:
        content, place = value.get(field["name"]), f"{where}.{field['name']}"
        if content is None:
            found += [] if field["nullable"] else [f"{place}: null"]
        elif not CHECKS[field["type"]](content):
            found.append(f"{place}: {content!r} is no {field['type']}")
        elif field["type"] == "array<object>":
            for item in content:
                found += problems(field["items"], item, place)
    return found


def test_the_table_is_whole() -> None:
    assert len(set(NAMES)) == 41
    assert sum(method["verb"] == "POST" for method in METHODS) == 14


def test_the_check_finds_what_is_wrong() -> None:
    fields = BY_NAME["GetContactGroups"]["response"]
    good = {"ContactGroups": None, "IsSuccessful": True, "Message": None, "ErrorCode": 0}
    assert problems(fields, good) == []
    mistakes: list[dict[str, object]]
    mistakes = [{"ErrorCode": "0"}, {"ErrorCode": None}, {"ErrorCode": True}, {"More": 1}, {"ContactGroups": [{}]}]
    for change in mistakes:
        assert problems(fields, {**good, **change})


@pytest_asyncio.fixture
async def world(smsir: Any, emulator: Emulator) -> dict[str, dict[str, Any]]:
    """Something of everything, and for each method parameters with which it succeeds."""
    group, other = await smsir.group("یک"), await smsir.group("دو", GONE)
    emulator.smsir.cancel_membership(GONE)
    details = [
        {"Mobile": FULL, "Prefix": "خانم", "FirstName": "نام", "LastName": "فامیل", "EmojiId": 3},
        {"Mobile": BARE},
    ]
    assert (await smsir("AddContacts", GroupId=group, ContactsDetails=details)).ok
    emulator.clock.advance(301)
    ids = await smsir.relations()
    sent = await smsir("Send", Message="سلام", ContactGroupIds=[group], ContactRelationIds=[])
    await smsir("AddOrUpdateDraftMessage", Message="پیش")
    ticket = (await smsir.upload("PostNewTicket", ("a.txt", b"a"), Subject="s", Body="b"))["TicketId"]
    emulator.smsir.answer_ticket(ticket, "پاسخ")
    empty: dict[str, Any] = {}
    return dict.fromkeys(NAMES, empty) | {
        "GetToken": {"UserApiKey": "emulator-key", "SecretKey": "emulator-secret"},
        "AddOrUpdateContactGroup": {"GroupId": 0, "GroupName": "سه"},
        "UpdateContact": {"ContactGroupRelationId": ids[BARE], "Mobile": BARE},
        "TransferContactsToGroup": {"ContactGroupRelationId": [ids[FULL]], "NewGroupId": other},
        "AddContacts": {"GroupId": group, "ContactsDetails": [{"Mobile": NEW}, {"Mobile": "1"}]},
        "GetContactsByGroupIdByPageId": {"groupId": group},
        "DeleteContacts": {"Ids": [ids[FULL]]},
        "DeleteContactGroup": {"groupId": other},
        "DeleteGroupContacts": {"GroupIds": [group]},
        "AddOrUpdateDraftMessage": {"Message": "متن"},
        "DeleteDraftMessage": {"id": next(iter(emulator.smsir.drafts))},
        "Send": {"Message": "m", "ContactGroupIds": [group], "ContactRelationIds": []},
        "SendByMobileNumbers": {"Message": "m", "MobileNumbers": [FULL]},
        "GroupContactsDistinctCount": {"ContactsGroupIds": [group], "ContactRelationIds": [ids[FULL]]},
        "GetSentMessagesMobileNumbers": {"batchKey": sent["BatchKey"]},
        "UpdateNotificationStatus": {"id": emulator.smsir.notifications[0].id},
        "GetTicketById": {"ticketId": ticket},
        "CloseTicket": {"ticketId": ticket},
        "UploadExcel": {"groupId": str(group), "file": ("a.xlsx", xlsx(""))},
        "PostNewTicket": {"Subject": "s", "Body": "b", "file": ("a.txt", b"a")},
        "PostNewTicketReply": {"ticketId": str(ticket), "Body": "b"},
    }


async def run(smsir: Any, name: str, parameters: dict[str, Any]) -> Any:
    if BY_NAME[name]["multipart"]:
        form = dict(parameters)
        return await smsir.upload(name, form.pop("file", None), **form)
    return await smsir(name, **parameters)


@pytest.mark.parametrize("name", NAMES)
async def test_success(smsir: Any, world: dict[str, dict[str, Any]], name: str) -> None:
    answer = await run(smsir, name, world[name])
    assert (answer.http, answer.ok, answer.code) == (201, True, 0), answer.body
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert problems(BY_NAME[name]["response"], answer.body) == []
    lists = [field["name"] for field in BY_NAME[name]["response"] if field["type"] == "array<object>"]
    if name != "UploadExcel":
        assert all(answer[listed] for listed in lists), "an empty list would prove nothing"


@pytest.mark.parametrize("nulls", ["all", "none"])
@pytest.mark.parametrize("name", NAMES)
async def test_nulls(smsir: Any, emulator: Emulator, world: dict[str, dict[str, Any]], name: str, nulls: str) -> None:
    emulator.smsir.switches.nulls = nulls
    answer = await run(smsir, name, world[name])
    assert answer.ok
    assert problems(BY_NAME[name]["response"], answer.body) == []
    texts, missing = texts_and_nulls(BY_NAME[name]["response"], answer.body)
    if nulls == "all" and name != "GetToken":
        assert texts == []
    if nulls == "none":
        assert missing == []


def texts_and_nulls(fields: list[dict[str, Any]], value: dict[str, Any]) -> tuple[list[str], list[str]]:
    texts: list[str] = []
    missing: list[str] = []
    for field in fields:
        name, content = field["name"], value[field["name"]]
        if content is None:
            missing.append(name)
        elif field["type"] == "string" and field["nullable"] and name != "Message" and not is_date(content):
            texts.append(name)
        elif field["type"] == "array<object>":
            for item in content:
                inner = texts_and_nulls(field["items"], item)
                texts, missing = texts + inner[0], missing + inner[1]
    return texts, missing


@pytest.mark.parametrize("name", NAMES)
async def test_failure(smsir: Any, emulator: Emulator, world: dict[str, dict[str, Any]], name: str) -> None:
    before = emulator.smsir.contacts(), len(emulator.messages()), len(emulator.smsir.tickets)
    emulator.smsir.switches.exception_in = ("*", "GetToken")
    answer = await run(smsir, name, world[name])
    assert (answer.http, answer.ok, answer.code) == (201, False, 1)
    assert answer["Message"] == "Object reference not set to an instance of an object."
    assert problems(BY_NAME[name]["response"], answer.body) == []
    payload = {field: content for field, content in answer.body.items() if field not in ENVELOPE}
    assert set(payload.values()) <= {None, 0, "0001-01-01T00:00:00"}
    assert before == (emulator.smsir.contacts(), len(emulator.messages()), len(emulator.smsir.tickets))


ENVELOPE = ("IsSuccessful", "Message", "ErrorCode")


@pytest.mark.parametrize("name", NAMES)
async def test_token_is_needed(smsir: Any, emulator: Emulator, name: str) -> None:
    smsir.token = "none of ours"
    answer = await run(smsir, name, {"UserApiKey": "emulator-key", "SecretKey": "emulator-secret"})
    if name == "GetToken":
        assert answer.ok
    else:
        assert (answer.http, answer.ok, answer.code) == (401, False, 6)
        assert "توکن" in answer["Message"]
        assert problems(BY_NAME[name]["response"], answer.body) == []


@pytest.mark.parametrize("name", NAMES)
async def test_names_in_any_case(smsir: Any, emulator: Emulator, world: dict[str, dict[str, Any]], name: str) -> None:
    method, parameters = BY_NAME[name], world[name]
    path = method["path"].upper()
    upper = {key.upper(): value for key, value in parameters.items() if key != "file"}
    if method["multipart"]:
        return
    where = "json" if method["verb"] == "POST" else "params"
    assert (await smsir.request(method["verb"], path + "/", **{where: {**upper, "unknown": "1"}})).ok


@pytest.mark.parametrize("name", NAMES)
async def test_wrong_verb(smsir: Any, name: str) -> None:
    await smsir.log_in()
    right = BY_NAME[name]["verb"]
    for verb in {"GET", "POST", "PUT", "DELETE"} - {right}:
        answer = await smsir.request(verb, BY_NAME[name]["path"])
        assert answer.http == 405
        assert answer.body == {"Message": f"The requested resource does not support http method '{verb}'."}
        assert answer.headers["Allow"] == right


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (method["name"], parameter["name"])
        for method in METHODS
        for parameter in method["query"]
        if parameter["required"]
    ],
)
async def test_missing_query_parameter(smsir: Any, name: str, parameter: str) -> None:
    others = {one["name"]: "1" for one in BY_NAME[name]["query"] if one["name"] != parameter}
    answer = await smsir(name, **others)
    assert answer.http == 404
    assert set(answer.body) == {"Message", "MessageDetail"}


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (method["name"], parameter["name"])
        for method in METHODS
        for parameter in method["query"]
        if parameter["type"] == "integer"
    ],
)
@pytest.mark.parametrize("value", ["x", "1.5", "۱", "9" * 30])
async def test_query_integers(
    smsir: Any, world: dict[str, dict[str, Any]], name: str, parameter: str, value: str
) -> None:
    answer = await smsir(name, **{**world[name], parameter: value})
    assert answer.http == 400
    assert answer["Message"] == "The request is invalid."


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (method["name"], parameter["name"])
        for method in METHODS
        for parameter in [*method["body"], *method["multipart"]]
        if parameter["required"]
    ],
)
async def test_missing_body_parameter(
    smsir: Any, emulator: Emulator, world: dict[str, dict[str, Any]], name: str, parameter: str
) -> None:
    """Without GroupId a new group is meant, which is no failure; every other required parameter is missed."""
    left = {key: value for key, value in world[name].items() if key.lower() != parameter.lower()}
    answer = await run(smsir, name, left)
    if (name, parameter) == ("AddOrUpdateContactGroup", "GroupId"):
        assert answer.ok
    else:
        assert (answer.ok, answer.http) == (False, 201)
        assert problems(BY_NAME[name]["response"], answer.body) == []
