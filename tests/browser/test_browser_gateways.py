"""What a browser makes of the gateways' own answers, and of other sites' pages that ask for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import web
from payamak.emulator import Emulator, Fault
from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

# PHP's JSON escapes quotation marks and slashes, and nothing else.
SCRIPT = "top.document.title='ran';fetch('emulator'+String.fromCharCode(47)+'reset',{method:'POST'})"
TEXTS = {
    "script": f"<iframe srcdoc=&lt;script&gt;{SCRIPT}&lt;&#47;script&gt;></iframe>",
    "handler": f"<img src=x onerror={SCRIPT}>",
}
SEND = {"apikey": "emulator-key", "message": "x", "receptor": "09121111111", "linenumber": "10008566"}


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def elsewhere() -> AsyncIterator[str]:
    """The address of an empty page on another port."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="<title>another page</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_text_in_an_answer_does_not_run(page: Page, emulator: Emulator, text: str) -> None:
    emulator.opgateway.switches.allow_get = True
    emulator.add_inbox_message(gateway="opgateway", sender="09121234567", line="50001", text=text)
    query = urlencode({"op": "inboxlist", "uname": "emulator", "pass": "emulator"})
    answer = await page.goto(f"{emulator.opgateway_url}?{query}")
    assert answer is not None
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    assert text.partition("<")[2][:20] in await answer.text()
    assert (await page.title(), len(emulator.opgateway._state.inbox)) == ("", 1)


async def test_an_answer_that_is_labelled_wrongly_does_not_run(page: Page, emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=200, body=f"<script>{SCRIPT}</script>", content_type="text/html"))
    await page.goto(f"{emulator.ghasedak_url}account/info")
    assert (await page.title(), emulator.faults, len(emulator.requests)) == ("", [], 1)


# A page can do each of these to any address, and reads no answer.
ATTEMPTS = {
    "form": "(url, body) => { const form = document.createElement('form'); form.method = 'POST'; form.action = url;"
    " for (const [name, value] of new URLSearchParams(body)) { const field = document.createElement('input');"
    " field.name = name; field.value = value; form.append(field); } document.body.append(form); form.submit(); }",
    "fetch": "(url, body) => fetch(url, {method: 'POST', mode: 'no-cors', body: new URLSearchParams(body)})",
    "get": "(url, body) => fetch(`${url}?${body}`, {mode: 'no-cors'})",
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
async def test_another_sites_page_sends_nothing(page: Page, emulator: Emulator, elsewhere: str, attempt: str) -> None:
    await page.goto(elsewhere)
    url = f"{emulator.ghasedak_url}sms/send/simple"
    async with page.expect_response(lambda response: response.url.startswith(url)) as caught:
        await page.evaluate(f"([url, body]) => {{ ({attempt})(url, body); }}", [url, urlencode(SEND)])
    assert (await caught.value).status == 403
    assert (emulator.requests, emulator.messages()) == ([], [])
