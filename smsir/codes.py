"""What a failure of sms.ir means. The vendor publishes no table of its error codes, so a code is kept as it came."""

from __future__ import annotations

import re
from typing import Any

from ..common.errors import GatewayError, Outcome
from ..common.statuses import is_refusal

# The server's exceptions leak out as failures, at times after the message was sent.
_LEAKED_EXCEPTION = re.compile(
    r"object reference|exception|cannot be null|\bat System\.|json|unexpected token|unable to cast", re.IGNORECASE
)
_PERSIAN_LETTER = re.compile("[\u0621-\u06cc]")


def quotes_exception(message: str | None) -> bool:
    """Whether a failure's message quotes a .NET exception."""
    return _LEAKED_EXCEPTION.search(message or "") is not None


def is_leaked(message: str | None) -> bool:
    """Whether a failure's message is a text of the server's own exception: the vendor's messages are Persian."""
    return bool(message) and _PERSIAN_LETTER.search(message or "") is None


def from_failure(message: str | None, *, code: int | None, http_status: int, **details: Any) -> GatewayError:
    """Make the exception for an envelope that says ``IsSuccessful: false``, in a status that does not say more."""
    certain = not is_leaked(message) and (200 <= http_status < 300 or is_refusal(http_status))
    return GatewayError(
        f"the gateway {'refused' if certain else 'failed, perhaps after it had done its work'} (error code {code})",
        code=code,
        gateway_message=message,
        http_status=http_status,
        outcome=None if certain else Outcome.UNKNOWN,
        **details,
    )
