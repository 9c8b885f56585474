"""The page for everybody: by keyboard, in the dark, on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from payamak.emulator import Emulator, Fault
from playwright.async_api import expect
from support.browser import Look, Send

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
SCHEMES = ["light", "dark"]

# Texts whose colour is too near to that of what they stand on: less than 4.5 to 1, as WCAG AA counts.
FAINT = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (element, colour) => {
    const [low, high] = [luminance(colour), luminance(ground(element))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const faint = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("noscript")) continue;
    seen += 1;
    const ratio = contrast(element, getComputedStyle(element).color);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data.trim()}`);
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea, select")) {
    const ratio = contrast(field, getComputedStyle(field, "::placeholder").color);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} placeholder ${field.name || field.id}`);
  }
  return [seen, faint];
}"""

# Controls that a screen reader would call nothing.
NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea, summary")].filter((element) => {
  const labels = [...(element.labels ?? [])].map((label) => label.textContent).join("");
  return !(element.getAttribute("aria-label") || labels || element.textContent).trim();
}).map((element) => element.outerHTML)"""


async def fill(look: Look, send: Send, emulator: Emulator) -> None:
    """One message in each state, a fault, and an error."""
    for number in ("09000000000", "09000000088", "09000000002", "09000000027", "09121234567"):
        await send("کد ورود شما: ۴۸۲۹۱۳", number=number)
    await send("hello", "smsir")
    await send("سلام", "opgateway")
    await send("سلام", "advgateway")
    emulator.add_fault(Fault("drop_after_read", gateway="ghasedak", path="elsewhere"))
    emulator.clock.advance(60)
    await expect(look.row("09121234567").first.locator(".badge")).to_have_text("Delivered")
    await expect(look.row("09000000027").locator(".badge")).to_have_text("Blocked")
    await expect(look.page.locator("#ordered > li")).to_have_count(1)


@pytest.mark.parametrize(
    "options", [{"color_scheme": scheme, "reduced_motion": "reduce"} for scheme in SCHEMES], ids=SCHEMES
)
async def test_every_text_can_be_read(look: Look, send: Send, emulator: Emulator, options: dict[str, Any]) -> None:
    await look.page.locator("#guide details.about").first.locator("summary").click()
    empty, faint = await look.page.evaluate(FAINT)
    assert (empty > 40, faint) == (True, [])
    await fill(look, send, emulator)
    full, faint = await look.page.evaluate(FAINT)
    assert (full > 100, faint) == (True, [])
    body = await look.page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in body.removeprefix("rgb(").removesuffix(")").split(","))
    assert (brightness > 600) is (options["color_scheme"] == "light")
    assert await look.page.evaluate("getComputedStyle(document.querySelector('#feed > li')).animationName") == "none"


async def test_every_control_has_a_name(look: Look, send: Send, emulator: Emulator) -> None:
    await fill(look, send, emulator)
    await look.page.locator("#fault").get_by_label("What goes wrong").select_option("status")
    assert await look.page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("options", [PHONE], ids=["phone"], indirect=True)
async def test_nothing_is_wider_than_a_phone(
    look: Look, send: Send, emulator: Emulator, options: dict[str, Any]
) -> None:
    width = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert await look.page.evaluate(width) <= 360
    await fill(look, send, emulator)
    emulator.add_fault(Fault("empty", path="x" * 200))
    for text in ("x" * 300, "https://shop.example/" + "y" * 200, "کلمه" * 80):
        await send(text)
        await expect(look.row(text)).to_have_count(1)
    assert await look.page.evaluate(width) <= 360
    await expect(look.page.locator("#tools")).to_be_hidden()
    await look.page.get_by_role("button", name="Tools").click()
    await expect(look.page.get_by_role("button", name="+10 min")).to_be_visible()
    await expect(look.page.locator("#ordered")).to_contain_text("x" * 200)
    assert await look.page.evaluate(width) <= 360
    await look.page.get_by_role("button", name="Tools").click()
    await look.rows.first.get_by_role("button", name="Reply").click()
    await expect(look.page.locator("#reply").get_by_label("Text")).to_be_focused()
    await emulator.stop()
    await expect(look.page.locator("#link")).to_have_text("Reconnecting…")
    assert await look.page.evaluate(width) <= 360
    look.problems.clear()


class Keyboard:
    """Walks by keyboard, and sees to it that one always sees where one is."""

    def __init__(self, look: Look) -> None:
        self.page = look.page

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def tab_to(self, name: str) -> None:
        for _ in range(60):
            await self.page.keyboard.press("Tab")
            found, outline = await self.page.evaluate(
                "() => { const at = document.activeElement;"
                " if (at === document.body) return ['', ''];"
                " const seen = at.matches('.choice input') ? at.nextElementSibling : at;"
                " return [at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent,"
                " getComputedStyle(seen).outlineStyle]; }"
            )
            assert outline != "none", f"{found!r} has the focus, and nobody can see it"
            if found.strip().startswith(name):
                return
        pytest.fail(f"no way to {name!r}")


async def test_by_keyboard_alone(look: Look, send: Send, emulator: Emulator) -> None:
    keyboard = Keyboard(look)
    await send("کد شما 482913 است")
    await send("hello", "opgateway")
    await expect(look.rows).to_have_count(2)

    await keyboard.tab_to("Skip to the messages")
    await keyboard.press("Enter")
    await keyboard.tab_to("All")
    await keyboard.press("ArrowRight")
    await expect(look.rows).to_have_count(1)
    await keyboard.tab_to("Recipient")
    await look.page.keyboard.type("0912")
    await keyboard.tab_to("Copy the code 482913")
    await keyboard.press("Enter")
    assert await look.page.evaluate("navigator.clipboard.readText()") == "482913"
    await keyboard.tab_to("Reply from 09121234567")
    await keyboard.press("Enter")
    await look.page.keyboard.type("thanks")
    await keyboard.tab_to("Put into the inbox")
    await keyboard.press("Space")
    await expect(look.page.locator("#reply").get_by_role("status")).to_contain_text("received() finds it")

    await keyboard.tab_to("What goes wrong")
    await look.page.keyboard.type("garbage")
    await keyboard.tab_to("Order the fault")
    await keyboard.press("Enter")
    await expect(look.page.locator("#ordered")).to_contain_text("garbage")
    await keyboard.tab_to("Clear all faults")
    await keyboard.press("Enter")
    await expect(look.page.locator("#ordered > li")).to_have_count(0)
    await keyboard.tab_to("Reset the emulator")
    await keyboard.press("Enter", "Shift+Tab", "Enter")
    await expect(look.page.get_by_role("heading", name="Send the first message")).to_be_visible()

    await keyboard.tab_to("Skip to the tools")
    await keyboard.press("Enter")
    await keyboard.tab_to("+10 s")
    await keyboard.press("Enter")
    await expect(look.page.locator("#clock-offset")).to_contain_text("+10 s")
