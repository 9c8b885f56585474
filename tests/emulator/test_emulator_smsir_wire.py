"""Requests byte for byte, errors outside the envelope, and faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import KINDS

A = "09121111111"
JSON = "Content-Type: application/json\r\n"


def post(path: str, body: str | bytes, head: str = JSON, token: str = "") -> bytes:
    content = body if isinstance(body, bytes) else body.encode()
    auth = f"x-sms-ir-secure-token: {token}\r\n" if token else ""
    lines = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{auth}{head}"
    return f"{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content


def parse(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return int(first.split()[1]), headers, json.loads(body) if body else None


async def test_get_token_as_the_document_shows_it(raw: Any) -> None:
    body = '{ "UserApiKey": "emulator-key", "SecretKey": "emulator-secret" }'
    status, headers, answer = parse(await raw(post("/users/v1/Token/GetToken", body)))
    assert (status, headers["content-type"]) == (201, "application/json; charset=utf-8")
    assert list(answer) == ["TokenKey", "IsSuccessful", "Message", "ErrorCode"]
    assert (answer["IsSuccessful"], answer["ErrorCode"]) == (True, 0)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("Nothing/GetToken", "No type was found that matches the controller named 'Nothing'."),
        ("", "No type was found that matches the controller named ''."),
        ("Contacts/Nothing", "No action was found on the controller 'Contacts' that matches the name 'Nothing'."),
        ("contacts", "No action was found on the controller 'contacts' that matches the name ''."),
    ],
)
async def test_unknown_paths(smsir: Any, emulator: Emulator, path: str, detail: str) -> None:
    answer = await smsir.request("GET", path)
    problem = f"No HTTP resource was found that matches the request URI '{emulator.smsir_url}{path}'."
    assert (answer.http, answer.body) == (404, {"Message": problem, "MessageDetail": detail})


async def test_a_host_that_is_no_text_is_no_crash() -> None:
    async with Emulator(allow_remote=True) as emulator:
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /users/v1/x HTTP/1.1\r\nHost: a\xff\r\nConnection: close\r\n\r\n")
        assert parse(await reader.read())[0] == 404
        writer.close()


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
async def test_a_body_that_is_not_said_to_be_json(smsir: Any, raw: Any, media_type: str) -> None:
    await smsir.log_in()
    head = f"Content-Type: {media_type}\r\n" if media_type else ""
    path = "/users/v1/DraftMessage/AddOrUpdateDraftMessage"
    status, _, answer = parse(await raw(post(path, '{"Message": "m"}', head, smsir.token)))
    problem = f"The request entity's media type '{media_type}' is not supported for this resource."
    assert (status, answer) == (415, {"Message": problem})


@pytest.mark.parametrize("body", [b"{", b'{"Message": }', b"\xff\xfe", b"[" * 100_000, b'{"Id": ' + b"1" * 5000 + b"}"])
async def test_a_body_that_is_no_json(smsir: Any, body: bytes) -> None:
    await smsir.log_in()
    headers = {"Content-Type": "application/json"}
    path = "DraftMessage/AddOrUpdateDraftMessage"
    answer = await smsir.request("POST", path, data=body, headers=headers)
    assert (answer.http, answer.body) == (400, {"Message": "The request is invalid."})


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"[1]", b'"x"', b"5"])
async def test_json_that_is_no_object_is_a_null_reference(smsir: Any, body: bytes) -> None:
    await smsir.log_in()
    answer = await smsir.request(
        "POST", "Contacts/DeleteContacts", data=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert (answer.http, answer.ok, answer.code) == (201, False, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"GroupId": "x"},
        {"GroupId": 1.5},
        {"GroupId": True},
        {"GroupId": [1]},
        {"GroupId": 10**20},
        {"GroupName": {}},
        {"GroupName": True},
        {"Color": ["x"]},
    ],
)
async def test_values_of_the_wrong_type(smsir: Any, change: dict[str, object]) -> None:
    answer = await smsir("AddOrUpdateContactGroup", **{"GroupId": 0, "GroupName": "x", **change})
    assert (answer.http, answer["Message"]) == (400, "The request is invalid.")
    assert (await smsir("GetContactGroups"))["ContactGroups"] == []


@pytest.mark.parametrize("flag", ["x", 2, [], 1.0])
async def test_flags_of_the_wrong_type(smsir: Any, flag: object) -> None:
    await smsir.group("یک", A)
    body = {"Message": "m", "MobileNumbers": [A, "1"], "CanContinueInCaseOfError": flag}
    assert (await smsir("SendByMobileNumbers", **body)).http == 400


@pytest.mark.parametrize("group_id", ["0", 0.0, None, ""])
async def test_values_that_json_net_converts(smsir: Any, group_id: object) -> None:
    answer = await smsir("AddOrUpdateContactGroup", GroupId=group_id, GroupName=5)
    assert (answer.ok, answer["GroupName"]) == (True, "5")


async def test_half_a_surrogate_pair_is_no_crash(smsir: Any, emulator: Emulator) -> None:
    answer = await smsir("AddOrUpdateDraftMessage", Message="a\ud83d")
    assert answer["DraftMessageDetails"][0]["Message"] == "a\ufffd"
    assert len((await smsir("GetDraftMessages"))["DraftMessageDetails"]) == 1


@pytest.mark.parametrize(("switch", "content"), [("empty_body", b""), ("null_body", b"null")])
async def test_empty_and_null_bodies(smsir: Any, emulator: Emulator, switch: str, content: bytes) -> None:
    setattr(emulator.smsir.switches, switch, ["getdraftmessages", "Send", "AddOrUpdateDraftMessage"])
    for name, arguments in (("GetDraftMessages", {}), ("AddOrUpdateDraftMessage", {"Message": "m"})):
        answer = await smsir(name, **arguments)
        assert (answer.http, answer.raw) == (201, content)
    assert len(emulator.smsir.drafts) == 1
    assert (await smsir("GetUserInfo")).ok
    setattr(emulator.smsir.switches, switch, ["*"])
    assert (await smsir("GetUserInfo")).raw == content
    assert (await smsir.log_in()).ok
    setattr(emulator.smsir.switches, switch, ["GetToken"])
    assert (await smsir.log_in()).raw == content


async def test_a_send_with_an_empty_body_was_still_sent(smsir: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A)
    emulator.smsir.switches.empty_body = ("SendByMobileNumbers",)
    assert (await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A])).raw == b""
    assert [m.recipient for m in emulator.messages()] == [A]


ARGUMENTS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 0.3},
    "delay_after": {"seconds": 0.3},
    "refuse": {"code": 5},
    "status": {"status": 503, "body": "busy", "headers": {"Retry-After": "7"}},
    "redirect": {"location": "http://127.0.0.1:1/"},
}
SENDS_ANYWAY = {
    "delay",
    "delay_after",
    "drop_after_read",
    "reset_after_read",
    "cut_reply",
    "wrong_content_type",
    "garbage",
    "empty",
    "oversized",
    "bad_gzip",
    "hang",
    "refuse",
}


@pytest.mark.parametrize("kind", KINDS)
async def test_faults(smsir: Any, emulator: Emulator, session: aiohttp.ClientSession, kind: str) -> None:
    await smsir.group("یک", A)
    fault = Fault(kind, gateway="smsir", path="message/sendbymobilenumbers", **ARGUMENTS.get(kind, {}))
    emulator.add_fault(fault)
    assert (await smsir("GetUserInfo")).ok
    body = {"Message": "m", "MobileNumbers": [A]}
    headers = {"x-sms-ir-secure-token": smsir.token}
    clock = asyncio.get_running_loop().time
    started = clock()
    shown: tuple[int, bytes] | None = None
    try:
        async with session.post(
            emulator.smsir_url + "Message/SendByMobileNumbers",
            json=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=1),
        ) as response:
            shown = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError):
        pass
    assert bool(emulator.messages(gateway="smsir")) is (kind in SENDS_ANYWAY)
    assert emulator.faults == []
    assert emulator.requests[-1].fault == kind
    assert_shown(kind, shown, clock() - started)
    assert (await smsir("SendByMobileNumbers", **body)).ok


def assert_shown(kind: str, shown: tuple[int, bytes] | None, seconds: float) -> None:
    if kind in ("delay", "delay_after"):
        assert seconds >= 0.3
    if kind in ("delay", "delay_after", "wrong_content_type", "oversized"):
        assert shown is not None
        assert (shown[0], json.loads(shown[1])["IsSuccessful"]) == (201, True)
    elif kind == "refuse":
        assert shown is not None
        assert (shown[0], json.loads(shown[1])["IsSuccessful"]) == (201, False)
    elif kind in ("html", "status", "redirect", "garbage", "empty"):
        assert shown is not None
        assert shown[0] == {"html": 502, "status": 503, "redirect": 302}.get(kind, 200)
    else:
        assert shown is None


async def test_a_fault_for_another_gateway_is_not_for_this_one(smsir: Any, emulator: Emulator, call: Any) -> None:
    emulator.add_fault(Fault("status", status=500, gateway="ghasedak"))
    assert (await smsir("GetUserInfo")).ok
    emulator.clear_faults()
    emulator.add_fault(Fault("status", status=500, gateway="smsir"))
    assert (await call("account/info")).code == 200
    assert (await smsir("GetUserInfo")).http == 500


async def test_an_upload_may_meet_a_fault(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()
    for kind, kept in (("drop_unprocessed", 0), ("drop_after_read", 1)):
        emulator.add_fault(Fault(kind, path="PostNewTicket"))
        with pytest.raises(aiohttp.ClientConnectionError):
            await smsir.upload("PostNewTicket", ("a.txt", b"a" * 3_000_000), Subject="s", Body="b")
        assert len(emulator.smsir.tickets) == kept
