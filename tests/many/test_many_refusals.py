"""Refusals that concern more than one message: the rest is not hammered, and has the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from payamak.common import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidSenderError,
    Outcome,
    OutgoingMessage,
    PermissionDeniedError,
    RateLimitError,
)
from payamak.emulator import Emulator, Fault
from support.many import ADVANCED, GHASEDAK, OPGATEWAY, SMSIR, Gateway, by_outcome, collect, each, judge, sends

FOREIGN_LINE = "123456"


async def _send(gateway: Gateway, emulator: Emulator, messages: Any, **options: Any) -> Any:
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, **{"concurrency": 2, **options}))
    judge(gateway, emulator, messages, reports)
    return reports


def _set_wrong_key(gateway: Gateway, emulator: Emulator) -> None:
    emulator.ghasedak.account.key = "another"
    emulator.smsir.account.secret_key = "another"
    emulator.opgateway.account.password = "another"
    emulator.advgateway.account.password = "another"


def _forbid(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("status", status=403, times=1000))


def _take_credit(gateway: Gateway, emulator: Emulator) -> None:
    emulator.gateway(gateway.name).settings["account"].credit = 0  # type: ignore[attr-defined]


@each()
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [(_set_wrong_key, AuthenticationError), (_forbid, PermissionDeniedError), (_take_credit, InsufficientCreditError)],
)
async def test_what_concerns_the_account_ends_it_all(
    gateway: Gateway, spoil: Callable[[Gateway, Emulator], None], kind: type[GatewayError], emulator: Emulator
) -> None:
    spoil(gateway, emulator)
    messages = gateway.messages(2000)
    reports = await _send(gateway, emulator, messages)
    says_so = kind is not InsufficientCreditError or gateway in (GHASEDAK, OPGATEWAY)
    # The two others say it of no class of its own: then three requests in a row tell it.
    expected = kind if says_so else GatewayError
    assert {type(report.error) for report in reports} == {expected}
    assert {report.error.code for report in reports} == {reports[0].error.code}
    outcomes = by_outcome(reports)
    assert Outcome.SENT not in outcomes
    assert Outcome.UNKNOWN not in outcomes
    # With two at a time, one more may have left by then.
    most = 2 if says_so else 4
    assert outcomes[Outcome.NOT_SENT] >= 2000 - most * gateway.limit
    assert sends(emulator) <= most


@each()
async def test_credit_that_runs_out_midway(gateway: Gateway, emulator: Emulator) -> None:
    price = 155
    emulator.gateway(gateway.name).settings["account"].credit = price * gateway.limit * 2  # type: ignore[attr-defined]
    reports = await _send(gateway, emulator, gateway.messages(2000), concurrency=1)
    assert by_outcome(reports)[Outcome.SENT] == 2 * gateway.limit
    assert sends(emulator) <= 5


@each(GHASEDAK, OPGATEWAY, *ADVANCED)
async def test_a_line_that_is_refused_holds_up_no_other(gateway: Gateway, emulator: Emulator) -> None:
    messages = [
        gateway.message(number, f"text {number % 2}", sender=FOREIGN_LINE if number % 3 == 0 else gateway.line)
        for number in range(3000)
    ]
    reports = await _send(gateway, emulator, messages)
    outcomes = by_outcome(reports)
    assert outcomes[Outcome.SENT] == 2000
    # Those that had left by then were refused, the others need not be tried.
    assert set(outcomes) == {Outcome.SENT, Outcome.REFUSED, Outcome.NOT_SENT}
    assert outcomes[Outcome.REFUSED] <= 2 * gateway.limit
    for report in reports:
        assert (report.outcome is Outcome.SENT) == (report.message.sender == gateway.line)
        assert report.error is None or isinstance(report.error, InvalidSenderError)
    most = 2000 // gateway.limit + 1
    assert sends(emulator) <= most + 30


async def test_a_line_that_is_refused_within_a_list_of_lines(emulator: Emulator) -> None:
    """Different texts and lines in one request: refused as a whole, and halved, after asking, until it stands alone."""
    messages = [
        GHASEDAK.message(number, f"text {number}", sender=[FOREIGN_LINE, "10008566", "30005088"][number % 3])
        for number in range(99)
    ]
    reports = await _send(GHASEDAK, emulator, messages)
    for report in reports:
        assert (report.outcome is Outcome.SENT) == (report.message.sender != FOREIGN_LINE)
    assert by_outcome(reports)[Outcome.SENT] == 66


@each(GHASEDAK, SMSIR, *ADVANCED)
async def test_a_success_between_them_says_that_it_is_the_messages(gateway: Gateway, emulator: Emulator) -> None:
    messages: list[OutgoingMessage] = []
    for number in range(150):
        messages += [gateway.message(gateway.refused, f"text {number}"), gateway.message(number, f"text {number}")]
    reports = await _send(gateway, emulator, messages, concurrency=1)
    assert by_outcome(reports) == {Outcome.SENT: 150, Outcome.REFUSED: 150}
    assert len(gateway.ledger(emulator)) == 150


@each()
async def test_not_now_is_tried_again_and_sinks_no_more_than_its_request(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(gateway.fault("status", status=429, times=3))
    reports = await _send(gateway, emulator, gateway.messages(3 * gateway.limit), concurrency=1)
    assert by_outcome(reports) == {Outcome.REFUSED: gateway.limit, Outcome.SENT: 2 * gateway.limit}
    assert {type(report.error) for report in reports} == {RateLimitError, type(None)}
    assert sends(emulator) == 5


@each()
async def test_a_passing_not_now_is_not_seen(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=429, times=2, gateway=gateway.name))
    reports = await _send(gateway, emulator, gateway.messages(3))
    assert by_outcome(reports) == {Outcome.SENT: 3}
