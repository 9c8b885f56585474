"""The short-lived credential of a gateway: fetched once however many ask, renewed before it ends, shared if wanted."""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

from . import checks
from .errors import ClientStateError, InvalidArgumentError, PayamakError

_log = logging.getLogger("payamak.tokens")


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
    """Where tokens are kept. Implement it on something that processes share (Redis, a file), and they share one token.

    The key names the account without telling its credentials. A store may forget a token at any time.
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


class TokenManager:
    """Hands out a valid token.

    - One refresh at a time: whoever asks meanwhile waits for it. A waiting caller that is cancelled does not stop it.
    - In the last ``refresh_margin`` seconds callers still get the old token at once, while one refresh runs behind.
    - In the last ``expiry_margin`` seconds the token counts as expired, because a request takes its time.
    - A refresh that fails raises to all who waited for it, and the next call tries again. While the old token is still
      valid, the next try waits ``pause`` seconds.
    - A store that fails is logged and done without.

    Args:
        fetch: Asks the gateway for a token.
        key: The name of the account in the store.
        store: Where to keep the token; in memory by default.
        lifetime: How long a token is valid, in seconds.
        refresh_margin: See above.
        expiry_margin: See above.
        pause: See above.
        monotonic: The clock that ages tokens; it must not jump.
        wall_clock: The clock that dates tokens in the store.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        *,
        key: str,
        store: TokenStore | None = None,
        lifetime: float = 30 * 60,
        refresh_margin: float = 3 * 60,
        expiry_margin: float = 10,
        pause: float = 5,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        for name, seconds in (("token_lifetime", lifetime), ("token_refresh_margin", refresh_margin)):
            checks.require_seconds(seconds, name)
        checks.require_seconds(expiry_margin, "token_expiry_margin", or_zero=True)
        if not expiry_margin <= refresh_margin < lifetime:
            raise InvalidArgumentError(
                "token_refresh_margin must be at least token_expiry_margin, and shorter than token_lifetime",
                argument="token_refresh_margin",
            )
        self._fetch = fetch
        self._key = key
        self._store = MemoryTokenStore() if store is None else store
        self._lifetime = lifetime
        self._refresh_margin = refresh_margin
        self._expiry_margin = expiry_margin
        self._pause = pause
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._token: Token | None = None
        self._rejected: Token | None = None
        self._expires = 0.0
        self._next_background = 0.0
        self._refreshing: asyncio.Task[Token] | None = None
        self._closed = False

    async def get(self) -> Token:
        """Return a valid token, without waiting if there is one.

        Raises:
            PayamakError: There is none, and none could be had.
        """
        token = self.get_at_once()
        return await self._wait_for(self._start_refresh()) if token is None else token

    def get_at_once(self) -> Token | None:
        """Return a valid token if there is one, and start its renewal if it is time."""
        left = self._expires - self._monotonic()
        if self._token is None or left <= self._expiry_margin:
            return None
        if left <= self._refresh_margin and self._monotonic() >= self._next_background:
            self._start_refresh()
        return self._token

    async def renew(self) -> Token:
        """Fetch a token from the gateway, whatever there is. Whoever asks meanwhile waits for the same one."""
        return await self._wait_for(self._start_refresh(from_store=False))

    async def reject(self, token: Token) -> None:
        """Say that the gateway has rejected this token. It is dropped, unless another has taken its place already."""
        if self._token == token:
            self._token = None
            # Until the store has forgotten it, a refresh may find it there.
            self._rejected = token
        try:
            await self._store.delete(self._key, token)
        except Exception as error:  # whatever a user's store raises
            self._log_store_failure(error)

    async def aclose(self) -> None:
        """Cancel a running refresh and wait until it has ended."""
        self._closed = True
        task, self._refreshing = self._refreshing, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait([task])

    def _start_refresh(self, *, from_store: bool = True) -> asyncio.Task[Token]:
        if self._closed:
            raise ClientStateError("the client is closed: make a new one")
        task = self._refreshing
        # A task of an event loop that has ended will never be done.
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            self._next_background = self._monotonic() + self._pause
            task = asyncio.create_task(self._refresh(from_store=from_store), name="payamak token refresh")
            # Nobody may be waiting when it fails: then the failure is told to the next caller that needs a token.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._refreshing = task
        return task

    async def _wait_for(self, task: asyncio.Task[Token]) -> Token:
        await asyncio.wait([task])  # Unlike awaiting it, this neither cancels the task nor asks for its exception.
        if self._closed and task.cancelled():
            raise ClientStateError("the client was closed while it fetched a token")
        try:
            return task.result()
        except PayamakError as error:
            # Each caller gets one of its own, for it is going to carry that caller's operation.
            raise copy.copy(error) from error.__cause__

    async def _refresh(self, *, from_store: bool) -> Token:
        stored = await self._read_store() if from_store else None
        # Of its own tokens a manager knows the age by a better clock than the store does.
        known = (self._token, self._rejected)
        if stored is not None and stored not in known and self._left(stored) > self._refresh_margin:
            self._keep(stored, self._left(stored))
            return stored
        asked, issued_at = self._monotonic(), self._wall_clock()
        token = Token(await self._fetch(), issued_at)
        self._keep(token, self._lifetime - (self._monotonic() - asked))
        try:
            await self._store.set(self._key, token)
        except Exception as error:  # whatever a user's store raises
            self._log_store_failure(error)
        return token

    async def _read_store(self) -> Token | None:
        try:
            stored = await self._store.get(self._key)
            if stored is not None:
                checks.require_instance(stored, Token, "the stored token")
        except Exception as error:  # whatever a user's store raises
            self._log_store_failure(error)
            return None
        return stored

    def _log_store_failure(self, error: Exception) -> None:
        _log.warning("the token store failed with %s; going on without it", type(error).__name__)

    def _left(self, stored: Token) -> float:
        # The wall clock may have jumped. A token that counts as valid and is not gets rejected, which is survivable.
        return self._lifetime - max(0.0, self._wall_clock() - stored.issued_at)

    def _keep(self, token: Token, left: float) -> None:
        self._token = token
        self._expires = self._monotonic() + left
