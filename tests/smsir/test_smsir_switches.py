"""The emulator's switches, each both ways: whatever the vendor really does, the client copes."""

from __future__ import annotations

from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.smsir import AuthenticationError, GatewayError, NewContact, Outcome, SmsIrClient
from support.smsir import QUICKLY, failure_of

A, B = "09121111111", "09122222222"
MANNERS = ["status_401_envelope", "status_401_message", "envelope"]


def group_of(emulator: Emulator, *numbers: str) -> int:
    group = emulator.smsir.phone_book.add_group("g")
    for number in numbers:
        assert emulator.smsir.phone_book.add_contact(group.id, number)
    return group.id


@pytest.mark.parametrize("status", [200, 201])
async def test_success_status(status: int, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.success_status = status
    group_id = group_of(emulator, A)
    assert (await client.messages.send("t", group_ids=[group_id])).message_id
    assert await client.credit()
    ticket = await client.tickets.open("s", "b", file=b"x", file_name="a.txt")
    assert ticket.id
    error = await failure_of(client.groups.delete(99))
    assert isinstance(error, GatewayError)
    assert error.http_status == status
    assert {request.status for request in emulator.requests} == {status}


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("status", [None, 200, 400])
async def test_a_token_rejected_once(status: int | None, manner: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.token_rejection = manner
    emulator.smsir.switches.failure_status = status
    group_id = group_of(emulator, A)
    await client.authenticate()
    for forget in (emulator.smsir.expire_tokens, emulator.smsir.revoke_tokens):
        forget()
        await client.messages.send("t", group_ids=[group_id])
    assert [message.text for message in emulator.messages()] == ["t", "t"]
    assert emulator.smsir.tokens_issued == 3
    assert len(emulator.requests) == 3 + 4


async def test_a_status_of_the_servers_own_trouble_is_no_rejection(emulator: Emulator, client: SmsIrClient) -> None:
    """Then it is not certain that nothing was done."""
    emulator.smsir.switches.token_rejection = "envelope"
    emulator.smsir.switches.failure_status = 500
    await client.authenticate()
    emulator.smsir.revoke_tokens()
    error = await failure_of(client.messages.send_to_numbers(A, "t"))
    assert (type(error), error.outcome, len(emulator.requests)) == (GatewayError, Outcome.UNKNOWN, 2)


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_token_rejected_for_ever(manner: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.token_rejection = manner
    emulator.smsir.switches.reject_tokens = True
    error = await failure_of(client.messages.send_to_numbers(A, "t"))
    assert isinstance(error, AuthenticationError)
    assert (error.outcome, error.operation) == (Outcome.REFUSED, "messages.send_to_numbers")
    sends = [request for request in emulator.requests if request.path.endswith("SendByMobileNumbers")]
    assert (len(sends), emulator.messages()) == (2, [])


@pytest.mark.parametrize("manner", ["null_token", "null_token_successful", "status_401"])
async def test_wrong_keys(manner: str, emulator: Emulator) -> None:
    emulator.smsir.switches.wrong_keys = manner
    async with SmsIrClient("wrong", "wrong", base_url=emulator.smsir_url, retry=QUICKLY) as client:
        error = await failure_of(client.messages.send_to_numbers(A, "t"))
    assert isinstance(error, AuthenticationError)
    assert "check both keys" in str(error)
    assert {request.path.rpartition("/")[2] for request in emulator.requests} == {"GetToken"}


@pytest.mark.parametrize("revokes", [False, True])
async def test_two_clients_of_one_account(revokes: bool, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.new_token_revokes_old = revokes
    group_id = group_of(emulator, A)
    async with SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url) as other:
        for number in range(3):
            await client.messages.send(f"a{number}", group_ids=[group_id])
            await other.messages.send(f"b{number}", group_ids=[group_id])
    assert [message.text for message in emulator.messages()] == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert emulator.smsir.tokens_issued == (6 if revokes else 2)


async def test_a_token_that_is_dead_on_arrival_is_not_used_twice(emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.dead_tokens = 2
    assert isinstance(await failure_of(client.messages.send_to_numbers(A, "t")), AuthenticationError)
    group_of(emulator, A)
    await client.messages.send_to_numbers(A, "t")
    methods = [request.path.rpartition("/")[2] for request in emulator.requests]
    assert methods == ["GetToken", "SendByMobileNumbers"] * 3


@pytest.mark.parametrize("direction", ["older", "newer"])
async def test_last_id_direction(direction: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.last_id_direction = direction
    for _ in range(3):
        emulator.smsir.charge(1)
    ids = [payment.id or 0 for payment in await client.transactions.from_last_id()]
    assert ids == sorted(ids, reverse=True)
    after = [payment.id or 0 for payment in await client.transactions.from_last_id(ids[2])]
    assert sorted(after, reverse=True) == (ids[3:] if direction == "older" else ids[:2])


@pytest.mark.parametrize("as_number", [False, True])
@pytest.mark.parametrize("without_zero", [False, True])
async def test_mobile_numbers(without_zero: bool, as_number: bool, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.mobile_as_number = as_number
    emulator.smsir.switches.ids_without_zero = without_zero
    batch = await client.messages.send("t", group_ids=[group_of(emulator, A, B)])
    assert {recipient.mobile for recipient in batch.recipients} == {A, B}
    assert batch.batch_key
    assert {status.mobile for status in await client.messages.recipients(batch.batch_key)} == {A, B}


@pytest.mark.parametrize("wanted", [False, True])
async def test_numbers_must_be_contacts(wanted: bool, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.numbers_must_be_contacts = wanted
    if wanted:
        error = await failure_of(client.messages.send_to_numbers(A, "t"))
        assert isinstance(error, GatewayError)
        assert error.outcome is Outcome.REFUSED
    else:
        assert (await client.messages.send_to_numbers(A, "t")).message_id
    assert len(emulator.messages()) == (not wanted)


@pytest.mark.parametrize("long", [False, True])
async def test_long_message_ids(long: bool, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.long_message_ids = long
    group_of(emulator, A)
    (recipient,) = (await client.messages.send_to_numbers(A, "t")).recipients
    assert recipient.id is not None
    assert (recipient.id > 2**32) is long


@pytest.mark.parametrize("wanted", [False, True])
async def test_waiting_applies_to_numbers(wanted: bool, emulator: Emulator, client: SmsIrClient) -> None:
    switches: Any = emulator.smsir.switches
    switches.waiting_applies_to_numbers = wanted
    switches.membership_sms = not wanted
    group_id = group_of(emulator)
    await client.contacts.add(group_id, [NewContact(A)])
    assert len(emulator.messages()) == (not wanted)
    if wanted:
        assert isinstance(await failure_of(client.messages.send_to_numbers(A, "t")), GatewayError)
        emulator.clock.advance(301)
    assert (await client.messages.send_to_numbers(A, "t")).message_id
    # To its group it goes only after the wait, in any case.
    count = await client.messages.count_recipients(group_ids=[group_id])
    assert (count.valid, count.invalid) == ((1, 0) if wanted else (0, 1))


async def test_a_token_that_ends_by_the_clock(emulator: Emulator, client: SmsIrClient) -> None:
    await client.account()
    emulator.clock.advance(31 * 60)
    await client.account()
    assert emulator.smsir.tokens_issued == 2
