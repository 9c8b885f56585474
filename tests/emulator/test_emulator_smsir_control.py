from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator
from payamak.emulator.about import start_lines

pytestmark = pytest.mark.real_time

A = "09121111111"


async def test_messages(smsir: Any, control: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A)
    sent = await smsir("SendByMobileNumbers", Message="سلام", MobileNumbers=[A])
    (message,) = (await control("GET", f"messages?gateway=smsir&recipient={A}")).body["messages"]
    assert (message["id"], message["text"], message["price"]) == (sent["Ids"][0]["ID"], "سلام", 155)
    assert (message["state"], message["status"]) == ("queued", "در صف ارسال")
    emulator.clock.advance(5)
    (message,) = (await control("GET", "messages")).body["messages"]
    assert (message["state"], message["status"]) == ("delivered", "رسیده به گوشی")
    assert (await control("GET", "messages?gateway=ghasedak")).body == {"messages": []}


async def test_there_is_no_inbox(control: Any, emulator: Emulator) -> None:
    body = {"gateway": "smsir", "sender": A, "line": "1", "text": "t"}
    reply = await control("POST", "inbox", body)
    assert (reply.http, "no method that receives" in reply.body["error"]) == (400, True)
    with pytest.raises(ValueError, match="no method that receives"):
        emulator.add_inbox_message(gateway="smsir", sender=A, line="1", text="t")


async def test_contacts(smsir: Any, control: Any, emulator: Emulator) -> None:
    group_id = await smsir.group("یک", A)
    (group,) = (await control("GET", "contacts")).body["contacts"]["smsir"]
    assert (group["id"], group["name"]) == (group_id, "یک")
    (contact,) = group["contacts"]
    assert contact["relation_id"] == (await smsir.relations())[A]
    assert (contact["mobile"], contact["cancelled"]) == (A, False)


async def test_switches_and_account(smsir: Any, control: Any) -> None:
    before = (await control("GET", "switches")).body["smsir"]
    assert {name: before[name] for name in DEFAULTS} == DEFAULTS
    change = {"success_status": 200, "empty_body": ["GetDraftMessages"], "failure_status": 400}
    after = (await control("POST", "switches", {"smsir": change})).body["smsir"]
    assert after == {**before, **change}
    await control("POST", "account", {"gateway": "smsir", "credit": 5})
    info = await smsir("GetUserInfo")
    assert (info.http, info["Credit"]) == (200, 5)
    assert (await smsir("GetDraftMessages")).raw == b""
    assert (await control("GET", "account")).body["ghasedak"]["credit"] == 1_000_000


DEFAULTS: dict[str, object] = {
    "success_status": 201,
    "failure_status": None,
    "wrong_keys": "null_token",
    "token_rejection": "status_401_envelope",
    "reject_tokens": False,
    "new_token_revokes_old": False,
    "dead_tokens": 0,
    "last_id_direction": "older",
    "nulls": "reported",
    "date_format": "naive",
    "mobile_as_number": True,
    "ids_without_zero": False,
    "long_message_ids": False,
    "emoji_as_string": False,
    "reject_empty_lists_in_count": False,
    "delete_contacts_by": "both",
    "numbers_must_be_contacts": True,
    "waiting_applies_to_numbers": False,
    "partial_lists": False,
    "partial_list_answer": "refusal",
    "sends_listed_after": 0.0,
    "recipients_listed_every": 0.0,
    "membership_sms": True,
    "membership_wait": 300.0,
    "exception_after_send": False,
    "exception_in": [],
    "empty_body": [],
    "null_body": [],
    "telecom_after": 1.0,
    "delivered_after": 3.0,
}


async def test_every_switch_has_a_known_default(control: Any) -> None:
    assert (await control("GET", "switches")).body["smsir"] == DEFAULTS


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"success_status": 204}, "success_status must be one of 200, 201"),
        ({"success_status": True}, "success_status must be one of 200, 201"),
        ({"failure_status": 600}, "failure_status must be an HTTP status"),
        ({"wrong_keys": "x"}, "wrong_keys must be one of"),
        ({"token_rejection": None}, "token_rejection must be one of"),
        ({"dead_tokens": -1}, "dead_tokens must be"),
        ({"last_id_direction": ""}, "last_id_direction must be one of"),
        ({"nulls": True}, "nulls must be one of"),
        ({"date_format": "iso"}, "date_format must be one of"),
        ({"empty_body": "Send"}, "empty_body must be a list of texts"),
        ({"membership_wait": -1}, "membership_wait must be a number of seconds"),
        ({"mobile_as_number": 0}, "mobile_as_number must be one of True, False"),
        ({"colour": 1}, "unknown name 'colour'; known: date_format"),
    ],
)
async def test_switches_are_checked(control: Any, values: dict[str, object], problem: str) -> None:
    before = (await control("GET", "switches")).body
    reply = await control("POST", "switches", {"smsir": {"ids_without_zero": True, **values}})
    assert reply.http == 400
    assert problem in reply.body["error"]
    assert (await control("GET", "switches")).body == before


async def test_actions(smsir: Any, control: Any, emulator: Emulator) -> None:
    async def act(action: str, **arguments: object) -> Any:
        return await control("POST", "actions", {"gateway": "smsir", "action": action, **arguments})

    await smsir.group("یک", A)
    for action in ("expire_tokens", "revoke_tokens"):
        await smsir.log_in()
        assert (await act(action)).body == {"result": None}
        assert (await smsir("GetUserInfo")).http == 401
    await smsir.log_in()
    assert (await act("cancel_membership", mobile=A)).body == {"result": 1}
    assert (await smsir("GetCancelledContactsByPageId"))["CancelledContactCount"] == 1
    charged = (await act("charge", amount=50)).body["result"]
    assert (await smsir("GetBankTransactionsFromLastId"))["Transaction"][0]["Id"] == charged
    await act("charge", amount=50, valid=False)
    assert emulator.smsir.account.credit == 1_000_050
    ticket_id = (await smsir.upload("PostNewTicket", Subject="s", Body="b"))["TicketId"]
    reply_id = (await act("answer_ticket", ticket_id=ticket_id, body="پاسخ")).body["result"]
    (reply,) = (await smsir("GetTicketById", ticketId=ticket_id))["TicketReplyDetails"]
    assert (reply["TicketReplyId"], reply["IsAdminReply"]) == (reply_id, True)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "gateway must be text"),
        ({"gateway": "smsir"}, "action must be text"),
        ({"gateway": "smsir", "action": "x"}, "action must be one of answer_ticket, cancel_membership, charge"),
        ({"gateway": "ghasedak", "action": "x"}, "action must be one of none"),
        ({"gateway": "smsir", "action": "charge"}, "missing a required argument: 'amount'"),
        ({"gateway": "smsir", "action": "charge", "amount": "5"}, "amount must be a number"),
        ({"gateway": "smsir", "action": "charge", "amount": 5, "valid": 1}, "valid must be true or false"),
        ({"gateway": "smsir", "action": "revoke_tokens", "now": 1}, "unexpected keyword argument 'now'"),
        ({"gateway": "smsir", "action": "cancel_membership", "mobile": 5}, "mobile must be the number of a contact"),
        ({"gateway": "smsir", "action": "answer_ticket", "ticket_id": 1, "body": "b"}, "that of an open ticket"),
        ({"gateway": "smsir", "action": "answer_ticket", "ticket_id": [], "body": "b"}, "ticket_id must be a number"),
    ],
)
async def test_actions_are_checked(control: Any, body: dict[str, object], problem: str) -> None:
    reply = await control("POST", "actions", body)
    assert reply.http == 400
    assert problem in reply.body["error"]


async def test_reset(smsir: Any, control: Any, emulator: Emulator) -> None:
    await smsir.group("یک", A)
    await smsir("SendByMobileNumbers", Message="m", MobileNumbers=[A])
    await smsir("AddOrUpdateDraftMessage", Message="m")
    await smsir("UpdateNotificationStatus", id=emulator.smsir.notifications[0].id)
    emulator.smsir.charge(5)
    emulator.smsir.switches.success_status = 200
    assert (await control("POST", "reset")).http == 200
    gateway = emulator.smsir
    assert (gateway.tokens_issued, gateway.batches, gateway.drafts, gateway.contacts()) == (0, [], {}, [])
    assert (gateway.account.credit, len(gateway.transactions), gateway.switches.success_status) == (1_000_000, 3, 201)
    assert not any(notice.is_read for notice in gateway.notifications)
    assert (await smsir("GetUserInfo")).http == 401


async def test_start_page(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    async with session.get(emulator.url) as response:
        text = await response.text()
    for piece in (
        emulator.smsir_url,
        "UserApiKey",
        "emulator-secret",
        "0900 000 00xx",
        "later not delivered to telecom",
    ):
        assert piece in text
    assert emulator.smsir_url == f"{emulator.url}/users/v1/"


async def test_the_keys_are_not_in_the_repr(emulator: Emulator) -> None:
    assert "emulator-" not in repr(emulator.smsir.account)


def test_the_command_names_the_gateway() -> None:
    """With ASCII as its encoding, too: not every console can show Persian."""
    command = [sys.executable, "-m", "payamak.emulator", "--help"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=20)
    for piece in ("http://127.0.0.1:8650/users/v1/", "UserApiKey", "emulator-secret", "later blacklisted"):
        assert piece in ended.stdout


async def test_the_start_lines_name_the_gateway(emulator: Emulator) -> None:
    text = start_lines(emulator.url, emulator.gateways.values())
    for piece in (emulator.smsir_url, "UserApiKey emulator-key", "SecretKey emulator-secret"):
        assert piece in text
