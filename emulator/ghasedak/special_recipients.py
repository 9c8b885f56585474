"""The special recipients, which work like the test cards of payment gateways, and how a message to anybody fares."""

from __future__ import annotations

from ..ledger import Step
from ..phone_numbers import special_number

MEANINGS = """\
The last two digits of 0900 000 00xx are the vendor's number:

    refused with that error number:   05 06 07 08 09 10 11 20 21 24
    accepted, with that status later: 02 (error in sending), 16 (not reached telecom), 27 (blacklisted)
    09000000000                       accepted, stays at status 0 for ever
    09000000088                       accepted, stays at status 8 for ever

20 (filtered) is not refused by the verification (OTP) method: the document says that it reaches filtered numbers.
"""

_SPECIAL_ERRORS = frozenset((5, 6, 7, 8, 9, 10, 11, 20, 21, 24))

QUEUED, DELIVERED, SEND_ERROR, REACHED_TELECOM, NOT_REACHED_TELECOM, BLACKLISTED, WRONG_ID = 0, 1, 2, 8, 16, 27, -1


def special_error(recipient: str) -> int | None:
    """The error number this recipient asks for."""
    number = special_number(recipient)
    return number if number in _SPECIAL_ERRORS else None


def course(recipient: str, telecom_after: float, delivered_after: float) -> tuple[Step, ...]:
    """How a message to this recipient fares."""
    queued = Step(0, "queued", QUEUED)
    sent = Step(telecom_after, "sent", REACHED_TELECOM)
    special: dict[int | None, tuple[Step, ...]] = {
        0: (queued,),
        2: (queued, Step(telecom_after, "failed", SEND_ERROR)),
        16: (queued, Step(telecom_after, "failed", NOT_REACHED_TELECOM)),
        27: (queued, Step(telecom_after, "blocked", BLACKLISTED)),
        88: (queued, sent),
    }
    return special.get(special_number(recipient), (queued, sent, Step(delivered_after, "delivered", DELIVERED)))
