"""The vendor's error tables: number or status → exception class and English meaning."""

from __future__ import annotations

from collections.abc import Mapping

from ..common.errors import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    Outcome,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from ..common.statuses import SERVER_ERROR, STATUSES

ERROR_NUMBERS: dict[int, tuple[type[GatewayError], str]] = {
    1: (AuthenticationError, "the user name or password is not valid"),
    2: (InvalidRequestError, "a list is empty"),
    3: (InvalidRequestError, "a list is longer than 100"),
    4: (InvalidRequestError, "the lists of senders, recipients and texts differ in length"),
    5: (ServiceUnavailableError, "the gateway cannot take a new message now"),
    6: (AuthenticationError, "the account is not active, or the user name or password is wrong"),
    7: (InvalidSenderError, "the account has no access to this line"),
    8: (InvalidRecipientError, "the recipient's number is not valid"),
    9: (InsufficientCreditError, "the account has not enough credit"),
    10: (ServiceUnavailableError, "an error in the gateway's system; it says: try again"),
    11: (PermissionDeniedError, "this IP address is not allowed: add it in the panel"),
    20: (InvalidRecipientError, "the recipient has blocked advertising messages"),
    21: (ServiceUnavailableError, "the gateway's link to the operator is down"),
    24: (PermissionDeniedError, "the free plan does not include this service"),
}
"""The vendor's error numbers. 12 to 19, 22 and 23 are not assigned."""

FAILURES = frozenset({10, 21})
"""Numbers that tell of a failure of the gateway's own, which may come after a message was taken."""

RESULT_CODES: Mapping[int, tuple[type[GatewayError], str]] = {
    **STATUSES,
    401: (AuthenticationError, "the API key is not valid"),
    419: (GatewayError, "the gateway failed without saying why"),
}
"""Result codes of the envelope. They are of the same kind as HTTP statuses; the vendor knows 400, 401, 404 and 419."""


def from_error_number(
    number: int, *, gateway_message: str | None = None, http_status: int | None = None, retry_after: float | None = None
) -> GatewayError:
    """Make the exception for one of the vendor's error numbers."""
    kind, meaning = ERROR_NUMBERS.get(number, (GatewayError, "the gateway answered with a number it does not document"))
    is_certain = number in ERROR_NUMBERS and number not in FAILURES and (http_status or 0) < SERVER_ERROR
    return kind(
        f"{meaning} (error {number})",
        code=number,
        gateway_message=gateway_message,
        http_status=http_status,
        outcome=None if is_certain else Outcome.UNKNOWN,
        retry_after=retry_after,
    )
