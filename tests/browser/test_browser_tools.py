"""What the page does to the emulator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from payamak.advgateway import AdvGatewayClient
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import ConnectionLostError, GhasedakClient, RateLimitError
from payamak.opgateway import OpGatewayClient
from playwright.async_api import expect
from support.browser import Look, Send

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _ghasedak(emulator: Emulator, line: str) -> list[tuple[str, str]]:
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        return [(str(message.sender), str(message.text)) for message in await client.received(line)]


async def _opgateway(emulator: Emulator, line: str) -> list[tuple[str, str]]:
    async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as client:
        found = [message for message in await client.received() if str(message.line).endswith(line)]
        return [(str(message.sender), str(message.text)) for message in found]


async def _advgateway(emulator: Emulator, line: str) -> list[tuple[str, str]]:
    async with AdvGatewayClient("emulator", "emulator", base_url=emulator.advgateway_url) as client:
        return [(str(message.sender), str(message.text)) for message in await client.received()]


RECEIVERS: dict[str, tuple[str, str, Callable[[Emulator, str], Awaitable[list[tuple[str, str]]]]]] = {
    "ghasedak": ("Ghasedak", "300002525", _ghasedak),
    "opgateway": ("opgateway", "100020400", _opgateway),
    "advgateway": ("advgateway", "3000505", _advgateway),
}


@pytest.mark.parametrize("gateway", RECEIVERS)
async def test_a_reply_arrives_in_received(look: Look, emulator: Emulator, gateway: str) -> None:
    title, line, received = RECEIVERS[gateway]
    form = look.page.locator("#reply")
    await form.get_by_label("Gateway").select_option(title)
    await form.get_by_label("Line").select_option(line)
    await form.get_by_label("From").fill("۰۹۱۲ ۱۲۳ ۴۵۶۷")
    await form.get_by_label("Text").fill("لغو ۱۱ <b>")
    await form.get_by_role("button", name="Put into the inbox").click()
    await expect(form.get_by_role("status")).to_contain_text("received() finds it")
    await expect(form.get_by_label("Text")).to_have_value("")
    ((sender, text),) = await received(emulator, line)
    assert (sender.removeprefix("+98").removeprefix("0"), text) == ("9121234567", "لغو ۱۱ <b>")


async def test_only_gateways_that_receive_take_replies(look: Look, send: Send) -> None:
    options = look.page.locator("#reply select[name=gateway] option")
    await expect(options).to_have_text(["Ghasedak", "opgateway", "advgateway"])
    await send("no answer", "smsir")
    await expect(look.row("no answer")).to_have_count(1)
    await expect(look.row("no answer").get_by_role("button", name="Reply")).to_have_count(0)


async def test_a_message_is_answered_where_it_stands(look: Look, send: Send, emulator: Emulator) -> None:
    await send("Are you coming?", "opgateway", "09351234567")
    await look.row("Are you coming?").get_by_role("button", name="Reply from 09351234567").click()
    await expect(look.page.locator("#reply").get_by_label("Text")).to_be_focused()
    await look.page.keyboard.type("yes")
    await look.page.keyboard.press("Control+Enter")
    await expect(look.page.locator("#reply").get_by_role("status")).to_contain_text("inbox of opgateway")
    ((sender, text),) = await _opgateway(emulator, "3000505")
    assert (sender.removeprefix("+98"), text) == ("9351234567", "yes")


async def test_a_reply_that_is_refused_says_why(look: Look, emulator: Emulator) -> None:
    emulator.ghasedak.account.lines = ("5000",)
    form = look.page.locator("#reply")
    await form.get_by_label("From").fill("09121234567")
    await form.get_by_label("Text").fill("to a line that is gone")
    await form.get_by_role("button", name="Put into the inbox").click()
    await expect(form.get_by_role("status")).to_have_text("line must be one of the account's: 5000")
    await expect(form.get_by_label("Text")).to_have_value("to a line that is gone")
    look.problems.clear()


async def test_an_ordered_fault_befalls_the_next_call(look: Look, send: Send, emulator: Emulator) -> None:
    form = look.page.locator("#fault")
    await form.get_by_label("What goes wrong").select_option("drop after read")
    await expect(look.page.locator("#fault-text")).to_contain_text("closes without an answer")
    await form.get_by_label("Gateway").select_option("Ghasedak")
    await form.get_by_label("Requests").fill("2")
    await form.get_by_label("Path ends with").fill("sms/send/simple")
    await form.get_by_role("button", name="Order the fault").click()
    ordered = look.page.locator("#ordered > li")
    await expect(ordered).to_have_count(1)
    for piece in ("drop after read", "Ghasedak · sms/send/simple", "×2"):
        await expect(ordered).to_contain_text(piece)
    with pytest.raises(ConnectionLostError):
        await send("lost answer")
    await expect(look.row("lost answer")).to_have_count(1)
    await expect(ordered).to_contain_text("×1")
    with pytest.raises(ConnectionLostError):
        await send("lost again")
    await expect(ordered).to_have_count(0)
    await send("answered")
    await expect(look.page.get_by_text("None: requests are answered")).to_be_visible()


async def test_a_fault_with_arguments(look: Look, send: Send, emulator: Emulator) -> None:
    form = look.page.locator("#fault")
    await form.get_by_label("What goes wrong").select_option("status")
    await form.get_by_label("status", exact=True).fill("429")
    await form.get_by_label("headers").fill("Retry-After: 5")
    await form.get_by_role("button", name="Order the fault").click()
    await expect(form.get_by_role("status")).to_contain_text("headers must be a JSON object")
    await form.get_by_label("headers").fill('{"Retry-After": "0"}')
    await form.get_by_label("Requests").fill("9")
    await form.get_by_role("button", name="Order the fault").click()
    await expect(look.page.locator("#ordered")).to_contain_text("status 429")
    (fault,) = emulator.faults
    assert (fault["status"], fault["headers"], fault["processed"]) == (429, {"Retry-After": "0"}, False)
    with pytest.raises(RateLimitError):
        await send("refused")


async def test_every_kind_of_fault_can_be_ordered(look: Look, emulator: Emulator) -> None:
    form = look.page.locator("#fault")
    kinds: list[str] = await form.locator("select[name=kind] option").all_inner_texts()
    for number, kind in enumerate(kinds, 1):
        await form.get_by_label("What goes wrong").select_option(kind)
        for field in await form.locator("#fault-arguments input[required]").all():
            argument = await field.get_attribute("data-argument")
            await field.fill({"seconds": "0.5", "status": "503", "location": "/elsewhere", "code": "-3"}[str(argument)])
        await form.get_by_role("button", name="Order the fault").click()
        await expect(look.page.locator("#ordered > li")).to_have_count(number)
    assert [fault["kind"] for fault in emulator.faults] == [kind.replace(" ", "_") for kind in kinds]
    assert [fault["processed"] for fault in emulator.faults if fault["kind"] == "hang"] == [True]


async def test_faults_are_cleared(look: Look, emulator: Emulator) -> None:
    emulator.add_fault(Fault("empty", times=3))
    emulator.add_fault(Fault("hang", gateway="smsir"))
    await expect(look.page.locator("#ordered > li")).to_have_count(2)
    await look.page.get_by_role("button", name="Clear all faults").click()
    await expect(look.page.locator("#ordered > li")).to_have_count(0)
    assert emulator.faults == []


async def test_the_clock_moves_a_message_to_its_end(look: Look, send: Send, emulator: Emulator) -> None:
    switches = emulator.ghasedak.switches
    switches.telecom_after, switches.delivered_after = 60, 3600
    await send("wait for it")
    badge = look.row("wait for it").locator(".badge")
    await expect(badge).to_have_text("Queued")
    await look.page.get_by_role("button", name="+10 min").click()
    await expect(badge).to_have_text("Sent")
    await expect(look.page.locator("#clock-offset")).to_contain_text("+10 min")
    await look.page.get_by_role("button", name="+1 h").click()
    await expect(badge).to_have_text("Delivered")
    await expect(look.page.locator("#clock-offset")).to_contain_text("+1 h 10 min")
    await look.page.get_by_role("button", name="Real time").click()
    await expect(look.page.locator("#clock-offset")).to_contain_text("real time")
    assert abs(emulator.clock.offset) < 60


async def test_reset_asks_first(look: Look, send: Send, emulator: Emulator) -> None:
    await send("kept for now")
    emulator.clock.advance(3600)
    await look.page.get_by_role("button", name="Reset the emulator…").click()
    await expect(look.page.get_by_role("button", name="Keep all")).to_be_focused()
    await look.page.keyboard.press("Escape")
    await expect(look.page.get_by_role("button", name="Yes, reset")).to_be_hidden()
    assert len(emulator.messages()) == 1
    await look.page.get_by_role("button", name="Reset the emulator…").click()
    await look.page.get_by_role("button", name="Yes, reset").click()
    await expect(look.rows).to_have_count(0)
    await expect(look.page.get_by_role("heading", name="Send the first message")).to_be_visible()
    await expect(look.page.locator("#clock-offset")).to_contain_text("real time")
    assert emulator.messages() == []
    await send("a new one")
    await expect(look.rows).to_have_count(1)


async def test_an_emulator_that_is_gone_is_said(look: Look, emulator: Emulator) -> None:
    await emulator.stop()
    await look.page.get_by_role("button", name="+1 min").click()
    await expect(look.page.locator("#clock-note")).to_have_text("The emulator does not answer.")
    look.problems.clear()
