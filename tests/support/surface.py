"""What the packages of all gateways have in common."""

from __future__ import annotations

SEND_MANY = (
    "messages, *, concurrency=10, rate_limit=None, progress=None, journal=None, "
    "on_unknown=<OnUnknown.ASK: 'ask'>, grace=60.0, close_timeout=10.0"
)
"""The signature of `send_many`."""
OUTBOX = (
    "*, journal, concurrency=10, urgent_concurrency=5, rate_limit=None, on_unknown=<OnUnknown.ASK: 'ask'>, "
    "grace=60.0, pause=30.0, close_timeout=10.0"
)
"""That of `outbox`."""
SHARED = (
    "AuthenticationError", "ClientStateError", "ConnectionFailedError", "ConnectionLostError", "GatewayError",
    "HttpSession", "InvalidArgumentError", "InvalidRequestError", "JournalError", "NotFoundError", "OnUnknown",
    "Outcome", "OutgoingMessage", "PayamakError", "PermissionDeniedError", "Progress", "RateLimitError", "ReplyError",
    "RequestTimeoutError", "RetryPolicy", "SendReport", "ServiceUnavailableError", "Timeout", "TransportError",
)  # fmt: skip
"""What each package gives of `payamak.common`."""
ENGINE = (
    "Attempt", "AttemptReply", "CallHook", "ClientCall", "Hook", "Journal", "JournalEntry", "Parts", "Proceed",
    "ProceedCall", "RateLimiter", "SendMany", "Sent", "count_parts", "show", "tehran",
)  # fmt: skip
"""What `payamak.common` gives beside what packages give of it."""
