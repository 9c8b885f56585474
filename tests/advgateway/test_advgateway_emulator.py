"""The client against the emulator, which was written from the vendor's document alone: all methods, all shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from payamak.advgateway import (
    AdvGatewayClient,
    AuthenticationError,
    DeliveryState,
    GatewayError,
    InvalidSenderError,
    Outcome,
    OutgoingMessage,
    ReplyError,
    SoapProfile,
    Transport,
)
from payamak.emulator import Emulator
from support.ghasedak import failure_of

LINE = "50001"
FIRST, SECOND = "09121111111", "09122222222"
REFUSED = "09000000013"
PAIRS = [OutgoingMessage(FIRST, "سلام <سارا> & رضا", LINE), OutgoingMessage(SECOND, "دو", LINE)]

STYLES: list[dict[str, Any]] = [
    {},
    {"result_style": "map"},
    {"result_style": "json"},
    {"result_style": "multiref"},
    {"declares_iso_8859_1": True},
    {"gzip": True},
    {"string_codes": True},
    {"status_result": "objects"},
    {"result_style": "json", "status_result": "map"},
    {"whole_call_failure": "list"},
    {"strict_order": True},
    {"strict_arrays": True},
]


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        running.advgateway.account.lines = (LINE,)
        yield running


def soap(emulator: Emulator, **options: Any) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", base_url=emulator.advgateway_url, **options)


def rest(emulator: Emulator) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", base_url=emulator.advgateway_rest_url, transport=Transport.REST)


async def use_all_methods(client: AdvGatewayClient, emulator: Emulator) -> None:
    before = await client.credit()
    one = await client.send(FIRST, "یک", sender=LINE)
    many = await client.send_to_many([FIRST, "+989121111111", SECOND], "چند", sender=LINE)
    pairs = await client.send_pairs(PAIRS)
    ids = [one.message_id, many[0].message_id, many[2].message_id, *(result.message_id for result in pairs)]
    assert many[0].message_id == many[1].message_id
    assert ids == [message.id for message in emulator.messages()]
    assert [message.text for message in emulator.messages()][-2:] == [pair.text for pair in PAIRS]
    assert before - await client.credit() == Decimal(sum(message.price for message in emulator.messages()))

    emulator.clock.advance(60)
    statuses = await client.statuses([identity for identity in ids if identity])
    assert [status.message_id for status in statuses] == ids
    assert {status.state for status in statuses} == {DeliveryState.DELIVERED}

    emulator.add_inbox_message(gateway="advgateway", sender=FIRST, line=LINE, text="ممنون & <خداحافظ>")
    (message,) = await client.received()
    assert message.text == "ممنون & <خداحافظ>"
    assert message.received_at is not None
    assert await client.received() == []


@pytest.mark.parametrize("switches", STYLES, ids=[repr(style) for style in STYLES])
async def test_all_methods_in_each_style(switches: dict[str, Any], emulator: Emulator) -> None:
    for name, value in switches.items():
        setattr(emulator.advgateway.switches, name, value)
    async with soap(emulator) as client:
        await use_all_methods(client, emulator)


async def test_all_methods_over_rest(emulator: Emulator) -> None:
    async with rest(emulator) as client:
        await use_all_methods(client, emulator)


async def test_a_server_that_binds_by_another_order(emulator: Emulator) -> None:
    emulator.advgateway.switches.strict_order = True
    emulator.advgateway.switches.parameter_order = "alternative"
    profile = SoapProfile(
        argument_order=("fromNum", "toNum", "messageContent", "messageType", "user", "pass"),
        extra_arguments={"messageType": "normal"},
    )
    async with soap(emulator, profile=profile) as client:
        assert (await client.send(FIRST, "text", sender=LINE)).ok
    assert [message.recipient for message in emulator.messages()] == [FIRST]


@pytest.mark.parametrize("style", ["positional", "lost"])
async def test_a_server_that_loses_values(style: str, emulator: Emulator) -> None:
    """The message is out, and its id is gone: nobody may call that refused."""
    emulator.advgateway.switches.result_style = style
    async with soap(emulator) as client:
        error = await failure_of(client.send(FIRST, "text", sender=LINE))
    assert isinstance(error, ReplyError)
    assert error.outcome is Outcome.UNKNOWN
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize("door", [soap, rest])
async def test_refusals(door: Any, emulator: Emulator) -> None:
    async with door(emulator) as client:
        assert isinstance(await failure_of(client.send(FIRST, "text", sender="50002")), InvalidSenderError)
        refused = await failure_of(client.send(REFUSED, "text", sender=LINE))
        assert isinstance(refused, GatewayError)
        assert (refused.code, refused.outcome) == (-3, Outcome.REFUSED)
        good, bad = await client.send_pairs([PAIRS[0], OutgoingMessage(REFUSED, "text", LINE)])
        assert good.ok
        assert isinstance(bad.error, GatewayError)
        assert bad.error.code == -3
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize("failure", ["flat", "list"])
async def test_wrong_credentials(failure: str, emulator: Emulator) -> None:
    emulator.advgateway.switches.whole_call_failure = failure
    async with AdvGatewayClient("emulator", "wrong", base_url=emulator.advgateway_url) as client:
        for call in (client.credit(), client.send_pairs(PAIRS), client.received(), client.statuses([1])):
            assert isinstance(await failure_of(call), AuthenticationError)
    assert emulator.messages() == []
