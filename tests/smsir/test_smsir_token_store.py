"""The token in a store: shared between processes, and done without when the store fails."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from payamak.common import Outcome
from payamak.common.tokens import MemoryTokenStore, Token, TokenManager, TokenStore
from payamak.smsir import AuthenticationError
from support.smsir import (
    DAY,
    LIFETIME,
    REFRESH_MARGIN,
    SECRET_KEY,
    TOKEN,
    USER_API_KEY,
    Clocks,
    SqliteTokenStore,
    TokenGateway,
    ask,
    failure_of,
    make_client,
    put_clocks,
    refuse,
    send,
    settle,
    until,
)

PROGRAM = """
import asyncio, sys
from payamak.smsir import SmsIrClient
from support.smsir import SECRET_KEY, USER_API_KEY, SqliteTokenStore

async def main(url, path):
    async with SmsIrClient(USER_API_KEY, SECRET_KEY, base_url=url, token_store=SqliteTokenStore(path)) as client:
        await client.messages.send_to_numbers("09121234567", "from another process")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    return MemoryTokenStore() if request.param == "memory" else SqliteTokenStore(tmp_path / "tokens")


async def key_of(gateway: TokenGateway, **options: Any) -> str:
    """The key under which a client looks for its token."""
    asked: list[str] = []

    class Spy(MemoryTokenStore):
        async def get(self, key: str) -> Token | None:
            asked.append(key)
            return await super().get(key)

    async with make_client(gateway, token_store=Spy(), **options) as client:
        await ask(client)
    return asked[0]


async def test_the_protocol(store: TokenStore) -> None:
    first, second = Token("first", 1_700_000_000.25), Token("second", 1_700_000_001.0)
    assert await store.get("a") is None
    await store.set("a", first)
    assert await store.get("a") == first
    assert await store.get("b") is None
    await store.set("a", second)
    await store.delete("a", first)
    assert await store.get("a") == second, "delete leaves a newer one"
    await store.delete("b", second)
    await store.delete("a", second)
    assert await store.get("a") is None
    await store.delete("a", second)


@pytest.mark.real_time
async def test_processes_share_one_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    async with TokenGateway() as gateway:

        async def run() -> None:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, gateway.url, str(path), env=environment
            )
            assert await process.wait() == 0

        await run()
        await asyncio.gather(run(), run())
        async with make_client(gateway, token_store=SqliteTokenStore(path)) as client:
            await send(client, "from this process")

        assert len(gateway.sent) == 4
        assert gateway.token_requests == 1
        assert set(gateway.tokens_used) == {gateway.issued[0]}


async def test_two_clients_share_one_token(store: TokenStore) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        await ask(one)
        await ask(other)
        assert gateway.token_requests == 1


async def test_the_key_tells_the_accounts_apart_and_no_credential() -> None:
    async with TokenGateway() as gateway:
        key = await key_of(gateway)
        assert await key_of(gateway) == key
        assert await key_of(gateway, base_url=gateway.url.replace("127.0.0.1", "localhost")) != key
        assert USER_API_KEY not in key
        assert SECRET_KEY not in key
        assert "smsir" in key


async def test_another_processs_newer_token_is_taken_over_after_a_rejection(store: TokenStore) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        await ask(one)
        await ask(other)
        gateway.valid.clear()
        await send(other, "other")
        assert gateway.token_requests == 2
        await send(one, "one")
        assert gateway.token_requests == 2
        assert gateway.tokens_used[-2:] == gateway.issued
        assert gateway.sent == ["other", "one"]


async def test_another_processs_newer_token_is_taken_over_near_the_end(store: TokenStore) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        clocks, other_clocks = put_clocks(one), put_clocks(other)
        await ask(one)
        await ask(other)
        clocks.advance(LIFETIME - REFRESH_MARGIN)
        await ask(one)
        await settle()
        assert gateway.token_requests == 2
        other_clocks.advance(LIFETIME - REFRESH_MARGIN + 1)
        await ask(other)
        await settle()
        await ask(other)
        assert gateway.token_requests == 2
        assert gateway.tokens_used[-1] == gateway.issued[1]
        other_clocks.advance(LIFETIME - REFRESH_MARGIN - 2)
        await ask(other)
        await settle()
        assert gateway.token_requests == 2, "it is as old as it is, not as long as we have it"
        other_clocks.advance(1)
        await ask(other)
        await settle()
        assert gateway.token_requests == 3


@pytest.mark.parametrize(
    ("age", "believed"),
    [
        (0, True),
        (LIFETIME - REFRESH_MARGIN - 1, True),
        (LIFETIME - REFRESH_MARGIN, False),
        (LIFETIME, False),
        (365 * 24 * 60 * 60, False),
        (-5, True),  # The other machine's clock is ahead.
    ],
)
async def test_a_stored_token_is_believed_by_its_age(age: float, believed: bool) -> None:
    async with TokenGateway() as gateway:
        key, store, token = await key_of(gateway), MemoryTokenStore(), gateway.issue()
        gateway.token_requests = 0
        async with make_client(gateway, token_store=store) as client:
            clocks = put_clocks(client)
            await store.set(key, Token(token, clocks.wall() - age))
            await ask(client)
            assert gateway.token_requests == (0 if believed else 1)
            kept = await store.get(key)
            assert kept is not None
            assert kept.value == (token if believed else gateway.issued[-1])


async def test_a_token_from_a_clock_that_is_ahead_lives_no_longer_than_any_other() -> None:
    async with TokenGateway() as gateway:
        key, store, token = await key_of(gateway), MemoryTokenStore(), gateway.issue()
        gateway.token_requests = 0
        async with make_client(gateway, token_store=store) as client:
            clocks = put_clocks(client)
            await store.set(key, Token(token, clocks.wall() + DAY))
            await ask(client)
            clocks.advance(LIFETIME - REFRESH_MARGIN)
            await ask(client)
            await settle()
            assert gateway.token_requests == 1


async def test_a_token_in_the_store_is_as_old_as_the_request_for_it() -> None:
    """Another process that takes it over must not think it younger than the gateway does."""
    clocks, store = Clocks(), MemoryTokenStore()
    asked = clocks.wall()

    async def fetch() -> str:
        clocks.advance(30)
        return "a token"

    tokens = TokenManager(fetch, key="a-key", store=store, monotonic=clocks.monotonic, wall_clock=clocks.wall)
    await tokens.get()
    await tokens.aclose()
    kept = await store.get("a-key")
    assert kept is not None
    assert kept.issued_at == asked


class Stubborn(MemoryTokenStore):
    """Deletes nothing."""

    async def delete(self, key: str, token: Token) -> None:
        """Nothing."""


class Broken:
    """Raises in the methods that are named."""

    def __init__(self, *methods: str) -> None:
        self._methods = methods
        self._store = MemoryTokenStore()

    def _fail(self, method: str, *secrets: object) -> None:
        if method in self._methods:
            raise OSError(f"{secrets!r} {TOKEN} {USER_API_KEY} {SECRET_KEY}")

    async def get(self, key: str) -> Token | None:
        self._fail("get", key)
        return await self._store.get(key)

    async def set(self, key: str, token: Token) -> None:
        self._fail("set", key, token, token.value)
        await self._store.set(key, token)

    async def delete(self, key: str, token: Token) -> None:
        self._fail("delete", key, token, token.value)
        await self._store.delete(key, token)


class Rounding(MemoryTokenStore):
    """Keeps the time as a whole number, as many a column does."""

    async def set(self, key: str, token: Token) -> None:
        await super().set(key, Token(token.value, int(token.issued_at)))


@pytest.mark.parametrize("store", [Stubborn(), Broken("delete")], ids=["deletes nothing", "raises"])
async def test_a_store_that_still_holds_the_rejected_token_is_not_believed(store: TokenStore) -> None:
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        await send(client, "first")
        gateway.valid.clear()
        await send(client, "second")
        assert gateway.token_requests == 2
        assert gateway.sent == ["first", "second"]


async def test_a_store_that_rounds_the_time_is_not_believed_either() -> None:
    async with TokenGateway() as gateway, make_client(gateway, token_store=Rounding()) as client:
        await send(client, "first")
        gateway.valid.clear()
        await send(client, "second")
        assert gateway.token_requests == 2
        assert gateway.sent == ["first", "second"]


@pytest.mark.parametrize("methods", [("get",), ("set",), ("delete",), ("get", "set", "delete")])
async def test_a_store_that_raises_is_done_without(methods: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with TokenGateway() as gateway, make_client(gateway, token_store=Broken(*methods)) as client:
        await asyncio.gather(*(ask(client) for _ in range(5)))
        gateway.valid.clear()
        await send(client)
        await ask(client)
        assert gateway.token_requests == 2
        assert gateway.sent == ["text"]
    warnings = [record for record in caplog.records if record.name == "payamak.tokens"]
    assert {record.levelname for record in warnings} == {"WARNING"}
    assert len(warnings) == 1, "then it is left alone for a while"
    for record in caplog.records:
        shown = f"{record.getMessage()} {record.args!r} {record.exc_text} {record.exc_info!r}"
        assert not [secret for secret in (TOKEN, USER_API_KEY, SECRET_KEY) if secret in shown]
    assert "OSError" in caplog.text


@pytest.mark.parametrize("answer", ["a text", b"bytes", {"value": "a"}, 7], ids=repr)
async def test_a_store_that_answers_with_something_else_is_done_without(answer: object) -> None:
    class Odd(MemoryTokenStore):
        async def get(self, key: str) -> Token | None:
            return answer  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    async with TokenGateway() as gateway, make_client(gateway, token_store=Odd()) as client:
        await ask(client)
        assert gateway.token_requests == 1


async def test_authenticate_can_be_told_to_ask_the_gateway_though_the_store_holds_a_token(store: TokenStore) -> None:
    """Keys that were withdrawn can be made to show at start-up, also in the second process."""
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        await ask(one)
        await other.authenticate(fresh=True)
        assert gateway.token_requests == 2
        gateway.every_token_answer = refuse("کلید اشتباه است")
        async with make_client(gateway, token_store=store) as third:
            assert isinstance(await failure_of(third.authenticate(fresh=True)), AuthenticationError)


async def test_authenticate_by_a_client_that_is_closed_takes_no_token_from_the_others(store: TokenStore) -> None:
    async with TokenGateway() as gateway:
        async with make_client(gateway, token_store=store) as one:
            await ask(one)
        assert (await failure_of(one.authenticate())).outcome is Outcome.NOT_SENT
        async with make_client(gateway, token_store=store) as other:
            await ask(other)
        assert gateway.token_requests == 1


async def test_a_late_rejection_leaves_the_newer_token_in_the_store(store: TokenStore) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=store) as one,
        make_client(gateway, token_store=store) as other,
    ):
        await ask(one)
        gateway.call_answers = [refuse("", 401)]
        await ask(other)  # Rejected: fetches the second token and puts it into the store.
        gateway.valid.discard(gateway.issued[0])
        await ask(one)  # Its first token is rejected, and deleted nowhere.
        async with make_client(gateway, token_store=store) as third:
            await ask(third)
        assert gateway.token_requests == 2
        assert gateway.tokens_used[-1] == gateway.issued[1]


async def test_nobody_waits_for_a_store_while_the_token_is_valid() -> None:
    calls: list[str] = []

    class Counting(MemoryTokenStore):
        async def get(self, key: str) -> Token | None:
            calls.append("get")
            return await super().get(key)

    async with TokenGateway() as gateway, make_client(gateway, token_store=Counting()) as client:
        await ask(client)
        await until(lambda: calls)
        for _ in range(10):
            await ask(client)
    assert calls == ["get"]
