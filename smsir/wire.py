"""The protocol: requests as JSON, query or multipart form, and the envelope of every reply. No I/O.

A reply is ``{"IsSuccessful": true, "Message": …, "ErrorCode": 0, …}`` with the method's own fields beside these three.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import attrs
from aiohttp import hdrs

from ..common import checks
from ..common.bounds import as_int
from ..common.calls import Operation
from ..common.codec import as_dict, dumps, loads
from ..common.errors import (
    AuthenticationError,
    GatewayError,
    InvalidArgumentError,
    ReplyError,
)
from ..common.hiding import hide_fields
from ..common.session import JSON_HEADERS, Reply, Request
from ..common.statuses import SERVER_ERROR, STATUSES, from_bare_reply, from_status, is_refusal
from ..common.structuring import decode
from ..common.uploads import Upload
from .codes import from_failure, is_frameworks_own, is_own_sentence, quotes_exception
from .tokens import TokenRejection, make_rejection

T = TypeVar("T")

TOKEN_HEADER = "x-sms-ir-secure-token"  # noqa: S105 -- a header's name
PAGE_SIZE = 50
# The document names the second, as HTML does; what counts is the content type, which aiohttp writes.
_UPLOAD_HEADERS = {hdrs.ACCEPT: "application/json", "enctype": "multipart/form-data"}
# What ASP.NET adds of an exception.
_TRACES = frozenset({"ExceptionMessage", "ExceptionType", "StackTrace"})


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Arguments:
    """What an operation is called with. Entries of the query that are None stay away."""

    query: Mapping[str, str | int | None] | None = None
    body: Mapping[str, Any] | None = None
    upload: Upload | None = None


Envelope: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[Envelope, int], T]


class Requester(Protocol):
    """What the client lends to the areas: run one operation."""

    def __call__(self, operation: Operation, build: Callable[[], Arguments], read: Reader[T], /) -> Awaitable[T]:
        """Run the operation."""
        ...


def build_request(operation: Operation, base_url: str, arguments: Arguments) -> Request:
    """Put the arguments where they belong."""
    url = base_url + operation.path
    query = {name: value for name, value in (arguments.query or {}).items() if value is not None}
    if query:
        url = f"{url}?{urlencode(query, quote_via=quote)}"
    if arguments.upload is not None:
        return Request(operation.method, url, _UPLOAD_HEADERS, upload=arguments.upload)
    # The vendor asks for the content type on every request, also on those without a body.
    if arguments.body is None:
        return Request(operation.method, url, JSON_HEADERS)
    return Request(operation.method, url, JSON_HEADERS, dumps(arguments.body).encode())


def read_envelope(reply: Reply, rejection: TokenRejection) -> Envelope:
    """Tell success from refusal.

    Raises:
        AuthenticationError: The token was rejected.
        GatewayError: The gateway refused.
        ReplyError: The answer says neither.
    """
    status = reply.status
    envelope: Envelope = {}
    try:
        envelope = as_dict(loads(reply.body, http_status=status))
        successful = envelope.get("IsSuccessful")
        if not isinstance(successful, bool):
            raise ReplyError(
                f"the answer (HTTP status {status}) does not say whether it was successful",
                http_status=status,
                field="IsSuccessful",
            )
    except ReplyError as error:
        # The web framework itself refuses in another shape: {"Message": …} and nothing beside it that helps.
        message = _message_of(envelope)
        if status == 401 and not _shows_exception(message, envelope):
            raise make_rejection(message, code=None, http_status=status) from None
        if message and is_refusal(status) and _is_doubtful(message, envelope):
            raise from_failure(message, code=None, http_status=status, retry_after=reply.retry_after) from None
        raise from_bare_reply(reply, error, gateway_message=message) from None
    if successful and 200 <= status < 300:
        return envelope
    if successful:
        raise ReplyError(
            f"the answer contradicts itself: HTTP status {status}, and success in the body",
            http_status=status,
            field="IsSuccessful",
            retry_after=reply.retry_after,
        )
    message, code = _message_of(envelope), as_int(envelope.get("ErrorCode"))
    is_unauthorized = status == 401 and not _shows_exception(message, envelope)
    if is_unauthorized or (status < SERVER_ERROR and rejection.fits(code, message)):
        raise make_rejection(message, code=code, http_status=status)
    is_own = is_own_sentence(message) and _TRACES.isdisjoint(envelope)
    if is_own and status in STATUSES:
        refusal = from_status(status, http_status=status, gateway_message=message, retry_after=reply.retry_after)
        refusal.code = code
        raise refusal
    certain = is_own and status < SERVER_ERROR
    raise from_failure(message, code=code, http_status=status, certain=certain, retry_after=reply.retry_after)


def _shows_exception(message: str | None, envelope: Envelope) -> bool:
    """Whether the server broke, whatever status it says that with."""
    return quotes_exception(message) or not _TRACES.isdisjoint(envelope)


def _is_doubtful(message: str, envelope: Envelope) -> bool:
    """Whether a message without an envelope may come from the vendor's code, which can fail after it has sent."""
    is_plain = is_frameworks_own(message) or is_own_sentence(message)
    return not is_plain or _shows_exception(None, envelope)


def _message_of(envelope: Envelope) -> str | None:
    message = envelope.get("Message")
    return message if isinstance(message, str) else None


def read_list(field: str, model: type[T], *, also: str | None = None) -> Reader[list[T]]:
    """Make a reader of a list in the envelope; null and a missing list are empty ones."""

    def read(envelope: Envelope, http_status: int) -> list[T]:
        value = envelope.get(field)
        if value is None and also is not None:
            value = envelope.get(also)
        return decode(value, list[model], path=field, http_status=http_status)  # type: ignore[valid-type]

    return read


def read_model(model: type[T]) -> Reader[T]:
    """Make a reader of a model whose fields stand in the envelope itself."""

    def read(envelope: Envelope, http_status: int) -> T:
        return decode(envelope, model, path="", http_status=http_status)

    return read


def read_nothing(_envelope: Envelope, _http_status: int) -> None:
    """The gateway answers with success and nothing else."""


def is_rejection(reply: Reply, rejection: TokenRejection) -> bool:
    """Whether the gateway rejected the token."""
    if reply.status != 401 and b"false" not in reply.body:
        return False  # Seen without parsing: a failure says "IsSuccessful": false.
    try:
        read_envelope(reply, rejection)
    except AuthenticationError:
        return True
    except Exception:  # Whatever it is, it is said when the answer is read.
        return False
    return False


def read_token(reply: Reply) -> str:
    """The token in the answer to a request for one.

    Raises:
        AuthenticationError: There is none. Wrong keys are answered with a success and a token that is null.
    """
    envelope: Envelope = {}
    try:
        envelope = read_envelope(reply, TokenRejection())
    except GatewayError as error:
        # A failure of any other kind comes from the keys: nothing else is sent.
        is_other = reply.status in (404, 429) or reply.status >= SERVER_ERROR or quotes_exception(error.gateway_message)
        if is_other:
            raise
        envelope = {"Message": error.gateway_message, "ErrorCode": error.code}
    token = envelope.get("TokenKey")
    if isinstance(token, str) and token.strip():
        with contextlib.suppress(InvalidArgumentError):
            return checks.require_secret(token.strip(), "token")
        raise ReplyError(
            f"the answer (HTTP status {reply.status}) holds a token that no header can carry",
            http_status=reply.status,
            field="TokenKey",
        )
    raise AuthenticationError(
        "the gateway gave no token: check both keys, user_api_key and secret_key",
        code=as_int(envelope.get("ErrorCode")),
        gateway_message=_message_of(envelope),
        http_status=reply.status,
    )
