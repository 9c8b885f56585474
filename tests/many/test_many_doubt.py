"""A job does not go on for ever at a gateway whose every answer is the same refusal, or leaves its messages unknown.

A request counts once, however many messages it carried, and what concerns a recipient or a line counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from payamak.common import (
    GatewayError,
    InvalidRecipientError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    ReplyError,
    SendReport,
)
from payamak.emulator import Emulator, Fault
from support.many import GHASEDAK, OPGATEWAY, REST, SMSIR, SOAP, Gateway, by_outcome, collect, each, judge, sends

REQUESTS = 8
TABLES = {"ghasedak": 400, "smsir": 5, "opgateway": 98, "advgateway": -2}
"""A code for each that its table has, or that comes with a Persian sentence, and that concerns no recipient."""
SENTENCE = "عملیات انجام نشد"
UNKNOWN_IN = {"ghasedak": 10, "smsir": 1, "opgateway": 54321, "advgateway": -99}
"""A code for each that leaves it open whether the messages were sent."""
EXCEPTION = "Object reference not set to an instance of an object."


async def _send(
    gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage] = (), **options: Any
) -> list[SendReport]:
    """Send, by default as many messages as some requests carry, and hold the reports against the ledger."""
    given = messages or gateway.messages(REQUESTS * gateway.limit)
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(given, **{"concurrency": 1, "grace": 0.05, **options}))
    judge(gateway, emulator, given, reports)
    return reports


def _assert_ended(
    gateway: Gateway, emulator: Emulator, reports: Sequence[SendReport], outcome: Outcome
) -> PayamakError:
    """Three requests have left, and the rest stayed for the reason of the third."""
    assert by_outcome(reports) == {outcome: 3 * gateway.limit, Outcome.NOT_SENT: (REQUESTS - 3) * gateway.limit}
    assert sends(emulator) == 3
    (reason,) = {report.error for report in reports if report.outcome is Outcome.NOT_SENT}
    assert reason is not None
    assert {type(report.error) for report in reports} == {type(reason)}
    return reason


def _refuse(gateway: Gateway, code: int, **details: Any) -> Fault:
    """A refusal in the gateway's own words, with nothing sent."""
    return gateway.fault("refuse", code=code, message=SENTENCE, processed=False, **details)


@each()
async def test_three_requests_that_are_refused_for_one_reason_end_it(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(_refuse(gateway, TABLES[gateway.name], times=None))
    reason = _assert_ended(gateway, emulator, await _send(gateway, emulator), Outcome.REFUSED)
    assert isinstance(reason, GatewayError)
    assert reason.code == TABLES[gateway.name]
    assert gateway.ledger(emulator) == []


@each()
@pytest.mark.parametrize("status", [405, 413])
async def test_so_do_three_bare_statuses(gateway: Gateway, status: int, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("status", status=status, times=None))
    reason = _assert_ended(gateway, emulator, await _send(gateway, emulator), Outcome.REFUSED)
    assert isinstance(reason, GatewayError)
    assert reason.code == status


@each()
@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("is_bare", [False, True])
async def test_three_requests_whose_answers_leave_them_unknown_end_it(
    gateway: Gateway, processed: bool, is_bare: bool, emulator: Emulator
) -> None:
    """With a page in place of an answer, and with an answer that proves nothing."""
    fault = (
        gateway.fault("html", status=500, processed=processed, times=None)
        if is_bare
        else gateway.fault("refuse", code=UNKNOWN_IN[gateway.name], message=EXCEPTION, processed=processed, times=None)
    )
    emulator.add_fault(fault)
    reports = await _send(gateway, emulator, on_unknown=OnUnknown.LEAVE)
    reason = _assert_ended(gateway, emulator, reports, Outcome.UNKNOWN)
    assert type(reason) is ReplyError if is_bare else isinstance(reason, GatewayError)
    assert len(gateway.ledger(emulator)) == (3 * gateway.limit if processed else 0)


@each(GHASEDAK, SMSIR)
async def test_what_is_found_afterwards_does_not_let_it_go_on(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("html", status=500, processed=True, times=None))
    reports = await _send(gateway, emulator, grace=30)
    assert by_outcome(reports) == {Outcome.SENT: 3 * gateway.limit, Outcome.NOT_SENT: (REQUESTS - 3) * gateway.limit}
    assert {type(report.error) for report in reports} == {type(None), ReplyError}


@each()
async def test_lost_answers_end_nothing(gateway: Gateway, emulator: Emulator) -> None:
    """Where none came, it tells of the network."""
    emulator.add_fault(gateway.fault("drop_after_read", times=None))
    reports = await _send(gateway, emulator, on_unknown=OnUnknown.LEAVE)
    assert by_outcome(reports) == {Outcome.UNKNOWN: REQUESTS * gateway.limit}
    assert sends(emulator) == REQUESTS


@each()
async def test_one_that_is_taken_between_them_starts_the_count_anew(gateway: Gateway, emulator: Emulator) -> None:
    refusal = _refuse(gateway, TABLES[gateway.name])
    for _ in range(REQUESTS // 4):
        emulator.add_fault(attrs.evolve(refusal, times=2))
        emulator.add_fault(gateway.fault("delay", seconds=0, times=2))
    reports = await _send(gateway, emulator)
    half = REQUESTS * gateway.limit // 2
    assert by_outcome(reports) == {Outcome.SENT: half, Outcome.REFUSED: half}
    assert sends(emulator) == REQUESTS


@each()
async def test_two_reasons_by_turns_end_nothing(gateway: Gateway, emulator: Emulator) -> None:
    for status in (405, 413) * (REQUESTS // 2):
        emulator.add_fault(gateway.fault("status", status=status))
    reports = await _send(gateway, emulator)
    assert by_outcome(reports) == {Outcome.REFUSED: REQUESTS * gateway.limit}
    assert sends(emulator) == REQUESTS


@each(GHASEDAK, OPGATEWAY)
async def test_a_request_that_is_refused_for_a_line_counts_for_nothing(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number, f"text {number}", sender=f"12345{number}") for number in range(6)]
    messages += [gateway.message(number, "a, text", sender=f"12345{number}") for number in range(6, 9)]
    reports = await _send(gateway, emulator, [*messages, gateway.message(9, "the last, with a comma")])
    assert by_outcome(reports) == {Outcome.REFUSED: 9, Outcome.SENT: 1}


async def test_many_numbers_that_are_no_good_do_not_end_it(emulator: Emulator) -> None:
    """Where the gateway says that it is the number, so it is."""
    messages = [*(GHASEDAK.message(GHASEDAK.refused, f"text {number}") for number in range(150)), GHASEDAK.message(1)]
    reports = await _send(GHASEDAK, emulator, messages)
    assert by_outcome(reports) == {Outcome.SENT: 1, Outcome.REFUSED: 150}
    assert {type(report.error) for report in reports} == {type(None), InvalidRecipientError}


@each(SOAP, REST)
async def test_requests_of_which_every_number_is_refused_end_it(gateway: Gateway, emulator: Emulator) -> None:
    """The advanced gateway has one code for a number that is no good and for a lack of credit."""
    getattr(emulator, gateway.name).account.credit = 0
    reports = await _send(gateway, emulator, gateway.messages(5 * gateway.limit))
    assert by_outcome(reports) == {Outcome.REFUSED: 3 * gateway.limit, Outcome.NOT_SENT: 2 * gateway.limit}
    assert sends(emulator) == 3


@each(SMSIR, OPGATEWAY)
@pytest.mark.parametrize("times", [29, None])
async def test_refusals_of_one_message_each_may_concern_their_recipients(
    times: int | None, gateway: Gateway, emulator: Emulator
) -> None:
    """Not every gateway says so: personal texts to thirty numbers that are no good, one after the other, end it."""
    emulator.add_fault(gateway.fault("refuse", code=TABLES[gateway.name], processed=False, times=times))
    reports = await _send(gateway, emulator, [gateway.message(number, f"text {number}") for number in range(40)])
    if times is None:
        assert by_outcome(reports) == {Outcome.REFUSED: 30, Outcome.NOT_SENT: 10}
    else:
        assert by_outcome(reports) == {Outcome.REFUSED: 29, Outcome.SENT: 11}


async def test_what_is_in_a_row_has_nothing_between(emulator: Emulator) -> None:
    for kind in ("refuse", "drop_after_read") * 3:
        arguments = {"code": 6, "processed": False} if kind == "refuse" else {}
        emulator.add_fault(OPGATEWAY.fault(kind, **arguments))
    reports = await _send(OPGATEWAY, emulator, OPGATEWAY.messages(7 * OPGATEWAY.limit))
    limit = OPGATEWAY.limit
    assert by_outcome(reports) == {Outcome.REFUSED: 3 * limit, Outcome.UNKNOWN: 3 * limit, Outcome.SENT: limit}


@each()
@pytest.mark.parametrize("concurrency", [2, 5])
async def test_of_those_that_are_under_way_no_more_leave(
    gateway: Gateway, concurrency: int, emulator: Emulator
) -> None:
    emulator.add_fault(gateway.fault("status", status=405, times=None))
    reports = await _send(gateway, emulator, gateway.messages(20 * gateway.limit), concurrency=concurrency)
    assert sends(emulator) <= 3 + concurrency
    assert by_outcome(reports)[Outcome.REFUSED] == sends(emulator) * gateway.limit
