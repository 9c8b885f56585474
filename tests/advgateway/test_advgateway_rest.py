"""The JSON door: requests and replies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from payamak.advgateway import (
    AuthenticationError,
    InvalidSenderError,
    NotFoundError,
    Outcome,
    ReplyError,
    SoapProfile,
    Transport,
)
from support.advgateway import CALLS, FIRST, LINE, PASSWORD, RESULTS, SECOND, USER, make_client
from support.ghasedak import failure_of
from support.raw_server import RawServer, answer

CREDENTIALS = {"uname": USER, "pass": PASSWORD}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "credit": ("getData.php", CREDENTIALS),
    "send": ("sendSms_OneToMany.php", {**CREDENTIALS, "from": LINE, "to": [FIRST], "msg": "text"}),
    "send_to_many": ("sendSms_OneToMany.php", {**CREDENTIALS, "from": LINE, "to": [FIRST, SECOND], "msg": "text"}),
    "send_pairs": (
        "sendSms_ManyToMany.php",
        {**CREDENTIALS, "from": LINE, "content": [{"to": FIRST, "msg": "one"}, {"to": SECOND, "msg": "two"}]},
    ),
    "statuses": ("getStatusArray.php", {**CREDENTIALS, "uniqueIDs": ["101", "102"]}),
    "received": ("getMessages.php", CREDENTIALS),
}


async def _ask(name: str, body: bytes, status: int = 200) -> tuple[Any, Any]:
    profile = SoapProfile(extra_arguments={"messageType": "normal"})
    async with (
        RawServer(answer(body, status)) as server,
        make_client(server.url, transport=Transport.REST, profile=profile) as client,
    ):
        result = await CALLS[name](client)
        (request,) = server.requests
        return result, request


@pytest.mark.parametrize("name", CALLS)
async def test_request(name: str) -> None:
    _, request = await _ask(name, json.dumps(RESULTS[name]).encode())
    file, body = REQUESTS[name]
    assert (request.method, request.target) == ("POST", f"/v2/{file}")
    assert json.loads(request.body) == body
    assert request.headers["content-type"] == "application/json"
    assert "soapaction" not in request.headers


async def test_text_arrives_as_it_is() -> None:
    text = "سلام «ی»\r\n<b>\"&' 🙂"
    async with (
        RawServer(answer(json.dumps(RESULTS["send"]).encode())) as server,
        make_client(server.url, transport=Transport.REST) as client,
    ):
        await client.send(FIRST, text, sender=LINE)
        assert json.loads(server.requests[0].body)["msg"] == text
        assert "سلام".encode() in server.requests[0].body


async def test_lower_case_code_and_object() -> None:
    body = b'{"errCode":0,"result":{"credit":"12345.5","name":"x"}}'
    assert str((await _ask("credit", body))[0]) == "12345.5"
    assert str((await _ask("credit", b"\xef\xbb\xbf" + body))[0]) == "12345.5"


@pytest.mark.parametrize(
    ("body", "status", "kind", "outcome"),
    [
        (b'{"errCode":-1,"result":"no"}', 200, AuthenticationError, Outcome.REFUSED),
        (b'{"errCode":"-5","result":"no"}', 500, InvalidSenderError, Outcome.UNKNOWN),
        (b'{"errCode":"-5","result":"no"}', 404, InvalidSenderError, Outcome.REFUSED),
        (b"<html>", 409, ReplyError, Outcome.UNKNOWN),
        (b"", 200, ReplyError, Outcome.UNKNOWN),
        (b"<html>", 200, ReplyError, Outcome.UNKNOWN),
        (b"<html>", 404, NotFoundError, Outcome.REFUSED),
        (b"<html>", 302, ReplyError, Outcome.UNKNOWN),
        (b"<html>", 500, ReplyError, Outcome.UNKNOWN),
        (b"{}", 200, ReplyError, Outcome.UNKNOWN),
        (b'"\xff"', 200, ReplyError, Outcome.UNKNOWN),
        (b'{"errCode":null,"result":["101"]}', 200, ReplyError, Outcome.UNKNOWN),
        (b'{"errCode":0}', 200, ReplyError, Outcome.UNKNOWN),
        (b"[" * 100_000, 200, ReplyError, Outcome.UNKNOWN),
    ],
)
async def test_failures(body: bytes, status: int, kind: type[Exception], outcome: Outcome) -> None:
    error = await failure_of(_ask("send", body, status))
    assert (type(error), error.outcome, error.operation) == (kind, outcome, "send")
