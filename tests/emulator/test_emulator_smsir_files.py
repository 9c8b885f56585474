"""Uploads: Excel sheets and the files of tickets."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator
from support.excel import xlsx

A, B, C = "09121111111", "09122222222", "09123333333"
ROWS = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>0</v></c></row>'
    '<row r="2"><c r="A2"><v>9121111111</v></c><c r="C2" t="s"><v>1</v></c>'
    '<c r="D2" t="inlineStr"><is><t>l</t></is></c></row>'
    '<row r="3"><c r="A3"><v>9.122222222E9</v></c><c r="B3" t="str"><v>p</v></c></row>'
    '<row r="4"><c r="A4"><v>12</v></c></row><row r="5"/>'
)
SHARED = "<si><t>شماره</t></si><si><r><t>او</t></r><r><t>ل</t></r></si>"


@pytest.mark.parametrize("part", ["File", "file"])
@pytest.mark.parametrize("where", ["query", "form"])
async def test_excel(smsir: Any, part: str, where: str) -> None:
    group_id = await smsir.group()
    file = ("مخاطبین.XLSX", xlsx(ROWS, SHARED))
    if where == "form":
        answer = await smsir.upload("UploadExcel", file, part=part, groupId=str(group_id))
    else:
        data = aiohttp.FormData()
        data.add_field(part, file[1], filename=file[0])
        answer = await smsir.request("POST", "Contacts/UploadExcel", params={"groupId": group_id}, data=data)
    nobody = {"Prefix": None, "FirstName": None, "LastName": None, "EmojiId": None}
    assert answer["AddedList"] == [
        {**nobody, "Mobile": A, "FirstName": "اول", "LastName": "l"},
        {**nobody, "Mobile": B, "Prefix": "p"},
    ]
    assert answer["ErroneousList"] == [{**nobody, "Mobile": "12"}]
    assert set(await smsir.relations()) == {A, B}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"no zip"),
        ("a.xlsx", b""),
        ("a.xlsx", xlsx(ROWS, name="other.xml")),
        ("a.xlsx", xlsx("<row>")),
        ("a.xlsx", xlsx("<row><c><v>9121111111</v></c></row>", head='<!DOCTYPE x [<!ENTITY a "b">]>')),
        ("a.xlsx", xlsx('<row><c t="s"><v>9</v></c></row>', SHARED)),
        ("a.csv", b"09121111111"),
        ("xlsx", xlsx(ROWS)),
    ],
)
async def test_what_is_no_excel_file(smsir: Any, name: str, content: bytes) -> None:
    group_id = await smsir.group()
    answer = await smsir.upload("UploadExcel", (name, content), groupId=str(group_id))
    assert (answer.ok, answer.code, answer["AddedList"]) == (False, 2, None)


async def test_refusals_of_an_excel_file(smsir: Any) -> None:
    group_id = await smsir.group()
    assert (await smsir.upload("UploadExcel", ("a.xlsx", xlsx(ROWS, SHARED)), groupId="99")).code == 3
    assert (await smsir.upload("UploadExcel", groupId=str(group_id))).code == 2
    assert (await smsir.upload("UploadExcel", ("a.xlsx", xlsx(ROWS)), part="other", groupId=str(group_id))).code == 2
    old = await smsir.upload("UploadExcel", ("a.xls", b"\xd0\xcf\x11\xe0"), groupId=str(group_id))
    assert (old.ok, old.code, old["AddedList"]) == (False, 2, None), "it cannot be read here, and says so"


async def test_json_is_no_upload(smsir: Any) -> None:
    await smsir.log_in()
    for name in ("UploadExcel", "PostNewTicket", "PostNewTicketReply"):
        answer = await smsir(name, Subject="s", Body="b")
        assert answer.http == 415
        assert list(answer.body) == ["Message"]


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb"]
)
@pytest.mark.parametrize("boundary", ["; boundary=x", ""])
async def test_broken_multipart(smsir: Any, body: bytes, boundary: str) -> None:
    await smsir.log_in()
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    answer = await smsir.request("POST", "Ticket/PostNewTicket", data=body, headers=headers)
    assert (answer.http, list(answer.body)) in ((400, ["Message"]), (201, ["TicketId", *ENVELOPE]))
    assert b'"IsSuccessful": true' not in answer.raw
    assert (await smsir("GetTicketsByPageId"))["TicketDetails"] == []


ENVELOPE = ("IsSuccessful", "Message", "ErrorCode")


async def test_a_large_upload_is_not_held_in_memory(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()
    size, chunk = 50 * 1024 * 1024, b"x" * 65_536

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="File"; filename="big.bin"\r\n\r\n'
        for _ in range(size // len(chunk)):
            yield chunk
            await asyncio.sleep(0)
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    parameters = {"subject": "s", "body": "b"}
    tracemalloc.start()
    try:
        answer = await smsir.request("POST", "Ticket/PostNewTicket", params=parameters, data=body(), headers=headers)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.ok
    assert peak < 16 * 1024 * 1024
    attachment = emulator.smsir.tickets[answer["TicketId"]].attachment
    assert attachment is not None
    assert attachment.upload.size == size


async def test_an_upload_has_a_limit(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="File"; filename="big.bin"\r\n\r\n'
        for _ in range(65):
            yield b"x" * 1024 * 1024
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    try:
        answer = await smsir.request("POST", "Ticket/PostNewTicket", data=body(), headers=headers)
    except aiohttp.ClientConnectionError:
        pass
    else:
        assert answer.http == 413
    assert emulator.smsir.tickets == {}


async def test_tickets(smsir: Any, emulator: Emulator) -> None:
    query = {"subject": "سلام", "body": "متن", "departmentId": "2", "priorityId": "3"}
    await smsir.log_in()
    made = await smsir.request("POST", "Ticket/PostNewTicket", params=query)
    ticket_id = made["TicketId"]
    ticket = (await smsir("GetTicketById", ticketId=ticket_id)).body
    assert (ticket["Subject"], ticket["Body"], ticket["DownloadUrl"]) == ("سلام", "متن", None)
    assert (ticket["Status"], ticket["PriorityId"], ticket["DepartmentId"]) == (1, 3, 2)
    first = await smsir.upload("PostNewTicketReply", ticketId=str(ticket_id), Body="یک")
    second = await smsir.upload("PostNewTicketReply", ticketed=str(ticket_id), Body="دو")
    staff = emulator.smsir.answer_ticket(ticket_id, "سه")
    ticket = (await smsir("GetTicketById", ticketId=ticket_id)).body
    replies = [(reply["TicketReplyId"], reply["Body"], reply["IsAdminReply"]) for reply in ticket["TicketReplyDetails"]]
    assert replies == [
        (first["TicketReplyId"], "یک", False),
        (second["TicketReplyId"], "دو", False),
        (staff.id, "سه", True),
    ]
    assert ticket["Status"] == 2
    (item,) = (await smsir("GetTicketsByPageId"))["TicketDetails"]
    assert (item["Id"], item["TicketStatusId"]) == (ticket_id, 2)


async def test_closing_a_ticket(smsir: Any, emulator: Emulator) -> None:
    ticket_id = (await smsir.upload("PostNewTicket", Subject="s", Body="b"))["TicketId"]
    assert (await smsir("CloseTicket", ticketId=ticket_id)).ok
    assert (await smsir("CloseTicket", ticketId=ticket_id)).code == 9
    assert (await smsir("CloseTicket", ticketId=1)).code == 3
    assert (await smsir("GetTicketById", ticketId=ticket_id))["Status"] == 3
    assert (await smsir.upload("PostNewTicketReply", ticketId=str(ticket_id), Body="b")).code == 9
    for wrong in (ticket_id, 1):
        with pytest.raises(ValueError, match="open ticket"):
            emulator.smsir.answer_ticket(wrong, "b")


@pytest.mark.parametrize(
    "form", [{"Body": "b"}, {"Subject": "s"}, {"departmentId": "9"}, {"priorityId": "9"}, {"Subject": " ", "Body": "b"}]
)
async def test_refusals_of_a_ticket(smsir: Any, form: dict[str, str]) -> None:
    full = form if set(form) & {"Subject", "Body"} else {"Subject": "s", "Body": "b", **form}
    answer = await smsir.upload("PostNewTicket", **full)
    assert (answer.ok, answer.code, answer["TicketId"]) == (False, 2, 0)


async def test_choices_of_a_ticket(smsir: Any) -> None:
    choices = (await smsir("GetTicketPrioritiesAndDepartments")).body
    statuses = (await smsir("GetTicketStatus"))["TicketStatus"]
    assert [item["Id"] for item in choices["TicketPriorities"]] == ["1", "2", "3"]
    assert [item["Id"] for item in choices["Departments"]] == ["1", "2"]
    assert [item["Id"] for item in statuses] == [1, 2, 3]


async def test_files_of_tickets_are_served(smsir: Any, emulator: Emulator, session: aiohttp.ClientSession) -> None:
    content = bytes(range(256)) * 12_000
    name = 'بیل "1".html'
    ticket_id = (await smsir.upload("PostNewTicket", (name, content), Subject="s", Body="b"))["TicketId"]
    reply = {"ticketId": str(ticket_id), "Body": "b"}
    await smsir.upload("PostNewTicketReply", ("b.txt", b"second"), part="file", **reply)
    ticket = (await smsir("GetTicketById", ticketId=ticket_id)).body
    listed = (await smsir("GetTicketsFromLastId"))["TicketDetails"][0]
    assert listed["DownloadUrl"] == ticket["DownloadUrl"]
    assert ticket["DownloadUrl"].startswith(f"{emulator.url}/users/files/")
    for url, expected in (
        (ticket["DownloadUrl"], content),
        (ticket["TicketReplyDetails"][0]["DownloadUrl"], b"second"),
        (ticket["DownloadUrl"], content),
    ):
        async with session.get(url) as response:
            assert (response.status, await response.read()) == (200, expected)
            assert response.content_type == "application/octet-stream"
            assert response.headers["Content-Disposition"].startswith("attachment; ")
    async with session.get(f"{emulator.url}/users/files/0/x") as response:
        assert (response.status, set(await response.json())) == (404, {"Message", "MessageDetail"})
