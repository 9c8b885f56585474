"""From envelope to envelope. Refusals are results with an ErrCode; faults are for what is no proper call."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping

from multidict import CIMultiDict

from ..gateway import GatewayRequest, Refusal, Reply
from . import methods
from .arguments import METHODS, Arguments, TooManyArgumentsError, find_call
from .methods import OK, RefusalError
from .state import State
from .xmlread import XmlError, parse
from .xmlwrite import Value, fault, response

_INTEGER_CODES = ("GetStatus", "GetMsg")
_SERVER = "NuSOAP/0.9.17 (1.123)"
_Answer = Callable[[State, str, Arguments], Value]


class _FaultError(Exception):
    def __init__(self, text: str, code: str = "Client") -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def handle(state: State, request: GatewayRequest) -> Reply:
    """Answer one call."""
    return _reply(state, request, _result)


def refuse(state: State, request: GatewayRequest, refusal: Refusal) -> Reply:
    """Refuse a call, or each pair of it where each has an answer of its own."""
    error = methods.refusal(refusal.code, refusal.message)

    def result(state: State, method: str, arguments: Arguments) -> Value:
        if refusal.each and method == "SendMultipleSMS":
            return [_envelope(state, method, error.code, error.reason)] * len(arguments.texts("toNums"))
        return _failure(state, method, error)

    return _reply(state, request, result, refusal.status)


def _reply(state: State, request: GatewayRequest, answer: _Answer, status: int | None = None) -> Reply:
    switches = state.switches
    charset = "ISO-8859-1" if switches.declares_iso_8859_1 else "UTF-8"
    try:
        method, value = _run(state, request.body, answer)
        text = response(method, value, switches.result_style, switches.namespace, charset)
    except _FaultError as error:
        status, text = status or 500, fault(error.code, error.text, charset)
    headers = CIMultiDict[str]({"X-SOAP-Server": _SERVER})
    # UTF-8 whatever the declaration says: nuSOAP announces an encoding without converting to it.
    body = text.encode("utf-8")
    if switches.gzip and "gzip" in request.headers.get("Accept-Encoding", "").lower():
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body)
    return Reply(status or 200, body, f"text/xml; charset={charset}", headers)


def _run(state: State, body: bytes, answer: _Answer) -> tuple[str, Value]:
    if state.switches.fault_on_next > 0:
        state.switches.fault_on_next -= 1
        raise _FaultError("the emulator was told to answer with a fault", "Server")
    try:
        call = find_call(parse(body))
        if call.method not in METHODS:
            raise _FaultError(f"Operation '{call.method}' is not defined in the WSDL for this service")
        return call.method, answer(state, call.method, Arguments(call, state.switches))
    except XmlError as error:
        raise _FaultError(f"error in msg parsing:\nXML error parsing SOAP payload: {error}") from None
    except TooManyArgumentsError:
        raise _FaultError("there are more arguments than the operation has") from None


def _result(state: State, method: str, arguments: Arguments) -> Value:
    try:
        methods.authenticate(state, arguments.text("user"), arguments.text("pass"))
        if method == "SendMultipleSMS":
            return _send_multiple(state, arguments)
        return _envelope(state, method, OK, _simple(state, method, arguments))
    except RefusalError as refusal:
        return _failure(state, method, refusal)


def _failure(state: State, method: str, refusal: RefusalError) -> Value:
    failure = _envelope(state, method, refusal.code, refusal.reason)
    in_list = method == "SendMultipleSMS" and state.switches.whole_call_failure == "list"
    return [failure] if in_list else failure


def _simple(state: State, method: str, arguments: Arguments) -> Value:
    if method == "GetCredit":
        return methods.get_credit(state)
    if method == "SendSMS":
        sender, text = arguments.text("fromNum"), arguments.text("messageContent")
        return methods.send_sms(state, sender, arguments.texts("toNum"), text)
    if method == "GetStatus":
        return _statuses(state, arguments.texts("unique_ids"))
    return methods.get_messages(state)


def _send_multiple(state: State, arguments: Arguments) -> Value:
    numbers, texts = arguments.texts("toNums"), arguments.texts("messageContents")
    outcomes = methods.send_multiple(state, arguments.text("fromNum"), numbers, texts)
    return [_envelope(state, "SendMultipleSMS", outcome.code, outcome.result) for outcome in outcomes]


def _statuses(state: State, ids: list[str]) -> Value:
    found = methods.get_status(state, ids)
    if state.switches.status_result == "codes":
        return [status for _, status in found]
    if state.switches.status_result == "map":
        # PHP turns a key that is written as a number into one.
        return {int(entry): status for entry, status in found if entry.isascii() and entry.isdecimal()}
    return [{"status": methods.status_text(status), "statusId": str(status)} for _, status in found]


def _envelope(state: State, method: str, code: int, result: Value) -> Mapping[str, Value]:
    is_integer = method in _INTEGER_CODES and not state.switches.string_codes
    return {"ErrCode": code if is_integer else str(code), "result": result}
