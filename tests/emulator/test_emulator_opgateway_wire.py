"""The bytes of the op-driven gateway: what it takes, and what its replies look like."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from payamak.emulator import Emulator
from yarl import URL

pytestmark = pytest.mark.real_time

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ACCESS = "uname=emulator&pass=emulator"
WRONG = b'[962,"The username or password is incorrect"]'


async def post(emulator: Emulator, session: aiohttp.ClientSession, body: str | bytes, query: str = "") -> bytes:
    url = URL(emulator.opgateway_url + query, encoded=True)
    data = body.encode() if isinstance(body, str) else body
    async with session.post(url, data=data, headers=FORM) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        return await response.read()


async def deliver(emulator: Emulator, session: aiohttp.ClientSession, *numbers: str) -> bytes:
    to = quote(json.dumps(numbers))
    sent = await post(emulator, session, f"{ACCESS}&op=send&from=3000505&message=hi&to={to}")
    bulk_id = json.loads(sent)[1]
    return await post(emulator, session, f"{ACCESS}&op=delivery&uinqid={bulk_id}")


async def test_bytes_of_replies(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    order = f"{ACCESS}&op=send&from=3000505&message=hi&to="
    assert await post(emulator, session, f"{order}%5B%2209121111111%22%5D") == b"[0,10929800]"
    assert await post(emulator, session, f"{ACCESS}&op=credit") == b'[0,"999845.00"]'
    assert await post(emulator, session, f"{ACCESS}&op=delivery&uinqid=1") == b"null"
    listed = await post(emulator, session, f"{ACCESS}&op=postalcodearea")
    # Escaped once by the inner JSON and its backslashes again by the outer.
    head = rb'[0,"[{\"id\":13,\"title\":\"\\u062a\\u0647\\u0631\\u0627\\u0646\\\/\\u063a\\u0631\\u0628\"},'
    assert listed.startswith(head)
    bulk = b"10929800"
    assert (
        await post(emulator, session, f"{ACCESS}&op=delivery&uinqid={bulk.decode()}")
        == rb'[0,"[\"+989121111111:notsync\"]"]'
    )
    checked = await post(emulator, session, f"{ACCESS}&op=checkmessage&messageid={bulk.decode()}")
    assert checked == b'{"statusMessage":"Interacting","validMessage":"approve"}'


@pytest.mark.parametrize(
    ("switches", "reply"),
    [
        ({"nesting": "array"}, rb'[0,["+989121111111:notsync"]]'),
        ({"nesting": "bare"}, rb'["+989121111111:notsync"]'),
        ({"double_nesting": True}, rb'[0,"[\"\\\"+989121111111:notsync\\\"\"]"]'),
        ({"string_codes": True}, rb'["0","[\"+989121111111:notsync\"]"]'),
    ],
)
async def test_nesting(
    emulator: Emulator, session: aiohttp.ClientSession, switches: dict[str, Any], reply: bytes
) -> None:
    for name, value in switches.items():
        setattr(emulator.opgateway.switches, name, value)
    assert await deliver(emulator, session, "09121111111") == reply


async def test_only_delivery_is_bare(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    emulator.opgateway.switches.nesting = "bare"
    assert (await post(emulator, session, f"{ACCESS}&op=jobslist")).startswith(rb'[0,"[{\"id\":11,')


async def test_codes_and_ids_as_text(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    emulator.opgateway.switches.string_codes = True
    emulator.opgateway.switches.bulk_id_as_string = True
    emulator.opgateway.switches.credit_decimal_mark = "/"
    order = f"{ACCESS}&op=send&from=3000505&message=hi&to=09121111111"
    assert await post(emulator, session, order) == b'["0","10929800"]'
    assert await post(emulator, session, f"{ACCESS}&op=credit") == rb'["0","999845\/00"]'
    assert await post(emulator, session, "op=credit") == WRONG.replace(b"962", b'"962"')
    emulator.opgateway.switches.credit_as_number = True
    assert await post(emulator, session, f"{ACCESS}&op=credit") == b'["0",999845]'


@pytest.mark.parametrize(
    "body", ["op=credit", "uname=emulator&op=credit", "uname=emulator&pass=x&op=credit", "uname=x&pass=emulator", ""]
)
async def test_wrong_credentials(emulator: Emulator, session: aiohttp.ClientSession, body: str) -> None:
    assert await post(emulator, session, body) == WRONG


async def test_unknown_op(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    replies: list[bytes] = []
    for choice in ("null", "empty", "963"):
        emulator.opgateway.switches.unknown_op = choice
        replies += [await post(emulator, session, f"{ACCESS}&op=nothing"), await post(emulator, session, ACCESS)]
    assert replies == [b"null"] * 2 + [b""] * 2 + [b'[963,"The access is invalid"]'] * 2


async def test_query_is_merged(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    assert (await post(emulator, session, "op=credit", f"?{ACCESS}")).startswith(b"[0,")
    # The body goes before the query.
    assert await post(emulator, session, "op=credit&pass=x", f"?{ACCESS}") == WRONG


async def test_names_in_any_case(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    body = "Uname=emulator&PASS=emulator&Op=SEND&From=%2B983000505&Message=hi&To=9121111111"
    assert await post(emulator, session, body) == b"[0,10929800]"
    assert emulator.messages()[0].line == "3000505"


async def test_bodies_that_are_not_percent_encoded(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    body = f'{ACCESS}&op=send&from=+983000505&message=سلام دنیا&to=["+989121111111","09122222222"]'
    assert await post(emulator, session, body) == b"[0,10929800]"
    kept = emulator.messages()
    assert [(message.recipient, message.text) for message in kept] == [
        ("09121111111", "سلام دنیا"),
        ("09122222222", "سلام دنیا"),
    ]
    # Bytes that are no UTF-8 spoil the text, not the call.
    assert (await post(emulator, session, body.encode("cp1256", "replace"))).startswith(b"[0,")


async def test_multipart(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    fields = {"uname": "emulator", "pass": "emulator", "op": "send", "from": "50001", "message": "سلام & خط\nدو"}
    for name, value in {**fields, "to": '["09121111111"]'}.items():
        form.add_field(name, value)
    async with session.post(emulator.opgateway_url, data=form) as response:
        assert await response.read() == b"[0,10929800]"
    assert emulator.messages()[0].text == "سلام & خط\nدو"


async def test_get_is_a_switch(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{emulator.opgateway_url}?{ACCESS}&op=credit") as response:
        assert response.status == 405
    emulator.opgateway.switches.allow_get = True
    async with session.get(f"{emulator.opgateway_url}?{ACCESS}&op=credit") as response:
        assert (response.status, await response.read()) == (200, b'[0,"1000000.00"]')


async def test_start_page_tells_how_to_reach_it(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.get(emulator.url) as response:
        page = await response.text()
    for piece in (emulator.opgateway_url, "uname     emulator", "3000505", "23 discarded"):
        assert piece in page
    assert "password" not in repr(emulator.opgateway.account)


async def test_a_body_without_a_type(raw: Any) -> None:
    body = f'{ACCESS}&op=send&from=3000505&message=a b&to=["09121111111"]'.encode()
    head = f"POST /services.jspd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}"
    reply = await raw(f"{head}\r\n\r\n".encode() + body)
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"\r\n\r\n[0,10929800]")


def test_help_names_the_gateways() -> None:
    command = [sys.executable, "-m", "payamak.emulator", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    for piece in ("/services.jspd", "uname     emulator", "/class/sms/webservice3/server.php", "/class/sms/restful/"):
        assert piece in text
