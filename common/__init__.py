"""What all gateways share: sessions, retrying, errors, results."""

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
from .fields import tehran
from .hooks import Attempt, AttemptReply, Hook, Proceed
from .many import Journal, JournalEntry, RateLimiter, SendMany
from .parts import Parts, count_parts
from .results import DeliveryState, OnUnknown, OutgoingMessage, Progress, SendReport, SendResult
from .retry import RetryPolicy
from .session import HttpSession, Timeout
from .showing import show

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
    "Parts",
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
    "count_parts",
    "show",
    "tehran",
]
