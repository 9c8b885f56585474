"""Bad arguments never leave the process, and the error names the one that is wrong."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.smsir import InvalidArgumentError, NewContact, Outcome, RetryPolicy, SmsIrClient

# The arguments are wrong on purpose, so the client is of any type here.
BadCall = Callable[[Any, Any], Awaitable[Any]]

FIRST = "09121111111"
PERSON = NewContact(FIRST)
HALF = "half a character: \ud83d"

BAD_TEXTS: list[object] = ["", " ", "\n\t\u00a0", None, 5, b"text", ["text"], HALF]
GIVEN_BAD_TEXTS = [value for value in BAD_TEXTS if value is not None]
BAD_NUMBERS: list[object] = [
    "", " ", "abc", "0912111111", "091211111111", "19121111111111111", "+989121111", "+981", "0912111111a", "+12345",
    "09121111111,0", "09121111111,09122222222", "09121111111\u0000", "٠٩١٢", HALF,
    None, 9121111111, b"09121111111", ["09121111111"],
]  # fmt: skip
BAD_IDS: list[object] = [0, -1, True, False, "12", 1.5, None, [1], float("nan")]
GIVEN_BAD_IDS = [value for value in BAD_IDS if value is not None]
BAD_INDEXES: list[object] = [-1, True, "0", 1.5, None, 2**63, [0]]
NO_LISTS: list[object] = [None, 5, 1.5, object(), b"12"]

CASES: dict[tuple[str, str], list[tuple[BadCall, object]]] = {}
"""By operation and argument: calls, and the values that each must refuse."""


def add(operation: str, argument: str, call: BadCall, *values: object) -> None:
    CASES.setdefault((operation, argument), []).extend((call, value) for value in values)


def _person(**fields: Any) -> NewContact:
    settings: dict[str, Any] = {"mobile": FIRST, **fields}
    return NewContact(**settings)


async def _call_with(call: Callable[..., Awaitable[Any]], name: str, client: Any, value: object) -> None:
    await call(client, **{name: value})


async def _add_person(client: Any, **fields: Any) -> None:
    await client.contacts.add(7, [PERSON, _person(**fields)])


async def _update_person(client: Any, **fields: Any) -> None:
    await client.contacts.update(7, _person(**fields))


async def _search(client: Any, **fields: Any) -> None:
    await client.contacts.search(**fields)


async def _exhaust(entries: Any) -> None:
    async for _ in entries:
        pass


def _add_paging() -> None:
    for area in ("transactions", "contacts", "notifications", "tickets"):
        add(f"{area}.page", "page", lambda c, v, area=area: getattr(c, area).page(v), *BAD_INDEXES)  # type: ignore[misc]
        add(
            f"{area}.from_last_id", "last_id",
            lambda c, v, area=area: getattr(c, area).from_last_id(v), *BAD_INDEXES,  # type: ignore[misc]
        )  # fmt: skip
    add("messages.sent_page", "page", lambda c, v: c.messages.sent_page(v), *BAD_INDEXES)
    add("messages.sent_from_last_id", "last_id", lambda c, v: c.messages.sent_from_last_id(v), *BAD_INDEXES)
    add("messages.recipients", "last_id", lambda c, v: c.messages.recipients("key", v), *BAD_INDEXES)
    add("messages.recipients", "batch_key", lambda c, v: c.messages.recipients(v), *BAD_TEXTS)
    add("messages.recipients", "batch_key", lambda c, v: _exhaust(c.messages.iterate_recipients(v)), *BAD_TEXTS)


def _add_groups() -> None:
    add("groups.create", "name", lambda c, v: c.groups.create(v), *BAD_TEXTS)
    add("groups.create", "color", lambda c, v: c.groups.create("n", v), *GIVEN_BAD_TEXTS)
    add("groups.update", "group_id", lambda c, v: c.groups.update(v, "n"), *BAD_IDS)
    add("groups.update", "name", lambda c, v: c.groups.update(7, v), *BAD_TEXTS)
    add("groups.update", "color", lambda c, v: c.groups.update(7, "n", v), *GIVEN_BAD_TEXTS)
    add("groups.delete", "group_id", lambda c, v: c.groups.delete(v), *BAD_IDS)
    add("groups.clear", "group_ids", lambda c, v: c.groups.clear(v), [], (), iter(()), "12", *NO_LISTS)
    add("groups.clear", "group_ids[1]", lambda c, v: c.groups.clear([1, v]), *BAD_IDS)
    add("groups.transfer", "contact_relation_ids", lambda c, v: c.groups.transfer(v, 7), [], "12", *NO_LISTS)
    add("groups.transfer", "contact_relation_ids[1]", lambda c, v: c.groups.transfer([1, v], 7), *BAD_IDS)
    add("groups.transfer", "to_group_id", lambda c, v: c.groups.transfer([1], v), *BAD_IDS)


def _add_contacts() -> None:
    add("contacts.add", "group_id", lambda c, v: c.contacts.add(v, [PERSON]), *BAD_IDS)
    add("contacts.add", "contacts", lambda c, v: c.contacts.add(7, v), [], (), FIRST, PERSON, *NO_LISTS)
    add("contacts.add", "contacts[1]", lambda c, v: c.contacts.add(7, [PERSON, v]), None, FIRST, {}, (FIRST,))
    add("contacts.add", "contacts[1].mobile", lambda c, v: _add_person(c, mobile=v), *BAD_NUMBERS)
    add("contacts.update", "contact_relation_id", lambda c, v: c.contacts.update(v, PERSON), *BAD_IDS)
    add("contacts.update", "contact", lambda c, v: c.contacts.update(7, v), None, FIRST, {}, [PERSON])
    add("contacts.update", "contact.mobile", lambda c, v: _update_person(c, mobile=v), *BAD_NUMBERS)
    add("contacts.update", "group_id", lambda c, v: c.contacts.update(7, PERSON, group_id=v), *GIVEN_BAD_IDS)
    for field in ("prefix", "first_name", "last_name"):
        add("contacts.add", f"contacts[1].{field}", partial(_call_with, _add_person, field), *GIVEN_BAD_TEXTS)
        add("contacts.update", f"contact.{field}", partial(_call_with, _update_person, field), *GIVEN_BAD_TEXTS[1:])
        add("contacts.search", field, partial(_call_with, _search, field), *GIVEN_BAD_TEXTS)
    emojis: list[object] = [0, 4, True, "2", 1.5, [1]]
    add("contacts.add", "contacts[1].emoji", partial(_call_with, _add_person, "emoji"), *emojis)
    add("contacts.update", "contact.emoji", partial(_call_with, _update_person, "emoji"), *emojis)
    add("contacts.search", "mobile", lambda c, v: _search(c, mobile=v), *[v for v in BAD_NUMBERS if v is not None])
    add("contacts.search", "group_id", lambda c, v: _search(c, group_id=v), *GIVEN_BAD_IDS)
    add("contacts.search", "page", lambda c, v: _search(c, page=v), *BAD_INDEXES)
    add("contacts.in_group", "group_id", lambda c, v: c.contacts.in_group(v), *BAD_IDS)
    add("contacts.in_group", "page", lambda c, v: c.contacts.in_group(7, v), *BAD_INDEXES)
    add("contacts.in_group", "group_id", lambda c, v: _exhaust(c.contacts.iterate(v)), *GIVEN_BAD_IDS)
    add("contacts.cancelled", "page", lambda c, v: c.contacts.cancelled(v), *BAD_INDEXES)
    add("contacts.delete", "ids", lambda c, v: c.contacts.delete(v), [], "12", *NO_LISTS)
    add("contacts.delete", "ids[1]", lambda c, v: c.contacts.delete([1, v]), *BAD_IDS)
    upload = "contacts.upload_excel"
    add(upload, "group_id", lambda c, v: c.contacts.upload_excel(v, b"x", file_name="a.xls"), *BAD_IDS)


def _add_messages() -> None:
    add("messages.send", "text", lambda c, v: c.messages.send(v, group_ids=[1]), *BAD_TEXTS)
    for name, other in (("group_ids", "contact_relation_ids"), ("contact_relation_ids", "group_ids")):
        add("messages.send", name, partial(_send_to, name), "12", *NO_LISTS)
        add("messages.send", f"{name}[1]", lambda c, v, n=name: _send_to(n, c, [1, v]), *BAD_IDS)  # type: ignore[misc]
        add("messages.send", f"{name}[0]", lambda c, v, n=name, o=other: _send_to(n, c, [v], **{o: [1]}), 0, "1")  # type: ignore[misc]
        add("messages.count_recipients", name, partial(_count, name), "12", *NO_LISTS)
        add("messages.count_recipients", f"{name}[1]", lambda c, v, n=name: _count(n, c, [1, v]), *BAD_IDS)  # type: ignore[misc]
    add("messages.send", "group_ids", lambda c, v: c.messages.send("t", group_ids=v), [], ())
    add("messages.count_recipients", "group_ids", lambda c, v: c.messages.count_recipients(group_ids=v), [], ())
    flags: list[object] = ["no", "false", 0, 1, None, []]
    add("messages.send", "continue_on_error", partial(_send_to, "continue_on_error", group_ids=[1]), *flags)
    to_numbers = "messages.send_to_numbers"
    add(
        to_numbers, "continue_on_error",
        lambda c, v: c.messages.send_to_numbers(FIRST, "t", continue_on_error=v), *flags,
    )  # fmt: skip
    add(to_numbers, "text", lambda c, v: c.messages.send_to_numbers(FIRST, v), *BAD_TEXTS)
    add(to_numbers, "numbers", lambda c, v: c.messages.send_to_numbers(v, "t"), [], (), *NO_LISTS)
    add(to_numbers, "numbers[0]", lambda c, v: c.messages.send_to_numbers(v, "t"), "", "abc", "0912", HALF)
    add(to_numbers, "numbers[2]", lambda c, v: c.messages.send_to_numbers([FIRST, FIRST, v], "t"), *BAD_NUMBERS)


async def _send_to(name: str, client: Any, value: object, **more: Any) -> None:
    await client.messages.send("t", **{name: value, **more})


async def _count(name: str, client: Any, value: object) -> None:
    await client.messages.count_recipients(**{name: value})


def _add_others() -> None:
    add("drafts.create", "text", lambda c, v: c.drafts.create(v), *BAD_TEXTS)
    add("drafts.create", "title", lambda c, v: c.drafts.create("t", title=v), *GIVEN_BAD_TEXTS)
    add("drafts.update", "draft_id", lambda c, v: c.drafts.update(v, "t"), *BAD_IDS)
    add("drafts.update", "text", lambda c, v: c.drafts.update(7, v), *BAD_TEXTS)
    add("drafts.update", "title", lambda c, v: c.drafts.update(7, "t", title=v), *GIVEN_BAD_TEXTS)
    add("drafts.delete", "draft_id", lambda c, v: c.drafts.delete(v), *BAD_IDS)
    update = "notifications.update_status"
    add(update, "notification_id", lambda c, v: c.notifications.update_status(v), *BAD_IDS)
    add("occasional_messages.list", "category_id", lambda c, v: c.occasional_messages.list(v), *BAD_INDEXES)
    add("tickets.open", "subject", lambda c, v: c.tickets.open(v, "b"), *BAD_TEXTS)
    add("tickets.open", "body", lambda c, v: c.tickets.open("s", v), *BAD_TEXTS)
    add("tickets.open", "department_id", lambda c, v: c.tickets.open("s", "b", department_id=v), *GIVEN_BAD_IDS)
    add("tickets.open", "priority_id", lambda c, v: c.tickets.open("s", "b", priority_id=v), *GIVEN_BAD_IDS)
    add("tickets.open", "file", lambda c, v: c.tickets.open("s", "b", file=v), 5, "missing.txt", [b"x"])
    add("tickets.open", "file_name", lambda c, v: c.tickets.open("s", "b", file=b"x", file_name=v), None, "", 5, HALF)
    add("tickets.get", "ticket_id", lambda c, v: c.tickets.get(v), *BAD_IDS)
    add("tickets.close", "ticket_id", lambda c, v: c.tickets.close(v), *BAD_IDS)
    add("tickets.reply", "ticket_id", lambda c, v: c.tickets.reply(v, "b"), *BAD_IDS)
    add("tickets.reply", "body", lambda c, v: c.tickets.reply(7, v), *BAD_TEXTS)
    add("tickets.reply", "file", lambda c, v: c.tickets.reply(7, "b", file=v), 5, "missing.txt")


_add_paging()
_add_groups()
_add_contacts()
_add_messages()
_add_others()


@pytest.mark.parametrize(("operation", "argument"), CASES)
async def test_bad_argument(operation: str, argument: str, emulator: Emulator, client: SmsIrClient) -> None:
    wrong: list[object] = []
    for call, value in CASES[operation, argument]:
        try:
            await call(client, value)
        except InvalidArgumentError as error:
            _check(error, operation, argument)
        except Exception as error:
            wrong.append((value, type(error)))
        else:
            wrong.append((value, "taken"))
    assert wrong == []
    assert emulator.requests == []
    assert emulator.connections == 0


def _check(error: InvalidArgumentError, operation: str, argument: str) -> None:
    assert isinstance(error, ValueError)
    assert error.argument == argument
    assert (error.gateway, error.operation, error.outcome) == ("smsir", operation, Outcome.NOT_SENT)
    assert error.operation_id
    # What was wrong is not repeated: it can be a number or a text.
    assert FIRST not in str(error)
    assert "half a character: " not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize(
    "number",
    ["09121111111", "9121111111", "989121111111", "+989121111111", "00989121111111", "۰۹۱۲۱۱۱۱۱۱۱", "٠٩١٢١١١١١١١",
     " 0912 111-1111 ", "+98 (912) 111 1111", "\u200e+98\u00a0912\u200c1111111\u200f"],
)  # fmt: skip
async def test_numbers_as_people_write_them(number: str, emulator: Emulator, client: SmsIrClient) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    added = await client.contacts.add(group.id, [NewContact(number)])
    assert [contact.mobile for contact in added.added] == [FIRST]
    await client.messages.send_to_numbers(number, "t")
    assert [message.recipient for message in emulator.messages() if message.kind == "sms"] == [FIRST]
    assert len(await client.contacts.search(mobile=number)) == 1


async def test_any_iterable_will_do(emulator: Emulator, client: SmsIrClient) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    assert (await client.contacts.add(group.id, (NewContact(f"0912000000{n}") for n in range(3)))).erroneous == []
    emulator.clock.advance(301)
    assert (await client.messages.count_recipients(group_ids=iter([group.id]))).valid == 3
    assert len((await client.messages.send("t", group_ids={group.id: "g"}.keys())).recipients) == 3
    assert len((await client.messages.send_to_numbers((f"0912000000{n}" for n in range(2)), "t")).recipients) == 2
    await client.contacts.delete(contact.relation_id for contact in await client.contacts.page())
    assert emulator.smsir.phone_book.memberships() == []


def _check_setting(error: InvalidArgumentError, argument: str) -> None:
    named = {argument, "token_refresh_margin"} if argument == "token_expiry_margin" else {argument}
    assert error.argument in named
    assert error.outcome is Outcome.NOT_SENT
    assert "secret" not in str(error).replace("secret_key", "")


def _make(**options: Any) -> SmsIrClient:
    arguments: dict[str, Any] = {"user_api_key": "a-key", "secret_key": "a-secret", **options}
    return SmsIrClient(**arguments)


BAD_KEYS: list[object] = ["", " ", None, 5, b"secret", ["secret"], "secret\udcff"]
CONSTRUCTOR: dict[str, list[object]] = {
    "user_api_key": BAD_KEYS,
    "secret_key": BAD_KEYS,
    "base_url": [
        "", "api.sms.ir", "ftp://api.sms.ir/", "https://", "//x", "http://api.sms.ir/users/v1/", None, 5,
        "https://a:secret@c/", "https://secret@c/", "https://c/?a=b", "https://c/#a", "http://127.0.0.1.example.com/",
        "http://10.0.0.1/", "https://c:99999/", b"https://c/",
    ],
    "token_lifetime": [0, -1, True, "5", None, float("nan"), [5]],
    "token_refresh_margin": [0, -1, True, "5", None, float("nan"), 1800, 3600, 5],
    "token_expiry_margin": [-1, True, "5", None, float("nan"), 181, [5]],
    "token_rejection": [None, 5, "token", object()],
    "token_store": [5, "redis://secret", object()],
    "timeout": [0, -1, True, "5", float("nan"), [5]],
    "retry": [None, 3, "3", RetryPolicy],
    "session": ["session", 5, SmsIrClient],
    "proxy": ["", "127.0.0.1:80", "socks5://127.0.0.1", 5],
    "ssl": [True, False, "ca.pem", ssl.SSLContext],
    "hooks": [[5], ["x"], [None], 5, None],
}  # fmt: skip


@pytest.mark.parametrize("argument", CONSTRUCTOR)
def test_constructor(argument: str) -> None:
    wrong: list[object] = []
    for value in CONSTRUCTOR[argument]:
        try:
            _make(**{argument: value})
        except InvalidArgumentError as error:
            _check_setting(error, argument)
        except Exception as error:
            wrong.append((value, type(error)))
        else:
            wrong.append((value, "taken"))
    assert wrong == []


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://[::1]:1/users/v1", "http://127.8.9.1", "https://x"])
def test_constructor_takes(url: str) -> None:
    assert repr(_make(base_url=url)) == "<SmsIrClient>"


def test_both_keys_are_needed() -> None:
    with pytest.raises(TypeError):
        SmsIrClient("a-key")  # type: ignore[call-arg]
