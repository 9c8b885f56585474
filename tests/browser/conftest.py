"""Debian's Chromium, driven by Playwright, looking at an emulator in this process.

Starting a browser takes longer than most of these tests, so that all share one, and its event loop.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from payamak.emulator import Emulator
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from support.browser import SENDERS, Look, Send

ARGUMENTS = [
    "--no-sandbox", "--headless=new", "--disable-gpu", "--in-process-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# What the policy refuses is reported here, by whatever it was that tried.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
"""


@pytest_asyncio.fixture(loop_scope="session")
async def no_task_left() -> AsyncIterator[None]:
    """As for every test, but in the loop that these share with the browser."""
    before = asyncio.all_tasks()
    yield
    async with asyncio.timeout(30):
        while any(task is not asyncio.current_task() for task in asyncio.all_tasks() - before):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        absent = "Chromium is not there; on Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


# A busy machine draws slowly.
expect.set_options(timeout=20_000)


@pytest.fixture
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Of the browser's context; a test gives its own by parametrizing this, indirectly if it does not look at them."""
    return getattr(request, "param", {})


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, options: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Asia/Tehran", **options}
    opened = await browser.new_context(**settings)
    await opened.grant_permissions(["clipboard-read", "clipboard-write"])
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def look(context: BrowserContext, emulator: Emulator) -> AsyncIterator[Look]:
    """The open page; at the end nothing was refused by its policy, and no script failed."""
    page = await context.new_page()
    page.set_default_timeout(20_000)
    shown = Look(page, emulator.url)
    page.on("console", lambda message: shown.note(message))  # noqa: PLW0108 -- Playwright marks the function it is given
    page.on("pageerror", lambda error: shown.problems.append(str(error)))
    await page.add_init_script(WATCH)
    await shown.open()
    yield shown
    refused: list[str] = await page.evaluate("window.refused")
    await page.close()
    assert refused == []
    assert shown.problems == []


@pytest.fixture
def send(emulator: Emulator) -> Send:
    """Sends a text through a client of this project."""

    async def run(text: str, gateway: str = "ghasedak", number: str = "09121234567") -> None:
        await SENDERS[gateway](emulator, text, number)

    return run
