"""No key, token, number, name, text or file shows, whatever goes wrong: on real sockets, with all logging on."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from payamak.common import Attempt, AttemptReply, Proceed
from payamak.smsir import (
    Account,
    Contact,
    GatewayError,
    InvalidArgumentError,
    NewContact,
    PayamakError,
    SentRecipient,
    SmsIrClient,
    Ticket,
    Timeout,
    Token,
)
from support.raw_server import (
    Behaviour,
    Exchange,
    RawServer,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_read,
    close_unread,
    hang,
    http,
    reset_read,
)
from support.sentinels import (
    CHECK_ID,
    KEY,
    NAME,
    PARAM,
    PASSWORD,
    PHONE,
    TEXT,
    USERNAME,
    assert_all_silent,
    assert_silent,
    leaks,
)
from support.smsir import PATIENT, QUICKLY
from support.sockets import dead_port

# Each of these holds a needle: the two keys and the token, the subject and the file of a ticket.
SECRET_KEY, TOKEN, SUBJECT, FILE, BATCH = PASSWORD, USERNAME, PARAM, f"{NAME}.xlsx", CHECK_ID
ECHO = " ".join([KEY, SECRET_KEY, TOKEN, PHONE, TEXT, NAME, SUBJECT, FILE, BATCH])
HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT = Timeout(total=0.04, attempt=0.03, connect=0.03)
PERSON = NewContact(PHONE, NAME, NAME, NAME)


@pytest.fixture(autouse=True)
def nothing_shows(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever the test does, no log record and no warning may hold a needle."""
    for name in ("payamak", "aiohttp", "asyncio", "backoff", "concurrent"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for record in caplog.get_records("call"):
        shown = [record.getMessage(), repr(record.args)]
        if record.exc_info and record.exc_info[1]:
            shown.append("".join(traceback.format_exception(record.exc_info[1])))
            assert_silent(record.exc_info[1])
        assert not leaks(*shown), shown
    assert not leaks(*(str(warning.message) for warning in caught))


Call = Callable[[SmsIrClient], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "authenticate": lambda c: c.authenticate(),
    "messages.send": lambda c: c.messages.send(TEXT, group_ids=[7]),
    "messages.send_to_numbers": lambda c: c.messages.send_to_numbers([PHONE], TEXT),
    "messages.recipients": lambda c: c.messages.recipients(BATCH),
    "messages.sent_page": lambda c: c.messages.sent_page(),
    "contacts.add": lambda c: c.contacts.add(7, [PERSON]),
    "contacts.update": lambda c: c.contacts.update(7, PERSON),
    "contacts.search": lambda c: c.contacts.search(prefix=NAME, first_name=NAME, last_name=NAME, mobile=PHONE),
    "contacts.upload_excel": lambda c: c.contacts.upload_excel(7, TEXT.encode(), file_name=FILE),
    "contacts.page": lambda c: c.contacts.page(),
    "drafts.create": lambda c: c.drafts.create(TEXT, title=NAME),
    "drafts.list": lambda c: c.drafts.list(),
    "tickets.open": lambda c: c.tickets.open(SUBJECT, TEXT, file=TEXT.encode(), file_name=FILE),
    "tickets.reply": lambda c: c.tickets.reply(7, TEXT, file=TEXT.encode(), file_name=FILE),
    "tickets.get": lambda c: c.tickets.get(7),
    "account": lambda c: c.account(),
}


class Store:
    """A token store that has the token, and loses nothing."""

    async def get(self, key: str) -> Token:
        assert not leaks(key)
        return Token(TOKEN, 4e9)

    async def set(self, key: str, token: Token) -> None:
        assert not leaks(key, token)

    async def delete(self, key: str, token: Token) -> None:
        assert not leaks(key, token)


def make(url: str, **options: Any) -> SmsIrClient:
    settings: dict[str, Any] = {"retry": QUICKLY, "timeout": PATIENT, "token_store": Store(), **options}
    return SmsIrClient(KEY, SECRET_KEY, base_url=url, **settings)


async def run(client: SmsIrClient, call: Call) -> BaseException | None:
    """Run it, look at all that comes of it, and return its error."""
    try:
        result = await call(client)
    except Exception as error:
        assert_silent(error)
        return error
    assert_all_silent([result, client, vars(client)["_tokens"], vars(client)["_session"]])
    return None


def envelope(successful: object = True, message: object = ECHO, code: object = 0, **fields: object) -> bytes:
    return json.dumps({"IsSuccessful": successful, "Message": message, "ErrorCode": code, **fields}).encode()


PERSON_REPLY = {"Id": 7, "ContactRelationId": 7, "Mobile": PHONE, "FirstName": NAME, "LastName": NAME, "Prefix": NAME}
MESSAGE_REPLY = {"Id": 7, "MobileNumber": int(PHONE), "Message": TEXT, "SmsMessageBody": TEXT}
WHOLE = envelope(
    Credit=7,
    FirstName=NAME,
    LastName=NAME,
    BusinessName=NAME,
    MobileNumber=PHONE,
    ReagentCode=CHECK_ID,
    TokenKey=TOKEN,
    Subject=SUBJECT,
    Body=TEXT,
    DownloadUrl=f"https://x/{FILE}",
    TicketReplyDetails=[{"Subject": SUBJECT, "Body": TEXT, "DownloadUrl": FILE}],
    TicketId=7,
    TicketReplyId=7,
    MessageId=7,
    Ids=[{"ID": 7, "MobileNumber": PHONE}],
    Messages=[MESSAGE_REPLY],
    ContactDetails=[PERSON_REPLY],
    Contacts=[PERSON_REPLY],
    AddedList=[PERSON_REPLY],
    ErroneousList=[PERSON_REPLY],
    DraftMessageDetails=[{"Message": TEXT}],
)


def echo(status: int, body: bytes, **headers: str) -> Behaviour:
    return answer(body, status, headers)


async def echo_the_request(exchange: Exchange) -> None:
    request = await exchange.read()
    body = repr(request).encode() + request.body
    await exchange.write(http(b"<html>" + body + b"</html>", 500, {"X-Echo": request.target[:500]}))


LISTS = ("Messages", "ContactDetails", "Contacts", "AddedList", "DraftMessageDetails", "Ids", "TicketReplyDetails")
FAULTS: dict[str, Behaviour] = {
    "success": answer(WHOLE),
    "closes unread": close_unread,
    "closes": close_read,
    "resets": reset_read,
    "hangs": hang,
    "hangs in the body": bytes_then_hang(HEAD + b"Content-Length: 999\r\n\r\n" + ECHO.encode()),
    "half a status line": bytes_then_close(b"HTTP/1.1 200 " + ECHO.encode()),
    "half the headers": bytes_then_close(HEAD + b"X-Echo: " + ECHO.encode() + b"\r\nX-"),
    "cut body": bytes_then_close(http(ECHO.encode())[:-3]),
    "bad chunk": bytes_then_close(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + ECHO.encode() + b"\r\n"),
    "bad gzip": echo(200, ECHO.encode(), **{"Content-Encoding": "gzip"}),
    "not HTTP": bytes_then_close(ECHO.encode() + b"\r\n\r\n"),
    "bad header": bytes_then_close(HEAD + ECHO.encode() + b"\r\n\r\n"),
    "HTML": echo(200, ECHO.encode(), **{"Content-Type": "text/html"}),
    "echo": echo_the_request,
    "redirect": echo(302, ECHO.encode(), Location=f"http://127.0.0.1:9/?{KEY}&{PHONE}"),
    "retry after": echo(429, b"", **{"Retry-After": ECHO, "Date": ECHO}),
    "refusal": answer(envelope(False, ECHO, 5)),
    "refusal with a code of another kind": answer(envelope(False, ECHO, ECHO)),
    "rejection of the token": answer(envelope(False, f"توکن {ECHO}", 5)),
    "rejection by status": echo(401, envelope(False, ECHO, 5)),
    "leaked exception": answer(envelope(False, f"Object reference not set: {ECHO}", 5)),
    "failure of ASP.NET": echo(500, json.dumps({"Message": ECHO, "StackTrace": ECHO}).encode()),
    "refusal of ASP.NET": echo(404, json.dumps({"Message": ECHO, "MessageDetail": ECHO}).encode()),
    "success of another kind": answer(envelope(ECHO)),
    "lists of another kind": answer(envelope(**dict.fromkeys(LISTS, ECHO), Credit=ECHO, TicketId=ECHO)),
    "entries of another kind": answer(envelope(**{name: [ECHO] for name in LISTS}, Credit=[ECHO], TicketId=[ECHO])),
    "entries with wrong values": answer(
        envelope(**{name: [{"Id": ECHO, "ID": ECHO, "ContactRelationId": ECHO, "Mobile": [PHONE]}] for name in LISTS})
    ),
    "half JSON": answer(envelope()[:-2]),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_shows_when_the_server(fault: str) -> None:
    timeout = SHORT if fault.startswith("hangs") else PATIENT
    # Waiting for the time to run out is slow, and the same for all.
    names = ["messages.send", "contacts.search", "tickets.open"] if fault.startswith("hangs") else list(CALLS)
    async with RawServer(FAULTS[fault]) as server, make(server.url, timeout=timeout) as client:
        for name in names:
            await run(client, CALLS[name])


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "success"])
async def test_nothing_shows_when_there_is_no_token_because_the_server(fault: str) -> None:
    timeout = SHORT if fault.startswith("hangs") else PATIENT
    async with RawServer(FAULTS[fault]) as server, make(server.url, timeout=timeout, token_store=None) as client:
        for name in ("authenticate", "messages.send", "account"):
            assert isinstance(await run(client, CALLS[name]), PayamakError)


async def test_what_the_vendor_wrote_is_kept_in_its_one_place() -> None:
    async with RawServer(FAULTS["refusal"]) as server, make(server.url) as client:
        error = await run(client, CALLS["messages.send"])
    assert isinstance(error, GatewayError)
    assert error.gateway_message == ECHO


@pytest.mark.parametrize("name", ["authenticate", "messages.send", "contacts.search", "tickets.open"])
async def test_nothing_shows_when_no_connection_comes_about(name: str) -> None:
    with dead_port() as port:
        for url in (f"http://127.0.0.1:{port}/", f"https://{PHONE}.invalid/{KEY}/"):
            async with make(url, timeout=SHORT, token_store=None) as client:
                assert isinstance(await run(client, CALLS[name]), PayamakError)


BAD_CALLS: list[Call] = [
    lambda c: c.messages.send(TEXT + "\udcff", group_ids=[7]),
    lambda c: c.messages.send(TEXT, group_ids=[PHONE]),  # type: ignore[list-item]
    lambda c: c.messages.send(TEXT, group_ids=PHONE),  # type: ignore[arg-type]
    lambda c: c.messages.send(TEXT.encode(), group_ids=[7]),  # type: ignore[arg-type]
    lambda c: c.messages.send_to_numbers(PHONE + "x", TEXT),
    lambda c: c.messages.send_to_numbers([PHONE, int(PHONE)], TEXT),  # type: ignore[list-item]
    lambda c: c.messages.recipients(BATCH + "\udcff"),
    lambda c: c.messages.recipients(BATCH, TEXT),  # type: ignore[arg-type]
    lambda c: c.contacts.add(7, [NewContact(PHONE + "x")]),
    lambda c: c.contacts.add(7, [NewContact(PHONE, NAME + "\udcff")]),
    lambda c: c.contacts.add(7, [(PHONE, NAME)]),  # type: ignore[list-item]
    lambda c: c.contacts.add(7, [NewContact(PHONE, emoji=TEXT)]),  # type: ignore[arg-type]
    lambda c: c.contacts.search(mobile=PHONE + "x"),
    lambda c: c.contacts.search(first_name=NAME + "\udcff"),
    lambda c: c.contacts.upload_excel(7, f"/{NAME}/{TEXT}.xlsx"),
    lambda c: c.contacts.upload_excel(7, Path(f"/{NAME}/{TEXT}.xlsx")),
    lambda c: c.contacts.upload_excel(7, b"x", file_name=TEXT),
    lambda c: c.contacts.upload_excel(7, TEXT + "\x00"),
    lambda c: c.drafts.create(TEXT, title=NAME + "\udcff"),
    lambda c: c.tickets.open(SUBJECT + "\udcff", TEXT),
    lambda c: c.tickets.open(SUBJECT, TEXT, file=f"/{NAME}/{TEXT}"),
    lambda c: c.tickets.reply(7, TEXT + "\udcff"),
    lambda c: c.groups.create(NAME + "\udcff"),
]


@pytest.mark.parametrize("number", range(len(BAD_CALLS)))
async def test_nothing_shows_of_bad_arguments(number: int) -> None:
    async with make("http://127.0.0.1:9/") as client:
        assert isinstance(await run(client, BAD_CALLS[number]), InvalidArgumentError)


@pytest.mark.parametrize(
    "arguments",
    [
        {"user_api_key": KEY.encode()},
        {"secret_key": SECRET_KEY + "\udcff"},
        {"base_url": f"https://{USERNAME}:{PASSWORD}@api.sms.ir/"},
        {"base_url": f"https://api.sms.ir/?key={KEY}"},
        {"token_lifetime": KEY},
        {"token_rejection": KEY},
        {"timeout": KEY},
        {"session": KEY},
        {"hooks": [KEY]},
    ],
)
def test_nothing_shows_of_bad_settings(arguments: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"user_api_key": KEY, "secret_key": SECRET_KEY, **arguments}
    with pytest.raises(InvalidArgumentError) as caught:
        SmsIrClient(**settings)
    assert_silent(caught.value)


async def test_nothing_shows_when_a_call_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, make(server.url) as client:
        for call in CALLS.values():
            task = asyncio.ensure_future(call(client))
            await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert_silent(caught.value)
    assert "cancelled" in caplog.text


async def test_nothing_shows_when_a_client_is_closed() -> None:
    async with RawServer(answer(WHOLE)) as server:
        async with make(server.url) as client:
            await client.account()
        for call in CALLS.values():
            assert isinstance(await run(client, call), PayamakError)


async def test_nothing_shows_when_a_hook_fails() -> None:
    async def fail(call: Attempt, proceed: Proceed) -> AttemptReply:
        assert not leaks(call)
        reply = await proceed()
        assert not leaks(reply)
        raise ValueError("after a success")

    for fault in ("success", "closes", "refusal", "echo", "leaked exception"):
        async with RawServer(FAULTS[fault]) as server, make(server.url, hooks=[fail]) as client:
            for call in CALLS.values():
                await run(client, call)


async def test_nothing_shows_in_the_debug_mode_of_asyncio() -> None:
    asyncio.get_running_loop().set_debug(True)
    async with RawServer(close_read) as server, make(server.url) as client:
        for call in CALLS.values():
            await run(client, call)


async def test_keys_and_token_are_in_no_url() -> None:
    async with RawServer(answer(WHOLE)) as server, make(server.url) as client:
        for call in CALLS.values():
            await run(client, call)
    assert all(found not in (KEY, SECRET_KEY, TOKEN) for request in server.requests for found in leaks(request.target))
    assert not leaks(*(request.target for request in server.requests if "Message/Send" in request.target))


@pytest.mark.parametrize(
    "value",
    [
        PERSON,
        Token(TOKEN, 1.0),
        Contact(7, mobile=PHONE, first_name=NAME, last_name=NAME, prefix=NAME),
        Account(1, NAME, NAME, NAME, PHONE, referral_code=CHECK_ID),
        SentRecipient(7, PHONE),
        Ticket(subject=SUBJECT, body=TEXT, download_url=FILE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_silent(value: object) -> None:
    assert_all_silent([value, [value], {"a": value}])
