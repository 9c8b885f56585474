"""Status, cancelling, received messages and the account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ..jalali import TEHRAN
from ..ledger import InboxMessage, Message
from .envelope import ERROR_LINE, ERROR_SYSTEM, Page, exception, invalid, not_found
from .params import Params, parse_moment, split_ids
from .special_recipients import WRONG_ID
from .state import State

NAME = "ghasedak"
_MAX_LAST = 100
_MAX_PAGE_SIZE = 200
_BY_MESSAGE_ID, _BY_CHECK_ID = 1, 2
_ID = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_SHOWN = {"all": slice(None), "first": slice(1), "last": slice(-1, None)}
_Item = dict[str, object]


def status(state: State, params: Params) -> object:
    """`sms/status`."""
    ids, _ = params.require("id", "type")
    kind = params.integer("type") if params.get("type") else 0
    if kind not in (_BY_MESSAGE_ID, _BY_CHECK_ID):
        raise invalid("type")
    items: list[_Item] = []
    for entry in split_ids(ids):
        found = _by_message_id(state, entry) if kind == _BY_MESSAGE_ID else find_by_check_id(state, entry)
        items.extend(message_item(state, message, "status") for message in found)
        if not found:
            items.extend(_unknown(state, entry))
    return _reply(state.switches.status_reply, items)


def message_item(state: State, message: Message, status_key: str) -> dict[str, object]:
    """One item of a status reply; a voice reply is the same but for one name."""
    moment = message.send_at or message.created_at
    return {
        "messageid": message.id,
        "message": message.text + (state.switches.appended_text or ""),
        status_key: message.status,
        "price": message.price,
        "sender": message.line,
        "receptor": message.recipient,
        "senddate": str(int(moment.timestamp())),
    }


def _by_message_id(state: State, entry: str) -> Sequence[Message]:
    message = state.ledger.find(NAME, int(entry)) if _ID.fullmatch(entry) else None
    return [message] if message is not None else []


def find_by_check_id(state: State, check_id: str) -> Sequence[Message]:
    """The messages that the gateway knows by a checkid, oldest first."""
    switches = state.switches
    is_number = _NUMBER.fullmatch(check_id) is not None
    if switches.kept_check_ids == "none" or (switches.kept_check_ids == "numbers" and not is_number):
        return []
    return state.ledger.find_by_check_id(NAME, check_id)[_SHOWN[switches.reused_check_id]]


def _reply(manner: str, items: list[_Item]) -> object:
    if manner == "not_found":
        raise not_found()
    if manner in _REWRITTEN:
        return [_REWRITTEN[manner](item) for item in items]
    if manner == "null":
        return None
    return [] if manner == "empty" else items


def _misspelled(item: _Item) -> _Item:
    return {"messageId" if name == "messageid" else name: value for name, value in item.items()}


def _receptor_as_number(item: _Item, country: str) -> _Item:
    mobile = str(item["receptor"])
    return {**item, "receptor": int(country + mobile.removeprefix("0"))} if mobile.startswith("0") else item


_REWRITTEN: Mapping[str, Callable[[_Item], _Item]] = {
    "null_ids": lambda item: {**item, "messageid": None},
    "zero_ids": lambda item: {**item, "messageid": 0},
    "text_ids": lambda item: {**item, "messageid": str(item["messageid"])},
    "misspelled_ids": _misspelled,
    "short_receptors": lambda item: _receptor_as_number(item, ""),
    "long_receptors": lambda item: _receptor_as_number(item, "98"),
}


def _unknown(state: State, entry: str) -> list[_Item]:
    if state.switches.unknown_id == "error":
        raise exception(ERROR_SYSTEM)
    if state.switches.unknown_id == "omit":
        return []
    # INFERRED: -1 is documented as a status, so it must stand in an item; the rest of that item is empty.
    identifier = int(entry) if _ID.fullmatch(entry) else 0
    empty = {"price": 0, "sender": "", "receptor": "", "senddate": ""}
    return [{"messageid": identifier, "message": "", "status": WRONG_ID, **empty}]


def cancel(state: State, params: Params) -> object:
    """`sms/cancel`. Answers with what was cancelled; all else is left out (INFERRED)."""
    (ids,) = params.require("messageid")
    cancelled: list[Message] = []
    for entry in split_ids(ids):
        for message in _by_message_id(state, entry):
            if message.is_scheduled:
                message.cancel()
                state.account.credit += message.price
                cancelled.append(message)
    if state.switches.cancel_reply == "objects":
        return [{"messageId": message.id, "status": message.status} for message in cancelled]
    return [message.id for message in cancelled]


def receive_last(state: State, params: Params) -> object:
    """`sms/receive/last`: the newest hundred, oldest first (INFERRED)."""
    params.require("linenumber", "isread")
    return _fetch(state, _incoming(state, params)[-_MAX_LAST:])


def receive_paging(state: State, params: Params) -> object:
    """`sms/receive/paging`. A larger `offset` than 200 counts as 200, and both dates are included (INFERRED)."""
    _, _, from_text, to_text, _, _ = params.require("linenumber", "isread", "fromdate", "todate", "page", "offset")
    start, end = parse_moment("fromdate", from_text), parse_moment("todate", to_text)
    size, page = params.integer("offset"), params.integer("page") - state.switches.inbox_first_page
    if size < 1:
        raise invalid("offset")
    if page < 0:
        raise invalid("page")
    size = min(size, _MAX_PAGE_SIZE)
    # Whole seconds, as the reply shows them: a message of 12:00:00.7 arrived at 12:00:00 for the caller.
    chosen = [
        message for message in _incoming(state, params) if start <= message.received_at.replace(microsecond=0) <= end
    ]
    total = len(chosen)
    return Page(_fetch(state, chosen[page * size : page * size + size]), total)


def _incoming(state: State, params: Params) -> list[InboxMessage]:
    line = params.require("linenumber")[0].strip()
    is_read = params.integer("isread")
    if is_read not in (0, 1):
        raise invalid("isread")
    if line not in state.account.lines:
        raise exception(ERROR_LINE)
    chosen = [message for message in state.inbox if message.line == line and message.read == bool(is_read)]
    return sorted(chosen, key=lambda message: message.received_at)


def _fetch(state: State, messages: Sequence[InboxMessage]) -> list[Mapping[str, object]]:
    if state.switches.reading_marks_as_read:
        for message in messages:
            message.read = True
    return [
        {
            "messageid": message.id,
            "message": message.text,
            "sender": message.sender,
            "linenumber": message.line,
            "receivedate": _local_date(message.received_at),
        }
        for message in messages
    ]


def _local_date(moment: datetime) -> str:
    # The sample shows a second without its zero, so no part is padded; the zone is INFERRED.
    local = moment.astimezone(TEHRAN)
    return f"{local.year}-{local.month}-{local.day}T{local.hour}:{local.minute}:{local.second}"


def account_info(state: State, _params: Params) -> object:
    """`account/info`: the expiry is a text in the document, the balance a number."""
    return {"balance": state.account.credit, "expire": str(state.account.expire)}


OPERATIONS: dict[str, Callable[[State, Params], object]] = {
    "sms/status": status,
    "sms/cancel": cancel,
    "sms/receive/last": receive_last,
    "sms/receive/paging": receive_paging,
    "account/info": account_info,
}
