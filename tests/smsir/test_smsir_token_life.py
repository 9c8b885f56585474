"""Closing, event loops, deadlines."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from payamak.common import ClientStateError, ConnectionFailedError, Outcome, Timeout
from payamak.common.tokens import Token, TokenManager
from payamak.smsir import SmsIrClient
from support.smsir import (
    LIFETIME,
    REFRESH_MARGIN,
    TokenGateway,
    ask,
    failure_of,
    hang,
    in_a_thread,
    make_client,
    nothing_unheard,
    put_clocks,
    refreshes,
    say,
    send,
    until,
)


async def test_closing_cancels_a_refresh_and_awaits_it() -> None:
    ended = asyncio.Event()

    async def fetch() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.set()
        return "never"

    tokens = TokenManager(fetch, key="a-key")
    waiting = asyncio.create_task(tokens.get())
    await until(refreshes)
    await asyncio.sleep(0)
    await tokens.aclose()
    assert ended.is_set()
    assert not refreshes()
    assert isinstance(await failure_of(waiting), ClientStateError)
    assert isinstance(await failure_of(tokens.get()), ClientStateError)
    assert isinstance(await failure_of(tokens.renew()), ClientStateError)
    await tokens.aclose()


async def test_closing_a_refresh_that_has_not_begun() -> None:
    async def fetch() -> str:
        raise AssertionError("not after the close")

    tokens = TokenManager(fetch, key="a-key")
    waiting = asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    await tokens.aclose()
    assert isinstance(await failure_of(waiting), ClientStateError)


async def test_those_who_wait_hear_that_the_client_was_closed() -> None:
    async with TokenGateway() as gateway:
        with nothing_unheard():
            client = make_client(gateway)
            gateway.gate.clear()
            waiting = [asyncio.create_task(failure_of(send(client))) for _ in range(10)]
            authenticating = asyncio.create_task(failure_of(client.authenticate()))
            await until(lambda: gateway.token_requests)
            await client.aclose()
            assert not refreshes()
            errors = [*await asyncio.gather(*waiting), await authenticating]
        assert {type(error) for error in errors} == {ClientStateError}
        assert {error.outcome for error in errors} == {Outcome.NOT_SENT}
        assert [error.operation for error in errors] == ["messages.send_to_numbers"] * 10 + ["authenticate"]
        assert all("closed" in str(error) for error in errors)
        assert gateway.calls == []
        await client.aclose()
        assert isinstance(await failure_of(send(client)), ClientStateError)
        assert gateway.token_requests == 1


async def test_closing_during_a_refresh_behind() -> None:
    async with TokenGateway() as gateway:
        with nothing_unheard():
            async with make_client(gateway) as client:
                clocks = put_clocks(client)
                await ask(client)
                clocks.advance(LIFETIME - REFRESH_MARGIN)
                gateway.gate.clear()
                await ask(client)
                await until(lambda: gateway.token_requests == 2)
            assert not refreshes()


async def test_closing_twice_at_once() -> None:
    async with TokenGateway() as gateway:
        client = make_client(gateway)
        gateway.gate.clear()
        waiting = asyncio.create_task(failure_of(ask(client)))
        await until(lambda: gateway.token_requests)
        await asyncio.gather(client.aclose(), client.aclose())
        assert isinstance(await waiting, ClientStateError)


async def test_a_callers_own_cancellation_stays_one() -> None:
    """Also when the client is closed in the same moment."""
    async with TokenGateway() as gateway:
        for close_first in (False, True):
            client = make_client(gateway)
            gateway.gate.clear()
            task = asyncio.create_task(ask(client))
            await until(refreshes)
            await asyncio.sleep(0.01)
            closing = asyncio.create_task(client.aclose())
            if close_first:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert task.cancelled()
            await closing


async def test_a_timeout_around_a_call_stays_one() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.gate.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await ask(client)
        gateway.gate.set()
        await ask(client)
        assert gateway.token_requests == 1


async def test_a_hasty_caller_gives_up_and_the_refresh_goes_on() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.gate.clear()
        patient = [asyncio.create_task(send(client, f"text {number}")) for number in range(3)]
        await until(lambda: gateway.token_requests)
        settings: Any = client
        settings._timeout = Timeout(total=0.05)
        started = asyncio.get_running_loop().time()
        error = await failure_of(send(client, "hasty"))
        assert asyncio.get_running_loop().time() - started < 1
        assert isinstance(error, ConnectionFailedError)
        assert error.outcome is Outcome.NOT_SENT
        assert error.operation == "messages.send_to_numbers"

        assert not any(task.done() for task in patient)
        gateway.gate.set()
        await asyncio.gather(*patient)
        assert sorted(gateway.sent) == ["text 0", "text 1", "text 2"]
        assert gateway.token_requests == 1


@pytest.mark.parametrize("timeout", [Timeout(total=0.1), Timeout(total=0.1, attempt=0.03)])
async def test_the_time_of_a_call_holds_for_its_token_too(timeout: Timeout) -> None:
    async with TokenGateway() as gateway, make_client(gateway, timeout=timeout) as client:
        gateway.every_token_answer = hang
        started = asyncio.get_running_loop().time()
        error = await failure_of(send(client))
        assert asyncio.get_running_loop().time() - started < 1
        assert error.outcome is Outcome.NOT_SENT
        assert gateway.calls == []


async def test_the_wait_for_a_token_is_no_part_of_the_first_attempt() -> None:
    """It may take several requests, and only then does the first attempt of the call itself begin."""
    seen: list[tuple[str, int]] = []

    async def hook(attempt: Any, proceed: Any) -> Any:
        seen.append((attempt.operation, attempt.number))
        return await proceed()

    timeout = Timeout(total=5, attempt=0.3)
    async with TokenGateway() as gateway, make_client(gateway, timeout=timeout, hooks=[hook]) as client:
        gateway.token_answers = [say(b"", 500, after=0.2), say(b"", 500, after=0.2)]
        await send(client)
    assert seen == [("authenticate", 1), ("authenticate", 2), ("authenticate", 3), ("messages.send_to_numbers", 1)]


async def test_the_time_of_a_call_holds_for_the_token_after_a_rejection() -> None:
    async with TokenGateway() as gateway, make_client(gateway, timeout=Timeout(total=0.2)) as client:
        await ask(client)
        gateway.valid.clear()
        gateway.every_token_answer = hang
        started = asyncio.get_running_loop().time()
        error = await failure_of(send(client))
        assert asyncio.get_running_loop().time() - started < 1
        assert error.outcome is Outcome.NOT_SENT
        assert gateway.sent == []


@contextmanager
def connections_left_open() -> Generator[None, None, None]:
    """The first loop ends with a connection open, and aiohttp warns of that; the test is about the token."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        yield
        gc.collect()


async def _ask_in_time(client: SmsIrClient, *, close: bool = False) -> None:
    async with asyncio.timeout(5):
        await ask(client)
    if close:
        await client.aclose()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_two_event_loops_one_after_the_other() -> None:
    with in_a_thread(TokenGateway()) as gateway, connections_left_open():
        client = make_client(gateway)
        asyncio.run(_ask_in_time(client))
        asyncio.run(_ask_in_time(client, close=True))
    assert gateway.token_requests == 1, "the token is as good in the second loop"
    assert len(gateway.calls) == 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("behind", [False, True], ids=["waited for", "behind"])
def test_a_refresh_that_was_running_when_the_first_loop_ended(behind: bool) -> None:
    async def leave_running(client: SmsIrClient, gateway: TokenGateway) -> None:
        clocks = put_clocks(client)
        if behind:
            await ask(client)
            clocks.advance(LIFETIME - REFRESH_MARGIN)
        gateway.token_answers = [hang]
        task = asyncio.create_task(ask(client))
        await until(lambda: gateway.token_requests == (2 if behind else 1))
        if behind:
            await task
            clocks.advance(LIFETIME)

    with in_a_thread(TokenGateway()) as gateway, connections_left_open():
        client = make_client(gateway)
        asyncio.run(leave_running(client, gateway))
        before = gateway.token_requests
        asyncio.run(_ask_in_time(client, close=True))
        assert gateway.token_requests == before + 1
        assert gateway.tokens_used[-1] == gateway.issued[-1]


def test_a_refresh_of_a_loop_that_stopped_in_the_middle() -> None:
    """Nobody cancelled it, and it will never be done."""
    answers = iter([asyncio.Event().wait, None])

    async def fetch() -> str:
        wait = next(answers)
        if wait is not None:
            await wait()
        return "a token"

    tokens = TokenManager(fetch, key="a-key")
    first = asyncio.new_event_loop()
    pending = first.create_task(tokens.get())
    first.run_until_complete(asyncio.sleep(0.01))

    async def second() -> Token:
        async with asyncio.timeout(5):
            return await tokens.get()

    assert asyncio.run(second()).value == "a token"
    asyncio.run(tokens.aclose())
    left = asyncio.all_tasks(first)
    assert pending in left
    for task in left:
        task.cancel()
    first.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    first.close()


def test_closing_in_another_loop_than_that_of_the_refresh() -> None:
    async def fetch() -> str:
        await asyncio.Event().wait()
        return "never"

    tokens = TokenManager(fetch, key="a-key")
    first = asyncio.new_event_loop()
    pending = first.create_task(tokens.get())
    first.run_until_complete(asyncio.sleep(0.01))
    asyncio.run(_close_in_time(tokens))
    left = asyncio.all_tasks(first)
    assert pending in left
    for task in left:
        task.cancel()
    first.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    first.close()


async def _close_in_time(tokens: TokenManager) -> None:
    async with asyncio.timeout(5):
        await tokens.aclose()
