from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault

pytestmark = pytest.mark.asyncio

MOMENT = "2030-01-01T12:00:00+03:30"


async def test_messages(control: Any, send: Any) -> None:
    await control("POST", "clock", {"set": MOMENT})
    first, second = await send("09121111111", checkid=5), await send("09122222222", senddate=4_000_000_000)
    (message, other) = (await control("GET", "messages")).body["messages"]
    assert message.pop("created_at").startswith("2030-01-01T08:30:00")
    assert message == {
        "id": first,
        "gateway": "ghasedak",
        "operation": "sms/send/simple",
        "line": "10008566",
        "recipient": "09121111111",
        "text": "test",
        "kind": "sms",
        "parts": 1,
        "encoding": "gsm7",
        "price": 155,
        "state": "queued",
        "status": 0,
        "check_id": "5",
        "template": None,
        "params": [],
        "send_at": None,
    }
    assert (other["state"], other["send_at"]) == ("scheduled", "2096-10-02T07:06:40+00:00")
    filtered = await control("GET", "messages?gateway=ghasedak&recipient=09122222222")
    assert [item["id"] for item in filtered.body["messages"]] == [second]
    assert (await control("GET", "messages?recipient=0")).body == {"messages": []}


async def test_messages_filters_are_checked(control: Any) -> None:
    assert (await control("GET", "messages?gateway=x")).body == {
        "error": "gateway must be one of ghasedak, smsir, opgateway, advgateway"
    }
    assert "known: gateway, recipient" in (await control("GET", "messages?to=x")).body["error"]


async def test_inbox(control: Any, call: Any) -> None:
    body = {"gateway": "ghasedak", "sender": "09121111111", "line": "10008566", "text": "سلام", "received_at": MOMENT}
    assert (await control("POST", "inbox", body)).body == {**body, "id": 1020, "read": False}
    assert (await control("POST", "inbox", {**body, "read": True, "received_at": None})).http == 200
    items = (await call("sms/receive/last", linenumber="10008566", isread=0)).items
    assert [(item["message"], item["receivedate"]) for item in items] == [("سلام", "2030-1-1T12:0:0")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"gateway": None}, "gateway must be text"),
        ({"gateway": "x"}, "gateway must be one of ghasedak"),
        ({"line": "1"}, "line must be one of the account's: 10008566"),
        ({"text": ""}, "text must be text"),
        ({"sender": 9}, "sender must be text"),
        ({"received_at": "2030-01-01T12:00:00"}, "received_at must be an ISO 8601 time with a zone"),
        ({"received_at": 5}, "received_at must be an ISO 8601 time with a zone"),
        ({"read": 1}, "read must be true or false"),
        ({"colour": 1}, "unknown field 'colour'; known: gateway, sender"),
    ],
)
async def test_inbox_is_checked(control: Any, change: dict[str, object], problem: str) -> None:
    body = {"gateway": "ghasedak", "sender": "0912", "line": "10008566", "text": "t", **change}
    reply = await control("POST", "inbox", body)
    assert reply.http == 400
    assert problem in reply.body["error"]


async def test_clock(control: Any, emulator: Emulator) -> None:
    reply = await control("POST", "clock", {"set": MOMENT})
    assert reply.body["now"].startswith("2030-01-01T08:30:00")
    assert (await control("POST", "clock", {"advance": 90.5})).body["now"].startswith("2030-01-01T08:31:30")
    assert (await control("GET", "clock")).body["now"].startswith("2030-01-01T08:31:3")
    assert emulator.clock.now() - datetime(2030, 1, 1, 8, 31, 30, tzinfo=UTC) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "body",
    [
        b'{"advance": -1}',
        b'{"advance": "5"}',
        b'{"advance": true}',
        b'{"advance": NaN}',
        b'{"advance": Infinity}',
        b'{"advance": 1e300}',
        b'{"advance": 1' + b"0" * 400 + b"}",
        b'{"set": "soon"}',
        b'{"set": "2030-01-01T12:00:00"}',
        b'{"set": 5}',
        b'{"set": "2030-01-01T12:00:00Z", "advance": 1}',
        b"{}",
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"back": 1}',
    ],
)
async def test_clock_is_checked(control: Any, emulator: Emulator, body: bytes) -> None:
    reply = await control("POST", "clock", data=body)
    assert reply.http == 400
    assert reply.body["error"]
    assert abs(emulator.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("path", ["inbox", "faults", "switches", "account", "reset"])
@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff\xfe", b'"x"', b"[" * 100_000, b'{"nonsense": 1}'])
async def test_bad_bodies_are_400(control: Any, path: str, body: bytes) -> None:
    reply = await control("POST", path, data=body)
    assert reply.http == 400
    assert reply.body["error"]


async def test_faults(control: Any) -> None:
    fault = {"kind": "status", "status": 500, "times": 2, "path": "account/info"}
    listed: dict[str, object] = {
        "kind": "status",
        "times": 2,
        "remaining": 2,
        "probability": 1,
        "gateway": None,
        "path": "account/info",
        "status": 500,
        "headers": {},
        "body": "",
        "content_type": "text/plain",
        "processed": False,
    }
    assert (await control("POST", "faults", fault)).body == {"faults": [listed]}
    assert (await control("DELETE", "faults")).body == {"faults": []}
    assert "unknown field 'sorts'" in (await control("POST", "faults", {"sorts": 1})).body["error"]
    assert "kind is required" in (await control("POST", "faults", {})).body["error"]
    assert "gateway must be" in (await control("POST", "faults", {"kind": "empty", "gateway": "x"})).body["error"]


async def test_faults_do_not_befall_the_control_interface(control: Any, emulator: Emulator, call: Any) -> None:
    emulator.add_fault(Fault("status", status=500, body='{"result": {"code": 1}}', content_type="application/json"))
    assert (await control("GET", "clock")).http == 200
    assert emulator.requests == []
    assert (await call("account/info")).http == 500
    (record,) = (await control("GET", "requests")).body["requests"]
    arrived = datetime.fromisoformat(record.pop("arrived_at"))
    assert abs(arrived - datetime.now(UTC)) < timedelta(seconds=5)
    assert record == {
        "gateway": "ghasedak",
        "method": "POST",
        "path": "/v2/account/info",
        "processed": False,
        "fault": "status",
        "status": 500,
    }


async def test_switches(control: Any, emulator: Emulator, call: Any) -> None:
    before = (await control("GET", "switches")).body["ghasedak"]
    assert before["voice_reply"] == "objects"
    change = {"ghasedak": {"voice_reply": "ids", "known_templates": ["login"], "telecom_after": 5}}
    after = (await control("POST", "switches", change)).body["ghasedak"]
    assert after == {**before, **change["ghasedak"]}
    assert emulator.ghasedak.switches.known_templates == ("login",)
    assert (await call("voice/send/simple", message="m", receptor="09121111111")).items == [2578793735]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"colour": 1}, "unknown name 'colour'; known: appended_text, bulk_broadcast"),
        ({"voice_reply": "x"}, "voice_reply must be one of 'objects', 'ids'"),
        ({"errors_in_http_200": 1}, "errors_in_http_200 must be one of True, False"),
        ({"contacts_first_page": True}, "contacts_first_page must be one of 0, 1"),
        ({"known_templates": "login"}, "known_templates must be a list of texts or null"),
        ({"known_templates": [1]}, "known_templates must be a list of texts or null"),
        ({"refuse_sends_with": "8"}, "refuse_sends_with must be an integer, 1 or more or null"),
        ({"telecom_after": -1}, "telecom_after must be a number of seconds"),
        ([1], "ghasedak must be an object"),
    ],
)
async def test_switches_are_checked_and_changed_together(
    control: Any, emulator: Emulator, values: object, problem: str
) -> None:
    before = (await control("GET", "switches")).body
    settings = cast("dict[str, object]", values) if isinstance(values, dict) else None
    sent: object = [1] if settings is None else {"cancel_reply": "objects", **settings}
    reply = await control("POST", "switches", {"ghasedak": sent})
    assert reply.http == 400
    assert problem in reply.body["error"]
    assert (await control("GET", "switches")).body == before
    assert "gateway must be one of" in (await control("POST", "switches", {"x": {}})).body["error"]
    if settings is not None and "colour" not in settings:
        ((name, value),) = settings.items()
        with pytest.raises(ValueError, match=name):
            setattr(emulator.ghasedak.switches, name, value)


async def test_account(control: Any, call: Any) -> None:
    changed = await control("POST", "account", {"gateway": "ghasedak", "credit": 1000, "lines": ["5000"]})
    assert (changed.body["ghasedak"]["credit"], changed.body["ghasedak"]["lines"]) == (1000, ["5000"])
    assert (await control("GET", "account")).body == changed.body
    assert (await call("account/info")).items["balance"] == 1000


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"credit": 1}, "gateway must be text"),
        ({"gateway": "x"}, "gateway must be one of ghasedak"),
        ({"gateway": "ghasedak", "credit": "1"}, "credit must be an integer"),
        ({"gateway": "ghasedak", "lines": "1"}, "lines must be a list"),
        ({"gateway": "ghasedak", "money": 1}, "unknown name 'money'; known: credit, expire"),
    ],
)
async def test_account_is_checked(control: Any, body: dict[str, object], problem: str) -> None:
    reply = await control("POST", "account", body)
    assert reply.http == 400
    assert problem in reply.body["error"]


async def test_reset(control: Any, emulator: Emulator, call: Any, send: Any) -> None:
    await send()
    await call("contact/group/new", name="x")
    emulator.ghasedak.switches.cancel_reply = "objects"
    emulator.ghasedak.templates["a"] = "b"
    emulator.add_fault(Fault("empty", path="nowhere"))
    emulator.add_inbox_message(gateway="ghasedak", sender="0912", line="10008566", text="t")
    emulator.clock.advance(10_000)
    assert (await control("POST", "reset")).body == {}
    assert (emulator.messages(), emulator.requests, emulator.faults) == ([], [], [])
    assert emulator.ghasedak.account.credit == 1_000_000
    assert emulator.ghasedak.switches.cancel_reply == "ids"
    assert emulator.ghasedak.templates == {}
    contacts = (await control("GET", "contacts")).body["contacts"]
    assert (contacts["ghasedak"], contacts["smsir"]) == ([], [])
    assert abs(emulator.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert (await call("sms/receive/last", linenumber="10008566", isread=0)).items == []
    assert await send() == 2578793735


async def test_unknown_control_paths(control: Any) -> None:
    unknown = await control("GET", "nothing")
    assert unknown.http == 404
    assert "messages" in unknown.body["error"]
    assert (await control("DELETE", "messages")).http == 405
    assert (await control("GET", "inbox")).http == 405
    assert (await control("GET", "")).http == 404


async def test_page_and_unknown_paths(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.get(emulator.url) as response:
        text = await response.text()
        assert (response.status, response.content_type) == (200, "text/plain")
    for piece in (emulator.ghasedak_url, "emulator-key", f"{emulator.url}/emulator/", "0900 000 00xx", "10008566"):
        assert piece in text
    async with session.get(f"{emulator.url}/v3/") as response:
        assert response.status == 404
    assert emulator.requests == []


@pytest.mark.parametrize("path", ["emulator/messages", "v2/account/info", ""])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("evil.example:8650", 403),
        ("192.168.1.5", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:8650", 200),
        ("LOCALHOST", 200),
    ],
)
async def test_host_header(
    emulator: Emulator, session: aiohttp.ClientSession, path: str, host: str, status: int
) -> None:
    headers = {"Host": host, "apikey": "emulator-key"}
    async with session.get(f"{emulator.url}/{path}", headers=headers) as response:
        assert response.status == status


async def test_only_loopback_unless_allowed() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "example.com", "::"):  # noqa: S104
        with pytest.raises(ValueError, match="not a loopback"):
            Emulator(host)
    async with Emulator("0.0.0.0", allow_remote=True) as emulator, aiohttp.ClientSession() as session:  # noqa: S104
        assert emulator.url.startswith("http://127.0.0.1:"), "nobody can connect to all addresses"
        async with session.get(f"{emulator.url}/emulator/clock", headers={"Host": "phone.lan"}) as response:
            assert response.status == 200
        async with session.get(f"{emulator.url}/", headers={"Host": "phone.lan:80"}) as response:
            assert "http://phone.lan:80/v2/" in await response.text()


async def test_all_addresses_of_ipv6() -> None:
    emulator = Emulator("::", allow_remote=True)
    try:
        await emulator.start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert emulator.url.startswith("http://[::1]:")
    await emulator.stop()


async def test_lifecycle_of_the_server() -> None:
    emulator = Emulator("localhost")
    with pytest.raises(RuntimeError, match="not been started"):
        _ = emulator.url
    assert emulator.connections == 0
    await emulator.start()
    with pytest.raises(RuntimeError, match="already running"):
        await emulator.start()
    with pytest.raises(OSError, match="in use"):
        await Emulator(port=int(emulator.url.rpartition(":")[2])).start()
    await emulator.stop()
    await emulator.stop()
    await emulator.start()
    async with aiohttp.ClientSession() as session, session.get(emulator.url) as response:
        assert response.status == 200
        await response.read()
        assert emulator.connections == 1
        await emulator.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_python_surface_is_checked(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="with a zone"):
        emulator.add_inbox_message(
            gateway="ghasedak", sender="1", line="10008566", text="t", received_at=datetime(2030, 1, 1)
        )
    with pytest.raises(ValueError, match="gateway must be one of"):
        emulator.messages(gateway="x")
    with pytest.raises(ValueError, match="time with a zone"):
        emulator.clock.set(datetime(2030, 1, 1))
    assert "emulator-key" not in repr(emulator.ghasedak.account)
