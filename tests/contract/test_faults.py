"""Each of the emulator's faults against some calls of each effect: what the caller learns, what the gateway got."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import attrs
import pytest
from payamak.common import RequestTimeoutError, RetryPolicy
from payamak.emulator import Emulator
from payamak.emulator.faults import KINDS
from support.failures import failure_of
from support.faults import ATTEMPTS, CASES, HASTY, LATE, Case
from support.gateways import EACH, Call, Gateway
from support.sentinels import assert_silent

TWICE = RetryPolicy(attempts=2, base_delay=0.001)


def test_every_kind_of_fault_is_here() -> None:
    assert {case.fault.kind for case in CASES + LATE} == set(KINDS)


@contextmanager
def concerning(gateway: Gateway, call: Call, case: Case) -> Generator[None, None, None]:
    """Several are in one test, because starting a test takes longer than any of them."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"{gateway.label}: {call.name} meets {case.name}")
        raise


async def _expect_effect(gateway: Gateway, emulator: Emulator, call: Call, *, processed: bool) -> None:
    """The emulator is as after one run of the call, or as before it."""
    expected = await (gateway.state_after(call) if processed else gateway.state_before())
    # What comes late is carried out although nobody waits any more.
    async with asyncio.timeout(5):
        while gateway.observe(emulator) != expected:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.01)


async def _meet_a_fault_that_lasts(gateway: Gateway, call: Call, case: Case, *, attempts: int = ATTEMPTS) -> None:
    options = {"timeout": HASTY, "retry": TWICE} if case.kind is RequestTimeoutError else {}
    async with gateway.at_emulator(**options) as (emulator, client):
        emulator.add_fault(case.fault)
        if case.kind is None:
            await call.run(client)
        else:
            error = await failure_of(call.run(client))
            assert type(error) is case.kind
            assert error.outcome is case.outcome
            assert (error.gateway, error.operation, bool(error.operation_id)) == (gateway.name, call.name, True)
            assert_silent(error)
        repeated = case.kind is not None and case.repeats_for(call.effect)
        assert gateway.count(emulator) == (attempts if repeated else 1)
        await _expect_effect(gateway, emulator, call, processed=case.processed)


async def _meet_a_fault_that_passes(gateway: Gateway, call: Call, case: Case) -> None:
    """What may be repeated succeeds, and nothing is done twice."""
    succeeds = case.repeats_for(call.effect)
    async with gateway.at_emulator() as (emulator, client):
        emulator.add_fault(attrs.evolve(case.fault, times=1))
        if succeeds:
            await call.run(client)
        else:
            assert (await failure_of(call.run(client))).outcome is case.outcome
        assert gateway.count(emulator) == (2 if succeeds else 1)
        await _expect_effect(gateway, emulator, call, processed=case.processed or succeeds)
        assert await client.credit(), "the next call is harmed by the connection that broke"


@EACH
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_fault(gateway: Gateway, case: Case) -> None:
    for call in gateway.sampled:
        with concerning(gateway, call, case):
            await _meet_a_fault_that_lasts(gateway, call, case)
            if case.kind is not None:
                await _meet_a_fault_that_passes(gateway, call, case)


@EACH
async def test_time_runs_out(gateway: Gateway) -> None:
    async def meet(call: Call, case: Case) -> None:
        with concerning(gateway, call, case):
            await _meet_a_fault_that_lasts(gateway, call, case, attempts=TWICE.attempts)

    async with asyncio.TaskGroup() as group:
        for case in LATE:
            for call in gateway.sampled:
                group.create_task(meet(call, case))
