"""The reader of XML: what it takes, and what it refuses."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
from payamak.advgateway import GatewayError, InvalidRequestError, Outcome, ReplyError
from payamak.advgateway.soap import DEEPEST_NESTING, MOST_ELEMENTS, Fault, UnreadableXmlError, decode_reply
from support.advgateway import CALLS, STYLES, in_envelope, in_response, make_client, reply
from support.ghasedak import failure_of
from support.raw_server import RawServer

RETURN = "<ns1:XResponse><return {attributes}>{value}</return></ns1:XResponse>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<return>text</return>", "text"),
        ("<return/>", ""),
        ("<return> a\n b </return>", " a\n b "),
        ("<return><![CDATA[<a>&]]>b&amp;&#1587;</return>", "<a>&b&س"),
        ("<return><!-- no --><a>1</a><?php no ?></return>", {"a": "1"}),
        ('<return xsi:nil="true"/>', None),
        ('<return xsi:nil="1"/>', None),
        ('<return xsi:nil="false">a</return>', "a"),
        ("<return><a/><b xsi:nil='true'/></return>", {"a": "", "b": None}),
        ('<return SOAP-ENC:arrayType="xsd:string[0]"/>', []),
        ('<return SOAP-ENC:arrayType="xsd:string[2]"><x>1</x><y>2</y></return>', ["1", "2"]),
        ("<return><item>1</item></return>", ["1"]),
        ("<return><a>1</a><item>2</item></return>", {"a": "1", "item": "2"}),
        ("<return><a>1</a><a>2</a><b>3</b></return>", {"a": ["1", "2"], "b": "3"}),
        ("<return><item><key>a</key><value>1</value></item></return>", {"a": "1"}),
        ("<return><item><value>1</value><key>a</key></item></return>", {"a": "1"}),
        ("<return><item><key>0</key><value>a</value></item><item><key>1</key><value>b</value></item></return>",
         ["a", "b"]),
        ("<return><item><key>1</key><value>a</value></item><item><key>0</key><value>b</value></item></return>",
         {"1": "a", "0": "b"}),
        ('<return><item href="#x"><key>a</key><value id="x">1</value></item></return>', {"a": "1"}),
        ('<return><item xsi:nil="1"><key>a</key><value/></item></return>', {"a": ""}),
        ('<return><item SOAP-ENC:arrayType="x[2]"><key>a</key><value/></item></return>', {"a": ""}),
        ('<return><item><key><a/></key><value xsi:nil="1"/></item></return>', {"": None}),
    ],
)  # fmt: skip
def test_values(value: str, expected: object) -> None:
    assert decode_reply(in_response(value)) == expected


@pytest.mark.parametrize("prefix", ["SOAP-ENV", "soap", "s"])
def test_prefixes_mean_nothing(prefix: str) -> None:
    body = in_response("<ErrCode>0</ErrCode>").replace(b"SOAP-ENV", prefix.encode())
    assert decode_reply(body) == "0"


def test_header_is_passed_over() -> None:
    body = in_response("<return>1</return>").replace(
        b"<SOAP-ENV:Body>", b"<SOAP-ENV:Header><a/></SOAP-ENV:Header><Body>"
    )
    assert decode_reply(body.replace(b"</SOAP-ENV:Body>", b"</Body>")) == "1"


@pytest.mark.parametrize("body", [b"<ns1:XResponse/>", b"<ns1:XResponse></ns1:XResponse>"])
def test_nothing_returned(body: bytes) -> None:
    assert decode_reply(in_envelope(body.decode())) is None


def test_only_the_first_body_counts() -> None:
    full = "<Body><r><return>1</return></r></Body>"
    assert decode_reply(f"<Envelope>{full}<Body/></Envelope>".encode()) == "1"
    with pytest.raises(UnreadableXmlError, match="no SOAP"):
        decode_reply(f"<Envelope><Body/>{full}</Envelope>".encode())


@pytest.mark.parametrize("attributes", ['href="#a" nil="true"', 'nil="true" href="#a"'])
def test_attributes_have_no_order(attributes: str) -> None:
    assert decode_reply(in_envelope(f'<r><return {attributes}/></r><m id="a">1</m>')) == "1"


MULTI_REF = (
    '<ns1:XResponse><return href="#id0"/></ns1:XResponse>'
    '<multiRef id="id0" SOAP-ENC:root="0"><ErrCode href="#id1"/><result href="#id2"/></multiRef>'
    '<multiRef id="id1">0</multiRef>'
    '<multiRef id="id2" SOAP-ENC:arrayType="xsd:string[2]"><item href="#id3"/><item href="#id3"/></multiRef>'
    '<multiRef id="id3">536</multiRef>'
)


def test_references() -> None:
    assert decode_reply(in_envelope(MULTI_REF)) == {"ErrCode": "0", "result": ["536", "536"]}


@pytest.mark.parametrize(
    "targets",
    [
        "",
        '<multiRef id="a" href="#a"/>',
        '<multiRef id="a"><x href="#a"/></multiRef>',
        '<multiRef id="a"><x href="#b"/></multiRef><multiRef id="b"><y href="#a"/></multiRef>',
        '<multiRef id="a"><item><key>k</key><value href="#a"/></item></multiRef>',
        "".join(f'<multiRef id="a{n or ""}" href="#a{n + 1}"/>' for n in range(5000)) + '<multiRef id="a5000"/>',
    ],
)
def test_references_that_lead_nowhere(targets: str) -> None:
    with pytest.raises(UnreadableXmlError, match="reference"):
        decode_reply(in_envelope('<ns1:XResponse><return href="#a"/></ns1:XResponse>' + targets))


def test_references_that_double_at_every_step() -> None:
    steps = "".join(f'<m id="a{n}"><x href="#a{n + 1}"/><y href="#a{n + 1}"/></m>' for n in range(15))
    body = in_envelope('<ns1:XResponse><return href="#a0"/></ns1:XResponse>' + steps + '<m id="a15">1</m>')
    started = time.perf_counter()
    assert set(decode_reply(body)) == {"x", "y"}
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("depth", [DEEPEST_NESTING, DEEPEST_NESTING + 1, 200, 40_000, 100_000])
def test_nesting(depth: int) -> None:
    body = in_response("<return>" + "<a>" * depth + "</a>" * depth + "</return>")
    if depth == DEEPEST_NESTING:
        assert decode_reply(body)
        return
    with pytest.raises(UnreadableXmlError, match=r"nested too deeply|too many elements"):
        decode_reply(body)


def test_too_many_elements() -> None:
    with pytest.raises(UnreadableXmlError, match="too many elements"):
        decode_reply(in_response("<return>" + "<a/>" * MOST_ELEMENTS + "</return>"))


def test_many_different_names_take_no_time() -> None:
    started = time.perf_counter()
    decode_reply(in_response("<return>" + "".join(f"<a{n}/>" for n in range(20_000)) + "</return>"))
    assert time.perf_counter() - started < 2


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        f"<!DOCTYPE a [{LAUGHS}]>",
        f'<!DOCTYPE a [<!ENTITY l9 "{"a" * 100_000}">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(doctype: str, encoding: str) -> None:
    body = in_response("<return>" + "&l9;" * 1000 + "</return>").decode()
    with pytest.raises(UnreadableXmlError, match="DOCTYPE"):
        decode_reply((doctype + body).encode(encoding))


@pytest.mark.parametrize("entity", ["&x;", "&nbsp;", "&#0;", "&#xFFFF;", "&#xD800;", "&", "\x0b", "\ufffe"])
def test_forbidden_characters_and_entities(entity: str) -> None:
    with pytest.raises(UnreadableXmlError, match="no XML"):
        decode_reply(in_response(f"<return>{entity}</return>"))


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\x00", b"0", b"{}", b"<", b"<a>", b"<a/>", b"<html><body>no</body></html>", b"<Envelope/>",
        b"<Envelope><Body/></Envelope>", b"<Envelope><Header/></Envelope>", b"<Body><a><b/></a></Body>",
        b"<Envelope><Body><a/></Body></Envelope>x", b"\xff\xfe\xd8", b"\xff\xfe<\x00", b"\xef\xbb\xbf",
        b"<a:b:c/>", "<Envelope><Body><a/></Body></Envelope>".encode("utf-32"),
    ],
)  # fmt: skip
def test_no_soap(body: bytes) -> None:
    with pytest.raises(UnreadableXmlError):
        decode_reply(body)


TEXT = "سلام «ی» & <b>"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        (None, "utf-8", TEXT),
        ("UTF-8", "utf-8-sig", TEXT),
        ("UTF-8", "utf-8", TEXT),
        ("ISO-8859-1", "utf-8", TEXT),
        ("windows-1256", "utf-8", TEXT),
        ("no such encoding", "utf-8", TEXT),
        ("windows-1256", "cp1256", "سلام"),
        ("CP1256", "cp1256", "سلام"),
        ("ISO-8859-1", "latin-1", "Grüße"),
        ("UTF-8", "latin-1", "Grüße"),
        (None, "cp1252", "Grüße €"),
        ("punycode", "cp1252", "Grüße €"),
        ("cp9999", "cp1252", "Grüße €"),
        (None, "latin-1", "\x81Grüße"),
        ("UTF-16", "utf-16", TEXT),
        ("UTF-8", "utf-16", TEXT),
        (None, "utf-16", TEXT),
    ],
)
def test_encodings(declared: str | None, encoding: str, text: str) -> None:
    declaration = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\n'
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    body = (declaration + in_response(f"<return>{escaped}</return>").decode()).encode(encoding)
    if declared == "no such encoding":  # No name at all, so that it is no XML.
        with pytest.raises(UnreadableXmlError):
            decode_reply(body)
    else:
        assert decode_reply(body) == text


def test_big_endian_utf_16() -> None:
    assert decode_reply(in_response("<return>س</return>").decode().encode("utf-16-be")) == "س"
    assert decode_reply(b"\xfe\xff" + in_response("<return>س</return>").decode().encode("utf-16-be")) == "س"


async def test_gzip() -> None:
    body = gzip.compress(STYLES["struct"]({"ErrCode": "0", "result": "12345"}))
    async with (
        RawServer(reply(body, headers={"Content-Encoding": "gzip"})) as server,
        make_client(server.url) as client,
    ):
        assert await client.credit() == 12345


async def test_gzip_bomb() -> None:
    body = gzip.compress(b" " * 20_000_000)
    async with (
        RawServer(reply(body, headers={"Content-Encoding": "gzip"})) as server,
        make_client(server.url) as client,
    ):
        error = await failure_of(CALLS["send"](client))
        assert isinstance(error, ReplyError)
        assert len(server.requests) == 1


def _fault(code: str, message: str) -> bytes:
    return in_envelope(
        f"<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>{message}</faultstring>"
        "<faultactor/><detail><a>b</a></detail></SOAP-ENV:Fault>"
    )


def test_fault() -> None:
    assert decode_reply(_fault("SOAP-ENV:Server", " why ")) == Fault("SOAP-ENV:Server", "why")
    assert decode_reply(in_envelope("<SOAP-ENV:Fault/>")) == Fault(None, None)


CERTAIN, OPEN = (InvalidRequestError, Outcome.REFUSED), (GatewayError, Outcome.UNKNOWN)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("SOAP-ENV:Client", "anything", CERTAIN),
        ("Client", "", CERTAIN),
        ("soap:Client.Authentication", "no", CERTAIN),
        ("SOAP-ENV:Server", "Function 'SendSMS' doesn't exist", CERTAIN),
        ("Server", 'Function ("SendSMS") is not a valid method for this service', CERTAIN),
        ("Server", "Operation 'SendSMS' is not defined in the WSDL for this service", CERTAIN),
        ("Server", "method 'SendSMS'('SendSMS') not defined in service('')", CERTAIN),
        ("SOAP-ENV:Server", "Internal error", OPEN),
        ("SOAP-ENV:Server", "unable to serialize result", OPEN),
        ("SOAP-ENV:Server", "Table 'log' doesn't exist", OPEN),
        ("SOAP-ENV:Server", "SQLSTATE: FUNCTION x not defined", OPEN),
        ("SOAP-ENV:Server", "", OPEN),
        ("Servant:Clienteles:Server", "", OPEN),
        ("", "", OPEN),
    ],
)
async def test_faults(code: str, message: str, expected: tuple[type[GatewayError], Outcome], status: int) -> None:
    async with RawServer(reply(_fault(code, message), status)) as server, make_client(server.url) as client:
        error: Any = await failure_of(CALLS["send"](client))
        assert len(server.requests) == 1
    assert (type(error), error.outcome) == expected
    assert (error.code, error.gateway_message) == (code or None, message or None)
    assert error.http_status == status
