"""The row of the op-driven gateway."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
from payamak.emulator import Emulator
from payamak.opgateway import (
    NewUser,
    Operator,
    OpGatewayClient,
    ReceivedMessage,
    RecipientDelivery,
    wire,
)

from support.gateways.row import Gateway, Run, Surface, keyed, once, reads, to_json
from support.raw_server import answer
from support.sentinels import (
    CERTIFICATE_ID,
    ECHO,
    KEY,
    NAME,
    NATIONAL_ID,
    PARAM,
    PASSWORD,
    PHONE,
    POSTAL_CODE,
    TEXT,
    USERNAME,
)
from support.surface import OUTBOX, SEND_MANY

LINE = "3000505"
BULK, BOOK, JOB, TREND = 10_929_800, 101, 11, 111
USER = NewUser(
    username=NAME, password=KEY, name=NAME, company=NAME, national_id=NATIONAL_ID, certificate_id=CERTIFICATE_ID,
    access_id=2, telephone=PHONE, mobile=PHONE, postal_code=POSTAL_CODE, email=f"{NAME}@example.com", address=TEXT,
)  # fmt: skip
AT = datetime(2030, 1, 1, tzinfo=UTC)

CALLS = keyed(
    [
        once("send", lambda c: c.send(PHONE, TEXT, sender=LINE, send_at=AT)),
        once("send_to_many", lambda c: c.send_to_many([PHONE], TEXT, sender=LINE)),
        once("send_to_phone_books", lambda c: c.send_to_phone_books([BOOK], TEXT, sender=LINE)),
        once("send_to_job", lambda c: c.send_to_job(JOB, [TREND], TEXT, sender=LINE)),
        once("send_to_postal_code", lambda c: c.send_to_postal_code(Operator.MCI, POSTAL_CODE, TEXT, sender=LINE)),
        once("create_user", lambda c: c.create_user(USER)),
        reads("credit", lambda c: c.credit()),
        reads("delivery", lambda c: c.delivery(BULK)),
        reads("check_message", lambda c: c.check_message(BULK)),
        reads("phone_books", lambda c: c.phone_books()),
        reads("received", lambda c: c.received()),
        reads("access_levels", lambda c: c.access_levels()),
        reads("postal_code_count", lambda c: c.postal_code_count(Operator.MCI, POSTAL_CODE)),
        reads("postal_code_areas", lambda c: c.postal_code_areas()),
        reads("jobs", lambda c: c.jobs()),
        reads("job_trends", lambda c: c.job_trends(JOB)),
        reads("job_count", lambda c: c.job_count([TREND])),
    ]
)
NUMBER: Any = int(PHONE)
OTHER: Any = PHONE
LIST: Any = [KEY]
BAD_CALLS: tuple[Run, ...] = (
    lambda client: client.send(PHONE + "x", TEXT, sender="3000505"),
    lambda client: client.send(NUMBER, TEXT, sender="3000505"),
    lambda client: client.send(PHONE, TEXT + "\udcff", sender="3000505"),
    lambda client: client.send(PHONE, TEXT, sender=KEY),
    lambda client: client.send(PHONE, TEXT, sender="3000505", send_at=OTHER),
    lambda client: client.send_to_many([PHONE, PHONE + "x"], TEXT, sender="3000505"),
    lambda client: client.send_to_many(NUMBER, TEXT, sender="3000505"),
    lambda client: client.delivery(OTHER),
    lambda client: client.job_count([OTHER]),
    lambda client: client.postal_code_count(OTHER, PARAM),
    lambda client: client.create_user(OTHER),
    lambda client: client.call(KEY + "\udcff"),
    lambda client: client.call("lines", {"a": TEXT + "\udcff"}),
    lambda client: client.create_user(attrs.evolve(USER, password=KEY + "\udcff")),
    lambda client: client.create_user(attrs.evolve(USER, access_id=LIST)),
    lambda client: client.create_user(attrs.evolve(USER, mobile=NUMBER)),
)
SURFACE = Surface(
    package="payamak.opgateway",
    shared=("DeliveryState", "InsufficientCreditError", "InvalidRecipientError", "InvalidSenderError"),
    own=(
        "AccessLevel", "Approval", "CreatedUser", "Gender", "Job", "JobTrend", "ListEntry", "MessageProgress",
        "NewUser", "OpGatewayClient", "OpProfile", "Operator", "PanelAnswer", "PhoneBook", "PostalArea",
        "ReceivedMessage", "RecipientDelivery",
    ),
    areas={"": OpGatewayClient},
    signatures={
        "OpGatewayClient": "username, password, *, base_url, profile=OpProfile(ops={}, fields={}), "
        "timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
        "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
        "ssl=None, trust_env=False, hooks=(), call_hooks=(), keep_replies=False",
        "access_levels": "",
        "aclose": "",
        "send_many": SEND_MANY,
        "outbox": OUTBOX,
        "resolve": "error, messages, *, grace=60.0",
        "call": "op, fields=None, *, only_reads=False",
        "check_message": "bulk_id",
        "create_user": "new_user",
        "credit": "",
        "delivery": "bulk_id",
        "job_count": "trend_ids",
        "job_trends": "job_id",
        "jobs": "",
        "phone_books": "",
        "postal_code_areas": "",
        "postal_code_count": "operator, postal_code, *, gender=<Gender.ALL: 0>",
        "received": "",
        "send": "to, text, *, sender, send_at=None",
        "send_to_job": "job_id, trend_ids, text, *, sender",
        "send_to_many": "recipients, text, *, sender, send_at=None",
        "send_to_phone_books": "book_ids, text, *, sender",
        "send_to_postal_code": "operator, postal_code, text, *, sender, gender=<Gender.ALL: 0>",
        "CreatedUser": "id, raw",
        "ListEntry": "id, title, raw",
        "MessageProgress": "status=None, approval=None",
        "NewUser": "*, username, password, name=None, company=None, national_id, certificate_id, access_id, telephone, "
        "mobile, postal_code=None, email, address",
        "OpProfile": "ops=NOTHING, fields=NOTHING",
        "PanelAnswer": "code, data",
        "ReceivedMessage": "text=None, sender=None, line=None, received_at=None",
        "RecipientDelivery": "recipient, status",
    },
)  # fmt: skip


async def _prepare(emulator: Emulator, client: Any) -> None:
    """Something that was sent."""
    account = emulator.opgateway.account
    account.user, account.password, account.lines = USERNAME, PASSWORD, (LINE,)
    await client.send("09129999999", "a text", sender=LINE)


OPGATEWAY = Gateway(
    label="opgateway",
    name="opgateway",
    client=OpGatewayClient,
    credentials={"username": USERNAME, "password": PASSWORD},
    url=lambda emulator: emulator.opgateway_url,
    prepare=_prepare,
    state=lambda emulator: [user.fields for user in emulator.opgateway.users],
    calls=CALLS,
    sample=("send", "create_user", "credit", "delivery"),
    send_reply=b"[0, 10929800]",
    wraps=(
        to_json,
        lambda value: to_json([0, value]),
        lambda value: to_json([0, to_json(value).decode()]),
        lambda value: to_json([value, value]),
    ),
    names=("message", "from", "to", "time", "statusMessage", "validMessage", "id", "ID", "title", "code", "name"),
    models=(ReceivedMessage,),
    titled=("phone_books", "access_levels", "postal_code_areas", "jobs", "job_trends"),
    echoes={
        "success": answer(to_json([0, BULK])),
        "refusal": answer(to_json([5, ECHO])),
        "refusal for now": answer(to_json([99, ECHO])),
        "refusal by an unknown code": answer(to_json([8, ECHO])),
        "refusal with a code that is the number": answer(to_json([int(PHONE), ECHO])),
        "refusal with a code that is the number as a text": answer(to_json([PHONE, ECHO])),
        "success that contradicts": answer(to_json([0, ECHO]), 500),
        "data of another kind": answer(to_json([0, ECHO])),
        "lists of another kind": answer(to_json([0, [ECHO, [ECHO], {ECHO: ECHO}]])),
        "a list in a string": answer(to_json([0, f'["{ECHO}"]'])),
        "half a list in a string": answer(to_json([0, f'["{ECHO}'])),
        "entries with wrong values": answer(to_json([0, [{"message": [ECHO], "from": [PHONE], "time": ECHO}]])),
        "entries with right values": answer(to_json([0, [{"message": TEXT, "from": PHONE, "to": LINE, "id": 5}]])),
        "deliveries": answer(to_json([0, [f"+98{PHONE[1:]}:send"]])),
        "progress of another kind": answer(to_json({"statusMessage": [ECHO], "validMessage": {ECHO: ECHO}})),
        "an object": answer(to_json({ECHO: ECHO})),
        "a text": answer(to_json(ECHO)),
    },
    bad_calls=BAD_CALLS,
    bad_settings=(
        {"username": USERNAME + "\udcff"},
        {"password": PASSWORD.encode()},
        {"base_url": f"https://panel.example/?uname={USERNAME}&pass={PASSWORD}"},
    ),
    values=(USER, RecipientDelivery(PHONE, "send"), ReceivedMessage(TEXT, PHONE), wire.Answer(0, [PHONE, TEXT], 200)),
    surface=SURFACE,
)
