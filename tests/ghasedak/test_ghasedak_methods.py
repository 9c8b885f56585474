"""Every method: the vendor's own name and path for it, what it puts on the wire, what it makes of the vendor's samples.

The table below is also the list of what exists: a public method without a row here is a failure.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import attrs
import pytest
from payamak.ghasedak import (
    Account,
    AuthenticationError,
    Contact,
    DeliveryCode,
    GatewayError,
    GhasedakClient,
    Group,
    Groups,
    InvalidRequestError,
    MessageStatus,
    NotFoundError,
    OtpKind,
    Outcome,
    OutgoingMessage,
    ReceivedMessage,
    ReceivedPage,
    ReplyError,
    SendResult,
    ServiceUnavailableError,
)
from support.ghasedak import KEY, failure_of, make_client
from support.raw_server import RawServer, answer, envelope

Call = Callable[[GhasedakClient], Awaitable[Any]]

FIRST, SECOND, ABROAD = "09121111111", "09122222222", "+33456351753"
LINE = "5000222"
TEXT = "سلام، ۵۰٪ +a&b=c;d%20 🙂\nline 2"
TIME = datetime(2030, 10, 16, 9, 1, 11, 900_000, tzinfo=UTC)
UNIX = "1918371671"

STATUS = MessageStatus(
    2581227073,
    status=DeliveryCode.REACHED_TELECOM,
    text="test",
    price=155,
    sender="30005088",
    recipient=FIRST,
    sent_at=datetime(2020, 11, 21, 14, 23, 4, tzinfo=UTC),
)
RECEIVED_AT = datetime(2017, 10, 16, 9, 1, 1, tzinfo=UTC)
RECEIVED = [
    ReceivedMessage(1020, "test", "09122222222", "1000200", RECEIVED_AT),
    ReceivedMessage(1021, "test2", "09122222222", "1000200", RECEIVED_AT),
]
CONTACT = Contact("0911111111", "test", "test", "test")
GROUPS = [Group(172694, "test2", 0), Group(173748, "test", 0)]
TWO_SENT = [SendResult(FIRST, 2581100787), SendResult(SECOND, 2581100788)]


@attrs.frozen
class Row:
    """One public method.

    Attributes:
        vendor: The vendor's name of it.
        path: Its path.
        name: The name in Python.
        call: A call of it, whose answer the vendor's sample can be.
        fields: What that call puts into the form.
        result: What the vendor's sample becomes.
    """

    vendor: str
    path: str
    name: str
    call: Call
    fields: dict[str, str]
    result: object
    verb: str = "POST"


async def _collect_contacts(client: GhasedakClient) -> list[Contact]:
    return [contact async for contact in client.groups.iterate_contacts(7, page_size=50)]


async def _collect_received(client: GhasedakClient) -> list[ReceivedMessage]:
    return [message async for message in client.iterate_received(LINE, start=TIME, end=TIME, page_size=50)]


ROWS = [
    Row(
        "send simple",
        "sms/send/simple",
        "send",
        lambda client: client.send(FIRST, TEXT, sender=LINE, send_at=TIME, check_id="2020"),
        {"message": TEXT, "receptor": FIRST, "linenumber": LINE, "senddate": UNIX, "checkid": "2020"},
        SendResult(FIRST, 2578793735),
    ),
    Row(
        "send simple 2",
        "sms/send/simple/url",
        "send_by_username",
        lambda client: client.send_by_username("ali", FIRST, TEXT, sender=LINE, send_at=TIME, check_id="2020"),
        {
            "username": "ali",
            "password": KEY,
            "message": TEXT,
            "receptor": FIRST,
            "linenumber": LINE,
            "senddate": UNIX,
            "checkid": "2020",
        },
        SendResult(FIRST, 2578793735),
    ),
    Row(
        "bulk",
        "sms/send/bulk",
        "send_pairs",
        lambda client: client.send_pairs(
            [
                OutgoingMessage(FIRST, TEXT, LINE, send_at=TIME, check_id="2020"),
                OutgoingMessage(SECOND, "test2", "10008566", send_at=TIME, check_id="2021"),
            ]
        ),
        {
            "message": f"{TEXT},test2",
            "receptor": f"{FIRST},{SECOND}",
            "linenumber": f"{LINE},10008566",
            "senddate": f"{UNIX},{UNIX}",
            "checkid": "2020,2021",
        },
        TWO_SENT,
    ),
    Row(
        "bulk 2",
        "sms/send/pair",
        "send_to_many",
        lambda client: client.send_to_many(
            [FIRST, SECOND], f"{TEXT}, with a comma", sender=LINE, send_at=TIME, check_ids=["2020", "2021"]
        ),
        {
            "message": f"{TEXT}, with a comma",
            "receptor": f"{FIRST},{SECOND}",
            "linenumber": LINE,
            "senddate": UNIX,
            "checkid": "2020,2021",
        },
        TWO_SENT,
    ),
    Row(
        "verification",
        "verification/send/simple",
        "send_otp",
        lambda client: client.send_otp(
            [FIRST, SECOND],
            "قالب ۱",
            ["12345", TEXT, "3", "4", "5", "6", "7", "8", "9", "10"],
            kind=OtpKind.VOICE,
            check_ids=["2020", "2021"],
        ),
        {
            "receptor": f"{FIRST},{SECOND}",
            "type": "2",
            "template": "قالب ۱",
            "checkid": "2020,2021",
            "param1": "12345",
            "param2": TEXT,
            **{f"param{number}": str(number) for number in range(3, 11)},
        },
        TWO_SENT,
    ),
    Row(
        "voice",
        "voice/send/simple",
        "send_voice",
        lambda client: client.send_voice([FIRST], TEXT, send_at=TIME),
        {"message": TEXT, "receptor": FIRST, "senddate": UNIX},
        [SendResult(FIRST, 2581227073)],
    ),
    Row(
        "status",
        "sms/status",
        "statuses",
        lambda client: client.statuses([2581227073, 2581227074]),
        {"id": "2581227073,2581227074", "type": "1"},
        [STATUS],
    ),
    Row(
        "status",
        "sms/status",
        "statuses_by_check_id",
        lambda client: client.statuses_by_check_id(["2020", " یک "]),
        {"id": "2020,یک", "type": "2"},
        [STATUS],
    ),
    Row(
        "group new",
        "contact/group/new",
        "groups.create",
        lambda client: client.groups.create("گروه, +", parent_id=209530),
        {"name": "گروه, +", "parent": "209530"},
        209531,
    ),
    Row(
        "group addnumber",
        "contact/group/addnumber",
        "groups.add_contacts",
        lambda client: client.groups.add_contacts(
            7, [Contact("+98 912 111 1111", "علی", email="a+b@example.com"), Contact("۰۹۱۲۲۲۲۲۲۲۲", "رضا", "احمدی")]
        ),
        {
            "groupid": "7",
            "number": f"{FIRST},{SECOND}",
            "firstname": "علی,رضا",
            "lastname": ",احمدی",
            "email": "a+b@example.com,",
        },
        None,
    ),
    Row(
        "group list",
        "contact/group/list",
        "groups.list",
        lambda client: client.groups.list(209530),
        {"parent": "209530"},
        GROUPS,
        "GET",
    ),
    Row(
        "group listnumber",
        "contact/group/listnumber",
        "groups.contacts",
        lambda client: client.groups.contacts(7, page=3, page_size=50),
        {"groupid": "7", "offset": "50", "page": "3"},
        [CONTACT],
        "GET",
    ),
    Row(
        "group listnumber",
        "contact/group/listnumber",
        "groups.iterate_contacts",
        _collect_contacts,
        {"groupid": "7", "offset": "50", "page": "0"},
        [CONTACT],
        "GET",
    ),
    Row(
        "group edit",
        "contact/group/edit",
        "groups.rename",
        lambda client: client.groups.rename(7, "نام +"),
        {"groupid": "7", "name": "نام +"},
        None,
    ),
    Row(
        "group remove",
        "contact/group/remove",
        "groups.delete",
        lambda client: client.groups.delete(7),
        {"groupid": "7"},
        None,
    ),
    Row(
        "number remove",
        "contact/group/number/remove",
        "groups.remove_contacts",
        lambda client: client.groups.remove_contacts(7, [217820318, 217820319]),
        {"groupid": "7", "ids": "217820318,217820319"},
        None,
    ),
    Row(
        "receive last",
        "sms/receive/last",
        "received",
        lambda client: client.received("+98 5000 222", read=True),
        {"linenumber": "5000222", "isread": "1"},
        RECEIVED[:1],
    ),
    Row(
        "receive paging",
        "sms/receive/paging",
        "received_page",
        lambda client: client.received_page(LINE, start=TIME, end=TIME, page=3, page_size=150),
        {"linenumber": LINE, "isread": "0", "fromdate": UNIX, "todate": UNIX, "page": "3", "offset": "150"},
        ReceivedPage(RECEIVED, 1000),
    ),
    Row(
        "receive paging",
        "sms/receive/paging",
        "iterate_received",
        _collect_received,
        {"linenumber": LINE, "isread": "0", "fromdate": UNIX, "todate": UNIX, "page": "0", "offset": "50"},
        RECEIVED,
    ),
    Row("cancel", "sms/cancel", "cancel", lambda client: client.cancel([1022, 1023]), {"messageid": "1022,1023"},
        [1022, 1023]),
    Row("account info", "account/info", "account", lambda client: client.account(), {},
        Account(8880, datetime(2050, 1, 1, tzinfo=UTC))),
    Row("account info", "account/info", "credit", lambda client: client.credit(), {}, 8880),
]  # fmt: skip
EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def _public_methods() -> set[str]:
    found: set[str] = set()
    for prefix, kind in (("", GhasedakClient), ("groups.", Groups)):
        for name, value in inspect.getmembers(kind):
            is_asynchronous = inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
            if is_asynchronous and not name.startswith("_"):
                found.add(prefix + name)
    return found


def test_no_method_is_without_a_row() -> None:
    assert _public_methods() - {"aclose", "resolve"} == {row.name for row in ROWS}
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_the_vendors_18_methods_are_all_there() -> None:
    assert {(row.vendor, row.path, row.verb) for row in ROWS} == {
        ("send simple", "sms/send/simple", "POST"),
        ("send simple 2", "sms/send/simple/url", "POST"),
        ("bulk", "sms/send/bulk", "POST"),
        ("bulk 2", "sms/send/pair", "POST"),
        ("verification", "verification/send/simple", "POST"),
        ("voice", "voice/send/simple", "POST"),
        ("status", "sms/status", "POST"),
        ("group new", "contact/group/new", "POST"),
        ("group addnumber", "contact/group/addnumber", "POST"),
        ("group list", "contact/group/list", "GET"),
        ("group listnumber", "contact/group/listnumber", "GET"),
        ("group edit", "contact/group/edit", "POST"),
        ("group remove", "contact/group/remove", "POST"),
        ("number remove", "contact/group/number/remove", "POST"),
        ("receive last", "sms/receive/last", "POST"),
        ("receive paging", "sms/receive/paging", "POST"),
        ("cancel", "sms/cancel", "POST"),
        ("account info", "account/info", "POST"),
    }


@EACH_ROW
def test_docstring_names_the_vendors_method_and_path(row: Row) -> None:
    kind, _, name = row.name.rpartition(".")
    text = inspect.getdoc(getattr(Groups if kind else GhasedakClient, name)) or ""
    if row.name not in ("groups.iterate_contacts", "iterate_received", "credit"):
        assert f"Vendor method: {row.vendor}" in text
        assert f"``{row.path}``" in text


@EACH_ROW
async def test_wire_form(row: Row) -> None:
    """Path, verb, headers and every field, each once, and nothing else."""
    async with (
        RawServer(answer(envelope(None, 401, "apikey is invalid"), 401)) as server,
        make_client(server.url) as client,
    ):
        await failure_of(row.call(client))
    (request,) = server.requests
    path, _, query = request.target.partition("?")
    assert (request.method, path) == (row.verb, f"/v2/{row.path}")
    form = query if row.verb == "GET" else request.body.decode("ascii")
    pairs = parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form))
    assert dict(pairs) == row.fields
    assert len(pairs) == len(row.fields)
    assert " " not in form
    if row.verb == "GET":
        assert request.body == b""
    else:
        assert query == ""
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers.get("apikey") == (None if row.name == "send_by_username" else KEY)
    assert request.headers["accept"] == "application/json"
    assert "cookie" not in request.headers


OPTIONAL: list[tuple[str, Call, dict[str, str]]] = [
    ("send", lambda client: client.send(FIRST, "a b"), {"message": "a b", "receptor": FIRST}),
    (
        "send_by_username",
        lambda client: client.send_by_username("ali", FIRST, "a"),
        {"username": "ali", "password": KEY, "message": "a", "receptor": FIRST},
    ),
    (
        "send_pairs",
        lambda client: client.send_pairs(OutgoingMessage(FIRST, text, LINE) for text in ("a،b", "c")),
        {"message": "a،b,c", "receptor": f"{FIRST},{FIRST}", "linenumber": f"{LINE},{LINE}"},
    ),
    ("send_to_many", lambda client: client.send_to_many(FIRST, "a"), {"message": "a", "receptor": FIRST}),
    (
        "send_otp",
        lambda client: client.send_otp(ABROAD, "t", ("1",)),
        {"receptor": ABROAD, "type": "1", "template": "t", "param1": "1"},
    ),
    (
        "send_otp to several",
        lambda client: client.send_otp([FIRST, ABROAD], "t", ("1",)),
        {"receptor": f"{FIRST},{ABROAD}", "type": "1", "template": "t", "param1": "1"},
    ),
    ("send_voice", lambda client: client.send_voice(FIRST, "a"), {"message": "a", "receptor": FIRST}),
    ("groups.create", lambda client: client.groups.create("n"), {"name": "n"}),
    (
        "groups.add_contacts",
        lambda client: client.groups.add_contacts(7, [Contact(FIRST), Contact(SECOND, "", "", "")]),
        {"groupid": "7", "number": f"{FIRST},{SECOND}"},
    ),
    ("groups.list", lambda client: client.groups.list(), {"parent": "0"}),
    ("groups.contacts", lambda client: client.groups.contacts(7), {"groupid": "7", "offset": "100"}),
    ("received", lambda client: client.received(LINE), {"linenumber": LINE, "isread": "0"}),
    (
        "received_page",
        lambda client: client.received_page(LINE, start=TIME, end=TIME),
        {"linenumber": LINE, "isread": "0", "fromdate": UNIX, "todate": UNIX, "page": "0", "offset": "200"},
    ),
]


MINTED = {"send": 1, "send_by_username": 1, "send_pairs": 2, "send_to_many": 1, "send_otp": 1}
"""How many check ids go along with each of these if the caller gives none."""


@pytest.mark.parametrize(("name", "call", "fields"), OPTIONAL, ids=[name for name, _, _ in OPTIONAL])
async def test_what_is_not_given_is_not_sent_but_for_check_ids(name: str, call: Call, fields: dict[str, str]) -> None:
    """These are numbers, as the vendor's document calls them, and none comes twice."""
    async with (
        RawServer(answer(envelope(None, 401, "apikey is invalid"), 401)) as server,
        make_client(server.url) as client,
    ):
        await failure_of(call(client))
    (request,) = server.requests
    form = dict(parse_qsl(request.body.decode("ascii") or request.target.partition("?")[2], keep_blank_values=True))
    marks = [mark for mark in form.pop("checkid", "").split(",") if mark]
    assert form == fields
    assert len(set(marks)) == len(marks) == MINTED.get(name, 0)
    assert all(re.fullmatch(r"[1-9][0-9]{17}", mark) for mark in marks)


async def test_account_info_has_an_empty_form() -> None:
    async with RawServer(answer(envelope({"balance": -5}))) as server, make_client(server.url) as client:
        assert await client.account() == Account(-5)
    assert server.requests[0].body == b""
    assert server.requests[0].headers["content-length"] == "0"


async def test_a_plus_is_escaped() -> None:
    """A bare plus is a blank in a form: a number abroad would lose its mark."""
    async with RawServer(answer(envelope([70001]))) as server, make_client(server.url) as client:
        await client.send_otp(ABROAD, "t", ["1+1"])
    assert parse_qs(server.requests[0].body.decode())["receptor"] == ["+33456351753"]
    assert parse_qs(server.requests[0].body.decode())["param1"] == ["1+1"]


@pytest.mark.parametrize("base", ["", "/"])
async def test_base_url_needs_no_slash_at_its_end(base: str) -> None:
    async with RawServer(answer(envelope([70001]))) as server, make_client(server.url.rstrip("/") + base) as client:
        await client.send(FIRST, "a")
    assert server.requests[0].target == "/v2/sms/send/simple"


_PARTS = re.split(r"^=== (\S+) (\d+)\n", Path(__file__).with_name("vendor_samples.txt").read_text(), flags=re.MULTILINE)
SAMPLES = {(_PARTS[at], int(_PARTS[at + 1])): _PARTS[at + 2].encode() for at in range(1, len(_PARTS), 3)}
"""The replies of the vendor's document, verbatim, by path and code."""
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    # A comma after the last entry.
    "contact/group/list": lambda sample: re.sub(rb",(\s*\])", rb"\1", sample),
    # One brace too many after the list.
    "sms/receive/paging": lambda sample: re.sub(rb"\](\s*)\}", rb"]", sample),
}
ERRORS: dict[int, tuple[type[GatewayError], int, set[str]]] = {
    400: (
        InvalidRequestError,
        400,
        {f'["{name} is required"]' for name in ("receptor", "messageid", "name", "groupid", "linenumber", "apikey")},
    ),
    401: (AuthenticationError, 401, {"apikey is invalid"}),
    404: (NotFoundError, 404, {"the requested resource does not exist"}),
    419: (ServiceUnavailableError, 10, {"error! Exception"}),
}


def test_all_samples_are_here() -> None:
    paths = {row.path for row in ROWS}
    without_419 = {"sms/send/simple", "sms/send/simple/url"}
    expected = {(path, code) for path in paths for code in (200, 400, 401, 404, 419)}
    assert set(SAMPLES) == expected - {(path, 419) for path in without_419}
    assert len(SAMPLES) == 88


@EACH_ROW
async def test_sample_of_success(row: Row) -> None:
    sample = SAMPLES[row.path, 200]
    async with RawServer(answer(sample)) as server, make_client(server.url) as client:
        if row.path in BROKEN:
            error = await failure_of(row.call(client))
            assert type(error) is ReplyError
            assert error.outcome is Outcome.UNKNOWN
            assert error.operation in (row.name, "received_page")
            assert len(server.requests) == 1
        else:
            assert await row.call(client) == row.result


@pytest.mark.parametrize("row", [row for row in ROWS if row.path in BROKEN], ids=lambda row: str(row.name))
async def test_broken_sample_put_right(row: Row) -> None:
    sample = BROKEN[row.path](SAMPLES[row.path, 200])
    async with RawServer(answer(sample)) as server, make_client(server.url) as client:
        assert await row.call(client) == row.result


@pytest.mark.parametrize(
    ("row", "code"),
    [
        pytest.param(row, code, id=f"{row.name}-{code}")
        for row in ROWS
        for code in sorted(ERRORS)
        if (row.path, code) in SAMPLES
    ],
)
async def test_sample_of_an_error(row: Row, code: int) -> None:
    for status in (code, 200):
        async with RawServer(answer(SAMPLES[row.path, code], status)) as server, make_client(server.url) as client:
            error = await failure_of(row.call(client))
        assert isinstance(error, GatewayError)
        assert error.http_status == status
        _check_sample(error, row, code)


def _check_sample(error: GatewayError, row: Row, code: int) -> None:
    kind, number, messages = ERRORS[code]
    assert type(error) is kind
    assert error.code == number
    assert error.gateway_message in messages
    assert error.gateway_message in SAMPLES[row.path, code].decode().replace('\\"', '"')
    assert error.outcome is (Outcome.UNKNOWN if number in (10, 21) else Outcome.REFUSED)
    assert error.gateway == "ghasedak"
    assert error.operation == {
        "credit": "account",
        "iterate_received": "received_page",
        "groups.iterate_contacts": "groups.contacts",
    }.get(row.name, row.name)
    assert error.operation_id
    # What the vendor wrote may quote a number or a text, so it stands in its own attribute alone.
    assert error.gateway_message not in str(error)
