"""What users import and call: exactly this. A change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import inspect

import attrs
import payamak.opgateway
import pytest
from payamak import common
from payamak.opgateway import Approval, Gender, ListEntry, Operator, OpGatewayClient
from support.opgateway import NEW_USER, make_client
from support.surface import SEND_MANY

SHARED = [
    "AuthenticationError",
    "ClientStateError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DeliveryState",
    "GatewayError",
    "HttpSession",
    "InsufficientCreditError",
    "InvalidArgumentError",
    "InvalidRecipientError",
    "InvalidRequestError",
    "InvalidSenderError",
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
OWN = [
    "AccessLevel", "Approval", "CreatedUser", "Gender", "Job", "JobTrend", "ListEntry", "MessageProgress", "NewUser",
    "OpGatewayClient", "Operator", "PhoneBook", "PostalArea", "ReceivedMessage", "RecipientDelivery",
]  # fmt: skip
SIGNATURES = {
    "OpGatewayClient": "username, password, *, base_url, timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
    "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
    "ssl=None, trust_env=False, hooks=()",
    "access_levels": "",
    "aclose": "",
    "send_many": SEND_MANY,
    "check_message": "bulk_id",
    "create_user": "new_user",
    "credit": "",
    "delivery": "bulk_id",
    "job_count": "trend_ids",
    "job_trends": "job_id",
    "jobs": "",
    "phone_books": "",
    "postal_code_areas": "",
    "postal_code_count": "operator, postal_code, *, gender=<Gender.ALL: 0>",
    "received": "",
    "send": "to, text, *, sender, send_at=None",
    "send_to_job": "job_id, trend_ids, text, *, sender",
    "send_to_many": "recipients, text, *, sender, send_at=None",
    "send_to_phone_books": "book_ids, text, *, sender",
    "send_to_postal_code": "operator, postal_code, text, *, sender, gender=<Gender.ALL: 0>",
}
FIELDS = {
    "CreatedUser": ["id", "raw"],
    "ListEntry": ["id", "title", "raw"],
    "MessageProgress": ["status", "approval"],
    "NewUser": [
        "username", "password", "name", "company", "national_id", "certificate_id", "access_id", "telephone", "mobile",
        "postal_code", "email", "address",
    ],
    "ReceivedMessage": ["text", "sender", "line", "received_at"],
    "RecipientDelivery": ["recipient", "status"],
}  # fmt: skip


def test_exports() -> None:
    assert payamak.opgateway.__all__ == sorted(SHARED + OWN)
    for name in SHARED:
        assert getattr(payamak.opgateway, name) is getattr(common, name)
    for name in OWN:
        kind = getattr(payamak.opgateway, name)
        assert isinstance(kind, type)
        assert inspect.getdoc(kind)


def _functions() -> dict[str, object]:
    members = inspect.getmembers(OpGatewayClient, inspect.isfunction)
    return {"OpGatewayClient": OpGatewayClient, **{name: value for name, value in members if name[0] != "_"}}


def _render(function: object) -> str:
    assert callable(function)
    parts: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        assert parameter.annotation is not parameter.empty
        is_required = parameter.default is parameter.empty
        parts.append(parameter.name if is_required else f"{parameter.name}={parameter.default!r}")
    return ", ".join(parts)


def test_signatures() -> None:
    assert {name: _render(function) for name, function in _functions().items()} == SIGNATURES


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_argument_is_documented(name: str) -> None:
    function = _functions()[name]
    text = inspect.getdoc(function) or ""
    assert text
    assert callable(function)
    for parameter in inspect.signature(function).parameters:
        assert parameter == "self" or f"{parameter}:" in text


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_documented_and_frozen(name: str) -> None:
    kind = getattr(payamak.opgateway, name)
    assert [field.name for field in attrs.fields(kind)] == FIELDS[name]
    text = inspect.getdoc(kind) or ""
    assert all(f"{field}:" in text for field in FIELDS[name])
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        attrs.evolve(kind(*range(len(FIELDS[name])))).id = 1


def test_enums() -> None:
    assert {member.name: member.value for member in Operator} == {"MCI": "tci", "IRANCELL": "mtn"}
    assert {member.name: member.value for member in Gender} == {"ALL": 0, "MEN": 1, "WOMEN": 2}
    assert {member.name: member.value for member in Approval} == {
        "APPROVED": "approve",
        "REJECTED": "cancel",
        "WAITING": "notconfirm",
    }


def test_kinds_of_entries() -> None:
    kinds = [getattr(payamak.opgateway, name) for name in ("PhoneBook", "AccessLevel", "PostalArea", "Job", "JobTrend")]
    assert all(issubclass(kind, ListEntry) for kind in kinds)
    assert all(kind(1, "a", {}) != other(1, "a", {}) for kind in kinds for other in kinds if kind is not other)


async def test_other_public_attributes() -> None:
    client = make_client("https://panel.example/")
    public = {name for name in dir(client) if not name.startswith("_")}
    assert public - set(SIGNATURES) == {"closed", "gateway"}
    assert (client.gateway, client.closed, repr(client)) == ("opgateway", False, "<OpGatewayClient>")
    await client.aclose()
    assert (client.closed, repr(client)) == (True, "<OpGatewayClient (closed)>")


def test_a_new_user_shows_only_its_access_level() -> None:
    assert repr(attrs.evolve(NEW_USER, access_id=2)) == "NewUser(access_id=2)"
