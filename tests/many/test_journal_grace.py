"""How long a run waits for what an earlier one left behind, and of what it believes then that it was not sent."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from payamak.common import OnUnknown, Outcome, SendReport, Timeout
from payamak.common.client import GatewayClient
from payamak.emulator import Emulator, Fault
from support.journals import KilledJournal, MemoryJournal, entry_for, put
from support.many import GHASEDAK, collect, judge, sends

MESSAGE = GHASEDAK.message(0)
HOUR, DAY = 3600, 86_400
ASKING = pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])


async def left_behind(client: GatewayClient, seconds: float) -> MemoryJournal:
    """The journal of a run of a client whose only request had left so many seconds ago by the clock."""
    journal = MemoryJournal()
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds)
    await put(journal, entry_for(client, MESSAGE, reference="mark", at=at))
    return journal


async def go_on(client: Any, emulator: Emulator, journal: MemoryJournal, **options: Any) -> SendReport:
    """Run once more, with a witness."""
    await GHASEDAK.bear_witness(client)
    async with asyncio.timeout(DAY):
        (report,) = await collect(client.send_many([MESSAGE], journal=journal, **options))
    judge(GHASEDAK, emulator, [MESSAGE], [report])
    return report


@ASKING
@pytest.mark.parametrize(
    "before", [0, -HOUR, HOUR, DAY - HOUR], ids=["just now", "the clock was set back", "an hour ago", "23 hours ago"]
)
async def test_the_grace_period_begins_with_the_run_that_asks(
    before: float, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """A clock may have been moved, and the request may have waited for a connection: its time proves nothing."""
    async with GHASEDAK.connect(emulator) as client, GHASEDAK.connect(emulator) as earlier:
        journal = await left_behind(client, before)
        emulator.add_fault(Fault("delay", seconds=0.3, path="sms/send/pair"))
        mark = {"sender": MESSAGE.sender, "check_ids": ["mark"]}
        late = asyncio.ensure_future(earlier.send_to_many(MESSAGE.to, MESSAGE.text, **mark))
        report = await go_on(client, emulator, journal, grace=1, on_unknown=on_unknown)
        assert report.outcome is Outcome.SENT
        assert [report.message_id] == [result.message_id for result in await late]
        assert not report.from_journal
    assert len(GHASEDAK.ledger(emulator)) == 1


@pytest.mark.parametrize("before", [0, HOUR, DAY - HOUR])
async def test_after_it_an_absence_counts(before: float, emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        began = asyncio.get_running_loop().time()
        report = await go_on(client, emulator, await left_behind(client, before), grace=60)
        assert report.outcome is Outcome.NOT_SENT
        assert asyncio.get_running_loop().time() - began >= 60
    assert sends(emulator) == 0


@ASKING
@pytest.mark.parametrize("days", [1, 40])
async def test_of_what_left_over_a_day_ago_it_proves_nothing(
    days: int, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """Nobody says how long a gateway can be asked for a message."""
    async with GHASEDAK.connect(emulator) as client:
        journal = await left_behind(client, days * DAY + 60)
        for _ in range(2):
            report = await go_on(client, emulator, journal, grace=1, on_unknown=on_unknown)
            assert report.outcome is Outcome.UNKNOWN
    assert GHASEDAK.ledger(emulator) == []


async def test_what_left_long_ago_is_found_all_the_same(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        journal = await left_behind(client, 40 * DAY)
        sent = await client.send(MESSAGE.to, MESSAGE.text, sender=MESSAGE.sender, check_id="mark")
        report = await go_on(client, emulator, journal, grace=0)
    assert (report.outcome, report.message_id) == (Outcome.SENT, sent.message_id)


@ASKING
async def test_a_request_of_a_run_with_more_time_arrives_in_one_with_less(
    on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """It is killed while its request is held up, and goes on with a shorter timeout."""
    journal = MemoryJournal()
    emulator.add_fault(GHASEDAK.fault("delay", seconds=0.3))
    patient, hasty = Timeout(total=600, attempt=300), Timeout(total=0.2, attempt=0.1)
    async with GHASEDAK.connect(emulator, timeout=patient) as first:
        killed = asyncio.ensure_future(collect(first.send_many([MESSAGE], journal=KilledJournal(journal))))
        while not emulator.requests:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)
        async with GHASEDAK.connect(emulator, timeout=hasty) as second:
            report = await go_on(second, emulator, journal, grace=1, on_unknown=on_unknown)
        await killed
    assert report.outcome is Outcome.SENT
    assert len(GHASEDAK.ledger(emulator)) == 1
