"""The protocol: requests as bytes, and the envelope of every reply. No I/O.

A reply is ``{"result": {"code": 200, "message": "success"}, "items": …}``. What counts is the code in it; the HTTP
status usually says the same, and stands in where there is no envelope.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, get_origin

import attrs

from ..common import checks
from ..common.bounds import MOST_INTEGER, as_int
from ..common.calls import Operation
from ..common.codec import as_dict, as_list, encode_form, find_document, loads
from ..common.errors import InvalidArgumentError, Outcome, ReplyError
from ..common.hiding import hide_fields
from ..common.numbers import normalize_iranian, normalize_line, normalize_recipient
from ..common.results import OutgoingMessage, SendResult
from ..common.retry import Effect
from ..common.session import Reply, Request
from ..common.statuses import from_bare_reply, from_status
from ..common.structuring import decode
from .codes import RESULT_CODES, from_error_number
from .models import Account, Contact, MessageStatus, OtpKind, ReceivedMessage, ReceivedPage, to_unix

SEND = Operation("send", "sms/send/simple", Effect.ONCE)
SEND_BY_USERNAME = Operation("send_by_username", "sms/send/simple/url", Effect.ONCE)
SEND_PAIRS = Operation("send_pairs", "sms/send/bulk", Effect.ONCE)
SEND_TO_MANY = Operation("send_to_many", "sms/send/pair", Effect.ONCE)
SEND_OTP = Operation("send_otp", "verification/send/simple", Effect.ONCE)
SEND_VOICE = Operation("send_voice", "voice/send/simple", Effect.ONCE)
STATUSES = Operation("statuses", "sms/status", Effect.NONE)
STATUSES_BY_CHECK_ID = Operation("statuses_by_check_id", "sms/status", Effect.NONE)
RECEIVED = Operation("received", "sms/receive/last", Effect.NONE)
RECEIVED_PAGE = Operation("received_page", "sms/receive/paging", Effect.NONE)
# A second run finds the messages cancelled already and would not list them: a false failure.
CANCEL = Operation("cancel", "sms/cancel", Effect.ONCE)
ACCOUNT = Operation("account", "account/info", Effect.NONE)
GROUPS_CREATE = Operation("groups.create", "contact/group/new", Effect.ONCE)
GROUPS_ADD_CONTACTS = Operation("groups.add_contacts", "contact/group/addnumber", Effect.ONCE)
GROUPS_LIST = Operation("groups.list", "contact/group/list", Effect.NONE, "GET")
GROUPS_CONTACTS = Operation("groups.contacts", "contact/group/listnumber", Effect.NONE, "GET")
GROUPS_RENAME = Operation("groups.rename", "contact/group/edit", Effect.REPEATABLE)
# A second run finds nothing to remove and would be refused: a false failure.
GROUPS_DELETE = Operation("groups.delete", "contact/group/remove", Effect.ONCE)
GROUPS_REMOVE_CONTACTS = Operation("groups.remove_contacts", "contact/group/number/remove", Effect.ONCE)

MAX_ENTRIES = 100
MAX_OTP_PARAMS = 10
MAX_RECEIVED_PAGE = 200
_FIRST_CHECK_ID = 10**17
HIGHEST_ERROR_NUMBER = 1000
"""Among the ids of a send, a number up to this one is the error that this one recipient met."""

_SUCCESS = 200

T = TypeVar("T")
Fields: TypeAlias = dict[str, str | None]
"""Parameters by their names on the wire; those that are None stay away."""


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Envelope:
    """A successful reply: its ``items``, and the fields beside them."""

    items: Any
    fields: Mapping[str, Any]
    http_status: int


def build_request(operation: Operation, base_url: str, headers: Mapping[str, str], fields: Fields) -> Request:
    """Put the fields into the body of a POST, or into the query of a GET."""
    # aiohttp's own encoder would build a multipart writer for this.
    form = encode_form({name: value for name, value in fields.items() if value is not None})
    url = base_url + operation.path
    if operation.method == "GET":
        return Request("GET", f"{url}?{form}" if form else url, headers)
    return Request(operation.method, url, headers, form.encode("ascii"))


def text_fields(receptor: str, marks: Sequence[str], text: str, *, sender: str | None, send_at: Any) -> Fields:
    """Fields of one text to recipients, who are checked and joined already, and their check ids."""
    return {
        "message": checks.require_text(text, "text"),
        "receptor": receptor,
        "linenumber": None if sender is None else normalize_line(sender, "sender"),
        "senddate": _send_date(send_at, "send_at"),
        "checkid": ",".join(marks) or None,
    }


def pair_fields(messages: Iterable[OutgoingMessage]) -> tuple[Fields, list[str], list[str]]:
    """Fields of up to 100 messages, each with its own text; their recipients as given, and their check ids."""
    entries = checks.require_list(messages, "messages", most=MAX_ENTRIES, ordered=True)
    columns: dict[str, list[str]] = {name: [] for name in ("message", "receptor", "linenumber", "senddate", "checkid")}
    for index, entry in enumerate(entries):
        argument = f"messages[{index}]"
        checks.require_instance(entry, OutgoingMessage, argument)
        text = checks.require_text(entry.text, f"{argument}.text")
        columns["message"].append(checks.require_no_comma(text, f"{argument}.text", "send this one with send()"))
        columns["receptor"].append(normalize_iranian(entry.to, f"{argument}.to"))
        columns["linenumber"].append(normalize_line(entry.sender, f"{argument}.sender"))
        if entry.send_at is not None:
            columns["senddate"].append(to_unix(checks.require_send_time(entry.send_at, f"{argument}.send_at")))
        if entry.check_id is not None:
            columns["checkid"].append(check_id_text(entry.check_id, f"{argument}.check_id"))
    for name, attribute in (("senddate", "send_at"), ("checkid", "check_id")):
        # The lists have no way to leave out an entry in their middle.
        if columns[name] and len(columns[name]) != len(entries):
            raise InvalidArgumentError(
                f"messages must all have a {attribute}, or none: send those without in a request of their own",
                argument="messages",
            )
    marks = columns["checkid"] or mint_check_ids(len(entries))
    fields = {name: ",".join(values) or None for name, values in columns.items()}
    return {**fields, "checkid": ",".join(marks)}, [entry.to for entry in entries], marks


def recipients_of(recipients: str | Iterable[str], *, international: bool, ordered: bool) -> tuple[str, list[str]]:
    """One number or up to 100: comma-joined as they travel, and as given."""
    normalize = normalize_recipient if international else normalize_iranian
    entries = [recipients] if isinstance(recipients, str) else recipients
    given = checks.require_list(entries, "recipients", most=MAX_ENTRIES, ordered=ordered)
    joined = ",".join(normalize(number, f"recipients[{index}]") for index, number in enumerate(given))
    return joined, list(given)


def marks_of(check_id: str | None, check_ids: Iterable[str] | None, count: int) -> list[str]:
    """Check ids as they travel, one for each recipient; minted if none is given."""
    if check_id is not None:
        if check_ids is not None or count > 1:
            raise InvalidArgumentError(
                "check_id goes with one recipient: give check_ids, one for each", argument="check_id"
            )
        return [check_id_text(check_id, "check_id")]
    if check_ids is None:
        return mint_check_ids(count)
    given = checks.require_list(check_ids, "check_ids", most=MAX_ENTRIES, ordered=True)
    if len(given) != count:
        raise InvalidArgumentError(
            f"check_ids has {len(given)} entries and recipients {count}: give one for each", argument="check_ids"
        )
    return [check_id_text(mark, f"check_ids[{index}]") for index, mark in enumerate(given)]


def mint_check_id() -> str:
    """Make a check id that nobody has used. The vendor calls them numbers: 18 digits, so that none gets lost."""
    return f"{_FIRST_CHECK_ID + int.from_bytes(os.urandom(8), 'big') % (8 * _FIRST_CHECK_ID)}"


def mint_check_ids(count: int) -> list[str]:
    """Make several of them."""
    first = int(mint_check_id())
    return [str(first + place) for place in range(count)]


def otp_fields(receptor: str, template: str, params: Iterable[str], *, kind: int, marks: Sequence[str]) -> Fields:
    """Fields of a template filled with 1 to 10 params."""
    values = checks.require_list(params, "params", most=MAX_OTP_PARAMS, ordered=True)
    return {
        "receptor": receptor,
        "type": str(int(checks.require_between(kind, "kind", OtpKind.TEXT, OtpKind.VOICE))),
        "template": checks.require_text(template, "template"),
        "checkid": ",".join(marks) or None,
        **{
            f"param{number}": checks.require_text(value, f"params[{number - 1}]")
            for number, value in enumerate(values, 1)
        },
    }


def contact_fields(group_id: int, contacts: Iterable[Contact]) -> Fields:
    """Fields of up to 100 contacts for a group."""
    fields: Fields = {"groupid": str(checks.require_id(group_id, "group_id"))}
    entries = checks.require_list(contacts, "contacts", most=MAX_ENTRIES)
    for index, entry in enumerate(entries):
        checks.require_instance(entry, Contact, f"contacts[{index}]")
    fields["number"] = ",".join(
        normalize_recipient(entry.number, f"contacts[{index}].number") for index, entry in enumerate(entries)
    )
    for name, attribute in (("firstname", "first_name"), ("lastname", "last_name"), ("email", "email")):
        values = [getattr(entry, attribute) or "" for entry in entries]
        for index, value in enumerate(values):
            argument = f"contacts[{index}].{attribute}"
            if value:
                checks.require_no_comma(checks.require_text(value, argument), argument, "leave the comma out")
        fields[name] = ",".join(values) if any(values) else None
    return fields


def ids_of(ids: Iterable[int], argument: str, *, most: int | None = None) -> list[str]:
    """Ids as they travel."""
    entries = checks.require_list(ids, argument, most=most)
    return [str(checks.require_id(entry, f"{argument}[{index}]")) for index, entry in enumerate(entries)]


def status_fields(ids: Sequence[str], kind: str) -> Fields:
    """Fields of a question for up to 100 messages."""
    return {"id": ",".join(ids), "type": kind}


def cancel_fields(message_ids: Iterable[int]) -> Fields:
    """Fields of a request to take back up to 100 messages."""
    return {"messageid": ",".join(ids_of(message_ids, "message_ids", most=MAX_ENTRIES))}


def check_ids_of(check_ids: Iterable[str]) -> list[str]:
    """Check ids as they travel."""
    entries = checks.require_list(check_ids, "check_ids")
    return [check_id_text(entry, f"check_ids[{index}]") for index, entry in enumerate(entries)]


def check_id_text(value: object, argument: str) -> str:
    """Return a check id that can travel in a list of them."""
    text = checks.require_text(value, argument).strip()
    return checks.require_no_comma(text, argument, "use another check id")


def page_fields(line: str, start: object, end: object, *, read: object, page: object, page_size: object) -> Fields:
    """Fields of a page of received messages."""
    since, until = checks.require_aware(start, "start"), checks.require_aware(end, "end")
    if since > until:
        raise InvalidArgumentError("start is after end", argument="start")
    return {
        "linenumber": normalize_line(line, "line"),
        "isread": flag(read, "read"),
        "fromdate": to_unix(since),
        "todate": to_unix(until),
        "page": str(checks.require_between(page, "page", 0, 2**31)),
        "offset": str(checks.require_between(page_size, "page_size", 1, MAX_RECEIVED_PAGE)),
    }


def flag(value: object, argument: str) -> str:
    """Return a bool as 1 or 0."""
    checks.require_instance(value, bool, argument)
    return "1" if value else "0"


def _send_date(send_at: object, argument: str) -> str | None:
    return None if send_at is None else to_unix(checks.require_send_time(send_at, argument))


def read_envelope(reply: Reply) -> Envelope:
    """Tell success from refusal.

    Raises:
        GatewayError: The gateway refused.
        ReplyError: The answer says neither.
    """
    try:
        document = as_dict(loads(reply.body, http_status=reply.status))
        result = as_dict(document.get("result"))
        code = as_int(result.get("code"))
        if code is None:
            raise ReplyError(
                f"the answer (HTTP status {reply.status}) has no result code",
                http_status=reply.status,
                field="result.code",
            )
    except ReplyError as error:
        error.message_ids = tuple(_ids_in(find_document(reply.body)))
        raise error if error.message_ids else from_bare_reply(reply, error, statuses=RESULT_CODES) from None
    if code == _SUCCESS:
        if not 200 <= reply.status < 300:
            raise ReplyError(
                f"the answer contradicts itself: HTTP status {reply.status}, and success in the body",
                http_status=reply.status,
                field="result.code",
                retry_after=reply.retry_after,
            )
        return Envelope(document.get("items"), document, reply.status)
    message = result.get("message")
    details: dict[str, Any] = {
        "gateway_message": message if isinstance(message, str) else None,
        "http_status": reply.status,
        "retry_after": reply.retry_after,
    }
    items = (as_list(document.get("items")) if code == 419 else None) or []
    numbers = [number for item in items if 0 < (number := as_int(item) or 0) <= HIGHEST_ERROR_NUMBER]
    # What is no error number may be anything: the recipient's, or the id of a message that was taken.
    if numbers and len(numbers) == len(items):
        refusals = [from_error_number(number, **details) for number in numbers]
        # One that may have come after a message was taken says so of all.
        raise next((refusal for refusal in refusals if refusal.outcome is Outcome.UNKNOWN), refusals[0])
    raise from_status(code, **details, statuses=RESULT_CODES)


def _ids_in(document: Any) -> list[int]:
    """The ids in a success that other things stand around."""
    envelope = as_dict(document)
    if as_int(as_dict(envelope.get("result")).get("code")) != _SUCCESS:
        return []
    items = envelope.get("items")
    entries = as_list(items)
    numbers = [as_int(_lower_names(item).get("messageid", item)) for item in ([items] if entries is None else entries)]
    return [number for number in numbers if number is not None and number > HIGHEST_ERROR_NUMBER]


def read_send_results(envelope: Envelope, recipients: Sequence[str]) -> list[SendResult]:
    """Match the ids of a send with its recipients. An id may come bare or inside an object."""
    items = as_list(envelope.items)
    if items is None:
        items = [envelope.items]
    numbers = [
        item
        if type(item) is int and item <= MOST_INTEGER
        else as_int(_lower_names(item).get("messageid") if isinstance(item, dict) else item)
        for item in items
    ]
    if len(items) != len(recipients):
        raise ReplyError(
            f"the answer (HTTP status {envelope.http_status}) has {len(items)} items for {len(recipients)} recipients",
            http_status=envelope.http_status,
            field="items",
            message_ids=[number for number in numbers if number is not None and number > HIGHEST_ERROR_NUMBER],
        )
    results: list[SendResult] = []
    for index, (number, recipient) in enumerate(zip(numbers, recipients, strict=True)):
        if number is None or number <= 0:
            results.append(SendResult(recipient, error=_no_id(envelope, f"items[{index}]")))
        elif number <= HIGHEST_ERROR_NUMBER:
            results.append(SendResult(recipient, error=from_error_number(number)))
        else:
            results.append(SendResult(recipient, number))
    if numbers.count(None) == len(numbers):
        raise _no_id(envelope, "items[0]")
    return results


def list_of(envelope: Envelope) -> list[Any]:
    """The items of a reply whose items are a list; the vendor writes an empty one as null or ``""`` too."""
    if envelope.items is None or envelope.items == "":
        return []
    items = as_list(envelope.items)
    if items is None:
        raise ReplyError(
            f"the answer (HTTP status {envelope.http_status}) has no list at items",
            http_status=envelope.http_status,
            field="items",
        )
    return items


def decode_items(envelope: Envelope, model: type[T]) -> T:
    """The items as a model, or as a list of one."""
    items = list_of(envelope) if get_origin(model) is list else envelope.items
    return decode(items, model, path="items", http_status=envelope.http_status)


def read_account(envelope: Envelope) -> Account:
    """The account."""
    return decode_items(envelope, Account)


def read_statuses(envelope: Envelope) -> list[MessageStatus]:
    """The statuses that the gateway answered, in its order."""
    return decode_items(envelope, list[MessageStatus])


def read_received_page(envelope: Envelope) -> ReceivedPage:
    """One page of received messages; the total stands beside the items."""
    return ReceivedPage(decode_items(envelope, list[ReceivedMessage]), as_int(envelope.fields.get("totalcount")))


def read_cancelled(envelope: Envelope) -> list[int]:
    """The ids that were cancelled: bare, or in objects with a status, whose -1 means an unknown id."""
    cancelled: list[int] = []
    for index, item in enumerate(list_of(envelope)):
        fields = _lower_names(item) or {"messageid": item}
        number = as_int(fields.get("messageid"))
        if number is None:
            raise _no_id(envelope, f"items[{index}]")
        if as_int(fields.get("status")) != -1:
            cancelled.append(number)
    return cancelled


def read_group_id(envelope: Envelope) -> int:
    """The id of a new group."""
    number = as_int(as_dict(envelope.items).get("groupid"))
    if number is None:
        raise _no_id(envelope, "items.groupid")
    return number


def _lower_names(item: Any) -> dict[str, Any]:
    return {name.lower(): value for name, value in as_dict(item).items()}


def _no_id(envelope: Envelope, field: str) -> ReplyError:
    return ReplyError(
        f"the answer (HTTP status {envelope.http_status}) has no id at {field}",
        http_status=envelope.http_status,
        field=field,
    )
