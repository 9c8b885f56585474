"""The six methods that send, against the emulator: what its ledger holds, and how each refuses."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from payamak.common import Attempt, AttemptReply, Proceed
from payamak.emulator import Emulator, Message
from payamak.ghasedak import (
    AuthenticationError,
    ConnectionFailedError,
    GatewayError,
    GhasedakClient,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    OtpKind,
    Outcome,
    OutgoingMessage,
    PermissionDeniedError,
    ReplyError,
    RequestTimeoutError,
    SendResult,
    ServiceUnavailableError,
)
from support.ghasedak import failure_of, make_client
from support.raw_server import RawServer, answer, envelope

FIRST, SECOND, ABROAD = "09121111111", "09122222222", "+33456351753"
LINE, OTHER_LINE = "10008566", "5000222"
TEXT = "سلام، ۵۰٪ +a&b=c;d%20, 🙂\nline 2"
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)

SendCall = Callable[[GhasedakClient, str], Awaitable[Any]]
SENDS: dict[str, SendCall] = {
    "send": lambda client, to: client.send(to, "text"),
    "send_by_username": lambda client, to: client.send_by_username("ali", to, "text"),
    "send_pairs": lambda client, to: client.send_pairs([OutgoingMessage(to, "text", LINE)]),
    "send_to_many": lambda client, to: client.send_to_many([to], "text"),
    "send_otp": lambda client, to: client.send_otp([to], "template", ["1"]),
    "send_voice": lambda client, to: client.send_voice([to], "text"),
}
EACH_SEND = pytest.mark.parametrize("name", SENDS)


def _facts(message: Message) -> tuple[object, ...]:
    return message.operation, message.recipient, message.text, message.line, message.send_at, message.check_id


async def test_send(emulator: Emulator, client: GhasedakClient) -> None:
    result = await client.send(FIRST, TEXT, sender=OTHER_LINE, send_at=LATER, check_id=" سفارش-1 ")
    (message,) = emulator.messages()
    assert result == SendResult(FIRST, message.id)
    assert result.ok
    assert _facts(message) == ("sms/send/simple", FIRST, TEXT, OTHER_LINE, LATER, "سفارش-1")
    assert message.kind == "sms"


async def test_send_with_nothing_optional(emulator: Emulator, client: GhasedakClient) -> None:
    await client.send("۰۹۱۲ ۱۱۱ ۱۱۱۱", "a")
    (message,) = emulator.messages()
    assert _facts(message)[:-1] == ("sms/send/simple", FIRST, "a", LINE, None)
    # So that the gateway can be asked for it.
    assert re.fullmatch(r"[1-9][0-9]{17}", message.check_id or "")


async def test_send_by_username(emulator: Emulator, client: GhasedakClient) -> None:
    result = await client.send_by_username("ali", FIRST, TEXT, sender=OTHER_LINE, send_at=LATER, check_id="1")
    (message,) = emulator.messages()
    assert result == SendResult(FIRST, message.id)
    assert _facts(message) == ("sms/send/simple/url", FIRST, TEXT, OTHER_LINE, LATER, "1")


async def test_send_pairs(emulator: Emulator, client: GhasedakClient) -> None:
    text = TEXT.replace(",", "،")
    tehran = LATER.astimezone(ZoneInfo("Asia/Tehran"))
    messages = [
        OutgoingMessage("+989121111111", text, LINE, LATER, "1"),
        OutgoingMessage(SECOND, "b", OTHER_LINE, tehran + timedelta(hours=1), "2"),
    ]
    results = await client.send_pairs(iter(messages))
    first, second = emulator.messages()
    assert results == [SendResult("+989121111111", first.id), SendResult(SECOND, second.id)]
    assert _facts(first) == ("sms/send/bulk", FIRST, text, LINE, LATER, "1")
    assert _facts(second) == ("sms/send/bulk", SECOND, "b", OTHER_LINE, LATER + timedelta(hours=1), "2")


async def test_send_pairs_of_100(emulator: Emulator, client: GhasedakClient) -> None:
    messages = [OutgoingMessage(f"0912{number:07}", f"text {number}", LINE) for number in range(100)]
    results = await client.send_pairs(messages)
    assert [(message.recipient, message.text) for message in emulator.messages()] == [
        (message.to, message.text) for message in messages
    ]
    assert [result.message_id for result in results] == [message.id for message in emulator.messages()]
    assert len(emulator.requests) == 1


async def test_send_to_many(emulator: Emulator, client: GhasedakClient) -> None:
    results = await client.send_to_many(
        (FIRST, SECOND, FIRST), TEXT, sender=OTHER_LINE, send_at=LATER, check_ids=["1", "2", "3"]
    )
    messages = emulator.messages()
    assert [_facts(message) for message in messages] == [
        ("sms/send/pair", recipient, TEXT, OTHER_LINE, LATER, mark)
        for recipient, mark in ((FIRST, "1"), (SECOND, "2"), (FIRST, "3"))
    ]
    assert [result.message_id for result in results] == [message.id for message in messages]
    assert [result.recipient for result in results] == [FIRST, SECOND, FIRST]


async def test_send_to_many_of_100(emulator: Emulator, client: GhasedakClient) -> None:
    recipients = [f"0912{number:07}" for number in range(100)]
    results = await client.send_to_many((number for number in recipients), "text")
    assert [message.recipient for message in emulator.messages()] == recipients
    assert [result.recipient for result in results] == recipients
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("kind", list(OtpKind))
async def test_send_otp(kind: OtpKind, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.templates["ورود"] = "کد %param1% تا %param2%، %param10%"
    params = ["123 45", TEXT, *map(str, range(3, 11))]
    results = await client.send_otp([FIRST, ABROAD], "ورود", params, kind=kind, check_ids=["m", "n"])
    first, second = emulator.messages()
    assert [result.message_id for result in results] == [first.id, second.id]
    assert (first.recipient, second.recipient) == (FIRST, ABROAD)
    assert first.operation == "verification/send/simple"
    assert first.kind == "otp"
    assert first.text == f"کد 123 45 تا {TEXT}، 10"
    assert (first.template, first.params, first.check_id) == ("ورود", tuple(params), "m")
    assert second.check_id == "n"
    # A call has no encoding.
    assert (first.encoding is None) == (kind is OtpKind.VOICE)


@pytest.mark.parametrize("count", range(1, 11))
async def test_send_otp_with_each_number_of_params(count: int, emulator: Emulator, client: GhasedakClient) -> None:
    params = [f"value {number}" for number in range(count)]
    await client.send_otp(FIRST, "t", iter(params))
    assert emulator.messages()[0].params == tuple(params)


@pytest.mark.parametrize("reply", ["objects", "ids"])
async def test_send_voice(reply: str, emulator: Emulator, client: GhasedakClient) -> None:
    """The vendor's document shows objects, its own SDKs read ids."""
    emulator.ghasedak.switches.voice_reply = reply
    results = await client.send_voice([FIRST, SECOND], TEXT, send_at=LATER)
    messages = emulator.messages()
    assert [result.message_id for result in results] == [message.id for message in messages]
    assert [_facts(message) for message in messages] == [
        ("voice/send/simple", recipient, TEXT, LINE, LATER, None) for recipient in (FIRST, SECOND)
    ]
    assert {message.kind for message in messages} == {"voice"}


@pytest.mark.parametrize("name", ["send_to_many", "send_otp", "send_voice"])
async def test_one_recipient_needs_no_list(name: str, emulator: Emulator, client: GhasedakClient) -> None:
    if name == "send_to_many":
        results = await client.send_to_many(FIRST, "a")
    elif name == "send_otp":
        results = await client.send_otp(FIRST, "a", ["1"])
    else:
        results = await client.send_voice(FIRST, "a")
    assert [message.recipient for message in emulator.messages()] == [FIRST]
    assert [result.recipient for result in results] == [FIRST]


SPECIAL: dict[int, type[GatewayError]] = {
    5: ServiceUnavailableError,
    6: AuthenticationError,
    7: InvalidSenderError,
    8: InvalidRecipientError,
    9: InsufficientCreditError,
    10: ServiceUnavailableError,
    11: PermissionDeniedError,
    20: InvalidRecipientError,
    21: ServiceUnavailableError,
    24: PermissionDeniedError,
}
FAILURES = (10, 21)
"""These tell of a failure of the gateway's own, perhaps after it had taken the message."""


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, number) for name in SENDS for number in SPECIAL if (name, number) != ("send_otp", 20)],
)
async def test_refusal_of_the_whole_call(name: str, number: int, emulator: Emulator, client: GhasedakClient) -> None:
    for http_status in (419, 200):
        emulator.requests.clear()
        emulator.ghasedak.switches.errors_in_http_200 = http_status == 200
        error = await failure_of(SENDS[name](client, f"090000000{number:02}"))
        assert isinstance(error, SPECIAL[number])
        assert (error.code, error.outcome) == (number, Outcome.UNKNOWN if number in FAILURES else Outcome.REFUSED)
        assert error.http_status == http_status
        assert (error.gateway, error.operation) == ("ghasedak", name)
        assert emulator.messages() == []
        assert len(emulator.requests) == 1


async def test_otp_reaches_numbers_that_filter(emulator: Emulator, client: GhasedakClient) -> None:
    results = await client.send_otp("09000000020", "t", ["1"])
    assert [message.id for message in emulator.messages()] == [results[0].message_id]


@pytest.mark.parametrize("name", ["send", "send_by_username"])
@pytest.mark.parametrize("number", SPECIAL)
async def test_refusal_of_the_only_recipient_is_raised(
    name: str, number: int, emulator: Emulator, client: GhasedakClient
) -> None:
    emulator.ghasedak.switches.per_recipient_errors = True
    error = await failure_of(SENDS[name](client, f"090000000{number:02}"))
    assert isinstance(error, SPECIAL[number])
    outcome = Outcome.UNKNOWN if number in FAILURES else Outcome.REFUSED
    assert (error.code, error.outcome, error.operation) == (number, outcome, name)
    assert emulator.messages() == []
    assert len(emulator.requests) == 1


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        *((number, Outcome.REFUSED) for number in (1, 5, 8, "8")),
        *((number, Outcome.UNKNOWN) for number in (10, 21, 12, 29, 999, 1000)),
    ],
)
async def test_small_number_is_an_error(number: int | str, outcome: Outcome) -> None:
    """Within a success, one that no table explains leaves it open, and none is a reason to send again."""
    async with RawServer(answer(envelope([number]))) as server, make_client(server.url) as client:
        error = await failure_of(client.send(FIRST, "text"))
    assert isinstance(error, GatewayError)
    assert (error.code, error.outcome) == (int(number), outcome)
    assert len(server.requests) == 1


@pytest.mark.parametrize("number", [0, -1, "-8"])
async def test_number_that_is_neither_id_nor_error(number: int | str) -> None:
    """No table has it, and the envelope says success: nobody can say that the message was refused."""
    async with RawServer(answer(envelope([number]))) as server, make_client(server.url) as client:
        error = await failure_of(client.send(FIRST, "text"))
    assert error.outcome is Outcome.UNKNOWN
    assert len(server.requests) == 1


@pytest.mark.parametrize("items", [[1001], [2**62], ["1001"], "70001", 70001, [{"messageid": "70001"}]])
async def test_id_however_it_is_written(items: Any) -> None:
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        result = await client.send(FIRST, "text")
    assert isinstance(result.message_id, int)
    assert result.message_id > 1000


WITHOUT_IDS: list[Any] = [
    None, "", [], [None], [""], ["x"], [True], [1.5], [{}], [{"id": 70001}], [[70001]], {}, [70001, 70002],
]  # fmt: skip


@EACH_SEND
async def test_success_without_ids_is_unknown(name: str) -> None:
    """The gateway says that it took it and not what became of it: never a success, never a refusal, never again."""
    script = [answer(envelope(items)) for items in WITHOUT_IDS]
    async with RawServer(*script) as server, make_client(server.url) as client:
        for _ in WITHOUT_IDS:
            error = await failure_of(SENDS[name](client, FIRST))
            assert isinstance(error, ReplyError)
            assert (error.outcome, error.operation, error.http_status) == (Outcome.UNKNOWN, name, 200)
            assert error.field is not None
            assert error.field.startswith("items")
        assert len(server.requests) == len(WITHOUT_IDS)


@EACH_SEND
async def test_wrong_key(name: str, emulator: Emulator) -> None:
    async with make_client(emulator.ghasedak_url) as client:
        error = await failure_of(SENDS[name](client, FIRST))
    assert isinstance(error, AuthenticationError)
    assert (error.code, error.gateway_message) == (401, "apikey is invalid")
    assert emulator.messages() == []


@EACH_SEND
async def test_no_credit(name: str, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.account.credit = 100
    error = await failure_of(SENDS[name](client, FIRST))
    assert isinstance(error, InsufficientCreditError)
    assert emulator.messages() == []
    assert emulator.ghasedak.account.credit == 100


async def test_line_of_somebody_else(emulator: Emulator, client: GhasedakClient) -> None:
    calls = [
        client.send(FIRST, "a", sender="999999"),
        client.send_by_username("ali", FIRST, "a", sender="999999"),
        client.send_to_many([FIRST], "a", sender="999999"),
        client.send_pairs([OutgoingMessage(FIRST, "a", "999999")]),
    ]
    for call in calls:
        assert isinstance(await failure_of(call), InvalidSenderError)
    assert emulator.messages() == []


async def test_number_abroad_by_anything_but_otp(emulator: Emulator, client: GhasedakClient) -> None:
    """The vendor's document knows numbers abroad for one-time passwords only; the emulator holds to it."""
    assert isinstance(await failure_of(client.send(ABROAD, "a")), InvalidArgumentError)
    assert (await client.send_otp([ABROAD], "t", ["1"]))[0].ok
    assert [message.recipient for message in emulator.messages()] == [ABROAD]


async def test_one_number_that_is_refused_is_raised_and_a_list_is_not(
    emulator: Emulator, client: GhasedakClient
) -> None:
    """Who gives a number and no list does not look for an error in a list."""
    emulator.ghasedak.switches.per_recipient_errors = True
    refused = "09000000008"
    for error in (
        await failure_of(client.send_otp(refused, "t", ["1"])),
        await failure_of(client.send_to_many(refused, "a")),
        await failure_of(client.send_voice(refused, "a")),
    ):
        assert isinstance(error, InvalidRecipientError)
    (result,) = await client.send_otp([refused], "t", ["1"])
    assert isinstance(result.error, InvalidRecipientError)
    assert emulator.messages() == []


async def test_ids_that_cannot_be_matched_are_kept() -> None:
    async with RawServer(answer(envelope([70001, 70002]))) as server, make_client(server.url) as client:
        error = await failure_of(client.send_to_many([FIRST, SECOND, "09123333333"], "a"))
    assert isinstance(error, ReplyError)
    assert error.message_ids == (70001, 70002)


async def test_all_requests_of_a_call_share_its_id_and_its_time() -> None:
    slow = answer(envelope([{"messageid": 70001, "status": 1}]), after=0.08)
    seen: set[str] = set()

    async def observe(call: Attempt, proceed: Proceed) -> AttemptReply:
        seen.add(call.operation_id)
        return await proceed()

    async with RawServer(slow) as server, make_client(server.url, hooks=[observe], timeout=0.2) as client:
        error = await failure_of(client.statuses(range(1, 1001)))
    assert isinstance(error, RequestTimeoutError | ConnectionFailedError)
    assert len(seen) == 1
    assert len(server.requests) <= 3


async def test_unknown_template(emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.switches.known_templates = ("known",)
    emulator.ghasedak.switches.unknown_template_error = 4
    assert isinstance(await failure_of(client.send_otp([FIRST], "unknown", ["1"])), InvalidRequestError)
    assert (await client.send_otp([FIRST], "known", ["1"]))[0].ok


async def test_check_id_used_before(emulator: Emulator, client: GhasedakClient) -> None:
    await client.send(FIRST, "a", check_id="1")
    await client.send(FIRST, "a", check_id="1")
    emulator.ghasedak.switches.duplicate_check_id = "refuse"
    error = await failure_of(client.send(FIRST, "a", check_id="1"))
    assert isinstance(error, ServiceUnavailableError)
    assert error.outcome is Outcome.REFUSED
    assert len(emulator.messages()) == 2


@pytest.mark.parametrize("strict", [False, True])
async def test_what_the_document_calls_required(strict: bool, emulator: Emulator, client: GhasedakClient) -> None:
    """A line is optional and required in one breath: it goes where it is given."""
    emulator.ghasedak.switches.strict_required = strict
    emulator.ghasedak.switches.strict_number_list_simple = strict
    await client.send(FIRST, "a", sender=LINE)
    await client.send_to_many([FIRST], "a", sender=LINE)
    await client.send_voice([FIRST], "a", send_at=LATER)
    await client.groups.list()
    if strict:
        error = await failure_of(client.send(FIRST, "a"))
        assert isinstance(error, InvalidRequestError)
        assert error.gateway_message == '["linenumber is required"]'
    assert len(emulator.messages()) == 3
