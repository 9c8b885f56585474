"""The two stores that ship: a folder, and a real Redis that is stopped, killed and started again."""

# ruff: noqa: ASYNC240 -- nothing else goes on meanwhile

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from payamak.common import InvalidArgumentError
from payamak.smsir import Token
from payamak.smsir.stores import FileTokenStore, RedisTokenStore
from redis.asyncio import Redis
from redis.exceptions import LockNotOwnedError
from support.redis import RedisServer
from support.smsir import TokenGateway, ask, make_client, put_clocks, send, settle
from support.warm import for_token_workers

pytestmark = pytest.mark.real_time

FIRST, SECOND = Token("first", 1_700_000_000.25), Token("second", 1_700_000_001.0)
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs what Windows has not")
HOLD_THE_LOCK = """
import asyncio, sys
from payamak.smsir.stores import FileTokenStore

async def main(folder):
    async with FileTokenStore(folder).lock("a"):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest_asyncio.fixture
async def redis(server: RedisServer) -> AsyncIterator[Redis]:
    async with server.connect() as connected:
        yield connected


@pytest.fixture(params=["files", "redis", "redis that decodes"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileTokenStore | RedisTokenStore:
    if request.param == "files":
        return FileTokenStore(tmp_path / "a" / "b")
    redis: Redis = request.getfixturevalue("redis")
    redis.connection_pool.connection_kwargs["decode_responses"] = request.param == "redis that decodes"
    return RedisTokenStore(redis)


async def test_the_protocol(store: FileTokenStore | RedisTokenStore) -> None:
    assert await store.get("a") is None
    await store.set("a", FIRST)
    kept = await store.get("a")
    assert kept is not None
    assert (kept.value, kept.issued_at) == (FIRST.value, FIRST.issued_at)
    assert await store.get("b") is None
    await store.set("a", SECOND)
    await store.delete("a", FIRST)
    assert await store.get("a") == SECOND, "delete leaves a newer one"
    await store.delete("b", SECOND)
    await store.delete("a", Token(SECOND.value, 5))
    assert await store.get("a") is None, "the value tells which token it is"
    await store.delete("a", SECOND)


async def test_one_at_a_time_holds_the_lock(store: FileTokenStore | RedisTokenStore) -> None:
    inside: list[int] = []
    most = 0

    async def work(number: int) -> None:
        nonlocal most
        with contextlib.suppress(LookupError):
            async with store.lock("a"):
                inside.append(number)
                most = max(most, len(inside))
                await asyncio.sleep(0.01)
                inside.remove(number)
                raise LookupError  # It is released all the same.

    async with asyncio.timeout(20):
        await asyncio.gather(*(work(number) for number in range(5)))
        async with store.lock("a"), store.lock("b"):
            most += 1
    assert most == 2


async def test_who_waits_for_a_lock_can_be_interrupted(store: FileTokenStore | RedisTokenStore) -> None:
    async with store.lock("a"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), store.lock("a"):
                raise AssertionError("two are inside")
    async with asyncio.timeout(5), store.lock("a"):
        pass


@POSIX
async def test_what_the_files_show(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    store = FileTokenStore(str(folder))
    async with store.lock("a-key"):
        await store.set("a-key", FIRST)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "a-key" not in path.name
    assert len(list(folder.glob("*.json"))) == 1


@POSIX
async def test_what_others_could_read_they_cannot_any_more(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path)
    await store.set("a", FIRST)
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    assert await store.get("a") == FIRST
    await store.delete("a", SECOND)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@POSIX
async def test_no_link_is_followed(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path / "ours")
    await store.set("a", FIRST)
    for path in (tmp_path / "ours").iterdir():
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    with pytest.raises(InvalidArgumentError, match="symbolic link"):
        await store.get("a")
    with pytest.raises(InvalidArgumentError, match="symbolic link"):
        await store.set("a", SECOND)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b'{"value": "a"}', b"\xff", b'"text"'], ids=repr)
async def test_a_damaged_file_holds_no_token(tmp_path: Path, content: bytes) -> None:
    store = FileTokenStore(tmp_path)
    await store.set("a", FIRST)
    _damage(tmp_path, content)
    assert await store.get("a") is None
    await store.delete("a", FIRST)
    await store.set("a", SECOND)
    assert await store.get("a") == SECOND


def _damage(folder: Path, content: bytes) -> None:
    (path,) = folder.glob("*.json")
    path.write_bytes(content)


async def test_delete_takes_nothing_that_was_set_meanwhile(tmp_path: Path) -> None:
    one, other = FileTokenStore(tmp_path), FileTokenStore(tmp_path)
    for number in range(15):
        old, new = Token(f"old {number}", 1.0), Token(f"new {number}", 2.0)
        await one.set("a", old)
        await asyncio.gather(*(other.delete("a", old) for _ in range(4)), one.set("a", new))
        assert await one.get("a") == new


async def test_set_and_delete_wait_for_one_another(tmp_path: Path) -> None:
    one, other = FileTokenStore(tmp_path), FileTokenStore(tmp_path)
    async with one._holding("a", "write"):
        tasks = [asyncio.create_task(other.set("a", FIRST)), asyncio.create_task(other.delete("a", FIRST))]
        _, waiting = await asyncio.wait(tasks, timeout=0.2)
        assert waiting == set(tasks)
    await asyncio.gather(*tasks)


@POSIX
async def test_a_killed_process_leaves_the_lock_of_the_files(tmp_path: Path) -> None:
    command = [*for_token_workers(), "-c", HOLD_THE_LOCK, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"held\n"
        store = FileTokenStore(tmp_path)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), store.lock("a"):
                raise AssertionError("two are inside")
        process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(5), store.lock("a"):
        pass


@pytest.mark.parametrize("wrong", ["", None, 5])
def test_what_names_no_folder(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="folder must name a folder"):
        FileTokenStore(wrong)


async def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_source: object, _target: object) -> None:
        raise OSError("no space")

    store = FileTokenStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="no space"):
            await store.set("a", FIRST)
    assert [name.endswith(".write") for name in os.listdir(tmp_path)] == [True]


async def test_a_lock_in_redis_is_prolonged_while_it_is_held(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow gateway may take longer for a token than a lock lives whose process was killed."""
    monkeypatch.setattr("payamak.smsir.stores._LOCK_LIFE", 0.6)
    store = RedisTokenStore(redis)
    async with store.lock("a"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5), RedisTokenStore(redis).lock("a"):
                raise AssertionError("two are inside")
    async with asyncio.timeout(5), store.lock("a"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(InvalidArgumentError, match="folder cannot be made"):
            FileTokenStore(path)


@pytest.mark.parametrize("wrong", [{"redis": "redis://localhost"}, {"lifetime": 0}, {"lifetime": "60"}], ids=repr)
def test_wrong_arguments_for_redis(wrong: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"redis": Redis(), **wrong}
    with pytest.raises(InvalidArgumentError) as caught:
        RedisTokenStore(**arguments)
    assert caught.value.argument in wrong


async def test_redis_forgets_a_token_at_its_end_and_the_lock_of_a_dead_process(redis: Redis) -> None:
    client: Any = redis
    store = RedisTokenStore(redis, lifetime=90)
    await store.set("a", FIRST)
    assert 85 < await client.ttl("a") <= 90
    lock = store.lock("a")
    await lock.__aenter__()
    assert 5_000 < await client.pttl("a:lock") <= 10_000
    await client.set("a:lock", "another process", px=100)  # As if this one had been too slow.
    with pytest.raises(LockNotOwnedError):
        await lock.__aexit__(None, None, None)
    async with asyncio.timeout(5), store.lock("a"):
        pass


@pytest.mark.parametrize(
    "content", [{"value": b"\xff", "issued_at": "1"}, {"value": "a", "issued_at": "soon"}, {"value": "a"}]
)
async def test_what_is_no_token_in_redis(redis: Redis, content: Any) -> None:
    client: Any = redis
    await client.hset("a", mapping=content)
    assert await RedisTokenStore(redis).get("a") is None


async def test_redis_under_fire(server: RedisServer, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """While it hangs or is gone, calls go on; when it is back, the token is shared again."""
    store = RedisTokenStore(redis)
    async with TokenGateway() as gateway, make_client(gateway, token_store=store, timeout=8) as client:
        clocks = put_clocks(client)
        server.stop()
        await asyncio.gather(*(send(client, f"text {number}") for number in range(200)))
        assert (gateway.token_requests, len(gateway.sent)) == (1, 200)
        assert len(caplog.records) == 1
        server.go_on()

        for break_down in (server.stop, server.kill):
            clocks.advance(60)  # It has rested.
            gateway.valid.clear()
            break_down()
            await asyncio.gather(*(send(client) for _ in range(200)))
        assert gateway.token_requests == 3
        assert len(caplog.records) == 3

        server.start()
        clocks.advance(60)
        gateway.valid.clear()
        await ask(client)
        assert gateway.token_requests == 4
        await settle()
        async with make_client(gateway, token_store=store) as other:
            put_clocks(other)
            await ask(other)
        assert gateway.token_requests == 4


async def test_what_redis_holds_is_shared(redis: Redis) -> None:
    async with (
        TokenGateway() as gateway,
        make_client(gateway, token_store=RedisTokenStore(redis)) as one,
        make_client(gateway, token_store=RedisTokenStore(redis)) as other,
    ):
        await ask(one)
        await ask(other)
        assert gateway.token_requests == 1
