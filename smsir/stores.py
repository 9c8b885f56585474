"""Where processes share their token: a folder, or Redis. Both have a lock, so that one process at a time fetches it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common import checks
from ..common.errors import InvalidArgumentError
from ..common.private_files import open_private
from ..common.token_stores import Token

if TYPE_CHECKING:
    from redis.asyncio import Redis

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


__all__ = ["FileTokenStore", "RedisTokenStore"]

_POLL = 0.05
"""How often a lock that another process has is asked for, in seconds."""
_LOCK_LIFE = 10.0
"""When a lock in Redis ends whose process was killed; a token should be here by then."""
_DELETE = 'if redis.call("HGET", KEYS[1], "value") == ARGV[1] then redis.call("DEL", KEYS[1]) end'


class FileTokenStore:
    """Keeps tokens in a folder, for the processes of one machine.

    Its files can be read by this user alone, and no symbolic link in their place is followed. The lock is one of the
    operating system, which ends with its process.

    Args:
        folder: Where; it is made if it is not there.

    Raises:
        InvalidArgumentError: It is none, or cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if not isinstance(folder, (str, os.PathLike)) or not os.fspath(folder):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError("folder must name a folder", argument="folder")
        self._folder = Path(folder)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(f"folder cannot be made: {error.strerror}", argument="folder") from None

    async def get(self, key: str) -> Token | None:
        """Return the token, or None, also if the file is damaged."""
        return await asyncio.to_thread(self._read, key)

    async def set(self, key: str, token: Token) -> None:
        """Keep a token in place of any other."""
        async with self._holding(key, "write"):
            await asyncio.to_thread(self._write, key, token)

    async def delete(self, key: str, token: Token) -> None:
        """Forget this token; leave another one that has taken its place."""
        async with self._holding(key, "write"):
            await asyncio.to_thread(self._forget, key, token)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Keep other processes out."""
        return self._holding(key, "lock")

    def _find(self, key: str, ending: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.{ending}"

    @asynccontextmanager
    async def _holding(self, key: str, ending: str) -> AsyncGenerator[None, None]:
        # The file stays: if it were removed, two processes could hold two files of one name.
        descriptor = open_private(self._find(key, ending), os.O_RDWR | os.O_CREAT)
        try:
            # Asked for again and again, for nothing could interrupt a thread that waits for it.
            while not _has_locked(descriptor):  # noqa: ASYNC110 -- it happens in another process
                await asyncio.sleep(random.uniform(0, _POLL))  # noqa: S311 -- no secret
            try:
                yield
            finally:
                _unlock(descriptor)
        finally:
            os.close(descriptor)

    def _read(self, key: str) -> Token | None:
        try:
            with open(self._find(key, "json"), "rb", opener=open_private) as file:
                content = json.load(file)
            return Token(content["value"], content["issued_at"])
        except InvalidArgumentError:  # A link. What it leads to is not ours.
            raise
        except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def _write(self, key: str, token: Token) -> None:
        # Whoever reads finds the old file or the new one, never half of one. mkstemp lets only this user read it.
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps({"value": token.value, "issued_at": token.issued_at}))
            os.replace(name, self._find(key, "json"))
        except BaseException:
            os.remove(name)
            raise

    def _forget(self, key: str, token: Token) -> None:
        if self._read(key) == token:
            self._find(key, "json").unlink(missing_ok=True)


def _has_locked(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError:
        return False
    return True


async def _prolong(lock: Any) -> None:
    with suppress(Exception):  # It is lost then, which leaving it tells.
        while True:
            await asyncio.sleep(_LOCK_LIFE / 3)
            await lock.extend(_LOCK_LIFE, replace_ttl=True)


class RedisTokenStore:
    """Keeps tokens in Redis, for processes on any machine. Needs ``pip install ".[redis]"`` in a clone of payamak.

    The lock is that of the client library: ``SET NX PX`` with a value of its own, and a script that removes it only
    if it still has that value. It is prolonged while it is held, and ends by itself ten seconds after its process was
    killed.

    Args:
        redis: A `redis.asyncio.Redis` of yours. It is never closed.
        lifetime: After how many seconds Redis forgets a token.
    """

    def __init__(self, redis: Redis, *, lifetime: float = 30 * 60) -> None:
        if not callable(getattr(redis, "hmget", None)):
            raise InvalidArgumentError("redis must be a redis.asyncio.Redis", argument="redis")
        self._redis: Any = redis  # Its types leave open whether it is asynchronous.
        checks.require_seconds(lifetime, "lifetime")
        self._lifetime = lifetime

    async def get(self, key: str) -> Token | None:
        """Return the token, or None."""
        value, issued_at = await self._redis.hmget(key, "value", "issued_at")
        try:
            return Token(value if isinstance(value, str) else value.decode(), float(issued_at))
        except (AttributeError, TypeError, ValueError):  # It is not there, or not ours.
            return None

    async def set(self, key: str, token: Token) -> None:
        """Keep a token in place of any other."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping={"value": token.value, "issued_at": repr(token.issued_at)})
            pipeline.pexpire(key, int(self._lifetime * 1000))
            await pipeline.execute()

    async def delete(self, key: str, token: Token) -> None:
        """Forget this token; leave another one that has taken its place."""
        await self._redis.eval(_DELETE, 1, key, token.value)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[None]:
        """Keep other processes out."""
        lock = self._redis.lock(f"{key}:lock", timeout=_LOCK_LIFE, sleep=_POLL)
        async with lock:
            prolonging = asyncio.create_task(_prolong(lock))
            try:
                yield
            finally:
                prolonging.cancel()
                await asyncio.wait({prolonging})
