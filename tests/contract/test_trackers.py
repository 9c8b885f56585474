"""Error trackers find no credential in the locals of any frame, and no number or text below the user's own call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import attrs
import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    GatewayError,
    InvalidArgumentError,
    OutgoingMessage,
    PayamakError,
    Proceed,
    RetryPolicy,
    Timeout,
)
from support.gateways import EACH, Call, Gateway
from support.raw_server import Behaviour, RawServer, answer, bytes_then_close, hang, reset_read
from support.sentinels import ECHO, PASSWORD, PHONE, TEXT, USERNAME, chain
from support.sockets import dead_port
from support.telling import ECHOED, FAULTS, HEAD, echo_the_request
from support.trackers import find_leaks

ONCE = RetryPolicy(attempts=1)
HASTY = Timeout(total=20, attempt=0.02, connect=0.02)
FAILURES: dict[str, Behaviour] = {
    "resets": reset_read,
    "hangs": hang,
    "refuses the credentials": answer(ECHOED, 401, {"X-Echo": ECHO}),
    "fails": echo_the_request,
    "speaks no HTTP": bytes_then_close(ECHOED + b"\r\n\r\n"),
    "breaks off": bytes_then_close(HEAD + b"X-Echo: " + ECHOED + b"\r\nContent-Length: 999\r\n\r\n" + ECHOED),
    "gives half a JSON": FAULTS["half JSON"],
    "compresses otherwise": FAULTS["bad gzip"],
    "answers in another shape": FAULTS["object"],
}


async def fail(client: Any, call: Callable[[Any], Awaitable[Any]]) -> BaseException | None:
    """Run it, let the trackers look at its error, and return that."""
    try:
        await call(client)
    except (Exception, asyncio.CancelledError) as error:
        assert find_leaks(error) == []
        return error
    return None


def chosen(gateway: Gateway) -> list[Call]:
    """Some of each kind, and those whose arguments hold credentials."""
    return [
        *gateway.sampled,
        *(gateway.calls[name] for name in ("send_by_username", "create_user") if name in gateway.calls),
    ]


@EACH
@pytest.mark.parametrize("failure", FAILURES)
async def test_when_the_gateway(gateway: Gateway, failure: str) -> None:
    async with RawServer(FAILURES[failure]) as server, gateway.connect(server.url, timeout=HASTY, retry=ONCE) as client:
        for call in chosen(gateway):
            error = await fail(client, call.run)
            assert isinstance(error, PayamakError), call.name


@EACH
async def test_of_every_call(gateway: Gateway) -> None:
    async with RawServer(reset_read) as server, gateway.connect(server.url) as client:
        for call in gateway.calls.values():
            assert isinstance(await fail(client, call.run), PayamakError)


@EACH
async def test_of_an_answer_that_a_reader_refuses(gateway: Gateway) -> None:
    for echo in gateway.echoes.values():
        async with RawServer(echo) as server, gateway.connect(server.url, retry=ONCE) as client:
            for call in chosen(gateway):
                await fail(client, call.run)
