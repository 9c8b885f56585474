"""Each of the emulator's faults against some calls of each effect: what the caller learns, what the gateway got."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import attrs
import pytest
from payamak.common import (
    ConnectionLostError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
)
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import KINDS
from support.failures import failure_of
from support.gateways import EACH, Call, Gateway
from support.sentinels import assert_silent

ATTEMPTS = 3
# The connection stands already, so that all of this is for the answer.
HASTY = Timeout(total=20, attempt=0.3, connect=5)
TWICE = RetryPolicy(attempts=2, base_delay=0.001)


@attrs.frozen
class Case:
    """A fault, and what it does.

    Attributes:
        fault: It.
        kind: The error, or None if the call succeeds all the same.
        processed: Whether the gateway did what it was asked to.
        repeats: Whether what may run twice is tried again; what must run once is not, unless ``all_repeat``.
        all_repeat: Whether anything is tried again, because the gateway refused for now.
        outcome: What the error says.
    """

    fault: Fault
    kind: type[PayamakError] | None
    processed: bool = True
    repeats: bool = True
    all_repeat: bool = False
    outcome: Outcome = Outcome.UNKNOWN

    @property
    def name(self) -> str:
        fault = self.fault
        told = [fault.kind, fault.status, fault.seconds, "processed" if fault.processed else None]
        return "-".join(str(part) for part in told if part is not None)

    def repeats_call(self, call: Call) -> bool:
        return self.all_repeat or (self.repeats and call.repeats)


def _fault(kind: str, **arguments: object) -> Fault:
    return Fault.from_dict({"kind": kind, "times": ATTEMPTS, **arguments})


ELSEWHERE = "/elsewhere"
CASES = [
    Case(_fault("delay", seconds=0.01), None),
    Case(_fault("delay_after", seconds=0.01), None),
    Case(_fault("drop_before_read"), ConnectionLostError, processed=False),
    Case(_fault("reset_before_read"), ConnectionLostError, processed=False),
    Case(_fault("drop_unprocessed"), ConnectionLostError, processed=False),
    Case(_fault("drop_after_read"), ConnectionLostError),
    Case(_fault("reset_after_read"), ConnectionLostError),
    Case(_fault("cut_reply"), ConnectionLostError),
    Case(_fault("wrong_content_type"), None),
    Case(_fault("html"), ReplyError, processed=False),
    Case(_fault("html", processed=True, status=504), ReplyError),
    Case(_fault("html", processed=True, status=200), ReplyError, repeats=False),
    Case(_fault("status", status=500), ReplyError, processed=False),
    Case(_fault("status", status=503, processed=True, headers={"Retry-After": "0"}), ReplyError),
    Case(_fault("status", status=408), ReplyError, processed=False, repeats=False),
    Case(
        _fault("status", status=403), PermissionDeniedError, processed=False, repeats=False, outcome=Outcome.REFUSED
    ),
    Case(_fault("status", status=429), RateLimitError, processed=False, all_repeat=True, outcome=Outcome.REFUSED),
    Case(_fault("status", status=204, processed=True), ReplyError, repeats=False),
    Case(_fault("redirect", location=ELSEWHERE), ReplyError, processed=False, repeats=False),
    Case(_fault("redirect", location=ELSEWHERE, status=307, processed=True), ReplyError, repeats=False),
    Case(_fault("garbage"), ReplyError, repeats=False),
    Case(_fault("empty"), ReplyError, repeats=False),
    Case(_fault("oversized"), ReplyError, repeats=False),
    Case(_fault("bad_gzip"), ConnectionLostError),
]  # fmt: skip
LATE = [
    Case(_fault("delay", seconds=0.5), RequestTimeoutError),
    Case(_fault("delay_after", seconds=0.5), RequestTimeoutError),
    Case(_fault("hang"), RequestTimeoutError),
    Case(_fault("hang", processed=False), RequestTimeoutError, processed=False),
]


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
        while gateway.observe(emulator) != expected:
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
        repeated = case.kind is not None and case.repeats_call(call)
        assert gateway.count(emulator) == (attempts if repeated else 1)
        await _expect_effect(gateway, emulator, call, processed=case.processed)


async def _meet_a_fault_that_passes(gateway: Gateway, call: Call, case: Case) -> None:
    """What may be repeated succeeds, and nothing is done twice."""
    succeeds = case.repeats_call(call)
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
