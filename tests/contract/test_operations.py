"""Every operation: it is in the table, the emulator serves it, and what it does there is what the table says."""

from __future__ import annotations

import importlib
import pkgutil

from payamak.common import Attempt, AttemptReply, Proceed
from payamak.common.calls import Operation
from payamak.common.retry import Effect
from support.gateways import EACH, EACH_CALL, Call, Gateway


def declared(gateway: Gateway) -> dict[str, Operation]:
    """The operations that the modules of a client declare."""
    package = importlib.import_module(gateway.surface.package)
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{gateway.surface.package}.")]
    values = [value for name in names for value in vars(importlib.import_module(name)).values()]
    return {value.name: value for value in values if isinstance(value, Operation)}


@EACH
async def test_every_operation_is_served_by_the_emulator(gateway: Gateway) -> None:
    """The emulator answers an operation that it does not know with an error, whatever the gateway."""
    served: set[str] = set()

    async def note(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        reply = await proceed()
        served.add(attempt.operation)
        return reply

    for call in gateway.calls.values():
        async with gateway.at_emulator(hooks=[note]) as (_, client):
            await call.run(client)
    assert served == set(declared(gateway))


@EACH_CALL
async def test_an_operation_changes_what_it_should(gateway: Gateway, call: Call) -> None:
    """What a test of faults finds out about a call depends on this: that the table sees what it does."""
    async with gateway.at_emulator() as (emulator, client):
        before = gateway.observe(emulator)
        await call.run(client)
        after = gateway.observe(emulator)
        assert gateway.count(emulator) == 1
        assert (before != after) is (call.effect is not Effect.NONE)
        if call.effect is Effect.REPEATABLE:
            await call.run(client)
            assert gateway.observe(emulator) == after
        assert declared(gateway)[call.name].effect is call.effect
