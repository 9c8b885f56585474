"""Clients of the "advanced" gateway, and its replies in all the shapes that PHP gives them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET  # It reads what this library wrote.
from xml.sax.saxutils import escape

import attrs
from payamak.advgateway import AdvGatewayClient, OutgoingMessage, Transport

from support.ghasedak import PATIENT, QUICKLY
from support.raw_server import Behaviour, Received, answer
from support.shapes import is_dict, is_list

USER, PASSWORD, LINE = "a-user", "a-password", "50001"
FIRST, SECOND, THIRD = "09121111111", "09122222222", "09123333333"

_ENVELOPE = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="urn:smsserver"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:ns2="http://xml.apache.org/xml-soap" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/">'
    "<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ENC = "{http://schemas.xmlsoap.org/soap/encoding/}"

Call = Callable[[AdvGatewayClient], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "credit": lambda client: client.credit(),
    "send": lambda client: client.send(FIRST, "text", sender=LINE),
    "send_to_many": lambda client: client.send_to_many([FIRST, SECOND], "text", sender=LINE),
    "send_pairs": lambda client: client.send_pairs(
        [OutgoingMessage(FIRST, "one", LINE), OutgoingMessage(SECOND, "two", LINE)]
    ),
    "statuses": lambda client: client.statuses([101, 102]),
    "received": lambda client: client.received(),
}
SENDS = ("send", "send_to_many", "send_pairs")
# Each is a success of the method of that name.
RESULTS: dict[str, object] = {
    "credit": {"ErrCode": "0", "result": "12345"},
    "send": {"ErrCode": "0", "result": ["101"]},
    "send_to_many": {"ErrCode": "0", "result": ["101", "102"]},
    "send_pairs": [{"ErrCode": "0", "result": "101"}, {"ErrCode": "0", "result": "102"}],
    "statuses": {"ErrCode": 0, "result": [4, 1]},
    "received": {"ErrCode": 0, "result": []},
}


def make_client(url: str, **options: Any) -> AdvGatewayClient:
    """A client that repeats without waiting."""
    settings: dict[str, Any] = {"base_url": url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return AdvGatewayClient(USER, PASSWORD, **settings)


def make_style_client(style: str, url: str, **options: Any) -> AdvGatewayClient:
    """A client that speaks what this style is of."""
    return make_client(url, transport=Transport.REST if style == "rest" else Transport.SOAP, **options)


def in_envelope(body: str) -> bytes:
    """A SOAP envelope around this."""
    return _ENVELOPE.replace("{body}", body).encode()


def in_response(value: str) -> bytes:
    """A SOAP reply whose method returned this element."""
    return in_envelope(f"<ns1:AnyResponse>{value}</ns1:AnyResponse>")


def _struct(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if is_dict(value):
        return f"<{name}>{''.join(_struct(key, entry) for key, entry in value.items())}</{name}>"
    if is_list(value):
        items = "".join(_struct("item", entry) for entry in value)
        return f'<{name} xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[{len(value)}]">{items}</{name}>'
    return f'<{name} xsi:type="xsd:{"int" if isinstance(value, int) else "string"}">{escape(str(value))}</{name}>'


def _map(name: str, value: Any) -> str:
    if is_dict(value):
        entries = "".join(
            f'<item><key xsi:type="xsd:string">{key}</key>{_map("value", entry)}</item>' for key, entry in value.items()
        )
        return f'<{name} xsi:type="ns2:Map">{entries}</{name}>'
    if is_list(value):
        items = "".join(_map("item", entry) for entry in value)
        return f'<{name} SOAP-ENC:arrayType="xsd:ur-type[{len(value)}]" xsi:type="SOAP-ENC:Array">{items}</{name}>'
    return _struct(name, value)


STYLES: dict[str, Callable[[Any], bytes]] = {
    "struct": lambda value: in_response(_struct("return", value)),
    "map": lambda value: in_response(_map("return", value)),
    "json in a string": lambda value: in_response(_struct("return", json.dumps(value))),
    "rest": lambda value: json.dumps(value, ensure_ascii=False).encode(),
}


def reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Read, then answer with XML."""
    return answer(body, status, {"Content-Type": "text/xml; charset=utf-8", **(headers or {})})


@attrs.frozen
class SoapCall:
    """A SOAP request, as ElementTree understands it."""

    method: str
    namespace: str
    arguments: dict[str, Any]
    types: dict[str, tuple[str | None, str | None]]


def parse_request(request: Received) -> SoapCall:
    """Read a request with a reader that is not ours. Lists become lists, maps dicts, everything else strings."""
    (body,) = ET.fromstring(request.body)  # noqa: S314 -- our own
    (element,) = body
    namespace, _, method = element.tag[1:].rpartition("}")
    arguments = {child.tag: _value(child) for child in element}
    assert len(arguments) == len(element)
    types = {child.tag: (child.get(f"{_XSI}type"), child.get(f"{_ENC}arrayType")) for child in element}
    return SoapCall(method, namespace, arguments, types)


def _value(element: ET.Element) -> Any:
    if element.get(f"{_XSI}type") == "ns2:Map":
        return {item.findtext("key"): item.findtext("value") or "" for item in element}
    if len(element) or element.get(f"{_ENC}arrayType"):
        assert {item.tag for item in element} <= {"item"}
        return [item.text or "" for item in element]
    return element.text or ""
