"""What an HTTP status says where a gateway's own envelope says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
)
from .session import Reply

STATUSES: Mapping[int, tuple[type[GatewayError], str]] = {
    400: (InvalidRequestError, "a parameter is missing or wrong"),
    401: (AuthenticationError, "the credentials were rejected"),
    403: (PermissionDeniedError, "access is denied"),
    404: (NotFoundError, "the resource does not exist"),
    405: (InvalidRequestError, "the HTTP method is not allowed there"),
    415: (InvalidRequestError, "the gateway does not take this type of content"),
    429: (RateLimitError, "too many requests"),
}

# Of these HTTP itself says that the request was not processed. Others, such as 408, 409 or 499, can come from a proxy
# after the gateway has had it.
_NOT_PROCESSED = frozenset({400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 429, 431})
_REDIRECTS = range(300, 400)
_EMPTY = frozenset({b"", b"{}", b"[]", b"null"})
# Compiled when a refusal is first read, not with each import.
_PAGE = rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b"
# A program that shows its own exception has had the request, and may have done its work before.
_EXCEPTION = (
    rb"(?i)exception|object reference|stack ?trace|traceback|fatal error|\bSystem\.|cannot (?:be null|convert|get|read)"
    rb"|disposed|\bcancell?(?:ed|ation)|unexpected token|unable to (?:cast|connect)|time-?out"
)
# A page may speak of anything; what a framework shows of an exception is told by its form.
_EXCEPTION_ON_PAGE = (
    # One letter of a word stands for all of it: to look on from each letter of a long word takes hours.
    rb"(?i)\bSystem\.\w|\wexception\b|object reference|stack ?trace|traceback|fatal error|\buncaught\b"
)
SERVER_ERROR = 500
"""From this HTTP status on it is the server that failed, perhaps after it had done its work."""


def is_refusal(status: int) -> bool:
    """Whether a status alone makes it certain that the request was not carried out."""
    return status in _NOT_PROCESSED


def from_status(
    status: int,
    *,
    http_status: int,
    gateway_message: str | None = None,
    retry_after: float | None = None,
    statuses: Mapping[int, tuple[type[GatewayError], str]] = STATUSES,
) -> GatewayError:
    """Make the exception for an HTTP status, or for a gateway's code that is of the same kind."""
    kind, meaning = statuses.get(status, (GatewayError, "the gateway answered with a code that it does not document"))
    is_certain = status in statuses and is_refusal(status) and http_status < SERVER_ERROR
    return kind(
        f"{meaning} (code {status})" if 0 <= status < 1000 else meaning,
        code=status,
        gateway_message=gateway_message,
        http_status=http_status,
        outcome=None if is_certain else Outcome.UNKNOWN,
        retry_after=retry_after,
    )


def from_bare_reply(
    reply: Reply,
    unreadable: ReplyError,
    *,
    gateway_message: str | None = None,
    statuses: Mapping[int, tuple[type[GatewayError], str]] = STATUSES,
) -> PayamakError:
    """Make the exception for an answer without the gateway's envelope: its HTTP status is all there is to go by.

    An answer that quotes an exception is not explained by its status.

    Args:
        reply: The answer.
        unreadable: What is wrong with it, raised if the status explains nothing.
        gateway_message: What the gateway wrote all the same.
        statuses: The meanings of statuses, where a gateway has its own.
    """
    is_page = re.match(_PAGE, reply.body) is not None
    if is_refusal(reply.status) and not re.search(_EXCEPTION_ON_PAGE if is_page else _EXCEPTION, reply.body):
        refusal = from_status(
            reply.status,
            http_status=reply.status,
            gateway_message=gateway_message,
            retry_after=reply.retry_after,
            statuses={reply.status: (InvalidRequestError, "the gateway finds the request wrong"), **statuses},
        )
        refusal.is_bare = is_page or reply.body.strip() in _EMPTY
        return refusal
    if reply.status in _REDIRECTS:
        return ReplyError(
            f"a redirect (HTTP status {reply.status}) is never followed: check base_url", http_status=reply.status
        )
    unreadable.retry_after = reply.retry_after
    return unreadable
