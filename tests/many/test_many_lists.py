"""How sms.ir's list of sends is read: it may lag, fill bit by bit, and show what others have sent.

The emulator's clock moves on with each request of the client, so that what is listed late is listed within few of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    GatewayError,
    Hook,
    InvalidRecipientError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    Proceed,
    SendReport,
)
from payamak.emulator import Emulator
from payamak.emulator.smsir import sends as methods
from support.many import SMSIR, by_outcome, collect, judge, sends

SENT, NOT_SENT, REFUSED, UNKNOWN = Outcome.SENT, Outcome.NOT_SENT, Outcome.REFUSED, Outcome.UNKNOWN
ASKING = pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
LOSSES = pytest.mark.parametrize("kind", ["drop_after_read", "garbage", "html"])
SENTENCE = "عملیات انجام نشد"
EXCEPTION = "Object reference not set to an instance of an object."


def passing(emulator: Emulator, seconds: float) -> Hook:
    """Let so much time pass at the gateway before each request."""

    async def hook(_attempt: Attempt, proceed: Proceed) -> AttemptReply:
        emulator.clock.advance(seconds)
        return await proceed()

    return hook


async def send(
    emulator: Emulator, messages: list[OutgoingMessage], *, seconds: float = 1, **options: Any
) -> list[SendReport]:
    """Send, while time passes at the gateway, and hold the reports against the ledger."""
    async with SMSIR.connect(emulator, hooks=[passing(emulator, seconds)]) as client:
        reports = await collect(client.send_many(messages, **{"grace": 60, **options}))
    judge(SMSIR, emulator, messages, reports)
    return reports


@ASKING
@LOSSES
@pytest.mark.parametrize(("after", "every"), [(3, 0), (0, 1), (3, 1)])
async def test_a_lost_batch_that_is_listed_late_and_bit_by_bit(
    after: float, every: float, kind: str, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """What is listed already does not close the batch: the rest may come within the grace period."""
    emulator.smsir.switches.sends_listed_after = after
    emulator.smsir.switches.recipients_listed_every = every
    emulator.add_fault(SMSIR.fault(kind, **({"processed": True} if kind == "html" else {})))
    reports = await send(emulator, SMSIR.messages(6), on_unknown=on_unknown)
    assert by_outcome(reports) == {SENT: 6}
    assert len(SMSIR.ledger(emulator)) == 6
    assert sends(emulator) == 1


@ASKING
async def test_a_batch_that_is_listed_after_the_grace_period_stays_unknown(
    on_unknown: OnUnknown, emulator: Emulator
) -> None:
    emulator.smsir.switches.sends_listed_after = 10_000
    emulator.add_fault(SMSIR.fault("drop_after_read"))
    assert by_outcome(await send(emulator, SMSIR.messages(6), on_unknown=on_unknown)) == {UNKNOWN: 6}
    assert len(SMSIR.ledger(emulator)) == 6


@pytest.mark.parametrize(("minutes", "arrives"), [(2, True), (2, False), (60, False)])
async def test_an_equal_send_of_before_that_is_listed_only_now_is_not_taken_for_ours(
    minutes: int, arrives: bool, emulator: Emulator
) -> None:
    """When the job began, the list did not have it yet; the time of it tells them apart."""
    messages = SMSIR.messages(3)
    now = datetime.datetime.now(datetime.UTC)
    emulator.clock.set(now - datetime.timedelta(minutes=minutes))
    await _send_elsewhere(emulator, messages)
    before = {entry.id for entry in SMSIR.ledger(emulator)}
    emulator.clock.set(now)
    emulator.smsir.switches.sends_listed_after = minutes * 60 + 4
    emulator.add_fault(SMSIR.fault("drop_after_read" if arrives else "drop_unprocessed"))
    async with SMSIR.connect(emulator, hooks=[passing(emulator, 1)]) as client:
        await client.authenticate()
        reports = await collect(client.send_many(messages, grace=2000 if arrives else 60))
    assert by_outcome(reports) == {SENT if arrives else UNKNOWN: 3}
    assert not before & {report.message_id for report in reports}
    assert len(SMSIR.ledger(emulator)) == (6 if arrives else 3)


async def _send_elsewhere(emulator: Emulator, messages: Sequence[OutgoingMessage]) -> None:
    async with SMSIR.connect(emulator) as another:
        await another.messages.send_to_numbers([message.to for message in messages], messages[0].text)


@ASKING
async def test_an_equal_send_of_another_client_at_the_same_time_is_not_told_apart(
    on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """Two are listed since ours left, and nobody knows which of them it is."""
    messages = SMSIR.messages(3)

    async def meanwhile(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        try:
            return await proceed()
        finally:
            if "send_to_numbers" in attempt.operation:
                await _send_elsewhere(emulator, messages)

    emulator.add_fault(SMSIR.fault("drop_after_read"))
    async with SMSIR.connect(emulator, hooks=[meanwhile]) as client:
        reports = await collect(client.send_many(messages, on_unknown=on_unknown))
    assert by_outcome(reports) == {UNKNOWN: 3}
    assert len(SMSIR.ledger(emulator)) == 6


@ASKING
@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("code", [5, 99])
async def test_a_refusal_of_what_was_taken_is_found_out(
    code: int, after: float, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    emulator.smsir.switches.sends_listed_after = after
    emulator.add_fault(SMSIR.fault("refuse", code=code, message=SENTENCE))
    assert by_outcome(await send(emulator, SMSIR.messages(6), on_unknown=on_unknown)) == {SENT: 6}
    assert sends(emulator) == 1


@ASKING
@pytest.mark.parametrize("message", [SENTENCE, EXCEPTION])
async def test_a_refusal_of_what_was_not_taken(message: str, on_unknown: OnUnknown, emulator: Emulator) -> None:
    """After grace it counts, if it is one in the gateway's own words."""
    emulator.add_fault(SMSIR.fault("refuse", code=5, message=message, processed=False))
    reports = await send(emulator, SMSIR.messages(6), on_unknown=on_unknown)
    assert by_outcome(reports) == {REFUSED if message is SENTENCE else UNKNOWN: 6}
    assert {type(report.error) for report in reports} == {GatewayError}
    assert sends(emulator) == 1


@pytest.mark.parametrize("reason", ["no contact", "no credit", "one number, and no contact"])
async def test_everyday_refusals_do_not_become_unknown(reason: str, emulator: Emulator) -> None:
    if reason == "no credit":
        emulator.smsir.account.credit = 0
    else:
        emulator.smsir.switches.numbers_must_be_contacts = True
    reports = await send(emulator, SMSIR.messages(1 if "one" in reason else 57))
    assert set(by_outcome(reports)) == {REFUSED}
    assert SMSIR.ledger(emulator) == []


@pytest.mark.parametrize("every", [0, 0.1])
async def test_a_number_that_neither_the_answer_nor_the_list_has_was_not_taken(
    every: float, emulator: Emulator
) -> None:
    """The list is looked at until the grace period is over: what it shows late was taken."""
    emulator.smsir.switches.recipients_listed_every = every
    messages = SMSIR.messages(57)
    messages[28] = SMSIR.message(SMSIR.refused)
    reports = await send(emulator, messages)
    (refused,) = [report for report in reports if report.outcome is not SENT]
    assert (refused.index, refused.outcome) == (28, REFUSED)
    assert isinstance(refused.error, InvalidRecipientError)
    assert "neither its answer nor its list" in str(refused.error)
    assert sends(emulator) == 1
    assert len(SMSIR.ledger(emulator)) == 56


async def test_a_number_that_only_the_list_has_was_taken(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer leaves out some of the numbers, and the list fills bit by bit."""
    emulator.smsir.switches.recipients_listed_every = 1
    whole = methods._reply

    def partial(state: Any, batch: Any) -> dict[str, object]:
        reply = whole(state, batch)
        ids: Any = reply["Ids"]
        return {**reply, "Ids": ids[:3]}

    monkeypatch.setattr(methods, "_reply", partial)
    reports = await send(emulator, SMSIR.messages(8))
    assert by_outcome(reports) == {SENT: 8}
    assert sends(emulator) == 1
