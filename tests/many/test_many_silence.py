"""Numbers, texts and keys show nowhere; reports travel between processes."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    ClientStateError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    Proceed,
    SendReport,
)
from payamak.emulator import Emulator, Fault
from support.many import GHASEDAK, Gateway, by_outcome, collect, each, judge
from support.sentinels import CHECK_ID, PHONE, TEXT, assert_silent, leaks


async def _fail_in_all_ways(gateway: Gateway, emulator: Emulator, **options: Any) -> list[SendReport]:
    """Reports of all outcomes, about messages whose every part is a sentinel."""
    for kind in ("drop_unprocessed", "garbage", "html", "cut_reply"):
        emulator.add_fault(gateway.fault(kind))
    emulator.add_fault(gateway.fault("status", status=400, body=f"{PHONE} {TEXT}"))
    emulator.add_fault(Fault("drop_after_read", path="sms/status", times=4))
    messages: list[Any] = [
        OutgoingMessage(PHONE, f"{TEXT} {number // 2}", gateway.line, check_id=f"{CHECK_ID}{number}")
        for number in range(20)
    ]
    messages += [
        OutgoingMessage(PHONE, TEXT, "no line"),
        OutgoingMessage(f"{PHONE}{PHONE}", TEXT),
        gateway.message("09000000013", TEXT),
    ]
    messages += [OutgoingMessage(TEXT, PHONE, gateway.line), gateway.message(gateway.refused, TEXT)]
    async with gateway.connect(emulator, **options) as client:
        sending = client.send_many(messages, concurrency=1, grace=0.05, progress=_fail)
        reports = await collect(sending)
        assert not leaks(sending, sending.progress)
    assert len(reports) == len(messages)
    return reports


def _fail(_progress: object) -> None:
    raise ValueError(f"{PHONE} {TEXT}")


@each()
async def test_logs(gateway: Gateway, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reports = await _fail_in_all_ways(gateway, emulator)
    assert {Outcome.SENT, Outcome.NOT_SENT} < set(by_outcome(reports))
    records = [record for record in caplog.records if record.name.startswith(("payamak", "asyncio", "backoff"))]
    assert records
    for record in records:
        assert not leaks(record.getMessage(), record.args, record.exc_text or "")


@each()
async def test_hooks(gateway: Gateway, emulator: Emulator) -> None:
    seen: list[Attempt] = []

    async def observe(call: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(call)
        return await proceed()

    await _fail_in_all_ways(gateway, emulator, hooks=[observe])
    assert len(seen) == len(emulator.requests)
    assert not leaks(*seen)


@each()
async def test_reports_show_nothing_and_can_be_pickled(gateway: Gateway, emulator: Emulator) -> None:
    for report in await _fail_in_all_ways(gateway, emulator):
        assert not leaks(report)
        if report.error is not None:
            assert_silent(report.error)
        for duplicate in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):  # noqa: S301
            assert (duplicate.index, duplicate.message, duplicate.outcome) == (
                report.index, report.message, report.outcome,
            )  # fmt: skip
            assert (duplicate.message_id, duplicate.reference) == (report.message_id, report.reference)
            assert _parts(duplicate.error) == _parts(report.error)


def _parts(error: PayamakError | None) -> object:
    return None if error is None else (type(error), str(error), vars(error))


@pytest.mark.parametrize("given", [TEXT, {"to": PHONE, "text": TEXT}, (PHONE, TEXT)])
async def test_what_is_no_message_does_not_show_either(given: Any, emulator: Emulator) -> None:
    """It is what the caller took for a message."""
    async with GHASEDAK.connect(emulator) as client:
        (report,) = await collect(client.send_many([given]))
    assert report.message is given
    assert not leaks(report)
    assert report.error is not None
    assert_silent(report.error)


async def test_an_unfinished_sending_cannot_be_pickled(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        sending = client.send_many(GHASEDAK.messages(3))
        with pytest.raises(TypeError):
            pickle.dumps(sending)
        await collect(sending)


@pytest.mark.parametrize("raises_before", [True, False])
async def test_a_hook_that_fails(raises_before: bool, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Before the request leaves, its messages are not sent and the others go on; afterwards it is logged."""

    async def fail(_call: Attempt, proceed: Proceed) -> AttemptReply:
        if not raises_before:
            await proceed()
        raise LookupError(PHONE)

    messages = GHASEDAK.messages(250)
    async with GHASEDAK.connect(emulator, hooks=[fail]) as client:
        reports = await collect(client.send_many(messages, on_unknown=OnUnknown.LEAVE))
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {Outcome.NOT_SENT if raises_before else Outcome.SENT: 250}
    assert {type(report.error) for report in reports} == {ClientStateError if raises_before else type(None)}
    assert len(emulator.messages()) == (0 if raises_before else 250)
    assert not leaks(caplog.text, *(str(report.error) for report in reports))
