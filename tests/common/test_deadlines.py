"""How long a call may take, and what became of it when the time ran out."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from payamak.common import (
    ConnectionFailedError,
    ConnectionLostError,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
)
from payamak.common.session import Request
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, ONCE, QUICKLY, ask, failure_of, look, make_client, rename, send
from support.raw_server import RawServer, accept, answer, close_read, envelope, hang, http
from support.sockets import stalled_port


@asynccontextmanager
async def takes(least: float, most: float) -> AsyncGenerator[None, None]:
    clock = asyncio.get_running_loop().time
    started = clock()
    yield
    assert least <= clock() - started + 0.005, "too soon"
    assert clock() - started < most, "too late"


async def test_the_total_cuts_a_running_attempt() -> None:
    async with RawServer(hang) as server, make_client(server.url, timeout=Timeout(total=0.1)) as client:
        async with takes(0.1, 0.5):
            error = await failure_of(send(client))

        assert type(error) is RequestTimeoutError
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


async def test_the_total_spans_attempts_and_waits() -> None:
    policy = RetryPolicy(attempts=100, base_delay=0.02, max_delay=0.02)
    slow = answer(b"", 502, after=0.03)
    async with (
        RawServer(slow) as server,
        make_client(server.url, timeout=Timeout(total=0.25), retry=policy) as client,
    ):
        async with takes(0.1, 0.6):
            await failure_of(ask(client))
        assert 3 <= len(server.requests) <= 9


@pytest.mark.parametrize("call", [ask, look, rename])
async def test_an_attempt_that_times_out_leads_to_a_second(call: object) -> None:
    timeout = Timeout(total=5, attempt=0.2)
    async with RawServer(hang, accept()) as server, make_client(server.url, timeout=timeout) as client:
        await call(client)  # type: ignore[operator]
        assert len(server.requests) == 2


async def test_an_attempt_that_times_out_leads_to_no_second_send() -> None:
    timeout = Timeout(total=5, attempt=0.2)
    async with RawServer(hang, accept(70001)) as server, make_client(server.url, timeout=timeout) as client:
        error = await failure_of(send(client))
        assert type(error) is RequestTimeoutError
        assert len(server.requests) == 1


async def test_a_number_is_the_whole_time() -> None:
    async with RawServer(hang) as server, make_client(server.url, timeout=0.1) as client, takes(0.1, 0.5):
        await failure_of(ask(client))


async def test_none_is_no_limit() -> None:
    slow = answer(envelope([70001]), after=0.15)
    async with RawServer(slow) as server, make_client(server.url, timeout=None) as client:
        assert (await send(client)).message_id == 70001


@pytest.mark.parametrize(
    "timeout", [Timeout(None, None, None), Timeout(None, 5, None), Timeout(5, None, None), math.inf, 60, 10**6]
)
async def test_limits_can_be_left_out_one_by_one(timeout: object) -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url, timeout=timeout) as client:
        assert (await send(client)).message_id == 70001


@pytest.mark.parametrize("timeout", [0, -1, "10", math.nan, True, object()])
def test_bad_timeouts_are_refused_at_construction(timeout: object) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout") as caught:
        GhasedakClient(KEY, timeout=timeout)  # type: ignore[arg-type]
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.argument == "timeout"


@pytest.mark.parametrize("name", ["total", "attempt", "connect"])
@pytest.mark.parametrize("value", [0, -1, "10", math.nan, True])
def test_bad_parts_of_a_timeout_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"timeout\.{name}"):
        Timeout(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("retry", [3, None, {}, RetryPolicy])
def test_a_bad_retry_policy_is_refused(retry: object) -> None:
    with pytest.raises(InvalidArgumentError, match="retry"):
        GhasedakClient(KEY, retry=retry)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "timeout", [Timeout(total=0.2, connect=None), Timeout(total=5, attempt=0.2, connect=None), 0.2]
)
async def test_time_that_runs_out_while_connecting_is_known_as_never_sent(timeout: object) -> None:
    with stalled_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/", timeout=timeout, retry=ONCE) as client, takes(0.08, 1):
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT


async def test_after_a_refused_attempt_of_unknown_effect_the_outcome_stays_unknown() -> None:
    """The first attempt of a write may have run; that the second was refused does not undo it."""
    refused = answer(envelope(code=401), 401)
    async with RawServer(close_read, refused) as server, make_client(server.url) as client:
        error = await failure_of(rename(client))
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2
    async with RawServer(close_read, refused) as server, make_client(server.url) as client:
        error = await failure_of(ask(client))
        assert error.outcome is Outcome.REFUSED


@pytest.mark.parametrize("warm", [False, True], ids=["new connection", "kept alive"])
async def test_a_deadline_that_has_passed_already_means_never_sent(warm: bool) -> None:
    """A wait that overslept, or a connection that came free at the last moment, may leave no time at all."""
    async with RawServer(accept(70001)) as server, HttpSession() as session:
        request = Request("POST", server.url, {}, b"")
        if warm:
            await session.send(request, deadline=None, timeout=Timeout())
        past = asyncio.get_running_loop().time() - 0.01

        error = await failure_of(session.send(request, deadline=past, timeout=Timeout()))

        assert error.outcome is Outcome.NOT_SENT
        await asyncio.sleep(0.01)
        assert len(server.requests) == int(warm)


def answer_one_request(listener: socket.socket, has_read: threading.Event, after: float) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(ConnectionError):
        received = b""
        while b"text" not in received:
            received += connection.recv(65536)
        has_read.set()
        time.sleep(after)
        connection.sendall(http(envelope([70001])))
        connection.recv(1)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(("after", "is_in_time"), [(0.05, True), (0.9, False)])
def test_an_answer_that_came_while_the_event_loop_was_busy_is_taken(after: float, is_in_time: bool, loop: str) -> None:
    """It is here before the deadline; that nobody could look at it until then does not make it unknown."""

    async def send_and_be_busy() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            has_read = threading.Event()
            server = threading.Thread(target=answer_one_request, args=(listener, has_read, after))
            server.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v2/"
            async with make_client(url, timeout=Timeout(total=None, attempt=0.3)) as client:
                sending = asyncio.create_task(send(client))
                await asyncio.to_thread(has_read.wait)
                time.sleep(0.4)  # noqa: ASYNC251 -- the loop is to be busy
                if is_in_time:
                    assert (await sending).message_id == 70001
                else:
                    assert type(await failure_of(sending)) is RequestTimeoutError
            server.join()

    if loop == "uvloop":
        pytest.importorskip("uvloop").run(send_and_be_busy())
    else:
        asyncio.run(send_and_be_busy())


# The pool


async def test_no_free_connection_in_time_means_never_sent() -> None:
    timeout = Timeout(total=0.15)
    async with RawServer(hang) as server, HttpSession(max_connections=1) as session:
        first = make_client(server.url, session=session, timeout=Timeout(total=0.5))
        second = make_client(server.url, session=session, timeout=timeout)
        hanging = asyncio.create_task(failure_of(send(first)))
        await server.has_read.wait()

        error = await failure_of(send(second))

        assert type(error) is ConnectionFailedError
        assert error.outcome is Outcome.NOT_SENT
        assert "busy" in str(error)
        assert type(await hanging) is RequestTimeoutError
        assert len(server.requests) == 1


async def test_who_waits_for_a_connection_gets_it() -> None:
    async with (
        RawServer(answer(envelope([70001]), after=0.01)) as server,
        HttpSession(max_connections=2) as session,
    ):
        client = make_client(server.url, session=session)
        results = await asyncio.gather(*(send(client) for _ in range(10)))
        assert len(results) == len(server.requests) == 10
        assert server.connections <= 2


async def test_a_failed_or_cancelled_request_gives_its_connection_back() -> None:
    async with RawServer(hang, close_read, accept(70001)) as server, HttpSession(max_connections=1) as session:
        client = make_client(server.url, session=session)
        task = asyncio.create_task(send(client))
        await server.has_read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert type(await failure_of(send(client))) is ConnectionLostError
        assert (await send(client)).message_id == 70001


async def test_cancelling_who_waits_for_a_connection_loses_none() -> None:
    async with (
        RawServer(answer(envelope([70001]), after=0.1)) as server,
        HttpSession(max_connections=1) as session,
    ):
        client = make_client(server.url, session=session)
        first, second = (asyncio.create_task(send(client)) for _ in range(2))
        await asyncio.sleep(0.03)
        second.cancel()
        assert (await first).message_id == 70001
        assert (await send(client)).message_id == 70001
        assert second.cancelled()
        assert len(server.requests) == 2


async def test_time_spent_waiting_for_a_connection_does_not_blur_a_connect_timeout() -> None:
    """First a wait for a free connection, then a connect that hangs: nothing left, and the error must say so."""
    timeout = Timeout(total=0.3)
    with stalled_port() as port:
        async with RawServer(answer(envelope([70001]), after=0.2)) as server, HttpSession(max_connections=1) as session:
            first = make_client(server.url, session=session)
            second = make_client(f"http://127.0.0.1:{port}/", session=session, timeout=timeout, retry=ONCE)
            busy = asyncio.create_task(send(first))
            await server.has_read.wait()

            error = await failure_of(send(second))
            await busy

    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT


async def test_the_pool_of_a_borrowed_session_running_out_means_never_sent() -> None:
    async with RawServer(hang) as server, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = make_client(server.url, session=session, timeout=Timeout(total=0.3), retry=QUICKLY)
        hanging = asyncio.create_task(failure_of(send(client)))
        await server.has_read.wait()
        other = make_client(server.url, session=session, timeout=Timeout(total=0.1), retry=ONCE)

        error = await failure_of(send(other))

        assert type(error) is ConnectionFailedError
        assert error.outcome is Outcome.NOT_SENT
        await hanging
        assert len(server.requests) == 1
