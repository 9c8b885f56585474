"""What goes wrong in an answer becomes the right error with the right outcome, and nothing of it is lost."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.smsir import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    SmsIrClient,
    TokenRejection,
)
from support.raw_server import RawServer, answer
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
Call = Callable[[SmsIrClient], Awaitable[Any]]

CALLS: dict[str, Call] = {
    "messages.send": lambda c: c.messages.send("t", group_ids=[7]),
    "messages.send_to_numbers": lambda c: c.messages.send_to_numbers("09121111111", "t"),
    "contacts.page": lambda c: c.contacts.page(),
    "groups.delete": lambda c: c.groups.delete(7),
    "tickets.open": lambda c: c.tickets.open("s", "b"),
}
PERSIAN = "گروه با این نام وجود دارد"
PAGE = b"<!DOCTYPE html><html><body><h1>Server Error</h1></body></html>"


def body(successful: object = False, message: object = PERSIAN, code: object = 17, **fields: object) -> bytes:
    return json.dumps({"IsSuccessful": successful, "Message": message, "ErrorCode": code, **fields}).encode()


async def failure(connect: Connect, name: str, reply: bytes, status: int = 200, **headers: str) -> PayamakError:
    """The error of a call that is answered so, with no second try."""
    async with RawServer(answer(reply, status, headers)) as server, connect(server.url) as client:
        error = await failure_of(CALLS[name](client))
    assert (error.gateway, error.operation) == ("smsir", name)
    assert error.operation_id
    assert PERSIAN not in str(error) + repr(error) + repr(error.args)
    return error


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("name", CALLS)
async def test_not_successful(name: str, status: int, connect: Connect) -> None:
    error = await failure(connect, name, body(Ids=None, MessageId=0), status)
    assert type(error) is GatewayError
    assert (error.code, error.gateway_message, error.http_status) == (17, PERSIAN, status)
    assert error.outcome is Outcome.REFUSED


@pytest.mark.parametrize(("code", "read"), [(0, 0), ("17", 17), (None, None), ("x", None), (1.5, None), (True, None)])
async def test_error_codes_of_any_type(code: object, read: int | None, connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(code=code))
    assert isinstance(error, GatewayError)
    assert (error.code, error.outcome) == (read, Outcome.REFUSED)


@pytest.mark.parametrize("message", [None, 5, ["x"], {"a": 1}])
async def test_messages_of_any_type(message: object, connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(message=message))
    assert isinstance(error, GatewayError)
    assert (error.gateway_message, error.code, error.outcome) == (None, 17, Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"   ", b"null", b"[]", b"5", b'"text"', b"true", b"{}", b'{"IsSuccessful": null}', b'{"IsSuccessful": 1}',
        b'{"IsSuccessful": "true"}', b'{"IsSuccessful": []}', b'{"issuccessful": {}}', b'{"Message": "x"}', PAGE,
        b'{"IsSuccessful": true', b'{"IsSuccessful": tru', b"\xff\xfe{", b"[" * 100_000,
    ],
)  # fmt: skip
async def test_a_success_that_cannot_be_understood(reply: bytes, connect: Connect) -> None:
    for name, status in zip(CALLS, (200, 201, 200, 201, 202), strict=True):
        error = await failure(connect, name, reply, status)
        assert isinstance(error, ReplyError)
        assert (error.outcome, error.http_status) == (Outcome.UNKNOWN, status)


ASP_NET: list[tuple[int, type[PayamakError], Outcome]] = [
    (400, InvalidRequestError, Outcome.REFUSED),
    (401, AuthenticationError, Outcome.REFUSED),
    (403, PermissionDeniedError, Outcome.REFUSED),
    (404, NotFoundError, Outcome.REFUSED),
    (405, InvalidRequestError, Outcome.REFUSED),
    (406, ReplyError, Outcome.UNKNOWN),
    (408, ReplyError, Outcome.UNKNOWN),
    (409, ReplyError, Outcome.UNKNOWN),
    (411, InvalidRequestError, Outcome.REFUSED),
    (413, InvalidRequestError, Outcome.REFUSED),
    (415, InvalidRequestError, Outcome.REFUSED),
    (429, RateLimitError, Outcome.REFUSED),
    (460, ReplyError, Outcome.UNKNOWN),
    (499, ReplyError, Outcome.UNKNOWN),
    (500, ReplyError, Outcome.UNKNOWN),
    (502, ReplyError, Outcome.UNKNOWN),
    (503, ReplyError, Outcome.UNKNOWN),
]
ASP_NET_BODY = json.dumps({"Message": PERSIAN, "MessageDetail": PERSIAN}).encode()


@pytest.mark.parametrize(("status", "kind", "outcome"), ASP_NET)
async def test_a_failure_of_the_web_framework(
    status: int, kind: type[PayamakError], outcome: Outcome, connect: Connect
) -> None:
    for name in CALLS:
        error = await failure(connect, name, ASP_NET_BODY, status)
        assert type(error) is kind
        assert error.outcome is outcome
        if isinstance(error, GatewayError):
            assert (error.http_status, error.gateway_message) == (status, PERSIAN)


@pytest.mark.parametrize(("status", "kind", "outcome"), ASP_NET)
@pytest.mark.parametrize("reply", [b"", b"null", PAGE, b"[]"])
async def test_a_status_with_a_body_that_says_nothing(
    reply: bytes, status: int, kind: type[PayamakError], outcome: Outcome, connect: Connect
) -> None:
    error = await failure(connect, "messages.send", reply, status)
    assert (type(error), error.outcome) == (kind, outcome)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect(status: int, connect: Connect) -> None:
    error = await failure(connect, "messages.send", b"", status, Location="/elsewhere")
    assert isinstance(error, ReplyError)
    assert (error.outcome, error.http_status) == (Outcome.UNKNOWN, status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequestError), (403, PermissionDeniedError), (404, NotFoundError), (409, GatewayError)],
)
async def test_an_envelope_in_a_status_that_refuses(status: int, kind: type[GatewayError], connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(), status)
    assert isinstance(error, kind)
    assert (error.code, error.gateway_message, error.outcome) == (17, PERSIAN, Outcome.REFUSED)


@pytest.mark.parametrize("status", [500, 503])
async def test_an_envelope_in_a_status_that_does_not_refuse(status: int, connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(), status)
    assert type(error) is GatewayError
    assert (error.code, error.gateway_message, error.outcome) == (17, PERSIAN, Outcome.UNKNOWN)


@pytest.mark.parametrize("status", [400, 404, 409, 500, 502])
async def test_a_success_in_a_status_that_says_otherwise(status: int, connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(True), status)
    assert isinstance(error, ReplyError)
    assert (error.outcome, error.field) == (Outcome.UNKNOWN, "IsSuccessful")


async def test_retry_after_is_kept(connect: Connect) -> None:
    error = await failure(connect, "messages.send", body(), 429, **{"Retry-After": "3600"})
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.code) == (3600, 17)


LEAKED = [
    "Object reference not set to an instance of an object.",
    "object reference null...",
    "Exception of type 'System.OutOfMemoryException' was thrown.",
    "Value cannot be null.\r\nParameter name: token",
    "An exception has been raised that is likely due to a transient failure.",
    "System.InvalidOperationException: Sequence contains no elements",
    "   at System.Linq.Enumerable.First()",
]
LEAKED_WITHOUT_THE_WORD = [
    "Index was outside the bounds of the array.",
    "Input string was not in a correct format.",
    "Sequence contains no elements",
    "The given key was not present in the dictionary.",
    "Nullable object must have a value.",
    "Unable to cast object of type 'System.Int32' to type 'System.String'.",
    "Collection was modified; enumeration operation may not execute.",
    "Timeout expired.  The timeout period elapsed prior to completion of the operation.",
    "The operation has timed out",
    "A task was canceled.",
    "An error has occurred.",
    "An error occurred while updating the entries. See the inner error for details.",
    "Unable to connect to the remote server",
    "Cannot access a disposed object.",
    "There is already an open DataReader associated with this Command which must be closed first.",
    "Transaction (Process ID 52) was deadlocked on lock resources and has been chosen as the deadlock victim.",
]


@pytest.mark.parametrize("text", LEAKED + LEAKED_WITHOUT_THE_WORD)
async def test_a_leaked_exception_of_net(text: str, connect: Connect) -> None:
    """The vendor's own messages are Persian. Such a text may follow a message that was sent."""
    for name in ("messages.send", "messages.send_to_numbers"):
        error = await failure(connect, name, body(message=text))
        assert type(error) is GatewayError
        assert (error.outcome, error.gateway_message, error.code) == (Outcome.UNKNOWN, text, 17)
        assert text not in str(error)


@pytest.mark.parametrize("status", [400, 404, 409, 500])
async def test_a_leaked_exception_in_any_status(status: int, connect: Connect) -> None:
    error = await failure(connect, "messages.send_to_numbers", body(message=LEAKED[0]), status)
    assert isinstance(error, GatewayError)
    assert (error.outcome, error.gateway_message) == (Outcome.UNKNOWN, LEAKED[0])


async def test_a_leaked_exception_that_names_the_token_is_no_rejection(connect: Connect) -> None:
    text = "Value cannot be null.\r\nParameter name: token"
    async with RawServer(answer(body(message=text))) as server, connect(server.url) as client:
        error = await failure_of(client.messages.send("t", group_ids=[1]))
    assert (type(error), error.outcome, len(server.requests)) == (GatewayError, Outcome.UNKNOWN, 1)


@pytest.mark.parametrize("name", ["messages.send", "messages.send_to_numbers"])
async def test_send_has_done_but_exception_thrown(name: str, emulator: Emulator, client: SmsIrClient) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    emulator.smsir.phone_book.add_contact(group.id, "09121111111")
    emulator.smsir.switches.exception_after_send = True
    await client.authenticate()
    calls: dict[str, Call] = {
        "messages.send": lambda c: c.messages.send("t", group_ids=[group.id]),
        "messages.send_to_numbers": lambda c: c.messages.send_to_numbers("09121111111", "t"),
    }
    error = await failure_of(calls[name](client))
    assert isinstance(error, GatewayError)
    assert error.outcome is Outcome.UNKNOWN
    assert [message.text for message in emulator.messages()] == ["t"]
    assert len(emulator.requests) == 2
    assert [message.text for message in await client.messages.sent_page()] == ["t"]


@pytest.mark.parametrize("switch", ["exception_in", "empty_body", "null_body"])
async def test_other_methods_that_the_vendor_reported(switch: str, emulator: Emulator, client: SmsIrClient) -> None:
    setattr(emulator.smsir.switches, switch, ("*",))
    kind: type[PayamakError] = GatewayError if switch == "exception_in" else ReplyError
    calls: list[Call] = [
        lambda c: c.drafts.list(),
        lambda c: c.drafts.create("t"),
        lambda c: c.groups.create("g"),
        lambda c: c.occasional_messages.categories(),
        lambda c: c.messages.sent_page(),
    ]
    for call in calls:
        error = await failure_of(call(client))
        assert isinstance(error, kind)
        assert error.outcome is Outcome.UNKNOWN
    done = switch != "exception_in"
    assert (len(emulator.smsir.drafts), len(emulator.smsir.phone_book.groups())) == (done, done)


async def test_configured_rejections(connect: Connect) -> None:
    rejection = TokenRejection(codes=[17], words=["ورود"])
    for message, code, rejected in (
        (PERSIAN, 17, True), ("ورود لازم است", 3, True), ("توکن باطل است", 3, True), ("گروه", 3, False),
    ):  # fmt: skip
        async with (
            RawServer(answer(body(message=message, code=code))) as server,
            connect(server.url, token_rejection=rejection) as client,
        ):
            error = await failure_of(client.messages.send("t", group_ids=[1]))
        assert isinstance(error, GatewayError)
        assert (isinstance(error, AuthenticationError), error.code) == (rejected, code)
        assert len(server.requests) == 1 + rejected


@pytest.mark.parametrize(
    ("reply", "status"),
    [(body(), 200), (body(), 404), (body(message=LEAKED[0]), 200), (PAGE, 200), (PAGE, 500), (ASP_NET_BODY, 403)],
)
async def test_errors_pickle_and_copy(reply: bytes, status: int, connect: Connect) -> None:
    error = await failure(connect, "messages.send", reply, status)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(twin) is type(error)
        assert (str(twin), vars(twin)) == (str(error), vars(error))
