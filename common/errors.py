"""Every exception of this library, and what each says about the message.

::

    PayamakError                      everything this library raises
    ├─ InvalidArgumentError           also a ValueError; raised before any I/O
    ├─ ClientStateError               also a RuntimeError; a closed client, a second event loop: nothing left
    ├─ TransportError                 .sent: NEVER | MAYBE
    │  ├─ ConnectionFailedError       never sent: DNS, refused, TLS, connect timeout, no free connection
    │  ├─ ConnectionLostError         the connection broke afterwards: outcome unknown
    │  └─ RequestTimeoutError         no answer in time: outcome unknown
    ├─ ReplyError                     an answer came that cannot be understood: outcome unknown
    ├─ JournalError                   `send_many` cannot write its journal: what it should have held was not sent
    └─ GatewayError                   the gateway says no: .code .gateway_message .http_status
       ├─ AuthenticationError         PermissionDeniedError     InsufficientCreditError
       ├─ RateLimitError(.retry_after)
       ├─ InvalidRequestError         InvalidRecipientError     InvalidSenderError     NotFoundError
       └─ ServiceUnavailableError     the gateway says: not now

``except PayamakError`` catches all of it, and ``error.outcome`` is enough to decide what to do next. No message, repr
or argument of these holds a credential, a URL, a telephone number or a text; what the vendor wrote stands in
``gateway_message`` alone, because a vendor may quote any of them. All of them can be pickled and copied.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence
from typing import ClassVar


class Outcome(enum.Enum):
    """What became of an operation that failed, or of one message among many."""

    SENT = "sent"
    """The gateway took the message. An error never has this outcome."""
    NOT_SENT = "not sent"
    """It never left this process: nothing happened, and it can be tried again."""
    REFUSED = "refused"
    """The gateway got it and said no: nothing was sent."""
    UNKNOWN = "unknown"
    """It may have been carried out. Ask the gateway before sending it again."""


class Sent(enum.Enum):
    """Whether the bytes of a request can have reached the gateway."""

    NEVER = "never"
    MAYBE = "maybe"


class _References(tuple[str, ...]):
    """References that nothing shows: a check id may say more than it should."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} references>"


class _Body:
    """The bytes of an answer, which nothing shows and no pickle holds: what was sent may be quoted there."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes>"

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


class PayamakError(Exception):
    """The root of all exceptions of this library.

    Attributes:
        gateway: The gateway's package name, such as ``"ghasedak"``.
        operation: The client's method, such as ``"send"``.
        operation_id: Minted once a call and the same on every attempt and log record of it.
        outcome: What became of the operation.
        retry_after: Seconds the gateway asked to wait, if it did; a year at the most.
        references: By what the gateway can be asked what became of a send whose outcome is unknown, one for each
            recipient; empty where it cannot be asked. `resolve` of the client takes them.
        at: When a send with an unknown outcome was given up.
    """

    default_outcome: ClassVar[Outcome] = Outcome.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        gateway: str | None = None,
        operation: str | None = None,
        operation_id: str | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        # Only the message is positional, so that the default pickling (arguments, then attributes) is enough.
        super().__init__(message)
        self.gateway = gateway
        self.operation = operation
        self.operation_id = operation_id
        self.outcome = self.default_outcome if outcome is None else outcome
        self.retry_after = retry_after
        self._references = _References()
        self.at: datetime.datetime | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """By what the gateway can be asked what became of a send whose outcome is unknown, one for each recipient."""
        return self._references

    @references.setter
    def references(self, references: Sequence[str]) -> None:
        self._references = _References(references)

    def __str__(self) -> str:
        place = " ".join(part for part in (self.gateway, self.operation) if part)
        identity = f", operation id {self.operation_id}" if self.operation_id else ""
        return f"{place + ': ' if place else ''}{self.args[0]} (outcome: {self.outcome.value}{identity})"


class InvalidArgumentError(PayamakError, ValueError):
    """An argument cannot be right. Raised before any I/O.

    Attributes:
        argument: The argument's name, with an index where it is one of many: ``"recipients[3]"``.
    """

    default_outcome = Outcome.NOT_SENT

    def __init__(self, message: str = "", *, argument: str | None = None, operation: str | None = None) -> None:
        super().__init__(message, operation=operation)
        self.argument = argument


class ClientStateError(PayamakError, RuntimeError):
    """The client is closed, or belongs to another event loop that still runs, or a hook did not proceed: not sent."""

    default_outcome = Outcome.NOT_SENT


class JournalError(PayamakError):
    """The journal of `send_many` cannot be opened, read or written; the cause is chained."""

    default_outcome = Outcome.NOT_SENT


class TransportError(PayamakError):
    """No answer came."""

    @property
    def sent(self) -> Sent:
        """Whether the request can have reached the gateway."""
        return Sent.NEVER if self.outcome is Outcome.NOT_SENT else Sent.MAYBE


class ConnectionFailedError(TransportError):
    """No connection came about (DNS, refused, TLS, proxy, time ran out before it stood): never sent."""

    default_outcome = Outcome.NOT_SENT


class ConnectionLostError(TransportError):
    """The connection broke after it stood: the gateway may have got the request."""


class RequestTimeoutError(TransportError):
    """No answer within the time allowed: the gateway may have got the request."""


class ReplyError(PayamakError):
    """An answer came that cannot be understood, so nobody knows what it means for the message.

    Attributes:
        http_status: The HTTP status of that answer.
        field: Where in the answer the trouble is, such as ``"items[0].price"``.
        message_ids: Ids of messages that stand in the answer, but cannot be told apart by recipient.
        body: The answer itself, if the client was made with ``keep_replies=True`` and it could be read to its end. It
            may quote what you sent: think before you log it. It is in no text of the error, and does not travel with a
            pickled one.
    """

    def __init__(
        self,
        message: str = "",
        *,
        http_status: int | None = None,
        field: str | None = None,
        message_ids: Sequence[int] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.http_status = http_status
        self.field = field
        self.message_ids = tuple(message_ids)
        self._body: _Body | None = None

    @property
    def body(self) -> bytes | None:
        """The answer itself, if the client keeps it."""
        return None if self._body is None else self._body.content

    @body.setter
    def body(self, body: bytes) -> None:
        self._body = _Body(body)


class GatewayError(PayamakError):
    """The gateway says no: refused, if it is known what exactly this answer means, and unknown otherwise.

    Attributes:
        code: The vendor's own number or word for it.
        gateway_message: What the vendor wrote. It may quote what you sent: think before you log it.
        http_status: The HTTP status of the answer; ``None`` for the refusal of one recipient among many.
        is_bare: Whether the answer was nothing but an HTTP status, or an HTML page, without the gateway's own words.
    """

    default_outcome = Outcome.REFUSED

    def __init__(
        self,
        message: str = "",
        *,
        code: int | str | None = None,
        gateway_message: str | None = None,
        http_status: int | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, outcome=outcome, retry_after=retry_after)
        self.code = code
        self.gateway_message = gateway_message
        self.http_status = http_status
        self.is_bare = False


class AuthenticationError(GatewayError):
    """The credentials are wrong, expired or switched off."""


class PermissionDeniedError(GatewayError):
    """The credentials are right, but the account, its plan or this address may not do this."""


class InsufficientCreditError(GatewayError):
    """The account has not enough credit."""


class RateLimitError(GatewayError):
    """Too many requests. ``retry_after`` holds the seconds to wait, if the gateway said so."""


class InvalidRequestError(GatewayError):
    """The gateway finds a parameter missing or wrong."""


class InvalidRecipientError(GatewayError):
    """The recipient's number is wrong, filtered or blocked."""


class InvalidSenderError(GatewayError):
    """The sender line is not yours, or cannot be used for this."""


class NotFoundError(GatewayError):
    """What the request names does not exist."""


class ServiceUnavailableError(GatewayError):
    """The gateway says: not now. See ``outcome``: where it speaks of a failure of its own, the message may be out."""
