"""What every client is besides its calls: its settings, its session, its event loop, its hooks, its errors."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    Proceed,
)
from payamak.emulator import Fault
from support.failures import failure_of
from support.gateways import EACH, Gateway
from support.raw_server import RawServer, answer, bytes_then_close, close_read, http
from support.sentinels import leaks


@EACH
async def test_errors_pickle_and_copy(gateway: Gateway) -> None:
    script = (close_read, answer(b"<html>"), answer(b"", 404), answer(gateway.send_reply, 500))
    errors: list[PayamakError] = []
    async with RawServer(*script, gateway.echoes["refusal"]) as server:
        async with gateway.connect(server.url) as client:
            errors += [await failure_of(gateway.send.run(client)) for _ in range(len(script) + 1)]
            errors.append(await failure_of(gateway.bad_calls[0](client)))
        errors.append(await failure_of(gateway.send.run(client)))
    assert len({type(error) for error in errors}) >= 5
    for error in errors:
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 -- our own
            assert type(twin) is type(error)
            assert (vars(twin), twin.args, str(twin)) == (vars(error), error.args, str(error))


@EACH
async def test_a_shared_session_outlives_its_clients(gateway: Gateway) -> None:
    async with gateway.at_emulator() as (emulator, _), HttpSession() as session:
        for _ in range(2):
            async with gateway.make(gateway.url(emulator), session=session) as client:
                assert await client.credit() > 0
        assert not session.closed


@EACH
async def test_one_client_in_a_second_thread(gateway: Gateway) -> None:
    """Its event loop is another one, and the first still runs: both have connections of their own."""

    async def send() -> object:
        return await gateway.send.run(client)

    async with gateway.at_emulator() as (emulator, client):
        before = len(emulator.messages())
        assert await send()
        for _ in range(2):
            assert await asyncio.to_thread(lambda: asyncio.run(send()))
        assert await send()
        assert len(emulator.messages()) == before + 4


@EACH
def test_one_client_in_two_event_loops_one_after_the_other(gateway: Gateway) -> None:
    client = gateway.connect("http://127.0.0.1:9/")

    async def use() -> None:
        # A connection that is kept could not be closed any more by a loop that has ended.
        behaviour = bytes_then_close(http(gateway.send_reply, headers={"Connection": "close"}))
        async with RawServer(behaviour) as server:
            for name in ("_base_url", "_url"):
                if name in vars(client):
                    setattr(client, name, server.url)
            assert await gateway.send.run(client)
            assert len(server.requests) == 1

    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(client.aclose())


@EACH
async def test_hooks_see_each_attempt_under_one_id(gateway: Gateway) -> None:
    seen: list[Attempt] = []

    async def observe(call: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(call)
        return await proceed()

    async with gateway.at_emulator(hooks=[observe]) as (emulator, client):
        seen.clear()
        emulator.add_fault(Fault("drop_after_read"))
        await client.credit()
    assert [attempt.number for attempt in seen] == [1, 2]
    assert len({attempt.operation_id for attempt in seen}) == 1
    assert {attempt.gateway for attempt in seen} == {gateway.name}
    assert not leaks(*seen)


@EACH
async def test_many_at_once(gateway: Gateway) -> None:
    async with gateway.at_emulator() as (emulator, client):
        before = len(emulator.messages())
        await asyncio.gather(*(gateway.send.run(client) for _ in range(100)))
        assert len(emulator.messages()) == before + 100
        assert emulator.connections <= 100


@EACH
@pytest.mark.parametrize("options", [{"timeout": 0}, {"retry": None}, {"hooks": 5}, {"proxy": "x"}, {"session": 7}])
def test_settings_that_are_wrong(gateway: Gateway, options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        gateway.make("https://gateway.example/", **options)
    assert (caught.value.argument, caught.value.outcome) == (name, Outcome.NOT_SENT)


@EACH
@pytest.mark.parametrize(
    "url",
    [
        "gateway.example",
        "https://gateway.example/?op=send",
        "https://a:b@gateway.example/",
        "ftp://gateway.example/",
        None,
    ],
)
def test_addresses_that_are_wrong(gateway: Gateway, url: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        gateway.make(url)
    assert caught.value.argument == "base_url"


@EACH
async def test_http_is_allowed_if_asked_for(gateway: Gateway) -> None:
    with pytest.raises(InvalidArgumentError, match="allow_http"):
        gateway.make("http://gateway.example/")
    await gateway.make("http://gateway.example/", allow_http=True).aclose()


@EACH
@pytest.mark.parametrize("value", ["", " ", None, b"x", "\udcff"])
def test_credentials_that_are_wrong(gateway: Gateway, value: Any) -> None:
    for name in gateway.credentials:
        with pytest.raises(InvalidArgumentError) as caught:
            gateway.make("https://gateway.example/", **{name: value})
        assert caught.value.argument == name
