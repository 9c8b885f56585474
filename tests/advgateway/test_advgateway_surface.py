"""What users import and call: exactly this. A change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import inspect
import pickle

import pytest
from payamak import advgateway, common
from payamak.advgateway import AdvGatewayClient, ArrayStyle, MessageStatus, ReceivedMessage, SoapProfile
from support.advgateway import CALLS
from support.surface import SEND_MANY

SHARED = [
    "AuthenticationError",
    "ClientStateError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DeliveryState",
    "GatewayError",
    "HttpSession",
    "InvalidArgumentError",
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
]  # fmt: skip
OWN = ["AdvGatewayClient", "ArrayStyle", "DeliveryCode", "MessageStatus", "ReceivedMessage", "SoapProfile", "Transport"]
SIGNATURES = {
    "AdvGatewayClient": "username, password, *, base_url, transport=<Transport.SOAP: 'soap'>, "
    "profile=SoapProfile(namespace='urn:smsserver', soap_action='{method}', argument_order=(), extra_arguments={}, "
    "array_style=<ArrayStyle.TYPED: 'typed'>), timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
    "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
    "ssl=None, trust_env=False, hooks=()",
    "credit": "",
    "send": "to, text, *, sender",
    "send_to_many": "recipients, text, *, sender",
    "send_pairs": "messages",
    "statuses": "message_ids",
    "received": "",
    "aclose": "",
    "send_many": SEND_MANY,
}


def test_exports() -> None:
    assert advgateway.__all__ == sorted(SHARED + OWN)
    for name in SHARED:
        assert getattr(advgateway, name) is getattr(common, name)
    for name in OWN:
        assert getattr(advgateway, name).__module__.startswith("payamak.advgateway")


def _functions() -> dict[str, object]:
    methods = inspect.getmembers(AdvGatewayClient, inspect.isfunction)
    return {"AdvGatewayClient": AdvGatewayClient, **{name: item for name, item in methods if not name.startswith("_")}}


def _render(function: object) -> str:
    assert callable(function)
    parts: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        assert parameter.annotation is not parameter.empty
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        parts.append(f"{parameter.name}{default}")
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


def test_no_method_untested() -> None:
    """The tests of faults, codes, cancellation and secrets go through these."""
    assert set(CALLS) == set(SIGNATURES) - {"AdvGatewayClient", "aclose", "send_many"}


async def test_other_public_attributes() -> None:
    client = AdvGatewayClient("u", "p", base_url="https://example.com/server.php")
    assert {name for name in dir(client) if not name.startswith("_")} - set(SIGNATURES) == {"closed", "gateway"}
    assert (client.gateway, client.closed, repr(client)) == ("advgateway", False, "<AdvGatewayClient>")
    await client.aclose()
    assert client.closed


def test_pickling() -> None:
    for value in (MessageStatus(1, 4, "x"), ReceivedMessage("a", "b", "c"), SoapProfile(array_style=ArrayStyle.MAP)):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(AdvGatewayClient("u", "p", base_url="https://example.com/"))
