"""What users import and call: exactly this. A change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import importlib
import inspect
import pickle
from typing import Any

import attrs
import payamak.smsir
import pytest
from payamak.smsir import SmsIrClient
from support.surface import SEND_MANY

SHARED = [
    "AuthenticationError",
    "ClientStateError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "GatewayError",
    "HttpSession",
    "InvalidArgumentError",
    "InvalidRequestError",
    "JournalError",
    "NotFoundError",
    "OnUnknown",
    "Outcome",
    "OutgoingMessage",
    "PayamakError",
    "PermissionDeniedError",
    "Progress",
    "RateLimitError",
    "ReplyError",
    "RequestTimeoutError",
    "RetryPolicy",
    "SendReport",
    "ServiceUnavailableError",
    "Timeout",
    "TransportError",
]  # fmt: skip
MODELS = [
    "Account", "AddedContact", "AddedContacts", "CancelledContact", "CancelledPage", "Choice", "Contact",
    "ContactGroup", "Draft",
    "NewContact", "NewReply", "NewTicket", "Notification", "OccasionalCategory", "OccasionalMessage", "Question",
    "RecipientCount", "RecipientStatus", "SentBatch", "SentMessage", "SentRecipient", "Ticket", "TicketOptions",
    "TicketReply", "TicketStatus", "Transaction", "Transfer",
]  # fmt: skip
AREAS = {
    "transactions": "Transactions",
    "groups": "Groups",
    "contacts": "Contacts",
    "drafts": "Drafts",
    "messages": "Messages",
    "notifications": "Notifications",
    "occasional_messages": "OccasionalMessages",
    "tickets": "Tickets",
}
OTHERS = ["Emoji", "MemoryTokenStore", "SmsIrClient", "Token", "TokenRejection", "TokenStore"]


def test_exports() -> None:
    assert payamak.smsir.__all__ == sorted([*SHARED, *MODELS, *AREAS.values(), *OTHERS])
    for name in payamak.smsir.__all__:
        assert getattr(payamak.smsir, name) is not None


def test_shared_names_are_the_same_objects() -> None:
    common = importlib.import_module("payamak.common")
    for name in SHARED:
        assert getattr(common, name) is getattr(payamak.smsir, name)


SIGNATURES = {
    "SmsIrClient": "user_api_key, secret_key, *, base_url='https://api.sms.ir/users/v1/', token_store=None, "
    "token_lifetime=1800, token_refresh_margin=180, token_expiry_margin=10, "
    "token_rejection=TokenRejection(codes=(), words=('توکن', 'توكن', 'token')), "
    "timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
    "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
    "ssl=None, trust_env=False, hooks=()",
    "NewContact": "mobile, prefix=None, first_name=None, last_name=None, emoji=None",
    "TokenRejection": "codes=(), words=('توکن', 'توكن', 'token')",
    "Token": "value, issued_at",
    "authenticate": "",
    "account": "",
    "credit": "",
    "faq": "",
    "aclose": "",
    "send_many": SEND_MANY,
    "transactions.page": "page=0",
    "transactions.from_last_id": "last_id=0",
    "transactions.iterate": "",
    "groups.list": "",
    "groups.create": "name, color=None",
    "groups.update": "group_id, name, color=None",
    "groups.delete": "group_id",
    "groups.clear": "group_ids",
    "groups.transfer": "contact_relation_ids, to_group_id",
    "contacts.add": "group_id, contacts",
    "contacts.update": "contact_relation_id, contact, *, group_id=None",
    "contacts.upload_excel": "group_id, file, *, file_name=None",
    "contacts.search": "*, prefix=None, first_name=None, last_name=None, mobile=None, group_id=None, page=0",
    "contacts.from_last_id": "last_id=0",
    "contacts.in_group": "group_id, page=0",
    "contacts.cancelled": "page=0",
    "contacts.page": "page=0",
    "contacts.delete": "ids",
    "contacts.iterate": "group_id=None",
    "drafts.list": "",
    "drafts.create": "text, *, title=None",
    "drafts.update": "draft_id, text, *, title=None",
    "drafts.delete": "draft_id",
    "messages.send": "text, *, group_ids=(), contact_relation_ids=(), continue_on_error=False",
    "messages.send_to_numbers": "numbers, text, *, continue_on_error=False",
    "messages.count_recipients": "*, group_ids=(), contact_relation_ids=()",
    "messages.sent_page": "page=0",
    "messages.sent_from_last_id": "last_id=0",
    "messages.recipients": "batch_key, last_id=0",
    "messages.iterate_sent": "",
    "messages.iterate_recipients": "batch_key",
    "notifications.page": "page=0",
    "notifications.from_last_id": "last_id=0",
    "notifications.update_status": "notification_id",
    "notifications.iterate": "",
    "occasional_messages.categories": "",
    "occasional_messages.list": "category_id",
    "tickets.open": "subject, body, *, file=None, file_name=None, department_id=None, priority_id=None",
    "tickets.get": "ticket_id",
    "tickets.from_last_id": "last_id=0",
    "tickets.page": "page=0",
    "tickets.options": "",
    "tickets.close": "ticket_id",
    "tickets.reply": "ticket_id, body, *, file=None, file_name=None",
    "tickets.statuses": "",
    "tickets.iterate": "",
}
CLASSES = [name for name in SIGNATURES if name[0].isupper()]
WANTED = {
    "transactions": "page from_last_id iterate",
    "groups": "list create update delete clear transfer",
    "contacts": "add update upload_excel search from_last_id in_group cancelled page delete iterate",
    "drafts": "list create update delete",
    "messages": "send count_recipients sent_from_last_id sent_page recipients send_to_numbers",
    "notifications": "page from_last_id update_status",
    "occasional_messages": "categories list",
    "tickets": "open get from_last_id page options close reply statuses",
}
"""The areas and their methods as the client was ordered."""


def _render(function: object) -> str:
    assert callable(function)
    parts: list[str] = []
    starred = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            parts.append("*")
        assert parameter.annotation is not parameter.empty
        assert parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        parts.append(
            parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
        )
    return ", ".join(parts)


def _public_functions() -> dict[str, object]:
    found: dict[str, object] = {name: getattr(payamak.smsir, name) for name in CLASSES}
    places = {"": SmsIrClient, **{f"{area}.": getattr(payamak.smsir, kind) for area, kind in AREAS.items()}}
    for prefix, kind in places.items():
        for name, value in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                found[prefix + name] = value
    return found


def test_signatures() -> None:
    assert {name: _render(function) for name, function in _public_functions().items()} == SIGNATURES


def test_what_was_ordered_is_here() -> None:
    functions = _public_functions()
    for area, names in WANTED.items():
        assert {f"{area}.{name}" for name in names.split()} <= set(functions)
    assert {"authenticate", "account", "credit", "faq"} <= set(functions)


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_argument_is_documented(name: str) -> None:
    function = _public_functions()[name]
    text = inspect.getdoc(function) or ""
    assert text
    assert callable(function)
    for parameter in inspect.signature(function).parameters:
        assert parameter == "self" or f"{parameter}:" in text


@pytest.mark.parametrize(
    "name", [name for name in SIGNATURES if name not in (*CLASSES, "aclose", "credit", "send_many")]
)
def test_every_method_names_the_vendors(name: str) -> None:
    text = inspect.getdoc(_public_functions()[name]) or ""
    assert "Vendor method: ``" in text or "iterate" in name or name == "messages.send_to_numbers"


def test_the_undocumented_method_is_marked_as_such() -> None:
    text = inspect.getdoc(_public_functions()["messages.send_to_numbers"]) or ""
    assert "not in the vendor's document" in text
    assert "``SendByMobileNumbers``" in text


@pytest.mark.parametrize("name", MODELS)
def test_models_are_frozen_slotted_and_documented(name: str) -> None:
    model: Any = getattr(payamak.smsir, name)
    assert attrs.has(model)
    text = "".join(inspect.getdoc(base) or "" for base in model.__mro__[:-1])
    assert "__dict__" not in dir(model)
    for field in attrs.fields(model):
        assert f"{field.name}:" in text or f"``{field.name}``" in text
    required = [field.name for field in attrs.fields(model) if field.default is attrs.NOTHING]
    value = model(**dict.fromkeys(required, 1))
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(model)[0].name, 2)


async def test_other_public_attributes() -> None:
    client = SmsIrClient("a-key", "a-secret")
    public = {name for name in dir(client) if not name.startswith("_")}
    assert public - set(SIGNATURES) == {"closed", "gateway", *AREAS}
    for area, kind in AREAS.items():
        thing: object = getattr(client, area)
        assert isinstance(thing, getattr(payamak.smsir, kind))
        assert not {name for name in vars(thing) if not name.startswith("_")}
    assert (client.gateway, client.closed) == ("smsir", False)
    await client.aclose()
    assert client.closed
