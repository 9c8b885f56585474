"""Requests as the vendor's samples and SDKs put them on the wire, byte for byte."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator

pytestmark = pytest.mark.asyncio

TO = "09121111111"
CURL = "Host: localhost\r\nUser-Agent: curl/8\r\nAccept: */*\r\nConnection: close\r\n"
FORM = "cache-control: no-cache\r\ncontent-type: application/x-www-form-urlencoded\r\n"


def request(method: str, target: str, body: str | bytes = "", head: str = FORM, key: str = "emulator-key") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    auth = f"apikey: {key}\r\n" if key else ""
    return f"{method} {target} HTTP/1.1\r\n{CURL}{auth}{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def parse(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return int(first.split()[1]), headers, json.loads(body)


# Method, path, body and items of the success, from the document's curl samples; in one, query and body disagree.
SAMPLES: list[tuple[str, str, str, object]] = [
    ("POST", "contact/group/new", "name=test&parent=209530", {"groupid": 209531}),
    (
        "POST",
        "contact/group/addnumber",
        "groupid=209530&number=09121111111%2C09122222222&firstname=test&lastname=test&email=test",
        None,
    ),
    ("GET", "contact/group/list", "parent=209530", []),
    ("GET", "contact/group/listnumber?groupid=172694&offset=100&page=0", "groupid=209530&offset=100", []),
    ("POST", "contact/group/edit", "groupid=172694&name=test", None),
    ("POST", "contact/group/remove", "groupid=172694", None),
    ("POST", "contact/group/number/remove", "groupid=172694&ids=217820319%217820318", None),
]


@pytest.mark.parametrize(("method", "path", "body", "items"), SAMPLES)
async def test_curl_samples_of_the_document(
    raw: Any, emulator: Emulator, method: str, path: str, body: str, items: object
) -> None:
    emulator.ghasedak.phone_book.add_group("test2", group_id=172694)
    emulator.ghasedak.phone_book.add_group("test", group_id=209530)
    status, headers, reply = parse(await raw(request(method, f"/v2/{path}", body)))
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert reply == {"result": {"code": 200, "message": "success"}, "items": items}


async def test_the_samples_odd_ids_remove_nothing(raw: Any, emulator: Emulator) -> None:
    book = emulator.ghasedak.phone_book
    book.add_group("test2", group_id=172694)
    records = [book.add_contact(172694, f"0912111111{index}", "", "", "").record_id for index in range(2)]
    assert records == [217820318, 217820319]
    await raw(request("POST", "/v2/contact/group/number/remove", "groupid=172694&ids=217820319%217820318"))
    assert len(book.contacts(172694)) == 2
    await raw(request("POST", "/v2/contact/group/number/remove", "groupid=172694&ids=217820318,217820319"))
    assert book.contacts(172694) == []


async def test_get_with_a_body_reads_both(raw: Any, emulator: Emulator) -> None:
    status, _, _ = parse(
        await raw(request("GET", f"/v2/sms/send/simple?message=q&receptor={TO}", "message=b&checkid=4"))
    )
    assert status == 200
    assert [(m.text, m.check_id) for m in emulator.messages()] == [("q", "4")]
    await raw(request("POST", f"/v2/sms/send/simple?message=q&receptor={TO}&agent=python", "message=b"))
    assert emulator.messages()[1].text == "b"


@pytest.mark.parametrize("path", ["sms/send/simple%20", "sms/send/simple/", "SMS/Send/Simple", "sms/send/simple%20/"])
async def test_stray_ends_of_the_path(raw: Any, path: str) -> None:
    assert parse(await raw(request("POST", f"/v2/{path}", f"message=m&receptor={TO}")))[0] == 200


async def test_names_in_any_case_and_unknown_fields(raw: Any, emulator: Emulator) -> None:
    body = f"Message=m&RECEPTOR={TO}&LineNumber=5000222&dep=sales&ip=&checkid[0]=8&"
    assert parse(await raw(request("POST", "/v2/sms/send/simple?agent=csharp&dep=x", body)))[0] == 200
    assert (emulator.messages()[0].line, emulator.messages()[0].check_id) == ("5000222", None)


async def test_text_without_any_percent_encoding(raw: Any, emulator: Emulator) -> None:
    await raw(request("POST", "/v2/sms/send/simple", f"message=سلام دنیا&receptor={TO}&"))
    await raw(request("POST", "/v2/sms/send/simple", f"message=a+b%2Bc&receptor=+98{TO[1:]}"))
    assert [(m.text, m.recipient) for m in emulator.messages()] == [("سلام دنیا", TO), ("a b+c", TO)]


async def test_broken_utf8_is_no_crash(raw: Any, emulator: Emulator) -> None:
    status, _, _ = parse(await raw(request("POST", "/v2/sms/send/simple", b"message=%ff\xfe&receptor=" + TO.encode())))
    assert status == 200
    assert emulator.messages()[0].text == "\ufffd\ufffd"


async def test_multipart_form(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    text = "سلام\r\n- دنیا & 100%\n"
    with aiohttp.MultipartWriter("form-data") as form:
        for name, value in (("message", text), ("receptor", TO)):
            form.append(value).set_content_disposition("form-data", name=name)
    url = emulator.ghasedak_url + "sms/send/simple"
    async with session.post(url, data=form, headers={"apikey": "emulator-key"}) as response:
        assert response.status == 200
    assert emulator.messages()[0].text == text


async def test_json_body_is_no_form(raw: Any) -> None:
    body = json.dumps({"message": "m", "receptor": TO})
    status, _, reply = parse(
        await raw(request("POST", "/v2/sms/send/simple", body, "content-type: application/json\r\n"))
    )
    assert (status, reply["result"]["message"]) == (400, '["message is required","receptor is required"]')


@pytest.mark.parametrize("path", ["sms/send/simple", "account/info", "contact/group/list"])
async def test_wrong_key(raw: Any, emulator: Emulator, path: str) -> None:
    for key in ("wrong", "emulator-key2", "ÿ"):
        status, _, reply = parse(await raw(request("POST", f"/v2/{path}", f"message=m&receptor={TO}", key=key)))
        assert status == 401
        assert reply == {"result": {"code": 401, "message": "apikey is invalid"}, "items": None}
    assert emulator.messages() == []


async def test_missing_key(raw: Any) -> None:
    status, _, reply = parse(await raw(request("POST", "/v2/account/info", key="")))
    assert (status, reply) == (400, {"result": {"code": 400, "message": '["apikey is required"]'}, "items": None})


@pytest.mark.parametrize("where", ["query", "body", "repeated", "cased"])
async def test_key_in_other_places(raw: Any, where: str) -> None:
    target, body, head = "/v2/account/info", "", FORM
    if where == "query":
        target += "?apikey=emulator-key"
    elif where == "body":
        body = "apikey=emulator-key"
    elif where == "repeated":
        head += "apikey: old\r\napikey: emulator-key, emulator-key\r\n"
    else:
        head += "ApiKey: emulator-key\r\n"
    assert parse(await raw(request("POST", target, body, head, key="")))[0] == 200


async def test_the_key_is_a_setting(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.account.key = "other"
    assert (await call("account/info")).code == 401
    assert (await call("account/info", key="other")).code == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "sms/send/bulk2"), ("POST", ""), ("PUT", "account/info")])
async def test_unknown_path_and_method(raw: Any, method: str, path: str) -> None:
    status, _, reply = parse(await raw(request(method, f"/v2/{path}")))
    message = "the requested resource does not exist"
    assert (status, reply) == (404, {"result": {"code": 404, "message": message}, "items": ""})


async def test_large_body(raw: Any, emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 2_000_000
    status, _, _ = parse(
        await raw(request("POST", "/v2/sms/send/simple", f"receptor={TO}&message=" + "%D8%B3" * 500_000))
    )
    assert status == 200
    assert len(emulator.messages()[0].text) == 500_000


async def test_hundreds_of_requests_at_once(call: Any, emulator: Emulator) -> None:
    replies = await asyncio.gather(
        *(call("sms/send/simple", message=str(index), receptor=TO, checkid=index) for index in range(500))
    )
    ids = [reply.items[0] for reply in replies]
    assert len(set(ids)) == 500
    assert emulator.ghasedak.account.credit == 1_000_000 - 500 * 155
    for index in (0, 250, 499):
        assert [m.id for m in emulator.messages() if m.check_id == str(index)] == [ids[index]]
