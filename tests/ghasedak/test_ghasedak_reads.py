"""Statuses, cancelling, received messages and the account, against the emulator and against scripted answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import (
    Account,
    AuthenticationError,
    DeliveryCode,
    DeliveryState,
    GhasedakClient,
    InvalidSenderError,
    MessageStatus,
    OutgoingMessage,
    ReceivedMessage,
    ReceivedPage,
    ReplyError,
    ServiceUnavailableError,
    TransportError,
)
from support.ghasedak import Call, failure_of, make_client
from support.raw_server import RawServer, answer, envelope

FIRST, SECOND = "09121111111", "09122222222"
LINE, OTHER_LINE = "10008566", "5000222"
NOON = datetime(2026, 3, 21, 12, 0, tzinfo=ZoneInfo("Asia/Tehran"))
TIMES: dict[str, Any] = {"start": NOON - timedelta(days=1), "end": NOON + timedelta(days=1)}


async def test_statuses_while_time_goes_by(emulator: Emulator, client: GhasedakClient) -> None:
    sent = await client.send(FIRST, "سلام", check_id="1")
    assert sent.message_id is not None
    for seconds, code, state in (
        (0.0, DeliveryCode.HANDED_TO_OPERATOR, DeliveryState.SENT),
        (1.5, DeliveryCode.REACHED_TELECOM, DeliveryState.SENT),
        (2.0, DeliveryCode.REACHED_HANDSET, DeliveryState.DELIVERED),
    ):
        emulator.clock.advance(seconds)
        statuses = await client.statuses([sent.message_id])
        assert statuses == await client.statuses_by_check_id(["1"])
        (status,) = statuses
        assert (status.message_id, status.status, status.state) == (sent.message_id, code, state)
        assert (status.text, status.price, status.sender, status.recipient) == ("سلام", 155, LINE, FIRST)
        assert status.sent_at is not None
        assert status.sent_at.utcoffset() == timedelta(hours=3, minutes=30)
        assert abs(status.sent_at - emulator.messages()[0].created_at) < timedelta(seconds=1)
        assert isinstance(status.status, DeliveryCode)


@pytest.mark.parametrize(
    ("recipient", "code", "state"),
    [
        ("09000000000", 0, DeliveryState.SENT),
        ("09000000002", 2, DeliveryState.FAILED),
        ("09000000016", 16, DeliveryState.FAILED),
        ("09000000027", 27, DeliveryState.BLOCKED),
        ("09000000088", 8, DeliveryState.SENT),
        (FIRST, 1, DeliveryState.DELIVERED),
    ],
)
async def test_each_delivery_code(
    recipient: str, code: int, state: DeliveryState, emulator: Emulator, client: GhasedakClient
) -> None:
    await client.send(recipient, "a", check_id="1")
    emulator.clock.advance(60)
    (status,) = await client.statuses_by_check_id(["1"])
    assert (status.status, status.state, status.recipient) == (code, state, recipient)


async def test_code_that_nobody_has_documented() -> None:
    body = envelope([{"messageid": "70001", "status": "3"}, {"messageid": 70002, "status": -1}])
    async with RawServer(answer(body)) as server, make_client(server.url) as client:
        odd, wrong = await client.statuses([70001, 70002])
    assert odd == MessageStatus(70001, status=3)
    assert odd.state is DeliveryState.UNKNOWN
    assert (wrong.status, wrong.state) == (DeliveryCode.WRONG_ID, DeliveryState.NOT_FOUND)


@pytest.mark.parametrize("by_check_id", [False, True])
async def test_unknown_id(by_check_id: bool, emulator: Emulator, client: GhasedakClient) -> None:
    async def ask() -> list[MessageStatus]:
        return await client.statuses_by_check_id(["none"]) if by_check_id else await client.statuses([123456])

    (status,) = await ask()
    assert (status.status, status.state) == (DeliveryCode.WRONG_ID, DeliveryState.NOT_FOUND)
    assert status.sent_at is None
    assert status.message_id == (0 if by_check_id else 123456)

    emulator.ghasedak.switches.unknown_id = "omit"
    assert await ask() == []

    emulator.ghasedak.switches.unknown_id = "error"
    assert isinstance(await failure_of(ask()), ServiceUnavailableError)


async def test_statuses_of_many_in_parts_of_100(emulator: Emulator, client: GhasedakClient) -> None:
    marks = [f"mark {number}" for number in range(250)]
    for start in range(0, 250, 100):
        part = marks[start : start + 100]
        await client.send_to_many([FIRST] * len(part), "a", check_ids=part)
    emulator.requests.clear()
    by_mark = await client.statuses_by_check_id(iter(marks))
    assert len(emulator.requests) == 3
    ids = [status.message_id for status in by_mark]
    assert ids == [message.id for message in emulator.messages()]
    by_id = await client.statuses(number for number in ids if number is not None)
    assert by_id == by_mark
    assert len(emulator.requests) == 6


async def test_statuses_of_exactly_100_are_one_request(emulator: Emulator, client: GhasedakClient) -> None:
    assert len(await client.statuses(range(1, 101))) == 100
    assert len(emulator.requests) == 1
    assert len(await client.statuses(range(1, 102))) == 101
    assert len(emulator.requests) == 3


@pytest.mark.parametrize("kind", ["drop_after_read", "reset_after_read", "cut_reply", "garbage", "empty", "html"])
async def test_check_id_finds_the_message_after_a_lost_answer(
    kind: str, emulator: Emulator, client: GhasedakClient
) -> None:
    fault = Fault(kind, processed=True) if kind == "html" else Fault(kind)
    emulator.add_fault(fault)
    await failure_of(client.send(FIRST, "a", check_id="order-1"))
    (status,) = await client.statuses_by_check_id(["order-1"])
    assert [message.id for message in emulator.messages()] == [status.message_id]
    assert status.state is DeliveryState.SENT


@pytest.mark.parametrize("kind", ["drop_before_read", "reset_before_read", "drop_unprocessed"])
async def test_check_id_finds_nothing_if_nothing_was_sent(
    kind: str, emulator: Emulator, client: GhasedakClient
) -> None:
    emulator.add_fault(Fault(kind))
    assert isinstance(await failure_of(client.send(FIRST, "a", check_id="order-1")), TransportError)
    (status,) = await client.statuses_by_check_id(["order-1"])
    assert status.state is DeliveryState.NOT_FOUND


@pytest.mark.parametrize("name", ["send_pairs", "send_to_many", "send_otp", "send_by_username"])
async def test_check_ids_of_every_send(name: str, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.add_fault(Fault("drop_after_read"))
    if name == "send_pairs":
        call: Any = client.send_pairs([OutgoingMessage(FIRST, "a", LINE, check_id="1")])
    elif name == "send_to_many":
        call = client.send_to_many([FIRST], "a", check_ids=["1"])
    elif name == "send_otp":
        call = client.send_otp([FIRST], "t", ["1"], check_id="1")
    else:
        call = client.send_by_username("ali", FIRST, "a", check_id="1")
    await failure_of(call)
    (status,) = await client.statuses_by_check_id(["1"])
    assert [message.id for message in emulator.messages()] == [status.message_id]


@pytest.mark.parametrize("reply", ["ids", "objects"])
async def test_cancel(reply: str, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.switches.cancel_reply = reply
    later = emulator.clock.now() + timedelta(hours=1)
    waiting = await client.send_to_many([FIRST, SECOND], "a", send_at=later)
    gone = await client.send(FIRST, "b")
    ids = [result.message_id for result in [*waiting, gone] if result.message_id is not None]
    assert await client.cancel(iter([*ids, 999])) == ids[:2]
    assert [message.state for message in emulator.messages()] == ["cancelled", "cancelled", "queued"]
    # None of them is left to cancel.
    assert await client.cancel(ids) == []


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([70001, "70002"], [70001, 70002]),
        ([{"messageId": 70001, "status": 2}, {"MESSAGEID": "70002", "status": -1}], [70001]),
        ([{"messageid": 70001, "status": "-1"}], []),
        ([{"messageid": "70001"}], [70001]),
        ([1022, 1], [1022, 1]),
        (None, []),
        ("", []),
        ([], []),
    ],
)
async def test_cancel_replies(items: object, expected: list[int]) -> None:
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await client.cancel([70001, 70002]) == expected


async def test_received(emulator: Emulator, client: GhasedakClient) -> None:
    new = emulator.add_inbox_message(gateway="ghasedak", sender=FIRST, line=LINE, text="سلام", received_at=NOON)
    old = emulator.add_inbox_message(gateway="ghasedak", sender=SECOND, line=LINE, text="b", read=True)
    emulator.add_inbox_message(gateway="ghasedak", sender=SECOND, line=OTHER_LINE, text="c")
    assert await client.received(LINE) == [ReceivedMessage(new.id, "سلام", FIRST, LINE, NOON)]
    assert [message.message_id for message in await client.received(LINE, read=True)] == [old.id]
    assert isinstance(await failure_of(client.received("999999")), InvalidSenderError)


async def test_received_is_the_last_100(emulator: Emulator, client: GhasedakClient) -> None:
    for number in range(101):
        emulator.add_inbox_message(
            gateway="ghasedak", sender=FIRST, line=LINE, text=str(number), received_at=NOON + timedelta(minutes=number)
        )
    assert {message.text for message in await client.received(LINE)} == {str(number) for number in range(1, 101)}


async def test_received_page(emulator: Emulator, client: GhasedakClient) -> None:
    ids = [
        emulator.add_inbox_message(
            gateway="ghasedak", sender=FIRST, line=LINE, text="a", received_at=NOON + timedelta(hours=hour)
        ).id
        for hour in range(-2, 3)
    ]
    page = await client.received_page(LINE, start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1), page_size=2)
    assert ([message.message_id for message in page.messages], page.total) == (ids[1:3], 3)
    page = await client.received_page(
        LINE, start=(NOON - timedelta(hours=1)).astimezone(UTC), end=NOON + timedelta(hours=1), page_size=2, page=1
    )
    assert ([message.message_id for message in page.messages], page.total) == (ids[3:4], 3)
    assert page.messages[0].received_at == NOON + timedelta(hours=1)
    assert await client.received_page(LINE, **TIMES, read=True) == ReceivedPage([], 0)


@pytest.mark.parametrize("total", [None, "", "3", 3])
async def test_received_page_total(total: object) -> None:
    body = envelope([{"messageid": 1}], totalcount=total)
    async with RawServer(answer(body)) as server, make_client(server.url) as client:
        page = await client.received_page(LINE, **TIMES)
    assert page == ReceivedPage([ReceivedMessage(1)], 3 if total in ("3", 3) else None)


async def test_account_and_credit(emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.account.credit = -20
    assert await client.account() == Account(-20, datetime(2050, 1, 1, tzinfo=UTC))
    assert await client.credit() == -20
    emulator.ghasedak.account.credit = 10_000
    await client.send(FIRST, "a")
    assert await client.credit() == 10_000 - 155


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({"balance": "8880", "expire": 2524608000}, Account(8880, datetime(2050, 1, 1, tzinfo=UTC))),
        ({"balance": 0, "expire": ""}, Account(0)),
        ({"balance": 0, "expire": None, "new": {}}, Account(0)),
    ],
)
async def test_account_loosely_written(items: object, expected: Account) -> None:
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await client.account() == expected


LISTS: dict[str, Call] = {
    "statuses": lambda client: client.statuses([1]),
    "statuses_by_check_id": lambda client: client.statuses_by_check_id(["1"]),
    "received": lambda client: client.received(LINE),
    "groups.list": lambda client: client.groups.list(),
    "groups.contacts": lambda client: client.groups.contacts(7),
    "cancel": lambda client: client.cancel([1]),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("items", [None, "", []])
async def test_empty_list_however_it_is_written(name: str, items: object) -> None:
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        assert await LISTS[name](client) == []
        assert await client.received_page(LINE, **TIMES) == ReceivedPage([])


UNREADABLE: dict[str, Call] = {
    **LISTS,
    "account": lambda client: client.account(),
    "groups.create": lambda client: client.groups.create("n"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_list_that_is_none(name: str) -> None:
    wrong: list[object] = [5, "text", True, [None], ["x"], [[]]]
    async with RawServer(*(answer(envelope(items)) for items in wrong)) as server, make_client(server.url) as client:
        for _ in wrong:
            error = await failure_of(UNREADABLE[name](client))
            assert isinstance(error, ReplyError)
            assert error.operation == name
            assert error.field is not None
            assert error.field.startswith("items")
    assert len(server.requests) == len(wrong)


ITEM = {"messageid": 1, "status": 1}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({**ITEM, "messageid": "1", "status": "1"}, MessageStatus(1, status=DeliveryCode.REACHED_HANDSET)),
        ({**ITEM, "messageid": None}, MessageStatus(None, status=DeliveryCode.REACHED_HANDSET)),
        ({**ITEM, "messageid": ""}, MessageStatus(None, status=DeliveryCode.REACHED_HANDSET)),
        (
            {**ITEM, "message": None, "price": None, "sender": None, "receptor": None, "senddate": None},
            MessageStatus(1, status=DeliveryCode.REACHED_HANDSET),
        ),
        (
            {**ITEM, "price": "155", "sender": 30005088, "receptor": 9121111111, "senddate": 0},
            MessageStatus(
                1,
                status=DeliveryCode.REACHED_HANDSET,
                price=155,
                sender="30005088",
                recipient="9121111111",
                sent_at=datetime(1970, 1, 1, tzinfo=UTC),
            ),
        ),
        ({**ITEM, "new": [1], "price": ""}, MessageStatus(1, status=DeliveryCode.REACHED_HANDSET)),
    ],
)
async def test_status_loosely_written(item: object, expected: MessageStatus) -> None:
    async with RawServer(answer(envelope([item]))) as server, make_client(server.url) as client:
        assert await client.statuses([1]) == [expected]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"messageid": 1}, "items[0]"),
        ({**ITEM, "status": None}, "items[0].status"),
        ({**ITEM, "status": "x"}, "items[0].status"),
        ({**ITEM, "price": [1]}, "items[0].price"),
        ({**ITEM, "senddate": "yesterday 09121111111"}, "items[0].senddate"),
    ],
)
async def test_status_that_cannot_be_understood(item: object, field: str) -> None:
    async with RawServer(answer(envelope([item]))) as server, make_client(server.url) as client:
        error = await failure_of(client.statuses([1]))
    assert isinstance(error, ReplyError)
    assert error.field is not None
    # The model's name of a field or the vendor's: both say where.
    assert error.field.startswith(field.replace("senddate", "se"))
    assert FIRST not in str(error) + repr(error)


@pytest.mark.parametrize(
    "text", ["2017-10-16T12:31:1", "2017-10-16T12:31:01", "2017-10-16 12:31:1", "2017/10/16 12:31:1"]
)
async def test_time_of_a_received_message(text: str) -> None:
    body = envelope([{"messageid": 1020, "receivedate": text}])
    async with RawServer(answer(body)) as server, make_client(server.url) as client:
        (message,) = await client.received(LINE)
    assert message.received_at == datetime(2017, 10, 16, 12, 31, 1, tzinfo=ZoneInfo("Asia/Tehran"))
    assert message.received_at is not None
    assert message.received_at.utcoffset() == timedelta(hours=3, minutes=30)


async def test_wrong_key(emulator: Emulator) -> None:
    calls: dict[str, Call] = {
        **LISTS,
        "received_page": lambda client: client.received_page(LINE, **TIMES),
        "account": lambda client: client.account(),
    }
    async with make_client(emulator.ghasedak_url) as client:
        for name, call in calls.items():
            error = await failure_of(call(client))
            assert isinstance(error, AuthenticationError)
            assert error.operation == name
    assert len(emulator.requests) == len(calls)
