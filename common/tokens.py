"""The short-lived credential of a gateway: fetched once however many ask, renewed before it ends, shared if wanted."""

from __future__ import annotations

import asyncio
import collections
import copy
import functools
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from . import checks
from .errors import AuthenticationError, ClientStateError, InvalidArgumentError, PayamakError
from .loop_lock import LoopLock
from .token_stores import GuardedStore, MemoryTokenStore, Token, TokenStore

__all__ = ["MemoryTokenStore", "Token", "TokenManager", "TokenStore"]

_log = logging.getLogger("payamak.tokens")

_ANY_AGE = -math.inf
_ON_ARRIVAL = 60.0
"""If a token from the store is rejected within so many seconds, it was dead when it came."""
_MOST_REJECTED = 10
"""So many rejected tokens are known again, if the store still holds them."""


class TokenManager:
    """Hands out a valid token.

    - One refresh at a time: whoever asks meanwhile waits for it, in other event loops of the process too. A waiting
      caller that is cancelled does not stop it.
    - In the last ``refresh_margin`` seconds callers still get the old token at once, while one refresh runs behind.
      Processes that share a token, and have no lock, begin it at a random moment of the first half of that time.
    - In the last ``expiry_margin`` seconds the token counts as expired, because a request takes its time.
    - A refresh that fails raises to all who waited for it, and the next call tries again. While the old token is still
      valid, the failure is logged, and the next try waits ``pause`` seconds. For as long a refusal of the keys is told
      to further callers without asking again.
    - A store that fails is logged and done without. Callers wait for what is read from it, not for what is written.

    Args:
        fetch: Asks the gateway for a token. It must end by itself.
        key: The name of the account in the store.
        store: Where to keep the token; in memory by default.
        lifetime: How long a token is valid, in seconds.
        refresh_margin: See above.
        expiry_margin: See above.
        store_timeout: How long an operation of the store may take, in seconds.
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
        store_timeout: float = 1,
        pause: float = 5,
        monotonic: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        for name, seconds in (
            ("token_lifetime", lifetime),
            ("token_refresh_margin", refresh_margin),
            ("token_store_timeout", store_timeout),
        ):
            checks.require_seconds(seconds, name)
        checks.require_seconds(expiry_margin, "token_expiry_margin", or_zero=True)
        if not expiry_margin <= refresh_margin < lifetime:
            raise InvalidArgumentError(
                "token_refresh_margin must be at least token_expiry_margin, and shorter than token_lifetime",
                argument="token_refresh_margin",
            )
        self._fetch = fetch
        self._store = GuardedStore(store or MemoryTokenStore(), key, timeout=store_timeout, monotonic=monotonic)
        self._lifetime = lifetime
        self._refresh_margin = refresh_margin
        self._expiry_margin = expiry_margin
        needs_spread = store is not None and not self._store.has_lock
        self._spread = (refresh_margin - expiry_margin) / 2 if needs_spread else 0.0
        self._pause = pause
        self._monotonic = monotonic
        self._wall_clock = wall_clock
        self._token: Token | None = None
        self._expires = -math.inf
        self._margin = refresh_margin
        self._stored: Token | None = None
        self._stored_at = -math.inf
        self._newer_than = _ANY_AGE
        self._rejected: collections.deque[Token] = collections.deque(maxlen=_MOST_REJECTED)
        self._refusal: AuthenticationError | None = None
        self._next_try = 0.0
        self._failure: PayamakError | None = None
        self._failed_at = -math.inf
        self._one_loop = LoopLock()
        self._coming: dict[asyncio.AbstractEventLoop, asyncio.Future[Token]] = {}
        self._refreshing: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}
        self._behind: set[asyncio.Task[None]] = set()
        self._closed = False

    async def get(self) -> Token:
        """Return a valid token, without waiting if there is one.

        Raises:
            PayamakError: There is none, and none could be had.
        """
        token = self.get_at_once()
        if token is not None:
            return token
        if self._refusal is not None and self._monotonic() < self._next_try:
            raise copy.copy(self._refusal)
        return await self._wait_for(self._start_refresh(self._newer_than))

    def get_at_once(self) -> Token | None:
        """Return a valid token if there is one, and start its renewal if it is time."""
        left = self._expires - self._monotonic()
        if left <= self._expiry_margin:
            return None
        if left <= self._margin and self._monotonic() >= self._next_try:
            self._start_refresh(self._newer_than)
        return self._token

    async def renew(self, *, fresh: bool = True) -> Token:
        """Get another token, whatever there is. Whoever asks meanwhile waits for the same one.

        Args:
            fresh: Whether it must come from the gateway. Otherwise one will do that another process has left in the
                store.
        """
        return await self._wait_for(self._start_refresh(self._wall_clock() if fresh else _ANY_AGE))

    def reject(self, value: str) -> bool:
        """Say that the gateway has rejected a token. It is dropped, unless another has taken its place already.

        Returns:
            Whether it came from the store, so that this says nothing about one from the gateway.
        """
        is_stored = self._stored is not None and self._stored.value == value
        token = self._token
        if token is not None and token.value == value:
            self._token, self._expires = None, -math.inf
            # Until the store has forgotten it, a refresh may find it there.
            self._rejected.append(token)
            if not self._closed:
                self._run_behind(self._store.forget(token), "payamak token store")
            if is_stored and self._monotonic() - self._stored_at < _ON_ARRIVAL:
                # Others there may be as dead: only a later one will do, from whoever has just had the lock.
                self._newer_than = token.issued_at
        return is_stored

    async def aclose(self) -> None:
        """Cancel a running refresh, and wait until it and what is being written to the store have ended."""
        self._closed = True
        loop = asyncio.get_running_loop()
        tasks = [task for task in list(self._behind) if task.get_loop() is loop]
        coming = self._coming.get(loop)
        if coming is not None and not coming.done():
            self._refreshing[loop].cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start_refresh(self, newer_than: float) -> asyncio.Future[Token]:
        if self._closed:
            raise ClientStateError("the client is closed: make a new one")
        loop = asyncio.get_running_loop()
        coming = self._coming.get(loop)
        if coming is None or coming.done():
            self._coming[loop] = coming = loop.create_future()
            task = self._run_behind(self._refresh(coming, self._token, newer_than), "payamak token refresh")
            self._refreshing[loop] = task
            task.add_done_callback(functools.partial(self._conclude, coming))
        return coming

    def _run_behind(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        return task

    async def _wait_for(self, coming: asyncio.Future[Token]) -> Token:
        await asyncio.wait([coming])  # Unlike awaiting it, this neither cancels it nor asks for its exception.
        if coming.cancelled():
            raise ClientStateError("the client was closed while it fetched a token")
        try:
            return coming.result()
        except PayamakError as error:
            # Each caller gets one of its own, for it is going to carry that caller's operation.
            raise copy.copy(error) from error.__cause__

    async def _refresh(self, coming: asyncio.Future[Token], known: Token | None, newer_than: float) -> None:
        began = self._monotonic()

        def has_come() -> bool:
            return self._take_from_another_loop(coming, known, newer_than, began)

        async with self._one_loop.held(coming, unless=has_come) as is_held:
            if not is_held:
                return
            try:
                await self._get_another(coming, newer_than)
            except PayamakError as error:
                self._failure, self._failed_at = error, self._monotonic()
                raise

    def _take_from_another_loop(
        self, coming: asyncio.Future[Token], known: Token | None, newer_than: float, began: float
    ) -> bool:
        """Whether another event loop, in another thread, has brought a token since then, or could not."""
        token = self._token
        is_valid = self._expires - self._monotonic() > self._expiry_margin
        if token is not None and token is not known and is_valid and token.issued_at > newer_than:
            coming.set_result(token)
            return True
        if self._failure is not None and self._failed_at > began:
            raise copy.copy(self._failure) from self._failure.__cause__
        return False

    async def _get_another(self, coming: asyncio.Future[Token], newer_than: float) -> None:
        if newer_than == _ANY_AGE and await self._take_stored(coming, newer_than):
            return
        async with self._store.locked() as is_locked:
            # Whoever had the lock before has left a token there.
            if is_locked and await self._take_stored(coming, newer_than):
                return
            asked, issued_at = self._monotonic(), self._wall_clock()
            token = Token(await self._fetch(), issued_at)
            self._newer_than = _ANY_AGE
            self._keep(token, self._lifetime - (self._monotonic() - asked))
            coming.set_result(token)
            await self._store.write(token)

    async def _take_stored(self, coming: asyncio.Future[Token], newer_than: float) -> bool:
        stored = await self._store.read()
        # Of its own tokens a manager knows the age by a better clock than the store does.
        if stored is None or stored == self._token or stored in self._rejected or stored.issued_at <= newer_than:
            return False
        # The wall clock may have jumped. A token that counts as valid and is not gets rejected, which is survivable.
        left = self._lifetime - max(0.0, self._wall_clock() - stored.issued_at)
        if left <= self._refresh_margin:
            return False
        self._stored, self._stored_at = stored, self._monotonic()
        self._keep(stored, left)
        coming.set_result(stored)
        return True

    def _keep(self, token: Token, left: float) -> None:
        self._token = token
        self._expires = self._monotonic() + left
        self._margin = self._refresh_margin - random.random() * self._spread  # noqa: S311 -- no secret
        self._refusal = None

    def _conclude(self, coming: asyncio.Future[Token], task: asyncio.Task[None]) -> None:
        """Tell those who wait how the refresh has failed, if it has."""
        loop = task.get_loop()
        if self._refreshing.get(loop) is task:
            del self._refreshing[loop], self._coming[loop]
        if task.cancelled():
            self._next_try = self._monotonic() + self._pause  # Its loop has ended, and the next may be as short.
            coming.cancel()
        elif error := task.exception():
            self._next_try = self._monotonic() + self._pause
            self._refusal = error if isinstance(error, AuthenticationError) else None
            coming.set_exception(error)
            coming.exception()  # Heard, though nobody may be waiting.
            if (left := self._expires - self._monotonic()) > self._expiry_margin:
                _log.warning(
                    "the token could not be renewed (%s); it is valid for another %.0f s", type(error).__name__, left
                )
