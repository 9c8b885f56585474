"""Operations of the op-driven gateway, with requests that no client of this project built."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault

pytestmark = pytest.mark.asyncio

Op = Callable[..., Awaitable[Any]]
ACCESS = {"uname": "emulator", "pass": "emulator"}
LINE = "3000505"
START = datetime(2030, 1, 1, tzinfo=UTC)
USER = {
    "user_uname": "reza_1",
    "user_pass": "abcd1234",
    "name": "n",
    "national_id": "0013542419",
    "certificate_id": "12",
    "access_id": "2",
    "tell": "02188888888",
    "mobile": "09121111111",
    "email": "a@example.com",
    "address": "تهران",
}


@pytest_asyncio.fixture
async def op(emulator: Emulator, session: aiohttp.ClientSession) -> Op:
    async def run(name: str, /, **fields: object) -> Any:
        data = {**ACCESS, "op": name, **{key.rstrip("_"): str(value) for key, value in fields.items()}}
        async with session.post(emulator.opgateway_url, data=data) as response:
            assert response.status == 200
            return json.loads(await response.read())

    return run


@pytest_asyncio.fixture
async def send(op: Op) -> Callable[..., Awaitable[int]]:
    async def run(*recipients: str, **fields: object) -> int:
        to = json.dumps(recipients or ["09121111111"])
        code, bulk_id = await op("send", **{"from": LINE, "message": "test", "to": to, **fields})
        assert code == 0
        assert type(bulk_id) is int
        return bulk_id

    return run


async def test_send_and_credit(op: Op, send: Any, emulator: Emulator) -> None:
    first = await send("9121111111", "+989122222222", "00989133333333", message="سلام")
    assert await send() == first + 1
    kept = emulator.messages(gateway="opgateway")
    assert [message.recipient for message in kept[:3]] == ["09121111111", "09122222222", "09133333333"]
    assert (kept[0].text, kept[0].line, kept[0].check_id, kept[0].parts) == ("سلام", LINE, str(first), 1)
    assert await op("credit") == [0, "999380.00"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"message": ""}, 1),
        ({"message": " \n"}, 1),
        ({"from": "3000999"}, 3),
        ({"from": ""}, 3),
        ({"to": "[]"}, 4),
        ({"to": ""}, 4),
        ({"to": '["123"]'}, 4),
        ({"to": '{"a": 1}'}, 4),
        ({"time": "2020-01-01 00:00:00"}, 1006),
        ({"time": "soon"}, 1006),
        *(({"to": f'["0912111111{n % 10}", "090000000{n:02}"]'}, n) for n in (2, 3, 4, 5, 6, 7, 9, 98, 99)),
    ],
)
async def test_refused_sends_change_nothing(op: Op, emulator: Emulator, fields: dict[str, str], code: int) -> None:
    reply = await op("send", **{"from": LINE, "message": "test", "to": '["09121111111"]', **fields})
    assert reply[0] == code
    assert isinstance(reply[1], str)
    assert emulator.messages() == []
    assert emulator.opgateway.account.credit == 1_000_000


async def test_credit_runs_out(op: Op, send: Any, emulator: Emulator) -> None:
    emulator.opgateway.account.credit = 400.5
    await send("09121111111", "09121111112")
    assert await op("credit") == [0, "90.50"]
    assert (await op("send", **{"from": LINE, "message": "t", "to": '["09121111111"]'}))[0] == 5
    assert len(emulator.messages()) == 2


async def test_limits_are_switches(op: Op, emulator: Emulator) -> None:
    order = {"from": LINE, "message": "t", "to": '["09121111111", "x", "09121111112"]'}
    assert (await op("send", **order))[0] == 0
    assert len(emulator.messages()) == 2
    emulator.opgateway.switches.max_recipients = 1
    assert (await op("send", **order))[0] == 98
    emulator.opgateway.switches.invalid_recipients = "refuse"
    assert (await op("send", **order))[0] == 4
    emulator.opgateway.switches.refuse_sends_with = 992
    assert (await op("send", **order))[0] == 992
    assert (await op("credit"))[0] == 0
    emulator.opgateway.switches.refuse_calls_with = 963
    assert (await op("credit"))[0] == 963
    assert len(emulator.messages()) == 2


async def test_delivery_moves_with_the_clock(op: Op, send: Any, emulator: Emulator) -> None:
    emulator.clock.set(START)
    numbers = ["09121111111", *(f"090000000{n}" for n in ("00", "20", "21", "22", "23"))]
    bulk_id = await send(*numbers)
    seen: list[list[str]] = []
    for seconds in (0, 0.6, 0.6, 3):
        emulator.clock.advance(seconds)
        code, text = await op("delivery", uinqid=bulk_id)
        assert code == 0
        items = [item.split(":") for item in json.loads(text)]
        assert [number for number, _ in items] == [f"+98{number[1:]}" for number in numbers]
        seen.append([word for _, word in items])
    assert seen == [
        ["notsync"] * 6,
        ["send", "notsync", "send", "send", "send", "send"],
        ["pending", "notsync", "send", "pending", "pending", "discarded"],
        ["delivered", "notsync", "send", "pending", "failed", "discarded"],
    ]


async def test_unknown_bulks(op: Op) -> None:
    for wrong in ("1", "", "x", "9" * 30):
        assert await op("delivery", uinqid=wrong) is None
        assert (await op("checkmessage", messageid=wrong))[0] == 456


async def test_scheduled(op: Op, send: Any, emulator: Emulator) -> None:
    emulator.clock.set(datetime(2030, 1, 1, 8, 0, tzinfo=UTC))
    # 12:00 in Tehran is half past eight in UTC.
    bulk_id = await send(time="2030-01-01 12:00:00")
    assert emulator.messages()[0].state == "scheduled"
    assert (await op("checkmessage", messageid=bulk_id))["statusMessage"] == "Active"
    assert (await op("send", **{"from": LINE, "message": "t", "to": "0912", "time": "2030-01-01 11:29:00"}))[0] == 1006
    emulator.clock.advance(30 * 60 + 1.5)
    assert json.loads((await op("delivery", uinqid=bulk_id))[1]) == ["+989121111111:pending"]


async def test_check_message(op: Op, send: Any, emulator: Emulator) -> None:
    bulk_id = await send()
    expected = {"statusMessage": "Interacting", "validMessage": "approve"}
    assert await op("checkmessage", messageid=bulk_id) == expected
    emulator.clock.advance(10)
    assert (await op("Checkmessage", Messageid=bulk_id))["statusMessage"] == "Finish"
    emulator.opgateway.switches.status_message = "NoAuthentication"
    emulator.opgateway.switches.approval_case = "title"
    emulator.opgateway.switches.approval_colon = True
    expected = {"statusMessage": "NoAuthentication", "validMessage": "Approve:"}
    assert await op("checkmessage", messageid=bulk_id) == expected


@pytest.mark.parametrize(("approval", "status"), [("notconfirm", "Active"), ("cancel", "Cancel")])
async def test_what_is_not_approved_is_not_sent(
    op: Op, send: Any, emulator: Emulator, approval: str, status: str
) -> None:
    emulator.opgateway.switches.approval = approval
    bulk_id = await send()
    emulator.clock.advance(1000)
    assert await op("checkmessage", messageid=bulk_id) == {"statusMessage": status, "validMessage": approval}
    assert emulator.messages()[0].status == "notsync"


async def test_phone_books(op: Op, emulator: Emulator) -> None:
    code, text = await op("booklist")
    assert code == 0
    assert [book["id"] for book in json.loads(text)] == [101, 102, 103]
    code, bulk_id = await op("booksend", from_=LINE, message="t", bookid="[101, 102]")
    assert (code, len(json.loads((await op("delivery", uinqid=bulk_id))[1]))) == (0, 4)
    assert [await op("booksend", from_=LINE, message="t", bookid=x) for x in ("101", "[103]", "[1]")] == [
        [993, "The phone book must be an array"],
        [4, "There are no recipients"],
        [4, "There are no recipients"],
    ]
    emulator.opgateway.phone_books[2].numbers.append("09125555555")
    assert (await op("booksend", from_=LINE, message="t", bookid='["103"]'))[0] == 0
    assert emulator.messages()[-1].recipient == "09125555555"


async def test_inbox(op: Op, emulator: Emulator) -> None:
    for hour, line in ((8, "3000505"), (9, "+983000505")):
        emulator.add_inbox_message(
            gateway="opgateway",
            sender="9121111111",
            line=line,
            text=f"سلام/{hour}",
            received_at=datetime(2030, 1, 1, hour, tzinfo=UTC),
        )
    code, text = await op("inboxlist")
    assert code == 0
    assert list(json.loads(text)[0].items()) == [
        ("message", "سلام/9"),
        ("from", "+989121111111"),
        ("to", "+983000505"),
        ("time", "2030/01/01 12:30:00"),
    ]
    assert len(json.loads((await op("inboxlist"))[1])) == 2
    emulator.opgateway.switches.reading_marks_as_read = True
    assert await op("inboxlist") == [0, "[]"]
    with pytest.raises(ValueError, match="line must be one of"):
        emulator.add_inbox_message(gateway="opgateway", sender="1", line="1", text="t")


async def test_postal_codes(op: Op, emulator: Emulator) -> None:
    assert [area["id"] for area in json.loads((await op("Postalcoderarea"))[1])] == [13, 14, 81]
    counts = [
        await op("postalcodecount", type=kind, gender=gender, postalcode=code)
        for kind, gender, code in (("tci", 0, "13"), ("TCI", 2, "1"), ("mtn", 1, "13"), ("x", 0, "13"), ("tci", 0, ""))
    ]
    assert counts == [[0, 2], [0, 2], [0, 1], [0, 0], [0, 0]]
    order = {"from": LINE, "message": "t", "type": "Tci", "Gender": "0"}
    assert (await op("Postalcodesend", **order, Postalcode="13"))[0] == 0
    assert [message.recipient for message in emulator.messages()] == ["09122220001", "09122220002"]
    assert (await op("postalcodesend", **order, postalcode="99"))[0] == 4


async def test_jobs(op: Op, emulator: Emulator) -> None:
    assert [job["id"] for job in json.loads((await op("Jobslist"))[1])] == [11, 12]
    assert [trend["id"] for trend in json.loads((await op("jobstrendlist", jobsid=11))[1])] == [111, 112]
    assert len(json.loads((await op("Jobstrenlist"))[1])) == 3
    assert await op("jobscount", trendid="[111, 121]") == [0, 3]
    assert await op("jobscount", Trendid='["112"]') == [0, 1]
    assert (await op("jobssend", from_=LINE, message="t", trendid="[111, 121]", jobsid=11))[0] == 0
    assert [message.recipient for message in emulator.messages()] == ["09123330001", "09123330002"]
    assert (await op("jobssend", from_=LINE, message="t", trendid="[111]", jobsid=12))[0] == 4


async def test_new_user(op: Op, emulator: Emulator) -> None:
    assert [level["title"] for level in json.loads((await op("accesslist"))[1])] == ["برنزی", "نقره‌ای", "طلایی"]
    assert await op("newuser", **USER) == [0, 30401]
    assert (emulator.opgateway.users[0].name, emulator.opgateway.users[0].fields["tell"]) == ("reza_1", "02188888888")
    assert (await op("newuser", **{**USER, "user_uname": "REZA_1"}))[0] == 304
    names = {"user_uname": "User-name", "user_pass": "User-pass", "national_id": "national-id", "tell": "Tell"}
    documented = {names.get(key, key.replace("_", "-")): value for key, value in USER.items()}
    assert await op("newuser", **{**documented, "User-name": "other"}) == [0, 30402]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("user_uname", "", 303),
        ("user_uname", "a b!", 301),
        ("user_uname", "1ab", 1001),
        ("user_uname", "emulator", 304),
        ("user_pass", "", 317),
        ("user_pass", "12345678", 1002),
        ("national_id", "", 306),
        ("national_id", "0013542418", 307),
        ("national_id", "1111111111", 307),
        ("certificate_id", "x", 308),
        ("certificate_id", "", 309),
        ("email", "", 310),
        ("tell", "", 311),
        ("tell", "88", 312),
        ("address", "", 313),
        ("mobile", "", 314),
        ("mobile", "0912", 315),
        ("access_id", "9", 316),
        ("access_id", "", 316),
    ],
)
async def test_new_user_refusals(op: Op, emulator: Emulator, field: str, value: str, code: int) -> None:
    assert (await op("newuser", **{**USER, field: value}))[0] == code
    assert emulator.opgateway.users == []


async def test_only_resellers_make_users(op: Op, emulator: Emulator) -> None:
    emulator.opgateway.account.reseller = False
    assert (await op("newuser", **USER))[0] == 964


async def test_control_and_reset(op: Op, send: Any, control: Any, emulator: Emulator) -> None:
    await send()
    changed = await control("POST", "switches", {"opgateway": {"string_codes": True, "credit_decimal_mark": "/"}})
    assert changed.http == 200
    await control("POST", "account", {"gateway": "opgateway", "credit": 12.5})
    assert await op("credit") == ["0", "12/50"]
    bad = await control("POST", "switches", {"opgateway": {"nesting": "deep"}})
    assert (bad.http, "nesting must be one of" in bad.body["error"]) == (400, True)
    assert (await control("GET", "contacts")).body["contacts"]["opgateway"][2]["title"] == "خالی"
    (message,) = (await control("GET", "messages?gateway=opgateway")).body["messages"]
    assert (message["operation"], message["status"]) == ("send", "notsync")
    await control("POST", "reset", {})
    assert await op("credit") == [0, "1000000.00"]
    assert emulator.messages() == []


async def test_faults_befall_it(op: Op, send: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_after_read", gateway="opgateway"))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await send()
    assert len(emulator.messages(gateway="opgateway")) == 1
    emulator.add_fault(Fault("status", path="services.jspd", status=500))
    with pytest.raises(AssertionError):
        await op("credit")
    assert [record.fault for record in emulator.requests] == ["drop_after_read", "status"]
