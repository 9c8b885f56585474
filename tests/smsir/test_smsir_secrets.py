"""Nothing shows of a request for a token either, whatever its answer."""

from __future__ import annotations

import pytest
from payamak.smsir import PayamakError
from support.gateways.smsir import SMSIR
from support.raw_server import RawServer
from support.telling import FAULTS, run

pytestmark = pytest.mark.usefixtures("nothing_shows")
ANSWERS = {**FAULTS, **SMSIR.echoes}


@pytest.mark.parametrize("fault", [name for name in ANSWERS if name != "success"])
async def test_nothing_shows_when_there_is_no_token_because_the_server(fault: str) -> None:
    async with RawServer(ANSWERS[fault]) as server, SMSIR.connect(server.url, token_store=None) as client:
        assert isinstance(await run(client, lambda c: c.authenticate()), PayamakError)
        for call in (SMSIR.send, SMSIR.calls["account"]):
            assert isinstance(await run(client, call.run), PayamakError)


async def test_nothing_shows_of_asking_for_a_token() -> None:
    async with RawServer(ANSWERS["success"]) as server, SMSIR.connect(server.url, token_store=None) as client:
        assert await run(client, lambda c: c.authenticate()) is None
        assert await run(client, SMSIR.calls["account"].run) is None
