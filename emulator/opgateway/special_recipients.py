"""The special recipients, which work like the test cards of payment gateways, and how a message to anybody fares."""

from __future__ import annotations

from ..ledger import Step
from ..phone_numbers import special_number

MEANINGS = """\
The last two digits of 0900 000 00xx say what happens:

    refused with that code:  02 03 04 05 06 07 09 98 99
    accepted, for ever at:   00 notsync, 20 send, 21 pending
    accepted, later at:      22 failed, 23 discarded
"""

NOTSYNC = "notsync"
_REFUSALS = frozenset((2, 3, 4, 5, 6, 7, 9, 98, 99))


def special_error(recipient: str) -> int | None:
    """The code this recipient asks for."""
    number = special_number(recipient)
    return number if number in _REFUSALS else None


def course(recipient: str, sent_after: float, telecom_after: float, delivered_after: float) -> tuple[Step, ...]:
    """How a message to this recipient fares."""
    queued = Step(0, "queued", NOTSYNC)
    sent = Step(sent_after, "sent", "send")
    telecom = Step(telecom_after, "sent", "pending")
    special: dict[int | None, tuple[Step, ...]] = {
        0: (queued,),
        20: (queued, sent),
        21: (queued, sent, telecom),
        22: (queued, sent, telecom, Step(delivered_after, "failed", "failed")),
        23: (queued, sent, Step(telecom_after, "blocked", "discarded")),
    }
    usual = (queued, sent, telecom, Step(delivered_after, "delivered", "delivered"))
    return special.get(special_number(recipient), usual)
