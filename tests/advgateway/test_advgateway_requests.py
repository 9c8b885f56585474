"""What travels in the SOAP requests, read with a reader that is not ours."""

from __future__ import annotations

import enum
import json
import pathlib
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payamak.advgateway import ArrayStyle, InvalidArgumentError, Outcome, OutgoingMessage, SoapProfile, wire
from payamak.advgateway.soap import encode_request
from support.advgateway import (
    CALLS,
    FIRST,
    LINE,
    PASSWORD,
    RESULTS,
    SECOND,
    STYLES,
    USER,
    Call,
    make_client,
    parse_request,
    reply,
)
from support.raw_server import RawServer, Received

SAMPLES = pathlib.Path(__file__).parent / "samples"
CREDENTIALS = {"user": USER, "pass": PASSWORD}
ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "credit": ("GetCredit", CREDENTIALS),
    "send": ("SendSMS", {**CREDENTIALS, "fromNum": LINE, "toNum": [FIRST], "messageContent": "text"}),
    "send_to_many": ("SendSMS", {**CREDENTIALS, "fromNum": LINE, "toNum": [FIRST, SECOND], "messageContent": "text"}),
    "send_pairs": (
        "SendMultipleSMS",
        {**CREDENTIALS, "fromNum": LINE, "toNums": [FIRST, SECOND], "messageContents": ["one", "two"]},
    ),
    "statuses": ("GetStatus", {**CREDENTIALS, "unique_ids": ["101", "102"]}),
    "received": ("GetMsg", CREDENTIALS),
}
LISTS = {"toNum", "toNums", "messageContents", "unique_ids"}
TEXT = 'سلام «ی» ۵۰٪ <b attr="x">&amp;]]>\'\n\ttwo  \r\nthree\r🙂 {arguments} {method}'


async def _requests_of(call: Call, result: object, **options: Any) -> list[Received]:
    async with RawServer(reply(STYLES["struct"](result))) as server, make_client(server.url, **options) as client:
        await call(client)
        return server.requests


@pytest.mark.parametrize("name", CALLS)
async def test_document_order(name: str) -> None:
    (request,) = await _requests_of(CALLS[name], RESULTS[name])
    found = parse_request(request)
    method, arguments = ARGUMENTS[name]
    assert (found.method, found.namespace) == (method, "urn:smsserver")
    assert list(found.arguments.items()) == list(arguments.items())
    for argument, kind in found.types.items():
        value = arguments[argument]
        if argument in LISTS:
            assert kind == ("SOAP-ENC:Array", f"xsd:string[{len(value)}]")
        else:
            assert kind == ("xsd:string", None)
    assert request.method == "POST"
    assert request.target == "/v2"
    assert request.headers["content-type"] == "text/xml; charset=utf-8"
    assert request.headers["soapaction"] == f'"{method}"'
    assert request.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


@pytest.mark.parametrize("method", ["GetCredit", "GetMsg", "GetStatus", "SendMultipleSMS", "SendSMS"])
def test_as_the_samples(method: str) -> None:
    """The requests that PHP's servers understood are the ones that we write, but for an unused namespace."""
    arguments: dict[str, dict[str, Any]] = {
        "GetStatus": {"unique_ids": ["1", "2"]},
        "SendMultipleSMS": {"fromNum": "5000", "toNums": ["0912", "0913"], "messageContents": ["a", "b"]},
        "SendSMS": {"fromNum": "5000", "toNum": ["0912", "0913"], "messageContent": "hi"},
    }
    written = encode_request(method, {"user": "u", "pass": "p", **arguments.get(method, {})}, SoapProfile())
    sample = (SAMPLES / f"request.{method}.typed-encoded.xml").read_text("utf-8")
    assert written.decode().replace(' xmlns:ns2="http://xml.apache.org/xml-soap"', "") == sample.strip()


class Kind(str, enum.Enum):  # noqa: UP042 -- as callers write it
    """A caller's own kind of string, which formats as its name and not as its value."""

    NUMBER = "09121234567"
    TEXT = "a & b"


@pytest.mark.parametrize("style", ArrayStyle)
def test_any_kind_of_string_travels_by_its_value(style: ArrayStyle) -> None:
    profile = SoapProfile(array_style=style)
    kinds = encode_request("SendSMS", {"fromNum": Kind.NUMBER, "toNum": list(Kind)}, profile)
    plain = encode_request("SendSMS", {"fromNum": "09121234567", "toNum": ["09121234567", "a & b"]}, profile)
    assert kinds == plain


@pytest.mark.parametrize("style", ArrayStyle)
@pytest.mark.parametrize("name", ["send", "send_to_many", "send_pairs", "statuses"])
async def test_array_styles(name: str, style: ArrayStyle) -> None:
    (request,) = await _requests_of(CALLS[name], RESULTS[name], profile=SoapProfile(array_style=style))
    found = parse_request(request)
    for argument, value in ARGUMENTS[name][1].items():
        sent, kind = found.arguments[argument], found.types[argument]
        if argument not in LISTS:
            assert (sent, kind) == (value, ("xsd:string", None))
        elif style is ArrayStyle.TYPED:
            assert (sent, kind) == (value, ("SOAP-ENC:Array", f"xsd:string[{len(value)}]"))
        elif style is ArrayStyle.UNTYPED:
            assert (sent, kind) == (value, (None, None))
        elif style is ArrayStyle.MAP:
            assert (sent, kind) == ({str(index): entry for index, entry in enumerate(value)}, ("ns2:Map", None))
        else:
            joined = ", ".join(f'"{entry}"' for entry in value)
            assert (sent, kind) == (f"[{joined}]", ("xsd:string", None))


OTHER_ORDER = ("fromNum", "toNum", "messageContent", "messageType", "user", "pass")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("credit", ["user", "pass"]),
        ("received", ["user", "pass"]),
        ("statuses", ["user", "pass", "unique_ids"]),
        ("send", ["fromNum", "toNum", "messageContent", "messageType", "user", "pass"]),
        ("send_pairs", ["fromNum", "messageType", "user", "pass", "toNums", "messageContents"]),
    ],
)
async def test_other_order_and_extra_arguments(name: str, expected: list[str]) -> None:
    profile = SoapProfile(argument_order=OTHER_ORDER, extra_arguments={"messageType": "<normal>"})
    (request,) = await _requests_of(CALLS[name], RESULTS[name], profile=profile)
    found = parse_request(request)
    assert list(found.arguments) == expected
    assert found.arguments.get("messageType", "<normal>") == "<normal>"
    assert {**ARGUMENTS[name][1], "messageType": ""}.items() >= {**found.arguments, "messageType": ""}.items()


async def test_extra_arguments_come_last() -> None:
    profile = SoapProfile(extra_arguments={"messageType": "normal", "b": ""})
    (request,) = await _requests_of(CALLS["send"], RESULTS["send"], profile=profile)
    assert list(parse_request(request).arguments)[-3:] == ["messageContent", "messageType", "b"]


@pytest.mark.parametrize("namespace", ["urn:smsserver", "192.0.2.1", "a&\"<b>'"])
@pytest.mark.parametrize(
    ("action", "expected"),
    [("{method}", "{m}"), ("{namespace}#{method}", "{n}#{m}"), ("", ""), ("urn:fixed", "urn:fixed")],
)
async def test_namespace_and_action(namespace: str, action: str, expected: str) -> None:
    if '"' in namespace and "{namespace}" in action:
        with pytest.raises(InvalidArgumentError):
            SoapProfile(namespace=namespace, soap_action=action)
        return
    profile = SoapProfile(namespace=namespace, soap_action=action)
    (request,) = await _requests_of(CALLS["credit"], RESULTS["credit"], profile=profile)
    found = parse_request(request)
    assert (found.method, found.namespace) == ("GetCredit", namespace)
    assert list(found.arguments) == ["user", "pass"]
    assert request.headers["soapaction"] == f'"{expected.replace("{m}", "GetCredit").replace("{n}", namespace)}"'


@pytest.mark.parametrize("style", ArrayStyle)
async def test_text_arrives_as_it_is(style: ArrayStyle) -> None:
    profile = SoapProfile(array_style=style)
    (request,) = await _requests_of(
        lambda client: client.send(FIRST, TEXT, sender=LINE), RESULTS["send"], profile=profile
    )
    assert parse_request(request).arguments["messageContent"] == TEXT
    (request,) = await _requests_of(
        lambda client: client.send_pairs([OutgoingMessage(FIRST, TEXT, LINE), OutgoingMessage(SECOND, "b", LINE)]),
        RESULTS["send_pairs"],
        profile=profile,
    )
    texts = parse_request(request).arguments["messageContents"]
    if style is ArrayStyle.JSON:
        assert texts.startswith('["سلام')
    else:
        assert (texts if isinstance(texts, list) else list(texts.values())) == [TEXT, "b"]


XML_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")).filter(
    lambda text: not any(ord(character) < 32 and character not in "\t\n\r" for character in text)
)


@given(text=XML_TEXTS, entries=st.lists(XML_TEXTS), style=st.sampled_from([ArrayStyle.TYPED, ArrayStyle.UNTYPED]))
@settings(max_examples=60, deadline=None)
def test_round_trip(text: str, entries: list[str], style: ArrayStyle) -> None:
    profile = SoapProfile(array_style=style)
    body = encode_request("SendSMS", {"toNum": entries, "messageContent": text}, profile)
    call = parse_request(Received(1, "POST", "/", {}, body))
    assert call.arguments["messageContent"] == text
    assert (call.arguments["toNum"] or []) == entries


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1f", "\ufffe", "\uffff", "\ud83d"])
async def test_forbidden_characters_are_refused(character: str) -> None:
    text = f"a{character}b"
    calls: dict[str, Call] = {
        "text": lambda client: client.send(FIRST, text, sender=LINE),
        "messages[1].text": lambda client: client.send_pairs(
            [OutgoingMessage(FIRST, "a", LINE), OutgoingMessage(FIRST, text, LINE)]
        ),
    }
    async with RawServer(reply(b"")) as server:
        async with make_client(server.url) as client:
            for argument, call in calls.items():
                with pytest.raises(InvalidArgumentError) as caught:
                    await call(client)
                assert caught.value.argument == argument
                assert caught.value.outcome is Outcome.NOT_SENT
                assert text not in str(caught.value)
        assert server.connections == 0
    for argument, credentials in (("username", (text, "p")), ("password", ("u", text))):
        with pytest.raises(InvalidArgumentError) as caught:
            type(client)(*credentials, base_url="https://example.com/")
        assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"namespace": ""}, "namespace"),
        ({"namespace": 5}, "namespace"),
        ({"namespace": "a\x01"}, "namespace"),
        ({"namespace": "a\n", "soap_action": "{namespace}"}, "soap_action"),
        ({"soap_action": None}, "soap_action"),
        ({"soap_action": 'a"b'}, "soap_action"),
        ({"soap_action": "a\r\nX: y"}, "soap_action"),
        ({"argument_order": ["user"]}, "argument_order"),
        ({"argument_order": "user"}, "argument_order"),
        ({"argument_order": ("user", "user")}, "argument_order"),
        ({"extra_arguments": [("a", "b")]}, "extra_arguments"),
        ({"extra_arguments": {"": "b"}}, "extra_arguments"),
        ({"extra_arguments": {"a b": "b"}}, "extra_arguments"),
        ({"extra_arguments": {"a><b": "b"}}, "extra_arguments"),
        ({"extra_arguments": {1: "b"}}, "extra_arguments"),
        ({"extra_arguments": {"toNum": "b"}}, "extra_arguments"),
        ({"extra_arguments": {"user": "b"}}, "extra_arguments"),
        ({"extra_arguments": {"a": 1}}, "extra_arguments['a']"),
        ({"extra_arguments": {"a": "\x00"}}, "extra_arguments['a']"),
        ({"array_style": "typed"}, "array_style"),
    ],
)
def test_profiles_that_cannot_travel(fields: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        SoapProfile(**fields)
    assert caught.value.argument == argument


def test_profile_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        SoapProfile().namespace = "x"  # type: ignore[misc]


def test_braces_are_nothing_special() -> None:
    body = encode_request("GetCredit", {"user": "{namespace}"}, SoapProfile(namespace="{arguments}{0}"))
    assert b'<ns1:GetCredit xmlns:ns1="{arguments}{0}"><user xsi:type="xsd:string">{namespace}</user>' in body


def test_requests_are_xml_for_other_readers() -> None:
    ET.fromstring(encode_request("GetCredit", {"user": TEXT, "pass": "p"}, SoapProfile()))  # noqa: S314 -- our own


class _Member(str):
    """A string as enums have them: what it formats as is not what it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return "member"

    def __format__(self, spec: str) -> str:
        return "member"


@pytest.mark.parametrize("text", ["text", "سلام", "two words", 'a "quote"'])
def test_strings_of_another_kind_travel_as_what_they_are(text: str) -> None:
    plain: dict[str, Any] = {"user": USER, "toNum": [FIRST], "messageContent": text}
    other: dict[str, Any] = {"user": _Member(USER), "toNum": [_Member(FIRST)], "messageContent": _Member(text)}
    for style in ArrayStyle:
        profile = SoapProfile(array_style=style)
        assert encode_request("SendSMS", other, profile) == encode_request("SendSMS", plain, profile)
    body = wire.build_rest_request("https://example.com/", "SendSMS", other).body
    assert json.loads(body or b"") == {"uname": USER, "to": [FIRST], "msg": text}
