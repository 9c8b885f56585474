"""The client against the emulator: what is sent arrives, costs and moves; every switch of the panels is understood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import attrs
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault
from payamak.opgateway import (
    Approval,
    AuthenticationError,
    DeliveryState,
    GatewayError,
    Gender,
    InsufficientCreditError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    Operator,
    OpGatewayClient,
    Outcome,
    PermissionDeniedError,
    ReplyError,
    ServiceUnavailableError,
)
from support.ghasedak import PATIENT, QUICKLY, failure_of
from support.opgateway import FIRST, LINE, METHODS, NEW_USER, SECOND, TEXT

START = datetime(2030, 1, 1, 8, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        running.clock.set(START)
        yield running


@pytest_asyncio.fixture
async def client(emulator: Emulator) -> AsyncIterator[OpGatewayClient]:
    async with OpGatewayClient(
        "emulator", "emulator", base_url=emulator.opgateway_url, retry=QUICKLY, timeout=PATIENT
    ) as connected:
        yield connected


async def _states(client: OpGatewayClient, bulk_id: int) -> list[DeliveryState]:
    return [entry.state for entry in await client.delivery(bulk_id)]


async def test_a_host_alone_is_enough(emulator: Emulator) -> None:
    host = emulator.opgateway_url.removesuffix("/services.jspd")
    async with OpGatewayClient("emulator", "emulator", base_url=host) as client:
        assert await client.credit() == 1_000_000


async def test_what_is_sent_arrives_and_costs(client: OpGatewayClient, emulator: Emulator) -> None:
    first = await client.send(FIRST, TEXT, sender=LINE)
    assert await client.send_to_many([FIRST, SECOND], "b", sender="+98" + LINE) == first + 1
    kept = emulator.messages(gateway="opgateway")
    assert [(message.recipient, message.text, message.line) for message in kept] == [
        (FIRST, TEXT, LINE),
        (FIRST, "b", LINE),
        (SECOND, "b", LINE),
    ]
    assert await client.credit() == Decimal(1_000_000 - sum(message.price for message in kept))


async def test_delivery_moves_with_the_clock(client: OpGatewayClient, emulator: Emulator) -> None:
    numbers = [FIRST, *(f"090000000{n}" for n in ("00", "20", "21", "22", "23"))]
    bulk_id = await client.send_to_many(numbers, "a", sender=LINE)
    assert [entry.recipient for entry in await client.delivery(bulk_id)] == ["+98" + number[1:] for number in numbers]
    assert await _states(client, bulk_id) == [DeliveryState.QUEUED] * 6
    assert (await client.check_message(bulk_id)).approval is Approval.APPROVED
    emulator.clock.advance(10)
    assert await _states(client, bulk_id) == [
        DeliveryState.DELIVERED,
        DeliveryState.QUEUED,
        DeliveryState.SENT,
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.BLOCKED,
    ]


async def test_a_scheduled_send_waits(client: OpGatewayClient, emulator: Emulator) -> None:
    bulk_id = await client.send(FIRST, "a", sender=LINE, send_at=START.replace(hour=9))
    assert emulator.messages()[0].send_at == START.replace(hour=9)
    emulator.clock.advance(3599)
    assert await _states(client, bulk_id) == [DeliveryState.QUEUED]
    emulator.clock.advance(10)
    assert await _states(client, bulk_id) == [DeliveryState.DELIVERED]
    error = await failure_of(client.send(FIRST, "a", sender=LINE, send_at=START))
    assert (type(error), getattr(error, "code", None)) == (InvalidRequestError, 1006)


async def test_progress_and_approval(client: OpGatewayClient, emulator: Emulator) -> None:
    bulk_id = await client.send(FIRST, "a", sender=LINE)
    assert (await client.check_message(bulk_id)).status == "Interacting"
    emulator.clock.advance(10)
    assert (await client.check_message(bulk_id)).status == "Finish"
    for approval, case, colon in product(Approval, ("lower", "title"), (False, True)):
        switches = emulator.opgateway.switches
        switches.approval, switches.approval_case, switches.approval_colon = approval.value, case, colon
        bulk_id = await client.send(FIRST, "a", sender=LINE)
        assert (await client.check_message(bulk_id)).approval is approval


async def test_unknown_bulks(client: OpGatewayClient) -> None:
    for call in (client.delivery, client.check_message):
        error = await failure_of(call(1))
        assert type(error) is NotFoundError
        assert error.outcome is Outcome.REFUSED


async def test_received(client: OpGatewayClient, emulator: Emulator) -> None:
    assert await client.received() == []
    for text in ("سلام/[1]", "[1, 2]", '{"a": 1}', "😀\n\\/"):
        emulator.add_inbox_message(gateway="opgateway", sender=FIRST, line=LINE, text=text, received_at=START)
    found = await client.received()
    assert {message.text for message in found} == {"سلام/[1]", "[1, 2]", '{"a": 1}', "😀\n\\/"}
    assert {(message.sender, message.line, message.received_at) for message in found} == {
        ("+98" + FIRST[1:], "+98" + LINE, START)
    }


async def test_phone_books(client: OpGatewayClient, emulator: Emulator) -> None:
    books = await client.phone_books()
    assert [(book.id, book.title) for book in books] == [(101, "مشتریان"), (102, "همکاران"), (103, "خالی")]
    bulk_id = await client.send_to_phone_books([101, 102], "a", sender=LINE)
    assert len(await client.delivery(bulk_id)) == len(emulator.messages()) == 4
    error = await failure_of(client.send_to_phone_books([103], "a", sender=LINE))
    assert getattr(error, "code", None) == 4


async def test_postal_codes(client: OpGatewayClient, emulator: Emulator) -> None:
    areas = await client.postal_code_areas()
    assert (areas[0].id, areas[0].title) == (13, "تهران/غرب")
    assert await client.postal_code_count(Operator.MCI, "1345") == 2
    assert await client.postal_code_count(Operator.MCI, "1345", gender=Gender.MEN) == 1
    assert await client.postal_code_count(Operator.IRANCELL, "9") == 0
    bulk_id = await client.send_to_postal_code(Operator.MCI, "13", TEXT, sender=LINE, gender=Gender.WOMEN)
    assert [entry.recipient for entry in await client.delivery(bulk_id)] == ["+989122220002"]
    assert emulator.messages()[0].text == TEXT


async def test_jobs(client: OpGatewayClient, emulator: Emulator) -> None:
    assert [job.id for job in await client.jobs()] == [11, 12]
    assert [trend.id for trend in await client.job_trends(11)] == [111, 112]
    assert await client.job_count([111, 121]) == 3
    await client.send_to_job(11, [111, 112, 121], "a", sender=LINE)
    assert len(emulator.messages()) == 3


async def test_users(client: OpGatewayClient, emulator: Emulator) -> None:
    assert [level.id for level in await client.access_levels()] == [1, 2, 3]
    created = await client.create_user(NEW_USER)
    (user,) = emulator.opgateway.users
    assert (created.id, user.name) == (user.id, "reza_1")
    assert user.fields["address"] == NEW_USER.address
    for field, value, code in (("username", "reza_1", 304), ("national_id", "1", 307), ("password", "weak", 1002)):
        fresh = attrs.evolve(NEW_USER, **{"username": "reza_2", field: value})
        error = await failure_of(client.create_user(fresh))
        assert (type(error), getattr(error, "code", None)) == (InvalidRequestError, code)
    emulator.opgateway.account.reseller = False
    assert type(await failure_of(client.create_user(NEW_USER))) is PermissionDeniedError
    assert len(emulator.opgateway.users) == 1


async def test_wrong_credentials(emulator: Emulator) -> None:
    async with OpGatewayClient("emulator", "wrong", base_url=emulator.opgateway_url) as client:
        for method in METHODS.values():
            error = await failure_of(method.call(client))
            assert type(error) is AuthenticationError, method.name
            assert (error.code, error.gateway_message) == (962, "The username or password is incorrect")
    assert not emulator.messages()


async def test_refused_sends_change_nothing(client: OpGatewayClient, emulator: Emulator) -> None:
    kinds: dict[str, tuple[type[GatewayError], int]] = {
        "02": (PermissionDeniedError, 2),
        "03": (InvalidSenderError, 3),
        "05": (InsufficientCreditError, 5),
        "09": (InvalidSenderError, 9),
        "98": (InvalidRequestError, 98),
        "99": (ServiceUnavailableError, 99),
    }
    for ending, (kind, code) in kinds.items():
        error = await failure_of(client.send(f"090000000{ending}", "a", sender=LINE))
        assert (type(error), getattr(error, "code", None), error.outcome) == (kind, code, Outcome.REFUSED)
    assert type(await failure_of(client.send(FIRST, "a", sender="3000999"))) is InvalidSenderError
    emulator.opgateway.account.credit = 1
    assert type(await failure_of(client.send(FIRST, "a", sender=LINE))) is InsufficientCreditError
    assert not emulator.messages()
    assert await client.credit() == 1


def _switches() -> Iterator[dict[str, Any]]:
    for codes, bulk, mark, nesting, double in product((False, True), (False, True), "./", ("string", "array", "bare"),
                                                      (False, True)):  # fmt: skip
        yield {
            "string_codes": codes,
            "bulk_id_as_string": bulk,
            "credit_decimal_mark": mark,
            "nesting": nesting,
            "double_nesting": double,
        }


async def test_every_switch_of_the_panels_is_understood(client: OpGatewayClient, emulator: Emulator) -> None:
    emulator.opgateway.account.credit = 1_000_000.25
    emulator.add_inbox_message(gateway="opgateway", sender=FIRST, line=LINE, text="[1]", received_at=START)
    seen: set[str] = set()
    for switches in _switches():
        for name, value in switches.items():
            setattr(emulator.opgateway.switches, name, value)
        emulator.opgateway.account.credit = 1_000_000.25
        assert await client.credit() == Decimal("1000000.25")
        bulk_id = await client.send_to_many([FIRST, SECOND], "a", sender=LINE)
        assert type(bulk_id) is int
        answers = [await client.delivery(bulk_id), await client.phone_books(), await client.received(),
                   await client.jobs(), await client.postal_code_count(Operator.MCI, "13")]  # fmt: skip
        seen.add(repr([answers, [entry.title for entry in await client.phone_books()]]))
        error = await failure_of(client.send(FIRST, "a", sender="3000999"))
        assert getattr(error, "code", None) == 3
    assert len(seen) == 1


@pytest.mark.parametrize("unknown", ["null", "empty", "963"])
async def test_a_panel_without_the_op(client: OpGatewayClient, emulator: Emulator, unknown: Any) -> None:
    """Nothing is taken for a user that was made, or for an empty list."""
    emulator.opgateway.switches.unknown_op = unknown
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("payamak.emulator.opgateway.gateway._OPERATIONS", {})
        for name in ("create_user", "received", "send", "credit", "jobs"):
            error = await failure_of(METHODS[name].call(client))
            assert type(error) is (PermissionDeniedError if unknown == "963" else ReplyError)


@pytest.mark.parametrize("kind", ["drop_after_read", "reset_after_read", "cut_reply", "html", "garbage", "empty"])
async def test_a_send_that_was_carried_out_is_never_repeated(
    client: OpGatewayClient, emulator: Emulator, kind: str
) -> None:
    arguments = {"processed": True} if kind == "html" else {}
    emulator.add_fault(Fault.from_dict({"kind": kind, "times": 10, **arguments}))
    error = await failure_of(client.send(FIRST, "a", sender=LINE))
    assert error.outcome is Outcome.UNKNOWN
    assert len(emulator.messages()) == 1
    emulator.clear_faults()
    assert await client.credit() < 1_000_000
