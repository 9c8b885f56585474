"""A job does not go on for ever at a gateway whose every answer leaves its messages unknown."""

from __future__ import annotations

import pytest
from payamak.common import Outcome
from payamak.emulator import Emulator, Fault
from support.many import OPGATEWAY, by_outcome, collect


@pytest.mark.parametrize("code", [54321, 5])
async def test_every_request_is_answered_with_a_code_that_proves_nothing(code: int, emulator: Emulator) -> None:
    """One that no table has; and one that is documented, in a status that tells of a failure of the server."""
    status = 200 if code == 54321 else 500
    emulator.add_fault(Fault("status", status=status, body=f'[{code}, "no"]', times=None))
    async with OPGATEWAY.connect(emulator) as client:
        reports = await collect(client.send_many(OPGATEWAY.messages(1000), concurrency=1))
    outcomes = by_outcome(reports)
    assert set(outcomes) == {Outcome.UNKNOWN, Outcome.NOT_SENT}
    assert 100 <= outcomes[Outcome.UNKNOWN] <= 300
    assert sum(outcomes.values()) == 1000
