"""A process that sends is killed: at each step, and at random points. Started again, it sends nothing twice and loses
nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from payamak.emulator import Emulator, Fault
from support.kill_rounds import EDITED, HONEST, LYING, How, kill_at_random
from support.kill_worker import make_messages
from support.killing import Job, Worker
from support.many import GHASEDAK, SMSIR, Gateway, each, until, until_still

pytestmark = pytest.mark.real_time
COUNT = 25
GROUP = 5
STEPS = [
    # where, the messages of this request that are in flight for the journal, and those that the gateway has
    ("request unwritten", 0, 0),
    ("request written", GROUP, 0),
    ("leaving", GROUP, 0),
    ("answered", GROUP, GROUP),
    ("outcome unwritten", GROUP, GROUP),
    ("outcome written", 0, GROUP),
]


SEED = 20261122


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    running = Worker()
    yield running
    running.close()


@each()
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("step", "in_flight", "taken"), STEPS, ids=[step for step, *_ in STEPS])
async def test_killed_at_a_step(
    gateway: Gateway,
    step: str,
    times: int,
    in_flight: int,
    taken: int,
    emulator: Emulator,
    worker: Worker,
    tmp_path: Path,
) -> None:
    job = Job(worker, gateway, emulator, tmp_path, make_messages(gateway, COUNT))
    await job.start(step, times)
    assert await job.end()
    assert len(job.in_flight) == in_flight
    assert len(gateway.ledger(emulator)) == GROUP * (times - 1) + taken
    reports = await job.run_to_the_end()
    unknown = job.judge(reports)
    is_found = gateway is GHASEDAK or (gateway is SMSIR and taken)
    assert len(unknown) == (0 if is_found else in_flight)
    assert len(gateway.ledger(emulator)) == COUNT - (0 if is_found or taken else in_flight)
    assert sum(report.from_journal for report in reports) >= GROUP * (times - 1)


@each()
@pytest.mark.parametrize("is_late", [False, True], ids=["carried out", "carried out later"])
async def test_killed_while_the_answer_is_awaited(
    gateway: Gateway, is_late: bool, emulator: Emulator, worker: Worker, tmp_path: Path
) -> None:
    """If it is carried out later, the new process asks before the gateway has it."""
    path = "SendByMobileNumbers" if gateway is SMSIR else None
    emulator.add_fault(Fault("delay", times=2, seconds=0, path=path))
    emulator.add_fault(
        Fault("delay", seconds=0.1, path=path) if is_late else Fault("delay_after", seconds=60, path=path)
    )
    job = Job(worker, gateway, emulator, tmp_path, make_messages(gateway, COUNT))
    process = await job.start()
    await until(lambda: len([record for record in emulator.requests if record.fault]) == 3)
    if not is_late:
        await until(lambda: len(gateway.ledger(emulator)) == 3 * GROUP)
    assert await job.end(kill=process)
    assert len(job.in_flight) == GROUP
    reports = await job.run_to_the_end()
    await until_still(emulator)
    assert len(job.judge(reports)) == (0 if gateway in (GHASEDAK, SMSIR) else GROUP)
    assert len(gateway.ledger(emulator)) == COUNT


@each()
async def test_killed_before_the_journal_was_read(
    gateway: Gateway, emulator: Emulator, worker: Worker, tmp_path: Path
) -> None:
    job = Job(worker, gateway, emulator, tmp_path, make_messages(gateway, COUNT))
    await job.start("reading")
    assert await job.end()
    assert gateway.ledger(emulator) == []
    assert job.judge(await job.run_to_the_end()) == []


@each()
async def test_killed_again_and_again_at_the_same_step(
    gateway: Gateway, emulator: Emulator, worker: Worker, tmp_path: Path
) -> None:
    """Also while it settles what the process before left behind."""
    job = Job(worker, gateway, emulator, tmp_path, make_messages(gateway, COUNT))
    kills = 0
    for step in ("answered", "outcome unwritten", "outcome written", "outcome unwritten", "leaving"):
        await job.start(step)
        kills += await job.end()
    assert kills >= 4
    unknown = job.judge(await job.run_to_the_end())
    assert not unknown or gateway is not GHASEDAK


@pytest.mark.parametrize(
    ("how", "kills"), [(HONEST, 10), (EDITED, 30), (LYING, 20)], ids=["as it was", "edited", "edited, and lied to"]
)
async def test_killed_at_random(
    how: How, kills: int, emulator: Emulator, worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many more times: ``python -m support.kill_rounds 1000``, in tests."""
    figures = await kill_at_random(emulator, worker, tmp_path, kills=kills, seed=SEED, how=how)
    with capsys.disabled():
        sys.stdout.write(f"\nkilled at random (seed {SEED}): {dict(figures)}\n")
    assert figures["kills"] == kills
    assert (figures["duplicates"], figures["false words"], figures["lost"]) == (0, 0, 0)
