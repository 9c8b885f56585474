"""The page's files as a browser gets them, and who may drive the emulator. How it works stands in tests/browser."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import KINDS

pytestmark = [pytest.mark.real_time, pytest.mark.asyncio]

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FILES = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in resources.files("payamak.emulator").joinpath("page").iterdir()
}
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'",
    "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
}  # fmt: skip


class Addresses(HTMLParser):
    """What a document loads, and what would be refused by its policy."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.refused: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [str(given[name]) for name in ("src", "href") if name in given]
        self.refused += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.refused.append(tag)


async def get(session: aiohttp.ClientSession, url: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    async with session.get(url, headers=headers) as response:
        return response, await response.text()


async def test_a_browser_gets_the_page_and_others_the_text(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    page, content = await get(session, emulator.url, **BROWSER)
    assert (page.status, page.content_type, content) == (200, "text/html", FILES["index.html"])
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "text/plain"}):
        text, content = await get(session, emulator.url, **accept)
        assert (text.status, text.content_type) == (200, "text/plain")
        assert "events" in content
        assert text.headers["Vary"] == page.headers["Vary"] == "Accept"
    assert emulator.requests == []


async def test_headers_of_every_file(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    assert {"index.html", "page.css", "page.js", "icon.svg"} <= set(FILES)
    for name, content in FILES.items():
        response, text = await get(session, f"{emulator.url}/emulator/page/{name}")
        assert (response.status, response.content_type) == (200, TYPES[name.rpartition(".")[2]])
        assert text == content
        assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "nothing.js", "../server.py", "%2e%2e/server.py", "..%2fserver.py", "page.css/"])
async def test_nothing_else_is_served(raw: Any, path: str) -> None:
    head = f"GET /emulator/page/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert (await raw(head.encode())).startswith(b"HTTP/1.1 404 ")


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    document = Addresses(FILES["index.html"])
    files = {address.removeprefix("emulator/page/") for address in document.loaded if not address.startswith("#")}
    assert files < set(FILES)
    assert document.refused == []
    for name, content in FILES.items():
        assert set(re.findall(r"https?://[^\s\"`]+", content)) <= {
            "http://www.w3.org/2000/svg",
            "https?://\\\\S+|(?<![",
        }
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|url\(|@import", content), name
        for module in re.findall(r'from "\./([^"]+)"', content):
            assert module in FILES


async def test_what_the_page_is_told(emulator: Emulator, control: Any) -> None:
    emulator.ghasedak.account.lines = ("5000",)
    about = (await control("GET", "about")).body
    gateways = {gateway["name"]: gateway for gateway in about["gateways"]}
    assert list(gateways) == list(emulator.gateways)
    # sms.ir's web service receives nothing.
    assert [name for name, gateway in gateways.items() if not gateway["lines"]] == ["smsir"]
    assert gateways["ghasedak"]["lines"] == ["5000"]
    assert 'sender="5000"' in gateways["ghasedak"]["examples"][0]["code"]
    assert all("0900 000 00xx" in gateway["about"] for gateway in gateways.values())
    assert about["url"] == emulator.url
    assert [kind["kind"] for kind in about["faults"]] == list(KINDS)


async def test_a_fault_can_be_ordered_of_every_kind_as_it_is_described(control: Any, emulator: Emulator) -> None:
    values = {"number": 0.5, "integer": 302, "text": "/x", "boolean": True, "object": {"A": "b"}}
    for kind in (await control("GET", "about")).body["faults"]:
        assert kind["text"]
        required = {item["name"]: values[item["type"]] for item in kind["arguments"] if item["required"]}
        defaults = {item["name"]: item["default"] for item in kind["arguments"] if not item["required"]}
        given = {item["name"]: values[item["type"]] for item in kind["arguments"]}
        assert Fault.from_dict({"kind": kind["kind"], **required, **defaults}) == Fault.from_dict(
            {"kind": kind["kind"], **required}
        )
        assert (await control("POST", "faults", {"kind": kind["kind"], **given})).http == 200
    assert [fault["kind"] for fault in emulator.faults] == list(KINDS)


COUNTS = {"ghasedak": 2, "smsir": 1, "opgateway": 2, "advgateway": 2}


@pytest.mark.parametrize(
    ("gateway", "place"), [(name, place) for name, count in COUNTS.items() for place in range(count)]
)
async def test_the_first_message_is_sent_as_the_page_says(
    emulator: Emulator, control: Any, gateway: str, place: int
) -> None:
    about = (await control("GET", "about")).body
    (found,) = (item["examples"] for item in about["gateways"] if item["name"] == gateway)
    assert [item["title"] for item in found] == ["Python", "curl"][: COUNTS[gateway]]
    code: str = found[place]["code"]
    if found[place]["title"] == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not there")
    command = ["sh", "-ec", code] if found[place]["title"] == "curl" else [sys.executable, "-W", "error", "-c", code]
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output = await process.communicate()
    assert process.returncode == 0, output
    (message,) = (message for message in emulator.messages() if message.kind == "sms")
    assert (message.gateway, message.recipient) == (gateway, "09121234567")
    assert message.text in ("کد ورود شما: 482913", "حراج فردا شروع می‌شود.")


PATHS = [
    ("POST", "reset"),
    ("POST", "clock"),
    ("DELETE", "faults"),
    ("GET", "messages"),
    ("GET", "events"),
    ("GET", "page/page.js"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null", ""])
async def test_another_sites_page_may_not_drive_the_emulator(
    emulator: Emulator, session: aiohttp.ClientSession, method: str, path: str, origin: str
) -> None:
    emulator.add_fault(Fault("empty"))
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    async with session.request(method, f"{emulator.url}/emulator/{path}", headers=headers, data=b"{}") as response:
        assert response.status == 403
    assert len(emulator.faults) == 1


async def test_its_own_page_may(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    for origin, host in ((emulator.url, None), ("http://localhost:8650", "LOCALHOST:8650")):
        emulator.add_fault(Fault("empty"))
        headers = {"Origin": origin, **({"Host": host} if host else {})}
        async with session.post(f"{emulator.url}/emulator/reset", headers=headers, json={}) as response:
            assert response.status == 200
        assert emulator.faults == []
