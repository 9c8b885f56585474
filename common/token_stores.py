"""Where tokens are kept, and how a store is used that may hang, fail or hold anything."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol, cast

import attrs

from . import checks

_log = logging.getLogger("payamak.tokens")

_REST = 30.0
"""For so many seconds a store is left alone that has failed."""
_LOCK_TIMEOUT = 15.0
"""So long another process may take to fetch the token that all wait for."""


@attrs.frozen
class Token:
    """A token, and the time at which it was issued as Unix time, which processes share.

    Attributes:
        value: The token itself.
        issued_at: Seconds since 1970.
    """

    value: str = attrs.field(repr=False)
    issued_at: float = attrs.field(eq=False)  # A store may round it.


class TokenStore(Protocol):
    """Where tokens are kept. Implement it on something that processes share, and they share one token.

    The key names the account without telling its credentials. A store may forget a token at any time.

    A store may have one more method, ``lock(key)``, which returns an asynchronous context manager: whoever is inside
    keeps all others out, and it ends by itself when its process dies. Then one process at a time fetches a token, and
    the others find it in the store.
    """

    async def get(self, key: str) -> Token | None:
        """Return the token, or None."""
        ...

    async def set(self, key: str, token: Token) -> None:
        """Keep a token in place of any other."""
        ...

    async def delete(self, key: str, token: Token) -> None:
        """Forget this token; leave another one that has taken its place."""
        ...


class MemoryTokenStore:
    """Keeps tokens in this process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    async def get(self, key: str) -> Token | None:
        """Return the token, or None."""
        return self._tokens.get(key)

    async def set(self, key: str, token: Token) -> None:
        """Keep a token in place of any other."""
        self._tokens[key] = token

    async def delete(self, key: str, token: Token) -> None:
        """Forget this token; leave another one that has taken its place."""
        if self._tokens.get(key) == token:
            del self._tokens[key]


class GuardedStore:
    """One account's place in a store, which costs little time and raises nothing, whatever the store does.

    A store that fails, or does not answer in time, is logged once and then left alone for a while.

    Args:
        store: The store.
        key: The name of the account in it.
        timeout: How many seconds each operation may take.
        monotonic: A clock that does not jump.
    """

    def __init__(
        self, store: TokenStore, key: str, *, timeout: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._key = key
        self._timeout = timeout
        self._monotonic = monotonic
        self._rests_until = -math.inf
        lock: Callable[[str], AbstractAsyncContextManager[object]] | None = getattr(store, "lock", None)
        self._lock = lock

    @property
    def has_lock(self) -> bool:
        """Whether processes can keep each other from fetching at the same time."""
        return self._lock is not None

    @property
    def rests(self) -> bool:
        """Whether it has failed lately."""
        return self._monotonic() < self._rests_until

    async def read(self) -> Token | None:
        """Return what the store holds, if that is a token."""
        if self.rests:
            return None
        stored: Token | None = None
        async with self._guarding(self._timeout):
            stored = await self._store.get(self._key)
        if stored is None or _is_token(stored):
            return stored
        _log.warning("the token store holds something that is no token; going on without it")
        return None

    async def write(self, token: Token) -> None:
        """Put a token in place of any other."""
        if not self.rests:
            async with self._guarding(self._timeout):
                await self._store.set(self._key, token)

    async def forget(self, token: Token) -> None:
        """Remove this token, if it is still there."""
        if not self.rests:
            async with self._guarding(self._timeout):
                await self._store.delete(self._key, token)

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[bool, None]:
        """Keep other processes out, if the store has a lock and gives it; say whether."""
        if self._lock is None or self.rests:
            yield False
            return
        stack = AsyncExitStack()
        is_held = False
        async with self._guarding(None):
            try:
                async with asyncio.timeout(_LOCK_TIMEOUT):
                    await stack.enter_async_context(self._lock(self._key))
                    is_held = True
            except TimeoutError:
                # That another process is slow is no failure of the store, which is asked as before.
                _log.warning("the token store gave no lock in %.0f s; going on without it", _LOCK_TIMEOUT)
        try:
            yield is_held
        finally:
            async with self._guarding(self._timeout):
                await stack.aclose()

    @asynccontextmanager
    async def _guarding(self, seconds: float | None) -> AsyncGenerator[None, None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except Exception as error:  # whatever a user's store raises
            if not self.rests:
                _log.warning("the token store failed with %s; going on without it", type(error).__name__)
            self._rests_until = self._monotonic() + _REST


def _is_token(stored: object) -> bool:
    """Whether it can be used: a store may hold anything, also what would break the header of a request."""
    try:
        checks.require_instance(stored, Token, "stored")
        token = cast("Token", stored)
        checks.require_secret(token.value, "value")
        checks.require_seconds(token.issued_at, "issued_at", or_zero=True)
    except Exception:  # One of a subclass may do as it likes.
        return False
    return token.issued_at < math.inf
