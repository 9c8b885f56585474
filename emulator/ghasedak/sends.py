"""The six methods that send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen

from ..ledger import Message
from ..phone_numbers import normalise_foreign, normalise_mobile
from ..segments import count_segments
from .envelope import (
    ERROR_CREDIT,
    ERROR_FILTERED,
    ERROR_LENGTHS_DIFFER,
    ERROR_LINE,
    ERROR_NO_NEW_MESSAGE,
    ERROR_RECEPTOR,
    exception,
    invalid,
)
from .params import Params, check_list, parse_moment, split
from .reads import NAME, message_item
from .special_recipients import QUEUED, course, special_error
from .state import State

_MAX_TEMPLATE_PARAMS = 10
_TEXT_TYPE, _VOICE_TYPE = 1, 2


@frozen(kw_only=True)
class _Draft:
    """One message as it was ordered, to a recipient that is still unchecked."""

    operation: str
    kind: str
    receptor: str
    text: str
    line: str
    spoken: bool = False
    send_at: datetime | None = None
    check_id: str | None = None
    template: str | None = None
    params: tuple[str, ...] = ()


@frozen
class _Priced:
    """A draft that may be sent: its recipient in one form, its parts and its price."""

    draft: _Draft
    recipient: str
    parts: int
    encoding: str | None
    price: int


def send_simple(state: State, params: Params) -> object:
    """`sms/send/simple`."""
    return _send_simple(state, params, "sms/send/simple")


def send_simple_by_url(state: State, params: Params) -> object:
    """`sms/send/simple/url`, the same with a user name and a password."""
    return _send_simple(state, params, "sms/send/simple/url")


def _send_simple(state: State, params: Params, operation: str) -> object:
    text, receptor = params.require("message", "receptor", *_if_strict(state, "linenumber"))[:2]
    # A list has more than one number, and error 8 awaits it where only one is taken.
    receptors = [receptor] if state.switches.strict_number_list_simple else check_list(receptor.split(","))
    line = _line(state, params.get("linenumber"))
    moment = params.moment("senddate")
    check_ids = _check_ids(params, len(receptors), shared=True)
    drafts = [
        _Draft(operation=operation, kind="sms", receptor=entry, text=text, line=line, send_at=moment, check_id=check_id)
        for entry, check_id in zip(receptors, check_ids, strict=True)
    ]
    return _ids(_submit(state, drafts))


def send_bulk(state: State, params: Params) -> object:
    """`sms/send/bulk`: messages, recipients and lines element by element."""
    message, receptor, linenumber = params.require("message", "receptor", "linenumber")
    receptors = check_list(receptor.split(","))
    count = len(receptors)
    texts, lines = (_spread(state, check_list(split(value)), count) for value in (message, linenumber))
    moments = _moments(params, count)
    if not len(texts) == len(lines) == len(moments) == count:
        raise exception(ERROR_LENGTHS_DIFFER)
    check_ids = _check_ids(params, count)
    drafts = [
        _Draft(
            operation="sms/send/bulk",
            kind="sms",
            receptor=entry,
            text=text,
            line=_line(state, line),
            send_at=moment,
            check_id=check_id,
        )
        for entry, text, line, moment, check_id in zip(receptors, texts, lines, moments, check_ids, strict=True)
    ]
    return _ids(_submit(state, drafts))


def send_pair(state: State, params: Params) -> object:
    """`sms/send/pair`, "bulk 2" of the document: one message from one line to many."""
    text, receptor = params.require("message", "receptor", *_if_strict(state, "linenumber"))[:2]
    receptors = check_list(receptor.split(","))
    line = _line(state, params.get("linenumber"))
    moment = params.moment("senddate")
    drafts = [
        _Draft(
            operation="sms/send/pair",
            kind="sms",
            receptor=entry,
            text=text,
            line=line,
            send_at=moment,
            check_id=check_id,
        )
        for entry, check_id in zip(receptors, _check_ids(params, len(receptors)), strict=True)
    ]
    return _ids(_submit(state, drafts))


def send_verification(state: State, params: Params) -> object:
    """`verification/send/simple`: a template filled with up to ten values, as text or as a call."""
    receptor, _, template, _ = params.require("receptor", "type", "template", "param1")
    template = template.strip()
    kind = params.integer("type")
    if kind not in (_TEXT_TYPE, _VOICE_TYPE):
        raise invalid("type")
    known = state.switches.known_templates
    if known is not None and template not in known:
        raise exception(state.switches.unknown_template_error)
    values = _template_values(params)
    receptors = check_list(receptor.split(","))
    drafts = [
        _Draft(
            operation="verification/send/simple",
            kind="otp",
            receptor=entry,
            text=_fill(state, template, values),
            line=state.account.service_line,
            spoken=kind == _VOICE_TYPE,
            check_id=check_id,
            template=template,
            params=tuple(value or "" for value in values),
        )
        for entry, check_id in zip(receptors, _check_ids(params, len(receptors), shared=True), strict=True)
    ]
    return _ids(_submit(state, drafts))


def send_voice(state: State, params: Params) -> object:
    """`voice/send/simple`: a text that is read out. It has no line of its own (INFERRED: the account's first)."""
    text, receptor = params.require("message", "receptor", *_if_strict(state, "senddate"))[:2]
    moment = params.moment("senddate")
    line = _line(state, None)
    drafts = [
        _Draft(
            operation="voice/send/simple",
            kind="voice",
            receptor=entry,
            text=text,
            line=line,
            spoken=True,
            send_at=moment,
        )
        for entry in check_list(receptor.split(","))
    ]
    outcomes = _submit(state, drafts)
    if state.switches.voice_reply == "ids":
        return _ids(outcomes)
    return [message_item(item, "voice") if isinstance(item, Message) else item for item in outcomes]


def _if_strict(state: State, name: str) -> tuple[str, ...]:
    return (name,) if state.switches.strict_required else ()


def _line(state: State, wanted: str | None) -> str:
    lines = state.account.lines
    if wanted is None:
        if not lines:
            raise exception(ERROR_LINE)
        return lines[0]
    if wanted.strip() not in lines:
        raise exception(ERROR_LINE)
    return wanted.strip()


def _spread(state: State, entries: list[str], count: int) -> list[str]:
    return entries * count if state.switches.bulk_broadcast and len(entries) == 1 else entries


def _moments(params: Params, count: int) -> list[datetime | None]:
    value = params.get("senddate")
    if value is None:
        return [None] * count
    entries = split(value)
    # A vendor SDK ends this list, and only this one, with a comma.
    if len(entries) == count + 1 and not entries[-1]:
        entries.pop()
    return [parse_moment("senddate", entry) if entry else None for entry in entries]


def _check_ids(params: Params, count: int, *, shared: bool = False) -> list[str | None]:
    value = params.get("checkid")
    if value is None:
        return [None] * count
    entries = [entry or None for entry in split(value)]
    if shared and len(entries) == 1:
        entries *= count
    if len(entries) != count:
        raise exception(ERROR_LENGTHS_DIFFER)
    return entries


def _template_values(params: Params) -> list[str | None]:
    values = [params.get(f"param{number}") for number in range(1, _MAX_TEMPLATE_PARAMS + 1)]
    # The first one is required, so a word that means "no value" elsewhere is a value here.
    values[0] = params.require("param1")[0]
    while values[-1] is None:
        values.pop()
    return values


def _fill(state: State, template: str, values: Sequence[str | None]) -> str:
    text = state.templates.get(template)
    if text is None:
        return " ".join([template, *(value for value in values if value)])
    for number in range(_MAX_TEMPLATE_PARAMS, 0, -1):
        value = values[number - 1] if number <= len(values) else None
        text = text.replace(f"%param{number}%", value or "")
    return text


def _submit(state: State, drafts: Sequence[_Draft]) -> list[Message | int]:
    """Send all of it, or refuse; an error number takes a message's place only if the switch says so."""
    if state.switches.refuse_sends_with is not None:
        raise exception(state.switches.refuse_sends_with)
    outcomes = [_price(state, draft) for draft in drafts]
    errors = [outcome for outcome in outcomes if isinstance(outcome, int)]
    if errors and not state.switches.per_recipient_errors:
        raise exception(errors[0])
    cost = sum(outcome.price for outcome in outcomes if isinstance(outcome, _Priced))
    if cost > state.account.credit:
        raise exception(ERROR_CREDIT)
    _refuse_duplicates(state, drafts)
    state.account.credit -= cost
    return [_accept(state, outcome) if isinstance(outcome, _Priced) else outcome for outcome in outcomes]


def _price(state: State, draft: _Draft) -> _Priced | int:
    recipient = normalise_mobile(draft.receptor)
    abroad = recipient is None and draft.kind == "otp"
    if abroad:
        recipient = normalise_foreign(draft.receptor)
    if recipient is None:
        return ERROR_RECEPTOR
    error = special_error(recipient)
    if error is not None and not (error == ERROR_FILTERED and draft.kind == "otp"):
        return error
    account = state.account
    if draft.spoken:
        return _Priced(draft, recipient, 1, None, account.international_price if abroad else account.voice_price)
    segments = count_segments(draft.text)
    price = segments.parts * (account.international_price if abroad else account.sms_price)
    return _Priced(draft, recipient, segments.parts, segments.encoding, price)


def _refuse_duplicates(state: State, drafts: Sequence[_Draft]) -> None:
    if state.switches.duplicate_check_id == "accept":
        return
    for draft in drafts:
        if draft.check_id is not None and state.ledger.find_by_check_id(NAME, draft.check_id):
            raise exception(ERROR_NO_NEW_MESSAGE)


def _accept(state: State, priced: _Priced) -> Message:
    draft, switches = priced.draft, state.switches
    message = Message(
        id=state.new_message_id(),
        gateway=NAME,
        operation=draft.operation,
        line=draft.line,
        recipient=priced.recipient,
        text=draft.text,
        kind=draft.kind,
        parts=priced.parts,
        encoding=priced.encoding,
        price=priced.price,
        created_at=state.clock.now(),
        steps=course(priced.recipient, switches.telecom_after, switches.delivered_after),
        # INFERRED: the document has no code for a message that still waits for its time.
        scheduled_status=QUEUED,
        cancelled_status=switches.cancelled_status,
        send_at=draft.send_at,
        check_id=draft.check_id,
        template=draft.template,
        params=draft.params,
        clock=state.clock,
    )
    state.ledger.add(message)
    return message


def _ids(outcomes: Sequence[Message | int]) -> list[int]:
    return [outcome.id if isinstance(outcome, Message) else outcome for outcome in outcomes]


OPERATIONS: dict[str, Callable[[State, Params], object]] = {
    "sms/send/simple": send_simple,
    "sms/send/simple/url": send_simple_by_url,
    "sms/send/bulk": send_bulk,
    "sms/send/pair": send_pair,
    "verification/send/simple": send_verification,
    "voice/send/simple": send_voice,
}
