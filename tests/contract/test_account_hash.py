"""By what a journal knows an account: the gateway, the host, and the key or user name; never by a password."""

from __future__ import annotations

from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient

URL = "https://gateway.example/service/"
CLIENTS: dict[str, Any] = {
    "ghasedak": lambda who="a", password="p", url=URL: GhasedakClient(who, base_url=url),
    "smsir": lambda who="a", password="p", url=URL: SmsIrClient(who, password, base_url=url),
    "opgateway": lambda who="a", password="p", url=URL: OpGatewayClient(who, password, base_url=url),
    "advgateway": lambda who="a", password="p", url=URL: AdvGatewayClient(who, password, base_url=url),
}


@pytest.mark.parametrize("make", CLIENTS.values(), ids=list(CLIENTS))
async def test_what_makes_another_account(make: Any) -> None:
    same = make().account_hash
    for other in (
        make("b"),
        make(url="https://other.example/service/"),
        make(url="https://gateway.example:8443/service/"),
    ):
        assert other.account_hash != same
    for alike in (
        make(password="q"),
        make(url="https://GATEWAY.example/service/"),
        make(url="https://gateway.example./service/"),
        make(url="https://gateway.example:443/service/"),
        make(url="https://gateway.example/another/path/"),
    ):
        assert alike.account_hash == same


async def test_each_gateway_has_its_own() -> None:
    assert len({make().account_hash for make in CLIENTS.values()}) == len(CLIENTS)
