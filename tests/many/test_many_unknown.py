"""When the answer to a request is lost: what each gateway can be asked, and what stays unknown."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from payamak.common import (
    ConnectionLostError,
    InsufficientCreditError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    RequestTimeoutError,
)
from payamak.emulator import Emulator, Fault
from support.many import (
    GHASEDAK,
    HASTY,
    PATIENT,
    SMSIR,
    Gateway,
    by_outcome,
    collect,
    each,
    judge,
    sends,
    until,
    until_still,
)

GRACE = 0.4
LATE = 0.6
"""After the deadline of an attempt, within the grace period that follows."""
LOST: dict[str, dict[str, Any]] = {
    "drop_after_read": {},
    "reset_after_read": {},
    "cut_reply": {},
    "garbage": {},
    "empty": {},
    "bad_gzip": {},
    "hang": {},
    "html": {"processed": True},
    "status": {"status": 500, "processed": True},
    "redirect": {"location": "/elsewhere", "processed": True},
    "delay": {"seconds": LATE},
    "delay_after": {"seconds": LATE},
}
UNDONE: dict[str, dict[str, Any]] = {
    "drop_before_read": {},
    "reset_before_read": {},
    "drop_unprocessed": {},
    "hang": {"processed": False},
    "html": {},
    "status": {"status": 502},
}
EACH_LOST = pytest.mark.parametrize("kind", LOST)
EACH_UNDONE = pytest.mark.parametrize("kind", UNDONE)


async def _send(
    gateway: Gateway, emulator: Emulator, on_unknown: OnUnknown, *, witness: bool = True, **options: Any
) -> Any:
    """Send three messages and hold the reports against the ledger."""
    messages = gateway.messages(3)
    is_slow = any(fault["kind"] in ("hang", "delay", "delay_after") for fault in emulator.faults)
    async with gateway.connect(emulator, timeout=HASTY if is_slow else PATIENT) as client:
        if witness:
            await gateway.bear_witness(client)
        reports = await collect(client.send_many(messages, on_unknown=on_unknown, **{"grace": GRACE, **options}))
    await until_still(emulator)
    judge(gateway, emulator, messages, reports)
    return reports


def _spoil_asking(emulator: Emulator, kind: str, **details: Any) -> None:
    # The first page of sms.ir's list is read before the first request.
    emulator.add_fault(Fault("wrong_content_type", path="GetLastSentMessagesByPageId", content_type="text/plain"))
    for path in ("sms/status", "GetLastSentMessagesByPageId"):
        emulator.add_fault(Fault(kind, path=path, **details))


@each()
@EACH_LOST
async def test_a_lost_answer_is_asked_for_where_the_gateway_can_be_asked(
    gateway: Gateway, kind: str, emulator: Emulator
) -> None:
    emulator.add_fault(gateway.fault(kind, **LOST[kind]))
    reports = await _send(gateway, emulator, OnUnknown.ASK)
    can_be_asked = gateway in (GHASEDAK, SMSIR)
    assert by_outcome(reports) == {Outcome.SENT if can_be_asked else Outcome.UNKNOWN: 3}
    assert len(gateway.ledger(emulator)) == 3
    assert sends(emulator) == 1


@each()
@EACH_UNDONE
async def test_only_where_absence_proves_it_an_undone_request_becomes_not_sent(
    gateway: Gateway, kind: str, emulator: Emulator
) -> None:
    emulator.add_fault(gateway.fault(kind, **UNDONE[kind]))
    reports = await _send(gateway, emulator, OnUnknown.ASK)
    assert by_outcome(reports) == {Outcome.NOT_SENT if gateway is GHASEDAK else Outcome.UNKNOWN: 3}
    assert all(report.error is not None for report in reports)
    assert gateway.ledger(emulator) == []
    assert sends(emulator) == 1


@pytest.mark.parametrize("on_unknown", OnUnknown)
@EACH_UNDONE
async def test_an_absence_proves_nothing_while_the_gateway_has_shown_no_check_id_of_ours(
    on_unknown: OnUnknown, kind: str, emulator: Emulator
) -> None:
    """It says in the same words that it does not have a message, and that it does not keep what it is asked by."""
    emulator.add_fault(GHASEDAK.fault(kind, **UNDONE[kind]))
    reports = await _send(GHASEDAK, emulator, on_unknown, witness=False)
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}
    assert GHASEDAK.ledger(emulator) == []
    assert sends(emulator) == 1


@each()
@pytest.mark.parametrize("kind", ["drop_after_read", "hang", "garbage", "delay"])
async def test_left_as_unknown_nobody_is_asked(gateway: Gateway, kind: str, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault(kind, **LOST[kind]))
    reports = await _send(gateway, emulator, OnUnknown.LEAVE)
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}
    assert not any("status" in record.path or "MobileNumbers" in record.path[-15:-3] for record in emulator.requests)
    assert sends(emulator) == 1


@each()
@EACH_LOST
async def test_what_is_found_is_not_sent_again(gateway: Gateway, kind: str, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault(kind, **LOST[kind]))
    reports = await _send(gateway, emulator, OnUnknown.RESEND)
    assert by_outcome(reports) == {Outcome.SENT if gateway in (GHASEDAK, SMSIR) else Outcome.UNKNOWN: 3}
    assert len(gateway.ledger(emulator)) == 3
    assert sends(emulator) == 1


@each()
@EACH_UNDONE
async def test_what_was_certainly_not_sent_is_sent_again_on_request(
    gateway: Gateway, kind: str, emulator: Emulator
) -> None:
    emulator.add_fault(gateway.fault(kind, **UNDONE[kind]))
    reports = await _send(gateway, emulator, OnUnknown.RESEND)
    assert by_outcome(reports) == {Outcome.SENT if gateway is GHASEDAK else Outcome.UNKNOWN: 3}
    assert sends(emulator) == (2 if gateway is GHASEDAK else 1)


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ("drop_after_read", Outcome.SENT),
        ("drop_unprocessed", Outcome.NOT_SENT),
        ("delay", Outcome.SENT),
    ],
)
async def test_nothing_goes_out_a_third_time(second: str, outcome: Outcome, emulator: Emulator) -> None:
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    emulator.add_fault(GHASEDAK.fault(second, **LOST.get(second, {})))
    reports = await _send(GHASEDAK, emulator, OnUnknown.RESEND)
    assert by_outcome(reports) == {outcome: 3}
    assert sends(emulator) == 2


async def test_a_refusal_of_what_is_sent_again_counts(emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = emulator.ghasedak.account.sms_price * 2  # For the witnesses.
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    reports = await _send(GHASEDAK, emulator, OnUnknown.RESEND)
    assert by_outcome(reports) == {Outcome.REFUSED: 3}
    assert sends(emulator) == 2
    assert {type(report.error) for report in reports} == {InsufficientCreditError}


@pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
@each(GHASEDAK, SMSIR)
async def test_while_nobody_answers_it_stays_unknown(
    gateway: Gateway, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    emulator.add_fault(gateway.fault("drop_unprocessed"))
    _spoil_asking(emulator, "drop_after_read", times=1000)
    reports = await _send(gateway, emulator, on_unknown)
    assert by_outcome(reports) == {Outcome.UNKNOWN: 3}
    assert {type(report.error) for report in reports} == {ConnectionLostError}
    assert sends(emulator) == 1


@each(GHASEDAK, SMSIR)
async def test_asking_goes_on_after_it_failed(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("drop_after_read"))
    _spoil_asking(emulator, "garbage")
    assert by_outcome(await _send(gateway, emulator, OnUnknown.ASK)) == {Outcome.SENT: 3}


@pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
async def test_without_a_grace_period_it_is_asked_once(on_unknown: OnUnknown, emulator: Emulator) -> None:
    """And once for the witness."""
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    reports = await _send(GHASEDAK, emulator, on_unknown, grace=0)
    is_resent = on_unknown is OnUnknown.RESEND
    assert by_outcome(reports) == {Outcome.SENT if is_resent else Outcome.NOT_SENT: 3}
    assert sum(record.path.endswith("sms/status") for record in emulator.requests) == 2
    assert sends(emulator) == 1 + is_resent


async def test_before_the_grace_period_is_over_nothing_is_said(emulator: Emulator) -> None:
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    async with GHASEDAK.connect(emulator) as client, client.send_many(GHASEDAK.messages(3), grace=3600) as sending:
        first = asyncio.ensure_future(anext(aiter(sending)))
        await until(lambda: len(emulator.requests) > 1 and emulator.requests[-1].status == 200)
        assert sending.progress.done == 0
        first.cancel()
        await asyncio.wait([first])
    assert by_outcome(sending.unread) == {Outcome.UNKNOWN: 3}


@pytest.mark.parametrize("unknown_id", ["item", "omit", "error"])
@pytest.mark.parametrize("count", [1, 3])
async def test_ghasedak_must_say_of_each_that_it_does_not_have_it(
    unknown_id: str, count: int, emulator: Emulator
) -> None:
    """An entry that is not there, and a refusal to answer, prove nothing."""
    emulator.ghasedak.switches.unknown_id = unknown_id
    messages = GHASEDAK.messages(2 * count)
    emulator.add_fault(GHASEDAK.fault("drop_after_read"))
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    async with GHASEDAK.connect(emulator, timeout=PATIENT) as client:
        await GHASEDAK.bear_witness(client)
        found = await collect(client.send_many(messages[:count], grace=0.05))
        judge(GHASEDAK, emulator, messages[:count], found)
        missed = await collect(client.send_many(messages[count:], grace=0.05))
    assert by_outcome(found) == {Outcome.SENT: count}
    assert by_outcome(missed) == {Outcome.NOT_SENT if unknown_id == "item" else Outcome.UNKNOWN: count}


async def test_statuses_are_told_apart_by_recipient(emulator: Emulator) -> None:
    """Several requests are lost at once, of pairs and of one text, with marks of the caller's among them."""
    messages: list[OutgoingMessage] = []
    for number in range(200):
        mark = f"order {number}" if number % 3 == 0 else None
        messages.append(GHASEDAK.message(number % 70, "one text" if number % 2 else f"text {number}", check_id=mark))
    for kind in ("drop_after_read", "cut_reply", "delay") * 10:
        emulator.add_fault(Fault(kind, path="sms/send/pair", **LOST[kind]))
        emulator.add_fault(Fault(kind, path="sms/send/bulk", **LOST[kind]))
    async with GHASEDAK.connect(emulator, timeout=HASTY) as client:
        reports = await collect(client.send_many(messages, grace=GRACE))
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.SENT: 200}
    for report in reports:
        mark = messages[report.index].check_id
        assert report.reference == mark or (mark is None and report.reference)


@each()
async def test_the_reports_say_why(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("hang"))
    for report in await _send(gateway, emulator, OnUnknown.LEAVE):
        assert isinstance(report.error, RequestTimeoutError)
        assert report.error.outcome is Outcome.UNKNOWN
        assert report.error.gateway == gateway.name
