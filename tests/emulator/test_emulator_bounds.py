"""What the emulator keeps, how long it waits, and what is too much or too broken for it."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault, server, uploads
from payamak.emulator.live import Listener
from payamak.emulator.smsir import excel

from .conftest import SmsIr

pytestmark = [pytest.mark.real_time, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(max_messages=3) as running:
        yield running


@pytest.fixture
def look(emulator: Emulator) -> Callable[[], dict[str, Any]]:
    return Listener(emulator.clock, emulator._ledger, emulator._faults).look


async def test_the_oldest_messages_are_dropped(
    emulator: Emulator, call: Any, send: Any, control: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [await send(f"0912111000{place}", checkid="7") for place in range(5)]
    assert [message.id for message in emulator.messages()] == ids[2:]
    assert emulator.messages_dropped == 2
    assert (await control("GET", "messages")).body["dropped"] == 2
    assert [item["messageid"] for item in (await call("sms/status", id="7", type=2)).items] == ids[2:]
    known = [item["status"] != -1 for item in (await call("sms/status", id=",".join(map(str, ids)), type=1)).items]
    assert known == [False, False, True, True, True]
    assert "3 messages" in caplog.text
    assert len(caplog.records) == 1
    emulator.reset()
    await send()
    assert ((await control("GET", "messages")).body.get("dropped"), len(emulator.messages())) == (None, 1)


async def test_a_send_goes_when_its_last_message_does(emulator: Emulator, smsir: SmsIr, send: Any) -> None:
    emulator.smsir.switches.numbers_must_be_contacts = False
    keys = [
        (await smsir("SendByMobileNumbers", Message="m", MobileNumbers=["09121111111", "09122222222"]))["BatchKey"]
        for _ in range(4)
    ]
    assert [batch.key for batch in emulator.smsir.batches] == keys[2:]
    assert len({message.id for message in emulator.messages()}) == 3
    # What was sent stays counted.
    assert (await smsir("GetUserInfo"))["SentCount"] == 8


async def test_an_order_goes_when_its_last_message_does(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    order = {"op": "send", "uname": "emulator", "pass": "emulator", "from": "50001", "message": "m"}
    bulks: list[str] = []
    for _ in range(5):
        async with session.post(emulator.opgateway_url, data={**order, "to": '["09121111111"]'}) as response:
            bulks.append((await response.text()).strip("[]").split(",")[1])
    assert len(set(bulks)) == 5
    assert list(map(str, emulator.opgateway._state.bulks)) == bulks[2:]


async def test_requests_are_bounded(emulator: Emulator, call: Any) -> None:
    for _ in range(20):
        await call("account/info")
        assert len(emulator.requests) <= 4
    assert len(emulator.requests) >= 3


async def test_lists_come_by_pages(emulator: Emulator, send: Any, control: Any) -> None:
    ids = [await send() for _ in range(5)][2:]
    newest = (await control("GET", "messages?limit=2")).body
    oldest = (await control("GET", f"messages?limit=2&before={newest['before']}")).body
    assert [item["id"] for item in oldest["messages"] + newest["messages"]] == ids
    assert "before" not in oldest
    assert (await control("GET", "messages?limit=0")).body == {"messages": [], "dropped": 2}
    assert len((await control("GET", "requests?limit=1")).body["requests"]) == 1
    for query in ("limit=-1", "limit=x", "before=", "limit=1e3", f"limit={'9' * 5000}"):
        assert (await control("GET", f"messages?{query}")).http == 400


async def test_a_listener_is_told_what_was_dropped(
    emulator: Emulator, send: Any, look: Callable[[], dict[str, Any]]
) -> None:
    emulator.ghasedak.switches.telecom_after = emulator.ghasedak.switches.delivered_after = 3600
    await send()
    assert (look()["first"], len(emulator.messages())) == (0, 1)
    for _ in range(6):
        await send()
    news = look()
    assert (news["dropped"], news["first"], len(news["messages"])) == (4, 4, 3)
    emulator.clock.advance(3600)
    assert [place for place, _, _ in look()["states"]] == [4, 5, 6]
    assert look() == {}


@pytest.mark.parametrize("path", ["v2/account/info", "users/v1/Ticket/PostNewTicket", "emulator/clock"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    raw: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(uploads, "READ_SECONDS", 0.05)
    head = f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    answer = await raw(f"{head}Content-Length: 9\r\nConnection: close\r\n\r\n--b".encode())
    assert answer == b""


@pytest.mark.parametrize("path", ["v2/account/info", "emulator/clock"])
async def test_a_body_that_does_not_unpack_is_no_fault_of_ours(
    raw: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    head = f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
    assert await raw(f"{head}Content-Length: 5\r\n\r\nhello".encode()) == b""
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "start", [b"", b"GET / HTTP/1.1\r\nHost: loc", b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\nGE"]
)
async def test_a_connection_without_a_request_ends(monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(server, "_IDLE_SECONDS", 0.05)
    async with Emulator() as emulator, asyncio.timeout(20):
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(start)
        await reader.read()
        writer.close()


async def test_slow_faults_are_no_slow_requests(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(uploads, "READ_SECONDS", 0.05)
    async with Emulator() as emulator:
        for kind in ("delay", "delay_after"):
            emulator.add_fault(Fault(kind, seconds=0.15))
            async with session.post(f"{emulator.ghasedak_url}account/info?apikey=emulator-key", data="x=y") as response:
                assert response.status == 200


HALF = "\\ud800"
JSON = {"Content-Type": "application/json"}


async def test_half_a_character_spoils_no_list(
    emulator: Emulator, smsir: SmsIr, session: aiohttp.ClientSession, control: Any
) -> None:
    group = await smsir.group("g")
    rest = f'{{"uname":"emulator","pass":"emulator","from":"50001","to":["09121111111"],"msg":"{HALF}"}}'
    form = "op=send&uname=emulator&pass=emulator&from=50001&message=%ED%A0%80%FF&to=%5B%2209121111111%22%5D"
    people = (
        f'{{"GroupId":{group},"ContactsDetails":[{{"Mobile":"09121111111","FirstName":"{HALF}","LastName":"😀"}}]}}'
    )
    inbox = f'{{"gateway":"ghasedak","sender":"1","line":"10008566","text":"{HALF}\\ud83d\\ude00"}}'
    await smsir.request("POST", "Contacts/AddContacts", data=people, headers=JSON)
    for url, body, kind in (
        (f"{emulator.advgateway_rest_url}sendSms_OneToMany.php", rest, "application/json"),
        (emulator.opgateway_url, form, "application/x-www-form-urlencoded"),
        (f"{emulator.url}/emulator/inbox", inbox, "application/json"),
    ):
        async with session.post(url, data=body, headers={"Content-Type": kind}) as response:
            assert response.status == 200
    assert {message.text.strip("\ufffd") for message in emulator.messages() if message.kind == "sms"} == {""}
    assert [message.text for message in emulator.ghasedak._state.inbox] == ["\ufffd😀"]
    contacts = (await control("GET", "contacts")).body["contacts"]["smsir"]
    assert ("\ufffd" in str(contacts), "😀" in str(contacts)) == (True, True)
    for name in ("messages", "requests", "account", "switches", "faults"):
        assert (await control("GET", name)).http == 200


def book(sheet: str, shared: str = "<sst/>", others: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        archive.writestr("xl/sharedStrings.xml", shared)
        for place in range(others):
            archive.writestr(str(place), "")
    return file.getvalue()


def sheet(cells: str) -> str:
    return f"<worksheet><row>{cells}</row></worksheet>"


ROW = '<c t="str"><v>09121111111</v></c>'
GOOD = book(sheet(ROW))
BROKEN = {
    "data": GOOD[:54] + b"\xff" * 8 + GOOD[62:],
    "beyond the end": GOOD[:-6] + b"\xff\xff\xff\x7f" + GOOD[-2:],
    "unpacks to too much": book(sheet(" " * 200_000)),
    "many elements": book(sheet("<c/>" * 5_000)),
    "refers often": book(sheet('<c t="s"><v>0</v></c>' * 60), f"<sst><si><t>{'x' * 4000}</t></si></sst>"),
    "cells left out": book("<sheet>" + '<row><c r="BL1"/></row>' * 300 + "</sheet>"),
    "a long cell": book(sheet(f'<c t="str"><v>{"x" * 32_768}</v></c>')),
    "many entries": book(sheet(ROW), others=20),
    "many digits": book(sheet(f'<c t="s"><v>{"9" * 5000}</v></c>')),
}


@pytest.mark.parametrize("file", BROKEN.values(), ids=BROKEN)
async def test_a_broken_or_overwhelming_file_is_refused(
    smsir: SmsIr, monkeypatch: pytest.MonkeyPatch, file: bytes
) -> None:
    monkeypatch.setattr(excel, "_MAX_WORK", 100_000)
    monkeypatch.setattr(excel, "_MAX_ENTRIES", 10)
    group = str(await smsir.group("g"))
    good = await smsir.upload("UploadExcel", ("a.xlsx", GOOD), groupId=group)
    assert [item["Mobile"] for item in good["AddedList"]] == ["09121111111"]
    answer = await smsir.upload("UploadExcel", ("a.xlsx", file), groupId=group)
    assert (answer.http, answer.ok) == (201, False)


async def test_an_odd_file_name_is_taken(emulator: Emulator, smsir: SmsIr) -> None:
    await smsir.log_in()
    parts = [
        b'name="Subject"\r\n\r\ns',
        b'name="Body"\r\n\r\nb',
        b'name="File"; filename="\xed\xa0\x80\xff.txt"\r\n\r\nx',
    ]
    body = b"".join(b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await smsir.request("POST", "Ticket/PostNewTicket", data=body, headers=headers)
    ticket = (await smsir("GetTicketById", ticketId=answer["TicketId"])).body
    assert ticket["DownloadUrl"].endswith("%EF%BF%BD.txt")
