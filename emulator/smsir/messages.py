"""Messages as the ledger keeps them."""

from __future__ import annotations

from ..ledger import Message
from ..segments import count_segments
from .special_recipients import course
from .state import NAME, State


def new_message(state: State, mobile: str, text: str, operation: str, *, part_price: int, kind: str = "sms") -> Message:
    """A message that goes out now."""
    segments = count_segments(text)
    steps = course(mobile, state.switches.telecom_after, state.switches.delivered_after)
    return Message(
        id=state.new_message_id(),
        gateway=NAME,
        operation=operation,
        # The vendor sends from a line of its own choice and never names it.
        line="",
        recipient=mobile,
        text=text,
        kind=kind,
        parts=segments.parts,
        encoding=segments.encoding,
        price=segments.parts * part_price,
        created_at=state.clock.now(),
        steps=steps,
        # This web service neither schedules nor cancels.
        scheduled_status=steps[0].status,
        cancelled_status=steps[0].status,
        clock=state.clock,
    )
