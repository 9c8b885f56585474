"""A rejected token is dropped and replaced, and the call made once more, if it was surely not carried out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from payamak.common import AuthenticationError, InvalidArgumentError, Outcome, PayamakError
from payamak.common.tokens import MemoryTokenStore, Token, TokenManager, TokenStore
from payamak.smsir import TokenRejection
from support.smsir import (
    REJECTED,
    Answer,
    TokenGateway,
    ask,
    failure_of,
    make_client,
    put_clocks,
    refuse,
    say,
    send,
    tokens_of,
    until,
)

PERSIAN = "توکن ارسال شده معتبر نمی‌باشد"
LEAK = "Object reference not set to an instance of an object. (token)"
BY_CODE = TokenRejection(codes={17, 18})
DEFAULT = TokenRejection()

REJECTIONS: dict[str, tuple[Answer, TokenRejection]] = {
    "401 with an envelope": (refuse(PERSIAN, 401), DEFAULT),
    "401 with an envelope that says nothing": (refuse(None, 401), DEFAULT),
    "401 with another message": (refuse("دسترسی ندارید", 401), DEFAULT),
    "401 of the framework": (say({"Message": "Authorization has been denied for this request."}, 401), DEFAULT),
    "401 with an empty body": (say(b"", 401), DEFAULT),
    "401 with HTML": (say(b"<html>401</html>", 401), DEFAULT),
    "401 with null": (say(b"null", 401), DEFAULT),
    "200 in Persian": (refuse(PERSIAN, 200), DEFAULT),
    "201 in Persian": (refuse(PERSIAN, 201), DEFAULT),
    "400 in Persian": (refuse(PERSIAN, 400), DEFAULT),
    "200 in Persian with an Arabic kaf": (refuse(PERSIAN.replace("ک", "ك"), 200), DEFAULT),
    "200 in Persian with a quotation": (refuse("توکن «abc» معتبر نیست", 200), DEFAULT),
    "200 in English that is configured": (
        refuse("Token is not valid", 200),
        TokenRejection(words=["token is not valid"]),
    ),
    "200 in Persian, whatever else is configured": (refuse(PERSIAN, 200), TokenRejection(words=["نشست"])),
    "200 with a code": (refuse("یک خطا", 200, code=17), BY_CODE),
    "200 with a code as a text": (refuse("یک خطا", 200, code="18"), BY_CODE),
    "200 with a code, whatever the message": (refuse(LEAK, 200, code=17), BY_CODE),
    "200 with a code and no message": (refuse(None, 200, code=17), BY_CODE),
    "200 with a word": (refuse("Sitzung abgelaufen", 200), TokenRejection(words=["sitzung"])),
    "200 with a word in capitals": (refuse("Sitzung abgelaufen", 200), TokenRejection(words=["Sitzung"])),
}

LEAKS = {
    "a null reference": LEAK,
    "a cancelled task": "The CancellationTokenSource has been disposed.",
    "an exception's name": "System.InvalidOperationException: the token store is gone",
    "a missing argument": "Value cannot be null.\r\nParameter name: token",
    "a stack": "error   at System.Threading.CancellationToken.Register()",
    "the JSON parser": "Unexpected token when deserializing object: StartObject. Path 'Ids', line 1, position 7.",
    "the JSON parser's reader": "Error reading JObject from JsonReader. Path '', line 0: no token",
    "a cast": "Unable to cast object of type 'Newtonsoft.Json.Linq.JValue' to type 'Newtonsoft.Json.Linq.JToken'.",
}
OTHERS: dict[str, tuple[Answer, TokenRejection]] = {
    **{f"200 with {name}": (refuse(text, 200), DEFAULT) for name, text in LEAKS.items()},
    **{f"500 with {name}": (refuse(text, 500), DEFAULT) for name, text in LEAKS.items()},
    "200 with a leak and a code that is not configured": (refuse(LEAK, 200, code=16), BY_CODE),
    "200 with a leak in a Persian sentence": (refuse(f"{PERSIAN}: A task was canceled.", 200), DEFAULT),
    "200 with a leak, in English without any exception's name": (refuse("Token is not valid", 200), DEFAULT),
    "200 with a quotation": (refuse("پیامک «توکن شما 1234» ثبت نشد", 200), DEFAULT),
    "200 with a quotation that does not end": (refuse("پیامک «توکن شما 1234 ثبت نشد", 200), DEFAULT),
    "200 with no credit": (refuse("اعتبار شما کافی نیست", 200), DEFAULT),
    "200 with no message": (refuse(None, 200), DEFAULT),
    "200 with a code that is not configured": (refuse("یک خطا", 200, code=17), DEFAULT),
    "200 with another code": (refuse("یک خطا", 200, code=16), BY_CODE),
    "200 with a word that is not configured": (refuse("نشست شما پایان یافت", 200), DEFAULT),
    "403 of the framework": (say({"Message": "no token"}, 403), DEFAULT),
    "404 of the framework": (say({"Message": PERSIAN}, 404), DEFAULT),
    "500 of the framework": (say({"Message": f"An error has occurred: {PERSIAN}"}, 500), DEFAULT),
    "500 with HTML": (say(f"<p>false {PERSIAN}</p>".encode(), 500), DEFAULT),
    "500 with an envelope in English": (refuse("Timeout expired while saving the token's usage", 500), DEFAULT),
    "503 with an envelope in English": (refuse("The token service is not available", 503), DEFAULT),
    "200 with an empty body": (say(b"", 200), DEFAULT),
    "200 with null": (say(b"null", 200), DEFAULT),
    "200 without IsSuccessful": (say({"Message": PERSIAN, "false": "false"}, 200), DEFAULT),
    "401 that says success": (refuse("ارسال با موفقیت انجام گردید", 401, successful=True), DEFAULT),
    "500 that says success": (refuse(PERSIAN, 500, successful=True), DEFAULT),
}
CERTAIN = {
    "200 with no credit",
    "200 with a code that is not configured",
    "200 with another code",
    "200 with a word that is not configured",
    "404 of the framework",
}


@pytest.mark.parametrize("case", REJECTIONS)
async def test_a_send_is_made_once_more_after(case: str) -> None:
    answer, rejection = REJECTIONS[case]
    async with TokenGateway() as gateway, make_client(gateway, token_rejection=rejection) as client:
        await ask(client)
        gateway.calls.clear()
        gateway.call_answers = [answer]
        await send(client)
        assert gateway.sent == ["text"]
        assert gateway.tokens_used == gateway.issued
        assert len(gateway.issued) == 2


@pytest.mark.parametrize("case", OTHERS)
async def test_a_send_is_not_made_again_after(case: str) -> None:
    answer, rejection = OTHERS[case]
    async with TokenGateway() as gateway, make_client(gateway, token_rejection=rejection) as client:
        gateway.call_answers = [answer]
        error = await failure_of(send(client))
        assert len(gateway.calls) == 1
        assert gateway.token_requests == 1
        assert not isinstance(error, AuthenticationError)
        assert error.outcome is (Outcome.REFUSED if case in CERTAIN else Outcome.UNKNOWN)
        await ask(client)
        assert gateway.token_requests == 1, "the token is kept"


async def test_a_success_that_speaks_of_the_token_is_a_success() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        body = {"IsSuccessful": True, "Message": PERSIAN, "ErrorCode": 17, "MessageId": 5, "Other": False}
        gateway.call_answers = [say(body, 200)]
        assert (await send(client)).message_id == 5
        assert len(gateway.calls) == gateway.token_requests == 1


@pytest.mark.parametrize(
    "case", ["401 with another message", "401 with an empty body", "200 in Persian", "200 with a code"]
)
@pytest.mark.parametrize("call", [send, ask])
async def test_a_second_rejection_is_an_error(case: str, call: Any) -> None:
    answer, rejection = REJECTIONS[case]
    async with TokenGateway() as gateway, make_client(gateway, token_rejection=rejection) as client:
        gateway.call_answers = [answer, answer]
        error = await failure_of(call(client))
        assert isinstance(error, AuthenticationError)
        assert error.outcome is Outcome.REFUSED
        assert "token" in str(error)
        assert gateway.tokens_used == gateway.issued
        assert len(gateway.issued) == 2
        assert gateway.sent == []
        await call(client)


async def test_what_the_vendor_wrote_about_a_rejection_is_kept() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.call_answers = [refuse(PERSIAN, 401, code=9)] * 2
        error = await failure_of(send(client))
        assert isinstance(error, AuthenticationError)
        assert (error.gateway_message, error.code, error.http_status) == (PERSIAN, 9, 401)
        assert PERSIAN not in str(error)


async def test_a_late_rejection_of_the_old_token_leaves_the_new_one() -> None:
    late = asyncio.Event()
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        old = gateway.issued[0]
        gateway.calls.clear()
        gateway.valid.clear()
        gateway.call_answers = [say({"Message": "denied"}, 401, when=late)]
        slow = asyncio.create_task(send(client, "slow"))
        await until(lambda: gateway.calls)
        await send(client, "quick")
        assert gateway.token_requests == 2
        late.set()
        await slow

        assert gateway.token_requests == 2, "the new one was kept"
        new = gateway.issued[1]
        assert gateway.tokens_used == [old, old, new, new]
        assert gateway.sent == ["quick", "slow"]


class Forgetful(MemoryTokenStore):
    """Keeps nothing, so that it cannot help out."""

    async def set(self, key: str, token: Token) -> None:
        """Nothing."""


@pytest.mark.parametrize("store", [MemoryTokenStore(), Forgetful()], ids=["memory", "forgetful"])
async def test_the_manager_drops_only_the_current_token(store: TokenStore) -> None:
    fetched = 0

    async def fetch() -> str:
        nonlocal fetched
        fetched += 1
        return f"token {fetched}"

    tokens = TokenManager(fetch, key="a-key", store=store)
    first = await tokens.get()
    tokens.reject("another")
    assert await tokens.get() == first
    tokens.reject(first.value)
    second = await tokens.get()
    assert second.value == "token 2"
    tokens.reject(first.value)
    assert await tokens.get() == second
    assert fetched == 2
    await tokens.aclose()


async def test_a_token_rejected_while_its_successor_is_on_the_way() -> None:
    """The refresh behind is what the rejected call then waits for."""
    async with TokenGateway() as gateway, make_client(gateway) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(28 * 60)
        gateway.gate.clear()
        gateway.valid.clear()
        task = asyncio.create_task(send(client))
        await until(lambda: gateway.token_requests == 2 and len(gateway.calls) == 2)
        gateway.gate.set()
        await task
        assert gateway.token_requests == 2
        assert gateway.sent == ["text"]


async def test_a_rejection_whose_new_token_cannot_be_had() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        gateway.valid.clear()
        gateway.calls.clear()
        gateway.every_token_answer = say(b"<html>", 500)
        error = await failure_of(send(client))
        assert error.outcome is Outcome.NOT_SENT
        assert len(gateway.calls) == 1
        assert gateway.token_requests == 1 + 3, "as often as the policy says"


@pytest.mark.parametrize("answer", [say(b"<html>", 500), refuse("busy", 429)], ids=["500", "429"])
@pytest.mark.parametrize("call", [ask, send])
async def test_a_gateway_without_tokens_is_not_hammered_after_a_rejection(call: Any, answer: Answer) -> None:
    """The policy's attempts are the attempts of the call, not those of the call times those of the token."""
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        gateway.valid.clear()
        gateway.every_token_answer = answer
        assert isinstance(await failure_of(call(client)), PayamakError)
        assert gateway.token_requests - 1 <= 3


async def test_the_replay_is_within_the_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """It costs none of the policy's attempts, and a hook sees one."""
    seen: list[int] = []

    async def hook(attempt: Any, proceed: Any) -> Any:
        seen.append(attempt.number)
        return await proceed()

    async with TokenGateway() as gateway, make_client(gateway, hooks=[hook]) as client:
        await ask(client)
        seen.clear()
        gateway.valid.clear()
        await send(client)
    assert seen == [1, 1], "one of the send, one of the request for a token"
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("arguments", [{"words": "token"}, {"words": "توکن"}, {"codes": "17"}])
def test_a_lone_text_is_no_list_of_words(arguments: dict[str, Any]) -> None:
    """Its letters would be taken as words, and nearly every failure as a rejection, after which sends go out again."""
    with pytest.raises(InvalidArgumentError):
        TokenRejection(**arguments)


async def test_a_rejected_token_is_dropped_though_nobody_asks_again() -> None:
    """The call that was rejected is cancelled while it waits for the new token: the old one is not used again."""
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        gateway.call_answers = [REJECTED]
        gateway.gate.clear()
        task = asyncio.create_task(send(client))
        await until(lambda: gateway.token_requests == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gateway.gate.set()
        await ask(client)
        assert gateway.tokens_used[-1] == gateway.issued[1] == (await tokens_of(client).get()).value
        assert gateway.sent == []
