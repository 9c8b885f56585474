"""The table of gateways: one row a gateway, or one a transport. Each row is held to every test of tests/contract."""

from __future__ import annotations

import pytest

from support.gateways.advgateway import REST, SOAP
from support.gateways.ghasedak import GHASEDAK
from support.gateways.opgateway import OPGATEWAY
from support.gateways.row import Call, Gateway, Run, Scene, Surface
from support.gateways.smsir import SMSIR

__all__ = ["EACH", "EACH_CALL", "GATEWAYS", "Call", "Gateway", "Run", "Scene", "Surface"]

GATEWAYS = (GHASEDAK, SMSIR, OPGATEWAY, SOAP, REST)
EACH = pytest.mark.parametrize("gateway", GATEWAYS, ids=[gateway.label for gateway in GATEWAYS])
EACH_CALL = pytest.mark.parametrize(
    ("gateway", "call"),
    [
        pytest.param(gateway, call, id=f"{gateway.label}-{call.name}")
        for gateway in GATEWAYS
        for call in gateway.calls.values()
    ],
)
