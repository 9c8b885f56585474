"""What was sent, and how it fared."""

from __future__ import annotations

from collections.abc import Iterable

from ..jalali import jalali_text
from ..ledger import Message
from .envelope import Payload
from .operation import Call, get
from .paging import after_last_id, page
from .records import Batch
from .state import State


def get_from_last_id(state: State, call: Call) -> Payload:
    """`GetLastSentMessagesFromLastId`."""
    last_id = call.fields.integer("lastId")
    return _batches(state, after_last_id(state, _listed(state), last_id, lambda batch: batch.id))


def get_by_page(state: State, call: Call) -> Payload:
    """`GetLastSentMessagesByPageId`."""
    return _batches(state, page(_listed(state), call.fields.integer("pageId")))


def _listed(state: State) -> list[Batch]:
    return [batch for batch in reversed(state.batches) if _count_listed(state, batch)]


def _count_listed(state: State, batch: Batch) -> int:
    """How many of a send's recipients the lists show by now, in the order in which they were named."""
    delay, step = state.switches.sends_listed_after, state.switches.recipients_listed_every
    count = len(batch.messages)
    # A clock that was set back hides nothing unless a switch says so.
    if delay == step == 0:
        return count
    elapsed = (state.clock.now() - batch.sent_at).total_seconds() - delay
    if elapsed < 0:
        return 0
    return min(count, 1 + int(elapsed / step)) if step else count


def _batches(state: State, batches: Iterable[Batch]) -> Payload:
    items = [
        {
            "Id": batch.id,
            "BatchKey": batch.key,
            "SendDateTime": batch.sent_at,
            "PersianSendDateTime": jalali_text(batch.sent_at),
            "DistinctRecipientsCount": _count_listed(state, batch),
            "Message": batch.text,
        }
        for batch in batches
    ]
    return {"Messages": items}


def get_mobile_numbers(state: State, call: Call) -> Payload:
    """`GetSentMessagesMobileNumbers`. Id is that of one recipient's message; an unknown key has none (INFERRED)."""
    key = call.fields.required_text("batchKey").strip().lower()
    batches = [batch for batch in state.batches if batch.key == key]
    messages = [message for batch in batches for message in batch.messages[: _count_listed(state, batch)]]
    chosen = after_last_id(state, messages[::-1], call.fields.integer("lastId"), lambda message: message.id)
    return {"Messages": [_number(state, key, message) for message in chosen]}


def _number(state: State, key: str, message: Message) -> Payload:
    mobile = message.recipient
    return {
        "Id": message.id,
        "BatchKey": key,
        "MobileNumber": int(mobile) if state.switches.mobile_as_number else mobile,
        "SendDateTime": message.created_at,
        "PersianSendDateTime": jalali_text(message.created_at),
        "DeliveryStatus": message.status,
        "SmsMessageBody": message.text,
    }


OPERATIONS = (
    get("Message/GetLastSentMessagesFromLastId", get_from_last_id, Messages=None),
    get("Message/GetLastSentMessagesByPageId", get_by_page, Messages=None),
    get("Message/GetSentMessagesMobileNumbers", get_mobile_numbers, "batchKey", Messages=None),
)
