"""Tokens of 30 minutes."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

from ..clock import Clock

_LIFETIME = timedelta(minutes=30)
_BYTES = 60
VALID, EXPIRED, UNKNOWN = "valid", "expired", "unknown"


class Tokens:
    """The tokens that were given out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[str, datetime] = {}
        self.issued = 0

    def issue(self, *, revoke_old: bool) -> str:
        """A new token. Several may be valid at a time (INFERRED), unless asked otherwise."""
        if revoke_old:
            self.revoke()
        token = base64.b64encode(secrets.token_bytes(_BYTES)).decode()
        self._ends[token] = self._clock.now() + _LIFETIME
        self.issued += 1
        return token

    def state(self, token: str) -> str:
        """Whether a token is valid, expired, or none of ours."""
        end = self._ends.get(token)
        if end is None:
            return UNKNOWN
        return VALID if self._clock.now() < end else EXPIRED

    def expire(self) -> None:
        """Let every token's time be over."""
        now = self._clock.now()
        self._ends = {token: min(end, now) for token, end in self._ends.items()}

    def forget(self, token: str) -> None:
        """Forget one token."""
        del self._ends[token]

    def revoke(self) -> None:
        """Forget every token."""
        self._ends.clear()
