"""The two rows of the "advanced" gateway: SOAP and REST."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import attrs
from payamak.advgateway import (
    AdvGatewayClient,
    MessageStatus,
    OutgoingMessage,
    ReceivedMessage,
    SoapProfile,
    Transport,
    wire,
)
from payamak.emulator import Emulator

from support.advgateway import LINE, STYLES, in_envelope, in_response, reply
from support.gateways.row import Gateway, Run, Surface, keyed, once, reads, to_json
from support.raw_server import Behaviour
from support.sentinels import ECHO, PASSWORD, PHONE, TEXT, USERNAME
from support.surface import OUTBOX, SEND_MANY

MESSAGE = 536_221_499
CALLS = keyed(
    [
        once("send", lambda c: c.send(PHONE, TEXT, sender=LINE)),
        once("send_to_many", lambda c: c.send_to_many([PHONE], TEXT, sender=LINE)),
        once("send_pairs", lambda c: c.send_pairs([OutgoingMessage(PHONE, TEXT, LINE)])),
        reads("credit", lambda c: c.credit()),
        reads("statuses", lambda c: c.statuses([MESSAGE, MESSAGE + 1])),
        # It marks what it gives as read.
        once("received", lambda c: c.received()),
    ]
)
BAD_CALLS: tuple[Run, ...] = (
    lambda c: c.send(f"{PHONE}x", TEXT, sender=LINE),
    lambda c: c.send(PHONE, f"{TEXT}\x00", sender=LINE),
    lambda c: c.send(PHONE, f"{TEXT}\ud800", sender=LINE),
    lambda c: c.send(PHONE, TEXT, sender=TEXT),
    lambda c: c.send_pairs([OutgoingMessage(PHONE, TEXT, TEXT)]),
)
SURFACE = Surface(
    package="payamak.advgateway",
    shared=("DeliveryState", "InvalidSenderError", "SendResult"),
    own=(
        "AdvGatewayClient", "ArrayStyle", "DeliveryCode", "MessageStatus", "ReceivedMessage", "SoapProfile",
        "Transport",
    ),
    areas={"": AdvGatewayClient},
    signatures={
        "AdvGatewayClient": "username, password, *, base_url, transport=<Transport.SOAP: 'soap'>, "
        "profile=SoapProfile(namespace='urn:smsserver', soap_action='{method}', argument_order=(), extra_arguments={}, "
        "array_style=<ArrayStyle.TYPED: 'typed'>), timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
        "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
        "ssl=None, trust_env=False, hooks=(), call_hooks=(), keep_replies=False",
        "credit": "",
        "send": "to, text, *, sender",
        "send_to_many": "recipients, text, *, sender",
        "send_pairs": "messages",
        "statuses": "message_ids",
        "received": "",
        "aclose": "",
        "send_many": SEND_MANY,
        "outbox": OUTBOX,
        "resolve": "error, messages, *, grace=60.0",
    },
)  # fmt: skip


def _echoes(write: Any) -> dict[str, Behaviour]:
    return {
        "no code": reply(write({"sentinel": ECHO, "result": ECHO})),
        "no result": reply(write({"ErrCode": "0", "result": {"msg": [ECHO], "b": ECHO}})),
        "odd list": reply(write({"ErrCode": "0", "result": [ECHO, {"time": ECHO}, ECHO]})),
        "odd pairs": reply(write([{"ErrCode": "-3", "result": ECHO}])),
        "right messages": reply(write({"ErrCode": "0", "result": [{"msg": TEXT, "from": PHONE}]})),
        "refusal": reply(write({"ErrCode": "-3", "result": ECHO})),
    }


SOAP_ECHOES = {
    **_echoes(STYLES["struct"]),
    "map": reply(STYLES["map"]([{"ErrCode": "-3", "result": ECHO}])),
    "bad XML": reply(in_envelope(f"<a><{USERNAME}>{ECHO}</b></a>")),
    "doctype": reply(f'<!DOCTYPE a [<!ENTITY x "{ECHO}">]><a>{ECHO}</a>'.encode()),
    "latin": reply(in_envelope(ECHO) + b"\xff"),
    "fault": reply(
        in_envelope(f"<Fault><faultcode>Server</faultcode><faultstring>{ECHO}</faultstring></Fault>"), 500
    ),
    "json": reply(to_json({"errCode": -3, "result": ECHO})),
}  # fmt: skip


async def _prepare(emulator: Emulator, _client: Any) -> None:
    """A message that came in."""
    account = emulator.advgateway.account
    account.user, account.password, account.lines = USERNAME, PASSWORD, (LINE,)
    emulator.add_inbox_message(gateway="advgateway", sender=PHONE, line=LINE, text=TEXT)


SOAP = Gateway(
    label="soap",
    name="advgateway",
    client=AdvGatewayClient,
    credentials={"username": USERNAME, "password": PASSWORD},
    options={"transport": Transport.SOAP},
    url=lambda emulator: emulator.advgateway_url,
    prepare=_prepare,
    state=lambda emulator: [message.read for message in emulator.advgateway._state.inbox],
    calls=CALLS,
    sample=("send", "received", "statuses"),
    send_reply=STYLES["struct"]({"ErrCode": "0", "result": ["101"]}),
    wraps=(
        lambda value: in_response(f"<return>{escape(to_json(value).decode())}</return>"),
        lambda value: STYLES["json in a string"]({"ErrCode": "0", "result": value}),
        lambda value: STYLES["json in a string"]({"ErrCode": value, "result": value}),
    ),
    names=("ErrCode", "errCode", "result", "status", "statusId", "credit", "item", "key", "value", "1", "2", "0"),
    oddities=({str(MESSAGE): 4},),
    models=(ReceivedMessage,),
    echoes=SOAP_ECHOES,
    bad_calls=BAD_CALLS,
    bad_settings=(
        {"username": USERNAME + "\udcff"},
        {"password": PASSWORD.encode()},
        {"base_url": f"https://panel.example/?user={USERNAME}&pass={PASSWORD}"},
    ),
    values=(
        OutgoingMessage(PHONE, TEXT, LINE),
        ReceivedMessage(TEXT, PHONE),
        MessageStatus(1, 4, "x"),
        wire.Answer({"msg": TEXT, "from": PHONE}, 200),
        SoapProfile(extra_arguments={"domain": "panel", "pin": PASSWORD}),
    ),
    surface=SURFACE,
)


def _rest_url(emulator: Emulator) -> str:
    return emulator.advgateway_rest_url


def _success(value: Any) -> bytes:
    return to_json({"ErrCode": 0, "result": value})


def _any_code(value: Any) -> bytes:
    return to_json({"ErrCode": value, "result": value})


REST = attrs.evolve(
    SOAP,
    label="rest",
    options={"transport": Transport.REST},
    url=_rest_url,
    send_reply=STYLES["rest"]({"ErrCode": "0", "result": ["101"]}),
    wraps=(to_json, _success, _any_code),
    echoes=_echoes(STYLES["rest"]),
)
