"""Whose session it is, and who closes it, in one event loop and in several."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import warnings

import aiohttp
import pytest
from payamak.common import ClientStateError, HttpSession, InvalidArgumentError, Outcome
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, failure_of, look, make_client, send
from support.raw_server import RawServer, accept, answer, envelope, hang


def test_a_client_can_be_made_without_an_event_loop_and_closed_in_one() -> None:
    client = make_client("http://127.0.0.1:9/")
    session = HttpSession()
    assert not client.closed
    asyncio.run(client.aclose())
    asyncio.run(session.aclose())
    assert client.closed
    assert session.closed


async def test_no_session_is_made_before_it_is_needed() -> None:
    async with RawServer(accept(70001)) as server:
        client = make_client(server.url)
        await failure_of(client.send("not a number", "text"))
        assert client._session._own.by_loop == {}
        assert server.connections == 0
        await send(client)
        await send(client)
        assert server.connections == 1
        await client.aclose()


async def test_closing_twice_does_no_harm() -> None:
    async with RawServer(accept(70001)) as server:
        client = make_client(server.url)
        await send(client)
        await client.aclose()
        await client.aclose()
        assert client.closed
        assert "closed" in repr(client)


@pytest.mark.parametrize("call", [send, look])
async def test_after_closing_nothing_is_sent(call: object) -> None:
    async with RawServer(accept(70001)) as server:
        async with make_client(server.url) as client:
            pass
        error = await failure_of(call(client))  # type: ignore[operator]
        assert type(error) is ClientStateError
        assert isinstance(error, RuntimeError)
        assert error.outcome is Outcome.NOT_SENT
        assert "closed" in str(error)
        assert server.connections == 0


async def test_a_shared_session_outlives_its_clients() -> None:
    async with RawServer(accept(70001)) as server, HttpSession() as session:
        async with make_client(server.url, session=session) as first:
            await send(first)
        assert not session.closed
        async with make_client(server.url, session=session) as second:
            await send(second)
        assert server.connections == 1, "the connection was not shared"


async def test_clients_of_a_closed_shared_session_say_so() -> None:
    async with RawServer(accept(70001)) as server:
        session = HttpSession()
        client = make_client(server.url, session=session)
        await send(client)
        await session.aclose()
        error = await failure_of(send(client))
        assert type(error) is ClientStateError
        assert len(server.requests) == 1


async def test_a_borrowed_session_is_never_closed() -> None:
    async with RawServer(accept(70001)) as server, aiohttp.ClientSession() as session:
        async with make_client(server.url, session=session) as client:
            await send(client)
        assert not session.closed
        async with HttpSession(session) as shared:
            await send(make_client(server.url, session=shared))
        assert not session.closed
        assert type(await failure_of(send(client))) is ClientStateError


async def test_a_borrowed_session_that_its_owner_closed() -> None:
    async with RawServer(accept(70001)) as server, aiohttp.ClientSession() as session:
        client = make_client(server.url, session=session)
        await send(client)
        await session.close()
        error = await failure_of(send(client))
        assert type(error) is ClientStateError
        assert error.outcome is Outcome.NOT_SENT


async def test_a_borrowed_session_keeps_its_ways() -> None:
    """Its default headers travel; its cookies, its raise_for_status and its time limits do no harm."""
    async with (
        RawServer(answer(envelope(code=400), 400, {"Set-Cookie": "a=b"}), accept(70001)) as server,
        aiohttp.ClientSession(
            headers={"X-Mine": "1"}, raise_for_status=True, timeout=aiohttp.ClientTimeout(total=0.000001)
        ) as session,
    ):
        client = make_client(server.url, session=session)
        error = await failure_of(send(client))
        assert error.outcome is Outcome.REFUSED
        await send(client)
        assert [request.headers.get("x-mine") for request in server.requests] == ["1", "1"]


async def test_an_own_session_keeps_no_cookies() -> None:
    async with (
        RawServer(answer(envelope([70001]), headers={"Set-Cookie": "a=b"})) as server,
        make_client(server.url.replace("127.0.0.1", "localhost")) as client,
    ):
        await send(client)
        await send(client)
        assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("session", [7, "session", object(), aiohttp.ClientSession])
def test_what_is_no_session_is_refused(session: object) -> None:
    with pytest.raises(InvalidArgumentError, match="session"):
        GhasedakClient(KEY, session=session)  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [0, -1, 1.5, "3", None, True, 100_001])
def test_max_connections_is_checked(most: object) -> None:
    with pytest.raises(InvalidArgumentError, match="max_connections"):
        HttpSession(max_connections=most)  # type: ignore[arg-type]


@pytest.mark.parametrize("twice", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_copied(twice: object) -> None:
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        twice(make_client("http://127.0.0.1:9/"))  # type: ignore[operator]


async def test_closing_during_a_call_ends_it_as_unknown() -> None:
    async with RawServer(hang) as server:
        client = make_client(server.url)
        task = asyncio.create_task(failure_of(send(client)))
        await server.has_read.wait()
        await client.aclose()
        async with asyncio.timeout(2):
            error = await task
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


async def test_closing_while_calls_wait_for_a_connection_ends_them_as_not_sent() -> None:
    async with RawServer(hang) as server:
        session = HttpSession(max_connections=1)
        client = make_client(server.url, session=session)
        first = asyncio.create_task(failure_of(send(client)))
        await server.has_read.wait()
        waiting = [asyncio.create_task(failure_of(send(client))) for _ in range(3)]
        await asyncio.sleep(0.01)
        await session.aclose()
        async with asyncio.timeout(2):
            assert (await first).outcome is Outcome.UNKNOWN
            for error in await asyncio.gather(*waiting):
                assert error.outcome is Outcome.NOT_SENT
                assert "closed" in str(error)
        assert len(server.requests) == 1


# Left open


async def test_a_client_that_was_never_closed_warns_and_leaks_no_socket() -> None:
    async with RawServer(accept(70001)) as server:
        client = make_client(server.url)
        await send(client)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert any(warning.category is ResourceWarning and "never closed" in str(warning.message) for warning in caught)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_client_that_was_never_used_need_not_be_closed() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = make_client("http://127.0.0.1:9/")
        del client
        gc.collect()
    assert caught == []


async def test_a_borrowed_session_of_another_event_loop_is_refused() -> None:
    found: list[BaseException] = []

    def run() -> None:
        found.append(asyncio.run(failure_of(send(client))))

    async with RawServer(accept(70001)) as server, aiohttp.ClientSession() as session:
        client = make_client(server.url, session=session)
        await asyncio.to_thread(run)
        assert type(found[0]) is ClientStateError
        assert found[0].outcome is Outcome.NOT_SENT
        assert "bring none" in str(found[0])
        assert server.connections == 0
        assert (await send(client)).message_id == 70001
