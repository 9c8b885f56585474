"""The bytes of the SOAP server, against what nuSOAP and PHP's own server wrote in a laboratory."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio
from payamak.emulator import Emulator

pytestmark = pytest.mark.asyncio

Call = Callable[..., Awaitable[bytes]]

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope'
    ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body>'
)
TAIL = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
ACCESS = '<user xsi:type="xsd:string">emulator</user><pass xsi:type="xsd:string">emulator</pass>'
TWO = (
    '<{0} xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[2]"><item xsi:type="xsd:string">{1}</item>'
    '<item xsi:type="xsd:string">{2}</item></{0}>'
)
FROM = '<fromNum xsi:type="xsd:string">50001</fromNum>'
ARGUMENTS = {
    "GetCredit": "",
    "SendSMS": FROM
    + TWO.format("toNum", "09121111111", "09122222222")
    + '<messageContent xsi:type="xsd:string">hi</messageContent>',
    "SendMultipleSMS": FROM
    + TWO.format("toNums", "09121111111", "09000000013")
    + TWO.format("messageContents", "a", "b"),
    "GetStatus": TWO.format("unique_ids", "536221499", "536221500"),
    "GetMsg": "",
}
S, I = ' xsi:type="xsd:string"', ' xsi:type="xsd:int"'  # noqa: E741
MSG = "سلام &amp; &lt;b&gt;"
STRUCT = {
    "GetCredit": f"<return><ErrCode{S}>0</ErrCode><result{S}>1000000</result></return>",
    "SendSMS": f'<return><ErrCode{S}>0</ErrCode><result xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[2]">'
    f"<item{S}>536221499</item><item{S}>536221500</item></result></return>",
    "SendMultipleSMS": '<return xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="unnamed_struct_use_soapval[2]">'
    f"<item><ErrCode{S}>0</ErrCode><result{S}>536221499</result></item>"
    f"<item><ErrCode{S}>-3</ErrCode><result{S}>خطای ارسال</result></item></return>",
    "GetStatus": f'<return><ErrCode{I}>0</ErrCode><result xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:int[2]">'
    f"<item{I}>1</item><item{I}>1</item></result></return>",
    "GetMsg": f'<return><ErrCode{I}>0</ErrCode><result xsi:type="SOAP-ENC:Array"'
    ' SOAP-ENC:arrayType="unnamed_struct_use_soapval[1]">'
    f"<item><from{S}>+989120000000</from><to{S}>+9850001</to><msg{S}>{MSG}</msg><time{S}>1508144471</time></item>"
    "</result></return>",
}
CODE = f"<item><key{S}>ErrCode</key><value"
RESULT = f"<item><key{S}>result</key><value"
MAP = {
    "GetCredit": f'<return xsi:type="ns2:Map">{CODE}{S}>0</value></item>{RESULT}{S}>1000000</value></item></return>',
    "SendSMS": f'<return xsi:type="ns2:Map">{CODE}{S}>0</value></item>'
    f'{RESULT} SOAP-ENC:arrayType="xsd:string[2]" xsi:type="SOAP-ENC:Array">'
    f"<item{S}>536221499</item><item{S}>536221500</item></value></item></return>",
    "SendMultipleSMS": '<return SOAP-ENC:arrayType="ns2:Map[2]" xsi:type="SOAP-ENC:Array"><item xsi:type="ns2:Map">'
    f'{CODE}{S}>0</value></item>{RESULT}{S}>536221499</value></item></item><item xsi:type="ns2:Map">'
    f"{CODE}{S}>-3</value></item>{RESULT}{S}>خطای ارسال</value></item></item></return>",
    "GetStatus": f'<return xsi:type="ns2:Map">{CODE}{I}>0</value></item>'
    f'{RESULT} SOAP-ENC:arrayType="xsd:int[2]" xsi:type="SOAP-ENC:Array">'
    f"<item{I}>1</item><item{I}>1</item></value></item></return>",
    "GetMsg": f'<return xsi:type="ns2:Map">{CODE}{I}>0</value></item>'
    f'{RESULT} SOAP-ENC:arrayType="ns2:Map[1]" xsi:type="SOAP-ENC:Array"><item xsi:type="ns2:Map">'
    f"<item><key{S}>from</key><value{S}>+989120000000</value></item>"
    f"<item><key{S}>to</key><value{S}>+9850001</value></item>"
    f"<item><key{S}>msg</key><value{S}>{MSG}</value></item>"
    f"<item><key{S}>time</key><value{S}>1508144471</value></item></item></value></item></return>",
}
LIST = '<return xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[2]">'
POSITIONAL = {
    "GetCredit": f"{LIST}<item{S}>0</item><item{S}>1000000</item></return>",
    "SendSMS": f"{LIST}<item{S}>0</item><item{S}>Array</item></return>",
    "SendMultipleSMS": f"{LIST}<item{S}>Array</item><item{S}>Array</item></return>",
    "GetStatus": f"{LIST}<item{S}>0</item><item{S}>Array</item></return>",
    "GetMsg": f"{LIST}<item{S}>0</item><item{S}>Array</item></return>",
}
LOST = dict.fromkeys(ARGUMENTS, f"<return{S}>Array</return>")
STYLES = {"struct": STRUCT, "map": MAP, "positional": POSITIONAL, "lost": LOST}


def request(method: str) -> str:
    return f'{HEAD}<ns1:{method} xmlns:ns1="urn:smsserver">{ACCESS}{ARGUMENTS[method]}</ns1:{method}>{TAIL}'


@pytest_asyncio.fixture
async def call(emulator: Emulator, session: aiohttp.ClientSession) -> Call:
    async def run(body: str | bytes, status: int = 200) -> bytes:
        data = body.encode() if isinstance(body, str) else body
        async with session.post(emulator.advgateway_url, data=data) as response:
            assert response.status == status
            assert response.headers["X-SOAP-Server"].startswith("NuSOAP/")
            return await response.read()

    return run


async def prepare(emulator: Emulator, call: Call, method: str) -> None:
    if method == "GetStatus":
        await call(request("SendSMS"))
    moment = datetime.fromtimestamp(1508144471, UTC)
    emulator.add_inbox_message(
        gateway="advgateway", sender="09120000000", line="50001", text="سلام & <b>", received_at=moment
    )


@pytest.mark.parametrize("method", ARGUMENTS)
@pytest.mark.parametrize("style", STYLES)
async def test_results(emulator: Emulator, call: Call, style: str, method: str) -> None:
    await prepare(emulator, call, method)
    emulator.advgateway.switches.result_style = style
    text = (await call(request(method))).decode()
    name = f"ns1:{method}Response"
    if style == "map":
        assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=')
        assert f"<SOAP-ENV:Body><{name}>{STYLES[style][method]}</{name}>{TAIL}" in text
    else:
        assert text == f'{HEAD}<{name} xmlns:ns1="urn:smsserver">{STYLES[style][method]}</{name}>{TAIL}'


async def test_json_in_a_text(emulator: Emulator, call: Call) -> None:
    emulator.advgateway.switches.result_style = "json"
    text = (await call(request("GetCredit"))).decode()
    start = f'{HEAD}<ns1:GetCreditResponse xmlns:ns1="urn:smsserver"><return{S}>'
    content = "{&quot;ErrCode&quot;:&quot;0&quot;,&quot;result&quot;:&quot;1000000&quot;}"
    assert text == f"{start}{content}</return></ns1:GetCreditResponse>{TAIL}"
    await prepare(emulator, call, "GetMsg")
    inner = ET.fromstring(await call(request("GetMsg"))).findtext(".//return")  # noqa: S314  the emulator's own
    assert json.loads(inner or "")["result"][0]["msg"] == "سلام & <b>"
    await call(request("SendSMS"))
    emulator.advgateway.switches.status_result = "map"
    inner = ET.fromstring(await call(request("GetStatus"))).findtext(".//return")  # noqa: S314
    assert json.loads(inner or "") == {"ErrCode": 0, "result": {"536221499": 1, "536221500": 1}}


async def test_map_of_statuses(emulator: Emulator, call: Call) -> None:
    await prepare(emulator, call, "GetStatus")
    emulator.advgateway.switches.status_result = "map"
    assert STRUCT["GetStatus"].encode() in await call(request("GetStatus"))
    emulator.advgateway.switches.result_style = "map"
    entry = f"<item><key{I}>536221499</key><value{I}>1</value></item>"
    assert f'<value xsi:type="ns2:Map">{entry}'.encode() in await call(request("GetStatus"))


async def test_multiref(emulator: Emulator, call: Call) -> None:
    emulator.advgateway.switches.result_style = "multiref"
    text = (await call(request("SendSMS"))).decode()
    body = ET.fromstring(text)[0]  # noqa: S314  the emulator's own
    assert [child.tag for child in body] == ["{urn:smsserver}SendSMSResponse", "multiRef", "multiRef"]
    assert body[0][0].attrib == {"href": "#id0"}
    struct, ids = body[1], body[2]
    assert (struct.get("id"), struct.findtext("ErrCode"), struct[1].attrib) == ("id0", "0", {"href": "#id1"})
    assert (ids.get("id"), [item.text for item in ids]) == ("id1", ["536221499", "536221500"])


async def test_empty_lists(emulator: Emulator, call: Call) -> None:
    empty = b'<result xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:anyType[0]"></result>'
    assert empty in await call(request("GetMsg"))
    emulator.advgateway.switches.result_style = "map"
    empty = b'<value SOAP-ENC:arrayType="xsd:ur-type[0]" xsi:type="SOAP-ENC:Array"></value>'
    assert empty in await call(request("GetMsg"))


async def test_declares_one_encoding_and_sends_another(
    emulator: Emulator, call: Call, session: aiohttp.ClientSession
) -> None:
    await prepare(emulator, call, "GetMsg")
    emulator.advgateway.switches.declares_iso_8859_1 = True
    async with session.post(emulator.advgateway_url, data=request("GetMsg").encode()) as response:
        assert response.headers["Content-Type"] == "text/xml; charset=ISO-8859-1"
        raw = await response.read()
    assert raw.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert MSG.encode() in raw


async def test_gzip(emulator: Emulator) -> None:
    emulator.advgateway.switches.gzip = True
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for accepted, is_compressed in (("gzip, deflate", True), ("identity", False)):
            headers = {"Accept-Encoding": accepted}
            async with session.post(
                emulator.advgateway_url, data=request("GetCredit").encode(), headers=headers
            ) as response:
                raw = await response.read()
            assert (response.headers.get("Content-Encoding") == "gzip") is is_compressed
            assert STRUCT["GetCredit"].encode() in (gzip.decompress(raw) if is_compressed else raw)


def fault(text: str, code: str = "Client") -> str:
    content = f"<faultcode{S}>SOAP-ENV:{code}</faultcode><faultstring{S}>{text}</faultstring>"
    return f"{HEAD}<SOAP-ENV:Fault>{content}<faultactor{S}></faultactor><detail{S}></detail></SOAP-ENV:Fault>{TAIL}"


async def test_unknown_method(call: Call) -> None:
    reply = await call(request("GetCredit").replace("GetCredit", "NoSuch"), 500)
    assert reply.decode() == fault("Operation &apos;NoSuch&apos; is not defined in the WSDL for this service")


async def test_fault_on_next(emulator: Emulator, call: Call) -> None:
    emulator.advgateway.switches.fault_on_next = 2
    for _ in range(2):
        reply = await call(request("SendSMS"), 500)
        assert reply.decode() == fault("the emulator was told to answer with a fault", "Server")
    assert emulator.messages() == []
    await call(request("SendSMS"))
    assert len(emulator.messages()) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<a>",
        b"<a/>",
        b"<Envelope/>",
        b"<Envelope><Body/></Envelope>",
        b'<?xml version="1.0" encoding="nonsense"?>\xff<a/>',
        b'<!DOCTYPE a [<!ENTITY e "x">]>' + request("GetCredit").partition("?>")[2].encode(),
        b"<Envelope><Body><SendSMS>" + b"<toNum>" * 40 + b"</toNum>" * 40 + b"</SendSMS></Body></Envelope>",
    ],
)
async def test_what_is_no_call_is_a_fault(call: Call, body: bytes) -> None:
    reply = await call(body, 500)
    assert b"<faultcode" in reply
    assert b"ErrCode" not in reply
    ET.fromstring(reply)  # noqa: S314  the emulator's own


@pytest.mark.parametrize(
    "body",
    [
        "<e:Envelope xmlns:e='urn:e'><e:Header/><e:Body><GetCredit xmlns='h'>{}</GetCredit></e:Body></e:Envelope>",
        "<Envelope><Body><a:b.GetCredit/></Body></Envelope>",
        "<Envelope><Body><x:GetCredit>{}</x:GetCredit></Body></Envelope>",
    ],
)
async def test_prefixes_decide_nothing(call: Call, body: str) -> None:
    access = "<user>emulator</user><pass>emulator</pass>"
    if "{}" not in body:
        await call(body, 500)
    else:
        assert STRUCT["GetCredit"].encode() in await call(body.format(access))


async def test_requests_in_other_encodings(emulator: Emulator, call: Call) -> None:
    declared = request("SendSMS").replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
    await call(declared.replace(">hi<", ">سلام<").encode())
    await call(declared.replace(">hi<", ">né<").encode("latin-1"))
    await call(request("SendSMS").replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))
    assert [message.text for message in emulator.messages()][::2] == ["سلام", "né", "hi"]


async def test_description(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    emulator.advgateway.switches.namespace = "urn:other"
    for query in ("?wsdl", "?WSDL", "?wsdl=1"):
        async with session.get(emulator.advgateway_url + query) as response:
            assert (response.status, response.content_type) == (200, "text/xml")
            root = ET.fromstring(await response.read())  # noqa: S314  the emulator's own
        wsdl, soap = "{http://schemas.xmlsoap.org/wsdl/}", "{http://schemas.xmlsoap.org/wsdl/soap/}"
        names = [operation.get("name") for operation in root.iterfind(f"{wsdl}portType/{wsdl}operation")]
        assert names == list(ARGUMENTS)
        address = root.find(f".//{soap}address")
        assert address is not None
        assert address.get("location") == emulator.advgateway_url
        assert {body.get("namespace") for body in root.iter(f"{soap}body")} == {"urn:other"}
    async with session.get(emulator.advgateway_url) as response:
        assert response.content_type == "text/html"
