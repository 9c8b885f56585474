"""The JSON sibling of the SOAP server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from payamak.emulator import Emulator, Fault

pytestmark = pytest.mark.asyncio

Rest = Callable[..., Awaitable[Any]]
ACCESS = {"uname": "emulator", "pass": "emulator"}
TO = "09121111111"
FILES = (
    *("sendSms_OneToMany.php", "sendSms_ManyToMany.php", "getStatus.php", "getStatusArray.php"),
    *("getMessages.php", "getData.php"),
)


@pytest_asyncio.fixture
async def rest(emulator: Emulator, session: aiohttp.ClientSession) -> Rest:
    async def run(name: str, body: object = None, /, **fields: object) -> Any:
        content = {**ACCESS, **fields} if body is None else body
        async with session.post(f"{emulator.advgateway_rest_url}{name}", json=content) as response:
            assert (response.status, response.content_type) == (200, "application/json")
            return await response.json()

    return run


async def send(rest: Rest, *numbers: object, **fields: object) -> Any:
    order = {"from": "50001", "to": list(numbers), "msg": "سلام", **fields}
    return await rest("sendSms_OneToMany.php", **order)


async def test_one_to_many(rest: Rest, emulator: Emulator) -> None:
    assert await send(rest, TO, 9122222222, "+989121111111") == {"errCode": 0, "result": ["536221499", "536221500"]}
    assert [message.recipient for message in emulator.messages()] == [TO, "09122222222"]
    assert emulator.messages()[0].text == "سلام"
    assert await rest("getData.php") == {"errCode": 0, "result": {"credit": "999690"}}


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"from": "1"}, -5), ({"to": []}, -3), ({"to": "1"}, -3), ({"msg": ""}, -3), ({"to": [TO] * 61}, -2)],
)
async def test_refusals(rest: Rest, emulator: Emulator, fields: dict[str, object], code: int) -> None:
    reply = await send(rest, TO, **fields)
    assert reply["errCode"] == code
    assert isinstance(reply["result"], str)
    assert emulator.messages() == []


@pytest.mark.parametrize("name", FILES)
async def test_unknown_users(rest: Rest, emulator: Emulator, name: str) -> None:
    expected = {"errCode": -1, "result": "کاربر شناسایی نشد"}
    half_a_character = json.loads('"\\ud800"')
    wrong: list[dict[str, object]] = [{"pass": "x"}, {"uname": None}, {"uname": half_a_character}]
    bodies: list[object] = [{}, [], *({**ACCESS, **change} for change in wrong)]
    for body in bodies:
        assert await rest(name, body) == expected
    emulator.advgateway.switches.string_codes = True
    assert (await rest(name, {}))["errCode"] == "-1"


async def test_many_to_many(rest: Rest, emulator: Emulator) -> None:
    content = [{"to": TO, "msg": "a"}, {"to": "x", "msg": "b"}, {"to": TO, "msg": "c"}]
    reply = await rest("sendSms_ManyToMany.php", **{"from": "+9850001", "content": content})
    assert reply["errCode"] == 0
    assert (reply["result"][0], reply["result"][1]["errCode"], reply["result"][2]) == ("536221499", -3, "536221500")
    assert [message.text for message in emulator.messages()] == ["a", "c"]
    broken = await rest("sendSms_ManyToMany.php", **{"from": "50001", "content": ["x", 1]})
    assert [item["errCode"] for item in broken["result"]] == [-3, -3]
    assert (await rest("sendSms_ManyToMany.php", **{"from": "50001", "content": "x"}))["errCode"] == -3


async def test_statuses(rest: Rest, emulator: Emulator) -> None:
    ids = (await send(rest, TO, "09000000006"))["result"]
    sending = {"errCode": 0, "result": {"status": "درحال ارسال", "statusId": "1"}}
    assert await rest("getStatus.php", uniqueID=ids[0], ManyToMany="") == sending
    assert await rest("getStatus.php", uniqueID=int(ids[0]), ManyToMany=1) == sending
    emulator.clock.advance(4)
    reply = await rest("getStatusArray.php", uniqueIDs=ids)
    assert [item["statusId"] for item in reply["result"]] == ["4", "6"]
    emulator.advgateway.switches.unknown_id = "omit"
    assert (await rest("getStatus.php", uniqueID="1"))["errCode"] == -3


async def test_messages(rest: Rest, emulator: Emulator) -> None:
    moment = datetime.fromtimestamp(1508144471, UTC)
    emulator.add_inbox_message(gateway="advgateway", sender=TO, line="50001", text="سلام/", received_at=moment)
    item = {"from": "+989121111111", "to": "+9850001", "msg": "سلام/", "time": "1508144471"}
    assert await rest("getMessages.php") == {"errCode": 0, "result": [item]}
    assert await rest("getMessages.php") == {"errCode": 0, "result": []}


async def test_bytes(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    for body in (b"", b"{", b'{"uname": ' + b"[" * 100_000):
        async with session.post(f"{emulator.advgateway_rest_url}getData.php", data=body) as response:
            raw = await response.read()
        assert raw.startswith(rb'{"errCode":-1,"result":"\u06a9\u0627')


async def test_unknown_files(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.post(f"{emulator.advgateway_rest_url}nothing.php", json=ACCESS) as response:
        assert response.status == 404


async def test_faults(rest: Rest, emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_unprocessed", gateway="advgateway", path="sendSms_OneToMany.php"))
    assert (await rest("getData.php"))["errCode"] == 0
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await send(rest, TO)
    assert emulator.messages() == []
