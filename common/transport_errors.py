"""What an error of aiohttp means for the request: whether anything of it can have left, and must not leave again.

Measured against servers that misbehave in each way: `ServerDisconnectedError` and `ClientOSError` look the same before
and after a server has read the request, so that both mean unknown. What fails before a connection stands is caught
where it happens, in the connector.
"""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp

from .connector import BeforeSendingError, ConnectionBrokeError, SpokeFirstError
from .errors import ConnectionFailedError, ConnectionLostError, Outcome, PayamakError, ReplyError, RequestTimeoutError


def translate(error: Exception) -> tuple[PayamakError, BaseException | None]:
    """Make our exception for one that came out of aiohttp, and choose what to chain to it."""
    original = error.error if isinstance(error, (BeforeSendingError, ConnectionBrokeError)) else error
    failure, cause = _classify(original), _get_cause(original)
    if isinstance(error, BeforeSendingError) and failure.outcome is not Outcome.NOT_SENT:
        failure = ConnectionFailedError(f"no connection to the gateway came about ({type(original).__name__})")
    if isinstance(failure, ConnectionFailedError) and (reason := _find_reason(cause)):
        failure.args = (f"{failure.args[0]}: {reason}",)
    return failure, cause


class Gate:
    """The innermost middleware of a borrowed session: lets a request pass to the network once.

    The session's own middlewares are the user's, and one that tries again would send a message again. What provably
    has not left may pass again; what a middleware has put into a task must not pass once the exchange has ended.
    """

    def __init__(self) -> None:
        self.is_open = True
        self._may_have_left = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Pass the request on, or keep it."""
        if not self.is_open or self._may_have_left:
            raise RepeatedError
        self._may_have_left = True
        try:
            return await handler(request)
        except Exception as error:
            self._may_have_left = translate(error)[0].outcome is not Outcome.NOT_SENT
            raise

    def judge(self, error: Exception) -> tuple[PayamakError, BaseException | None]:
        """Translate what came out of the outermost middleware, which need not be what came out of the network."""
        failure, cause = translate(error)
        if self._may_have_left and failure.outcome is Outcome.NOT_SENT:
            failure = ConnectionLostError(
                f"a middleware of the session gave up on the request ({type(error).__name__})"
            )
        elif not self._may_have_left and failure.outcome is not Outcome.NOT_SENT:
            failure = ConnectionFailedError(f"a middleware of the session kept the request ({type(error).__name__})")
        return failure, cause


class RepeatedError(Exception):
    """A middleware of a borrowed session would have sent a request again that must go out once."""


def _classify(error: Exception) -> PayamakError:
    """Say what an error of aiohttp means for the request. The text of that error is not used: it can hold the URL."""
    kind = type(error).__name__
    for classes, failure, message in _MEANINGS:
        if isinstance(error, classes):
            return failure(f"{message} ({kind})")
    return ConnectionLostError(f"the connection broke before the whole answer was here ({kind})")


# In this order, because the classes of aiohttp derive from one another.
_MEANINGS: tuple[tuple[type[Exception], type[PayamakError], str], ...] = (
    (SpokeFirstError, ConnectionFailedError, "the server spoke, or hung up, before it was asked"),
    (aiohttp.ConnectionTimeoutError, ConnectionFailedError, "no connection came about in time"),
    (aiohttp.ClientConnectorDNSError, ConnectionFailedError, "the gateway's host name cannot be resolved"),
    (aiohttp.ClientSSLError, ConnectionFailedError, "the TLS handshake failed"),
    (aiohttp.ClientProxyConnectionError, ConnectionFailedError, "the proxy cannot be reached"),
    (aiohttp.ClientConnectorError, ConnectionFailedError, "no connection to the gateway came about"),
    (aiohttp.ClientHttpProxyError, ConnectionFailedError, "the proxy refused to connect"),
    (aiohttp.ServerFingerprintMismatch, ConnectionFailedError, "the server's certificate is not the one expected"),
    (aiohttp.InvalidURL, ConnectionFailedError, "no request can be made for this base_url"),
    (RepeatedError, ConnectionLostError, "a middleware of the session would have sent it again"),
    (TimeoutError, RequestTimeoutError, "no answer in time"),
    (aiohttp.ClientResponseError, ReplyError, "the answer is not HTTP"),
)


def _find_reason(cause: BaseException | None) -> str | None:
    """What the system says of a failed connection, in its own words: those of an exception may hold an address."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ssl.SSLError):
        return cause.reason and cause.reason.replace("_", " ").lower()
    if isinstance(cause, socket.gaierror):
        return cause.strerror
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else None


def _get_cause(error: Exception) -> BaseException | None:
    """Choose what to chain: no error whose text or arguments hold the URL, the headers or the proxy's password."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return None
    if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
        return None  # It holds the half of an answer.
    if isinstance(error, aiohttp.ClientOSError) and error.errno is None:
        return None  # One of aiohttp's own making, with the URL in its text.
    return error
