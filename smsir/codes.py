"""What a failure of sms.ir means. The vendor publishes no table of its error codes, so a code is kept as it came."""

from __future__ import annotations

import re
from typing import Any

from ..common.errors import GatewayError, Outcome
from ..common.statuses import is_refusal

# The server's exceptions leak out as failures, at times after the message was sent. The vendor's own sentences are
# Persian, with a Latin word at the most.
_LEAKED_EXCEPTION = re.compile(
    r"object reference|exception|cannot be null|\bat System\.|json|unexpected token|unable to cast"
    r"|[a-z][a-z'.,:;]*\s+['\"(]?[a-z]",
    re.IGNORECASE,
)
_QUOTATION = re.compile("«[^»]*»|\"[^\"]*\"|“[^”]*”|'[^']*'")
_PERSIAN_LETTER = re.compile("[\u0621-\u06cc]")


def quotes_exception(message: str | None) -> bool:
    """Whether a failure's message quotes an exception of the server."""
    return _LEAKED_EXCEPTION.search(message or "") is not None


def without_quotations(message: str) -> str:
    """A message without what it quotes, such as the text that was to be sent."""
    return _QUOTATION.sub(" ", message)


def is_own_sentence(message: str | None) -> bool:
    """Whether a failure's message is a sentence of the vendor's that quotes nothing: then it says what it means."""
    message = message or ""
    is_persian = _PERSIAN_LETTER.search(message) is not None
    return is_persian and not quotes_exception(message) and without_quotations(message) == message


def from_failure(message: str | None, *, code: int | None, http_status: int, **details: Any) -> GatewayError:
    """Make the exception for an envelope that says ``IsSuccessful: false``, in a status that does not say more."""
    certain = is_own_sentence(message) and (200 <= http_status < 300 or is_refusal(http_status))
    return GatewayError(
        f"the gateway {'refused' if certain else 'failed, perhaps after it had done its work'} (error code {code})",
        code=code,
        gateway_message=message,
        http_status=http_status,
        outcome=None if certain else Outcome.UNKNOWN,
        **details,
    )
