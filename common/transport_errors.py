"""What an error of aiohttp means for the request: whether anything of it can have left, and must not leave again.

Measured against servers that misbehave in each way: `ServerDisconnectedError` and `ClientOSError` look the same before
and after a server has read the request, so that both mean unknown. What fails before a connection stands is caught
where it happens, in the connector.
"""

from __future__ import annotations

import os
import re
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import BadStatusLine, ContentEncodingError, HttpProcessingError

from .connector import BeforeSendingError, ConnectionBrokeError, EndlessError, SpokeFirstError
from .errors import ConnectionFailedError, ConnectionLostError, Outcome, PayamakError, ReplyError, RequestTimeoutError


def translate(error: Exception, http_status: int | None = None) -> tuple[PayamakError, BaseException | None]:
    """Make our exception for one that came out of aiohttp, and choose what to chain to it.

    Args:
        error: What came out of it.
        http_status: The status of the answer, if it was known by then.
    """
    original = error.error if isinstance(error, (BeforeSendingError, ConnectionBrokeError)) else error
    failure = _classify(original, http_status)
    if isinstance(error, BeforeSendingError) and failure.outcome is not Outcome.NOT_SENT:
        failure = ConnectionFailedError(f"no connection to the gateway came about{_give_reason(original)}")
    return failure, _get_cause(original)


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

    def judge(self, error: Exception, http_status: int | None = None) -> tuple[PayamakError, BaseException | None]:
        """Translate what came out of the outermost middleware, which need not be what came out of the network."""
        failure, cause = translate(error, http_status)
        if self._may_have_left and failure.outcome is Outcome.NOT_SENT:
            failure = ConnectionLostError(
                f"a middleware of the session gave up on the request ({type(error).__name__})"
            )
        elif not self._may_have_left and failure.outcome is not Outcome.NOT_SENT:
            failure = ConnectionFailedError(f"a middleware of the session kept the request ({type(error).__name__})")
        return failure, cause


class RepeatedError(Exception):
    """A middleware of a borrowed session would have sent a request again that must go out once."""


def _classify(error: Exception, http_status: int | None) -> PayamakError:
    """Say what an error of aiohttp means for the request. The text of that error is not used: it can hold the URL."""
    if isinstance(error, (aiohttp.ClientResponseError, aiohttp.ClientPayloadError)):
        unreadable = _describe_unreadable(error)
        if unreadable is not None:
            return ReplyError(unreadable, http_status=http_status)
    for classes, failure, message in _MEANINGS:
        if isinstance(error, classes):
            return failure(f"{message}{_give_reason(error)}{_ask_for_emulator(error)}")
    return ConnectionLostError(f"the connection broke before the whole answer was here{_give_reason(error)}")


def _describe_unreadable(error: aiohttp.ClientResponseError | aiohttp.ClientPayloadError) -> str | None:
    """What is wrong with an answer that aiohttp could not read; ``None`` if there was none, or half of one."""
    reason: BaseException = error
    while reason.__cause__ is not None:  # aiohttp wraps what its parser says once or twice.
        reason = reason.__cause__
    if isinstance(reason, ContentEncodingError) and "install" in reason.message:
        return "the answer is compressed as nobody asked for: install Brotli, or backports.zstd, to read it"
    if isinstance(reason, ContentEncodingError):
        return "the answer is not compressed as its Content-Encoding says"
    if isinstance(error, aiohttp.ClientPayloadError) or not isinstance(reason, HttpProcessingError):
        return None
    if isinstance(reason, BadStatusLine):
        return "the answer is not HTTP"
    is_length = "content-length" in reason.message.lower()
    return "the answer breaks the rules of HTTP" + (": its Content-Length cannot be relied on" if is_length else "")


def _give_reason(error: Exception) -> str:
    """Why, as the end of a message: never from a text that can hold the address, or else the error's class."""
    reason = _find_reason(error)
    return f": {reason}" if reason else f" ({type(error).__name__})"


def _find_reason(error: Exception) -> str | None:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"HTTP status {error.status}"
    inner = _get_cause(error)
    if isinstance(error, aiohttp.ClientOSError) and isinstance(error.__cause__, ssl.SSLError):
        inner = error.__cause__  # Its number is none of the system's.
    # Those that Python's own code raises lack what OpenSSL's have.
    if isinstance(inner, ssl.SSLCertVerificationError):
        # "Hostname mismatch, certificate is not valid for 'gateway.example'."
        message = re.sub(r"'[^']*'", "this host", getattr(inner, "verify_message", "")).rstrip(".")
        return f"certificate verify failed: {message}"
    if isinstance(inner, ssl.SSLError):
        words = (getattr(inner, "reason", None) or "").replace("_", " ").lower()
        return "what listens there speaks no TLS" if words in _NO_TLS else words
    if isinstance(inner, socket.gaierror):
        return inner.strerror
    # What asyncio makes of one error, or of one for each address, holds the addresses beside the numbers.
    numbers = re.findall(r"\[Errno (\d{1,4})\]", str(inner)) if isinstance(inner, OSError) else []
    return ", ".join(dict.fromkeys(os.strerror(int(number)) for number in numbers))


_NO_TLS = ("wrong version number", "record layer failure", "http request")


def _ask_for_emulator(error: Exception) -> str:
    """A question, where the emulator is what is not there: at its own port, or on this machine."""
    if not isinstance(error, aiohttp.ClientConnectorError) or isinstance(error, _NOT_REFUSED):
        return ""
    is_meant = error.port == _EMULATOR_PORT or error.host in _THIS_MACHINE
    return "; is `payamak emulator` running?" if is_meant else ""


_NOT_REFUSED = (aiohttp.ClientSSLError, aiohttp.ClientProxyConnectionError)
_EMULATOR_PORT = 8650
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


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
    (EndlessError, ReplyError, "the answer does not end"),
    (aiohttp.ClientResponseError, ReplyError, "the answer is not HTTP"),
)


def _get_cause(error: Exception) -> BaseException | None:
    """Choose what to chain: no error whose text or arguments hold the URL, the headers or the proxy's password."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    if _tells(error):
        return None
    inner = error.__cause__
    if isinstance(error, aiohttp.ClientConnectionError) and isinstance(inner, Exception) and error.args != inner.args:
        # Of a file that cannot be read on, aiohttp speaks in words of its own, with the URL, or the proxy's password.
        return _get_cause(inner)
    return error


def _tells(error: Exception) -> bool:
    """Whether an error holds the URL or a part of an answer."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return not isinstance(error.message, str)  # It is the half of an answer.
    if isinstance(error, aiohttp.ClientOSError):
        return error.errno is None  # One of aiohttp's own making.
    return isinstance(error, (aiohttp.ClientResponseError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL))
