"""What is asked again when a connection drops, and what never is: counted at a raw socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault
from payamak.smsir import (
    GatewayError,
    Outcome,
    RateLimitError,
    SmsIrClient,
)
from support.raw_server import RawServer, answer, close_read
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
Call = Callable[[SmsIrClient], Awaitable[Any]]
DONE = json.dumps({"IsSuccessful": True, "Credit": 1, "Count": 1, "InvalidCount": 0, "GroupId": 1}).encode()


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


async def test_a_borrowed_session_does_not_resend_either(connect: Connect) -> None:
    async with (
        RawServer(answer(DONE), close_read) as server,
        aiohttp.ClientSession() as session,
        connect(server.url, session=session) as client,
    ):
        await client.account()
        await failure_of(client.groups.delete(7))
    assert len(server.requests) == 2
