"""The JSON sibling: a body of JSON in, `{"errCode", "result"}` out, always with HTTP 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from ..gateway import GatewayRequest, Refusal, Reply
from ..phpjson import php_json
from ..texts import read_json
from . import methods
from .methods import OK, SEND_ERROR, RefusalError
from .state import State

_Body = Mapping[str, Any]
_CONTENT_TYPE = "application/json; charset=utf-8"


def handle(state: State, name: str, request: GatewayRequest) -> Reply:
    """Answer one call of the file `name`."""
    operation = _OPERATIONS.get(name.lower())
    if operation is None:
        return Reply(404, b"Not Found", "text/html; charset=UTF-8")
    body = _object(request.body)
    code, result = OK, cast("object", None)
    try:
        methods.authenticate(state, _text(body.get("uname")), _text(body.get("pass")))
        result = operation(state, body)
    except RefusalError as refusal:
        code, result = refusal.code, refusal.reason
    return _reply(state, code, result)


def refuse(state: State, name: str, request: GatewayRequest, refusal: Refusal) -> Reply:
    """Refuse a call, or each pair of it where each has an answer of its own."""
    error = methods.refusal(refusal.code, refusal.message)
    if refusal.each and _OPERATIONS.get(name.lower()) is _many_to_many:
        pairs = _object(request.body).get("content")
        count = len(cast("list[object]", pairs)) if isinstance(pairs, list) else 0
        return _reply(state, OK, [_refused_pair(error.code, error.reason)] * count, refusal.status)
    return _reply(state, error.code, error.reason, refusal.status)


def _reply(state: State, code: int, result: object, status: int | None = None) -> Reply:
    envelope = {"errCode": str(code) if state.switches.string_codes else code, "result": result}
    return Reply(status or 200, php_json(envelope).encode(), _CONTENT_TYPE)


def _one_to_many(state: State, body: _Body) -> object:
    numbers = _texts(body.get("to"))
    return methods.send_sms(state, _text(body.get("from")), numbers, _text(body.get("msg")), "sendSms_OneToMany")


def _many_to_many(state: State, body: _Body) -> object:
    content = body.get("content")
    pairs = cast("list[object]", content) if isinstance(content, list) else []
    nothing: _Body = {}
    entries = [cast("_Body", pair) if isinstance(pair, dict) else nothing for pair in pairs]
    numbers, texts = ([_text(entry.get(key)) for entry in entries] for key in ("to", "msg"))
    outcomes = methods.send_multiple(state, _text(body.get("from")), numbers, texts, "sendSms_ManyToMany")
    return [
        outcome.result if outcome.code == OK else _refused_pair(outcome.code, outcome.result) for outcome in outcomes
    ]


def _refused_pair(code: int, reason: str) -> dict[str, object]:
    # INFERRED: what stands in the place of an id where one pair alone was refused.
    return {"errCode": code, "result": reason}


def _status(state: State, body: _Body) -> object:
    statuses = _statuses(state, [_text(body.get("uniqueID"))])
    if not statuses:
        raise RefusalError(SEND_ERROR, "شناسه نامعتبر است")
    return statuses[0]


def _status_array(state: State, body: _Body) -> object:
    return _statuses(state, _texts(body.get("uniqueIDs")))


def _statuses(state: State, ids: list[str]) -> list[object]:
    found = methods.get_status(state, ids)
    return [{"status": methods.status_text(status), "statusId": str(status)} for _, status in found]


def _messages(state: State, _body: _Body) -> object:
    return methods.get_messages(state)


def _data(state: State, _body: _Body) -> object:
    return {"credit": methods.get_credit(state)}


_OPERATIONS: Mapping[str, Callable[[State, _Body], object]] = {
    "sendsms_onetomany.php": _one_to_many,
    "sendsms_manytomany.php": _many_to_many,
    "getstatus.php": _status,
    "getstatusarray.php": _status_array,
    "getmessages.php": _messages,
    "getdata.php": _data,
}


def _object(body: bytes) -> _Body:
    try:
        content = read_json(body)
    except ValueError:
        return {}
    return cast("_Body", content) if isinstance(content, dict) else {}


def _text(value: object) -> str:
    is_scalar = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_scalar else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [_text(item) for item in cast("list[object]", value)]
    text = _text(value)
    return [text] if text else []
