from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from payamak.emulator import Emulator

pytestmark = pytest.mark.asyncio

TO = "09121111111"
LINE = "10008566"
START = datetime(2030, 1, 1, tzinfo=UTC)


async def statuses(call: Any, *ids: object, kind: int = 1) -> list[int]:
    reply = await call("sms/status", id=",".join(map(str, ids)), type=kind)
    assert reply.code == 200, reply.body
    return [item["status"] for item in reply.items]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_status_item_as_documented(call: Any, send: Any, emulator: Emulator, method: str) -> None:
    emulator.clock.set(START)
    message_id = await send(linenumber="30005088")
    emulator.clock.advance(1.5)
    reply = await call("sms/status", method=method, id=message_id, type=1)
    assert reply.items == [
        {
            "messageid": message_id,
            "message": "test",
            "status": 8,
            "price": 155,
            "sender": "30005088",
            "receptor": TO,
            "senddate": str(int(START.timestamp())),
        }
    ]


@pytest.mark.parametrize(
    ("recipient", "course", "state"),
    [
        (TO, [0, 8, 1], "delivered"),
        ("09000000000", [0, 0, 0], "queued"),
        ("09000000001", [0, 8, 1], "delivered"),
        ("09000000002", [0, 2, 2], "failed"),
        ("09000000016", [0, 16, 16], "failed"),
        ("09000000027", [0, 27, 27], "blocked"),
        ("09000000088", [0, 8, 8], "sent"),
    ],
)
async def test_messages_move_with_the_clock(
    call: Any, send: Any, emulator: Emulator, recipient: str, course: list[int], state: str
) -> None:
    message_id = await send(recipient)
    seen: list[object] = []
    for seconds in (0, 1.2, 2):
        emulator.clock.advance(seconds)
        seen += await statuses(call, message_id)
    assert seen == course
    emulator.clock.advance(10_000)
    assert emulator.messages()[0].state == state


async def test_the_course_is_configurable(call: Any, send: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.telecom_after = 100
    emulator.ghasedak.switches.delivered_after = 200
    message_id = await send()
    seen: list[object] = []
    for _ in range(3):
        seen += await statuses(call, message_id)
        emulator.clock.advance(101)
    assert seen == [0, 8, 1]


async def test_status_by_check_id_and_its_limits(call: Any, send: Any, emulator: Emulator) -> None:
    first, second = await send(checkid="a1"), await send(checkid="7")
    reply = await call("sms/status", id="7,a1", type=2)
    assert [item["messageid"] for item in reply.items] == [second, first]
    assert await statuses(call, first, kind=2) == [-1]
    assert (await call("sms/status", id=",".join(["1"] * 101), type=1)).items == [3]
    assert len((await call("sms/status", id=",".join(["1"] * 100), type=1)).items) == 100
    assert (await call("sms/status", id=",", type=1)).items == [2]


async def test_status_of_an_unknown_id(call: Any, send: Any, emulator: Emulator) -> None:
    known = await send()
    reply = await call("sms/status", id=f"99,{known},x", type=1)
    assert [(item["messageid"], item["status"]) for item in reply.items] == [(99, -1), (known, 0), (0, -1)]
    emulator.ghasedak.switches.unknown_id = "omit"
    assert [item["messageid"] for item in (await call("sms/status", id=f"99,{known}", type=1)).items] == [known]
    emulator.ghasedak.switches.unknown_id = "error"
    assert (await call("sms/status", id=f"99,{known}", type=1)).items == [10]


@pytest.mark.parametrize(
    ("kind", "problem"), [("", "type is required"), ("3", "type is invalid"), ("x", "type is invalid")]
)
async def test_status_type(call: Any, kind: str, problem: str) -> None:
    assert json.loads((await call("sms/status", id=1, type=kind)).message) == [problem]


async def test_scheduled_message_waits_and_can_be_cancelled(call: Any, send: Any, emulator: Emulator) -> None:
    emulator.clock.set(START)
    moment = int(START.timestamp()) + 3600
    early, late = await send(senddate=moment), await send(senddate=moment + 3600)
    now = await send()
    assert emulator.ghasedak.account.credit == 1_000_000 - 3 * 155
    assert [m.state for m in emulator.messages()] == ["scheduled", "scheduled", "queued"]
    emulator.clock.advance(3605)
    assert await statuses(call, early, late, now) == [1, 0, 1]
    reply = await call("sms/cancel", messageid=f"{late}, {early},{now},55,x")
    assert (reply.http, reply.items) == (200, [late])
    assert emulator.ghasedak.account.credit == 1_000_000 - 2 * 155
    assert (await call("sms/cancel", messageid=late)).items == []
    assert emulator.ghasedak.account.credit == 1_000_000 - 2 * 155
    emulator.clock.advance(10_000)
    assert emulator.messages()[1].state == "cancelled"
    assert await statuses(call, late) == [2]


async def test_cancel_refusals_and_object_form(call: Any, send: Any, emulator: Emulator) -> None:
    assert json.loads((await call("sms/cancel")).message) == ["messageid is required"]
    assert (await call("sms/cancel", messageid=",".join(["1"] * 101))).items == [3]
    emulator.ghasedak.switches.cancel_reply = "objects"
    emulator.ghasedak.switches.cancelled_status = -1
    later = await send(senddate=int(emulator.clock.timestamp()) + 60)
    assert (await call("sms/cancel", messageid=f"{later},1")).items == [{"messageId": later, "status": -1}]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_account_info(call: Any, method: str) -> None:
    reply = await call("account/info", method=method)
    assert reply.body == {
        "result": {"code": 200, "message": "success"},
        "items": {"balance": 1_000_000, "expire": "2524608000"},
    }


def receive(emulator: Emulator, count: int, line: str = LINE) -> None:
    for index in range(count):
        moment = START + timedelta(seconds=index)
        emulator.add_inbox_message(
            gateway="ghasedak", sender="+989122222222", line=line, text=f"t{index}", received_at=moment
        )


async def test_receive_last_as_documented(call: Any, emulator: Emulator) -> None:
    moment = datetime(2017, 10, 16, 9, 1, 1, tzinfo=UTC)
    emulator.add_inbox_message(gateway="ghasedak", sender="09122222222", line=LINE, text="سلام", received_at=moment)
    reply = await call("sms/receive/last", linenumber=LINE, isread=0)
    assert reply.items == [
        {
            "messageid": 1020,
            "message": "سلام",
            "sender": "09122222222",
            "linenumber": LINE,
            "receivedate": "2017-10-16T12:31:1",
        }
    ]


async def test_receive_last_gives_the_newest_hundred_of_the_line(call: Any, emulator: Emulator) -> None:
    receive(emulator, 103)
    receive(emulator, 1, line="5000222")
    items = (await call("sms/receive/last", linenumber=LINE, isRead=0)).items
    assert [item["message"] for item in items] == [f"t{index}" for index in range(3, 103)]
    assert {item["sender"] for item in items} == {"09122222222"}


async def test_reading_marks_as_read_only_if_switched(call: Any, emulator: Emulator) -> None:
    receive(emulator, 2)

    async def count(is_read: int) -> int:
        return len((await call("sms/receive/last", linenumber=LINE, isread=is_read)).items)

    assert [await count(0), await count(0), await count(1)] == [2, 2, 0]
    emulator.ghasedak.switches.reading_marks_as_read = True
    assert [await count(0), await count(0), await count(1)] == [2, 0, 2]


async def test_receive_refusals(call: Any) -> None:
    assert json.loads((await call("sms/receive/last")).message) == ["linenumber is required", "isread is required"]
    assert json.loads((await call("sms/receive/last", linenumber=LINE, isread=2)).message) == ["isread is invalid"]
    assert (await call("sms/receive/last", linenumber="1000200", isread=0)).items == [7]
    names = ["linenumber", "isread", "fromdate", "todate", "page", "offset"]
    assert json.loads((await call("sms/receive/paging")).message) == [f"{name} is required" for name in names]


async def test_receive_paging(call: Any, emulator: Emulator) -> None:
    receive(emulator, 450)
    start = int(START.timestamp())
    fields = {"linenumber": LINE, "isread": 0, "fromdate": start + 1, "todate": start + 430, "page": 0, "offset": 200}
    first = await call("sms/receive/paging", **fields)
    assert list(first.body) == ["result", "items", "totalcount"]
    assert (first.body["totalcount"], len(first.items), first.items[0]["message"]) == (430, 200, "t1")
    last = await call("sms/receive/paging", **{**fields, "page": 2})
    assert (len(last.items), last.items[-1]["message"], last.body["totalcount"]) == (30, "t430", 430)
    assert (await call("sms/receive/paging", **{**fields, "page": 3})).items == []
    assert len((await call("sms/receive/paging", **{**fields, "offset": 500})).items) == 200


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"page": -1}, "page"), ({"offset": 0}, "offset"), ({"page": "x"}, "page"), ({"fromdate": "x"}, "fromdate")],
)
async def test_receive_paging_checks_its_values(call: Any, change: dict[str, object], problem: str) -> None:
    fields = {"linenumber": LINE, "isread": 0, "fromdate": 1, "todate": 2, "page": 0, "offset": 10, **change}
    assert json.loads((await call("sms/receive/paging", **fields)).message) == [f"{problem} is invalid"]


async def test_inbox_first_page_switch(call: Any, emulator: Emulator) -> None:
    receive(emulator, 1)
    emulator.ghasedak.switches.inbox_first_page = 1
    start = int(START.timestamp())
    fields = {"linenumber": LINE, "isread": 0, "fromdate": start, "todate": start, "offset": 10}
    assert (await call("sms/receive/paging", page=0, **fields)).http == 400
    assert len((await call("sms/receive/paging", page=1, **fields)).items) == 1
