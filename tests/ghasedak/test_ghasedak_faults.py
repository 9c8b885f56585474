"""Each of the emulator's faults against each sort of operation: what the caller learns, and what the gateway got."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import attrs
import pytest
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import KINDS
from payamak.ghasedak import (
    AuthenticationError,
    ConnectionFailedError,
    ConnectionLostError,
    GhasedakClient,
    Outcome,
    PayamakError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
)
from support.ghasedak import Call, failure_of
from support.sockets import dead_port

TO = "09121111111"
QUICKLY = RetryPolicy(base_delay=0.001)
SHORT = Timeout(total=5, attempt=0.06, connect=0.06)

WRITES: dict[str, Call] = {
    "send": lambda client: client.send(TO, "text", check_id="1"),
    "cancel": lambda client: client.cancel([2_578_793_735]),
}
REPEATABLE: dict[str, Call] = {
    "statuses": lambda client: client.statuses([2_578_793_735]),
    "groups.list": lambda client: client.groups.list(),
    "groups.rename": lambda client: client.groups.rename(7, "new"),
}
CALLS = {**WRITES, **REPEATABLE}


@attrs.frozen
class Case:
    """A fault that befalls every attempt, and what it does.

    Attributes:
        fault: It.
        kind: The error, or None if the call succeeds all the same.
        processed: Whether the gateway did what it was asked to.
        repeats: Whether a read is tried again; a write never is, unless ``all_repeat``.
        all_repeat: Whether even a write is tried again, because the gateway refused for now.
        outcome: What the error says.
    """

    fault: Fault
    kind: type[PayamakError] | None
    processed: bool = True
    repeats: bool = True
    all_repeat: bool = False
    outcome: Outcome = Outcome.UNKNOWN


def _fault(kind: str, **arguments: object) -> Fault:
    return Fault.from_dict({"kind": kind, "times": 10, **arguments})


CASES = [
    Case(_fault("delay", seconds=0.15), RequestTimeoutError),
    Case(_fault("delay", seconds=0.01), None),
    Case(_fault("delay_after", seconds=0.15), RequestTimeoutError),
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
        _fault("status", status=401), AuthenticationError, processed=False, repeats=False, outcome=Outcome.REFUSED
    ),
    Case(_fault("status", status=429), RateLimitError, processed=False, all_repeat=True, outcome=Outcome.REFUSED),
    Case(_fault("status", status=204, processed=True), ReplyError, repeats=False),
    Case(_fault("redirect", location="/v2/account/info"), ReplyError, processed=False, repeats=False),
    Case(_fault("redirect", location="/v2/account/info", status=307, processed=True), ReplyError, repeats=False),
    Case(_fault("garbage"), ReplyError, repeats=False),
    Case(_fault("empty"), ReplyError, repeats=False),
    Case(_fault("oversized"), ReplyError, repeats=False),
    Case(_fault("bad_gzip"), PayamakError),
    Case(_fault("hang"), RequestTimeoutError),
    Case(_fault("hang", processed=False), RequestTimeoutError, processed=False),
]  # fmt: skip


def _name(case: Case) -> str:
    told = [case.fault.kind, case.fault.status, case.fault.seconds, "processed" if case.fault.processed else None]
    return "-".join(str(part) for part in told if part is not None)


def test_every_kind_of_fault_is_here() -> None:
    assert {case.fault.kind for case in CASES} == set(KINDS)


async def _prepare(emulator: Emulator) -> int:
    """A group to rename, and a message to ask for and to cancel; returns how many messages there are."""
    emulator.ghasedak.phone_book.add_group("old", group_id=7)
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        await client.send("09129999999", "text", send_at=emulator.clock.now() + timedelta(days=1))
    emulator.requests.clear()
    return len(emulator.messages())


async def _wait_until_closed(emulator: Emulator) -> None:
    """The server learns a moment later that the client closed a connection."""
    async with asyncio.timeout(5):
        while emulator.connections:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)


def _check_effect(name: str, emulator: Emulator, before: int, *, processed: bool) -> None:
    sent = len(emulator.messages()) - before
    assert sent == int(name == "send" and processed)
    cancelled = emulator.messages()[0].state == "cancelled"
    assert cancelled == (name == "cancel" and processed)
    renamed = emulator.ghasedak.phone_book.groups(0)[0].name == "new"
    assert renamed == (name == "groups.rename" and processed)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("case", CASES, ids=_name)
async def test_fault_that_lasts(case: Case, name: str, emulator: Emulator) -> None:
    before = await _prepare(emulator)
    emulator.add_fault(case.fault)
    timeout = SHORT if case.kind is RequestTimeoutError else Timeout(total=10, attempt=5)
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url, retry=QUICKLY, timeout=timeout) as client:
        if case.kind is None:
            await CALLS[name](client)
        else:
            error = await failure_of(CALLS[name](client))
            assert isinstance(error, case.kind)
            assert error.outcome is case.outcome
            assert (error.gateway, error.operation) == ("ghasedak", name)
            assert error.operation_id
            assert TO not in str(error) + repr(error)
            assert "emulator-key" not in str(error) + repr(error)
        repeated = case.kind is not None and (case.all_repeat or (case.repeats and name in REPEATABLE))
        assert len(emulator.requests) == (3 if repeated else 1)
    await _wait_until_closed(emulator)
    if case.fault.kind == "delay":
        await asyncio.sleep(case.fault.seconds or 0)  # The gateway carries it out although nobody waits any more.
    _check_effect(name, emulator, before, processed=case.processed)


PASSING = [case for case in CASES if case.kind is not None and case.fault.kind not in ("delay", "delay_after", "hang")]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("case", PASSING, ids=_name)
async def test_fault_that_passes(case: Case, name: str, emulator: Emulator) -> None:
    """Once, then all is well: what may be repeated succeeds, and nothing is sent twice."""
    before = await _prepare(emulator)
    emulator.add_fault(attrs.evolve(case.fault, times=1))
    succeeds = case.all_repeat or (case.repeats and name in REPEATABLE)
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url, retry=QUICKLY) as client:
        if succeeds:
            await CALLS[name](client)
        else:
            assert (await failure_of(CALLS[name](client))).outcome is case.outcome
        assert len(emulator.requests) == (2 if succeeds else 1)
        # The next call is not harmed by the connection that broke.
        assert (await client.account()).balance
    await _wait_until_closed(emulator)
    _check_effect(name, emulator, before, processed=case.processed or succeeds)


@pytest.mark.parametrize("name", CALLS)
async def test_nobody_there(name: str) -> None:
    with dead_port() as port:
        async with GhasedakClient("key", base_url=f"http://127.0.0.1:{port}/v2/", retry=QUICKLY) as client:
            error = await failure_of(CALLS[name](client))
    assert isinstance(error, ConnectionFailedError)
    assert (error.outcome, error.operation) == (Outcome.NOT_SENT, name)


@pytest.mark.parametrize("name", CALLS)
async def test_closed_client(name: str, emulator: Emulator, client: GhasedakClient) -> None:
    await client.aclose()
    error = await failure_of(CALLS[name](client))
    assert (type(error).__name__, error.outcome) == ("ClientStateError", Outcome.NOT_SENT)
    assert (error.gateway, error.operation) == ("ghasedak", name)
    assert emulator.requests == []


@pytest.mark.parametrize("first", ["drop_after_read", "html", "cut_reply"])
async def test_rename_that_fails_differently_the_second_time(first: str, emulator: Emulator) -> None:
    """The first attempt may have renamed it, so the refusal of the second one is not the whole truth."""
    await _prepare(emulator)
    emulator.add_fault(Fault(first))
    emulator.add_fault(Fault("status", status=401))
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url, retry=QUICKLY) as client:
        error = await failure_of(REPEATABLE["groups.rename"](client))
    assert isinstance(error, AuthenticationError)
    assert error.outcome is Outcome.UNKNOWN
    assert len(emulator.requests) == 2
