"""What the replies mean, in each shape of both doors: codes, ids, states, messages."""

from __future__ import annotations

import datetime
import decimal
import itertools
from typing import Any

import pytest
from payamak.advgateway import (
    AuthenticationError,
    DeliveryCode,
    DeliveryState,
    GatewayError,
    InvalidArgumentError,
    InvalidRequestError,
    InvalidSenderError,
    MessageStatus,
    Outcome,
    OutgoingMessage,
    ReceivedMessage,
    ReplyError,
    SendResult,
)
from support.advgateway import (
    CALLS,
    FIRST,
    LINE,
    RESULTS,
    SECOND,
    SENDS,
    STYLES,
    THIRD,
    Call,
    in_response,
    make_client,
    make_style_client,
    parse_request,
    reply,
)
from support.ghasedak import failure_of
from support.raw_server import RawServer

EACH_STYLE = pytest.mark.parametrize("style", STYLES)
LOST_IDS = "no id may be lost"


async def ask(style: str, call: Call, value: object, status: int = 200) -> Any:
    async with (
        RawServer(reply(STYLES[style](value), status)) as server,
        make_style_client(style, server.url) as client,
    ):
        try:
            return await call(client)
        finally:
            assert len(server.requests) == 1


SUCCESSES: dict[str, Any] = {
    "credit": decimal.Decimal(12345),
    "send": SendResult(FIRST, 101),
    "send_to_many": [SendResult(FIRST, 101), SendResult(SECOND, 102)],
    "send_pairs": [SendResult(FIRST, 101), SendResult(SECOND, 102)],
    "statuses": [MessageStatus(101, DeliveryCode.REACHED_HANDSET), MessageStatus(102, DeliveryCode.SENDING)],
    "received": [],
}


@EACH_STYLE
@pytest.mark.parametrize("name", CALLS)
async def test_success(name: str, style: str) -> None:
    assert await ask(style, CALLS[name], RESULTS[name]) == SUCCESSES[name]


CODES: dict[int, tuple[type[GatewayError], Outcome]] = {
    -1: (AuthenticationError, Outcome.REFUSED),
    -2: (InvalidRequestError, Outcome.REFUSED),
    -3: (GatewayError, Outcome.REFUSED),
    -4: (InvalidRequestError, Outcome.REFUSED),
    -5: (InvalidSenderError, Outcome.REFUSED),
    # Whoever answers with a code that is in no table may mean anything.
    -99: (GatewayError, Outcome.UNKNOWN),
    1: (GatewayError, Outcome.UNKNOWN),
    100: (GatewayError, Outcome.UNKNOWN),
}


def _shapes(code: object, field: str) -> dict[str, object]:
    flat = {field: code, "result": "چرا"}
    return {"flat": flat, "list of one": [flat], "no result": {field: code}}


@EACH_STYLE
@pytest.mark.parametrize("code", CODES)
async def test_codes(code: int, style: str) -> None:
    kind, outcome = CODES[code]
    spellings = itertools.cycle(
        (field, kind_of) for field in ("ErrCode", "errCode", "ERRCODE") for kind_of in (str, int)
    )
    for name, call in CALLS.items():
        field, kind_of = next(spellings)
        for shape, value in _shapes(kind_of(code), field).items():
            error: Any = await failure_of(ask(style, call, value))
            # "Sending failed" does not say for how many of them.
            expected = Outcome.UNKNOWN if code == -3 and name in ("send_to_many", "send_pairs") else outcome
            assert (type(error), error.code, error.outcome) == (kind, code, expected)
            assert (error.gateway, error.operation, error.http_status) == ("advgateway", name, 200)
            assert error.gateway_message == (None if shape == "no result" else "چرا")
            assert "چرا" not in str(error)


@pytest.mark.parametrize("name", CALLS)
async def test_code_by_position_and_bare(name: str) -> None:
    for style in STYLES:
        error: Any = await failure_of(ask(style, CALLS[name], ["-5", "چرا"]))
        assert (type(error), error.gateway_message) == (InvalidSenderError, "چرا")
        error = await failure_of(ask(style, CALLS[name], -1))
        assert (type(error), error.gateway_message) == (AuthenticationError, None)


@EACH_STYLE
async def test_success_by_position(style: str) -> None:
    assert await ask(style, CALLS["credit"], ["0", "12345"]) == 12345
    assert await ask(style, CALLS["send"], [0, ["101"]]) == SendResult(FIRST, 101)
    assert await ask(style, CALLS["send"], ["0", '["101"]']) == SendResult(FIRST, 101)


@pytest.mark.parametrize(
    "value",
    [
        None, "", "0", "ok", "Array", {}, [], {"ErrCode": "0"}, {"ErrCode": None, "result": ["101"]},
        {"ErrCode": "", "result": ["101"]}, {"ErrCode": "zero", "result": "101"}, {"ErrCode": "0", "result": "Array"},
        {"ErrCode": "0", "result": None}, {"ErrCode": "0", "result": []}, {"ErrCode": "0", "result": ["Array"] * 3},
        {"ErrCode": "0", "result": {"id": "101"}}, {"ErrCode": "0", "result": "ok"}, {"result": ["101", "102"]},
    ],
)  # fmt: skip
async def test_neither_id_nor_refusal(value: object) -> None:
    for style, encode in STYLES.items():
        async with RawServer(reply(encode(value))) as server, make_style_client(style, server.url) as client:
            for name in SENDS:
                error = await failure_of(CALLS[name](client))
                assert isinstance(error, ReplyError)
                assert (error.outcome, error.operation) == (Outcome.UNKNOWN, name)
            assert len(server.requests) == len(SENDS)


@EACH_STYLE
@pytest.mark.parametrize("status", [201, 301, 404, 429, 500])
async def test_success_that_the_status_contradicts(status: int, style: str) -> None:
    for name in SENDS:
        if status == 201:
            assert await ask(style, CALLS[name], RESULTS[name], status) == SUCCESSES[name]
            continue
        error = await failure_of(ask(style, CALLS[name], RESULTS[name], status))
        assert isinstance(error, ReplyError)
        assert error.outcome is Outcome.UNKNOWN
        assert error.message_ids == ((101,) if name == "send" else (101, 102)), LOST_IDS


@EACH_STYLE
async def test_count_of_ids_that_does_not_fit(style: str) -> None:
    for name, value in (
        ("send", {"ErrCode": 0, "result": ["101", "102"]}),
        ("send_to_many", {"ErrCode": 0, "result": ["101", "102", "103"]}),
        ("send_to_many", {"ErrCode": 0, "result": "101"}),
        ("send_pairs", [{"ErrCode": 0, "result": "101"}, {"ErrCode": -3, "result": "no"}, {"ErrCode": 0, "result": 5}]),
        ("send_pairs", [{"ErrCode": 0, "result": "101"}]),
    ):
        error = await failure_of(ask(style, CALLS[name], value))
        assert isinstance(error, ReplyError)
        assert error.outcome is Outcome.UNKNOWN
        assert error.message_ids[0] == 101, LOST_IDS


@EACH_STYLE
async def test_id_that_is_missing(style: str) -> None:
    first, second = await ask(style, CALLS["send_to_many"], {"ErrCode": 0, "result": ["101", ""]})
    assert first == SendResult(FIRST, 101)
    assert isinstance(second.error, ReplyError)
    assert (second.message_id, second.error.outcome, second.error.operation) == (None, Outcome.UNKNOWN, "send_to_many")


@EACH_STYLE
@pytest.mark.parametrize("value", ["0", "-7", "x", ""])
async def test_what_is_no_id_of_the_only_message(value: str, style: str) -> None:
    error = await failure_of(ask(style, CALLS["send"], {"ErrCode": 0, "result": [value]}))
    assert isinstance(error, ReplyError)
    assert (error.outcome, error.operation) == (Outcome.UNKNOWN, "send")


@EACH_STYLE
async def test_repeated_results(style: str) -> None:
    """A struct whose list was written as a repeated element loses no id."""
    if style == "struct":
        body = in_response("<return><ErrCode>0</ErrCode><result>101</result><result>102</result></return>")
        async with RawServer(reply(body)) as server, make_client(server.url) as client:
            assert await CALLS["send_to_many"](client) == SUCCESSES["send_to_many"]


@EACH_STYLE
async def test_sixty_numbers(style: str) -> None:
    numbers = [f"0912{number:07}" for number in range(60)]
    ids = [str(1000 + number) for number in range(60)]
    results = await ask(
        style, lambda client: client.send_to_many(numbers, "a", sender=LINE), {"ErrCode": "0", "result": ids}
    )
    assert [(result.recipient, result.message_id) for result in results] == [
        (number, 1000 + index) for index, number in enumerate(numbers)
    ]
    pairs = [{"ErrCode": "0", "result": number} for number in ids]
    messages = [OutgoingMessage(number, f"text {number}", LINE) for number in numbers]
    assert await ask(style, lambda client: client.send_pairs(iter(messages)), pairs) == results


@pytest.mark.parametrize("style", ["struct", "rest"])
async def test_sixty_one_numbers(style: str) -> None:
    numbers = [f"0912{number:07}" for number in range(61)]
    async with RawServer(reply(b"")) as server, make_style_client(style, server.url) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.send_to_many(numbers, "a", sender=LINE)
        assert caught.value.argument == "recipients"
        with pytest.raises(InvalidArgumentError) as caught:
            await client.send_pairs(OutgoingMessage(number, "a", LINE) for number in numbers)
        assert caught.value.argument == "messages"
        assert server.connections == 0


async def test_duplicates_collapse_and_each_gets_its_id() -> None:
    given = [SECOND, "+98 912 111 1111", FIRST, "۰۹۱۲۲۲۲۲۲۲۲", THIRD, "00989121111111"]
    value = {"ErrCode": "0", "result": ["102", "101", "103"]}
    async with RawServer(reply(STYLES["struct"](value))) as server, make_client(server.url) as client:
        results = await client.send_to_many(given, "a", sender=LINE)
        assert parse_request(server.requests[0]).arguments["toNum"] == [SECOND, FIRST, THIRD]
    assert results == [
        SendResult(recipient, number) for recipient, number in zip(given, [102, 101, 101, 102, 103, 101], strict=True)
    ]


async def test_more_than_sixty_of_which_sixty_differ() -> None:
    numbers = [f"0912{number:07}" for number in range(60)] * 2
    value = {"ErrCode": "0", "result": [str(1000 + number) for number in range(60)]}
    results = await ask("struct", lambda client: client.send_to_many(numbers, "a", sender=LINE), value)
    assert [result.message_id for result in results] == [*range(1000, 1060)] * 2


async def test_one_recipient_of_many() -> None:
    results = await ask("struct", lambda client: client.send_to_many(FIRST, "a", sender=LINE), RESULTS["send"])
    assert results == [SendResult(FIRST, 101)]


@EACH_STYLE
async def test_errors_of_single_messages(style: str) -> None:
    value = [
        {"ErrCode": "-5", "result": "چرا"},
        {"ErrCode": 0, "result": 102},
        {"ErrCode": 7, "result": ""},
        {"ErrCode": "0", "result": ""},
        {"result": "105"},
        "106",
    ]
    messages = [OutgoingMessage(FIRST, f"text {number}", LINE) for number in range(6)]
    results = await ask(style, lambda client: client.send_pairs(messages), value)
    assert [result.message_id for result in results] == [None, 102, None, None, None, 106]
    refused, _, odd, empty, _, _ = (result.error for result in results)
    assert isinstance(refused, InvalidSenderError)
    assert (refused.code, refused.gateway_message, refused.outcome) == (-5, "چرا", Outcome.REFUSED)
    assert isinstance(odd, GatewayError)
    assert (odd.code, odd.outcome) == (7, Outcome.UNKNOWN)
    assert isinstance(empty, ReplyError)
    assert empty.field == "result[3]"
    for result in results:
        if result.error is not None:
            assert (result.error.gateway, result.error.operation) == ("advgateway", "send_pairs")
            assert result.error.operation_id


@EACH_STYLE
async def test_bare_results_of_pairs(style: str) -> None:
    """One of them is an id: the whole call has not failed."""
    refused, sent = await ask(style, CALLS["send_pairs"], ["-3", "102"])
    assert (refused.error.code, sent.message_id) == (-3, 102)
    wrapped = {"ErrCode": 0, "result": RESULTS["send_pairs"]}
    assert await ask(style, CALLS["send_pairs"], wrapped) == SUCCESSES["send_pairs"]


STATES = [
    (["4", "1"], 4, 1),
    ([4, 99], 4, 99),
    ([4, None], 4, None),
    ([{"status": "رسید", "statusId": "4"}, {"status": "نرسید", "statusId": 5}], 4, 5),
    ([{"status": 4}, {"status": "5"}], 4, 5),
    ([{"StatusID": 4}, {}], 4, None),
    ({"101": 4, "102": "1"}, 4, 1),
    ({"102": 1, "101": {"statusId": "4"}}, 4, 1),
    ({"102": 1}, None, 1),
]


@pytest.mark.parametrize("style", ["map", "json in a string", "rest"])
@pytest.mark.parametrize("case", STATES, ids=repr)
async def test_states(case: tuple[object, int | None, int | None], style: str) -> None:
    result, first, second = case
    found = await ask(style, CALLS["statuses"], {"ErrCode": 0, "result": result})
    assert [(entry.message_id, entry.status) for entry in found] == [(101, first), (102, second)]
    for entry in found:
        assert isinstance(entry.status, DeliveryCode) is (entry.status in list(DeliveryCode))
        assert (entry.text in ("رسید", "نرسید")) is ("رسید" in repr(result))


@EACH_STYLE
@pytest.mark.parametrize(
    ("result", "status", "text"),
    [
        (4, 4, None),
        ("4", 4, None),
        (["4"], 4, None),
        ({"status": "رسید", "statusId": "4"}, 4, "رسید"),
        ({"status": "4"}, 4, None),
        ({"STATUSID": 6}, 6, None),
        ("رسید", None, "رسید"),
    ],
)
async def test_one_state(result: object, status: int | None, text: str | None, style: str) -> None:
    found = await ask(style, lambda client: client.statuses([101]), {"ErrCode": 0, "result": result})
    assert found == [MessageStatus(101, status, text)]


@pytest.mark.parametrize("result", [[4], [4, 4, 4], 4, "", [], None, {"a": 4, "b": 1}, "Array"])
async def test_states_that_do_not_fit(result: object) -> None:
    for style in STYLES:
        error = await failure_of(ask(style, CALLS["statuses"], {"ErrCode": 0, "result": result}))
        assert isinstance(error, ReplyError)


def test_every_code_has_a_state() -> None:
    assert {code.name: MessageStatus(1, code).state for code in DeliveryCode} == {
        "SENDING": DeliveryState.QUEUED,
        "TELECOM_PROBLEM": DeliveryState.FAILED,
        "REACHED_TELECOM": DeliveryState.SENT,
        "REACHED_HANDSET": DeliveryState.DELIVERED,
        "NOT_REACHED_HANDSET": DeliveryState.FAILED,
        "BLACKLISTED": DeliveryState.BLOCKED,
    }
    assert [MessageStatus(1, code).state for code in (None, 0, 7)] == [DeliveryState.UNKNOWN] * 3


async def test_more_than_sixty_states() -> None:
    ids = range(1, 131)
    parts = [{"ErrCode": 0, "result": ["4"] * size} for size in (60, 60, 10)]
    async with (
        RawServer(*(reply(STYLES["struct"](part)) for part in parts)) as server,
        make_client(server.url) as client,
    ):
        found = await client.statuses(iter(ids))
        asked = [parse_request(request).arguments["unique_ids"] for request in server.requests]
    assert [status.message_id for status in found] == list(ids)
    assert [number for part in asked for number in part] == [str(number) for number in ids]
    assert [len(part) for part in asked] == [60, 60, 10]


ONE = {"from": "+989121111111", "to": "+9850001", "msg": " سلام ", "time": "1508144471"}
TWO = {"from": "989122222222", "to": "50001", "msg": "", "time": 0, "more": "x"}
MESSAGES = [
    ReceivedMessage(" سلام ", ONE["from"], ONE["to"], datetime.datetime(2017, 10, 16, 9, 1, 11, tzinfo=datetime.UTC)),
    ReceivedMessage(None, "989122222222", "50001", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)),
]  # fmt: skip


@EACH_STYLE
async def test_received(style: str) -> None:
    found = await ask(style, CALLS["received"], {"ErrCode": 0, "result": [ONE, TWO]})
    assert found == MESSAGES
    assert found[0].received_at.utcoffset() is not None


@EACH_STYLE
@pytest.mark.parametrize("result", [[], "", None])
async def test_nothing_received(result: object, style: str) -> None:
    assert await ask(style, CALLS["received"], {"ErrCode": 0, "result": result}) == []


@pytest.mark.parametrize("style", ["map", "json in a string", "rest"])
async def test_received_that_is_no_list(style: str) -> None:
    """What was fetched is marked as read, so that it must not be lost for its shape."""
    assert await ask(style, CALLS["received"], {"ErrCode": 0, "result": ONE}) == MESSAGES[:1]
    assert await ask(style, CALLS["received"], {"ErrCode": 0, "result": {"3": ONE, "7": TWO}}) == MESSAGES


@EACH_STYLE
@pytest.mark.parametrize("result", ["Array", "none", ["Array"], 5, [{"time": "soon"}], [{"msg": ["a", "b"]}]])
async def test_received_that_does_not_fit(result: object, style: str) -> None:
    error = await failure_of(ask(style, CALLS["received"], {"ErrCode": 0, "result": result}))
    assert isinstance(error, ReplyError)


@EACH_STYLE
@pytest.mark.parametrize(
    ("result", "credit"),
    [("12345", "12345"), (12345, "12345"), ("0", "0"), ("-5.25", "-5.25"), ("1.50", "1.50"), ({"credit": "7"}, "7")],
)
async def test_credit(result: object, credit: str, style: str) -> None:
    found = await ask(style, CALLS["credit"], {"ErrCode": 0, "result": result})
    assert (type(found), str(found)) == (decimal.Decimal, credit)


@EACH_STYLE
@pytest.mark.parametrize("result", ["", None, "Array", "much", "NaN", "Infinity", [], ["1"], {"a": "1", "b": "2"}])
async def test_credit_that_is_no_number(result: object, style: str) -> None:
    error = await failure_of(ask(style, CALLS["credit"], {"ErrCode": 0, "result": result}))
    assert isinstance(error, ReplyError)


async def test_answer_without_states() -> None:
    for style in STYLES:
        error = await failure_of(
            ask(style, lambda client: client.statuses([101]), {"ErrCode": 0, "result": {"msg": "a"}})
        )
        assert isinstance(error, ReplyError)
