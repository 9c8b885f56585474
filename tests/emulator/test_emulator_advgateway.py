"""The methods over SOAP, with envelopes that no client of this project built."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast
from xml.sax.saxutils import escape

import aiohttp
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault

pytestmark = pytest.mark.asyncio

LINE = "50001"
TO = "09121111111"
START = datetime(2030, 1, 1, tzinfo=UTC)
Soap = Callable[..., Awaitable[Any]]


def value(name: str, content: object) -> str:
    if isinstance(content, list):
        entries = cast("list[object]", content)
        items = "".join(value("item", item) for item in entries)
        kind = f'xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[{len(entries)}]"'
        return f"<{name} {kind}>{items}</{name}>"
    return f'<{name} xsi:type="xsd:string">{escape(str(content))}</{name}>'


def envelope(method: str, arguments: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope'
        ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body>'
        f'<ns1:{method} xmlns:ns1="urn:smsserver">{arguments}</ns1:{method}></SOAP-ENV:Body></SOAP-ENV:Envelope>'
    )


def read(node: ET.Element) -> Any:
    """The struct style."""
    if node.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "SOAP-ENC:Array":
        return [read(child) for child in node]
    if len(node):
        return {child.tag: read(child) for child in node}
    text = node.text or ""
    return int(text) if node.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "xsd:int" else text


@pytest_asyncio.fixture
async def post(emulator: Emulator, session: aiohttp.ClientSession) -> Callable[..., Awaitable[tuple[int, bytes]]]:
    async def run(body: str | bytes) -> tuple[int, bytes]:
        data = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"x"'}
        async with session.post(emulator.advgateway_url, data=data, headers=headers) as response:
            assert response.content_type == "text/xml"
            return response.status, await response.read()

    return run


@pytest_asyncio.fixture
async def soap(post: Any) -> Soap:
    async def run(method: str, user: str = "emulator", code: str = "emulator", **arguments: object) -> Any:
        given = {"user": user, "pass": code, **arguments}
        status, raw = await post(envelope(method, "".join(value(*pair) for pair in given.items())))
        assert status == 200, raw
        return read(ET.fromstring(raw)[0][0][0])  # noqa: S314  the emulator's own

    return run


async def send(soap: Soap, *numbers: str, text: str = "test", line: str = LINE) -> Any:
    return await soap("SendSMS", fromNum=line, toNum=list(numbers), messageContent=text)


async def test_send_and_credit(soap: Soap, emulator: Emulator) -> None:
    reply = await send(soap, "9121111111", "+989122222222", TO, "00989122222222", text="سلام & <b>")
    assert reply == {"ErrCode": "0", "result": ["536221499", "536221500"]}
    kept = emulator.messages(gateway="advgateway")
    assert [(message.id, message.recipient) for message in kept] == [(536221499, TO), (536221500, "09122222222")]
    assert (kept[0].text, kept[0].line, kept[0].operation) == ("سلام & <b>", LINE, "SendSMS")
    assert await soap("GetCredit") == {"ErrCode": "0", "result": "999690"}


@pytest.mark.parametrize("method", ["GetCredit", "SendSMS", "SendMultipleSMS", "GetStatus", "GetMsg"])
async def test_unknown_users(soap: Soap, emulator: Emulator, method: str) -> None:
    code = -1 if method in ("GetStatus", "GetMsg") else "-1"
    for user, password in (("emulator", "x"), ("x", "emulator"), ("", "")):
        assert await soap(method, user, password) == {"ErrCode": code, "result": "کاربر شناسایی نشد"}
    emulator.advgateway.switches.string_codes = True
    assert (await soap(method, "x"))["ErrCode"] == "-1"


async def test_refused_sends_change_nothing(soap: Soap, emulator: Emulator) -> None:
    many = [f"0912{n:07}" for n in range(61)]
    assert (await send(soap, *many))["ErrCode"] == "-2"
    assert (await send(soap, TO, line="3000999"))["ErrCode"] == "-5"
    for numbers, text in (((), "t"), ((TO, "1"), "t"), ((TO,), " "), ((TO, "09000000013"), "t")):
        reply = await send(soap, *numbers, text=text)
        assert reply["ErrCode"] == "-3"
        assert isinstance(reply["result"], str)
        assert reply["result"]
    emulator.advgateway.account.credit = 200
    assert await send(soap, TO, "09122222222") == {"ErrCode": "-3", "result": "اعتبار کافی نیست"}
    assert (emulator.messages(), emulator.advgateway.account.credit) == ([], 200)


async def test_sixty_numbers(soap: Soap, emulator: Emulator) -> None:
    numbers = [f"0912{n:07}" for n in range(60)]
    assert len((await send(soap, *numbers))["result"]) == 60
    assert (await send(soap, *numbers, numbers[0]))["ErrCode"] == "-2"
    emulator.advgateway.switches.limit_counts = "after"
    assert (await send(soap, *numbers, numbers[0]))["ErrCode"] == "0"


async def multiple(soap: Soap, numbers: list[str], texts: list[str], line: str = LINE) -> Any:
    return await soap("SendMultipleSMS", fromNum=line, toNums=numbers, messageContents=texts)


async def test_send_multiple(soap: Soap, emulator: Emulator) -> None:
    emulator.advgateway.account.credit = 310
    reply = await multiple(soap, [TO, "x", "09000000013", TO, "09122222222"], ["a", "b", "c", "d", "e"])
    assert [item["ErrCode"] for item in reply] == ["0", "-3", "-3", "0", "-3"]
    assert (reply[0]["result"], reply[3]["result"]) == ("536221499", "536221500")
    assert len({item["result"] for item in reply}) == 5
    assert [(message.recipient, message.text) for message in emulator.messages()] == [(TO, "a"), (TO, "d")]
    assert emulator.advgateway.account.credit == 0


async def test_send_multiple_refused_as_a_whole(soap: Soap, emulator: Emulator) -> None:
    assert (await multiple(soap, [TO, TO], ["a"]))["ErrCode"] == "-4"
    assert (await multiple(soap, [TO], ["a"], line="1"))["ErrCode"] == "-5"
    assert (await multiple(soap, [TO] * 61, ["a"] * 61))["ErrCode"] == "-2"
    emulator.advgateway.switches.whole_call_failure = "list"
    (item,) = await multiple(soap, [TO, TO], ["a"])
    assert item["ErrCode"] == "-4"
    assert emulator.messages() == []
    emulator.advgateway.switches.limit_multiple = False
    assert len(await multiple(soap, [TO] * 61, ["a"] * 61)) == 61


async def test_statuses_move_with_the_clock(soap: Soap, emulator: Emulator) -> None:
    numbers = [TO, *(f"090000000{n:02}" for n in range(1, 7))]
    ids = (await send(soap, *numbers))["result"]
    seen: list[list[int]] = []
    for seconds in (0, 1.2, 2):
        emulator.clock.advance(seconds)
        reply = await soap("GetStatus", unique_ids=ids)
        assert reply["ErrCode"] == 0
        seen.append(reply["result"])
    assert seen == [[1] * 7, [3, 1, 2, 3, 3, 3, 6], [4, 1, 2, 3, 4, 5, 6]]


async def test_unknown_ids(soap: Soap, emulator: Emulator) -> None:
    (known,) = (await send(soap, TO))["result"]
    ids = ["1", known, "x"]
    assert (await soap("GetStatus", unique_ids=ids))["result"] == [0, 1, 0]
    emulator.advgateway.switches.unknown_id = "omit"
    assert (await soap("GetStatus", unique_ids=ids))["result"] == [1]
    emulator.advgateway.switches.unknown_id = "error"
    assert (await soap("GetStatus", unique_ids=ids))["ErrCode"] == -3


async def test_status_objects(soap: Soap, emulator: Emulator) -> None:
    emulator.advgateway.switches.status_result = "objects"
    ids = (await send(soap, TO))["result"]
    emulator.clock.advance(5)
    reply = await soap("GetStatus", unique_ids=ids)
    assert reply == {"ErrCode": 0, "result": [{"status": "رسیده به گوشی", "statusId": "4"}]}


async def test_inbox(soap: Soap, emulator: Emulator) -> None:
    emulator.clock.set(START)
    for number in range(51):
        emulator.add_inbox_message(gateway="advgateway", sender="9121111111", line="+9850001", text=f"m{number}")
        emulator.clock.advance(1)
    reply = await soap("GetMsg")
    assert reply["ErrCode"] == 0
    assert [item["msg"] for item in reply["result"]] == [f"m{number}" for number in range(1, 51)]
    first = {"from": "+989121111111", "to": "+9850001", "msg": "m1", "time": str(int(START.timestamp()) + 1)}
    assert reply["result"][0] == first
    assert [item["msg"] for item in (await soap("GetMsg"))["result"]] == ["m0"]
    assert (await soap("GetMsg"))["result"] == []
    emulator.advgateway.switches.reading_marks_as_read = False
    emulator.add_inbox_message(gateway="advgateway", sender="1000", line=LINE, text="t")
    assert [len((await soap("GetMsg"))["result"]) for _ in range(2)] == [1, 1]
    with pytest.raises(ValueError, match="line must be one of"):
        emulator.add_inbox_message(gateway="advgateway", sender="1", line="1", text="t")


NUMBERS = "<item>09121111111</item><item>09122222222</item>"
ARRAYS = {
    "typed": f'<toNum xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[2]">{NUMBERS}</toNum>',
    "declared": f'<toNum xmlns:n="urn:smsserver" SOAP-ENC:arrayType="xsd:string[2]" xsi:type="n:L">{NUMBERS}</toNum>',
    "map": '<toNum xmlns:m="http://xml.apache.org/xml-soap" xsi:type="m:Map">'
    "<item><key>0</key><value>09121111111</value></item><item><key>1</key><value>09122222222</value></item></toNum>",
    "repeated": "<toNum>09121111111</toNum><toNum>09122222222</toNum>",
    "untyped": f"<toNum>{NUMBERS}</toNum>",
    "strings": f"<toNum>{NUMBERS.replace('item', 'string')}</toNum>",
    "json": '<toNum>["09121111111","09122222222"]</toNum>',
}


def order(array: str) -> str:
    before, after = value("user", "emulator") + value("pass", "emulator"), value("messageContent", "t")
    return envelope("SendSMS", before + value("fromNum", LINE) + array + after)


@pytest.mark.parametrize("style", ARRAYS)
async def test_arrays_in_every_style(post: Any, emulator: Emulator, style: str) -> None:
    status, raw = await post(order(ARRAYS[style]))
    assert (status, raw.count(b"<item ")) == (200, 2), raw
    emulator.advgateway.switches.strict_arrays = True
    _, raw = await post(order(ARRAYS[style]))
    understood = style in ("typed", "declared", "map", "repeated")
    assert (raw.count(b"<item "), b">-3<" in raw) == ((2, False) if understood else (0, True))


async def test_arrays_by_reference(post: Any, emulator: Emulator) -> None:
    target = f'<q:Array xmlns:q="urn:x" id="id1">{NUMBERS}</q:Array></SOAP-ENV:Body>'
    status, _ = await post(order('<toNum href="#id1"/>').replace("</SOAP-ENV:Body>", target))
    assert (status, len(emulator.messages())) == (200, 2)
    circle = '<a id="id1" href="#id2"/><a id="id2" href="#id1"/></SOAP-ENV:Body>'
    status, raw = await post(order('<toNum href="#id1"/>').replace("</SOAP-ENV:Body>", circle))
    assert (status, b"faultstring" in raw) == (500, True)


PARTS = {
    "user": value("user", "emulator"),
    "pass": value("pass", "emulator"),
    "fromNum": value("fromNum", LINE),
    "toNum": value("toNum", [TO]),
    "messageContent": value("messageContent", "t"),
    "messageType": value("messageType", "normal"),
}
DOCUMENTED = ("user", "pass", "fromNum", "toNum", "messageContent")
OTHER = ("fromNum", "toNum", "messageContent", "user", "pass")
WITH_EXTRA = ("fromNum", "toNum", "messageContent", "messageType", "user", "pass")


@pytest.mark.parametrize(
    ("names", "strict", "parameter_order", "code"),
    [
        (OTHER, False, "document", b"0"),
        (WITH_EXTRA, False, "document", b"0"),
        (DOCUMENTED, True, "document", b"0"),
        ((*DOCUMENTED, "messageType"), True, "document", b"0"),
        (OTHER, True, "document", b"-1"),
        (OTHER, True, "alternative", b"0"),
        (WITH_EXTRA, True, "alternative", b"0"),
        (DOCUMENTED, True, "alternative", b"-1"),
    ],
)
async def test_order(
    post: Any, emulator: Emulator, names: tuple[str, ...], strict: bool, parameter_order: str, code: bytes
) -> None:
    emulator.advgateway.switches.strict_order = strict
    emulator.advgateway.switches.parameter_order = parameter_order
    _, raw = await post(envelope("SendSMS", "".join(PARTS[name] for name in names)))
    assert b'<ErrCode xsi:type="xsd:string">%b<' % code in raw
    assert len(emulator.messages()) == (code == b"0")


async def test_names_that_nobody_knows_go_by_order(post: Any, emulator: Emulator) -> None:
    given = "".join(PARTS[name].replace(name, f"param{place}") for place, name in enumerate(DOCUMENTED))
    assert (await post(envelope("SendSMS", given)))[0] == 200
    assert [(message.recipient, message.text) for message in emulator.messages()] == [(TO, "t")]


async def test_an_argument_too_many(post: Any, emulator: Emulator) -> None:
    emulator.advgateway.switches.extra_argument = False
    status, raw = await post(envelope("SendSMS", "".join(PARTS.values())))
    assert (status, b"more arguments" in raw, emulator.messages()) == (500, True, [])


async def test_control_and_faults(soap: Soap, control: Any, emulator: Emulator) -> None:
    await send(soap, TO)
    change = {"advgateway": {"result_style": "json", "fault_on_next": 1}}
    assert (await control("POST", "switches", change)).body["advgateway"]["result_style"] == "json"
    await control("POST", "account", {"gateway": "advgateway", "credit": 7})
    assert emulator.advgateway.account.credit == 7
    assert (await control("GET", "contacts")).body["contacts"]["advgateway"] == []
    (message,) = (await control("GET", "messages?gateway=advgateway")).body["messages"]
    assert (message["recipient"], message["status"], message["price"]) == (TO, 1, 155)
    assert (await control("POST", "switches", {"advgateway": {"result_style": "x"}})).http == 400
    await control("POST", "reset", {})
    assert await soap("GetCredit") == {"ErrCode": "0", "result": "1000000"}
    emulator.add_fault(Fault("drop_after_read", path="server.php"))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await send(soap, TO)
    assert len(emulator.messages()) == 1


async def test_start_page_tells_how_to_reach_it(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.get(emulator.url) as response:
        page = await response.text()
    for piece in (emulator.advgateway_url, emulator.advgateway_rest_url, "user      emulator", "13 is refused"):
        assert piece in page
    assert "password" not in repr(emulator.advgateway.account)
