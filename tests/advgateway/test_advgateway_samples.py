"""The replies that PHP's own servers gave, each through the client: all rows of what was found in the laboratory."""

from __future__ import annotations

import datetime
import decimal
import pathlib
from typing import Any

import pytest
from payamak.advgateway import (
    DeliveryCode,
    GatewayError,
    InvalidRequestError,
    MessageStatus,
    Outcome,
    ReceivedMessage,
    ReplyError,
    SendResult,
)
from support.advgateway import CALLS, FIRST, SECOND, make_client, reply
from support.ghasedak import failure_of
from support.raw_server import RawServer

SAMPLES = pathlib.Path(__file__).parent / "samples"
METHODS = {
    "GetCredit": "credit",
    "SendSMS": "send_to_many",
    "SendMultipleSMS": "send_pairs",
    "GetStatus": "statuses",
    "GetMsg": "received",
}
EXPECTED: dict[str, Any] = {
    "credit": decimal.Decimal(12345),
    "send_to_many": [SendResult(FIRST, 536221499), SendResult(SECOND, 536221500)],
    "statuses": [MessageStatus(101, DeliveryCode.REACHED_HANDSET), MessageStatus(102, DeliveryCode.SENDING)],
    "received": [
        ReceivedMessage(
            "سلام & <b>", "+989120000000", "+9850001", datetime.datetime.fromtimestamp(1508144471, datetime.UTC)
        )
    ],
}
REPLIES = sorted(path.name for path in SAMPLES.glob("response.*.xml"))
LOST = [name for name in REPLIES if "declared-string-array" in name and "GetCredit" not in name]


async def _ask(name: str, method: str, status: int = 200) -> Any:
    async with RawServer(reply((SAMPLES / name).read_bytes(), status)) as server, make_client(server.url) as client:
        try:
            return await CALLS[method](client)
        finally:
            assert len(server.requests) == 1


def test_all_are_here() -> None:
    assert len(REPLIES) == 17
    assert len(LOST) == 4


@pytest.mark.parametrize("name", [name for name in REPLIES if name not in LOST])
async def test_reply(name: str) -> None:
    method = METHODS[name.split(".")[1]]
    found = await _ask(name, method)
    if method != "send_pairs":
        assert found == EXPECTED[method]
        return
    good, bad = found
    assert good == SendResult(FIRST, 536221499)
    assert (bad.recipient, bad.message_id, bad.ok) == (SECOND, None, False)
    assert isinstance(bad.error, GatewayError)
    assert (bad.error.code, bad.error.gateway_message, bad.error.outcome) == (-3, "خطا", Outcome.REFUSED)
    assert (bad.error.gateway, bad.error.operation) == ("advgateway", "send_pairs")


@pytest.mark.parametrize("name", [name for name in LOST if "SendMultiple" not in name])
async def test_lost_value(name: str) -> None:
    error = await failure_of(_ask(name, METHODS[name.split(".")[1]]))
    assert isinstance(error, ReplyError)
    assert "Array" in str(error)
    assert error.outcome is Outcome.UNKNOWN


async def test_lost_values_of_single_messages() -> None:
    (name,) = (name for name in LOST if "SendMultiple" in name)
    for result in await _ask(name, "send_pairs"):
        assert isinstance(result.error, ReplyError)
        assert (result.message_id, result.error.outcome) == (None, Outcome.UNKNOWN)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("name", ["fault.nusoap-unknown-operation.xml", "fault.extsoap-unknown-operation.xml"])
async def test_unknown_method(name: str, status: int) -> None:
    error = await failure_of(_ask(name, "send", status))
    assert isinstance(error, InvalidRequestError)
    assert error.outcome is Outcome.REFUSED
    assert error.http_status == status
    assert error.code in ("SOAP-ENV:Client", "SOAP-ENV:Server")
    assert "'NoSuch'" in (error.gateway_message or "")
    assert "NoSuch" not in str(error)
