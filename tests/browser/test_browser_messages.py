"""What the page shows of the messages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import GhasedakClient, OutgoingMessage
from playwright.async_api import expect
from support.browser import Look, Send

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIGNS = {
    "ghasedak": ("Ghasedak", "from 10008566"),
    "smsir": ("sms.ir", "from the vendor's line"),
    "opgateway": ("opgateway", "from 3000505"),
    "advgateway": ("advgateway", "from 50001"),
    "advgateway over REST": ("advgateway", "from 50001"),
}


@pytest.mark.parametrize("gateway", SIGNS)
async def test_what_each_client_sends_appears_without_reload(look: Look, send: Send, gateway: str) -> None:
    await look.page.evaluate("window.sameDocument = true")
    await send("سفارش شما آماده شد. " * 5, gateway)
    row = look.row("سفارش")
    title, line = SIGNS[gateway]
    for piece in (title, "09121234567", line, "2 parts", "310 rial"):
        await expect(row).to_contain_text(piece)
    await expect(row.locator("time")).to_be_visible()
    assert await look.page.evaluate("window.sameDocument")


async def test_delivery_moves_through_the_states(look: Look, send: Send, emulator: Emulator) -> None:
    switches = emulator.ghasedak.switches
    switches.telecom_after, switches.delivered_after = 3600, 7200
    await send("on its way")
    for label, status in (("Queued", 0), ("Sent", 8), ("Delivered", 1)):
        await expect(look.row("on its way").locator(".badge")).to_have_text(label)
        await expect(look.row("on its way").locator(".status")).to_have_text(f"status {status}")
        emulator.clock.advance(3600)


@pytest.mark.parametrize(("number", "label"), [("09000000002", "Failed"), ("09000000027", "Blocked")])
async def test_what_does_not_arrive(look: Look, send: Send, emulator: Emulator, number: str, label: str) -> None:
    await send("lost", number=number)
    emulator.clock.advance(60)
    await expect(look.row("lost").locator(".badge")).to_have_text(label)


async def test_a_one_time_password_and_a_scheduled_message(look: Look, emulator: Emulator) -> None:
    emulator.ghasedak.templates["login"] = "کد: %param1%"
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        await client.send_otp("09121234567", "login", ["482913"])
        later = emulator.clock.now().replace(year=emulator.clock.now().year + 1)
        await client.send("09121234567", "later", sender="10008566", send_at=later, check_id="order-1001")
    row = look.row("one-time password")
    await expect(row).to_contain_text("template login")
    await expect(look.row("later").locator(".badge")).to_have_text("Scheduled")
    await expect(look.row("later")).to_contain_text(f"{later.year}")
    await expect(look.row("later")).to_contain_text("check id order-1001")


async def test_newest_first_and_told_to_those_who_do_not_see(look: Look, send: Send) -> None:
    for number, text in enumerate(["one", "two", "three"], 1):
        await send(text)
        await expect(look.rows).to_have_count(number)
    await expect(look.rows.locator(".text")).to_have_text(["three", "two", "one"])
    announced = look.page.get_by_role("status").filter(has_text="New message to 09121234567 from Ghasedak")
    await expect(announced).to_have_count(1)


async def test_persian_runs_from_right_to_left(look: Look, send: Send) -> None:
    await send("سلام، hello")
    await send("hello, سلام")
    for text, direction in (("سلام، hello", "rtl"), ("hello, سلام", "ltr")):
        await expect(look.row(text).locator(".text")).to_have_css("direction", direction)


async def test_times_are_of_the_local_zone(look: Look, send: Send, emulator: Emulator) -> None:
    await send("now")
    (message,) = emulator.messages()
    shown = message.created_at.astimezone(ZoneInfo("Asia/Tehran"))
    await expect(look.row("now").locator("time")).to_contain_text(f"{shown:%H:%M:%S}")


CODES: list[tuple[str, list[str]]] = [
    ("کد ورود شما: 482913", ["482913"]),
    ("کد ورود شما: ۴۸۲۹۱۳ است", ["482913"]),
    ("رمز ٤٨٢٩", ["4829"]),
    ("G-482913 or 1234", ["482913", "1234"]),
    ("12345678.", ["12345678"]),
    ("123 و 123456789", []),
    ("مبلغ ۱٬۲۴۵٬۰۰۰ ریال تا 1404/09/15 و 1,2345", []),
    ("https://shop.example/o/1001?code=5555", []),
]


async def test_codes_are_found(look: Look, send: Send) -> None:
    for text, _ in CODES:
        await send(text)
    # The newest stands first.
    await expect(look.rows.locator(".text")).to_have_text([text for text, _ in reversed(CODES)])
    for place, (_, codes) in enumerate(reversed(CODES)):
        buttons = look.rows.nth(place).get_by_role("button", name="Copy the code")
        labels = [await button.get_attribute("aria-label") for button in await buttons.all()]
        assert labels == [f"Copy the code {code}" for code in codes]


@pytest.mark.parametrize("clipboard", ["the clipboard", "no clipboard"])
async def test_a_code_is_copied_with_one_click(look: Look, send: Send, clipboard: str) -> None:
    await look.page.evaluate("navigator.clipboard.writeText('before')")
    if clipboard == "no clipboard":
        await look.page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"
        )
    await send("کد شما ۴۸۲۹۱۳ است")
    await look.page.get_by_role("button", name="Copy the code 482913").click()
    await expect(look.page.get_by_role("status").filter(has_text="Copied 482913")).to_have_count(1)
    assert await look.page.evaluate("navigator.clipboard.readText()") == "482913"


MARKUP = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><b id=bold>"


async def test_what_users_write_is_never_markup(look: Look, send: Send, emulator: Emulator) -> None:
    emulator.ghasedak.account.lines = (MARKUP, "10008566")
    emulator.ghasedak.account.service_line = MARKUP
    emulator.ghasedak.templates[MARKUP] = MARKUP
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        await client.send("09121234567", f"text {MARKUP}", sender="10008566", check_id=MARKUP)
        await client.send_otp("09121234567", MARKUP, [MARKUP])
    await send("</p></li><script src=//evil.example></script>", "opgateway")
    emulator.add_fault(Fault("redirect", location=MARKUP, path=MARKUP))
    # After a reset the page asks for lines anew; it opens with them here.
    await expect(look.rows).to_have_count(3)
    await look.open()
    await expect(look.rows).to_have_count(3)
    await expect(look.row("text ").locator(".text")).to_have_text(f"text {MARKUP}")
    await expect(look.row("from <script>")).to_have_count(1)
    await expect(look.page.locator("#ordered")).to_contain_text(MARKUP)
    await expect(look.page.locator("#reply select[name=line] option").first).to_have_text(MARKUP)
    assert await look.page.evaluate("window.ran") is None
    assert await look.page.locator("#bold, img:not(.mark), script:not([src='emulator/page/page.js'])").count() == 0


async def test_the_policy_would_stop_markup_that_got_through(look: Look) -> None:
    """The second line of defence: even a careless innerHTML is refused by the browser."""
    failed = await look.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>'; } catch (error) { return error.name; } }"
    )
    assert failed == "TypeError"
    assert await look.page.evaluate("window.refused.splice(0)") == ["require-trusted-types-for"]
    look.problems.clear()


async def test_filter_by_gateway(look: Look, send: Send) -> None:
    for gateway in ("ghasedak", "smsir", "opgateway", "advgateway"):
        await send(f"through {gateway}", gateway)
    # sms.ir welcomes a new contact with a message of its own.
    filters = look.page.get_by_role("search")
    for gateway, title in (("smsir", "sms.ir"), ("opgateway", "opgateway")):
        await expect(look.row("through")).to_have_count(4 if gateway == "smsir" else 1)
        await filters.get_by_role("radio", name=title).check()
        await expect(look.row("through")).to_have_count(1)
        await expect(look.row("through")).to_contain_text(f"through {gateway}")
    await send("of another", "ghasedak")
    await send("of the same", "opgateway")
    await expect(look.row("of the same")).to_have_count(1)
    await expect(look.row("of another")).to_have_count(0)
    await filters.get_by_role("radio", name="All").check()
    await expect(look.row("of another")).to_have_count(1)


WAYS_TO_WRITE = [
    "09121111111", "0912 111 1111", "+98 912 111 1111", "00989121111111", "989121111111",
    "۰۹۱۲۱۱۱۱۱۱۱", "۱۱۱۱۱", "٠٩١٢",
]  # fmt: skip


async def test_filter_by_number(look: Look, send: Send) -> None:
    await send("this one", number="09121111111")
    await send("another", number="09352222222")
    for written in WAYS_TO_WRITE:
        await look.page.get_by_role("searchbox").fill("")
        await expect(look.rows).to_have_count(2)
        await look.page.get_by_role("searchbox").fill(written)
        await expect(look.rows.locator(".text")).to_have_text(["this one"])
    await expect(look.page.locator("#count")).to_have_text("1 message of 2")


@pytest.mark.parametrize("written", ["0913", "abc"])
async def test_a_filter_that_matches_nothing_can_be_cleared(look: Look, send: Send, written: str) -> None:
    await send("hello")
    await look.page.get_by_role("searchbox").fill(written)
    await expect(look.rows).to_have_count(0)
    await look.page.get_by_role("button", name="Clear the filter").click()
    await expect(look.rows).to_have_count(1)
    await expect(look.page.get_by_role("searchbox")).to_be_focused()


async def test_thousands_of_messages(look: Look, emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 10_000_000
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        numbers = [f"0912{number:07}" for number in range(2000)]
        messages = [OutgoingMessage(number, f"to {number}", "10008566") for number in numbers]
        for start in range(0, len(messages), 100):
            await client.send_pairs(messages[start : start + 100])
    await expect(look.page.locator("#count")).to_have_text("2,000 messages, the newest 100 shown")
    await expect(look.rows).to_have_count(100)
    await expect(look.rows.first).to_contain_text("to 09120001999")
    await look.page.get_by_role("button", name="Show more").click()
    await expect(look.rows).to_have_count(200)
    await expect(look.rows.nth(100)).to_be_focused()
    await look.page.get_by_role("searchbox").fill("0001 007")
    await expect(look.rows).to_have_count(1)
    await expect(look.page.get_by_role("button", name="Show more")).to_be_hidden()
    emulator.clock.advance(60)
    await expect(look.rows.locator(".badge")).to_have_text("Delivered")


async def test_what_has_the_focus_stays_where_it_is(look: Look, send: Send) -> None:
    await send("کد شما 482913 است")
    button = look.page.get_by_role("button", name="Copy the code 482913")
    await button.focus()
    await send("another")
    await expect(look.rows).to_have_count(2)
    await expect(button).to_be_focused()


async def test_nothing_sent_yet(look: Look, send: Send, emulator: Emulator) -> None:
    guide = look.page.locator("#guide")
    for gateway in (emulator.ghasedak_url, emulator.smsir_url, emulator.opgateway_url, emulator.advgateway_url):
        await expect(guide).to_contain_text(f'"{gateway}"')
    await guide.get_by_role("button", name="Copy the Python example for Ghasedak").click()
    assert "GhasedakClient" in await look.page.evaluate("navigator.clipboard.readText()")
    await send("first")
    await expect(guide).to_be_hidden()
    await look.page.get_by_role("button", name="How to send").click()
    await expect(guide).to_be_visible()


async def test_the_page_finds_the_emulator_again(look: Look, send: Send, emulator: Emulator) -> None:
    await send("before")
    await expect(look.rows).to_have_count(1)
    port = int(emulator.url.rpartition(":")[2])
    await emulator.stop()
    await expect(look.page.locator("#link")).to_have_text("Reconnecting…")
    async with Emulator(port=port) as another:
        await look.live.wait_for()
        # What was sent to the first one is gone, as it is in the new one.
        await expect(look.rows).to_have_count(0)
        async with GhasedakClient("emulator-key", base_url=another.ghasedak_url) as client:
            await client.send("09121234567", "after", sender="10008566")
        await expect(look.row("after")).to_have_count(1)
        await look.page.goto("about:blank")
        # The browser reports connections that it could not make.
        look.problems.clear()
        await look.page.evaluate("window.refused = []")


async def test_a_stream_that_breaks_off_goes_on(look: Look, send: Send, emulator: Emulator) -> None:
    """The same emulator, another connection: what came meanwhile is there, and nothing is there twice."""
    await send("before")
    await expect(look.rows).to_have_count(1)
    emulator._wanted_port = int(emulator.url.rpartition(":")[2])
    await emulator.stop()
    await emulator.start()
    await send("meanwhile")
    await expect(look.rows.locator(".text")).to_have_text(["meanwhile", "before"])
    emulator.clock.advance(60)
    await expect(look.rows.locator(".badge")).to_have_text(["Delivered", "Delivered"])
    look.problems.clear()


async def test_what_the_emulator_has_dropped_goes(look: Look, send: Send, emulator: Emulator) -> None:
    emulator._ledger._limit = 3
    for text in ("first", "second", "third", "fourth"):
        await send(text)
    await expect(look.rows).to_have_count(3)
    await expect(look.page.locator("#count")).to_have_text("3 messages, 1 older dropped")
    await send("fifth")
    emulator.clock.advance(60)
    await expect(look.row("fifth").locator(".badge")).to_have_text("Delivered")
    await expect(look.page.locator("#count")).to_have_text("3 messages, 2 older dropped")
    await expect(look.row("second")).to_have_count(0)
    await look.page.reload()
    await expect(look.rows).to_have_count(3)
    await expect(look.row("third").locator(".badge")).to_have_text("Delivered")
