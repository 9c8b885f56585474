"""The end of a `send_many` while a request that was refused is asked for, and sent in parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from payamak.common import ClientStateError, ConnectionLostError, InvalidRecipientError, Outcome, SendMany, SendReport
from payamak.emulator import Emulator, Fault
from support.many import GHASEDAK, by_outcome, collect, judge, until

REFUSED_GROUP = [*GHASEDAK.messages(3), GHASEDAK.message(GHASEDAK.refused)]


async def _leave_refused_group(emulator: Emulator, requests: int, **options: Any) -> Sequence[SendReport]:
    """Send it, and be cancelled when the so manieth request is there and has a fault."""
    async with GHASEDAK.connect(emulator) as client:
        sending: SendMany = client.send_many(REFUSED_GROUP, **options)
        task = asyncio.create_task(collect(sending))
        await until(lambda: len(emulator.requests) == requests and emulator.requests[-1].fault)
        task.cancel()
        await asyncio.wait([task])
    judge(GHASEDAK, emulator, REFUSED_GROUP, sending.unread)
    assert len(emulator.requests) == requests
    return sending.unread


async def test_what_is_cut_off_while_a_group_is_halved(emulator: Emulator) -> None:
    """That their request was refused is not the reason why nobody knows of some any more, and others did not leave."""
    emulator.add_fault(GHASEDAK.fault("delay", seconds=0))
    emulator.add_fault(GHASEDAK.fault("hang"))
    reports = await _leave_refused_group(emulator, 3, close_timeout=0)
    assert by_outcome(reports) == {Outcome.UNKNOWN: 2, Outcome.NOT_SENT: 2}
    for report in reports:
        is_lost = report.outcome is Outcome.UNKNOWN
        assert isinstance(report.error, ConnectionLostError if is_lost else ClientStateError)


async def test_of_a_group_that_is_being_halved_no_more_parts_leave(emulator: Emulator) -> None:
    emulator.add_fault(GHASEDAK.fault("delay", seconds=0))
    emulator.add_fault(GHASEDAK.fault("delay", seconds=0.1))
    reports = await _leave_refused_group(emulator, 3)
    assert by_outcome(reports) == {Outcome.SENT: 2, Outcome.NOT_SENT: 2}


@pytest.mark.parametrize("fault", [Fault("hang", path="sms/status"), Fault("delay", seconds=0.1, path="sms/status")])
async def test_what_is_cut_off_while_it_is_asked_whom_a_refusal_concerns(fault: Fault, emulator: Emulator) -> None:
    """Then it was refused, as the gateway said; nothing is sent any more, whatever the gateway has."""
    emulator.add_fault(fault)
    reports = await _leave_refused_group(emulator, 2, close_timeout=0 if fault.kind == "hang" else 10)
    assert by_outcome(reports) == {Outcome.REFUSED: 4}
    assert {type(report.error) for report in reports} == {InvalidRecipientError}
