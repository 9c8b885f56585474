"""A token that is rejected, and every fault of the request for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from payamak.emulator import Emulator, Fault
from payamak.smsir import (
    AuthenticationError,
    Outcome,
    RequestTimeoutError,
    RetryPolicy,
    SmsIrClient,
    Timeout,
)
from support.faults import CASES, HASTY, LATE, Case
from support.smsir import failure_of

Call = Callable[[SmsIrClient], Awaitable[Any]]
A = "09121111111"
GROUP, OTHER = 7201, 7202
QUICKLY = RetryPolicy(base_delay=0.001)

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


def _connect(emulator: Emulator, timeout: Timeout) -> SmsIrClient:
    return SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url, retry=QUICKLY, timeout=timeout)


async def _prepare(emulator: Emulator, client: SmsIrClient) -> None:
    """Two groups, one of them with a contact, and a token."""
    book = emulator.smsir.phone_book
    assert (book.add_group("full").id, book.add_group("old").id) == (GROUP, OTHER)
    assert book.add_contact(GROUP, A)
    await client.authenticate()
    emulator.requests.clear()


def _check_effect(name: str, emulator: Emulator, *, processed: bool) -> None:
    sends = name in ("messages.send", "messages.send_to_numbers")
    assert [message.text for message in emulator.messages()] == ["text"] * (sends and processed)
    assert emulator.smsir.account.credit == 1_000_000 - 155 * (sends and processed)
    names = [group.name for group in emulator.smsir.phone_book.groups()]
    changed = {"groups.delete": ["full"], "groups.update": ["full", "new"]}.get(name, ["full", "old"])
    assert names == (changed if processed else ["full", "old"])


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


@pytest.mark.parametrize("case", CASES + LATE, ids=lambda case: case.name)
async def test_fault_of_the_request_for_a_token(case: Case, emulator: Emulator) -> None:
    """Whatever becomes of it: the message has not left."""
    timeout = HASTY if case.kind is RequestTimeoutError else Timeout(total=10, attempt=5)
    async with _connect(emulator, timeout) as client:
        book = emulator.smsir.phone_book
        assert book.add_contact(book.add_group("full").id, A)
        emulator.add_fault(attrs.evolve(case.fault, path="GetToken"))
        if case.kind is None:
            await client.messages.send_to_numbers(A, "text")
        else:
            error = await failure_of(client.messages.send_to_numbers(A, "text"))
            is_of_the_keys = isinstance(error, AuthenticationError)
            assert error.outcome is (Outcome.REFUSED if is_of_the_keys else Outcome.NOT_SENT)
            assert (error.operation, emulator.messages()) == ("messages.send_to_numbers", [])
            assert {request.path.rpartition("/")[2] for request in emulator.requests} == {"GetToken"}
