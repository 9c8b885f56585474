"""How each gateway is asked for what is unknown, where it takes more than a check id."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from payamak.common import OnUnknown, Outcome
from payamak.emulator import Emulator, Fault
from support.advgateway import STYLES
from support.many import (
    ADVANCED,
    GHASEDAK,
    OPGATEWAY,
    PATIENT,
    SMSIR,
    SOAP,
    Gateway,
    by_outcome,
    collect,
    each,
    judge,
    sends,
    until,
)
from support.raw_server import Behaviour, Exchange, RawServer, envelope, http

FIRST_BULK_ID = 10_929_800
FIRST_MESSAGE_ID = 536_221_499
ASKED = ("sms/status", "GetLastSentMessagesByPageId")


class Limiter:
    """Lets everything pass, and counts it."""

    def __init__(self) -> None:
        self.count = 0

    async def acquire(self) -> None:
        self.count += 1


async def _send(gateway: Gateway, emulator: Emulator, count: int = 3, **options: Any) -> Any:
    messages = gateway.messages(count)
    async with gateway.connect(emulator, timeout=PATIENT) as client:
        reports = await collect(client.send_many(messages, **{"grace": 0.05, **options}))
    judge(gateway, emulator, messages, reports)
    return reports


def _ghasedak_without_recipients(known: set[str]) -> Behaviour:
    """Loses the answer to each send, and answers for marks with a status that does not say whose it is."""

    async def behaviour(exchange: Exchange) -> None:
        request = await exchange.read()
        if not request.target.endswith("sms/status"):
            known.update(request.form["checkid"].split(","))
            await exchange.close()
            return
        marks = [mark for mark in request.form["id"].split(",") if mark in known]
        items = [{"messageid": 70_000 + int(mark.rpartition("-")[2]), "status": 8} for mark in marks]
        await exchange.write(http(envelope(items)))

    return behaviour


@pytest.mark.parametrize("count", [1, 5])
async def test_ghasedak_is_asked_for_one_at_a_time_if_it_does_not_show_whose_status_it_is(count: int) -> None:
    async with RawServer(_ghasedak_without_recipients(set())) as server, GHASEDAK.make(base_url=server.url) as client:
        reports = await collect(client.send_many(GHASEDAK.messages(count)))
    assert by_outcome(reports) == {Outcome.SENT: count}
    for report in reports:
        assert report.message_id == 70_000 + int(str(report.reference).rpartition("-")[2])
    assert len({report.message_id for report in reports}) == count


async def test_the_limiter_is_asked_for_each_of_them() -> None:
    """A limit of the gateway's is one of all requests."""
    limiter = Limiter()
    async with RawServer(_ghasedak_without_recipients(set())) as server, GHASEDAK.make(base_url=server.url) as client:
        await collect(client.send_many(GHASEDAK.messages(5), rate_limit=limiter))
    assert limiter.count == len(server.requests)


@pytest.mark.parametrize("direction", ["older", "newer"])
@pytest.mark.parametrize("as_number", [True, False])
async def test_smsir_is_asked_for_the_list_of_what_was_sent(
    direction: str, as_number: bool, emulator: Emulator
) -> None:
    emulator.smsir.switches.last_id_direction = direction
    emulator.smsir.switches.mobile_as_number = as_number
    emulator.add_fault(SMSIR.fault("drop_after_read"))
    reports = await _send(SMSIR, emulator, 250)
    assert by_outcome(reports) == {Outcome.SENT: 250}
    assert {report.reference for report in reports} == {batch.key for batch in emulator.smsir._state.batches}


async def test_smsir_fails_after_it_has_sent(emulator: Emulator) -> None:
    emulator.smsir.switches.exception_after_send = True
    assert by_outcome(await _send(SMSIR, emulator, 120)) == {Outcome.SENT: 120}


async def test_smsir_requests_are_rate_limited_also_when_it_is_asked(emulator: Emulator) -> None:
    emulator.add_fault(SMSIR.fault("drop_after_read"))
    limiter = Limiter()
    await _send(SMSIR, emulator, rate_limit=limiter)
    tokens = sum(record.path.endswith("GetToken") for record in emulator.requests)
    assert limiter.count == len(emulator.requests) - tokens > 3


async def test_smsir_cannot_be_asked_if_its_list_could_not_be_read_at_the_start(emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=400, path="GetLastSentMessagesByPageId", times=9))
    emulator.add_fault(SMSIR.fault("drop_after_read"))
    assert by_outcome(await _send(SMSIR, emulator)) == {Outcome.UNKNOWN: 3}


async def test_an_earlier_send_of_the_same_is_not_taken_for_this_one(emulator: Emulator) -> None:
    messages = SMSIR.messages(3)
    async with SMSIR.connect(emulator) as client:
        await client.messages.send_to_numbers([message.to for message in messages], "text")
        emulator.add_fault(SMSIR.fault("drop_unprocessed"))
        reports = await collect(client.send_many(messages, grace=0.05))
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}


@each(GHASEDAK, SMSIR)
async def test_the_same_message_twice_both_lost(gateway: Gateway, emulator: Emulator) -> None:
    """Each is its own message in the ledger."""
    messages = [gateway.message(1), gateway.message(1)]
    emulator.add_fault(gateway.fault("drop_after_read", times=2))
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=0.2))
    judge(gateway, emulator, messages, reports)


@each(GHASEDAK, SMSIR)
async def test_the_same_message_twice_of_which_one_went_out(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(1), gateway.message(1)]
    emulator.add_fault(gateway.fault("drop_after_read"))
    emulator.add_fault(gateway.fault("drop_unprocessed"))
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=0.2))
    judge(gateway, emulator, messages, reports)
    assert len(gateway.ledger(emulator)) == 1


@each(GHASEDAK, SMSIR)
async def test_the_same_message_twice_of_which_one_is_still_on_its_way(gateway: Gateway, emulator: Emulator) -> None:
    """What the gateway shows may belong to the request whose answer is not here yet."""
    messages = [gateway.message(1), gateway.message(1)]
    emulator.add_fault(gateway.fault("delay_after", seconds=0.5))
    emulator.add_fault(gateway.fault("drop_unprocessed"))
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=0.2))
    judge(gateway, emulator, messages, reports)
    assert len(gateway.ledger(emulator)) == 1


@pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
async def test_the_bulk_id_of_a_contradictory_answer_leads_to_what_was_sent(
    on_unknown: OnUnknown, emulator: Emulator
) -> None:
    body = json.dumps([0, FIRST_BULK_ID])
    emulator.add_fault(OPGATEWAY.fault("status", status=500, body=body, processed=True))
    reports = await _send(OPGATEWAY, emulator, on_unknown=on_unknown)
    assert by_outcome(reports) == {Outcome.SENT: 3}
    assert {report.message_id for report in reports} == {FIRST_BULK_ID}
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("body", ["[0, 5]", "[0, 10929801]", '[0, "x"]', "[0, null]", "[0, -1]", "[0, [10929800]]"])
async def test_a_bulk_id_that_leads_nowhere(body: str, emulator: Emulator) -> None:
    emulator.add_fault(OPGATEWAY.fault("status", status=500, body=body))
    assert by_outcome(await _send(OPGATEWAY, emulator, on_unknown=OnUnknown.RESEND)) == {Outcome.UNKNOWN: 3}


async def test_the_bulk_id_of_others_is_not_taken_for_ours(emulator: Emulator) -> None:
    async with OPGATEWAY.connect(emulator) as client:
        bulk_id = await client.send_to_many(["09351111111", "09352222222"], "another", sender="3000505")
        emulator.add_fault(OPGATEWAY.fault("status", status=500, body=json.dumps([0, bulk_id])))
        reports = await collect(client.send_many(OPGATEWAY.messages(3), grace=0.05))
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}


async def test_while_the_bulk_cannot_be_read_it_stays_unknown(emulator: Emulator) -> None:
    body = json.dumps([0, FIRST_BULK_ID])
    emulator.add_fault(OPGATEWAY.fault("status", status=500, body=body, processed=True))
    emulator.add_fault(OPGATEWAY.fault("drop_after_read", times=100))
    assert by_outcome(await _send(OPGATEWAY, emulator)) == {Outcome.UNKNOWN: 3}


def _advanced_answer(gateway: Gateway, result: object) -> str:
    return STYLES["struct" if gateway is SOAP else "rest"]({"ErrCode": "0", "result": result}).decode()


@each(*ADVANCED)
async def test_the_ids_of_a_contradictory_answer_are_asked_for(gateway: Gateway, emulator: Emulator) -> None:
    ids = [str(FIRST_MESSAGE_ID + number) for number in range(3)]
    emulator.add_fault(gateway.fault("status", status=500, body=_advanced_answer(gateway, ids), processed=True))
    reports = await _send(gateway, emulator)
    assert by_outcome(reports) == {Outcome.SENT: 3}
    for report in reports:
        assert emulator.messages(gateway.name, recipient=report.message.to)[0].id == report.message_id


@each(*ADVANCED)
@pytest.mark.parametrize("unknown_id", ["zero", "omit", "error"])
@pytest.mark.parametrize("ids", [["7", "8", "9"], ["7"], ["7", "8", "9", "10"], []])
async def test_ids_that_the_gateway_does_not_know(
    gateway: Gateway, unknown_id: str, ids: list[str], emulator: Emulator
) -> None:
    """An answer that contradicts itself may speak of what was then taken back."""
    emulator.advgateway.switches.unknown_id = unknown_id
    emulator.add_fault(gateway.fault("status", status=500, body=_advanced_answer(gateway, ids)))
    assert by_outcome(await _send(gateway, emulator, grace=0.05)) == {Outcome.UNKNOWN: 3}


@each(*ADVANCED)
async def test_ids_that_cannot_be_told_apart_are_nobodys(gateway: Gateway, emulator: Emulator) -> None:
    """Four entries for three numbers, one of them no id: it is open which of them is missing."""
    ids: list[str | None] = [str(FIRST_MESSAGE_ID), None, str(FIRST_MESSAGE_ID + 1), str(FIRST_MESSAGE_ID + 2)]
    emulator.add_fault(gateway.fault("status", status=200, body=_advanced_answer(gateway, ids), processed=True))
    reports = await _send(gateway, emulator)
    assert Outcome.NOT_SENT not in by_outcome(reports)


@each()
@pytest.mark.parametrize("leave", [OnUnknown.ASK, OnUnknown.RESEND])
async def test_while_one_is_asked_for_the_others_go_on(gateway: Gateway, leave: OnUnknown, emulator: Emulator) -> None:
    """One slot only: who waits for the grace period to pass does not hold it."""
    emulator.add_fault(gateway.fault("drop_unprocessed"))
    messages = gateway.messages(gateway.limit + 5)
    async with (
        gateway.connect(emulator) as client,
        client.send_many(messages, concurrency=1, grace=3600, on_unknown=leave, close_timeout=1) as sending,
    ):
        sent: list[Any] = []
        async for report in sending:
            sent += [report] if report.outcome is Outcome.SENT else []
            if len(sent) == 5:
                break
    assert {report.index for report in sent} == set(range(gateway.limit, gateway.limit + 5))


@each(GHASEDAK, SMSIR)
async def test_leaving_ends_the_asking(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("drop_unprocessed"))
    async with gateway.connect(emulator) as client:
        sending = client.send_many(gateway.messages(3), grace=3600)
        task = asyncio.ensure_future(collect(sending))
        await until(lambda: sends(emulator) and emulator.requests[-1].path.endswith(ASKED))
        task.cancel()
        await asyncio.wait([task])
    assert by_outcome(sending.unread) == {Outcome.UNKNOWN: 3}
