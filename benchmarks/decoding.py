"""From the bytes of an answer to models, against the parser alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

import attrs
from payamak.advgateway import wire as advgateway
from payamak.common.session import Reply
from payamak.ghasedak import MessageStatus
from payamak.ghasedak import wire as ghasedak

from .harness import Options, Row, in_microseconds, measure_calls, ratio

TITLE = "Decoding an answer ÷ its parser alone"

_TEXT = "سلام! سفارش شما ارسال شد و تا ساعت ۱۸ امروز به دست شما می‌رسد."


@attrs.frozen
class Decoding:
    """A way from bytes to models, and what it is held against.

    Attributes:
        entries: How many entries the answer holds.
        ours: Turns it into models.
        parser: Only parses it.
        gate: What the ratio of the two must be at the most.
    """

    entries: int
    ours: Callable[[], Sequence[object]]
    parser: Callable[[], object]
    gate: float

    def make_row(self, what: str, value: float, detail: str) -> Row:
        """A row with the gate."""
        return Row(f"decoding {what}", value, self.gate, detail=detail)


def run(options: Options) -> list[Row]:
    """Measure a page of statuses and a page of messages."""
    found: list[Row] = []
    for what, decoding in make_decodings().items():
        times = measure_calls(
            {"ours": decoding.ours, "the parser": decoding.parser}, passes=options.passes * 2, times=10
        )
        found.append(decoding.make_row(what, ratio(times["ours"], times["the parser"]), in_microseconds(times)))
    return found


def make_decodings() -> dict[str, Decoding]:
    """A page of statuses and a page of messages."""
    statuses, messages = make_statuses(100), make_messages(50)
    status_reply, message_reply = Reply(200, {}, statuses), Reply(200, {}, messages)
    return {
        "a status reply of 100 messages": Decoding(
            100,
            lambda: ghasedak.decode_items(ghasedak.read_envelope(status_reply), list[MessageStatus]),
            lambda: json.loads(statuses), gate=3.3,
        ),
        "a GetMsg SOAP reply of 50": Decoding(
            50,
            lambda: advgateway.read_received(advgateway.read_soap_answer(message_reply)),
            lambda: ET.fromstring(messages), gate=2.5,
        ),
    }  # fmt: skip


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
