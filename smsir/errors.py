"""What a failure of sms.ir means. The vendor publishes no table of its error codes, so a code is kept as it came."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import attrs

from ..common.errors import AuthenticationError, GatewayError, InvalidArgumentError, Outcome
from ..common.statuses import is_refusal

# The server's exceptions leak out as failures, at times after the message was sent.
_LEAKED_EXCEPTION = re.compile(
    r"object reference|exception|cannot be null|\bat System\.|json|unexpected token|unable to cast", re.IGNORECASE
)
_PERSIAN_LETTER = re.compile("[\u0621-\u06cc]")


@attrs.frozen
class TokenRejection:
    """How to tell that the gateway rejected the token. The vendor does not document it.

    HTTP status 401 always counts. A failure inside another status below 500 counts if one of these fits.

    Attributes:
        codes: Values of ``ErrorCode``.
        words: Words in the failure's ``Message``.
    """

    codes: Collection[int] = ()
    words: Collection[str] = ("توکن", "توكن", "token")

    def __attrs_post_init__(self) -> None:
        for name in ("codes", "words"):
            value = getattr(self, name)
            if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
                raise InvalidArgumentError(f"{name} must be a list: put the one value in brackets", argument=name)

    def fits(self, code: int | None, message: str | None) -> bool:
        """Whether a failure with this code and message rejects the token."""
        if quotes_exception(message):
            return False
        return code in self.codes or any(word.lower() in (message or "").lower() for word in self.words)


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


def make_rejection(message: str | None, *, code: int | None, http_status: int) -> AuthenticationError:
    """Make the exception for a rejected token. It is certain that nothing was done."""
    return AuthenticationError(
        f"the gateway rejected the token (HTTP status {http_status}, error code {code})",
        code=code,
        gateway_message=message,
        http_status=http_status,
    )
