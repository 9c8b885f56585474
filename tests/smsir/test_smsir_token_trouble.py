"""Stores that hang, tokens that are dead on arrival, connections that are all taken, and keys that are wrong."""

from __future__ import annotations

import asyncio
import collections
import logging
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from payamak.common import (
    AuthenticationError,
    ClientStateError,
    GatewayError,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    RequestTimeoutError,
)
from payamak.common.loop_lock import LoopLock
from payamak.common.token_stores import GuardedStore
from payamak.common.tokens import MemoryTokenStore, Token, TokenManager
from support.smsir import (
    LIFETIME,
    ONCE,
    PAUSE,
    REFRESH_MARGIN,
    REJECTED,
    Clocks,
    TokenGateway,
    ask,
    failure_of,
    hang,
    make_client,
    put_clocks,
    refuse,
    say,
    send,
    settle,
    tokens_of,
    until,
)

REST = 30.0


class Slow(MemoryTokenStore):
    """Counts its operations, of which some take their time. It has a lock, which may take its time too.

    Attributes:
        waits: How many seconds each takes.
        asked: How often each was begun.
    """

    def __init__(self, **waits: float) -> None:
        super().__init__()
        self.waits = waits
        self.asked: collections.Counter[str] = collections.Counter()
        self._lock = asyncio.Lock()

    async def get(self, key: str) -> Token | None:
        await self._wait("get")
        return await super().get(key)

    async def set(self, key: str, token: Token) -> None:
        await self._wait("set")
        await super().set(key, token)

    async def delete(self, key: str, token: Token) -> None:
        await self._wait("delete")
        await super().delete(key, token)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[None]:
        await self._wait("lock")
        async with self._lock:
            yield
            await self._wait("release")

    async def _wait(self, operation: str) -> None:
        self.asked[operation] += 1
        await asyncio.sleep(self.waits.get(operation, 0))


OPERATIONS = ["get", "set", "delete", "lock", "release"]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_store_that_hangs_costs_no_call(operation: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Slow(**{operation: math.inf})
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        clocks = put_clocks(client)
        await asyncio.gather(*(send(client) for _ in range(100)))
        gateway.valid.clear()
        await asyncio.gather(*(send(client) for _ in range(100)))
        clocks.advance(LIFETIME)
        await ask(client)
        await settle()
        assert len(gateway.sent) == 200
        assert gateway.token_requests == 3
    assert 1 <= len(caplog.records) <= 3
    said = "gave no lock in 15 s" if operation == "lock" else "failed with TimeoutError"
    assert f"the token store {said}; going on without it" in caplog.messages


@pytest.mark.parametrize("operation", ["set", "delete", "release"])
async def test_nobody_waits_for_what_is_written(operation: str) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=Slow(**{operation: 0.9}), timeout=0.5) as client,
    ):
        await ask(client)
        await settle()
        gateway.valid.clear()
        await send(client)
        assert gateway.sent == ["text"]


async def test_closing_waits_for_what_is_being_written() -> None:
    store = Slow(set=0.5)
    async with TokenGateway() as gateway:
        for _ in range(2):
            async with make_client(gateway, token_store=store) as client:
                await ask(client)
        assert gateway.token_requests == 1


async def test_a_store_that_has_failed_is_left_alone_for_a_while() -> None:
    store = Slow(get=math.inf)
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        clocks = put_clocks(client)
        await ask(client)
        for _ in range(3):
            clocks.advance(REST / 3 - 0.1)
            gateway.valid.clear()
            await send(client)
        assert store.asked == {"get": 1}
        clocks.advance(0.4)
        gateway.valid.clear()
        store.waits.clear()
        await send(client)
        await settle()
        assert store.asked == {"get": 3, "delete": 1, "lock": 1, "release": 1, "set": 1}
        assert gateway.token_requests == 5


@pytest.mark.parametrize(("took", "limit", "requests"), [(0.9, 1, 1), (1.1, 1, 2), (4, 5, 1), (0.2, 0.1, 2)])
async def test_how_long_a_store_may_take_is_an_argument(took: float, limit: float, requests: int) -> None:
    store = Slow()
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store, token_store_timeout=limit) as one,
        make_client(gateway, token_store=store, token_store_timeout=limit) as other,
    ):
        await ask(one)
        await settle()
        store.waits["get"] = took
        await ask(other)
        assert gateway.token_requests == requests


@pytest.mark.parametrize("wrong", [0, -1, math.nan, None, "1", True])
async def test_a_wrong_limit_for_the_store_is_refused(wrong: Any) -> None:
    async with TokenGateway() as gateway:
        with pytest.raises(InvalidArgumentError) as caught:
            make_client(gateway, token_store_timeout=wrong)
        assert caught.value.argument == "token_store_timeout"


class _Hostile(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise KeyError("a")


NO_TOKENS: dict[str, Any] = {
    "a text of one's own": Token(_Hostile("a"), 1),
    "a time that is text": Token("a", "1"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a time that is None": Token("a", None),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a time that is a bool": Token("a", True),
    "a time that is no number": Token("a", math.nan),
    "an endless time": Token("a", math.inf),
    "a huge time": Token("a", 10**400),
    "a negative time": Token("a", -1),
    "no value": Token(None, 1),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a number": Token(7, 1),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "bytes": Token(b"a", 1),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "an empty value": Token("", 1),
    "a line break": Token("a\r\nX-Other: b", 1),
    "blanks": Token(" a ", 1),
    "a megabyte": Token("a" * 1024 * 1024, 1),
    "Persian": Token("توکن", 1),
}


@pytest.mark.parametrize("name", NO_TOKENS)
async def test_what_is_no_token_counts_as_none(name: str, caplog: pytest.LogCaptureFixture) -> None:
    stored, written = NO_TOKENS[name], list[Token]()

    class Odd(MemoryTokenStore):
        async def get(self, key: str) -> Token | None:
            return stored  # type: ignore[no-any-return]

        async def set(self, key: str, token: Token) -> None:
            written.append(token)

    async with TokenGateway() as gateway, make_client(gateway, token_store=Odd()) as client:
        tokens: Any = tokens_of(client)
        tokens._wall_clock = lambda: 2.0
        await send(client)
        assert gateway.tokens_used == gateway.issued == [token.value for token in written]
    assert caplog.messages == ["the token store holds something that is no token; going on without it"]


class Dead(MemoryTokenStore):
    """Gives another dead token each time, later than the last."""

    given = 0

    async def get(self, key: str) -> Token | None:
        self.given += 1
        return Token(f"dead-{self.given}", 1_700_000_000 + self.given / 1000)


@pytest.mark.parametrize("connections", [3, 100])
@pytest.mark.parametrize("has_one", [False, True], ids=["from the start", "after a rejection"])
async def test_a_store_full_of_dead_tokens_costs_no_call(has_one: bool, connections: int) -> None:
    async with (
        TokenGateway() as gateway,
        HttpSession(max_connections=connections) as session,
        make_client(gateway, token_store=Dead(), session=session) as client,
    ):
        put_clocks(client)
        if has_one:
            await client.authenticate(fresh=True)
            gateway.valid.clear()
        await asyncio.gather(*(send(client, f"text {number}") for number in range(100)))
        assert len(set(gateway.sent)) == len(gateway.sent) == 100
        assert gateway.token_requests == 1 + has_one
        assert len(gateway.calls) <= 300


async def test_where_there_is_a_lock_a_later_token_is_taken_even_after_two_dead_ones() -> None:
    """Whoever had the lock before has just fetched it; another one would end it."""

    class Replaced(Dead):
        @asynccontextmanager
        async def lock(self, key: str) -> AsyncGenerator[None]:
            if self.given > 1:
                self.get = super(Dead, self).get  # type: ignore[method-assign]
            yield

    store = Replaced()
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        clocks = put_clocks(client)
        tokens: Any = tokens_of(client)
        await store.set(tokens._store._key, Token(gateway.issue(), clocks.wall() + 1))
        await send(client)
        assert gateway.token_requests == 0
        assert gateway.tokens_used == ["dead-1", "dead-2", gateway.issued[0]]


async def test_a_fetched_token_that_is_dead_is_not_used_again() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.call_answers = [REJECTED, REJECTED]
        assert isinstance(await failure_of(send(client)), AuthenticationError)
        await send(client)
        assert gateway.tokens_used == gateway.issued
        assert gateway.token_requests == 3


@pytest.mark.parametrize("has_one", [False, True])
async def test_nor_is_one_that_was_fetched_after_dead_ones(has_one: bool) -> None:
    async with TokenGateway() as gateway, make_client(gateway, token_store=Dead()) as client:
        put_clocks(client)
        if has_one:
            await client.authenticate(fresh=True)
        gateway.call_answers = [REJECTED] * (2 + has_one)
        assert isinstance(await failure_of(send(client)), AuthenticationError)
        await send(client)
        assert gateway.token_requests == 2 + has_one
        assert gateway.tokens_used.count(gateway.issued[-2]) == 1


async def test_after_a_dead_token_an_older_one_is_not_taken_even_under_the_lock() -> None:
    class Older(Slow):
        given = 0

        async def get(self, key: str) -> Token | None:
            self.given += 1
            return Token(f"dead-{self.given}", 1_700_000_000 - self.given)

    async with TokenGateway() as gateway, make_client(gateway, token_store=Older()) as client:
        put_clocks(client)
        await asyncio.gather(*(send(client) for _ in range(20)))
        assert (gateway.token_requests, len(gateway.sent)) == (1, 20)


async def test_a_token_from_the_store_that_ends_later_says_nothing_against_the_store() -> None:
    """Another process has renewed it, and at this gateway a new one ends the old."""
    store = MemoryTokenStore()
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        clocks, others = put_clocks(one), put_clocks(other)
        await ask(one)
        await ask(other)
        clocks.advance(120)
        others.advance(120)
        gateway.valid.clear()
        await ask(one)
        await settle()
        await ask(other)
        assert gateway.token_requests == 2


async def test_calls_that_wait_for_a_connection_get_the_token_of_the_moment_and_keep_none_from_it() -> None:
    """A token ends while 95 calls wait for five connections."""
    async with (
        TokenGateway() as gateway,
        HttpSession(max_connections=5) as session,
        make_client(gateway, session=session, timeout=30) as client,
    ):
        await ask(client)
        gateway.calls.clear()

        async def serve_slowly(exchange: Any) -> None:
            token = gateway.calls[-1].token
            await asyncio.sleep(0.1)
            await (succeed if token in gateway.valid else REJECTED)(exchange)

        succeed = say({"IsSuccessful": True, "Message": "", "Credit": 7}, 201)
        gateway.call_answers = [serve_slowly] * 1000
        tasks = [asyncio.create_task(ask(client)) for _ in range(100)]
        await until(lambda: len(gateway.calls) > 40)
        gateway.valid.clear()
        results = await asyncio.gather(*tasks)
        assert [account.credit for account in results] == [7] * 100
        assert gateway.token_requests == 2
        assert len(gateway.calls) <= 100 + 2 * 5, "only what was in flight went out twice"


async def test_a_token_is_fetched_though_all_connections_wait_for_it() -> None:
    async with (
        TokenGateway() as gateway,
        HttpSession(max_connections=1) as session,
        make_client(gateway, session=session, timeout=5) as client,
    ):
        clocks = put_clocks(client)
        gate = asyncio.Event()
        await ask(client)
        gateway.call_answers = [say({"IsSuccessful": True, "Credit": 7}, when=gate)]
        tasks = [asyncio.create_task(ask(client)) for _ in range(3)]
        await until(lambda: len(gateway.calls) == 2)
        clocks.advance(LIFETIME)
        gate.set()
        await asyncio.gather(*tasks)
        assert gateway.tokens_used == [gateway.issued[0]] * 2 + [gateway.issued[1]] * 2


async def test_the_session_is_closed_while_a_call_that_has_a_connection_waits_for_a_token() -> None:
    store = Slow()
    async with (
        TokenGateway() as gateway,
        HttpSession(max_connections=1) as session,
        make_client(gateway, token_store=store) as other,
        make_client(gateway, session=session, token_store=store) as client,
    ):
        clocks, gate = put_clocks(client), asyncio.Event()
        put_clocks(other)
        await ask(client)
        gateway.call_answers = [say({"IsSuccessful": True, "Credit": 7}, when=gate)]
        first = asyncio.create_task(ask(client))
        await until(lambda: len(gateway.calls) == 2)
        waiting = asyncio.create_task(failure_of(send(client)))
        await asyncio.sleep(0)
        clocks.advance(LIFETIME)
        store.waits["get"] = 0.5
        gate.set()
        await first
        await session.aclose()
        tokens: Any = tokens_of(client)
        await store.set(tokens._store._key, Token(gateway.issue(), clocks.wall()))
        error = await waiting
        assert isinstance(error, ClientStateError)
        assert error.outcome is Outcome.NOT_SENT
        assert gateway.sent == []


@pytest.mark.parametrize("times", [1, 3])
async def test_without_a_limit_for_calls_the_request_for_a_token_still_has_one(times: int) -> None:
    async with TokenGateway() as gateway, make_client(gateway, timeout=None) as client:
        gateway.token_answers = [hang] * times
        if times == 3:
            error = await failure_of(send(client))
            assert isinstance(error, RequestTimeoutError)
            assert error.outcome is Outcome.NOT_SENT
            assert gateway.token_requests == 3
        await send(client)
        assert gateway.sent == ["text"]
        assert gateway.token_requests == times + 1


async def test_wrong_keys_are_asked_about_once_in_a_while() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        gateway.every_token_answer = refuse("کلید اشتباه است", code=3)
        for _ in range(500):
            error = await failure_of(send(client))
            assert isinstance(error, AuthenticationError)
            assert (error.outcome, error.operation, error.code) == (
                Outcome.REFUSED, "messages.send_to_numbers", 3
            )  # fmt: skip
        assert gateway.token_requests == 1
        clocks.advance(PAUSE)
        await failure_of(send(client))
        assert gateway.token_requests == 2

        assert isinstance(await failure_of(client.authenticate()), AuthenticationError)
        assert gateway.token_requests == 3, "it always asks"
        gateway.every_token_answer = None
        await failure_of(send(client))
        await client.authenticate()
        await send(client)
        assert gateway.token_requests == 4
        assert gateway.sent == ["text"]


async def test_of_other_failures_there_is_no_memory() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        gateway.token_answers = [refuse("کلید اشتباه است"), say({"Message": "slowly"}, 429)]
        await failure_of(client.authenticate())
        await failure_of(client.authenticate())
        await send(client)
        assert gateway.token_requests == 3


async def test_a_thousand_rejected_calls_delete_one_token() -> None:
    store = Slow()
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        await ask(client)
        gateway.valid.clear()
        await asyncio.gather(*(send(client) for _ in range(1000)))
        await settle()
        assert len(gateway.sent) == 1000
        assert store.asked["delete"] == 1


async def test_a_renewal_that_fails_behind_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(LIFETIME - REFRESH_MARGIN)
        gateway.every_token_answer = refuse("یک خطا", 500)
        for _ in range(20):
            await ask(client)
            await settle()
        assert [(record.levelno, record.name) for record in caplog.records] == [(logging.WARNING, "payamak.tokens")]
        assert caplog.messages == ["the token could not be renewed (GatewayError); it is valid for another 180 s"]

        clocks.advance(REFRESH_MARGIN)
        error = await failure_of(send(client))
        assert isinstance(error, GatewayError)
        assert len(caplog.records) == 1, "whoever waited for it was told"
        assert str(error).startswith("smsir messages.send_to_numbers: no token could be had: the gateway failed")


async def test_authenticate_takes_what_another_process_has_stored_unless_told_otherwise() -> None:
    store = MemoryTokenStore()
    async with TokenGateway() as gateway:
        for _ in range(8):
            async with make_client(gateway, token_store=store) as client:
                await client.authenticate()
        assert gateway.token_requests == 1
        async with make_client(gateway, token_store=store) as client:
            await client.authenticate(fresh=True)
        assert gateway.token_requests == 2
        async with make_client(gateway, token_store=store) as client:
            wrong: Any = "yes"
            error = await failure_of(client.authenticate(fresh=wrong))
            assert isinstance(error, InvalidArgumentError)
            assert (error.operation, error.argument) == ("authenticate", "fresh")


@pytest.mark.parametrize("has_lock", [False, True], ids=["without a lock", "with a lock"])
async def test_those_who_share_a_token_do_not_all_renew_it(has_lock: bool) -> None:
    """Eight managers, over four lives of a token, each of which they use every other second."""
    clocks, requests, store = Clocks(), 0, Slow() if has_lock else MemoryTokenStore()

    async def fetch() -> str:
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.01)
        return f"token-{requests}"

    managers = [
        TokenManager(fetch, key="a", store=store, monotonic=clocks.monotonic, wall_clock=clocks.wall)
        for _ in range(8)
    ]  # fmt: skip
    for manager in managers:
        await manager.get()
        await settle()
    for _ in range(4 * int(LIFETIME) // 2):
        clocks.advance(2)
        await asyncio.gather(*(manager.get() for manager in managers))
        await settle()
    assert 5 <= requests <= (5 if has_lock else 15)
    for manager in managers:
        await manager.aclose()


async def test_a_lock_that_another_process_holds_for_long_is_no_failure_of_the_store(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway is slow there. This one goes on without the lock, and the store is asked as before."""
    monkeypatch.setattr("payamak.common.token_stores._LOCK_TIMEOUT", 0.05)
    held = asyncio.Lock()

    class Locked(MemoryTokenStore):
        def lock(self, _key: str) -> asyncio.Lock:
            return held

    store = GuardedStore(Locked(), "a", timeout=1)
    await held.acquire()
    async with store.locked() as is_locked:
        assert not is_locked
    assert store.rests is False
    assert [record.getMessage() for record in caplog.records] == [
        "the token store gave no lock in 0 s; going on without it"
    ]
    token = Token("a token", 1.0)
    await store.write(token)
    assert await store.read() == token
    held.release()
    async with store.locked() as is_locked:
        assert is_locked


async def test_who_comes_too_late_for_a_token_takes_what_has_been_brought() -> None:
    """Another thread may have brought it between the asking and the lock, which is free again."""
    coming: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with LoopLock().held(coming, unless=lambda: True) as is_held:
        assert not is_held
    async with LoopLock().held(coming, unless=lambda: False) as is_held:
        assert is_held
