"""What all gateways share: sessions, retrying, errors, results."""

from typing import TYPE_CHECKING

from .errors import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    JournalError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    Sent,
    ServiceUnavailableError,
    TransportError,
)
from .hooks import Attempt, AttemptReply, Hook, Proceed
from .late import load_late
from .results import DeliveryState, OnUnknown, OutgoingMessage, Progress, SendReport, SendResult
from .retry import RetryPolicy
from .session import HttpSession, Timeout

if TYPE_CHECKING:
    from .carrier import RateLimiter
    from .journal import Journal, JournalEntry
    from .many import SendMany
else:  # Only `send_many` needs them.
    __getattr__ = load_late(
        __name__, {"carrier": ["RateLimiter"], "journal": ["Journal", "JournalEntry"], "many": ["SendMany"]}
    )

__all__ = [
    "Attempt",
    "AttemptReply",
    "AuthenticationError",
    "ClientStateError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DeliveryState",
    "GatewayError",
    "Hook",
    "HttpSession",
    "InsufficientCreditError",
    "InvalidArgumentError",
    "InvalidRecipientError",
    "InvalidRequestError",
    "InvalidSenderError",
    "Journal",
    "JournalEntry",
    "JournalError",
    "NotFoundError",
    "OnUnknown",
    "Outcome",
    "OutgoingMessage",
    "PayamakError",
    "PermissionDeniedError",
    "Proceed",
    "Progress",
    "RateLimitError",
    "RateLimiter",
    "ReplyError",
    "RequestTimeoutError",
    "RetryPolicy",
    "SendMany",
    "SendReport",
    "SendResult",
    "Sent",
    "ServiceUnavailableError",
    "Timeout",
    "TransportError",
]


def __dir__() -> list[str]:
    return __all__
