"""What the clients of all gateways have in common."""

from __future__ import annotations

SEND_MANY = (
    "messages, *, concurrency=10, rate_limit=None, progress=None, journal=None, "
    "on_unknown=<OnUnknown.ASK: 'ask'>, grace=60.0, close_timeout=10.0"
)
"""The signature of `send_many`."""
