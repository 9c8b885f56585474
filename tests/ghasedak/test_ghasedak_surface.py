"""What users import and call: exactly this. A change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import importlib
import inspect

import pytest
from payamak.common import OutgoingMessage
from payamak.ghasedak import GhasedakClient, Groups
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
    "SendResult",
    "ServiceUnavailableError",
    "Timeout",
    "TransportError",
]
EXPORTS = {
    "payamak.common": [
        *SHARED,
        "Attempt",
        "AttemptReply",
        "Hook",
        "Journal",
        "JournalEntry",
        "Proceed",
        "RateLimiter",
        "SendMany",
        "Sent",
    ],
    "payamak.ghasedak": [
        *SHARED,
        "Account",
        "Contact",
        "DeliveryCode",
        "GhasedakClient",
        "Group",
        "Groups",
        "MessageStatus",
        "OtpKind",
        "ReceivedMessage",
        "ReceivedPage",
    ],
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__all__ == sorted(EXPORTS[name])
    for export in EXPORTS[name]:
        assert getattr(module, export) is not None


def test_shared_names_are_the_same_objects() -> None:
    common, ghasedak = importlib.import_module("payamak.common"), importlib.import_module("payamak.ghasedak")
    for name in SHARED:
        assert getattr(common, name) is getattr(ghasedak, name)


SIGNATURES = {
    "GhasedakClient": "api_key, *, base_url='https://api.ghasedak.me/v2/', "
    "timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
    "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
    "ssl=None, trust_env=False, hooks=()",
    "OutgoingMessage": "to, text, sender=None, send_at=None, check_id=None",
    "send": "to, text, *, sender=None, send_at=None, check_id=None",
    "send_by_username": "username, to, text, *, sender=None, send_at=None, check_id=None",
    "send_pairs": "messages",
    "send_to_many": "recipients, text, *, sender=None, send_at=None, check_ids=None",
    "send_otp": "recipients, template, params, *, kind=<OtpKind.TEXT: 1>, check_id=None",
    "send_voice": "recipients, text, *, send_at=None",
    "statuses": "message_ids",
    "statuses_by_check_id": "check_ids",
    "received": "line, *, read=False",
    "received_page": "line, *, start, end, read=False, page=0, page_size=200",
    "iterate_received": "line, *, start, end, read=False, page_size=200",
    "cancel": "message_ids",
    "account": "",
    "credit": "",
    "aclose": "",
    "send_many": SEND_MANY,
    "groups.create": "name, *, parent_id=None",
    "groups.add_contacts": "group_id, contacts",
    "groups.list": "parent_id=0",
    "groups.contacts": "group_id, *, page=None, page_size=100",
    "groups.iterate_contacts": "group_id, *, page_size=100",
    "groups.rename": "group_id, name",
    "groups.delete": "group_id",
    "groups.remove_contacts": "group_id, record_ids",
}


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
    found: dict[str, object] = {"GhasedakClient": GhasedakClient, "OutgoingMessage": OutgoingMessage}
    for prefix, kind in (("", GhasedakClient), ("groups.", Groups)):
        for name, value in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                found[prefix + name] = value
    return found


def test_signatures() -> None:
    assert {name: _render(function) for name, function in _public_functions().items()} == SIGNATURES


@pytest.mark.parametrize("name", [name for name in SIGNATURES if name != "OutgoingMessage"])
def test_every_argument_is_documented(name: str) -> None:
    function = _public_functions()[name]
    text = inspect.getdoc(function) or ""
    assert text
    if name in ("iterate_received", "send_by_username"):
        return  # Their docstrings send the reader to the method whose arguments are the same.
    assert callable(function)
    for parameter in inspect.signature(function).parameters:
        assert parameter == "self" or f"{parameter}:" in text


async def test_other_public_attributes() -> None:
    client = GhasedakClient("a-key")
    public = {name for name in dir(client) if not name.startswith("_")}
    assert public - set(SIGNATURES) == {"closed", "gateway", "groups"}
    assert isinstance(client.groups, Groups)
    assert (client.gateway, client.closed) == ("ghasedak", False)
    await client.aclose()
    assert client.closed
