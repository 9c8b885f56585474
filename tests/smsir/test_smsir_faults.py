"""Every fault of the emulator against each sort of operation: what the caller learns, and what the gateway got."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import KINDS
from payamak.smsir import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    Outcome,
    PayamakError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    SmsIrClient,
    Timeout,
)
from support.smsir import failure_of
from support.sockets import dead_port

Call = Callable[[SmsIrClient], Awaitable[Any]]
A = "09121111111"
GROUP, OTHER = 7201, 7202
QUICKLY = RetryPolicy(base_delay=0.001)
SHORT = Timeout(total=5, attempt=0.08, connect=0.08)  # Half of it to connect, on a busy machine too.

ONCE: dict[str, Call] = {
    "messages.send": lambda c: c.messages.send("text", group_ids=[GROUP]),
    "messages.send_to_numbers": lambda c: c.messages.send_to_numbers(A, "text"),
    "groups.delete": lambda c: c.groups.delete(OTHER),
}
REPEATABLE: dict[str, Call] = {
    "contacts.page": lambda c: c.contacts.page(),
    "groups.update": lambda c: c.groups.update(OTHER, "new"),
    "messages.count_recipients": lambda c: c.messages.count_recipients(
        group_ids=[GROUP], contact_relation_ids=[9_030_001]
    ),
}
CALLS = {**ONCE, **REPEATABLE}


@attrs.frozen
class Case:
    """A fault that befalls every attempt, and what it does.

    Attributes:
        fault: It.
        kind: The error, or None if the call succeeds all the same.
        processed: Whether the gateway did what it was asked to.
        repeats: Whether a read is tried again; what runs once never is, unless ``all_repeat``.
        all_repeat: Whether anything is tried again, because the gateway refused for now.
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
    Case(_fault("delay", seconds=0.2), RequestTimeoutError),
    Case(_fault("delay", seconds=0.01), None),
    Case(_fault("delay_after", seconds=0.2), RequestTimeoutError),
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
    Case(_fault("status", status=429), RateLimitError, processed=False, all_repeat=True, outcome=Outcome.REFUSED),
    Case(_fault("status", status=204, processed=True), ReplyError, repeats=False),
    Case(_fault("redirect", location="/users/v1/WhiteSms/GetUserInfo"), ReplyError, processed=False, repeats=False),
    Case(_fault("redirect", location="/users/v1/", status=307, processed=True), ReplyError, repeats=False),
    Case(_fault("garbage"), ReplyError, repeats=False),
    Case(_fault("empty"), ReplyError, repeats=False),
    Case(_fault("oversized"), ReplyError, repeats=False),
    Case(_fault("bad_gzip"), PayamakError),
    Case(_fault("hang"), RequestTimeoutError),
    Case(_fault("hang", processed=False), RequestTimeoutError, processed=False),
]


def _name(case: Case) -> str:
    told = [case.fault.kind, case.fault.status, case.fault.seconds, "processed" if case.fault.processed else None]
    return "-".join(str(part) for part in told if part is not None)


def test_every_kind_of_fault_is_here() -> None:
    assert {case.fault.kind for case in CASES} == set(KINDS)


def _connect(emulator: Emulator, timeout: Timeout) -> SmsIrClient:
    return SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url, retry=QUICKLY, timeout=timeout)


async def _prepare(emulator: Emulator, client: SmsIrClient) -> None:
    """Two groups, one of them with a contact, and a token."""
    book = emulator.smsir.phone_book
    assert (book.add_group("full").id, book.add_group("old").id) == (GROUP, OTHER)
    assert book.add_contact(GROUP, A)
    await client.authenticate()
    emulator.requests.clear()


async def _wait_until_closed(emulator: Emulator) -> None:
    """The server learns a moment later that the client closed a connection."""
    async with asyncio.timeout(5):
        while emulator.connections:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)


def _check_effect(name: str, emulator: Emulator, *, processed: bool) -> None:
    sends = name in ("messages.send", "messages.send_to_numbers")
    assert [message.text for message in emulator.messages()] == ["text"] * (sends and processed)
    assert emulator.smsir.account.credit == 1_000_000 - 155 * (sends and processed)
    names = [group.name for group in emulator.smsir.phone_book.groups()]
    changed = {"groups.delete": ["full"], "groups.update": ["full", "new"]}.get(name, ["full", "old"])
    assert names == (changed if processed else ["full", "old"])


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("case", CASES, ids=_name)
async def test_fault_that_lasts(case: Case, name: str, emulator: Emulator) -> None:
    timeout = SHORT if case.kind is RequestTimeoutError else Timeout(total=10, attempt=5)
    async with _connect(emulator, timeout) as client:
        await _prepare(emulator, client)
        emulator.add_fault(case.fault)
        if case.kind is None:
            await CALLS[name](client)
        else:
            error = await failure_of(CALLS[name](client))
            assert isinstance(error, case.kind)
            assert error.outcome is case.outcome
            assert (error.gateway, error.operation) == ("smsir", name)
            assert error.operation_id
            assert A not in str(error) + repr(error)
            assert "emulator-" not in str(error) + repr(error)
        repeated = case.kind is not None and (case.all_repeat or (case.repeats and name in REPEATABLE))
        assert len(emulator.requests) == (3 if repeated else 1)
    await _wait_until_closed(emulator)
    if case.fault.kind == "delay":
        await asyncio.sleep(case.fault.seconds or 0)  # The gateway carries it out although nobody waits any more.
    _check_effect(name, emulator, processed=case.processed)


PASSING = [case for case in CASES if case.kind is not None and case.fault.kind not in ("delay", "delay_after", "hang")]


@pytest.mark.parametrize("name", ["messages.send", "groups.delete", "groups.update"])
@pytest.mark.parametrize("case", PASSING, ids=_name)
async def test_fault_that_passes(case: Case, name: str, emulator: Emulator) -> None:
    """Once, then all is well: what may be repeated succeeds, and nothing is sent twice."""
    succeeds = case.all_repeat or (case.repeats and name in REPEATABLE)
    async with _connect(emulator, Timeout(total=10, attempt=5)) as client:
        await _prepare(emulator, client)
        emulator.add_fault(attrs.evolve(case.fault, times=1))
        if succeeds:
            await CALLS[name](client)
        else:
            assert (await failure_of(CALLS[name](client))).outcome is case.outcome
        assert len(emulator.requests) == (2 if succeeds else 1)
        # The next call is not harmed by the connection that broke.
        assert await client.credit()
    await _wait_until_closed(emulator)
    _check_effect(name, emulator, processed=case.processed or succeeds)


@pytest.mark.parametrize("name", CALLS)
async def test_status_401_once_is_answered_with_a_new_token(name: str, emulator: Emulator) -> None:
    async with _connect(emulator, Timeout()) as client:
        await _prepare(emulator, client)
        emulator.add_fault(Fault("status", status=401))
        await CALLS[name](client)
    paths = [request.path.rpartition("/")[2] for request in emulator.requests]
    assert (paths[1], len(paths)) == ("GetToken", 3)
    _check_effect(name, emulator, processed=True)


@pytest.mark.parametrize("name", CALLS)
async def test_status_401_for_ever(name: str, emulator: Emulator) -> None:
    async with _connect(emulator, Timeout()) as client:
        await _prepare(emulator, client)
        path = {"contacts.page": "GetContactsByPageId", "groups.update": "AddOrUpdateContactGroup"}
        vendors = {**path, "groups.delete": "DeleteContactGroup", "messages.send": "Send",
                   "messages.send_to_numbers": "SendByMobileNumbers",
                   "messages.count_recipients": "GroupContactsDistinctCount"}  # fmt: skip
        emulator.add_fault(Fault("status", status=401, times=10, path=vendors[name]))
        error = await failure_of(CALLS[name](client))
    assert isinstance(error, AuthenticationError)
    assert (error.outcome, error.operation) == (Outcome.REFUSED, name)
    assert sum(request.path.endswith(vendors[name]) for request in emulator.requests) == 2
    _check_effect(name, emulator, processed=False)


@pytest.mark.parametrize("case", CASES, ids=_name)
async def test_fault_of_the_request_for_a_token(case: Case, emulator: Emulator) -> None:
    """Whatever becomes of it: the message has not left."""
    timeout = SHORT if case.kind is RequestTimeoutError else Timeout(total=10, attempt=5)
    async with _connect(emulator, timeout) as client:
        book = emulator.smsir.phone_book
        assert book.add_contact(book.add_group("full").id, A)
        emulator.add_fault(attrs.evolve(case.fault, path="GetToken"))
        if case.kind is None:
            await client.messages.send_to_numbers(A, "text")
        else:
            error = await failure_of(client.messages.send_to_numbers(A, "text"))
            assert error.outcome in (Outcome.NOT_SENT, Outcome.REFUSED)
            assert (error.operation, emulator.messages()) == ("messages.send_to_numbers", [])
            assert {request.path.rpartition("/")[2] for request in emulator.requests} == {"GetToken"}
    await _wait_until_closed(emulator)


@pytest.mark.parametrize("name", CALLS)
async def test_nobody_there(name: str) -> None:
    with dead_port() as port:
        async with SmsIrClient("k", "s", base_url=f"http://127.0.0.1:{port}/", retry=QUICKLY) as client:
            error = await failure_of(CALLS[name](client))
    assert isinstance(error, ConnectionFailedError)
    assert (error.outcome, error.operation) == (Outcome.NOT_SENT, name)


@pytest.mark.parametrize("name", CALLS)
async def test_closed_client(name: str, emulator: Emulator, client: SmsIrClient) -> None:
    await client.aclose()
    error = await failure_of(CALLS[name](client))
    assert isinstance(error, ClientStateError)
    assert (error.gateway, error.operation, error.outcome) == ("smsir", name, Outcome.NOT_SENT)
    assert emulator.requests == []


@pytest.mark.parametrize("first", ["drop_after_read", "html", "cut_reply"])
async def test_an_update_that_fails_differently_the_second_time(first: str, emulator: Emulator) -> None:
    """The first attempt may have changed it, so the refusal of the second one is not the whole truth."""
    async with _connect(emulator, Timeout()) as client:
        await _prepare(emulator, client)
        emulator.add_fault(Fault(first))
        emulator.add_fault(Fault("status", status=403))
        error = await failure_of(REPEATABLE["groups.update"](client))
    assert error.outcome is Outcome.UNKNOWN
    assert len(emulator.requests) == 2
