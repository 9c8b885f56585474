"""The special recipients, which work like the test cards of payment gateways, and how a message to anybody fares."""

from __future__ import annotations

from ..ledger import Step
from ..phone_numbers import special_number

MEANINGS = """\
The last two digits of 0900 000 00xx are the status that the message ends with:

    01 sending for ever, 02 telecom problem, 03 at the operator for ever, 04 at the handset,
    05 not at the handset, 06 blacklist
    13 is refused with -3
"""

SENDING, TELECOM_PROBLEM, AT_OPERATOR, AT_HANDSET, NOT_AT_HANDSET, BLACKLIST = 1, 2, 3, 4, 5, 6
_REFUSED = 13


def is_refused(recipient: str) -> bool:
    """Whether this recipient asks for a refusal."""
    return special_number(recipient) == _REFUSED


def course(recipient: str, telecom_after: float, delivered_after: float) -> tuple[Step, ...]:
    """How a message to this recipient fares."""
    sending = Step(0, "queued", SENDING)
    operator = Step(telecom_after, "sent", AT_OPERATOR)
    special: dict[int | None, tuple[Step, ...]] = {
        1: (sending,),
        2: (sending, Step(telecom_after, "failed", TELECOM_PROBLEM)),
        3: (sending, operator),
        5: (sending, operator, Step(delivered_after, "failed", NOT_AT_HANDSET)),
        6: (sending, Step(telecom_after, "blocked", BLACKLIST)),
    }
    usual = (sending, operator, Step(delivered_after, "delivered", AT_HANDSET))
    return special.get(special_number(recipient), usual)
