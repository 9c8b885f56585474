"""What all gateways share: sessions, retrying, errors, results."""

from .carrier import RateLimiter
from .courier import OnUnknown
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
from .journal import Journal, JournalEntry
from .many import SendMany
from .results import DeliveryState, OutgoingMessage, Progress, SendReport, SendResult
from .retry import RetryPolicy
from .session import HttpSession, Timeout

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
