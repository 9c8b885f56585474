"""The protocol: what travels through each of the two doors, and ``ErrCode`` and ``result`` in every reply. No I/O."""

from __future__ import annotations

import contextlib
import decimal
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from aiohttp import hdrs

from ..common import checks
from ..common.bounds import as_int
from ..common.calls import Operation
from ..common.codec import as_dict, as_list, dumps, find_document, loads, parse
from ..common.errors import InvalidArgumentError, PayamakError, ReplyError
from ..common.hiding import hide_fields
from ..common.numbers import normalize_line, normalize_recipient
from ..common.results import OutgoingMessage, SendResult
from ..common.retry import Effect
from ..common.session import JSON_HEADERS, Reply, Request
from ..common.statuses import from_bare_reply
from ..common.structuring import decode
from . import soap
from .codes import from_code, from_fault
from .models import DeliveryCode, MessageStatus, ReceivedMessage
from .profiles import SoapProfile
from .text import require_xml_text

# The path is SOAP's method.
CREDIT = Operation("credit", "GetCredit", Effect.NONE)
SEND = Operation("send", "SendSMS", Effect.ONCE)
SEND_TO_MANY = Operation("send_to_many", "SendSMS", Effect.ONCE)
SEND_PAIRS = Operation("send_pairs", "SendMultipleSMS", Effect.ONCE)
STATUSES = Operation("statuses", "GetStatus", Effect.NONE)
# It answers with what was not read yet, so that a second run after a lost answer would skip what was lost.
RECEIVED = Operation("received", "GetMsg", Effect.ONCE)

REST_FILES = {
    "GetCredit": "getData.php",
    "SendSMS": "sendSms_OneToMany.php",
    "SendMultipleSMS": "sendSms_ManyToMany.php",
    "GetStatus": "getStatusArray.php",
    "GetMsg": "getMessages.php",
}
REST_NAMES = {
    "user": "uname",
    "pass": "pass",
    "fromNum": "from",
    "toNum": "to",
    "messageContent": "msg",
    "unique_ids": "uniqueIDs",
}
MAX_NUMBERS = 60

_SENDS = ("SendSMS", "SendMultipleSMS")
_DEEPEST_JSON = 3

Arguments = Mapping[str, str | Sequence[str]]


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Answer:
    """The result of a successful reply, and the HTTP status."""

    result: Any
    http_status: int


def build_soap_request(url: str, method: str, arguments: Arguments, profile: SoapProfile) -> Request:
    """Write a request as SOAP."""
    if profile.extra_arguments and method in _SENDS:
        arguments = {**arguments, **profile.extra_arguments}
    action = profile.soap_action.replace("{method}", method).replace("{namespace}", profile.namespace)
    headers = {hdrs.CONTENT_TYPE: "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    return Request("POST", url, headers, soap.encode_request(method, arguments, profile))


def build_rest_request(base_url: str, method: str, arguments: Arguments) -> Request:
    """Write a request as JSON."""
    # Each value by itself: for the whole, an encoder would be set up that costs more than these.
    fields = [
        f'"{REST_NAMES[name]}": {dumps(value) if isinstance(value, str) else _to_json(value)}'
        for name, value in arguments.items()
        if name in REST_NAMES
    ]
    if method == "SendMultipleSMS":
        pairs = zip(arguments["toNums"], arguments["messageContents"], strict=True)
        fields.append('"content": ' + dumps([{"to": number, "msg": text} for number, text in pairs]))
    return Request("POST", base_url + REST_FILES[method], JSON_HEADERS, f"{{{', '.join(fields)}}}".encode())


def _to_json(entries: Sequence[str]) -> str:
    # Numbers or ids: they need no escaping.
    return '["' + '", "'.join(entries) + '"]'


def unique_recipients(recipients: str | Iterable[str]) -> tuple[list[str], list[str]]:
    """The numbers as given, and as they travel; of those that are the same, one travels.

    The gateway would drop the others itself, and leave open which of them.
    """
    given = checks.require_list([recipients] if isinstance(recipients, str) else recipients, "recipients")
    numbers = [normalize_recipient(number, f"recipients[{index}]") for index, number in enumerate(given)]
    checks.require_list(list(dict.fromkeys(numbers)), "recipients", most=MAX_NUMBERS)
    return given, numbers


def send_arguments(numbers: list[str], text: str, sender: str) -> dict[str, str | Sequence[str]]:
    """Arguments of one text to many."""
    return {
        "fromNum": normalize_line(sender, "sender"),
        "toNum": list(dict.fromkeys(numbers)),
        "messageContent": require_xml_text(checks.require_text(text, "text"), "text"),
    }


def pair_arguments(messages: Iterable[OutgoingMessage]) -> tuple[dict[str, str | Sequence[str]], list[str]]:
    """Arguments of up to 60 messages, each with its own text, and their recipients as given."""
    entries = checks.require_list(messages, "messages", most=MAX_NUMBERS, ordered=True)
    numbers: list[str] = []
    texts: list[str] = []
    lines: set[str] = set()
    for index, entry in enumerate(entries):
        argument = f"messages[{index}]"
        checks.require_instance(entry, OutgoingMessage, argument)
        for name in ("send_at", "check_id"):
            if getattr(entry, name) is not None:
                raise InvalidArgumentError(
                    f"{argument}.{name} is unknown to this gateway", argument=f"{argument}.{name}"
                )
        numbers.append(normalize_recipient(entry.to, f"{argument}.to"))
        text = checks.require_text(entry.text, f"{argument}.text")
        texts.append(require_xml_text(text, f"{argument}.text"))
        lines.add(normalize_line(entry.sender, f"{argument}.sender"))
    if len(lines) > 1:
        raise InvalidArgumentError(
            "messages have different senders, and the gateway takes one line in a request: split them by line",
            argument="messages",
        )
    return {"fromNum": lines.pop(), "toNums": numbers, "messageContents": texts}, [entry.to for entry in entries]


def read_soap_answer(reply: Reply) -> Answer:
    """Tell success from refusal in a SOAP reply.

    Raises:
        GatewayError: The gateway refused, or answered with a fault.
        ReplyError: The answer says neither.
    """
    try:
        value = soap.decode_reply(reply.body)
    except soap.UnreadableXmlError as error:
        raise _from_unreadable(reply, _misfit(reply.status, str(error), None), _find_envelope(reply.body)) from None
    if isinstance(value, soap.Fault):
        raise from_fault(value.code, value.message, http_status=reply.status, retry_after=reply.retry_after)
    return _read_value(value, reply)


def read_rest_answer(reply: Reply) -> Answer:
    """Tell success from refusal in a JSON reply.

    Raises:
        GatewayError: The gateway refused.
        ReplyError: The answer says neither.
    """
    try:
        value = loads(reply.body, http_status=reply.status)
    except ReplyError as error:
        raise _from_unreadable(reply, error, find_document(reply.body)) from None
    return _read_value(value, reply)


def _find_envelope(body: bytes) -> Any:
    """What the SOAP behind a server's own warnings says; ``None`` if there is none."""
    start = re.search(rb"<\?xml\b|<(?:[\w-]+:)?Envelope\b", body)
    with contextlib.suppress(soap.UnreadableXmlError):
        return None if start is None else soap.decode_reply(body[start.start() :])
    return None


def _from_unreadable(reply: Reply, error: ReplyError, found: Any) -> PayamakError:
    """Make the exception for an answer that cannot be understood, though something was found within it."""
    code, result = _split(_unwrap(found))
    error.message_ids = () if code else tuple(_ids_in(result))
    return error if error.message_ids else from_bare_reply(reply, error)


def _read_value(value: Any, reply: Reply) -> Answer:
    value = _unwrap(value)
    code, result = _split(value)
    if code is None:
        # Only SendMultipleSMS answers without a code of its own: with a list, one entry a message.
        if as_list(value) is None or not value:
            problem = _misfit(reply.status, "there is no ErrCode", "ErrCode", _ids_in(value))
            raise problem if problem.message_ids else from_bare_reply(reply, problem)
        code, result = 0, value
    if code != 0:
        message = result if isinstance(result, str) else None
        raise from_code(code, gateway_message=message, http_status=reply.status, retry_after=reply.retry_after)
    if not 200 <= reply.status < 300:
        raise ReplyError(
            f"the answer contradicts itself: HTTP status {reply.status}, and success in the body",
            http_status=reply.status,
            field="ErrCode",
            message_ids=_ids_in(result),
            retry_after=reply.retry_after,
        )
    if result == "Array":
        raise _misfit(reply.status, "the server has lost the value and wrote the word Array")
    return Answer(result, reply.status)


def _split(value: Any) -> tuple[int | None, Any]:
    """Take ``ErrCode`` and ``result`` from any of the shapes in which PHP's servers write them."""
    fields = {name.lower(): entry for name, entry in as_dict(value).items()}
    if "errcode" in fields:
        return as_int(fields["errcode"]), _unwrap(fields.get("result"))
    entries = as_list(value)
    if entries is not None and len(entries) == 1 and "errcode" in {name.lower() for name in as_dict(entries[0])}:
        code, result = _split(entries[0])
        # A whole call that failed may come as a list of one.
        return (code, result) if code else (None, value)
    if entries is not None and len(entries) == 2 and not as_dict(entries[0]):
        # A server that declares a list of strings loses the names. A code is 0 or negative; anything else is an id.
        code = as_int(entries[0])
        is_code = code == 0 or (code is not None and code < 0 and not _ids_in(entries))
        return (code, _unwrap(entries[1])) if is_code else (None, value)
    bare = as_int(value)
    return (bare, None) if bare is not None and bare < 0 else (None, value)


def _unwrap(value: Any, depth: int = 0) -> Any:
    """Take JSON out of a string."""
    if depth < _DEEPEST_JSON and isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with contextlib.suppress(ValueError):
            return _unwrap(parse(value), depth + 1)
    return value


def _ids_in(result: Any) -> list[int]:
    """The ids that stand in an answer, for an error that cannot say whose they are."""
    entries = as_list(result)
    found = [as_int(as_dict(entry).get("result", entry)) for entry in ([result] if entries is None else entries)]
    return [number for number in found if number is not None and number > 0]


def _misfit(http_status: int, what: str, field: str | None = "result", message_ids: Sequence[int] = ()) -> ReplyError:
    return ReplyError(
        f"the answer (HTTP status {http_status}) does not fit: {what}",
        http_status=http_status,
        field=field,
        message_ids=message_ids,
    )


def read_credit(answer: Answer) -> decimal.Decimal:
    """The credit: bare, or in an object beside other things."""
    result = answer.result
    amount = as_dict(result).get("credit", result)
    return decode(amount, decimal.Decimal, path="result", http_status=answer.http_status)


def _entries_for(answer: Answer, count: int) -> list[Any]:
    """What the answer has for each of so many numbers. An id by itself stands for a list of one."""
    entries = as_list(answer.result)
    if entries is None:
        entries = [answer.result]
    if len(entries) != count:
        what = f"there are {len(entries)} ids for {count} numbers"
        raise _misfit(answer.http_status, what, message_ids=_ids_in(entries))
    return entries


def read_id(answer: Answer, recipient: str) -> SendResult:
    """The id of the only message."""
    (entry,) = _entries_for(answer, 1)
    identity = as_int(entry)
    if identity is None or identity <= 0:
        raise _misfit(answer.http_status, "there is no id")
    return SendResult(recipient, identity)


def read_ids(answer: Answer, given: Sequence[str], numbers: Sequence[str]) -> list[SendResult]:
    """Match the ids with the different numbers; those that were the same share an id."""
    unique = dict.fromkeys(numbers)
    ids = dict(zip(unique, map(as_int, _entries_for(answer, len(unique))), strict=True))
    if set(ids.values()) == {None}:
        raise _misfit(answer.http_status, "there are no ids")
    results: list[SendResult] = []
    for recipient, number in zip(given, numbers, strict=True):
        identity = ids[number]
        if identity is None or identity <= 0:
            error = _misfit(answer.http_status, "there is no id for this number")
            results.append(SendResult(recipient, error=error))
        else:
            results.append(SendResult(recipient, identity))
    return results


def read_pairs(answer: Answer, given: Sequence[str]) -> list[SendResult]:
    """One code and id for each message."""
    entries = as_list(answer.result)
    if entries is None or len(entries) != len(given):
        count = "no list" if entries is None else f"{len(entries)} entries"
        raise _misfit(
            answer.http_status, f"there are {count} for {len(given)} messages", message_ids=_ids_in(answer.result)
        )
    return [
        _read_pair(_unwrap(entry), recipient, answer.http_status, f"result[{index}]")
        for index, (entry, recipient) in enumerate(zip(entries, given, strict=True))
    ]


def _read_pair(entry: Any, recipient: str, http_status: int, field: str) -> SendResult:
    code, result = _split(entry)
    number = as_int(entry) if code is None else as_int(result)
    if code is not None and code != 0:
        return SendResult(recipient, error=from_code(code, gateway_message=result if isinstance(result, str) else None))
    if number is None or number <= 0:
        return SendResult(recipient, error=_misfit(http_status, "there is neither an id nor an error", field))
    return SendResult(recipient, number)


def read_statuses(answer: Answer, ids: Sequence[int]) -> list[MessageStatus]:
    """The status of each id: by position, by id, or in objects. The vendor's document leaves it open."""
    result = answer.result
    by_id = as_dict(result)
    entries = as_list(result)
    if entries is None and not any(str(number) in by_id for number in ids):
        if by_id and not {"status", "statusid"} & {name.lower() for name in by_id}:
            raise _misfit(answer.http_status, "there are no states")
        entries = [result]
    if entries is not None:
        if len(entries) != len(ids):
            raise _misfit(answer.http_status, f"there are {len(entries)} states for {len(ids)} ids")
        return [_read_status(number, entry) for number, entry in zip(ids, entries, strict=True)]
    return [_read_status(number, by_id.get(str(number))) for number in ids]


def _read_status(message_id: int, entry: Any) -> MessageStatus:
    fields = {name.lower(): value for name, value in as_dict(entry).items()}
    code = as_int(fields.get("statusid", fields.get("status")) if fields else entry)
    words = fields.get("status", entry)
    known = DeliveryCode(code) if code in list(DeliveryCode) else code
    return MessageStatus(message_id, known, words if isinstance(words, str) and as_int(words) is None else None)


def read_received(answer: Answer) -> list[ReceivedMessage]:
    """The messages that came in."""
    result = answer.result
    entries = [] if result is None or result == "" else as_list(result)
    fields = as_dict(result)
    if fields:  # A single message, or what PHP makes of a list with gaps.
        entries = [fields] if "msg" in fields else list(fields.values())
    if entries is None or not all(isinstance(entry, dict) for entry in entries):
        raise _misfit(answer.http_status, "there is no list of messages")
    return decode(entries, list[ReceivedMessage], path="result", http_status=answer.http_status)
