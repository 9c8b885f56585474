"""The fault `refuse`: what was done and is refused all the same, in the words of each gateway."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from attrs import frozen
from payamak.emulator import Emulator, Fault

A, B = "09121111111", "09122222222"
EXCEPTION = "System.NullReferenceException: Object reference not set to an instance of an object."
ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><{0}><user>emulator</user>'
    "<pass>emulator</pass><fromNum>50001</fromNum>{1}</{0}></e:Body></e:Envelope>"
)


def items(name: str, *texts: str) -> str:
    return f"<{name}>{''.join(f'<item>{text}</item>' for text in texts)}</{name}>"


@frozen
class Answer:
    http: int
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def xml(self) -> list[str]:
        """All texts of the result."""
        return [text.strip() for text in ET.fromstring(self.raw)[0].itertext()]  # noqa: S314  the emulator's own


Send = Callable[[str], Awaitable[Answer]]


@pytest_asyncio.fixture
async def send(emulator: Emulator, session: aiohttp.ClientSession, smsir: Any) -> Send:
    """Sends one text to two people, by the name of a method."""
    await smsir.log_in()
    emulator.smsir.switches.numbers_must_be_contacts = False
    access = {"uname": "emulator", "pass": "emulator", "from": "50001"}
    pair = {"message": "m", "receptor": f"{A},{B}"}
    op = {**access, "op": "send", "message": "m", "to": json.dumps([A, B])}
    soap, rest = emulator.advgateway_url, emulator.advgateway_rest_url
    one_text = items("toNum", A, B) + "<messageContent>m</messageContent>"
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "ghasedak": (
            f"{emulator.ghasedak_url}sms/send/pair",
            {"headers": {"apikey": "emulator-key"}, "data": pair},
        ),
        "smsir": (
            f"{emulator.smsir_url}Message/SendByMobileNumbers",
            {"headers": {"x-sms-ir-secure-token": smsir.token}, "json": {"Message": "m", "MobileNumbers": [A, B]}},
        ),
        "opgateway": (emulator.opgateway_url, {"data": op}),
        "SendSMS": (soap, {"data": ENVELOPE.format("SendSMS", one_text)}),
        "SendMultipleSMS": (
            soap,
            {"data": ENVELOPE.format("SendMultipleSMS", items("toNums", A, B) + items("messageContents", "m", "m"))},
        ),
        "OneToMany": (f"{rest}sendSms_OneToMany.php", {"json": {**access, "to": [A, B], "msg": "m"}}),
        "ManyToMany": (
            f"{rest}sendSms_ManyToMany.php",
            {"json": {**access, "content": [{"to": A, "msg": "m"}, {"to": B, "msg": "m"}]}},
        ),
    }

    async def run(method: str) -> Answer:
        url, arguments = calls[method]
        async with session.post(url, **arguments) as response:
            return Answer(response.status, await response.read())

    return run


METHODS = ("ghasedak", "smsir", "opgateway", "SendSMS", "SendMultipleSMS", "OneToMany", "ManyToMany")


@pytest.mark.parametrize("processed", [True, False])
@pytest.mark.parametrize("method", METHODS)
async def test_a_refused_request_was_processed_or_not(
    send: Send, emulator: Emulator, method: str, processed: bool
) -> None:
    emulator.add_fault(Fault("refuse", code=-3, message=EXCEPTION, status=418, processed=processed))
    answer = await send(method)
    assert answer.http == 418
    assert EXCEPTION in answer.raw.decode()
    assert [message.recipient for message in emulator.messages()] == ([A, B] if processed else [])
    record = emulator.requests[-1]
    assert (record.fault, record.processed, record.status) == ("refuse", processed, 418)
    before = len(emulator.messages())
    assert (await send(method)).http in (200, 201)
    assert len(emulator.messages()) == before + 2


@pytest.mark.parametrize(
    ("code", "http", "message", "content"),
    [
        (10, 419, "error! Exception", [10]),
        (419, 419, "error! Exception", None),
        (400, 400, '["message is required"]', None),
        (401, 401, "apikey is invalid", None),
        (404, 404, "the requested resource does not exist", ""),
        (451, 451, "error! Exception", None),
        (1000, 200, "error! Exception", None),
    ],
)
async def test_ghasedak(send: Send, emulator: Emulator, code: int, http: int, message: str, content: object) -> None:
    emulator.add_fault(Fault("refuse", code=code))
    answer = await send("ghasedak")
    result = {"code": 419 if code == 10 else code, "message": message}
    assert (answer.http, answer.json) == (http, {"result": result, "items": content})
    emulator.ghasedak.switches.errors_in_http_200 = True
    emulator.add_fault(Fault("refuse", code=code))
    assert (await send("ghasedak")).http == 200


@pytest.mark.parametrize(
    ("code", "message"), [(1, "Object reference not set to an instance of an object."), (99, "عملیات انجام نشد")]
)
async def test_smsir(send: Send, emulator: Emulator, code: int, message: str) -> None:
    emulator.add_fault(Fault("refuse", code=code, path="SendByMobileNumbers"))
    answer = await send("smsir")
    assert answer.http == 201
    nothing = {"MessageId": 0, "BatchKey": None, "Ids": None}
    assert answer.json == {**nothing, "IsSuccessful": False, "Message": message, "ErrorCode": code}
    emulator.smsir.switches.failure_status = 400
    emulator.add_fault(Fault("refuse", code=code, message="توکن نامعتبر است"))
    answer = await send("smsir")
    assert (answer.http, answer.json["Message"]) == (400, "توکن نامعتبر است")


async def test_smsir_has_no_refusal_for_what_is_no_method(smsir: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("refuse", code=1))
    answer = await smsir.request("POST", "Message/Nothing", json={})
    assert (answer.http, set(answer.body)) == (404, {"Message", "MessageDetail"})


async def test_smsir_without_an_envelope(send: Send, emulator: Emulator) -> None:
    body = '{"Message": "Object reference not set to an instance of an object."}'
    emulator.add_fault(Fault("status", status=400, body=body, content_type="application/json", processed=True))
    answer = await send("smsir")
    assert (answer.http, answer.raw.decode(), len(emulator.messages())) == (400, body, 2)


@pytest.mark.parametrize(("code", "sentence"), [(5, "The credit is not enough"), (8, "An error occurred")])
async def test_opgateway(send: Send, emulator: Emulator, code: int, sentence: str) -> None:
    emulator.add_fault(Fault("refuse", code=code))
    answer = await send("opgateway")
    assert (answer.http, answer.json) == (200, [code, sentence])


async def test_advgateway(send: Send, emulator: Emulator) -> None:
    emulator.add_fault(Fault("refuse", code=-3, times=None))
    for method in ("SendSMS", "SendMultipleSMS"):
        answer = await send(method)
        assert (answer.http, answer.xml) == (200, ["-3", "خطای ارسال"])
    for method in ("OneToMany", "ManyToMany"):
        answer = await send(method)
        assert (answer.http, answer.json) == (200, {"errCode": -3, "result": "خطای ارسال"})
    emulator.clear_faults()
    emulator.add_fault(Fault("refuse", code=-5))
    assert (await send("SendSMS")).xml == ["-5", "شماره ارسال متعلق به شما نیست"]
    assert len(emulator.messages()) == 10


async def test_each_recipient_is_refused_where_each_is_answered(send: Send, emulator: Emulator) -> None:
    emulator.add_fault(Fault("refuse", code=-3, each=True, times=None, gateway="advgateway"))
    emulator.add_fault(Fault("refuse", code=10, each=True, times=None))
    answer = await send("ghasedak")
    assert (answer.http, answer.json["result"]["code"], answer.json["items"]) == (200, 200, [10, 10])
    assert (await send("SendMultipleSMS")).xml == ["-3", "خطای ارسال"] * 2
    assert (await send("ManyToMany")).json == {"errCode": 0, "result": [{"errCode": -3, "result": "خطای ارسال"}] * 2}
    assert len(emulator.messages()) == 6
    # The others have one answer for all.
    assert (await send("SendSMS")).xml == ["-3", "خطای ارسال"]
    assert (await send("OneToMany")).json["errCode"] == -3
    assert (await send("opgateway")).json[0] == 10
    assert (await send("smsir")).json["IsSuccessful"] is False


async def test_a_call_without_recipients_is_refused_whole(call: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("refuse", code=10, each=True))
    assert (await call("account/info")).items == [10]


async def test_what_is_no_call_is_a_soap_fault(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    for status in (None, 503):
        emulator.add_fault(Fault("refuse", code=-3, status=status))
        async with session.post(emulator.advgateway_url, data=b"<a>") as response:
            assert response.status == (status or 500)
            assert b"SOAP-ENV:Fault" in await response.read()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "code is required for refuse"),
        ({"code": 0}, "code must be an integer other than 0"),
        ({"code": True}, "code must be an integer other than 0"),
        ({"code": "10"}, "code must be an integer other than 0"),
        ({"code": 1, "message": 5}, "message must be text"),
        ({"code": 1, "status": 99}, "status must be an HTTP status"),
        ({"code": 1, "each": 1}, "each must be one of True, False"),
        ({"code": 1, "body": ""}, "body is not an argument of refuse"),
    ],
)
def test_its_arguments_are_checked(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Fault("refuse", **arguments)
