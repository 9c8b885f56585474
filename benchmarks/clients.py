"""The clients of all gateways, each with a send, and what somebody would write by hand in its place."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import attrs
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient

from .harness import LINE, TEXT, TO, Send, last_body
from .server import TOKEN

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_XML = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"SendSMS"'}


@attrs.frozen
class Sends:
    """A client's send, and the naive one."""

    ours: Send
    naive: Send


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
        form = {"message": TEXT, "receptor": TO, "linenumber": LINE}
        clients = {"GhasedakClient.send": Sends(
            lambda: ghasedak.send(TO, TEXT, sender=LINE),
            lambda: _post(session, f"{server}/v2/sms/send/simple", form, {"apikey": "benchmark-key"}),
        )}  # fmt: skip
        others: dict[str, tuple[Send, str, dict[str, str]]] = {
            "sms.ir (JSON and token)": (
                lambda: smsir.messages.send_to_numbers(TO, TEXT),
                "/users/v1/Message/SendByMobileNumbers",
                {**_JSON, "x-sms-ir-secure-token": TOKEN.decode()},
            ),
            "op gateway": (lambda: op.send(TO, TEXT, sender=LINE), "/services.jspd", _FORM),
            "advanced gateway, SOAP": (lambda: soap.send(TO, TEXT, sender=LINE), "/server.php", _XML),
            "advanced gateway, REST": (
                lambda: rest.send(TO, TEXT, sender=LINE), "/restful/sendSms_OneToMany.php", _JSON,
            ),
        }  # fmt: skip
        for name, (send, path, headers) in others.items():
            await send()
            clients[name] = Sends(send, _make_post(session, f"{server}{path}", last_body(server), headers))
        yield clients


def _make_post(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> Send:
    return lambda: _post(session, url, body, headers)


async def _post(session: aiohttp.ClientSession, url: str, data: Any, headers: dict[str, str]) -> Any:
    async with session.post(url, data=data, headers=headers) as response:
        body = await response.read()
    return ET.fromstring(body) if headers is _XML else json.loads(body)
