from __future__ import annotations

import base64
from typing import Any

import pytest
from payamak.emulator import Emulator

READ = "GetUserInfo"


async def test_token_is_opaque_and_new_each_time(smsir: Any, emulator: Emulator) -> None:
    tokens = [(await smsir.log_in())["TokenKey"] for _ in range(3)]
    assert len(set(tokens)) == 3
    assert all(len(base64.b64decode(token, validate=True)) >= 32 for token in tokens)
    assert emulator.smsir.tokens_issued == 3
    for token in tokens:
        smsir.token = token
        assert (await smsir(READ)).ok


async def test_a_token_lives_thirty_minutes(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()
    emulator.clock.advance(29 * 60 + 50)
    assert (await smsir(READ)).ok
    emulator.clock.advance(11)
    answer = await smsir(READ)
    assert (answer.http, answer.ok, answer["Message"]) == (401, False, "توکن منقضی شده است")
    await smsir.log_in()
    assert (await smsir(READ)).ok


@pytest.mark.parametrize("header", [None, "", "x", "a b"])
async def test_no_token(smsir: Any, header: str | None) -> None:
    headers = {} if header is None else {"x-sms-ir-secure-token": header}
    answer = await smsir.request("GET", "WhiteSms/GetUserInfo", headers=headers)
    assert (answer.http, answer["Message"], answer["Credit"]) == (401, "توکن نامعتبر است", 0)


@pytest.mark.parametrize(
    ("manner", "status", "body"),
    [
        ("envelope", 201, None),
        ("status_401_envelope", 401, None),
        ("status_401_message", 401, {"Message": "Authorization has been denied for this request."}),
    ],
)
async def test_manners_of_rejection(
    smsir: Any, emulator: Emulator, manner: str, status: int, body: dict[str, str] | None
) -> None:
    await smsir.log_in()
    emulator.smsir.switches.token_rejection = manner
    assert (await smsir(READ)).ok
    emulator.smsir.revoke_tokens()
    answer = await smsir(READ)
    assert answer.http == status
    if body is not None:
        assert answer.body == body
    else:
        assert (answer.ok, answer.code, answer["FirstName"]) == (False, 6, None)
        assert "توکن" in answer["Message"]


async def test_expiring_revoking_and_rejecting_at_will(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()
    emulator.smsir.expire_tokens()
    assert (await smsir(READ))["Message"] == "توکن منقضی شده است"
    await smsir.log_in()
    emulator.smsir.revoke_tokens()
    assert (await smsir(READ))["Message"] == "توکن نامعتبر است"
    emulator.smsir.switches.reject_tokens = True
    await smsir.log_in()
    assert (await smsir(READ)).http == 401
    emulator.smsir.switches.reject_tokens = False
    assert (await smsir(READ)).ok
    assert emulator.smsir.tokens_issued == 3


async def test_a_new_token_may_revoke_the_old(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.switches.new_token_revokes_old = True
    await smsir.log_in()
    old = smsir.token
    await smsir.log_in()
    assert (await smsir(READ)).ok
    smsir.token = old
    assert (await smsir(READ)).http == 401


async def test_new_tokens_may_be_dead_on_arrival(smsir: Any, emulator: Emulator) -> None:
    await smsir.log_in()
    old = smsir.token
    emulator.smsir.switches.dead_tokens = 2
    for status in (401, 401, 201):
        await smsir.log_in()
        assert (await smsir(READ)).http == status
    assert (emulator.smsir.switches.dead_tokens, emulator.smsir.tokens_issued) == (0, 4)
    smsir.token = old
    assert (await smsir(READ)).ok


@pytest.mark.parametrize(
    "keys", [{"UserApiKey": "x"}, {"SecretKey": "x"}, {"SecretKey": None}, {"SecretKey": ""}, {"UserApiKey": "\ud800"}]
)
@pytest.mark.parametrize(
    ("manner", "status", "successful"),
    [("null_token", 201, False), ("null_token_successful", 201, True), ("status_401", 401, False)],
)
async def test_wrong_keys(
    smsir: Any, emulator: Emulator, keys: dict[str, object], manner: str, status: int, successful: bool
) -> None:
    emulator.smsir.switches.wrong_keys = manner
    answer = await smsir.log_in(**keys)
    assert (answer.http, answer.ok, answer["TokenKey"]) == (status, successful, None)
    assert answer.code == (0 if successful else 7)
    assert emulator.smsir.tokens_issued == 0


async def test_the_keys_are_settings(smsir: Any, emulator: Emulator) -> None:
    emulator.smsir.account.user_api_key = "کلید"
    assert not (await smsir.log_in()).ok
    assert (await smsir.log_in(UserApiKey="کلید")).ok


@pytest.mark.parametrize("status", [200, 201])
async def test_success_status(smsir: Any, emulator: Emulator, status: int) -> None:
    emulator.smsir.switches.success_status = status
    assert (await smsir(READ)).http == status
    assert (await smsir("DeleteDraftMessage", id=1)).http == status
    emulator.smsir.switches.failure_status = 422
    assert (await smsir("DeleteDraftMessage", id=1)).http == 422
    assert (await smsir(READ)).http == status
