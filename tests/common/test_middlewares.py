"""The middlewares of a borrowed session are the user's: they may look, wait and fail, but not send a message again."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from payamak.common import ConnectionFailedError, ConnectionLostError, Outcome
from support.ghasedak import HASTY, ONCE, ask, failure_of, look, make_client, send
from support.raw_server import Behaviour, RawServer, accept, answer, close_read, hang, reset_read
from support.sockets import dead_port

TIMES = 3
UNAVAILABLE = answer(b"<html>", 503)


async def retry(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """As in aiohttp's own cookbook."""
    for left in reversed(range(TIMES)):
        try:
            response = await handler(request)
        except aiohttp.ClientError:
            if not left:
                raise
            continue
        if response.status < 500 or not left:
            return response
        response.release()
    raise AssertionError


async def retry_whatever_happens(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raises the first failure, not the last."""
    first: Exception | None = None
    for _ in range(TIMES):
        try:
            response = await handler(request)
        except Exception as error:
            first = first or error
            continue
        if response.status < 500:
            return response
        response.release()
    raise first or AssertionError


async def send_beside(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Two at once."""
    first, _ = await asyncio.gather(handler(request), handler(request), return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    return first


@pytest.mark.parametrize("middleware", [retry, retry_whatever_happens, send_beside])
@pytest.mark.parametrize("fault", [UNAVAILABLE, close_read, reset_read, hang], ids=["503", "close", "reset", "hang"])
async def test_a_send_passes_once(fault: Behaviour, middleware: aiohttp.ClientMiddlewareType) -> None:
    async with (
        RawServer(fault) as server,
        aiohttp.ClientSession(middlewares=(middleware,)) as session,
        make_client(server.url, session=session, timeout=HASTY) as client,
    ):
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1


@pytest.mark.parametrize("call", [ask, look])
async def test_a_read_passes_as_often_as_the_middleware_likes(call: object) -> None:
    async with (
        RawServer(UNAVAILABLE, close_read, accept()) as server,
        aiohttp.ClientSession(middlewares=(retry,)) as session,
        make_client(server.url, session=session, retry=ONCE) as client,
    ):
        assert await call(client) == []  # type: ignore[operator]
        assert len(server.requests) == 3


async def test_what_has_not_left_may_pass_again() -> None:
    passes: list[int] = []

    async def redirect(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        passes.append(1)
        if len(passes) == TIMES:
            request.url = request.url.with_port(server.port)
        return await handler(request)

    with dead_port() as port:
        async with (
            RawServer(accept(70001)) as server,
            aiohttp.ClientSession(middlewares=(retry, redirect)) as session,
            make_client(f"http://127.0.0.1:{port}/v2/", session=session, retry=ONCE) as client,
        ):
            assert (await send(client)).message_id == 70001
            assert (len(passes), len(server.requests)) == (TIMES, 1)


async def test_what_never_left_is_not_sent() -> None:
    with dead_port() as port:
        async with (
            aiohttp.ClientSession(middlewares=(retry,)) as session,
            make_client(f"http://127.0.0.1:{port}/v2/", session=session, retry=ONCE) as client,
        ):
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT


async def test_an_older_failure_does_not_tell_of_a_newer_pass() -> None:
    """A middleware may raise the failure of its first pass, in which nothing left, when the second one has left."""
    passes: list[int] = []

    async def redirect(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        passes.append(1)
        if len(passes) == 2:
            request.url = request.url.with_port(server.port)
        return await handler(request)

    with dead_port() as port:
        async with (
            RawServer(UNAVAILABLE) as server,
            aiohttp.ClientSession(middlewares=(retry_whatever_happens, redirect)) as session,
            make_client(f"http://127.0.0.1:{port}/v2/", session=session, retry=ONCE) as client,
        ):
            error = await failure_of(send(client))
            assert type(error) is ConnectionLostError
            assert error.outcome is Outcome.UNKNOWN
            assert len(server.requests) == 1


async def test_a_middleware_that_keeps_the_request_has_sent_nothing() -> None:
    async def keep(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise LookupError("the circuit is open")

    async with (
        RawServer(accept(70001)) as server,
        aiohttp.ClientSession(middlewares=(keep,)) as session,
        make_client(server.url, session=session, retry=ONCE) as client,
    ):
        error = await failure_of(send(client))
        assert type(error) is ConnectionFailedError
        assert error.outcome is Outcome.NOT_SENT
        assert server.connections == 0


async def test_nothing_passes_when_the_exchange_has_ended() -> None:
    later: list[asyncio.Future[aiohttp.ClientResponse]] = []

    async def put_off(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        later.append(asyncio.ensure_future(handler(request)))
        raise LookupError

    async with (
        RawServer(accept(70001)) as server,
        aiohttp.ClientSession(middlewares=(put_off,)) as session,
        make_client(server.url, session=session, retry=ONCE) as client,
    ):
        assert (await failure_of(send(client))).outcome is Outcome.NOT_SENT
        with pytest.raises(Exception):  # noqa: B017, PT011 -- one of its own, which nobody is to catch
            await later[0]
        assert server.connections == 0
