"""The six methods that send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..ledger import Message
from .envelope import ERROR_LENGTHS_DIFFER, ERROR_LINE, exception, invalid, missing
from .params import Params, check_list, parse_moment, split
from .reads import message_item
from .state import State
from .submission import Order, submit

_MAX_TEMPLATE_PARAMS = 10
_TEXT_TYPE, _VOICE_TYPE = 1, 2
_LINE_BREAKS = "\r\n"


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
    orders = [
        Order(operation=operation, kind="sms", receptor=entry, text=text, line=line, send_at=moment, check_id=check_id)
        for entry, check_id in zip(receptors, check_ids, strict=True)
    ]
    return _ids(submit(state, orders))


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
    orders = [
        Order(
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
    return _ids(submit(state, orders))


def send_pair(state: State, params: Params) -> object:
    """`sms/send/pair`, "bulk 2" of the document: one message from one line to many."""
    text, receptor = params.require("message", "receptor", *_if_strict(state, "linenumber"))[:2]
    receptors = check_list(receptor.split(","))
    line = _line(state, params.get("linenumber"))
    moment = params.moment("senddate")
    orders = [
        Order(
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
    return _ids(submit(state, orders))


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
    _check_template_values(state, template, values)
    receptors = check_list(receptor.split(","))
    orders = [
        Order(
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
    return _ids(submit(state, orders))


def send_voice(state: State, params: Params) -> object:
    """`voice/send/simple`: a text that is read out. It has no line of its own (INFERRED: the account's first)."""
    text, receptor = params.require("message", "receptor", *_if_strict(state, "senddate"))[:2]
    moment = params.moment("senddate")
    line = _line(state, None)
    orders = [
        Order(
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
    outcomes = submit(state, orders)
    if state.switches.voice_reply == "ids":
        return _ids(outcomes)
    return [message_item(state, item, "voice") if isinstance(item, Message) else item for item in outcomes]


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


def _check_template_values(state: State, template: str, values: Sequence[str | None]) -> None:
    switches = state.switches
    text = state.templates.get(template, "") if switches.refuse_missing_params else ""
    for number in range(1, _MAX_TEMPLATE_PARAMS + 1):
        value = (values[number - 1] if number <= len(values) else None) or ""
        if not value and f"%param{number}%" in text:
            raise missing(f"param{number}")
        has_break = any(character in value for character in _LINE_BREAKS)
        has_blank = any(character.isspace() and character not in _LINE_BREAKS for character in value)
        if (
            (switches.refuse_line_break_in_param and has_break)
            or (switches.refuse_blank_in_param and has_blank)
            or (switches.refuse_underscore_in_param and "_" in value)
        ):
            raise invalid(f"param{number}")


def _fill(state: State, template: str, values: Sequence[str | None]) -> str:
    text = state.templates.get(template)
    if text is None:
        return " ".join([template, *(value for value in values if value)])
    for number in range(_MAX_TEMPLATE_PARAMS, 0, -1):
        value = values[number - 1] if number <= len(values) else None
        text = text.replace(f"%param{number}%", value or "")
    return text


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
