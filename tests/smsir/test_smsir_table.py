"""Every method held against the table of the vendor's document: what it sends, and that it reads every field."""

from __future__ import annotations

import copy
import datetime
import decimal
import email.message
import email.parser
import email.policy
import inspect
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeGuard, cast
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import attrs
import pytest
from payamak.smsir import Emoji, NewContact, SmsIrClient
from support.raw_server import RawServer, Received, answer

Connect = Callable[..., SmsIrClient]
Fields = list[dict[str, Any]]

METHODS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "emulator" / "smsir_methods.json").read_text(encoding="utf-8")
)
TABLE = {method["name"]: method for method in METHODS}
# Not in the document, but in the models of the vendor's own SDK.
TABLE["AddContacts"]["response"].append({"name": "GroupId", "type": "integer", "nullable": True})
ENVELOPE = ("IsSuccessful", "Message", "ErrorCode")
PERSON = NewContact("09121111111", "آقای", "نام", "فامیل", Emoji.MAN)
TEXT = "متن و ۱۲۳ & ؟+%"
START = datetime.datetime(2018, 5, 13, 10, 20, 30, tzinfo=ZoneInfo("Asia/Tehran"))


@attrs.frozen
class Case:
    """A method of the client with all its arguments.

    Attributes:
        name: The client's method.
        vendor: The vendor's.
        call: Calls it.
        unsent: Fields of the table that this method does not send.
    """

    name: str
    vendor: str
    call: Callable[[SmsIrClient], Awaitable[Any]]
    unsent: frozenset[str] = frozenset()


def _list(iterator: Any) -> Awaitable[list[Any]]:
    async def run() -> list[Any]:
        return [entry async for entry in iterator]

    return run()


CASES = [
    Case("authenticate", "GetToken", lambda c: c.authenticate()),
    Case("transactions.page", "GetBankTransactionsByPageId", lambda c: c.transactions.page(3)),
    Case("transactions.from_last_id", "GetBankTransactionsFromLastId", lambda c: c.transactions.from_last_id(3)),
    Case("transactions.iterate", "GetBankTransactionsFromLastId", lambda c: _list(c.transactions.iterate())),
    Case("groups.list", "GetContactGroups", lambda c: c.groups.list()),
    Case("groups.create", "AddOrUpdateContactGroup", lambda c: c.groups.create(TEXT, "#ffffff")),
    Case("groups.update", "AddOrUpdateContactGroup", lambda c: c.groups.update(7, TEXT, "#ffffff")),
    Case("groups.delete", "DeleteContactGroup", lambda c: c.groups.delete(7)),
    Case("groups.clear", "DeleteGroupContacts", lambda c: c.groups.clear([7, 8])),
    Case("groups.transfer", "TransferContactsToGroup", lambda c: c.groups.transfer([1, 2], 7)),
    Case("contacts.add", "AddContacts", lambda c: c.contacts.add(7, [PERSON, NewContact("09122222222")])),
    Case("contacts.update", "UpdateContact", lambda c: c.contacts.update(1, PERSON, group_id=7)),
    Case("contacts.upload_excel", "UploadExcel", lambda c: c.contacts.upload_excel(7, b"excel", file_name="a.xlsx")),
    Case(
        "contacts.search",
        "SearchContacts",
        lambda c: c.contacts.search(
            prefix="آقای", first_name=TEXT, last_name="ل", mobile="09121111111", group_id=7, page=3
        ),
    ),
    Case("contacts.from_last_id", "GetContactsFromLastId", lambda c: c.contacts.from_last_id(3)),
    Case("contacts.in_group", "GetContactsByGroupIdByPageId", lambda c: c.contacts.in_group(7, 3)),
    Case("contacts.cancelled", "GetCancelledContactsByPageId", lambda c: c.contacts.cancelled(3)),
    Case("contacts.page", "GetContactsByPageId", lambda c: c.contacts.page(3)),
    Case("contacts.iterate", "GetContactsByPageId", lambda c: _list(c.contacts.iterate())),
    Case("contacts.delete", "DeleteContacts", lambda c: c.contacts.delete([1, 2])),
    Case("drafts.list", "GetDraftMessages", lambda c: c.drafts.list()),
    Case("drafts.create", "AddOrUpdateDraftMessage", lambda c: c.drafts.create(TEXT), frozenset({"Title"})),
    Case("drafts.update", "AddOrUpdateDraftMessage", lambda c: c.drafts.update(5, TEXT, title="t")),
    Case("drafts.delete", "DeleteDraftMessage", lambda c: c.drafts.delete(5)),
    Case("faq", "GetFrequentlyAskedQuestions", lambda c: c.faq()),
    Case(
        "messages.send",
        "Send",
        lambda c: c.messages.send(TEXT, group_ids=[7], contact_relation_ids=[1, 2], continue_on_error=True),
    ),
    Case("messages.send_to_numbers", "SendByMobileNumbers", lambda c: c.messages.send_to_numbers("09121111111", TEXT)),
    Case(
        "messages.count_recipients",
        "GroupContactsDistinctCount",
        lambda c: c.messages.count_recipients(group_ids=[7], contact_relation_ids=[1, 2]),
    ),
    Case("messages.sent_page", "GetLastSentMessagesByPageId", lambda c: c.messages.sent_page(3)),
    Case("messages.iterate_sent", "GetLastSentMessagesByPageId", lambda c: _list(c.messages.iterate_sent())),
    Case("messages.sent_from_last_id", "GetLastSentMessagesFromLastId", lambda c: c.messages.sent_from_last_id(3)),
    Case("messages.recipients", "GetSentMessagesMobileNumbers", lambda c: c.messages.recipients("a-b", 3)),
    Case(
        "messages.iterate_recipients",
        "GetSentMessagesMobileNumbers",
        lambda c: _list(c.messages.iterate_recipients("a-b")),
    ),
    Case("notifications.page", "GetUserNotificationFromPageId", lambda c: c.notifications.page(3)),
    Case("notifications.iterate", "GetUserNotificationFromPageId", lambda c: _list(c.notifications.iterate())),
    Case("notifications.from_last_id", "GetUserNotificationFromLastId", lambda c: c.notifications.from_last_id(3)),
    Case("notifications.update_status", "UpdateNotificationStatus", lambda c: c.notifications.update_status(5)),
    Case(
        "occasional_messages.categories", "GetOccasionalMessageCategory", lambda c: c.occasional_messages.categories()
    ),
    Case("occasional_messages.list", "GetOccasionalMessages", lambda c: c.occasional_messages.list(11)),
    Case(
        "tickets.open",
        "PostNewTicket",
        lambda c: c.tickets.open(TEXT, TEXT, file=b"a file", file_name="نام.txt", department_id=1, priority_id=2),
    ),
    Case("tickets.get", "GetTicketById", lambda c: c.tickets.get(9)),
    Case("tickets.from_last_id", "GetTicketsFromLastId", lambda c: c.tickets.from_last_id(3)),
    Case("tickets.page", "GetTicketsByPageId", lambda c: c.tickets.page(3)),
    Case("tickets.iterate", "GetTicketsByPageId", lambda c: _list(c.tickets.iterate())),
    Case("tickets.options", "GetTicketPrioritiesAndDepartments", lambda c: c.tickets.options()),
    Case("tickets.close", "CloseTicket", lambda c: c.tickets.close(9)),
    Case("tickets.reply", "PostNewTicketReply", lambda c: c.tickets.reply(9, TEXT, file=b"a file", file_name="a.txt")),
    Case("tickets.statuses", "GetTicketStatus", lambda c: c.tickets.statuses()),
    Case("account", "GetUserInfo", lambda c: c.account()),
    Case("credit", "GetUserInfo", lambda c: c.credit()),
]
BY_NAME = {case.name: case for case in CASES}
READ_WHOLE = [case.name for case in CASES if case.name not in ("authenticate", "credit")]


def test_no_method_is_missing() -> None:
    assert ({case.vendor for case in CASES}, len(TABLE)) == (set(TABLE), 41)
    client = SmsIrClient("a-key", "a-secret")
    found: set[str] = set()
    public = {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}
    areas = {f"{name}.": value for name, value in public.items() if type(value).__module__.startswith("payamak.smsir")}
    for area, thing in [("", client), *areas.items()]:
        for name, _ in inspect.getmembers(thing, inspect.ismethod):
            if not name.startswith("_"):
                found.add(area + name)
    assert found - {"aclose", "outbox", "resolve", "send", "send_many"} == set(BY_NAME)


class Maker:
    """Makes a reply of a method, and knows what of it must be in the model."""

    def __init__(self) -> None:
        self.number = 1000
        self.expected: Counter[tuple[str, Any]] = Counter()

    def reply(self, fields: Fields) -> dict[str, Any]:
        own = [field for field in fields if field["name"] not in ENVELOPE or field["type"] == "array<object>"]
        return {**self._object(own), "IsSuccessful": True, "Message": "پیام", "ErrorCode": 0}

    def _object(self, fields: Fields) -> dict[str, Any]:
        made = {field["name"]: self._value(field) for field in fields}
        return {**made, "SomethingNew": {"a": ["b", None]}}

    def _value(self, field: dict[str, Any]) -> Any:
        self.number += 1
        kind, name = field["type"], field["name"]
        if kind == "array<object>":
            return [self._object(field["items"]) for _ in range(2)]
        value, read = self._scalar(kind, name)
        self.expected.update(leaves(read))
        return value

    def _scalar(self, kind: str, name: str) -> tuple[Any, Any]:
        number = self.number
        if name == "MobileNumber" and kind == "integer":
            return 9_120_000_000 + number, f"0{9_120_000_000 + number}"
        if name == "Id" and kind == "string":
            return str(number), number
        # That of a group the document types as a text.
        if kind == "datetime-string" or name == "CreationDateTime":
            moment = START + datetime.timedelta(seconds=number)
            return f"{moment:%Y-%m-%dT%H:%M:%S}", moment
        made: dict[str, tuple[Any, Any]] = {
            "integer": (number, number),
            "number": (number + 0.5, number + 0.5),
            "string": (f"متن {number}", f"متن {number}"),
            "boolean": (True, True),
            "byte": (2, Emoji.MAN),
        }
        return made[kind]


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def leaves(value: object) -> Iterator[tuple[str, Any]]:
    """All scalars that a model holds, with their types."""
    if is_list(value):
        for entry in value:
            yield from leaves(entry)
    elif attrs.has(kind := type(value)):
        for field in attrs.fields(kind):
            yield from leaves(getattr(value, field.name))
    elif type(value) in (int, float, decimal.Decimal):
        yield "number", value
    else:
        yield type(value).__name__, value


async def decode(connect: Connect, name: str, reply: dict[str, Any]) -> Any:
    case = BY_NAME[name]
    async with RawServer(answer(json.dumps(reply).encode(), 201)) as server, connect(server.url) as client:
        return await case.call(client)


@pytest.mark.parametrize("name", READ_WHOLE)
async def test_every_field_of_a_full_reply_is_in_the_model(name: str, connect: Connect) -> None:
    maker = Maker()
    result = await decode(connect, name, maker.reply(TABLE[BY_NAME[name].vendor]["response"]))
    assert maker.expected - Counter(leaves(result)) == Counter()
    assert maker.expected or result is None


async def test_the_credit_of_a_full_reply(connect: Connect) -> None:
    reply = Maker().reply(TABLE["GetUserInfo"]["response"])
    assert await decode(connect, "credit", reply) == reply["Credit"]


async def test_the_token_of_a_full_reply() -> None:
    reply: dict[str, Any] = {**Maker().reply(TABLE["GetToken"]["response"]), "TokenKey": "a+b/c="}
    async with (
        RawServer(answer(json.dumps(reply).encode(), 201)) as server,
        SmsIrClient("a-key", "a-secret", base_url=server.url) as client,
    ):
        await client.authenticate()
        await client.transactions.page()
    assert server.requests[1].headers["x-sms-ir-secure-token"] == "a+b/c="


def thin(fields: Fields, reply: dict[str, Any], manner: str) -> dict[str, Any]:
    """The reply with as little in it as the table allows."""
    for field in fields:
        name = field["name"]
        if field["nullable"] and (manner in ("null", "missing") or field["type"] != "array<object>"):
            reply[name] = None
            if manner in ("missing", "missing in items"):
                del reply[name]
        elif field["type"] == "array<object>" and manner == "empty":
            reply[name] = []
        elif field["type"] == "array<object>":
            reply[name] = [thin(field["items"], item, manner) for item in reply[name]]
    return reply


MANNERS = ("null", "missing", "empty", "null in items", "missing in items")


@pytest.mark.parametrize("name", [*READ_WHOLE, "credit"])
async def test_minimal_replies(name: str, connect: Connect) -> None:
    fields: Fields = TABLE[BY_NAME[name].vendor]["response"]
    lists = sum(field["type"] == "array<object>" for field in fields)
    full = Maker().reply(fields)
    for manner in MANNERS:
        result = await decode(connect, name, thin(fields, copy.deepcopy(full), manner))
        empty = manner in ("null", "missing", "empty")
        if is_list(result):
            assert len(result) == (0 if empty else 2)
        elif lists and empty:
            held = [value for value in attrs.asdict(result).values() if is_list(value)]
            assert held == [[]] * lists


@pytest.mark.parametrize("name", READ_WHOLE)
async def test_empty_texts_are_no_trouble(name: str, connect: Connect) -> None:
    """Some .NET services write an empty text where they mean null."""
    fields: Fields = TABLE[BY_NAME[name].vendor]["response"]

    def blank(fields: Fields, reply: dict[str, Any]) -> dict[str, Any]:
        for field in fields:
            if field["type"] == "array<object>":
                reply[field["name"]] = [blank(field["items"], item) for item in reply[field["name"]]]
            elif field["nullable"]:
                reply[field["name"]] = ""
        return reply

    await decode(connect, name, blank(fields, Maker().reply(fields)))


# What the client really puts on the wire.

TYPES: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "byte": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "array<integer>": lambda value: is_list(value) and all(type(item) is int for item in value),
    "array<string>": lambda value: is_list(value) and all(type(item) is str for item in value),
    "array<object>": lambda value: is_list(value) and all(type(item) is dict for item in value),
}


async def request_of(name: str, url_client: Connect) -> Received:
    reply = Maker().reply(TABLE[BY_NAME[name].vendor]["response"])
    async with RawServer(answer(json.dumps(reply).encode())) as server, url_client(server.url) as client:
        await BY_NAME[name].call(client)
    return server.requests[0]


def query_of(request: Received) -> dict[str, str]:
    return dict(parse_qsl(request.target.partition("?")[2], strict_parsing="?" in request.target))


def parts_of(request: Received) -> dict[str, email.message.EmailMessage]:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    found: dict[str, email.message.EmailMessage] = {}
    for part in cast("Iterator[email.message.EmailMessage]", message.iter_parts()):
        found[str(part.get_param("name", header="content-disposition"))] = part
    return found


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "authenticate"])
async def test_request(name: str, connect: Connect) -> None:
    case, method = BY_NAME[name], TABLE[BY_NAME[name].vendor]
    request = await request_of(name, connect)
    assert request.method == method["verb"]
    assert request.target.partition("?")[0] == f"/v2/{method['path']}"
    assert request.headers["x-sms-ir-secure-token"] == "a-token"
    assert request.headers["accept"] == "application/json"
    assert "a-token" not in request.target
    assert "transfer-encoding" not in request.headers
    if method["multipart"]:
        _check_multipart(request, method["multipart"])
        return
    assert request.headers["content-type"] == "application/json"
    query = query_of(request)
    assert set(query) == {field["name"] for field in method["query"]}
    for field in method["query"]:
        assert field["type"] != "integer" or query[field["name"]].isdigit()
    if not method["body"]:
        assert request.body == b""
        return
    body = json.loads(request.body)
    assert set(body) == {field["name"] for field in method["body"]} - case.unsent
    for field in method["body"]:
        value = body.get(field["name"])
        assert TYPES[field["type"]](value) or (value is None and not field["required"])


def _check_multipart(request: Received, fields: Fields) -> None:
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.headers["content-length"] == str(len(request.body))
    parts, query = parts_of(request), query_of(request)
    names = {field["name"] for field in fields}
    assert set(parts) == names
    # The vendor's document has them in the form, the vendor's samples in the query.
    assert set(query) == names - {"File"}
    for name, value in query.items():
        assert parts[name].get_filename() is None
        assert parts[name].get_payload(decode=True) == value.encode()
    file = parts["File"]
    assert file.get_filename()
    assert file.get_payload(decode=True) in (b"excel", b"a file")


async def test_request_for_a_token() -> None:
    reply = {"TokenKey": "abc", "IsSuccessful": True, "Message": "", "ErrorCode": 0}
    async with (
        RawServer(answer(json.dumps(reply).encode(), 201)) as server,
        SmsIrClient("کلید", "a-secret", base_url=server.url) as client,
    ):
        await client.authenticate()
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v2/Token/GetToken")
    assert request.headers["content-type"] == "application/json"
    assert "x-sms-ir-secure-token" not in request.headers
    assert json.loads(request.body) == {"UserApiKey": "کلید", "SecretKey": "a-secret"}


async def test_texts_arrive_as_they_were_written(connect: Connect) -> None:
    assert query_of(await request_of("contacts.search", connect))["firstname"] == TEXT
    assert json.loads((await request_of("messages.send", connect)).body)["Message"] == TEXT
    ticket = await request_of("tickets.open", connect)
    assert (query_of(ticket)["Subject"], query_of(ticket)["Body"]) == (TEXT, TEXT)
    assert parts_of(ticket)["File"].get_filename() == "نام.txt"


async def test_contacts_details(connect: Connect) -> None:
    body = json.loads((await request_of("contacts.add", connect)).body)
    assert body["ContactsDetails"] == [
        {"Mobile": "09121111111", "Prefix": "آقای", "FirstName": "نام", "LastName": "فامیل", "EmojiId": 2},
        {"Mobile": "09122222222"},
    ]
