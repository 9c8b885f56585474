"""Connections on which it is known whether anything of a request has left, and that end with their request."""

from __future__ import annotations

import contextlib
import functools
import socket
import struct
import sys
import weakref
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, HttpResponseParser
from aiohttp.tracing import Trace

_UNACKNOWLEDGED_SECONDS = 20
"""As long as an attempt takes by default: so late the kernel gives up what a process that hangs cannot give up."""
_MOST_ARRIVING = 16 * 1024 * 1024
"""Twice what an answer may hold: the rest is for headers, and for what tells chunks apart."""
_DROP_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def make_socket(address: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
    """Make a socket whose unsent bytes die with it, also when its process is killed.

    Without it the kernel goes on delivering for minutes what was written to a socket that is closed: a message would
    arrive long after it was said to be lost.
    """
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP_ON_CLOSE)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # Not every kernel that calls itself Linux has it.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_SECONDS * 1000)
    return made


class SpokeFirstError(Exception):
    """The server spoke, or hung up, on a new connection before it was asked anything."""


class EndlessError(Exception):
    """More came in than any answer may take, such as a chunk's size that never ends, which aiohttp only reads past."""


_receive = ResponseHandler.data_received  # Found once, and not by `super` with each answer.


class ExchangeProtocol(ResponseHandler):
    """One exchange after another on a connection, of which nothing is left behind.

    When it is closed, it breaks the connection off, where aiohttp would first deliver the rest of a request. No answer
    is lost by that: a connection is closed when the answer was read whole, or is given up. And it believes an answer
    that is whole, whatever comes behind it.

    Attributes:
        is_used: Whether a request has got it.
        arrived: How many bytes have come in since the last request got it.
    """

    is_used = False
    arrived = 0
    _received = b""

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        self.arrived += len(data)
        if self.arrived > _MOST_ARRIVING:
            self._give_up()
            return
        self._received = data
        _receive(self, data)
        self._received = b""

    def _give_up(self) -> None:
        # The payload is taken away, or the end of the connection would put another error in the place of this.
        payload, self._payload = self._payload, None
        for reader in (self, payload):
            if reader is not None:
                reader.set_exception(EndlessError())
        if self.transport is not None:
            self.transport.abort()

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Fail, unless what cannot be understood came behind a whole answer: aiohttp throws that away with it."""
        answer = self._find_answer() if isinstance(exc, HttpProcessingError) else None
        if answer is not None:
            self.force_close()
            self.feed_data(answer, 0)
        elif exc_cause is None:
            super().set_exception(exc)
        else:
            super().set_exception(exc, exc_cause)

    def _find_answer(self) -> Any:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        # A header that stands there twice says no more than once; aiohttp takes no Content-Length that does.
        head = b"\r\n".join(dict.fromkeys(head.split(b"\r\n")))
        parser = HttpResponseParser(self, self._loop, len(self._received), payload_exception=aiohttp.ClientPayloadError)
        try:
            # In two pieces, for a parser that fails forgets what is new in that piece.
            messages, _, _ = parser.feed_data(head + end)
        except HttpProcessingError:
            return None
        with contextlib.suppress(HttpProcessingError):
            parser.feed_data(rest)
        return next((answer for answer in messages if answer[1].is_eof()), None)

    def close(self) -> None:
        """Close the connection now."""
        if self.transport is not None:
            self.transport.abort()
        super().close()


class BeforeSendingError(Exception):
    """Carries an error that came before a byte of the request was written."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Connector(aiohttp.TCPConnector):
    """Tells what fails before anything of the request has left, and takes no connection with bytes nobody asked for.

    Args:
        keepalive: How long a connection may be idle and is used again, in seconds; 0 for none.
    """

    def __init__(self, keepalive: float) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        # Without a limit: it is kept by the session, where who waits is known to have sent nothing.
        super().__init__(  # pyright: ignore[reportUnknownMemberType] -- aiohttp's types
            limit=0, socket_factory=self._make_socket, keepalive_timeout=keepalive or None, force_close=not keepalive
        )
        self._factory = functools.partial(ExchangeProtocol, loop=self._loop)  # type: ignore[assignment]

    def __del__(self, *_: Any) -> None:
        # aiohttp would log an error. Whoever forgets to close a client is told so by `HttpSession`.
        if not self.closed and self._loop.is_closed():
            self.abandon()

    def abandon(self) -> None:
        """Close the sockets when the event loop can do nothing any more."""
        self._conns.clear()
        self._acquired.clear()
        for made in list(self._sockets):
            made.close()

    def _make_socket(self, address: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        made = make_socket(address)
        self._sockets.add(made)
        return made

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Find or make a connection."""
        while True:
            try:
                connection = await super().connect(req, traces, timeout)
            except TimeoutError:
                raise  # aiohttp itself makes of it what can be told apart.
            except Exception as error:
                raise BeforeSendingError(error) from None
            protocol: Any = connection.protocol  # An `ExchangeProtocol`.
            is_fit, is_new = not protocol.should_close, not protocol.is_used
            protocol.is_used = True
            protocol.arrived = 0
            if is_fit:
                return connection
            # Something came in on it before this request: that would be taken for the answer.
            connection.close()
            if is_new:  # The next would be no better, and as quick.
                raise BeforeSendingError(SpokeFirstError())


class ConnectionBrokeError(Exception):
    """Carries an error past aiohttp, which would take the bare error as an order to send again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def keep_from_resending(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A client middleware: aiohttp sends GET, PUT and DELETE a second time, silently, when the connection drops."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionBrokeError(error) from None
