"""A job starts again with its journal: what was sent stays sent, what was in flight is asked for, the rest goes out.

A `KilledJournal` makes an earlier run look as if it had been killed before any answer came.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from payamak.common import (
    AuthenticationError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    Journal,
    NotFoundError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    SendReport,
    ServiceUnavailableError,
)
from payamak.emulator import Emulator, Fault
from support.journals import KilledJournal, MemoryJournal, entry_for, put
from support.kill_worker import make_messages
from support.many import GHASEDAK, OPGATEWAY, REST, SMSIR, SOAP, Gateway, collect, each, judge, sends

COUNT = 25
SEND = {"smsir": "SendByMobileNumbers"}
ALL_SENT = [Outcome.SENT] * COUNT


async def run(
    gateway: Gateway,
    emulator: Emulator,
    messages: Sequence[OutgoingMessage],
    journal: Journal,
    *,
    witness: bool = False,
    **options: Any,
) -> list[SendReport]:
    """Send all, and return the reports in the order of the messages."""
    async with gateway.connect(emulator) as client, asyncio.timeout(15):
        if witness:
            await gateway.bear_witness(client)
        reports = await collect(client.send_many(messages, **{"journal": journal, "grace": 0.05, **options}))
    return sorted(reports, key=lambda report: report.index)


async def run_killed(
    gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage], journal: Journal, *, arrives: bool = True
) -> None:
    """A run that was killed when all had left. Whether it had reached the gateway too, the journal does not know."""
    if not arrives:
        emulator.add_fault(Fault("drop_unprocessed", times=1000, path=SEND.get(gateway.name)))
    await run(gateway, emulator, messages, KilledJournal(journal), concurrency=1, on_unknown=OnUnknown.LEAVE)
    emulator.clear_faults()
    assert len(gateway.ledger(emulator)) == (len(messages) if arrives else 0)


def outcomes(reports: Sequence[SendReport]) -> list[Outcome]:
    return [report.outcome for report in reports]


@each()
async def test_what_was_sent_stays_sent(gateway: Gateway, emulator: Emulator) -> None:
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    first = await run(gateway, emulator, messages, journal)
    before = sends(emulator)
    again = await run(gateway, emulator, messages, journal)
    assert [attrs.evolve(report, from_journal=True) for report in first] == again
    assert not any(report.from_journal for report in first)
    assert outcomes(again) == ALL_SENT
    assert sends(emulator) == before


@each()
async def test_the_refusal_of_a_recipient_stays(gateway: Gateway, emulator: Emulator) -> None:
    """Where the gateway says what it concerns. Elsewhere it may have been the credit, and is tried again."""
    messages = [gateway.message(0), gateway.message(gateway.refused, "its text")]
    journal = MemoryJournal()
    first = await run(gateway, emulator, messages, journal)
    before = sends(emulator)
    again = await run(gateway, emulator, messages, journal)
    judge(gateway, emulator, messages, again)
    assert outcomes(again) == [Outcome.SENT, Outcome.REFUSED]
    assert type(again[1].error) is type(first[1].error)
    assert again[1].error is not None
    assert again[1].error.gateway == gateway.name
    is_told = type(first[1].error) is not GatewayError
    assert again[1].from_journal is is_told
    assert sends(emulator) == before + (0 if is_told else 1)


@each()
async def test_without_credit_all_goes_out_later(gateway: Gateway, emulator: Emulator) -> None:
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    account: Any = getattr(emulator, gateway.name).account
    account.credit = 0
    first = await run(gateway, emulator, messages, journal)
    assert set(outcomes(first)) <= {Outcome.REFUSED, Outcome.NOT_SENT}
    account.credit = 1_000_000
    again = await run(gateway, emulator, messages, journal)
    judge(gateway, emulator, messages, again)
    assert outcomes(again) == ALL_SENT
    assert not any(report.from_journal for report in again)


PASSING = (
    AuthenticationError, InsufficientCreditError, InvalidSenderError, PermissionDeniedError, RateLimitError,
    ServiceUnavailableError, GatewayError,
)  # fmt: skip
FINAL = (InvalidRecipientError, InvalidRequestError, NotFoundError)


@each()
@pytest.mark.parametrize("kind", [*PASSING, *FINAL])
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_SENT])
async def test_refusals_that_pass(
    gateway: Gateway, kind: type[PayamakError], outcome: Outcome, emulator: Emulator
) -> None:
    message = gateway.message(0)
    journal = MemoryJournal()
    async with gateway.connect(emulator) as client:
        await put(journal, entry_for(client, message, outcome, reason=kind.__name__, detail="d"))
    (report,) = await run(gateway, emulator, [message], journal)
    stays = kind in FINAL and outcome is Outcome.REFUSED
    assert report.outcome is (Outcome.REFUSED if stays else Outcome.SENT)
    assert report.from_journal is stays
    assert len(gateway.ledger(emulator)) == (0 if stays else 1)
    if stays:
        assert type(report.error) is kind


@each()
async def test_in_flight_and_arrived(gateway: Gateway, emulator: Emulator) -> None:
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal)
    before = sends(emulator)
    reports: list[SendReport] = []
    for _ in range(2):
        reports = await run(gateway, emulator, messages, journal)
        judge(gateway, emulator, messages, reports)
        if gateway in (GHASEDAK, SMSIR):
            assert outcomes(reports) == ALL_SENT
        else:
            assert outcomes(reports) == [Outcome.UNKNOWN] * COUNT
            assert {type(report.error) for report in reports} == {ConnectionLostError}
            assert all("earlier run" in str(report.error) for report in reports)
    # What the first of the two found out, the second knew.
    assert all(report.from_journal for report in reports if report.outcome is Outcome.SENT)
    assert sends(emulator) == before


@each()
@pytest.mark.parametrize("on_unknown", OnUnknown)
async def test_in_flight_and_never_arrived(gateway: Gateway, on_unknown: OnUnknown, emulator: Emulator) -> None:
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal, arrives=False)
    reports = await run(gateway, emulator, messages, journal, witness=True, on_unknown=on_unknown)
    judge(gateway, emulator, messages, reports)
    told = {OnUnknown.LEAVE: Outcome.UNKNOWN, OnUnknown.ASK: Outcome.NOT_SENT, OnUnknown.RESEND: Outcome.SENT}
    assert set(outcomes(reports)) == {told[on_unknown] if gateway is GHASEDAK else Outcome.UNKNOWN}
    # Whatever was not sent goes out in the next run, and what is unknown does not.
    for _ in range(2):
        reports = await run(gateway, emulator, messages, journal, witness=True)
        judge(gateway, emulator, messages, reports)
    assert set(outcomes(reports)) == {Outcome.SENT if gateway is GHASEDAK else Outcome.UNKNOWN}


@pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
async def test_what_an_earlier_run_has_sent_bears_witness(on_unknown: OnUnknown, emulator: Emulator) -> None:
    """It shows how the gateway keeps check ids as well as what this run sends."""
    messages = make_messages(GHASEDAK, COUNT)
    journal = MemoryJournal()
    emulator.add_fault(Fault("delay", seconds=0))
    emulator.add_fault(Fault("drop_unprocessed", times=1000))
    early = KilledJournal(journal, keeps=[Outcome.SENT])
    first = await run(GHASEDAK, emulator, messages, early, concurrency=1, on_unknown=OnUnknown.LEAVE)
    emulator.clear_faults()
    assert set(outcomes(first)) == {Outcome.SENT, Outcome.UNKNOWN}
    reports = await run(GHASEDAK, emulator, messages, journal, on_unknown=on_unknown)
    judge(GHASEDAK, emulator, messages, reports)
    told = Outcome.SENT if on_unknown is OnUnknown.RESEND else Outcome.NOT_SENT
    assert outcomes(reports) == [told if report.outcome is Outcome.UNKNOWN else Outcome.SENT for report in first]


@pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
async def test_without_a_witness_it_stays_unknown(on_unknown: OnUnknown, emulator: Emulator) -> None:
    messages = make_messages(GHASEDAK, COUNT)
    journal = MemoryJournal()
    await run_killed(GHASEDAK, emulator, messages, journal, arrives=False)
    for _ in range(2):
        reports = await run(GHASEDAK, emulator, messages, journal, on_unknown=on_unknown)
        assert outcomes(reports) == [Outcome.UNKNOWN] * COUNT
    assert GHASEDAK.ledger(emulator) == []


@each(GHASEDAK)
async def test_resent_in_requests_that_the_gateway_can_carry(gateway: Gateway, emulator: Emulator) -> None:
    """Lost ones come together that had travelled apart: one number twice, a list's comma, no line, a time."""
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    messages = [
        *(gateway.message(7, "text") for _ in range(3)),
        gateway.message(7, "another"),
        gateway.message(8, "with, comma"),
        gateway.message(9, "no line", sender=None),
        gateway.message(10, "later", send_at=later),
        *(gateway.message(index, "text") for index in range(11, 13)),
    ]
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal, arrives=False)
    reports = await run(gateway, emulator, messages, journal, witness=True, on_unknown=OnUnknown.RESEND)
    judge(gateway, emulator, messages, reports)
    assert outcomes(reports) == [Outcome.SENT] * len(messages)


OTHERS = [(GHASEDAK, SMSIR), (SMSIR, GHASEDAK), (OPGATEWAY, SOAP), (SOAP, OPGATEWAY), (OPGATEWAY, REST)]
PAIRS = pytest.mark.parametrize(("first", "second"), OTHERS, ids=[f"{a.label}-{b.label}" for a, b in OTHERS])


def make_neutral(gateway: Gateway) -> list[OutgoingMessage]:
    """Messages that both of a pair can carry."""
    line = None if gateway in (GHASEDAK, SMSIR) else "3000505"
    return [gateway.message(index, sender=line) for index in range(5)]


@PAIRS
async def test_another_gateway_sends_only_what_is_left(first: Gateway, second: Gateway, emulator: Emulator) -> None:
    messages = make_neutral(first)
    journal = MemoryJournal()
    sent = await run(first, emulator, messages[:2], journal)
    await run(first, emulator, messages[:4], KilledJournal(journal))
    reports = await run(second, emulator, messages, journal)
    assert [report.message_id for report in reports[:2]] == [report.message_id for report in sent]
    assert outcomes(reports) == [Outcome.SENT] * 2 + [Outcome.UNKNOWN] * 2 + [Outcome.SENT]
    assert [report.from_journal for report in reports] == [True, True, False, False, False]
    assert [entry.recipient for entry in second.ledger(emulator)] == [messages[4].to]


@PAIRS
async def test_back_at_the_first_gateway_it_can_be_asked_again(
    first: Gateway, second: Gateway, emulator: Emulator
) -> None:
    messages = make_neutral(first)
    journal = MemoryJournal()
    await run_killed(first, emulator, messages, journal)
    for _ in range(2):
        # However often the other one is asked, it knows nothing of it.
        assert outcomes(await run(second, emulator, messages, journal)) == [Outcome.UNKNOWN] * 5
    assert second.ledger(emulator) == []
    reports = await run(first, emulator, messages, journal)
    judge(first, emulator, messages, reports)
    assert set(outcomes(reports)) == {Outcome.SENT if first in (GHASEDAK, SMSIR) else Outcome.UNKNOWN}


@each(GHASEDAK, SMSIR)
async def test_another_gateways_messages_hinder_no_search(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(index, sender=None) for index in range(6)]
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal)
    (lost,) = (entry for entry in journal.entries.values() if entry.index == 3)
    journal.entries[lost.key] = attrs.evolve(lost, gateway="opgateway", reference=None)
    reports = await run(gateway, emulator, messages, journal)
    assert [report.index for report in reports if report.outcome is not Outcome.SENT] == [3]
    assert reports[3].outcome is Outcome.UNKNOWN


@each(GHASEDAK, SMSIR)
@pytest.mark.parametrize("arrived", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("is_known", [False, True], ids=["both in flight", "one is known"])
async def test_one_text_to_one_number_twice(
    gateway: Gateway, arrived: tuple[bool, bool], is_known: bool, emulator: Emulator
) -> None:
    """The trace of one message must not be taken for that of another that is the same."""
    messages = [gateway.message(7), gateway.message(7)]
    journal = MemoryJournal()
    for arrives in arrived:
        fault = Fault("delay", seconds=0, path=SEND.get(gateway.name))
        emulator.add_fault(fault if arrives else attrs.evolve(fault, kind="drop_unprocessed", seconds=None))
    early = KilledJournal(journal, keeps=[Outcome.SENT] if is_known else [])
    await run(gateway, emulator, messages, early, concurrency=1, on_unknown=OnUnknown.LEAVE)
    emulator.clear_faults()
    assert len(gateway.ledger(emulator)) == sum(arrived)
    reports = await run(gateway, emulator, messages, journal)
    judge(gateway, emulator, messages, reports)
    assert outcomes(reports).count(Outcome.SENT) == sum(arrived)


@each(GHASEDAK, SMSIR)
async def test_what_stayed_unknown_is_asked_for_again(gateway: Gateway, emulator: Emulator) -> None:
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal)
    reports = await run(gateway, emulator, messages, journal, on_unknown=OnUnknown.LEAVE)
    assert outcomes(reports) == [Outcome.UNKNOWN] * COUNT
    assert {entry.outcome for entry in journal.entries.values()} == {Outcome.UNKNOWN}
    reports = await run(gateway, emulator, messages, journal)
    judge(gateway, emulator, messages, reports)
    assert outcomes(reports) == ALL_SENT


@each(GHASEDAK, SMSIR)
async def test_the_gateway_cannot_be_asked_for_now(gateway: Gateway, emulator: Emulator) -> None:
    """Not to get an answer is not to be told that there is nothing."""
    messages = make_messages(gateway, COUNT)
    journal = MemoryJournal()
    await run_killed(gateway, emulator, messages, journal)
    emulator.add_fault(Fault("html", times=1000))
    reports = await run(gateway, emulator, messages, journal, on_unknown=OnUnknown.RESEND)
    assert outcomes(reports) == [Outcome.UNKNOWN] * COUNT
    emulator.clear_faults()
    reports = await run(gateway, emulator, messages, journal)
    judge(gateway, emulator, messages, reports)
    assert outcomes(reports) == ALL_SENT
