"""One HTTP exchange on one aiohttp session, with certainty about what may have left."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import functools
import math
import ssl as ssl_module
import sys
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict

import aiohttp
import attrs
import yarl
from aiohttp import hdrs

from . import checks
from .alarm import Alarm
from .connector import Connector, keep_from_resending
from .errors import (
    ClientStateError,
    ConnectionFailedError,
    InvalidArgumentError,
    PayamakError,
    ReplyError,
)
from .hiding import hide_fields, hides_arguments
from .loops import LoopSession, LoopSessions
from .transport_errors import Gate, translate
from .uploads import Upload

MAX_REPLY_BYTES = 8 * 1024 * 1024
KEEPALIVE = 4.0
"""Less than the five seconds after which common servers hang up, and than any firewall takes to forget a connection."""
_NO_LIMIT = sys.maxsize
_LONGEST_KEEPALIVE = 86_400.0
_LONGEST_RETRY_AFTER = 366 * 86_400.0

# Shared by all requests. The names are aiohttp's own strings, which spares it looking at their case each time.
FORM_HEADERS: Mapping[str, str] = {
    hdrs.CONTENT_TYPE: "application/x-www-form-urlencoded",
    hdrs.ACCEPT: "application/json",
}
JSON_HEADERS: Mapping[str, str] = {hdrs.CONTENT_TYPE: "application/json", hdrs.ACCEPT: "application/json"}


def _none_if_infinite(seconds: float | None) -> float | None:
    return None if seconds == math.inf else seconds


@attrs.frozen
class Timeout:
    """How long a call may take, in seconds; ``None`` means without limit.

    Attributes:
        total: The whole call, with all attempts and the waits between them. It cuts a running attempt.
        attempt: One attempt, from asking for a connection to the last byte in. Waiting until one of
            ``max_connections`` is free comes before that.
        connect: The part of an attempt until a connection stands; at most half of what is left of the attempt. Running
            out of it means: never sent.
    """

    total: float | None = attrs.field(default=60.0, converter=_none_if_infinite)
    attempt: float | None = attrs.field(default=20.0, converter=_none_if_infinite)
    connect: float | None = attrs.field(default=5.0, converter=_none_if_infinite)

    def __attrs_post_init__(self) -> None:
        for name in ("total", "attempt", "connect"):
            checks.require_seconds(getattr(self, name), f"timeout.{name}", or_none=True)


# A request, a reply and what is read of it are never compared, and never shown, for they hold keys and texts. Nor are
# they frozen: an instance would take three times as long to make.
@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Request:
    """One HTTP request, ready to go."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    upload: Upload | None = None
    """In place of a body: a file, which is opened anew for each attempt and streamed."""
    references: tuple[str, ...] = ()
    """By what the gateway can be asked for each message that this sends."""
    stamp: Callable[[Request, float | None], Awaitable[None] | None] | None = None
    """Puts in what would grow old while the request waits for a free connection; gets it and the deadline."""
    is_urgent: bool = False
    """Whether it takes none of ``max_connections``, because those who hold them may be waiting for its answer."""


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Reply:
    """One HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """The seconds that the header ``Retry-After`` asks to wait, from a number or a date; a year at the most."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), _LONGEST_RETRY_AFTER)
        until = _parse_http_date(value)
        if until is None:
            return None
        # Measured by the gateway's own clock, which may differ from ours.
        now = _parse_http_date(self.headers.get("Date", "")) or datetime.datetime.now(datetime.UTC)
        return min(max(0.0, (until - now).total_seconds()), _LONGEST_RETRY_AFTER)


def _parse_http_date(value: str) -> datetime.datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


class HttpSession:
    """An aiohttp session that several clients can share.

    It is made on first use, inside the running event loop. Used in several event loops, in threads or one after the
    other, it has connections for each, and closes those of a loop when that ends. A session that you bring yourself is
    borrowed: it is used as it is, in its own event loop, and never closed.

    Args:
        client_session: An `aiohttp.ClientSession` to borrow; by default a session of its own is made.
        max_connections: How many connections may be open at once in an event loop; further requests wait for a free
            one. The request for a token has one beside these. Not for a borrowed session, whose connector has its own
            limit.
        keepalive: How long a connection may be idle and is used again, in seconds; 0 for a new one each time. Firewalls
            forget idle connections and tell nobody: what is sent on one of those is *unknown*. Not for a borrowed
            session, whose connector has its own.
        proxy: The URL of an HTTP proxy.
        ssl: An `ssl.SSLContext`, for a certificate authority of your own. One that does not verify
            certificates, or not whose they are, is refused.
        trust_env: Whether to take the proxy from the environment. It makes each call slower.

    Raises:
        InvalidArgumentError: An argument is wrong, or does not go with a borrowed session.
    """

    @hides_arguments
    def __init__(
        self,
        client_session: aiohttp.ClientSession | None = None,
        *,
        max_connections: int = 100,
        keepalive: float = KEEPALIVE,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | None = None,
        trust_env: bool = False,
    ) -> None:
        self._borrowed = client_session
        self._own = LoopSessions()
        self._closed = False
        if client_session is not None:
            checks.require_instance(client_session, aiohttp.ClientSession, "session")
        checks.require_between(max_connections, "max_connections", 1, 100_000)
        if proxy is not None:
            checks.require_url(proxy, "proxy")
        if ssl is not None:
            checks.require_instance(ssl, ssl_module.SSLContext, "ssl")
            if ssl.verify_mode is not ssl_module.CERT_REQUIRED:
                raise InvalidArgumentError("ssl must verify certificates: CERT_REQUIRED", argument="ssl")
            if not ssl.check_hostname:
                raise InvalidArgumentError(
                    "ssl must verify whose certificate it is: set its check_hostname to True", argument="ssl"
                )
        checks.require_instance(trust_env, bool, "trust_env")
        if client_session is not None and trust_env:
            raise InvalidArgumentError(
                "trust_env is a setting of the session that you brought: set it there", argument="trust_env"
            )
        checks.require_seconds(keepalive, "keepalive", or_zero=True)
        self._max_connections = max_connections
        self._keepalive = min(keepalive, _LONGEST_KEEPALIVE)
        self._unlimited = asyncio.Semaphore(_NO_LIMIT)
        self._options: _RequestOptions = {"allow_redirects": False, "raise_for_status": False, "auto_decompress": True}
        if ssl is not None:
            self._options["ssl"] = ssl
        if proxy is not None:
            self._options["proxy"] = proxy
        self._trust_env = trust_env

    def __getstate__(self) -> Any:
        raise TypeError("an HttpSession cannot be pickled or copied: make one in each process")

    def __repr__(self) -> str:
        owned = "borrowed" if self.is_borrowed else "own"
        return f"<HttpSession {owned}{', closed' if self._closed else ''}>"

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed

    @property
    def is_borrowed(self) -> bool:
        """Whether its connections are those of an aiohttp session that you brought.

        They may deliver for minutes what was given up, where those of its own drop it.
        """
        return self._borrowed is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, if they are its own, each in its own event loop. Closing twice does no harm."""
        self._closed = True
        await self._own.aclose()

    def __del__(self) -> None:
        own: LoopSessions | None = getattr(self, "_own", None)
        if own is not None and own.were_used and not self._closed:
            warnings.warn(
                "a payamak client was never closed: use `async with`, or `await client.aclose()`",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            own.let_go()

    async def send(
        self, request: Request, *, deadline: float | None, timeout: Timeout, may_repeat: bool = False
    ) -> Reply:
        """Send a request once and read the whole answer.

        Args:
            request: What to send.
            deadline: The event loop's time by which the answer must be here, with all waiting.
            timeout: The limits of this attempt, once a connection is free.
            may_repeat: Whether a middleware of a borrowed session may send it more than once.

        Raises:
            ConnectionFailedError: Nothing left this process.
            ConnectionLostError: The connection broke; the gateway may have the request.
            RequestTimeoutError: The deadline passed; the gateway may have the request.
            ReplyError: The answer is too long, is not HTTP or not compressed as it says.
            ClientStateError: It is closed, or a borrowed session belongs to another event loop.
        """
        session, slots = self._get_session()
        if request.is_urgent:
            return await self._exchange(session, request, request.body, deadline, timeout, may_repeat=may_repeat)
        has_waited = slots.locked()
        if has_waited:
            await self._wait_for_slot(slots, deadline)
        else:
            await slots.acquire()  # At once, so that no time has to be kept.
        try:
            stamping = None if request.stamp is None else request.stamp(request, deadline)
            if stamping is not None:
                has_waited = True
                await stamping
            if has_waited and session.closed:
                raise ClientStateError("the session was closed while the call waited for a free connection")
            if request.upload is None:
                return await self._exchange(session, request, request.body, deadline, timeout, may_repeat=may_repeat)
            async with request.upload.open() as form:
                return await self._exchange(session, request, form, deadline, timeout, may_repeat=may_repeat)
        finally:
            slots.release()

    def _get_session(self) -> tuple[aiohttp.ClientSession, asyncio.Semaphore]:
        """Return the session of the running event loop, and its free connections."""
        loop = asyncio.get_running_loop()
        try:
            own = self._own.by_loop[loop]
        except KeyError:
            if self._closed:
                raise ClientStateError("the session is closed: make a new client") from None
            if self._borrowed is not None:
                _require_usable(self._borrowed, loop)
                return self._borrowed, self._unlimited
            own = self._open()
        return own.session, own.slots

    def _open(self) -> LoopSession:
        connector = Connector(self._keepalive)
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=self._trust_env
        )
        opened = LoopSession(session, connector, asyncio.Semaphore(self._max_connections))
        self._own.add(opened)
        return opened

    async def _wait_for_slot(self, slots: asyncio.Semaphore, deadline: float | None) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await slots.acquire()
        except TimeoutError:
            raise ConnectionFailedError(
                f"all {self._max_connections} connections were busy until the time ran out: send fewer at once"
            ) from None

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        data: bytes | aiohttp.FormData | None,
        deadline: float | None,
        timeout: Timeout,
        *,
        may_repeat: bool,
    ) -> Reply:
        options: _RequestOptions = self._options
        gate: Gate | None = None
        if session is self._borrowed or request.method != "POST":
            middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = getattr(session, "_middlewares", ())
            gate = Gate() if middlewares and not may_repeat else None
            options = {**options, "middlewares": _surround(middlewares, request.method, gate)}
        status: int | None = None
        ends, limits = _limit_attempt(deadline, timeout)
        alarm = None if ends is None else Alarm(ends)
        try:
            response = await session.request(
                request.method,
                yarl.URL(request.url, encoded=True),
                headers=request.headers,
                data=data,
                timeout=limits,
                **options,
            )
            status = response.status
            return Reply(status, response.headers, await _read(response))
        except PayamakError:
            raise
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if alarm is not None and alarm.has_interrupted():
                failure, cause = (translate if gate is None else gate.judge)(TimeoutError())
            elif session.closed and not (this and this.cancelling()):
                # So aiohttp ends those who wait for a connection when somebody closes the session.
                raise ClientStateError("the session was closed while the call waited for a connection") from None
            else:
                raise
        except Exception as error:
            failure, cause = (translate if gate is None else gate.judge)(error, status)
        finally:
            if alarm is not None:
                alarm.stop()
            if gate is not None:
                gate.is_open = False
        # Raised out here, so that the original does not hang on it as its context.
        try:
            raise failure from cause
        finally:
            del failure, cause  # They hold this frame, which holds them.


def _require_usable(borrowed: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    if borrowed.closed:
        raise ClientStateError("the aiohttp session that this client borrowed is closed")
    # The public property `loop` warns that it is deprecated.
    if getattr(borrowed, "_loop", loop) is not loop:
        raise ClientStateError(
            "the aiohttp session that this client borrowed belongs to another event loop: "
            "bring none, and the client has one for each"
        )


def _surround(
    middlewares: Sequence[aiohttp.ClientMiddlewareType], method: str, gate: Gate | None
) -> Sequence[aiohttp.ClientMiddlewareType]:
    """Put ours around the session's own: outermost what stops aiohttp, innermost what stops the session's."""
    outermost = () if method == "POST" else (keep_from_resending,)
    innermost = () if gate is None else (gate,)
    return (*outermost, *middlewares, *innermost)


def _limit_attempt(deadline: float | None, timeout: Timeout) -> tuple[float | None, aiohttp.ClientTimeout]:
    """Return the time at which an attempt that starts now must end, and how many seconds it may take to connect."""
    now = asyncio.get_running_loop().time()
    total = timeout.attempt
    if deadline is not None:
        left = deadline - now
        if left <= 0:
            raise ConnectionFailedError("the time ran out before a connection was asked for")
        total = left if total is None else min(total, left)
    return None if total is None else now + total, _make_timeout(total, timeout.connect)


@functools.lru_cache(maxsize=16)
def _make_timeout(total: float | None, connect: float | None) -> aiohttp.ClientTimeout:
    if total is not None:
        # Time that runs out while connecting is then always seen as such, and known as never sent.
        connect = total / 2 if connect is None else min(connect, total / 2)
    # aiohttp rounds a time of more than the threshold up to whole seconds. Its own limit of the total would throw an
    # answer away that came in time, while the event loop was busy.
    return aiohttp.ClientTimeout(total=None, connect=connect, ceil_threshold=math.inf)


class _RequestOptions(TypedDict, total=False):
    allow_redirects: bool
    auto_decompress: bool
    raise_for_status: bool
    ssl: ssl_module.SSLContext
    proxy: str
    middlewares: Sequence[aiohttp.ClientMiddlewareType]


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    # No `async with`: once the whole answer is here, aiohttp has given the connection back by itself.
    try:
        while True:
            chunk = await response.content.readany()
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise ReplyError(
                    f"the answer is longer than {MAX_REPLY_BYTES // 1024 // 1024} MiB", http_status=response.status
                )
            chunks.append(chunk)
            if response.content.at_eof():
                return b"".join(chunks)
    finally:
        if response.connection is not None:  # It failed, or is to speak another protocol from now on.
            response.close()
