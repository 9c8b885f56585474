"""The protocol: one URL, one form field `op`, and a reply of many shapes. No I/O.

A reply is usually ``[code, data]``, where the code may be a string, and the data may be JSON inside a string, even
twice. Some operations answer with a bare object, a bare list or ``null``.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from ..common import checks
from ..common.bounds import as_int, to_amount
from ..common.calls import Operation
from ..common.codec import as_dict, as_list, dumps, encode_form, find_document, loads, parse
from ..common.errors import InvalidArgumentError, NotFoundError, ReplyError
from ..common.fields import tehran
from ..common.hiding import hide_fields
from ..common.retry import Effect
from ..common.session import FORM_HEADERS, Reply, Request
from ..common.statuses import from_bare_reply
from ..common.structuring import decode
from .codes import SUCCESS_CODES, from_code
from .models import (
    Approval,
    CreatedUser,
    ListEntry,
    MessageProgress,
    NewUser,
    PanelAnswer,
    ReceivedMessage,
    RecipientDelivery,
)
from .profiles import OpProfile, require_name

E_ = TypeVar("E_", bound=ListEntry)

# The path is the form field `op`.
SEND = Operation("send", "send", Effect.ONCE)
SEND_TO_MANY = Operation("send_to_many", "send", Effect.ONCE)
CREDIT = Operation("credit", "credit", Effect.NONE)
DELIVERY = Operation("delivery", "delivery", Effect.NONE)
CHECK_MESSAGE = Operation("check_message", "checkmessage", Effect.NONE)
PHONE_BOOKS = Operation("phone_books", "booklist", Effect.NONE)
SEND_TO_PHONE_BOOKS = Operation("send_to_phone_books", "booksend", Effect.ONCE)
RECEIVED = Operation("received", "inboxlist", Effect.NONE)
ACCESS_LEVELS = Operation("access_levels", "accesslist", Effect.NONE)
CREATE_USER = Operation("create_user", "newuser", Effect.ONCE)
POSTAL_CODE_COUNT = Operation("postal_code_count", "postalcodecount", Effect.NONE)
POSTAL_CODE_AREAS = Operation("postal_code_areas", "postalcodearea", Effect.NONE)
SEND_TO_POSTAL_CODE = Operation("send_to_postal_code", "postalcodesend", Effect.ONCE)
JOBS = Operation("jobs", "jobslist", Effect.NONE)
JOB_TRENDS = Operation("job_trends", "jobstrendlist", Effect.NONE)
JOB_COUNT = Operation("job_count", "jobscount", Effect.NONE)
SEND_TO_JOB = Operation("send_to_job", "jobssend", Effect.ONCE)

_OPTIONAL_OF_USER = frozenset({"name", "company", "postal_code"})
"""Nobody knows an error code of the vendor's for these."""
_DEEPEST_NESTING = 4
_ID_NAMES = ("id", "code", "postalcode", "value", "key")
_TITLE_NAMES = ("title", "name", "label", "text", "city", "area")
_CODE = re.compile(r"\s*-?[0-9]{1,9}(\.0+)?\s*")
_HIGHEST_CODE = 99_999
"""Above it are ids and telephone numbers."""


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Answer:
    """What a reply that is no refusal says.

    Attributes:
        code: Its code, or ``None`` if it came without one: a bare object, a bare list or ``null``.
        data: Its data, with JSON inside strings taken out.
        http_status: The HTTP status.
    """

    code: int | None
    data: Any
    http_status: int


def build_request(
    url: str, op: str, credentials: Mapping[str, str], fields: Mapping[str, str | None], profile: OpProfile | None
) -> Request:
    """Encode an operation as a form; without a profile by the usual names."""
    form = {**credentials, **{name: value for name, value in fields.items() if value is not None}, "op": op}
    if profile is not None:
        form["op"] = profile.ops.get(op, op)
        form = profile.name_fields(op, form)
    return Request("POST", url, FORM_HEADERS, encode_form(form).encode("ascii"))


def build_call(
    url: str, op: str, credentials: Mapping[str, str], fields: Mapping[str, str], profile: OpProfile | None
) -> Request:
    """Encode an operation by the panel's own names; the profile counts for the credentials and the op alone."""
    usual = {**credentials, "op": checks.require_text(op, "op")}
    own = usual if profile is None else profile.name_fields(op, usual)
    checks.require_instance(fields, Mapping, "fields")
    for name, value in fields.items():
        argument = f"fields[{require_name(name, 'fields')!r}]"
        if name in own:
            raise InvalidArgumentError(f"{argument} is set by the client: leave it away", argument=argument)
        if value != "":
            checks.require_text(value, argument)
    return Request("POST", url, FORM_HEADERS, encode_form({**own, **fields}).encode("ascii"))


def ids_as_json(ids: list[int]) -> str:
    """A list of ids as it travels: JSON text in a form field."""
    return dumps(ids)


def numbers_as_json(numbers: list[str]) -> str:
    """A list of telephone numbers, which need no escaping. To set up an encoder costs as much as all the rest."""
    return '["' + '", "'.join(numbers) + '"]'


def format_time(send_at: datetime.datetime | None) -> str | None:
    """A time to send at as the panels of this family take it, in Tehran. It is not in the vendor's document."""
    if send_at is None:
        return None
    return checks.require_send_time(send_at, "send_at").astimezone(tehran()).strftime("%Y-%m-%d %H:%M:%S")


def user_fields(user: NewUser) -> dict[str, str | None]:
    """Fields of a new user, by the names that real code uses; the vendor's document writes some with hyphens."""
    checks.require_instance(user, NewUser, "new_user")
    names = {
        "user_uname": "username", "user_pass": "password", "name": "name", "company": "company",
        "national_id": "national_id", "certificate_id": "certificate_id", "tell": "telephone", "mobile": "mobile",
        "postalcode": "postal_code", "email": "email", "address": "address",
    }  # fmt: skip
    fields: dict[str, str | None] = {
        name: checks.require_text(getattr(user, attribute), f"new_user.{attribute}")
        for name, attribute in names.items()
        if getattr(user, attribute) is not None or attribute not in _OPTIONAL_OF_USER
    }
    level, argument = user.access_id, "new_user.access_id"
    fields["access_id"] = (
        checks.require_text(level, argument) if isinstance(level, str) else str(checks.require_id(level, argument))
    )
    return fields


def read_answer(reply: Reply) -> Answer:
    """Tell success from refusal.

    Raises:
        GatewayError: The gateway refused.
        ReplyError: The answer says neither.
    """
    try:
        document = loads(reply.body, http_status=reply.status)
    except ReplyError as error:
        code, data = _split(find_document(reply.body))
        error.message_ids = tuple(_ids_in(_unwrap(data))) if code is None or code in SUCCESS_CODES else ()
        raise error if error.message_ids else from_bare_reply(reply, error) from None
    code, data = _split(document)
    if code is not None and code not in SUCCESS_CODES:
        message = data if isinstance(data, str) else None
        raise from_code(code, gateway_message=message, http_status=reply.status, retry_after=reply.retry_after)
    if not 200 <= reply.status < 300:
        found = _ids_in(_unwrap(data))
        contradiction = misfit(reply.status, "the status contradicts the body", message_ids=found)
        contradiction.retry_after = reply.retry_after
        raise contradiction if code is not None or found else from_bare_reply(reply, contradiction)
    if code is None and not isinstance(document, (dict, list, types.NoneType)):
        # A lone number may be an id or the code of a refusal.
        raise misfit(reply.status, "it is neither a list nor an object")
    return Answer(code, _unwrap(data), reply.status)


def misfit(http_status: int, what: str, field: str = "data", message_ids: Sequence[int] = ()) -> ReplyError:
    """Make the exception for an answer that does not fit."""
    return ReplyError(
        f"the answer (HTTP status {http_status}) does not fit: {what}",
        http_status=http_status,
        field=field,
        message_ids=message_ids,
    )


def _split(document: Any) -> tuple[int | None, Any]:
    """Take the code off ``[code, data]``; any other shape has none."""
    entries = as_list(document)
    if entries is None or not 1 <= len(entries) <= 2:
        return None, document
    code = _to_code(entries[0])
    if code is None:
        return None, document
    return code, entries[1] if len(entries) == 2 else None


def _ids_in(data: Any) -> list[int]:
    """The ids that stand in an answer whose status denies them."""
    entries = as_list(data)
    numbers = [as_int(entry) for entry in ([data] if entries is None else entries)]
    return [number for number in numbers if number is not None and number > 0]


def _to_code(value: object) -> int | None:
    if isinstance(value, str) and _CODE.fullmatch(value):
        value = float(value)
    code = None if isinstance(value, str) else as_int(value)
    return code if code is not None and abs(code) <= _HIGHEST_CODE else None


def _unwrap(data: Any, depth: int = 0) -> Any:
    """Take JSON out of strings, also out of the strings of a list."""
    if depth < _DEEPEST_NESTING and isinstance(data, str) and data.lstrip()[:1] in ("[", "{"):
        with contextlib.suppress(ValueError):
            return _unwrap(parse(data), depth + 1)
    entries = as_list(data)
    return data if entries is None else [_unwrap(entry, depth + 1) for entry in entries]


def read_panel_answer(answer: Answer) -> PanelAnswer:
    """What a user makes of it."""
    return PanelAnswer(answer.code, answer.data)


def read_bulk_id(answer: Answer) -> int:
    """The id of what was sent."""
    bulk_id = as_int(answer.data)
    if bulk_id is None or bulk_id <= 0:
        raise misfit(answer.http_status, "there is no bulk id")
    return bulk_id


def read_count(answer: Answer) -> int:
    """A number of people."""
    count = as_int(answer.data)
    if count is None or count < 0:
        raise misfit(answer.http_status, "there is no number")
    return count


def read_credit(answer: Answer) -> decimal.Decimal:
    """The credit; its decimal mark may be a slash."""
    with contextlib.suppress(ValueError, TypeError, ArithmeticError):
        return to_amount(answer.data.replace("/", ".") if isinstance(answer.data, str) else answer.data)
    raise misfit(answer.http_status, "there is no amount")


def read_delivery(answer: Answer) -> list[RecipientDelivery]:
    """The state of each recipient, from ``number:word``. A bulk that the gateway does not know is null."""
    if answer.data is None:
        raise NotFoundError("no bulk has this id", http_status=answer.http_status)
    found: list[RecipientDelivery] = []
    for index, entry in enumerate(_entries(answer)):
        # An entry that is JSON once more is a string in quotes.
        number, mark, word = entry.strip(' "').rpartition(":") if isinstance(entry, str) else ("", "", "")
        if not mark or not number or not word:
            raise misfit(answer.http_status, "an entry is not of the form number:word", f"data[{index}]")
        found.append(RecipientDelivery(number.strip(), word.strip().lower()))
    return found


def read_progress(answer: Answer) -> MessageProgress:
    """How far a bulk is."""
    if answer.data is None:
        raise NotFoundError("no bulk has this id", http_status=answer.http_status)
    fields = as_dict(answer.data)
    status, approval = fields.get("statusMessage"), fields.get("validMessage")
    if not isinstance(status, str) and not isinstance(approval, str):
        raise misfit(answer.http_status, "it says neither statusMessage nor validMessage")
    word = approval.strip().rstrip(":").lower() if isinstance(approval, str) else None
    known: Approval | str | None = Approval(word) if word in list(Approval) else word
    return MessageProgress(status if isinstance(status, str) else None, known)


def read_received(answer: Answer) -> list[ReceivedMessage]:
    """The messages that came in."""
    entries = _entries(answer)
    for index, entry in enumerate(entries):
        if not as_dict(entry):
            raise misfit(answer.http_status, "an entry is not a message", f"data[{index}]")
    return decode(entries, list[ReceivedMessage], path="data", http_status=answer.http_status)


def read_entries(answer: Answer, kind: type[E_]) -> list[E_]:
    """A list whose shape nobody has published: what looks like ids and titles, and the entries as they came."""
    return [kind(*_identify(entry), entry) for entry in _entries(answer)]


def _identify(entry: Any) -> tuple[int | str | None, str | None]:
    fields = {name.lower(): value for name, value in as_dict(entry).items()}
    if not fields:
        return as_int(entry), entry if isinstance(entry, str) else None
    identity = next((fields[name] for name in _ID_NAMES if name in fields), None)
    title = next((fields[name] for name in _TITLE_NAMES if name in fields), None)
    known = as_int(identity)
    if known is None and isinstance(identity, str):
        return identity, title if isinstance(title, str) else None
    return known, title if isinstance(title, str) else None


def read_created_user(answer: Answer) -> CreatedUser:
    """A user that was made. Only a code says that it was: any other shape may come from a panel without this op."""
    if answer.code is None:
        raise misfit(answer.http_status, "there is no code")
    return CreatedUser(as_int(answer.data), answer.data)


def _entries(answer: Answer) -> list[Any]:
    if answer.code is not None and answer.data in (None, ""):
        return []
    entries = as_list(answer.data)
    if entries is None:
        raise misfit(answer.http_status, "there is no list")
    return entries
