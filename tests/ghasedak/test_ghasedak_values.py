"""Values for a template as people give them, and amounts as accounts get them."""

from __future__ import annotations

import pytest
from payamak.emulator import Emulator
from payamak.ghasedak import GhasedakClient, InvalidRequestError, Outcome
from support.ghasedak import failure_of, make_client
from support.raw_server import RawServer, answer, envelope

FIRST = "09121111111"
SWITCHES = {
    "refuse_blank_in_param": ["سارا احمدی", "482913"],
    "refuse_line_break_in_param": ["سارا", "482\n913"],
    "refuse_underscore_in_param": ["sara_a", "482913"],
    "refuse_missing_params": ["سارا"],
}


@pytest.mark.parametrize("switch", SWITCHES)
async def test_values_that_some_accounts_refuse(switch: str, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.templates["login"] = "سلام %param1%، کد: %param2%"
    for params in SWITCHES.values():
        await client.send_otp(FIRST, "login", params)
    setattr(emulator.ghasedak.switches, switch, True)
    for name, params in SWITCHES.items():
        if name != switch:
            await client.send_otp(FIRST, "login", params)
    sent = len(emulator.messages())
    error = await failure_of(client.send_otp(FIRST, "login", SWITCHES[switch]))
    assert (type(error), error.outcome) == (InvalidRequestError, Outcome.REFUSED)
    assert len(emulator.messages()) == sent
    await client.send_otp(FIRST, "login", ["سارا", "482913"])


async def test_of_a_template_that_the_emulator_does_not_know_no_value_is_missing(
    emulator: Emulator, client: GhasedakClient
) -> None:
    emulator.ghasedak.switches.refuse_missing_params = True
    await client.send_otp(FIRST, "another", ["482913"])
    assert len(emulator.messages()) == 1


@pytest.mark.parametrize(
    ("written", "price"),
    [(155, 155), (155.0, 155), (155.75, 155), ("155", 155), ("155.75", 155), ("", None), (None, None), (0, 0)],
)
async def test_a_price_with_a_fraction_does_not_cost_the_list(written: object, price: int | None) -> None:
    items = [{"messageid": 1, "status": 1, "price": written}, {"messageid": 2, "status": 1, "price": 7}]
    async with RawServer(answer(envelope(items))) as server, make_client(server.url) as client:
        statuses = await client.statuses([1, 2])
    assert [status.price for status in statuses] == [price, 7]
    assert all(type(status.price) is int for status in statuses if status.price is not None)


@pytest.mark.parametrize(("written", "credit"), [(1000, 1000), (1000.9, 1000), ("-12.5", -12), ("1000.00", 1000)])
async def test_a_balance_with_a_fraction(written: object, credit: int) -> None:
    account = envelope({"balance": written, "expire": 1})
    async with RawServer(answer(account)) as server, make_client(server.url) as client:
        assert await client.credit() == credit
