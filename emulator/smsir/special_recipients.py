"""The special recipients, which work like the test cards of payment gateways, and how a message to anybody fares."""

from __future__ import annotations

from ..ledger import Step
from ..phone_numbers import normalise_mobile, special_number

MEANINGS = """\
The last two digits of 0900 000 00xx decide:

    08  no number: AddContacts lists it as erroneous, a send is refused or leaves it out
    09  a send to it is refused for lack of credit
    10  a send to it is refused with the text of a .NET exception
    02  accepted, later not delivered to the handset
    16  accepted, later not delivered to telecom
    27  accepted, later blacklisted
    00  accepted, stays in the queue for ever
    88  accepted, stays at telecom for ever
"""

# Three of these texts stand in the document, which ends its list with "and so on"; the others are INFERRED.
QUEUED = "در صف ارسال"
REACHED_TELECOM = "رسیده به مخابرات"
DELIVERED = "رسیده به گوشی"
UNDELIVERED = "نرسیده به گوشی"
NOT_REACHED_TELECOM = "نرسیده به مخابرات"
BLACKLISTED = "لیست سیاه"

WRONG_NUMBER, NO_CREDIT, EXCEPTION = 8, 9, 10


def read_mobile(text: str) -> str | None:
    """A mobile number as 09…, or None if it is none, or the one that plays a wrong number."""
    mobile = normalise_mobile(text)
    return None if mobile is None or special_number(mobile) == WRONG_NUMBER else mobile


def course(recipient: str, telecom_after: float, delivered_after: float) -> tuple[Step, ...]:
    """How a message to this recipient fares."""
    queued = Step(0, "queued", QUEUED)
    sent = Step(telecom_after, "sent", REACHED_TELECOM)
    special: dict[int | None, tuple[Step, ...]] = {
        0: (queued,),
        2: (queued, sent, Step(delivered_after, "failed", UNDELIVERED)),
        16: (queued, Step(telecom_after, "failed", NOT_REACHED_TELECOM)),
        27: (queued, Step(telecom_after, "blocked", BLACKLISTED)),
        88: (queued, sent),
    }
    return special.get(special_number(recipient), (queued, sent, Step(delivered_after, "delivered", DELIVERED)))
