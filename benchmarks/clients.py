"""The clients of all gateways, each with a send, and what somebody would write by hand in its place."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import aiohttp
import attrs
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient

from .harness import LINE, TEXT, TO, Send, last_body
from .server import TOKEN

_KEY = {"apikey": "benchmark-key"}
_TOKEN = {"x-sms-ir-secure-token": TOKEN.decode()}
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
GHASEDAK = _KEY | _FORM
"""The headers of the client's requests."""
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_XML = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"SendSMS"'}


@attrs.frozen
class Sends:
    """A client's send, and what it is held against.

    Attributes:
        ours: The client's own.
        naive: The code that one would write by hand.
        ready: A post of exactly the bytes that the client sends, made beforehand and for nothing.
    """

    ours: Send
    naive: Send
    ready: Send


@contextlib.asynccontextmanager
async def open_clients(server: str) -> AsyncGenerator[dict[str, Sends], None]:
    """Clients as their users make them, and one naive session, which all naive sends share."""
    async with (
        aiohttp.ClientSession() as session,
        GhasedakClient("benchmark-key", base_url=f"{server}/v2/") as ghasedak,
        SmsIrClient("benchmark-key", "secret", base_url=f"{server}/users/v1/") as smsir,
        OpGatewayClient("user", "password", base_url=f"{server}/services.jspd") as op,
        AdvGatewayClient("user", "password", base_url=f"{server}/server.php") as soap,
        AdvGatewayClient("user", "password", base_url=f"{server}/restful/", transport=Transport.REST) as rest,
    ):
        naive = Naive(session, server)
        clients: dict[str, tuple[Send, Send, str, dict[str, str]]] = {
            "GhasedakClient.send": (
                functools.partial(ghasedak.send, TO, TEXT, sender=LINE), naive.ghasedak,
                "/v2/sms/send/simple", GHASEDAK,
            ),
            "sms.ir (JSON and token)": (
                functools.partial(smsir.messages.send_to_numbers, TO, TEXT), naive.smsir,
                "/users/v1/Message/SendByMobileNumbers", _TOKEN | _JSON,
            ),
            "op gateway": (functools.partial(op.send, TO, TEXT, sender=LINE), naive.op, "/services.jspd", _FORM),
            "advanced gateway, SOAP": (
                functools.partial(soap.send, TO, TEXT, sender=LINE), naive.soap, "/server.php", _XML,
            ),
            "advanced gateway, REST": (
                functools.partial(rest.send, TO, TEXT, sender=LINE), naive.rest,
                "/restful/sendSms_OneToMany.php", _JSON,
            ),
        }  # fmt: skip
        found: dict[str, Sends] = {}
        for name, (ours, by_hand, path, headers) in clients.items():
            await ours()
            body = last_body(server)
            await by_hand()
            check_same_content(body, last_body(server))
            found[name] = Sends(ours, by_hand, functools.partial(naive.post, f"{server}{path}", body, headers))
        yield found


def check_same_content(body: bytes, by_hand: bytes) -> None:
    """Both must send the same, if not byte for byte: a form can be escaped in several ways, and has a check id."""
    forms = [{**parse_qs(form.decode()), "checkid": ["any"]} for form in (by_hand, body)]
    assert by_hand == body or (forms[0] == forms[1] and len(forms[0]) > 1)  # noqa: S101


class Naive:
    """What one would write by hand on a shared session: no checks, no errors told apart, one attempt."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def post(self, url: str, data: Any, headers: dict[str, str]) -> Any:
        """Post, and parse the answer."""
        async with self._session.post(url, data=data, headers=headers) as response:
            body = await response.read()
        return ET.fromstring(body) if headers is _XML else json.loads(body)

    async def ghasedak(self) -> int:
        """A form with the key in a header."""
        form = {"message": TEXT, "receptor": TO, "linenumber": LINE, "checkid": "482913482913482913"}
        answer = await self.post(f"{self._server}/v2/sms/send/simple", form, _KEY)
        return int(answer["items"][0])

    async def smsir(self) -> int:
        """JSON with the token in a header."""
        document = {"Message": TEXT, "MobileNumbers": [TO], "CanContinueInCaseOfError": False}
        body = json.dumps(document, ensure_ascii=False).encode()
        answer = await self.post(f"{self._server}/users/v1/Message/SendByMobileNumbers", body, _TOKEN | _JSON)
        return int(answer["MessageId"])

    async def op(self) -> int:
        """A form with JSON in one of its fields."""
        form = {
            "uname": "user", "pass": "password", "to": json.dumps([TO]), "message": TEXT, "from": LINE, "op": "send",
        }  # fmt: skip
        code, bulk_id = await self.post(f"{self._server}/services.jspd", form, {})
        assert code == 0  # noqa: S101
        return int(bulk_id)

    async def soap(self) -> int:
        """An envelope from a template."""
        body = _ENVELOPE.format(
            user=escape("user"), password=escape("password"), line=escape(LINE), to=escape(TO), text=escape(TEXT)
        )
        answer = await self.post(f"{self._server}/server.php", body.encode(), _XML)
        return int(answer.findtext(".//result/item"))

    async def rest(self) -> int:
        """JSON with the credentials in it."""
        document = {"uname": "user", "pass": "password", "from": LINE, "to": [TO], "msg": TEXT}
        body = json.dumps(document, ensure_ascii=False).encode()
        answer = await self.post(f"{self._server}/restful/sendSms_OneToMany.php", body, _JSON)
        return int(answer["result"][0])


_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:ns2="http://xml.apache.org/xml-soap">'
    '<SOAP-ENV:Body><ns1:SendSMS xmlns:ns1="urn:smsserver"><user xsi:type="xsd:string">{user}</user>'
    '<pass xsi:type="xsd:string">{password}</pass><fromNum xsi:type="xsd:string">{line}</fromNum>'
    '<toNum xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[1]">'
    '<item xsi:type="xsd:string">{to}</item></toNum>'
    '<messageContent xsi:type="xsd:string">{text}</messageContent>'
    "</ns1:SendSMS></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
