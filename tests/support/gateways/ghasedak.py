"""Ghasedak's row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from payamak.emulator import Emulator
from payamak.ghasedak import (
    Account,
    Contact,
    GhasedakClient,
    Group,
    Groups,
    MessageStatus,
    OutgoingMessage,
    ReceivedMessage,
    wire,
)

from support.gateways.row import Gateway, Run, Surface, keyed, once, reads, repeatable, to_json
from support.raw_server import accept, answer, envelope
from support.sentinels import CHECK_ID, ECHO, KEY, NAME, PARAM, PASSWORD, PHONE, TEXT, USERNAME
from support.surface import OUTBOX, SEND_MANY

LINE, GROUP, RECORD, MESSAGE = "10008566", 7, 217_820_318, 2_578_793_735
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)

CALLS = keyed(
    [
        once("send", lambda c: c.send(PHONE, TEXT, sender=LINE, send_at=END, check_id=CHECK_ID)),
        once("send_by_username", lambda c: c.send_by_username(USERNAME, PHONE, TEXT, check_id=CHECK_ID)),
        once("send_pairs", lambda c: c.send_pairs([OutgoingMessage(PHONE, TEXT, LINE, check_id=CHECK_ID)])),
        once("send_to_many", lambda c: c.send_to_many([PHONE], TEXT, check_ids=[CHECK_ID])),
        once("send_otp", lambda c: c.send_otp(PHONE, TEXT, [PARAM], check_id=CHECK_ID)),
        once("send_voice", lambda c: c.send_voice(PHONE, TEXT)),
        reads("statuses", lambda c: c.statuses([MESSAGE])),
        reads("statuses_by_check_id", lambda c: c.statuses_by_check_id([CHECK_ID])),
        reads("received", lambda c: c.received(LINE)),
        reads("received_page", lambda c: c.received_page(LINE, start=START, end=END)),
        once("cancel", lambda c: c.cancel([MESSAGE])),
        reads("account", lambda c: c.account()),
        once("groups.create", lambda c: c.groups.create(NAME)),
        once("groups.add_contacts", lambda c: c.groups.add_contacts(GROUP, [Contact(PHONE, NAME, NAME, NAME)])),
        reads("groups.list", lambda c: c.groups.list()),
        reads("groups.contacts", lambda c: c.groups.contacts(GROUP)),
        repeatable("groups.rename", lambda c: c.groups.rename(GROUP, NAME)),
        once("groups.delete", lambda c: c.groups.delete(GROUP)),
        once("groups.remove_contacts", lambda c: c.groups.remove_contacts(GROUP, [RECORD])),
    ]
)
BAD_CALLS: tuple[Run, ...] = (
    lambda c: c.send(PHONE + "x", TEXT),
    lambda c: c.send(int(PHONE), TEXT),
    lambda c: c.send(PHONE, TEXT.encode()),
    lambda c: c.send(PHONE, TEXT + "\udcff"),
    lambda c: c.send(PHONE, TEXT, sender=PHONE + KEY),
    lambda c: c.send(PHONE, TEXT, send_at=TEXT),
    lambda c: c.send(PHONE, TEXT, check_id=CHECK_ID + ","),
    lambda c: c.send_by_username(USERNAME + "\ud800", PHONE, TEXT),
    lambda c: c.send_pairs([(PHONE, TEXT)]),
    lambda c: c.send_pairs([OutgoingMessage(PHONE, TEXT + ",", "10001")]),
    lambda c: c.send_pairs(OutgoingMessage(PHONE, TEXT, "10001")),
    lambda c: c.send_to_many([PHONE, PHONE + "x"], TEXT),
    lambda c: c.send_to_many([PHONE], TEXT, check_ids=[CHECK_ID, CHECK_ID]),
    lambda c: c.send_to_many(int(PHONE), TEXT),
    lambda c: c.send_otp(PHONE, TEXT, PARAM),
    lambda c: c.send_otp(PHONE, TEXT, [PARAM] * 11),
    lambda c: c.send_otp(PHONE, TEXT, [PARAM], kind=PARAM),
    lambda c: c.statuses([PHONE]),
    lambda c: c.statuses_by_check_id(CHECK_ID),
    lambda c: c.received(PHONE + KEY),
    lambda c: c.groups.add_contacts(7, [Contact(PHONE, NAME + ",")]),
    lambda c: c.groups.add_contacts(7, [Contact(PHONE + "x")]),
    lambda c: c.groups.contacts(PHONE),
    lambda c: c.groups.create(NAME + "\udcff"),
)
SURFACE = Surface(
    package="payamak.ghasedak",
    shared=("DeliveryState", "InsufficientCreditError", "InvalidRecipientError", "InvalidSenderError", "SendResult"),
    own=(
        "Account", "Contact", "DeliveryCode", "GhasedakClient", "Group", "Groups", "MessageStatus", "OtpKind",
        "ReceivedMessage", "ReceivedPage",
    ),
    areas={"": GhasedakClient, "groups": Groups},
    signatures={
        "GhasedakClient": "api_key, *, base_url='https://api.ghasedak.me/v2/', "
        "timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
        "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
        "ssl=None, trust_env=False, hooks=(), call_hooks=(), keep_replies=False",
        "OutgoingMessage": "to, text, sender=None, send_at=None, check_id=None",
        "send": "to, text, *, sender=None, send_at=None, check_id=None",
        "send_by_username": "username, to, text, *, sender=None, send_at=None, check_id=None",
        "send_pairs": "messages",
        "send_to_many": "recipients, text, *, sender=None, send_at=None, check_ids=None",
        "send_otp": "recipients, template, params, *, kind=<OtpKind.TEXT: 1>, check_id=None, check_ids=None",
        "send_voice": "recipients, text, *, send_at=None",
        "statuses": "message_ids",
        "statuses_by_check_id": "check_ids",
        "received": "line, *, read=False",
        "received_page": "line, *, start, end, read=False, page=0, page_size=200",
        "iterate_received": "line, *, start, end, read=False, page_size=200",
        "cancel": "message_ids",
        "account": "",
        "credit": "",
        "aclose": "",
        "send_many": SEND_MANY,
        "outbox": OUTBOX,
        "resolve": "error, messages, *, grace=60.0",
        "groups.create": "name, *, parent_id=None",
        "groups.add_contacts": "group_id, contacts",
        "groups.list": "parent_id=0",
        "groups.contacts": "group_id, *, page=None, page_size=100",
        "groups.iterate_contacts": "group_id, *, page_size=100",
        "groups.rename": "group_id, name",
        "groups.delete": "group_id",
        "groups.remove_contacts": "group_id, record_ids",
    },
    undocumented=("iterate_received", "send_by_username"),
)  # fmt: skip


async def _prepare(emulator: Emulator, client: Any) -> None:
    """A group with a contact, and a message whose time has not come."""
    gateway = emulator.ghasedak
    gateway.account.key = KEY
    gateway.phone_book.add_group("a group", group_id=GROUP)
    assert gateway.phone_book.add_contact(GROUP, PHONE, "", "", "").record_id == RECORD
    at = emulator.clock.now() + timedelta(days=1)
    await client.send("09129999999", "a text", send_at=at, check_id="101")


GHASEDAK = Gateway(
    label="ghasedak",
    name="ghasedak",
    client=GhasedakClient,
    credentials={"api_key": KEY},
    url=lambda emulator: emulator.ghasedak_url,
    prepare=_prepare,
    calls=CALLS,
    sample=("send", "cancel", "groups.rename", "groups.list", "statuses"),
    send_reply=envelope([70001]),
    wraps=(
        to_json,
        lambda value: to_json({"result": {"code": 200}, "items": value, "totalcount": value}),
        lambda value: to_json({"result": value}),
    ),
    names=("result", "items", "code", "message", "totalcount", "groupid", "Messageid"),
    models=(Account, Contact, Group, MessageStatus, ReceivedMessage),
    echoes={
        "refusal": answer(envelope([ECHO], 400, ECHO), 400),
        "refusal by number": answer(envelope([8], 419, ECHO), 419),
        "refusal that names the number refused": answer(envelope([int(PHONE)], 419, ECHO), 419),
        "refusal that names the number refused as a text": answer(envelope([PHONE], 419, ECHO), 419),
        "refusal within": accept(8),
        "items of another kind": accept(ECHO),
        "items with unknown names": accept({ECHO: ECHO, "status": ECHO}),
        "items with wrong values": accept({"messageid": ECHO, "status": ECHO, "number": [PHONE], "id": PHONE + "x"}),
        "no list": answer(envelope(ECHO)),
        "result of another kind": answer(to_json({"result": ECHO})),
        "code of another kind": answer(envelope(None, ECHO, ECHO)),
    },
    bad_calls=BAD_CALLS,
    bad_settings=(
        {"api_key": KEY + "\n"},
        {"api_key": KEY.encode()},
        {"api_key": KEY + "ک"},
        {"base_url": f"https://api.ghasedak.me/?apikey={KEY}"},
        {"base_url": f"https://{USERNAME}:{PASSWORD}@[::1/{KEY}"},
    ),
    values=(
        Contact(PHONE, NAME, NAME, NAME),
        Group(7, "a group"),
        Account(1),
        MessageStatus(7, text=TEXT, sender="10001", recipient=PHONE, status=1),
        ReceivedMessage(7, TEXT, PHONE, "10001"),
        OutgoingMessage(PHONE, TEXT, "10001", check_id=CHECK_ID),
        wire.Envelope([PHONE], {"text": TEXT}, 200),
        GhasedakClient(KEY).groups,
    ),
    surface=SURFACE,
)
