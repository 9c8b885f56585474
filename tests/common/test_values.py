"""Values that people give and cannot mean: each is refused by name, with what to do, and nothing leaves."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient
from payamak.common import InvalidArgumentError, Outcome, PayamakError, RetryPolicy, checks
from payamak.common.client import GatewayClient
from payamak.emulator import Emulator
from payamak.ghasedak import GhasedakClient, NotFoundError, OutgoingMessage
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient
from support.ghasedak import failure_of, make_client
from support.raw_server import RawServer, answer

NUMBER, OTHER, TEXT, LINE = "09121234567", "09122222222", "سلام", "10008566"
NOW = datetime.datetime.now(datetime.UTC)
YESTERDAY = NOW - datetime.timedelta(days=1)
ONCE = RetryPolicy(attempts=1)


class Evil(str):
    """A text whose own methods raise, as a lazy value of a framework may."""

    __slots__ = ()

    def isspace(self) -> bool:
        raise LookupError("secret words")

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise LookupError("secret words")


class NotATime(datetime.datetime):
    """As NaT of pandas: it says that it is a time, and raises."""

    def utcoffset(self) -> datetime.timedelta | None:
        raise ValueError("secret words")


class Table:
    """As pandas has them: who goes through one gets the names of its columns."""

    columns = ("code",)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


Calls = dict[str, tuple[str, Callable[[Any], Awaitable[Any]]]]
MAPPING: Any = {"code": "482913"}
BAD: Calls = {
    "otp values by name": ("params", lambda c: c.send_otp(NUMBER, "login", MAPPING)),
    "otp values in a set": ("params", lambda c: c.send_otp(NUMBER, "login", {"سارا", "482913"})),
    "otp values' names": ("params", lambda c: c.send_otp(NUMBER, "login", MAPPING.keys())),
    "otp values in a table": ("params", lambda c: c.send_otp(NUMBER, "login", Table())),
    "recipients by name": ("recipients", lambda c: c.send_to_many({NUMBER: "سارا"}, TEXT)),
    "check ids by number": (
        "check_ids", lambda c: c.send_to_many([NUMBER, OTHER], TEXT, check_ids={NUMBER: "1", OTHER: "2"}),
    ),
    "check ids in a set": ("check_ids", lambda c: c.send_to_many([NUMBER, OTHER], TEXT, check_ids={"1", "2"})),
    "recipients in a set, with check ids": (
        "recipients", lambda c: c.send_to_many({NUMBER, OTHER}, TEXT, check_ids=["1", "2"]),
    ),
    "otp recipients in a set, with check ids": (
        "recipients", lambda c: c.send_otp({NUMBER, OTHER}, "t", ["1"], check_ids=["1", "2"]),
    ),
    "messages by key": ("messages", lambda c: c.send_pairs({1: OutgoingMessage(NUMBER, TEXT, LINE)})),
    "ids by name": ("message_ids", lambda c: c.statuses({2578793735: "a"})),
    "check ids by name": ("check_ids", lambda c: c.statuses_by_check_id({"1": 1})),
    "yesterday": ("send_at", lambda c: c.send(NUMBER, TEXT, send_at=YESTERDAY)),
    "yesterday, to many": ("send_at", lambda c: c.send_to_many([NUMBER], TEXT, send_at=YESTERDAY)),
    "yesterday, spoken": ("send_at", lambda c: c.send_voice(NUMBER, TEXT, send_at=YESTERDAY)),
    "yesterday, by username": ("send_at", lambda c: c.send_by_username("ali", NUMBER, TEXT, send_at=YESTERDAY)),
    "yesterday, in pairs": (
        "messages[0].send_at", lambda c: c.send_pairs([OutgoingMessage(NUMBER, TEXT, LINE, YESTERDAY)]),
    ),
    "no time": ("send_at", lambda c: c.send(NUMBER, TEXT, send_at=NotATime(2030, 1, 1))),
    "no start": ("start", lambda c: c.received_page(LINE, start=NotATime(2030, 1, 1), end=NOW)),
    "a Jalali start": (
        "start", lambda c: c.received_page(LINE, start=datetime.datetime(1405, 9, 20, tzinfo=datetime.UTC), end=NOW),
    ),
    "a text that raises": ("", lambda c: c.send(NUMBER, Evil(TEXT))),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
async def test_ghasedak_refuses(what: str) -> None:
    argument, call = BAD[what]
    async with Emulator() as emulator, GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        error = await failure_of(call(client))
        assert isinstance(error, InvalidArgumentError)
        assert (error.argument or "", error.outcome, error.gateway) == (argument, Outcome.NOT_SENT, "ghasedak")
        assert error.operation_id is not None
        assert error.__context__ is None
        assert "secret" not in str(error)
        assert emulator.requests == []


async def test_what_is_more_than_five_minutes_past_is_refused_and_less_is_sent() -> None:
    async with Emulator() as emulator:
        soon = datetime.datetime.now(datetime.UTC)
        async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
            await client.send(NUMBER, TEXT, send_at=soon - datetime.timedelta(minutes=4, seconds=30))
        async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as op:
            error = await failure_of(
                op.send(NUMBER, TEXT, sender="3000505", send_at=soon - datetime.timedelta(minutes=5, seconds=30))
            )
        assert isinstance(error, InvalidArgumentError)
        assert len(emulator.messages()) == 1


async def test_one_bad_value_does_not_sink_the_other_messages() -> None:
    bad: list[Any] = [NotATime(2030, 1, 1), YESTERDAY, datetime.datetime(1405, 9, 20, tzinfo=datetime.UTC)]
    later = NOW + datetime.timedelta(days=1)
    messages = [OutgoingMessage(NUMBER, TEXT, LINE, time) for time in [later, *bad]]
    messages += [OutgoingMessage(NUMBER, Evil(TEXT), LINE), OutgoingMessage(OTHER, TEXT, LINE, later)]
    async with Emulator() as emulator, GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        reports = sorted([report async for report in client.send_many(messages)], key=lambda report: report.index)
    assert [report.outcome for report in reports] == [Outcome.SENT, *[Outcome.NOT_SENT] * 4, Outcome.SENT]
    for report in reports[1:5]:
        assert isinstance(report.error, InvalidArgumentError)
        assert str(report.index) in str(report.error)
        assert "secret" not in str(report.error)


async def test_a_mapping_of_messages_is_refused_at_once() -> None:
    messages: Any = {1: OutgoingMessage(NUMBER, TEXT, LINE)}
    client = make_client("http://127.0.0.1:9")
    with pytest.raises(InvalidArgumentError, match="messages must be a list"):
        client.send_many(messages)
    error = PayamakError("lost")
    for wrong in (messages, set(messages.values())):
        assert isinstance(await failure_of(client.resolve(error, wrong)), InvalidArgumentError)
    await client.aclose()


MAKERS: dict[str, Callable[[str], GatewayClient]] = {
    "username of opgateway": lambda value: OpGatewayClient(value, "b", base_url="https://localhost/"),
    "password of opgateway": lambda value: OpGatewayClient("a", value, base_url="https://localhost/"),
    "username of advgateway": lambda value: AdvGatewayClient(value, "b", base_url="https://localhost/"),
    "password of advgateway": lambda value: AdvGatewayClient("a", value, base_url="https://localhost/"),
    "user_api_key of smsir": lambda value: SmsIrClient(value, "b"),
    "secret_key of smsir": lambda value: SmsIrClient("a", value),
    "api_key of ghasedak": GhasedakClient,
}


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\u2028"])
def test_a_line_break_at_the_end_of_a_credential_is_named(what: str, ending: str) -> None:
    with pytest.raises(InvalidArgumentError, match="line break") as caught:
        MAKERS[what](f"secret{ending}")
    assert caught.value.argument == what.split(maxsplit=1)[0]
    assert "secret" not in str(caught.value).replace("secret_key", "")


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "singleWsdl"])
def test_the_address_of_a_description_is_named(query: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"\?{query}.*leave it away"):
        AdvGatewayClient("a", "b", base_url=f"https://localhost/class/sms/webservice3/server.php?{query}")


async def test_a_missing_version_in_the_address_is_named() -> None:
    async with Emulator() as emulator:
        host = emulator.ghasedak_url.removesuffix("/v2/")
        async with GhasedakClient("emulator-key", base_url=host, retry=ONCE) as client:
            for call in (client.send(NUMBER, TEXT), client.account()):
                error = await failure_of(call)
                assert isinstance(error, NotFoundError)
                assert "base_url does not end with /v2/" in str(error)
        async with SmsIrClient("emulator-user-api-key", "emulator-secret-key", base_url=host, retry=ONCE) as smsir:
            assert "base_url does not end with /users/v1/" in str(await failure_of(smsir.account()))
        async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url, retry=ONCE) as client:
            assert "base_url" not in str(await failure_of(client.groups.rename(12345, "a")))


async def test_the_address_is_not_blamed_for_what_is_not_missing() -> None:
    body = b'{"result": {"code": 400, "message": "x"}, "items": null}'
    async with RawServer(answer(body, 400)) as server, make_client(server.url) as client:
        assert "base_url" not in str(await failure_of(client.send(NUMBER, TEXT)))


class Patience:
    """A rate limiter at which a message waits until its time to be sent at is long past."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    async def acquire(self) -> None:
        self._monkeypatch.setattr(checks, "_LATEST", datetime.timedelta(minutes=1))


@pytest.mark.parametrize("texts", [["a", "a"], ["a", "b"]], ids=["one text", "pairs"])
async def test_a_message_whose_time_comes_while_it_waits_is_sent_now(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=4)
    later = soon + datetime.timedelta(days=1)
    times = [soon, soon if texts[0] == texts[1] else later]
    messages = [
        OutgoingMessage(number, text, LINE, time)
        for number, text, time in zip([NUMBER, OTHER], texts, times, strict=True)
    ]
    async with Emulator() as emulator:
        async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
            sending = client.send_many(messages, rate_limit=Patience(monkeypatch))
            assert [report.outcome async for report in sending] == [Outcome.SENT] * 2
        assert len([request for request in emulator.requests if "send" in request.path]) == 1
        assert emulator.messages()[1].send_at == times[1].replace(microsecond=0) or times[1] == soon


async def test_the_op_gateway_is_not_asked_to_send_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=4)
    message = OutgoingMessage(NUMBER, TEXT, "3000505", soon)
    async with Emulator() as emulator:
        async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as client:
            (report,) = [report async for report in client.send_many([message], rate_limit=Patience(monkeypatch))]
        assert (report.outcome, emulator.messages()[0].send_at) == (Outcome.SENT, None)
