"""How to tell that sms.ir has rejected the token, which its vendor does not document."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from ..common.errors import AuthenticationError, InvalidArgumentError
from .codes import own_words

_PERSIAN_WORDS = ("توکن", "توكن")


@attrs.frozen
class TokenRejection:
    """How to tell that the gateway rejected the token. The vendor does not document it.

    HTTP status 401 always counts, and so does, in another status below 500, a failure whose Persian sentence speaks of
    the token outside quotation marks and quotes no exception. Of other failures only those count that you name here:
    after each a send goes out again, and the server is known to fail after it has sent, in words such as
    "CancellationTokenSource". Name the whole sentence.

    Attributes:
        codes: Values of ``ErrorCode``.
        words: Sentences, or words, in the failure's ``Message``, in any case.
    """

    codes: Collection[int] = ()
    words: Collection[str] = ()

    def __attrs_post_init__(self) -> None:
        for name in ("codes", "words"):
            value = getattr(self, name)
            if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
                raise InvalidArgumentError(f"{name} must be a list: put the one value in brackets", argument=name)

    def fits(self, code: int | None, message: str | None) -> bool:
        """Whether a failure with this code and message rejects the token."""
        text = message or ""
        if code in self.codes or any(word.lower() in text.lower() for word in self.words):
            return True
        own = own_words(text)
        return any(word in own for word in _PERSIAN_WORDS)


def make_rejection(message: str | None, *, code: int | None, http_status: int) -> AuthenticationError:
    """Make the exception for a rejected token. It is certain that nothing was done."""
    return AuthenticationError(
        f"the gateway rejected the token (HTTP status {http_status}, error code {code})",
        code=code,
        gateway_message=message,
        http_status=http_status,
    )
