"""Bad arguments never leave the process, and the error names the one that is wrong."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.ghasedak import (
    Contact,
    GhasedakClient,
    InvalidArgumentError,
    Outcome,
    OutgoingMessage,
    RetryPolicy,
)
from support.ghasedak import Call, failure_of

FIRST, LINE = "09121111111", "5000222"
AWARE = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
NAIVE = datetime.datetime(2030, 1, 1)
HALF = "half a character: \ud83d"
MANY = [FIRST] * 101

# The arguments are wrong on purpose, so the client is of any type here.
BadCall = Callable[[Any, Any], Awaitable[Any]]


def _message(to: Any = FIRST, text: Any = "text", sender: Any = LINE, **more: Any) -> OutgoingMessage:
    return OutgoingMessage(to, text, sender, **more)


async def _call_with(call: Callable[..., Awaitable[Any]], name: str, client: Any, value: object) -> None:
    await call(client, **{name: value})


async def _call_with_third(call: BadCall, client: Any, value: object) -> None:
    await call(client, [FIRST, FIRST, value])


async def _add_person(client: Any, **fields: Any) -> None:
    await client.groups.add_contacts(7, [Contact(FIRST), Contact(fields.pop("number", FIRST), **fields)])


async def _exhaust(entries: Any) -> None:
    async for _ in entries:
        pass


BAD_TEXTS: list[object] = ["", " ", "\n\t\u00a0", None, 5, b"text", ["text"], HALF]
BAD_NUMBERS: list[object] = [
    "", " ", "abc", "0912111111", "091211111111", "19121111111111111", "+989121111", "+981", "0912111111a", "+12345",
    "09121111111,0", "09121111111,09122222222", "09121111111\u0000", "٠٩١٢", HALF,
    None, 9121111111, b"09121111111", ["09121111111"],
]  # fmt: skip
BAD_LINES: list[object] = ["", "12", "abc", "1" * 21, "5000,222", 5000222, b"5000222", HALF, ["5000222"]]
BAD_TIMES: list[object] = [NAIVE, AWARE.date(), "2030-01-01", 1508144471, 1.5, AWARE.timetz()]
BAD_MARKS: list[object] = ["", " ", "a,b", 5, b"a", ["a"], HALF]
BAD_IDS: list[object] = [0, -1, True, False, "12", 1.5, None, [1]]
BAD_PAGE_SIZES: list[object] = [0, -1, True, "10", 1.5, None]
NO_LISTS: list[object] = [None, 5, 1.5, object()]


CASES: dict[tuple[str, str], list[tuple[BadCall, object]]] = {}
"""By operation and argument: calls, and the values that each must refuse."""


def add(operation: str, argument: str, call: BadCall, *values: object) -> None:
    CASES.setdefault((operation, argument), []).extend((call, value) for value in values)


def _add_sends_to_one() -> None:
    add("send", "to", lambda c, v: c.send(v, "text"), *BAD_NUMBERS)
    add("send", "text", lambda c, v: c.send(FIRST, v), *BAD_TEXTS)
    add("send", "sender", lambda c, v: c.send(FIRST, "text", sender=v), *BAD_LINES)
    add("send", "send_at", lambda c, v: c.send(FIRST, "text", send_at=v), *BAD_TIMES)
    add("send", "check_id", lambda c, v: c.send(FIRST, "text", check_id=v), *BAD_MARKS)

    by_username = "send_by_username"
    add(by_username, "username", lambda c, v: c.send_by_username(v, FIRST, "text"), *BAD_TEXTS)
    add(by_username, "to", lambda c, v: c.send_by_username("ali", v, "text"), "", None, "0912")
    add(by_username, "text", lambda c, v: c.send_by_username("ali", FIRST, v), "", None, HALF)
    add(by_username, "sender", lambda c, v: c.send_by_username("ali", FIRST, "text", sender=v), "", 5, "x")
    add(by_username, "send_at", lambda c, v: c.send_by_username("ali", FIRST, "text", send_at=v), NAIVE, 5)
    add(by_username, "check_id", lambda c, v: c.send_by_username("ali", FIRST, "text", check_id=v), "a,b", "", 5)


def _add_send_pairs() -> None:
    pairs = "send_pairs"
    add(pairs, "messages", lambda c, v: c.send_pairs(v), [], (), [_message()] * 101, "text", *NO_LISTS)
    add(pairs, "messages[1]", lambda c, v: c.send_pairs([_message(), v]), None, "text", (FIRST, "text", LINE), {})
    add(pairs, "messages[1].to", lambda c, v: c.send_pairs([_message(), _message(v)]), *BAD_NUMBERS)
    add(pairs, "messages[1].text", lambda c, v: c.send_pairs([_message(), _message(text=v)]), "a,b", ",", *BAD_TEXTS)
    add(pairs, "messages[1].sender", lambda c, v: c.send_pairs([_message(), _message(sender=v)]), None, *BAD_LINES)
    add(pairs, "messages[0].send_at", lambda c, v: c.send_pairs([_message(send_at=v)]), *BAD_TIMES)
    add(pairs, "messages[0].check_id", lambda c, v: c.send_pairs([_message(check_id=v)]), *BAD_MARKS)
    add(pairs, "messages", lambda c, v: c.send_pairs([_message(send_at=AWARE), _message(**v)]), {}, {"check_id": "1"})
    add(pairs, "messages", lambda c, v: c.send_pairs([_message(check_id="1"), _message(**v)]), {}, {"send_at": AWARE})


def _add_sends_to_many() -> None:
    many: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
        "send_to_many": lambda c, v: c.send_to_many(v, "text"),
        "send_otp": lambda c, v: c.send_otp(v, "template", ["1"]),
        "send_voice": lambda c, v: c.send_voice(v, "text"),
    }
    for name, call in many.items():
        add(name, "recipients", call, [], (), iter(()), MANY, b"09121111111", *NO_LISTS)
        add(name, "recipients[0]", call, "", "abc", f"{FIRST},{FIRST}", [None], [9121111111])
        add(name, "recipients[2]", partial(_call_with_third, call), *BAD_NUMBERS)
    add("send_to_many", "text", lambda c, v: c.send_to_many([FIRST], v), *BAD_TEXTS)
    add("send_to_many", "sender", lambda c, v: c.send_to_many([FIRST], "text", sender=v), *BAD_LINES)
    add("send_to_many", "send_at", lambda c, v: c.send_to_many([FIRST], "text", send_at=v), *BAD_TIMES)
    add(
        "send_to_many", "check_ids", lambda c, v: c.send_to_many([FIRST] * 2, "text", check_ids=v),
        [], ["1"], ["1", "2", "3"], [str(number) for number in range(101)], "12", 5, object(),
    )  # fmt: skip
    add("send_to_many", "check_ids[1]", lambda c, v: c.send_to_many([FIRST] * 2, "a", check_ids=["1", v]), *BAD_MARKS)
    add("send_otp", "template", lambda c, v: c.send_otp([FIRST], v, ["1"]), *BAD_TEXTS)
    add("send_otp", "params", lambda c, v: c.send_otp([FIRST], "t", v), [], ["1"] * 11, "12345", *NO_LISTS)
    add("send_otp", "params[1]", lambda c, v: c.send_otp([FIRST], "t", ["1", v]), *BAD_TEXTS)
    add("send_otp", "check_id", lambda c, v: c.send_otp([FIRST], "t", ["1"], check_id=v), *BAD_MARKS)
    add("send_otp", "check_id", lambda c, v: c.send_otp(v, "t", ["1"], check_id="1"), [FIRST] * 2, (FIRST,) * 3)
    add("send_otp", "check_id", lambda c, v: c.send_otp(FIRST, "t", ["1"], check_id="1", check_ids=v), ["1"])
    add("send_otp", "check_ids", lambda c, v: c.send_otp([FIRST] * 2, "t", ["1"], check_ids=v), [], ["1"], "12", 5)
    add("send_otp", "check_ids[1]", lambda c, v: c.send_otp([FIRST] * 2, "t", ["1"], check_ids=["1", v]), *BAD_MARKS)
    add("send_otp", "kind", lambda c, v: c.send_otp([FIRST], "t", ["1"], kind=v), 0, 3, "1", None, "voice", [1])
    add("send_otp", "kind", lambda c, v: c.send_otp([FIRST], "t", ["1"], kind=v), True, 1.0)
    add("send_voice", "text", lambda c, v: c.send_voice([FIRST], v), *BAD_TEXTS)
    add("send_voice", "send_at", lambda c, v: c.send_voice([FIRST], "text", send_at=v), *BAD_TIMES)


def _add_reads() -> None:
    add("statuses", "message_ids", lambda c, v: c.statuses(v), [], "12", *NO_LISTS)
    add("statuses", "message_ids[1]", lambda c, v: c.statuses([1, v]), *BAD_IDS)
    add("statuses", "message_ids[150]", lambda c, v: c.statuses([*range(1, 151), v]), 0)
    add("statuses_by_check_id", "check_ids", lambda c, v: c.statuses_by_check_id(v), [], "12", *NO_LISTS)
    add("statuses_by_check_id", "check_ids[1]", lambda c, v: c.statuses_by_check_id(["1", v]), None, *BAD_MARKS)
    add("cancel", "message_ids", lambda c, v: c.cancel(v), [], range(1, 102), "12", *NO_LISTS)
    add("cancel", "message_ids[1]", lambda c, v: c.cancel([1, v]), *BAD_IDS)

    add("received", "line", lambda c, v: c.received(v), None, *BAD_LINES)
    add("received", "read", lambda c, v: c.received(LINE, read=v), "no", "0", None, [])
    for call in (_get_page, _iterate):
        add("received_page", "line", partial(_call_with, call, "line"), None, *BAD_LINES)
        add("received_page", "start", partial(_call_with, call, "start"), None, *BAD_TIMES)
        add("received_page", "end", partial(_call_with, call, "end"), None, *BAD_TIMES)
        add("received_page", "page_size", partial(_call_with, call, "page_size"), *BAD_PAGE_SIZES, 201)
        add("received_page", "read", partial(_call_with, call, "read"), "no", "0")
    add("received_page", "page", lambda c, v: _get_page(c, page=v), -1, True, "0", 1.5, None, 2**31 + 1)


async def _get_page(client: Any, **options: Any) -> None:
    options = {"line": LINE, "start": AWARE, "end": AWARE, **options}
    await client.received_page(options.pop("line"), **options)


async def _iterate(client: Any, **options: Any) -> None:
    options = {"line": LINE, "start": AWARE, "end": AWARE, **options}
    await _exhaust(client.iterate_received(options.pop("line"), **options))


def _add_groups() -> None:
    add("groups.create", "name", lambda c, v: c.groups.create(v), *BAD_TEXTS)
    add("groups.create", "parent_id", lambda c, v: c.groups.create("n", parent_id=v), -1, True, "12", 1.5)
    add("groups.add_contacts", "group_id", lambda c, v: c.groups.add_contacts(v, [Contact(FIRST)]), *BAD_IDS)
    add("groups.add_contacts", "contacts", lambda c, v: c.groups.add_contacts(7, v), [], [Contact(FIRST)] * 101, FIRST)
    add("groups.add_contacts", "contacts", lambda c, v: c.groups.add_contacts(7, v), *NO_LISTS)
    add("groups.add_contacts", "contacts[1]", lambda c, v: c.groups.add_contacts(7, [Contact(FIRST), v]), None, FIRST)

    add("groups.add_contacts", "contacts[1].number", lambda c, v: _add_person(c, number=v), *BAD_NUMBERS)
    for field in ("first_name", "last_name", "email"):
        add(
            "groups.add_contacts", f"contacts[1].{field}", partial(_call_with, _add_person, field),
            "a,b", ",", " ", 5, True, ["a"], b"a", HALF,
        )  # fmt: skip
    add("groups.list", "parent_id", lambda c, v: c.groups.list(v), -1, True, "12", 1.5, None)
    add("groups.contacts", "group_id", lambda c, v: c.groups.contacts(v), *BAD_IDS)
    add("groups.contacts", "page", lambda c, v: c.groups.contacts(7, page=v), -1, True, "1", 1.5)
    add("groups.contacts", "page_size", lambda c, v: c.groups.contacts(7, page_size=v), *BAD_PAGE_SIZES, 101)
    add(
        "groups.contacts", "page_size", lambda c, v: _exhaust(c.groups.iterate_contacts(7, page_size=v)),
        *BAD_PAGE_SIZES, 101,
    )  # fmt: skip
    add("groups.contacts", "group_id", lambda c, v: _exhaust(c.groups.iterate_contacts(v)), *BAD_IDS)
    add("groups.rename", "group_id", lambda c, v: c.groups.rename(v, "n"), *BAD_IDS)
    add("groups.rename", "name", lambda c, v: c.groups.rename(7, v), *BAD_TEXTS)
    add("groups.delete", "group_id", lambda c, v: c.groups.delete(v), *BAD_IDS)
    add("groups.remove_contacts", "group_id", lambda c, v: c.groups.remove_contacts(v, [1]), *BAD_IDS)
    add("groups.remove_contacts", "record_ids", lambda c, v: c.groups.remove_contacts(7, v), [], range(1, 102), "12")
    outside = ["+33456351753", "0033456351753"]
    add("send", "to", lambda c, v: c.send(v, "a"), *outside)
    add("send_to_many", "recipients[1]", lambda c, v: c.send_to_many([FIRST, v], "a"), *outside)
    add("send_voice", "recipients[0]", lambda c, v: c.send_voice([v], "a"), *outside)
    add("statuses", "message_ids[0]", lambda c, v: c.statuses([v]), 2**63, 10**5000)
    add("statuses", "message_ids", lambda c, v: c.statuses(v), list, iter(()))
    now = datetime.datetime.now(datetime.UTC)
    later = now + datetime.timedelta(seconds=1)
    add("received_page", "start", lambda c, v: c.received_page(LINE, start=v, end=now), later)
    add("groups.remove_contacts", "record_ids[1]", lambda c, v: c.groups.remove_contacts(7, [1, v]), *BAD_IDS)


_add_sends_to_one()
_add_send_pairs()
_add_sends_to_many()
_add_reads()
_add_groups()


@pytest.mark.parametrize(("operation", "argument"), CASES)
async def test_bad_argument(operation: str, argument: str, emulator: Emulator, client: GhasedakClient) -> None:
    taken: list[object] = []
    for call, value in CASES[operation, argument]:
        try:
            await call(client, value)
        except InvalidArgumentError as error:
            _check(error, operation, argument)
        else:
            taken.append(value)
    assert taken == []
    assert emulator.requests == []
    assert emulator.connections == 0


def _check(error: InvalidArgumentError, operation: str, argument: str) -> None:
    assert isinstance(error, ValueError)
    assert error.argument == argument
    assert (error.gateway, error.operation, error.outcome) == ("ghasedak", operation, Outcome.NOT_SENT)
    # What was wrong is not repeated: it can be a number or a text.
    assert FIRST not in str(error)
    assert "half a character: " not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


BAD_CALLS: dict[str, Call] = {
    "send": lambda client: client.send("", "text"),
    "send_to_many": lambda client: client.send_to_many([""], "text"),
    "send_otp": lambda client: client.send_otp([""], "t", ["1"]),
    "send_voice": lambda client: client.send_voice([""], "text"),
    "statuses": lambda client: client.statuses([]),
    "statuses_by_check_id": lambda client: client.statuses_by_check_id([]),
    "groups.rename": lambda client: client.groups.rename(0, "n"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
async def test_every_error_has_an_operation_id(name: str, client: GhasedakClient) -> None:
    assert (await failure_of(BAD_CALLS[name](client))).operation_id


@pytest.mark.parametrize(
    "number",
    ["09121111111", "9121111111", "989121111111", "+989121111111", "00989121111111", "۰۹۱۲۱۱۱۱۱۱۱", "٠٩١٢١١١١١١١",
     " 0912 111-1111 ", "+98 (912) 111 1111", "\u200e+98\u00a0912\u200c1111111\u200f"],
)  # fmt: skip
async def test_numbers_as_people_write_them(number: str, emulator: Emulator, client: GhasedakClient) -> None:
    result = await client.send(number, "text")
    assert [message.recipient for message in emulator.messages()] == [FIRST]
    assert result.recipient == number


def _make(**options: Any) -> GhasedakClient:
    arguments: dict[str, Any] = {"api_key": "a-key", **options}
    return GhasedakClient(**arguments)


CONSTRUCTOR: dict[str, list[object]] = {
    "api_key": [
        "", " ", " secret", "secret ", "secret\n", "کلید", "secret\r\nb", "secret\x00b", None, 5, b"secret", ["secret"],
    ],
    "base_url": [
        "", "api.ghasedak.me", "ftp://api.ghasedak.me/", "https://", "//x", "http://api.ghasedak.me/v2/", None, 5,
        "https://a:secret@c/", "https://secret@c/", "https://c/?a=b", "https://c/#a", "http://127.0.0.1.example.com/",
        "http://10.0.0.1/", "https://c:99999/", b"https://c/",
    ],
    "timeout": [0, -1, True, "5", float("nan"), [5]],
    "retry": [None, 3, "3", RetryPolicy],
    "session": ["session", 5, GhasedakClient],
    "proxy": ["", "127.0.0.1:80", "socks5://127.0.0.1", 5],
    "ssl": [True, False, "ca.pem", ssl.SSLContext],
    "hooks": [[5], ["x"], [None]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "value"), [(argument, value) for argument, values in CONSTRUCTOR.items() for value in values]
)
def test_constructor(argument: str, value: object) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        _make(**{argument: value})
    assert caught.value.argument == argument
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [5, None])
def test_constructor_hooks_that_are_no_list(value: object) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        _make(hooks=value)
    assert caught.value.argument == "hooks"


@pytest.mark.parametrize(
    "url", ["http://localhost:1/", "http://[::1]:1/v2", "http://127.8.9.1", "https://x", "HTTPS://X/"]
)
def test_constructor_takes(url: str) -> None:
    client = _make(base_url=url, timeout=0.5, retry=RetryPolicy(attempts=1), hooks=())
    assert "a-key" not in repr(client)
