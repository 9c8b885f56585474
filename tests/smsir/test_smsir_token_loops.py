"""One token for all event loops of a process: in threads, one after the other, ended and stuck."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from payamak.common import ConnectionLostError, PayamakError
from payamak.common.tokens import Token, TokenManager
from payamak.smsir import SmsIrClient
from payamak.testing import RunningEmulator
from support.threads import run_in_threads

THREADS = 16


class Gateway:
    """Counts what it is asked for, and takes its time."""

    def __init__(self, *, seconds: float = 0.1, failure: PayamakError | None = None) -> None:
        self.asked = 0
        self._seconds = seconds
        self._failure = failure

    async def fetch(self) -> str:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(self._seconds)
        if self._failure is not None:
            raise self._failure
        return f"token-{number}"


def get_in_threads(tokens: TokenManager, times: int = THREADS) -> list[Token | BaseException]:
    together = threading.Barrier(times)

    async def get() -> list[Token | BaseException]:
        together.wait(30)
        return await asyncio.gather(*(tokens.get() for _ in range(5)), return_exceptions=True)

    return [token for found in run_in_threads(get, times) for token in found]


def test_all_threads_get_the_token_that_one_has_fetched() -> None:
    gateway = Gateway()
    tokens = TokenManager(gateway.fetch, key="a-key")
    found = get_in_threads(tokens)
    assert {token.value for token in found if isinstance(token, Token)} == {"token-1"}
    assert len(found) == THREADS * 5
    assert gateway.asked == 1
    assert not tokens._coming
    assert not tokens._refreshing


def test_a_failure_is_told_to_all_threads_that_have_waited_for_it() -> None:
    gateway = Gateway(failure=ConnectionLostError("it broke"))
    errors = get_in_threads(TokenManager(gateway.fetch, key="a-key"))
    assert {type(error) for error in errors} == {ConnectionLostError}
    assert len({id(error) for error in errors}) == THREADS * 5, "each gets one of its own"
    assert gateway.asked == 1


def test_a_rejected_token_is_replaced_once() -> None:
    gateway = Gateway()
    tokens = TokenManager(gateway.fetch, key="a-key")
    asyncio.run(tokens.get())
    together = threading.Barrier(THREADS)

    async def reject() -> str:
        token = await tokens.get()
        together.wait(30)
        tokens.reject(token.value)
        return (await tokens.get()).value

    assert set(run_in_threads(reject, THREADS)) == {"token-2"}
    assert gateway.asked == 2


def test_who_wants_another_token_is_not_content_with_the_old_one() -> None:
    gateway = Gateway()
    tokens = TokenManager(gateway.fetch, key="a-key")
    asyncio.run(tokens.get())
    together = threading.Barrier(THREADS)

    async def renew() -> str:
        together.wait(30)
        return (await tokens.renew(fresh=False)).value

    assert set(run_in_threads(renew, THREADS)) == {"token-2"}
    assert gateway.asked == 2


def test_whose_loop_ends_is_not_waited_for() -> None:
    gateway = Gateway(seconds=0.3)
    tokens = TokenManager(gateway.fetch, key="a-key")

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tokens.get(), 0.1)

    impatient = threading.Thread(target=lambda: asyncio.run(give_up()))
    impatient.start()
    while not gateway.asked:
        time.sleep(0.001)
    assert asyncio.run(tokens.get()).value == "token-2"
    impatient.join()


def test_whose_loop_stands_still_is_not_waited_for() -> None:
    gateway = Gateway(seconds=0.1)
    tokens = TokenManager(gateway.fetch, key="a-key")
    loop = asyncio.new_event_loop()
    refresh = loop.create_task(tokens.get())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert gateway.asked == 1
    assert asyncio.run(asyncio.wait_for(tokens.get(), 5)).value == "token-2"
    assert loop.run_until_complete(refresh).value in ("token-1", "token-2")
    loop.close()


def test_a_loop_that_ends_in_the_middle_of_a_renewal_does_not_make_each_next_one_ask() -> None:
    now = time.monotonic()
    gateway = Gateway(seconds=0)
    tokens = TokenManager(gateway.fetch, key="a-key", monotonic=lambda: now)
    asyncio.run(tokens.get())
    now += 28 * 60
    gateway._seconds = 30
    for _ in range(10):
        assert asyncio.run(tokens.get()).value == "token-1"
    assert gateway.asked <= 2


def test_a_client_in_threads_asks_once(payamak_emulator: RunningEmulator) -> None:
    payamak_emulator.order_fault("delay", seconds=0.1, path="GetToken")
    client = SmsIrClient("emulator-key", "emulator-secret", base_url=payamak_emulator.smsir_url)
    assert len(set(run_in_threads(client.credit, THREADS, THREADS * 4))) == 1
    asyncio.run(client.aclose())
    paths = [request.path.rpartition("/")[2] for request in payamak_emulator.requests]
    assert paths.count("GetToken") == 1
    assert len(paths) == THREADS * 4 + 1
