"""Workers with an outbox are killed, and each job is in the queue twice: each message goes out once all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from payamak.emulator import Emulator
from support.many import GHASEDAK, OPGATEWAY, Gateway, each
from support.outbox_rounds import kill_workers

pytestmark = pytest.mark.real_time
JOBS = 400


@each(GHASEDAK, OPGATEWAY)
async def test_workers_that_share_a_journal(gateway: Gateway, emulator: Emulator, tmp_path: Path) -> None:
    figures = await kill_workers(gateway, emulator, str(tmp_path / "jobs.db"), jobs=JOBS, kills=2, seed=5)
    assert (figures["twice"], figures["lost"], figures["false words"]) == (0, 0, 0)
    assert figures["sent"] > JOBS


async def test_workers_with_a_journal_each_send_twice(emulator: Emulator, tmp_path: Path) -> None:
    """So that the test above can fail."""
    figures = await kill_workers(GHASEDAK, emulator, str(tmp_path / "{pid}.db"), jobs=JOBS, kills=0, seed=5)
    assert figures["twice"] > 0
