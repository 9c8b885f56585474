"""Answers that no honest gateway gives: the command says what is known, in its usual words and at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from support.advgateway import in_response
from support.command import Command, Done
from support.printed import control, sent

Call = Callable[..., Done]
PATHS = {"ghasedak": None, "smsir": "SendByMobileNumbers", "opgateway": None, "advgateway": None}


def order(gateway: str, path: str | None, body: str) -> None:
    control(
        "POST",
        "faults",
        {"kind": "status", "status": 200, "body": body, "processed": True, "gateway": gateway, "path": path},
    )


def soap(result: object) -> str:
    return in_response(f"<return>{json.dumps({'ErrCode': 0, 'result': result})}</return>").decode()


IDS: Mapping[str, Callable[[object], str]] = {
    "ghasedak": lambda number: json.dumps({"result": {"code": 200}, "items": [number, number]}),
    "smsir": lambda number: json.dumps({"IsSuccessful": True, "BatchKey": "a-batch", "MessageId": number}),
    "opgateway": lambda number: json.dumps([0, number]),
    "advgateway": lambda number: soap([number, number]),
}


@pytest.mark.parametrize("number", [2**63, "9" * 19, "\ud800"], ids=repr)
@pytest.mark.parametrize("gateway", IDS)
def test_ids_that_no_database_takes(call: Call, payamak: Command, gateway: str, number: object) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n09122222222,a\n")
    order(gateway, PATHS[gateway], IDS[gateway](number))
    done = call("send-many", "list.csv", "--emulator", "-g", gateway, "--grace", "0", "--on-unknown", "leave")
    assert (done.returncode, len(sent())) == (3, 2)
    results = payamak.results("list.emulator.results.csv")
    assert [(row["outcome"], row["message_id"]) for row in results] == [("unknown", "")] * 2
    assert "ReplyError" in results[0]["error"]
    # The journal holds them, and nothing goes out again.
    assert call("send-many", "list.csv", "--emulator", "-g", gateway, "--on-unknown", "leave").returncode == 3
    assert len(sent()) == 2


def test_half_a_character_in_what_is_kept(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n09121111111,a\n")
    ids = [{"Id": 7, "MobileNo": "9121111111"}]
    order(
        "smsir", PATHS["smsir"], json.dumps({"IsSuccessful": True, "BatchKey": "a\ud800b", "MessageId": 7, "Ids": ids})
    )
    assert call("send-many", "list.csv", "--emulator", "-g", "smsir").returncode == 0
    (row,) = payamak.results("list.emulator.results.csv")
    assert (row["outcome"], row["message_id"], row["reference"]) == ("sent", "7", "a\ufffdb")
    assert call("send-many", "list.csv", "--emulator", "-g", "smsir").returncode == 5


CREDIT: Mapping[str, Callable[[str], str]] = {
    "ghasedak": lambda amount: f'{{"result": {{"code": 200}}, "items": {{"balance": {amount}}}}}',
    "smsir": lambda amount: f'{{"IsSuccessful": true, "Credit": {amount}}}',
    "opgateway": lambda amount: f"[0, {amount}]",
    "advgateway": lambda amount: soap({"credit": json.loads(amount)}),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("amount", ['"1e600000"', '"' + "9" * 1_000_000 + '"'], ids=["power", "digits"])
@pytest.mark.parametrize("gateway", CREDIT)
def test_credit_that_would_take_for_ever(call: Call, payamak: Command, gateway: str, amount: str) -> None:
    order(gateway, "UserInfo" if gateway == "smsir" else None, CREDIT[gateway](amount))
    done = call("credit", "--emulator", "-g", gateway, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"payamak: {gateway}: the answer (HTTP status 200) does not fit")
