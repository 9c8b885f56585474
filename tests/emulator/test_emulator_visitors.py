"""Whose requests are answered, and what a browser may do with an answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict
from payamak.emulator import Emulator, Fault

pytestmark = [pytest.mark.real_time, pytest.mark.asyncio]

SEND = "v2/sms/send/simple?apikey=emulator-key&message=x&receptor=09121111111&linenumber=10008566"
PATHS = [
    SEND,
    "users/v1/Token/GetToken",
    "services.jspd",
    "class/sms/webservice3/server.php",
    "class/sms/restful/x.php",
]
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "file://{host}"},
        CIMultiDict([("Origin", "http://{host}"), ("Origin", "https://evil.example")]),
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_another_sites_page_sends_nothing(
    emulator: Emulator, session: aiohttp.ClientSession, path: str, headers: Mapping[str, str]
) -> None:
    emulator.add_fault(Fault("empty"))
    host = emulator.url.removeprefix("http://")
    headers = CIMultiDict([(name, value.format(host=host)) for name, value in headers.items()])
    for method in ("GET", "POST"):
        async with session.request(method, f"{emulator.url}/{path}", headers=headers) as response:
            assert response.status == 403
    assert (emulator.requests, emulator.messages(), len(emulator.faults)) == ([], [], 1)


@pytest.mark.parametrize("headers", [{}, LINK, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
async def test_who_is_no_other_sites_page_may_send(
    emulator: Emulator, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with session.get(f"{emulator.url}/{SEND}", headers=headers) as response:
        assert response.status == 200
    assert len(emulator.messages()) == 1


FAULTS = [
    None,
    Fault("wrong_content_type"),
    Fault("status", status=200, body="<script>", content_type="text/html"),
    Fault("html"),
    Fault("cut_reply"),
    Fault("oversized", size=2000),
    Fault("refuse", code=1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "none" if fault is None else str(fault.kind))
async def test_a_browser_runs_nothing_of_any_answer(
    emulator: Emulator, session: aiohttp.ClientSession, fault: Fault | None
) -> None:
    for path in [*PATHS, "elsewhere", "emulator/messages", "users/files/0/x"]:
        if fault is not None:
            emulator.add_fault(fault)
        async with session.get(f"{emulator.url}/{path}") as response:
            assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'", path
            assert response.headers["X-Content-Type-Options"] == "nosniff", path


async def test_only_hosts_that_were_named_are_answered(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = {"sms:8650": 200, "SMS.": 200, "[fd00::7]:8650": 200, "127.0.0.1:1": 200, "localhost": 200}
    hosts |= {"LOCALHOST.:80": 200, "[::1]:80": 200, "localhost:80@evil.example": 403, "[::1].evil.example": 403}
    hosts |= {"localhost.evil.example": 403, "[localhost]": 403, "localhost:80:80": 403, "localhost:x": 403}
    hosts |= {"evil.example": 403, "sms.evil.example": 403, "xsms": 403, "": 403}
    async with Emulator("0.0.0.0", allowed_hosts=["Sms", "fd00::7"], allow_remote=True) as emulator:  # noqa: S104
        assert emulator.allows_remote
        for host, status in hosts.items():
            async with session.get(f"{emulator.url}/emulator/clock", headers={"Host": host}) as response:
                assert (host, response.status) == (host, status)
    assert caplog.records == []


async def test_any_host_is_answered_with_a_warning(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with Emulator(allow_remote=True) as emulator:
        for _ in range(2):
            async with session.get(f"{emulator.url}/emulator/clock", headers={"Host": "sms:8650"}) as response:
                assert response.status == 200
    ((name, level, text),) = caplog.record_tuples
    assert (name, level) == ("payamak.emulator", logging.WARNING)
    assert "--allowed-host" in text


@pytest.mark.parametrize("name", ["", "http://sms", "sms:8650", "a b", "sms/", "u@sms", "[::1]:80", "s\x1bms"])
async def test_what_is_no_host(name: str) -> None:
    with pytest.raises(ValueError, match="allowed_hosts must be names"):
        Emulator(allowed_hosts=[name])


async def test_the_emulators_own_page_is_not_sandboxed(emulator: Emulator, session: Any) -> None:
    async with session.get(emulator.url, headers={"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}) as response:
        assert response.status == 200
        assert "sandbox" not in response.headers["Content-Security-Policy"]
