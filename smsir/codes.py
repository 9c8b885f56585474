"""What a failure of sms.ir means. The vendor publishes no table of its error codes, so a code is kept as it came."""

from __future__ import annotations

import re
from typing import Any

from ..common.errors import GatewayError, Outcome, RateLimitError

_TOO_MANY_REQUESTS = 429

# Expressions are compiled when a refusal is first read, not with each import.
# The server's exceptions leak out as failures, at times after the message was sent.
_EXCEPTION = (
    r"(?i)object reference|exception|cannot be null|\bSystem\.|json|unexpected token|unable to cast|time-?out"
    r"|\bcancell?ed"
)
# The vendor's own sentences are Persian. One may hold a Latin word, such as a parameter's name, but not two in a row.
_LATIN_WORDS = "(?i)[a-z][^a-z\u0621-\u06cc\\s]*\\s[^a-z\u0621-\u06cc]*[a-z]"
_PERSIAN_LETTER = "[\u0621-\u06cc]"
_QUOTATION = "«[^«»]*»|“[^“”]*”|‘[^‘’]*’|\"[^\"]*\"|'[^']*'|`[^`]*`"
_QUOTATION_MARK = "[«»“”„‘’‹›\"'`]"
# What ASP.NET says before the vendor's code runs.
_FRAMEWORKS_OWN = (
    r"(?i)the request is invalid|authorization has been denied|no http resource was found|too many requests"
    r"|the requested resource does not support|the request entity's media type|the request contains an entity body"
    r"|unexpected end of mime multipart stream|api calls quota exceeded"
)


def quotes_exception(message: str | None) -> bool:
    """Whether a failure's message quotes an exception of the server."""
    return re.search(_EXCEPTION, message or "") is not None


def own_words(message: str | None) -> str:
    """What a Persian sentence says beside its quotations; nothing if that is not clear, or an exception shows."""
    message = message or ""
    if not re.search(_PERSIAN_LETTER, message) or quotes_exception(message) or re.search(_LATIN_WORDS, message):
        return ""
    words = re.sub(_QUOTATION, " ", message)
    return "" if re.search(_QUOTATION_MARK, words) else words


def is_own_sentence(message: str | None) -> bool:
    """Whether a failure's message is a sentence of the vendor's that quotes nothing: then it means what it says."""
    return bool(message) and own_words(message) == message


def is_frameworks_own(message: str) -> bool:
    """Whether the web framework refused by itself, before the vendor's code had the request."""
    return re.match(_FRAMEWORKS_OWN, message) is not None


def from_failure(
    message: str | None, *, code: int | None, http_status: int, certain: bool = False, **details: Any
) -> GatewayError:
    """Make the exception for a failure that neither its status nor the web framework explains."""
    kind = RateLimitError if http_status == _TOO_MANY_REQUESTS else GatewayError
    return kind(
        f"the gateway {'refused' if certain else 'failed, perhaps after it had done its work'} (error code {code})",
        code=code,
        gateway_message=message,
        http_status=http_status,
        outcome=None if certain else Outcome.UNKNOWN,
        **details,
    )
