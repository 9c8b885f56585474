"""Every method: what it puts on the wire, and what it makes of every shape in which a panel answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import attrs
import pytest
from payamak.opgateway import (
    AccessLevel,
    Approval,
    CreatedUser,
    DeliveryState,
    GatewayError,
    Job,
    JobTrend,
    ListEntry,
    MessageProgress,
    NotFoundError,
    Operator,
    OpGatewayClient,
    Outcome,
    PhoneBook,
    PostalArea,
    ReceivedMessage,
    RecipientDelivery,
    ReplyError,
)
from support.ghasedak import failure_of
from support.opgateway import (
    ABROAD,
    FIRST,
    LINE,
    METHODS,
    NEW_USER,
    PASSWORD,
    USERNAME,
    Call,
    Method,
    ask,
    ask_each,
    make_client,
    reply,
    url_of,
)
from support.raw_server import RawServer, answer
from support.shapes import is_list

EACH = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))
BULK = 10929800
OPS = {
    "send", "credit", "delivery", "checkmessage", "booklist", "booksend", "inboxlist", "accesslist", "newuser",
    "postalcodecount", "postalcodearea", "postalcodesend", "jobslist", "jobstrendlist", "jobscount", "jobssend",
}  # fmt: skip
AT = datetime(2030, 1, 1, 8, 30, 5, tzinfo=UTC)


def _named(kind: type[ListEntry]) -> list[ListEntry]:
    return [
        kind(11, "الف/ب", {"id": 11, "title": "الف/ب"}),
        kind(12, "ج", {"id": "12", "title": "ج"}),
    ]


RESULTS: dict[str, Any] = {
    **dict.fromkeys([name for name, method in METHODS.items() if method.data == BULK], BULK),
    "credit": Decimal("123456.78"),
    "delivery": [RecipientDelivery("+989121111111", "notsync"), RecipientDelivery("+989122222222", "delivered")],
    "check_message": MessageProgress("Finish", Approval.APPROVED),
    "phone_books": _named(PhoneBook),
    "received": [
        ReceivedMessage("سلام/[1]", "+989121111111", "+983000505", AT),
        ReceivedMessage("[1,2]", "+989121111111", "+983000505", AT.replace(second=6)),
    ],
    "access_levels": _named(AccessLevel),
    "create_user": CreatedUser(30401, 30401),
    "postal_code_count": 7,
    "postal_code_areas": _named(PostalArea),
    "jobs": _named(Job),
    "job_trends": _named(JobTrend),
    "job_count": 7,
}


def test_no_method_is_untested_and_the_vendors_16_ops_are_all_there() -> None:
    methods = {
        name for name, _ in inspect.getmembers(OpGatewayClient, inspect.iscoroutinefunction) if not name.startswith("_")
    }
    assert methods - {"aclose", "resolve", "call"} == set(METHODS) == set(RESULTS)
    assert {method.op for method in METHODS.values()} == OPS
    assert len(OPS) == 16


@EACH
def test_docstring_names_the_op(method: Method) -> None:
    assert f"Vendor's op: ``{method.op}``" in (inspect.getdoc(getattr(OpGatewayClient, method.name)) or "")


# What goes out


@EACH
async def test_wire_form(method: Method) -> None:
    """URL, verb, headers and every field, each once, and nothing else."""
    async with RawServer(reply([962, "no"])) as server, make_client(url_of(server)) as client:
        await failure_of(method.call(client))
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/services.jspd")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert "cookie" not in request.headers
    form = request.body.decode("ascii")
    assert " " not in form
    pairs = parse_qsl(form, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    assert dict(pairs) == {**method.fields, "uname": USERNAME, "pass": PASSWORD, "op": method.op}
    for name in ("to", "bookid", "trendid"):
        assert isinstance(json.loads(dict(pairs).get(name, "[]")), list)


OPTIONAL: dict[str, tuple[Call, dict[str, str]]] = {
    "send": (lambda client: client.send(ABROAD, "a b", sender=LINE), {"to": f'["{ABROAD}"]'}),
    "one of many": (lambda client: client.send_to_many(FIRST, "a b", sender=LINE), {"to": f'["{FIRST}"]'}),
    "a generator": (
        lambda client: client.send_to_many((number for number in (FIRST, FIRST)), "a b", sender=LINE),
        {"to": f'["{FIRST}", "{FIRST}"]'},
    ),
    "postal code": (
        lambda client: client.send_to_postal_code(Operator.MCI, "13", "a b", sender=LINE),
        {"type": "tci", "gender": "0", "postalcode": "13"},
    ),
    "tuple of ids": (lambda client: client.send_to_phone_books((7,), "a b", sender=LINE), {"bookid": "[7]"}),
}


@pytest.mark.parametrize("name", OPTIONAL)
async def test_what_is_not_given_is_not_sent(name: str) -> None:
    call, fields = OPTIONAL[name]
    async with RawServer(reply([0, BULK])) as server, make_client(url_of(server)) as client:
        assert await call(client) == BULK
    form = server.requests[0].form
    assert {key: value for key, value in form.items() if key not in ("uname", "pass", "op")} == {
        "message": "a b",
        "from": LINE,
        **fields,
    }
    assert "None" not in server.requests[0].body.decode()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), "2030-01-01 03:30:00"),
        (datetime(2030, 12, 31, 23, 59, 59, 999_999, tzinfo=ZoneInfo("Asia/Tehran")), "2030-12-31 23:59:59"),
        (datetime(2032, 6, 1, tzinfo=UTC), "2032-06-01 03:30:00"),
    ],
)
async def test_a_time_travels_as_that_of_tehran(given: datetime, sent: str) -> None:
    async with RawServer(reply([0, BULK])) as server, make_client(url_of(server)) as client:
        await client.send(FIRST, "a", sender=LINE, send_at=given)
    assert server.requests[0].form["time"] == sent


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/services.jspd"),
        ("/", "/services.jspd"),
        ("/services.jspd", "/services.jspd"),
        ("/services.jspd/", "/services.jspd"),
        ("/panel/sms.php", "/panel/sms.php"),
        ("/a%20b/services.jspd", "/a%20b/services.jspd"),
    ],
)
async def test_base_url_is_used_as_given_unless_it_names_only_a_host(path: str, target: str) -> None:
    async with (
        RawServer(reply([0, "1"])) as server,
        make_client(f"http://127.0.0.1:{server.port}{path}") as client,
    ):
        await client.credit()
    assert server.requests[0].target == target


async def test_an_access_level_may_be_a_word() -> None:
    async with RawServer(reply([0, 1])) as server, make_client(url_of(server)) as client:
        await client.create_user(attrs.evolve(NEW_USER, access_id="gold"))
    assert server.requests[0].form["access_id"] == "gold"


# What comes back


def _escaped(document: Any) -> bytes:
    """As PHP writes it: \\uXXXX and \\/."""
    return json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode()


def _text(data: Any) -> Any:
    return data if isinstance(data, (str, int)) else json.dumps(data).replace("/", "\\/")


SHAPES: dict[str, Callable[[Any], bytes]] = {
    "int code": lambda data: _escaped([0, data]),
    "string code": lambda data: _escaped(["0", data]),
    "float code": lambda data: _escaped([0.0, data]),
    "string float code": lambda data: _escaped(["0.0", data]),
    "padded code": lambda data: _escaped([" 0 ", data]),
    "code of a stored number": lambda data: _escaped([102, data]),
    "JSON in a string": lambda data: _escaped([0, _text(data)]),
    "JSON in a string, string code": lambda data: _escaped(["0", _text(data)]),
    "JSON in strings of a list in a string": lambda data: _escaped(
        [0, _text([_text(entry) for entry in data] if is_list(data) else data)]
    ),
    "JSON in strings of a list": lambda data: _escaped(
        [0, [_text(entry) for entry in data] if is_list(data) else data]
    ),
    "raw UTF-8": lambda data: json.dumps([0, data], ensure_ascii=False).encode(),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + _escaped([0, data]),
    "white space": lambda data: b"\r\n \t" + json.dumps([0, data], indent=2).encode() + b"\n",
    "scalars as strings": lambda data: _escaped([0, data if isinstance(data, (list, dict)) else str(data)]),
    "floats": lambda data: _escaped([0, float(data) if isinstance(data, int) else data]),
}


@EACH
async def test_every_shape_of_a_success(method: Method) -> None:
    html = {"Content-Type": "text/html"}
    found = await ask_each(method.call, *(answer(shape(method.data), 200, html) for shape in SHAPES.values()))
    for shape, result in zip(SHAPES, found, strict=True):
        if method.name == "create_user":
            assert isinstance(result, CreatedUser), shape
            assert result.id == 30401
        else:
            assert result == RESULTS[method.name], shape
            assert type(result) is type(RESULTS[method.name])


LISTS = ["delivery", "phone_books", "received", "access_levels", "postal_code_areas", "jobs", "job_trends"]


@pytest.mark.parametrize("name", LISTS)
async def test_a_bare_list(name: str) -> None:
    method = METHODS[name]
    texts = [_text(entry) for entry in method.data]
    assert await ask_each(method.call, reply(method.data), reply(texts)) == [RESULTS[name]] * 2


@pytest.mark.parametrize("name", LISTS)
async def test_nothing_in_a_list(name: str) -> None:
    documents: list[Any] = [[0, "[]"], [0, []], ["0", ""], []]
    if name != "delivery":  # There, null means that the bulk is not known.
        documents += [[0, None], [0]]
    assert await ask_each(METHODS[name].call, *map(reply, documents)) == [[]] * len(documents)


@EACH
async def test_a_bare_null(method: Method) -> None:
    """Only where the vendor says so it has a meaning."""
    error = await failure_of(ask(method.call, reply(None)))
    if method.name in ("delivery", "check_message"):
        assert type(error) is NotFoundError
        assert error.outcome is Outcome.REFUSED
    else:
        assert type(error) is ReplyError
        assert error.outcome is Outcome.UNKNOWN


LONE: list[Any] = [10929800, 962, 0, "10929800", "962", "[0, 10929800]", '[962, "no"]', "text", True, 5.5]
OBJECTS: list[Any] = [{}, {"id": BULK}, {"0": 0, "1": BULK}]


@EACH
async def test_a_lone_value_or_a_strange_object_is_a_result_of_none(method: Method) -> None:
    """A number may be an id, or the code of a refusal."""
    documents = LONE + OBJECTS
    for document, error in zip(documents, await ask_each(method.call, *map(reply, documents)), strict=True):
        assert type(error) is ReplyError, document
        assert error.outcome is Outcome.UNKNOWN


NO_BULK_ID: list[Any] = [
    [0], [0, None], [0, ""], [0, 0], [0, "0"], [0, -5], [0, True], [0, 1.5], [0, "x"], [0, [BULK]], [0, {}],
    [0, "962: no"], [BULK], [BULK, BULK + 1], [0, BULK, 0], [], [None, BULK], [True, BULK], [[0], BULK],
    ["9121111111", "x"], [9121111111.0, "x"], [1e300, "x"], ["", BULK], ["0x0", BULK], ["0.5", BULK],
]  # fmt: skip


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.data == BULK])
async def test_a_send_without_a_bulk_id_is_unknown(name: str) -> None:
    errors = await ask_each(METHODS[name].call, *map(reply, NO_BULK_ID))
    for document, error in zip(NO_BULK_ID, errors, strict=True):
        assert type(error) is ReplyError, document
        assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("data", "credit"),
    [
        ("123456.78", "123456.78"),
        ("123456/78", "123456.78"),
        (" 12/50 ", "12.50"),
        (123456.78, "123456.78"),
        (5, "5"),
        ("0", "0"),
        ("-3/5", "-3.5"),
    ],
)
async def test_credit(data: Any, credit: str) -> None:
    found = await ask(METHODS["credit"].call, reply([0, data]))
    assert type(found) is Decimal
    assert str(found) == credit


@pytest.mark.parametrize("data", ["", "x", None, True, "NaN", "sNaN", "Infinity", "1/2/3", [5], {"credit": 5}])
async def test_no_credit(data: Any) -> None:
    assert type(await failure_of(ask(METHODS["credit"].call, reply([0, data])))) is ReplyError


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("notsync", DeliveryState.QUEUED),
        ("send", DeliveryState.SENT),
        ("Pending", DeliveryState.SENT),
        ("FAILED", DeliveryState.FAILED),
        ("discarded", DeliveryState.BLOCKED),
        (" delivered ", DeliveryState.DELIVERED),
        ("novel", DeliveryState.UNKNOWN),
    ],
)
async def test_delivery_words(word: str, state: DeliveryState) -> None:
    (found,) = await ask(METHODS["delivery"].call, reply([0, [f"+989121111111:{word}"]]))
    assert found == RecipientDelivery("+989121111111", word.strip().lower())
    assert found.state is state


@pytest.mark.parametrize("entry", ["+989121111111", "", ":send", "+98912:", 5, None, {"number": "a:b"}, ["a:b"]])
async def test_delivery_entries_that_are_none(entry: Any) -> None:
    error = await failure_of(ask(METHODS["delivery"].call, reply([0, ["+989121111111:send", entry]])))
    assert type(error) is ReplyError
    assert error.field == "data[1]"


@pytest.mark.parametrize(
    ("document", "progress"),
    [
        ({"statusMessage": "Finish", "validMessage": "Approve"}, MessageProgress("Finish", Approval.APPROVED)),
        ({"statusMessage": "Cancel", "validMessage": " CANCEL "}, MessageProgress("Cancel", Approval.REJECTED)),
        ({"statusMessage": "Active", "validMessage": "notconfirm:"}, MessageProgress("Active", Approval.WAITING)),
        (
            {"statusMessage": "No Sufficient Charge", "validMessage": "novel"},
            MessageProgress("No Sufficient Charge", "novel"),
        ),
        ({"statusMessage": "Interacting"}, MessageProgress("Interacting", None)),
        ({"statusMessage": None, "validMessage": "approve", "more": 1}, MessageProgress(None, Approval.APPROVED)),
    ],
)
async def test_progress(document: Any, progress: MessageProgress) -> None:
    shapes = (document, [0, document], ["0", json.dumps(document)])
    for found in await ask_each(METHODS["check_message"].call, *map(reply, shapes)):
        assert found == progress
        assert type(found.approval) is type(progress.approval)


@pytest.mark.parametrize("name", ["delivery", "check_message"])
@pytest.mark.parametrize("document", [None, [0, None], [456, "The bulk id is invalid"], ["456", ""]])
async def test_an_unknown_bulk(name: str, document: Any) -> None:
    error = await failure_of(ask(METHODS[name].call, reply(document)))
    assert type(error) is NotFoundError
    assert (error.outcome, error.operation, error.http_status) == (Outcome.REFUSED, name, 200)
    assert error.operation_id


@pytest.mark.parametrize("entry", ["text", 5, None, [], {}, {"message": ["x"]}, {"time": "soon"}])
async def test_what_is_no_received_message(entry: Any) -> None:
    error = await failure_of(ask(METHODS["received"].call, reply([0, [{"message": "a"}, entry]])))
    assert type(error) is ReplyError
    assert (error.field or "").startswith("data[1]")


@pytest.mark.parametrize(
    ("entry", "identity", "title"),
    [
        ({"ID": "7", "Name": "x"}, 7, "x"),
        ({"code": "A7", "label": "x"}, "A7", "x"),
        ({"postalcode": 13, "city": "x"}, 13, "x"),
        ({"novel": 1}, None, None),
        ({"id": True, "title": 5}, None, None),
        ("x", None, "x"),
        (7, 7, None),
        ("7", 7, "7"),
        (None, None, None),
        ([1, 2], None, None),
    ],
)
async def test_entries_of_any_shape_keep_what_came(entry: Any, identity: Any, title: str | None) -> None:
    assert await ask(METHODS["jobs"].call, reply([0, [entry, entry, entry]])) == [Job(identity, title, entry)] * 3


@pytest.mark.parametrize("name", ["postal_code_count", "job_count"])
async def test_what_is_no_count(name: str) -> None:
    assert await ask(METHODS[name].call, reply([0, "0"])) == 0
    wrong: tuple[Any, ...] = (None, "", "x", -1, True, 1.5, [1], {})
    for error in await ask_each(METHODS[name].call, *(reply([0, data]) for data in wrong)):
        assert type(error) is ReplyError


@pytest.mark.parametrize("data", [None, "", "made", {"id": 5}, [1]])
async def test_a_user_is_made_whatever_the_data(data: Any) -> None:
    created = await ask(METHODS["create_user"].call, reply([0, data]))
    assert created == CreatedUser(None, data)


@EACH
async def test_a_refusal_is_one_in_every_shape(method: Method) -> None:
    codes = (962, "962", 962.0, "962.0", " 962 ")
    for error in await ask_each(method.call, *(reply([code, "no"]) for code in codes)):
        assert isinstance(error, GatewayError)
        assert (error.code, error.outcome, error.operation) == (962, Outcome.REFUSED, method.name)
