"""The vendor's error table: code → exception class and English meaning."""

from __future__ import annotations

import re

from ..common.errors import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    InvalidSenderError,
    Outcome,
)
from ..common.statuses import SERVER_ERROR

SEND_FAILED = -3

ERROR_CODES: dict[int, tuple[type[GatewayError], str]] = {
    -1: (AuthenticationError, "the user name or password is wrong"),
    -2: (InvalidRequestError, "there are more than 60 numbers"),
    SEND_FAILED: (GatewayError, "sending failed; the gateway's message says why"),
    -4: (InvalidRequestError, "the lists differ in length"),
    -5: (InvalidSenderError, "the line is not yours"),
}

# Only of the method itself: "Table 'log' doesn't exist" can come after the messages went out.
_NO_SUCH_METHOD = re.compile(
    r"\s*(?:function|method|operation|procedure)\b[^:]{0,200}?\s(?:doesn't exist|not defined|not a valid method)",
    re.IGNORECASE,
)


def from_code(
    code: int, *, gateway_message: str | None, http_status: int | None = None, retry_after: float | None = None
) -> GatewayError:
    """Make the exception for a code of the vendor's."""
    is_certain = code in ERROR_CODES and (http_status or 0) < SERVER_ERROR
    kind, meaning = ERROR_CODES.get(code, (GatewayError, "the gateway answered with a code that is not documented"))
    return kind(
        f"{meaning} (code {code})",
        code=code,
        gateway_message=gateway_message,
        http_status=http_status,
        outcome=None if is_certain else Outcome.UNKNOWN,
        retry_after=retry_after,
    )


def from_fault(code: str | None, message: str | None, *, http_status: int, retry_after: float | None) -> GatewayError:
    """Make the exception for a SOAP fault. Surely nothing was done if it blames the client, or knows no such method."""
    blames_client = code is not None and code.rpartition(":")[2].startswith("Client")
    certain = blames_client or _NO_SUCH_METHOD.match(message or "") is not None
    return (InvalidRequestError if certain else GatewayError)(
        "the gateway answered with a SOAP fault" + (": it finds the request wrong" if certain else ""),
        code=code,
        gateway_message=message,
        http_status=http_status,
        outcome=None if certain else Outcome.UNKNOWN,
        retry_after=retry_after,
    )
