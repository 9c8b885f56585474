"""From the bytes of an answer to models, against the parser alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from payamak.advgateway import wire as advgateway
from payamak.common.session import Reply
from payamak.ghasedak import MessageStatus
from payamak.ghasedak import wire as ghasedak

from .harness import Options, Row, in_microseconds, measure_calls, ratio

TITLE = "Decoding an answer ÷ its parser alone"

_TEXT = "سلام! سفارش شما ارسال شد و تا ساعت ۱۸ امروز به دست شما می‌رسد."


def run(options: Options) -> list[Row]:
    """Measure a page of statuses and a page of messages."""
    (decode_statuses, _), (decode_messages, _) = make_decoders()
    statuses, messages = make_statuses(100), make_messages(50)
    times = measure_calls(
        {
            "statuses": decode_statuses,
            "json.loads": lambda: json.loads(statuses),
            "messages": decode_messages,
            "xml.etree": lambda: ET.fromstring(messages),
        },
        passes=options.passes * 2, times=10,
    )  # fmt: skip
    return [
        Row(what, ratio(times[ours], times[parser]), goal=goal, gate=gate, detail=in_microseconds(times))
        for what, ours, parser, goal, gate in (
            ("a status reply of 100 messages", "statuses", "json.loads", 2.5, 3.0),
            ("a GetMsg SOAP reply of 50", "messages", "xml.etree", 2.0, 2.5),
        )
    ]


def make_decoders() -> list[tuple[Callable[[], Sequence[object]], int]]:
    """For a page of statuses and a page of messages: what turns the answer into models, and how many there are."""
    statuses, messages = Reply(200, {}, make_statuses(100)), Reply(200, {}, make_messages(50))
    return [
        (lambda: ghasedak.decode_items(ghasedak.read_envelope(statuses), list[MessageStatus]), 100),
        (lambda: advgateway.read_received(advgateway.read_soap_answer(messages)), 50),
    ]


def make_statuses(count: int) -> bytes:
    """An answer to Ghasedak's ``status``, with the fields and types of the vendor's sample."""
    items = [
        {
            "messageid": 2581227073 + number, "message": _TEXT, "status": 8, "price": 155, "sender": "30005088",
            "receptor": "09121111111", "senddate": str(1605968584 + number),
        }
        for number in range(count)
    ]  # fmt: skip
    document = {"result": {"code": 200, "message": "success"}, "items": items}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def make_messages(count: int) -> bytes:
    """An answer to ``GetMsg``, as nuSOAP writes it."""
    item = (
        '<item><from xsi:type="xsd:string">+989120000000</from><to xsi:type="xsd:string">+9850001</to>'
        f'<msg xsi:type="xsd:string">{_TEXT}</msg><time xsi:type="xsd:string">1508144471</time></item>'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
        ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body>'
        '<ns1:GetMsgResponse xmlns:ns1="urn:smsserver"><return><ErrCode xsi:type="xsd:int">0</ErrCode>'
        f'<result xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="unnamed_struct_use_soapval[{count}]">{item * count}'
        "</result></return></ns1:GetMsgResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()
