"""What is asked again when a connection drops, and what never is: counted at a raw socket."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault
from payamak.smsir import (
    ClientStateError,
    ConnectionLostError,
    GatewayError,
    NewContact,
    Outcome,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    SmsIrClient,
    Timeout,
)
from support.raw_server import RawServer, answer, bytes_then_close, close_read, hang, http, reset_read
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
Call = Callable[[SmsIrClient], Awaitable[Any]]
DONE = json.dumps({"IsSuccessful": True, "Credit": 1, "Count": 1, "InvalidCount": 0, "GroupId": 1}).encode()
PERSON = NewContact("09121111111")

STATE_CHANGING_GETS: dict[str, Call] = {
    "groups.delete": lambda c: c.groups.delete(7),
    "drafts.delete": lambda c: c.drafts.delete(7),
    "notifications.update_status": lambda c: c.notifications.update_status(7),
    "tickets.close": lambda c: c.tickets.close(7),
}
ONCE: dict[str, Call] = {
    **STATE_CHANGING_GETS,
    "groups.create": lambda c: c.groups.create("n"),
    "groups.clear": lambda c: c.groups.clear([7]),
    "groups.transfer": lambda c: c.groups.transfer([1], 7),
    "contacts.add": lambda c: c.contacts.add(7, [PERSON]),
    "contacts.upload_excel": lambda c: c.contacts.upload_excel(7, b"x", file_name="a.xls"),
    "contacts.delete": lambda c: c.contacts.delete([1]),
    "drafts.create": lambda c: c.drafts.create("t"),
    "messages.send": lambda c: c.messages.send("t", group_ids=[7]),
    "messages.send_to_numbers": lambda c: c.messages.send_to_numbers("09121111111", "t"),
    "tickets.open": lambda c: c.tickets.open("s", "b"),
    "tickets.reply": lambda c: c.tickets.reply(7, "b"),
}
REPEATED: dict[str, Call] = {
    "transactions.page": lambda c: c.transactions.page(),
    "transactions.from_last_id": lambda c: c.transactions.from_last_id(),
    "groups.list": lambda c: c.groups.list(),
    "groups.update": lambda c: c.groups.update(7, "n"),
    "contacts.update": lambda c: c.contacts.update(7, PERSON),
    "contacts.search": lambda c: c.contacts.search(),
    "contacts.from_last_id": lambda c: c.contacts.from_last_id(),
    "contacts.in_group": lambda c: c.contacts.in_group(7),
    "contacts.cancelled": lambda c: c.contacts.cancelled(),
    "contacts.page": lambda c: c.contacts.page(),
    "drafts.list": lambda c: c.drafts.list(),
    "drafts.update": lambda c: c.drafts.update(7, "t"),
    "faq": lambda c: c.faq(),
    "messages.count_recipients": lambda c: c.messages.count_recipients(group_ids=[7]),
    "messages.sent_page": lambda c: c.messages.sent_page(),
    "messages.sent_from_last_id": lambda c: c.messages.sent_from_last_id(),
    "messages.recipients": lambda c: c.messages.recipients("key"),
    "notifications.page": lambda c: c.notifications.page(),
    "notifications.from_last_id": lambda c: c.notifications.from_last_id(),
    "occasional_messages.categories": lambda c: c.occasional_messages.categories(),
    "occasional_messages.list": lambda c: c.occasional_messages.list(7),
    "tickets.get": lambda c: c.tickets.get(7),
    "tickets.from_last_id": lambda c: c.tickets.from_last_id(),
    "tickets.page": lambda c: c.tickets.page(),
    "tickets.options": lambda c: c.tickets.options(),
    "tickets.statuses": lambda c: c.tickets.statuses(),
    "account": lambda c: c.account(),
}


def test_all_40_methods_are_here() -> None:
    # Two vendor methods have two names each here: making and changing groups and drafts.
    assert len(ONCE) + len(REPEATED) == 42


@pytest.mark.parametrize(("drop", "reused"), [(close_read, False), (close_read, True), (reset_read, True)])
@pytest.mark.parametrize("name", ONCE)
async def test_never_asked_again(name: str, drop: Any, reused: bool, connect: Connect) -> None:
    """On a connection that was used before, aiohttp itself would ask again."""
    script = [answer(DONE), drop] if reused else [drop]
    async with RawServer(*script) as server, connect(server.url) as client:
        if reused:
            await client.account()
        error = await failure_of(ONCE[name](client))
    assert isinstance(error, ConnectionLostError)
    assert (error.operation, error.outcome) == (name, Outcome.UNKNOWN)
    assert len(server.requests) == 1 + reused


@pytest.mark.parametrize("name", STATE_CHANGING_GETS)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_state_changing_gets_are_not_asked_again_after_a_failure_there(
    name: str, status: int, connect: Connect
) -> None:
    async with RawServer(answer(b"<html>", status)) as server, connect(server.url) as client:
        error = await failure_of(STATE_CHANGING_GETS[name](client))
    assert isinstance(error, ReplyError)
    assert (error.outcome, len(server.requests)) == (Outcome.UNKNOWN, 1)


@pytest.mark.parametrize("name", ONCE)
async def test_asked_again_when_refused_for_now(name: str, connect: Connect) -> None:
    later = answer(b"", 429, {"Retry-After": "0"})
    reply = json.dumps({"IsSuccessful": True, "TicketId": 1, "TicketReplyId": 1, "GroupId": 1, "MovedCount": 1,
                        "DuplicateCount": 0}).encode()  # fmt: skip
    async with RawServer(later, answer(reply)) as server, connect(server.url) as client:
        await ONCE[name](client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", REPEATED)
async def test_asked_again(name: str, connect: Connect) -> None:
    async with RawServer(close_read) as server, connect(server.url) as client:
        error = await failure_of(REPEATED[name](client))
    assert isinstance(error, ConnectionLostError)
    assert (error.operation, len(server.requests)) == (name, 3)
    assert len({(request.target, request.body) for request in server.requests}) == 1
    async with RawServer(reset_read, close_read, answer(DONE)) as server, connect(server.url) as client:
        await REPEATED[name](client)
    assert len(server.requests) == 3


async def test_counting_recipients_is_not_hammered_when_there_are_too_many_requests(connect: Connect) -> None:
    """Nothing suggests then that the empty list was the trouble."""
    async with RawServer(answer(b"", 429)) as server, connect(server.url) as client:
        error = await failure_of(client.messages.count_recipients(group_ids=[7]))
    assert isinstance(error, RateLimitError)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_counting_recipients_is_not_asked_again_after_a_refusal_of_the_web_server(
    status: int, connect: Connect
) -> None:
    async with RawServer(answer(b"{}", status)) as server, connect(server.url) as client:
        error = await failure_of(client.messages.count_recipients(group_ids=[7]))
    assert isinstance(error, GatewayError)
    assert len(server.requests) == 1


async def test_two_deletions_of_one_group(emulator: Emulator, client: SmsIrClient) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    await client.groups.delete(group.id)
    error = await failure_of(client.groups.delete(group.id))
    assert isinstance(error, GatewayError)
    assert error.outcome is Outcome.REFUSED


async def test_a_deletion_whose_answer_was_lost(emulator: Emulator, client: SmsIrClient) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    await client.authenticate()
    emulator.add_fault(Fault("drop_after_read"))
    error = await failure_of(client.groups.delete(group.id))
    assert (error.outcome, emulator.smsir.phone_book.groups()) == (Outcome.UNKNOWN, [])


async def test_cancelled_in_the_middle_of_a_send(
    emulator: Emulator, client: SmsIrClient, caplog: pytest.LogCaptureFixture
) -> None:
    group = emulator.smsir.phone_book.add_group("g")
    emulator.smsir.phone_book.add_contact(group.id, "09121111111")
    await client.authenticate()
    emulator.add_fault(Fault("delay_after", seconds=5))
    task = asyncio.ensure_future(client.messages.send("t", group_ids=[group.id]))
    async with asyncio.timeout(5):
        while not emulator.messages():  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(emulator.messages()) == 1
    assert "messages.send: cancelled in attempt 1, outcome: unknown" in caplog.text
    assert (await client.messages.sent_page())[0].text == "t"


async def test_cancelled_before_a_send_has_left(
    emulator: Emulator, client: SmsIrClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="payamak")
    emulator.add_fault(Fault("delay", seconds=0.05, path="GetToken"))
    task = asyncio.ensure_future(client.messages.send_to_numbers("09121111111", "t"))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "messages.send_to_numbers: cancelled in attempt 0, outcome: not sent" in caplog.text
    assert [request.path.rpartition("/")[2] for request in emulator.requests] == ["GetToken"]


async def test_out_of_time_in_the_middle_of_a_send(connect: Connect) -> None:
    timeout = Timeout(total=0.1, attempt=0.05, connect=0.05)
    async with RawServer(hang) as server, connect(server.url, timeout=timeout) as client:
        error = await failure_of(client.messages.send("t", group_ids=[1]))
        assert isinstance(error, RequestTimeoutError)
        assert (error.outcome, len(server.requests)) == (Outcome.UNKNOWN, 1)


def test_one_client_in_two_loops_one_after_the_other(connect: Connect) -> None:
    async def serve_and(call: Call) -> Any:
        # A connection that is kept could not be closed any more by a loop that has ended.
        async with RawServer(bytes_then_close(http(DONE, headers={"Connection": "close"}))) as server:
            client._base_url = server.url  # pyright: ignore[reportPrivateUsage]
            return await call(client)

    client = connect("http://127.0.0.1:1/")
    assert asyncio.run(serve_and(lambda c: c.credit())) == 1
    assert asyncio.run(serve_and(lambda c: c.credit())) == 1
    asyncio.run(client.aclose())


async def test_one_client_in_two_loops_at_a_time(connect: Connect) -> None:
    errors: list[BaseException] = []

    async def other() -> None:
        errors.append(await failure_of(client.messages.send_to_numbers("09121111111", "t")))

    async with RawServer(answer(DONE)) as server, connect(server.url) as client:
        await client.credit()
        thread = threading.Thread(target=lambda: asyncio.run(other()))
        thread.start()
        await asyncio.to_thread(thread.join, 5)
        assert len(server.requests) == 1
    (error,) = errors
    assert isinstance(error, ClientStateError)
    assert error.outcome is Outcome.NOT_SENT


async def test_a_borrowed_session_does_not_resend_either(connect: Connect) -> None:
    async with (
        RawServer(answer(DONE), close_read) as server,
        aiohttp.ClientSession() as session,
        connect(server.url, session=session) as client,
    ):
        await client.account()
        await failure_of(client.groups.delete(7))
    assert len(server.requests) == 2
