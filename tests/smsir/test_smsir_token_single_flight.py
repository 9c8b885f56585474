"""However many ask, the gateway is asked for a token once; and whoever gives up takes nothing from the others."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from payamak.common import ConnectionLostError, PayamakError
from payamak.common.tokens import TokenManager
from payamak.smsir import SmsIrClient
from support.smsir import (
    EXPIRY_MARGIN,
    LIFETIME,
    ONCE,
    TokenGateway,
    ask,
    drop,
    failure_of,
    make_client,
    nothing_unheard,
    put_clocks,
    refreshes,
    send,
    tokens_of,
    until,
)

MANY = 1000


async def start(client: SmsIrClient, count: int) -> list[asyncio.Task[object]]:
    """Tasks that all wait for a token."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(ask(client)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_a_thousand_tasks_without_a_token_ask_once() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        accounts = await asyncio.gather(*(ask(client) for _ in range(MANY)))

        assert [account.credit for account in accounts] == [7] * MANY
        assert gateway.token_requests == 1
        assert Counter(gateway.tokens_used) == {gateway.issued[0]: MANY}


@pytest.mark.parametrize("age", [LIFETIME, LIFETIME - EXPIRY_MARGIN, 10 * LIFETIME])
async def test_a_thousand_tasks_at_the_moment_of_expiry_ask_once(age: float) -> None:
    count = MANY if age == LIFETIME else 50
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(age)
        await asyncio.gather(*(ask(client) for _ in range(count)))

        assert gateway.token_requests == 2
        assert Counter(gateway.tokens_used[1:]) == {gateway.issued[1]: count}, "an expired token is not used"


async def test_a_thousand_sends_whose_token_was_rejected_ask_once_and_go_out_once() -> None:
    texts = [f"text {number}" for number in range(MANY)]
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        gateway.valid.clear()
        gateway.calls.clear()
        await asyncio.gather(*(send(client, text) for text in texts))

        assert gateway.token_requests == 2
        used = Counter(gateway.tokens_used)
        assert used[gateway.issued[0]] <= 200, "but for what was on its way, none goes out with a dead token"
        assert used[gateway.issued[1]] == MANY
        assert sorted(gateway.sent) == sorted(texts)


async def test_who_started_the_refresh_is_cancelled_and_the_others_get_their_token() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.gate.clear()
        first, *others = await start(client, 10)
        await until(lambda: gateway.token_requests)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gateway.gate.set()

        assert len(await asyncio.gather(*others)) == 9
        assert gateway.token_requests == 1


@pytest.mark.parametrize("fails", [False, True], ids=["and it succeeds", "and it fails"])
async def test_all_who_waited_are_cancelled(fails: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with TokenGateway() as gateway:
        with nothing_unheard():
            async with make_client(gateway, retry=ONCE) as client:
                gateway.gate.clear()
                gateway.token_answers = [drop] if fails else []
                tasks = await start(client, 10)
                await until(lambda: gateway.token_requests)
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert {type(result) for result in results} == {asyncio.CancelledError}

                assert len(refreshes()) == 1, "it goes on"
                gateway.gate.set()
                await until(lambda: not refreshes())
                assert (await ask(client)).credit == 7
                assert gateway.token_requests == (2 if fails else 1)
            assert not refreshes()
        assert not [record for record in caplog.records if record.name == "asyncio"]


async def test_all_who_waited_are_cancelled_and_the_client_is_closed_before_an_answer() -> None:
    async with TokenGateway() as gateway:
        with nothing_unheard():
            async with make_client(gateway) as client:
                gateway.gate.clear()
                tasks = await start(client, 10)
                await until(lambda: gateway.token_requests)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            assert not refreshes()


async def test_one_of_those_who_wait_for_a_failure_is_cancelled() -> None:
    """The others still hear of it, and asyncio has nothing to complain about."""
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        with nothing_unheard():
            gateway.gate.clear()
            gateway.token_answers = [drop]
            first, *others = await start(client, 5)
            await until(lambda: gateway.token_requests)
            first.cancel()
            await asyncio.sleep(0)
            gateway.gate.set()
            errors = await asyncio.gather(*others, return_exceptions=True)
            assert {type(error) for error in errors} == {ConnectionLostError}
            del errors, others


async def test_each_gets_an_error_of_its_own() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        gateway.token_answers = [drop]
        errors = await asyncio.gather(
            *(failure_of(ask(client)) for _ in range(10)), *(failure_of(send(client)) for _ in range(10))
        )
        assert gateway.token_requests == 1
        assert len({id(error) for error in errors}) == 20
        assert len({error.operation_id for error in errors}) == 20
        assert None not in {error.operation_id for error in errors}
        assert [error.operation for error in errors] == ["account"] * 10 + ["messages.send_to_numbers"] * 10
        assert {error.gateway for error in errors} == {"smsir"}
        assert {error.__cause__ is None for error in errors} == {False}, "what aiohttp raised is chained"
        for number, error in enumerate(errors):
            error.add_note(str(number))
        assert [error.__notes__ for error in errors] == [[str(number)] for number in range(20)]


async def test_the_manager_gives_each_an_error_of_its_own() -> None:
    original = ConnectionLostError("it broke")
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        raise original

    tokens = TokenManager(fetch, key="a-key")
    results = await asyncio.gather(*(tokens.get() for _ in range(10)), return_exceptions=True)
    errors = [result for result in results if isinstance(result, PayamakError)]
    assert len({id(error) for error in [*errors, original]}) == 11
    assert {type(error) for error in errors} == {ConnectionLostError}
    assert {str(error) for error in errors} == {str(original)}
    assert calls == 1
    await tokens.aclose()


async def test_authenticate_joins_a_refresh_that_runs() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.gate.clear()
        tasks = await start(client, 3)
        await until(lambda: gateway.token_requests)
        authenticated = asyncio.create_task(client.authenticate())
        await asyncio.sleep(0)
        gateway.gate.set()
        await asyncio.gather(authenticated, *tasks)
        assert gateway.token_requests == 1
        assert (await tokens_of(client).get()).value == gateway.issued[0]
