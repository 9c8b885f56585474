"""No token could be had: what to send with it has not left, everybody hears of it, and the next call tries again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    AuthenticationError,
    ConnectionFailedError,
    GatewayError,
    InvalidArgumentError,
    NotFoundError,
    Outcome,
    Proceed,
    RateLimitError,
    Timeout,
)
from payamak.common.hooks import has_nothing_left
from payamak.smsir import SmsIrClient
from support.smsir import (
    ONCE,
    PAUSE,
    QUICKLY,
    SECRET_KEY,
    USER_API_KEY,
    Answer,
    TokenGateway,
    ask,
    cut,
    drop,
    failure_of,
    hang,
    make_client,
    put_clocks,
    refreshes,
    refuse,
    reset,
    say,
    send,
    talk_nonsense,
)
from support.sockets import dead_port, stalled_port

HASTY = Timeout(total=0.3, attempt=0.08, connect=0.08)

FAULTS: dict[str, Answer] = {
    "closes": drop,
    "resets": reset,
    "hangs": hang,
    "cuts the answer": cut,
    "is no HTTP server": talk_nonsense,
    "fails": say({"Message": "An error has occurred."}, 500),
    "fails in an envelope": refuse("یک خطا", 500),
    "leaks an exception": refuse("Object reference not set to an instance of an object."),
    "is down": say(b"<html>503</html>", 503),
    "answers with HTML": say(b"<html>hello</html>"),
    "answers with garbage": say(b"\xff\xfe\x00{"),
    "answers with nothing": say(b""),
    "answers with null": say(b"null"),
    "answers with a list": say([1, 2]),
    "answers without an envelope": say({"TokenKey": "a"}),
    "redirects": say(b"", 302),
    "contradicts itself": say({"IsSuccessful": True, "TokenKey": "a"}, 500),
    "gives a token with a line break": say({"IsSuccessful": True, "TokenKey": "a\r\nX-Other: b"}),
    "gives a token outside ASCII": say({"IsSuccessful": True, "TokenKey": "توکن"}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_was_sent_when_the_gateway(fault: str) -> None:
    async with TokenGateway() as gateway, make_client(gateway, timeout=HASTY) as client:
        gateway.every_token_answer = FAULTS[fault]
        error = await failure_of(send(client))
        assert error.outcome is Outcome.NOT_SENT
        assert not isinstance(error, InvalidArgumentError), "the caller's arguments are not to blame"
        assert (error.gateway, error.operation) == ("smsir", "messages.send_to_numbers")
        assert gateway.calls == []
        assert 1 <= gateway.token_requests <= QUICKLY.attempts

        gateway.every_token_answer = None
        await send(client)
        assert gateway.sent == ["text"]
        assert len(gateway.calls) == 1


@contextmanager
def _no_connection(kind: str) -> Generator[int, None, None]:
    with dead_port() if kind == "refused" else stalled_port() as port:
        yield port


@pytest.mark.parametrize("kind", ["refused", "stalled"])
async def test_nothing_was_sent_without_a_connection(kind: str) -> None:
    with _no_connection(kind) as port:
        url = f"http://127.0.0.1:{port}/users/v1/"
        async with SmsIrClient(USER_API_KEY, SECRET_KEY, base_url=url, timeout=HASTY, retry=QUICKLY) as client:
            error = await failure_of(send(client))
    assert isinstance(error, ConnectionFailedError)
    assert error.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize(
    ("answer", "kind", "outcome", "requests"),
    [
        (refuse("کلید اشتباه است", 401, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (say({"Message": "کلید اشتباه است"}, 401), AuthenticationError, Outcome.REFUSED, 1),
        (refuse("کلید اشتباه است", 400, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (refuse("کلید اشتباه است", 403, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (refuse("کلید اشتباه است", 200, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (refuse("UserApiKey is not valid", 200, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (say({"Message": "UserApiKey is not valid"}, 400), AuthenticationError, Outcome.REFUSED, 1),
        (refuse("توکن ساخته نشد", 200, code=3), AuthenticationError, Outcome.REFUSED, 1),
        (say({"Message": "No HTTP resource was found"}, 404), NotFoundError, Outcome.NOT_SENT, 1),
        (say({"Message": "gone"}, 404), GatewayError, Outcome.NOT_SENT, 1),
        (refuse("کند", 429), RateLimitError, Outcome.NOT_SENT, 3),
        (say(b"", 429), RateLimitError, Outcome.NOT_SENT, 3),
        (say({"Message": "slowly"}, 429), RateLimitError, Outcome.NOT_SENT, 3),
        (refuse("slowly", 429), RateLimitError, Outcome.NOT_SENT, 3),
    ],
)
async def test_the_gateway_refuses_to_give_a_token(
    answer: Answer, kind: type[Exception], outcome: Outcome, requests: int
) -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.every_token_answer = answer
        error = await failure_of(send(client))
        assert (type(error), error.outcome) == (kind, outcome)
        assert gateway.calls == []
        assert gateway.token_requests == requests


async def test_a_hook_that_keeps_a_token_from_being_asked_for_keeps_the_message_back() -> None:
    async def fail(call: Attempt, proceed: Proceed) -> AttemptReply:
        raise LookupError(call.operation)

    async with TokenGateway() as gateway, make_client(gateway, hooks=[fail]) as client:
        with pytest.raises(LookupError, match="authenticate") as caught:
            await send(client)
        assert has_nothing_left(caught.value)
        with pytest.raises(LookupError, match="authenticate") as caught:
            await ask(client)
        assert not has_nothing_left(caught.value)
        assert gateway.token_requests == 0
        assert gateway.calls == []


@pytest.mark.parametrize(
    ("answer", "message", "code", "status"),
    [
        (refuse("کلید اشتباه است", 200, code=3), "کلید اشتباه است", 3, 200),
        (refuse("کلید اشتباه است", 400, code=3), "کلید اشتباه است", 3, 400),
        (refuse("کلید اشتباه است", 401, code=3), "کلید اشتباه است", 3, 401),
        (say({"Message": "کلید اشتباه است"}, 401), "کلید اشتباه است", None, 401),
        (refuse("توکن ساخته نشد", 200, code=3), "توکن ساخته نشد", 3, 200),
        (say({"IsSuccessful": True, "Message": "سلام", "ErrorCode": 4, "TokenKey": None}, 201), "سلام", 4, 201),
    ],
)
async def test_what_the_vendor_wrote_about_the_keys_is_kept(
    answer: Answer, message: str, code: int | None, status: int
) -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.every_token_answer = answer
        error = await failure_of(client.authenticate())
        assert isinstance(error, AuthenticationError)
        assert (error.gateway_message, error.code, error.http_status) == (message, code, status)
        assert message not in str(error)


MISSING: dict[str, dict[str, Any]] = {
    "null": {"TokenKey": None},
    "empty": {"TokenKey": ""},
    "blank": {"TokenKey": "  \t"},
    "missing": {},
    "a number": {"TokenKey": 7},
    "false": {"TokenKey": False},
    "a list": {"TokenKey": ["a"]},
    "an object": {"TokenKey": {"a": "b"}},
}


@pytest.mark.parametrize("successful", [True, False])
@pytest.mark.parametrize("token", MISSING)
async def test_an_answer_without_a_token(token: str, successful: bool) -> None:
    calls: list[Callable[[SmsIrClient], Awaitable[object]]] = [send, ask, SmsIrClient.authenticate]
    async with TokenGateway() as gateway, make_client(gateway) as client:
        envelope = {"IsSuccessful": successful, "Message": f"{USER_API_KEY} {SECRET_KEY}", "ErrorCode": 0}
        clocks = put_clocks(client)
        for number, (status, call) in enumerate(itertools.product([200, 201], calls), start=1):
            clocks.advance(PAUSE)
            gateway.every_token_answer = say({**envelope, **MISSING[token]}, status)
            error = await failure_of(call(client))
            assert isinstance(error, AuthenticationError)
            assert error.outcome is Outcome.REFUSED
            assert "check both keys, user_api_key and secret_key" in str(error)
            assert USER_API_KEY not in str(error) + repr(error)
            assert SECRET_KEY not in str(error) + repr(error)
            assert gateway.token_requests == number, "asking again does not mend a key"
        assert gateway.calls == []


async def test_blanks_around_a_token_are_not_part_of_it() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.valid.add("a-token")
        gateway.token_answers = [say({"IsSuccessful": True, "TokenKey": " a-token\n"})]
        await ask(client)
        assert gateway.tokens_used == ["a-token"]


@pytest.mark.parametrize(("policy", "requests"), [(ONCE, 1), (QUICKLY, 3)])
async def test_a_failure_is_told_to_all_who_waited_and_to_nobody_else(policy: Any, requests: int) -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=policy) as client:
        gateway.token_answers = [say(b"<html>", 500, after=0.02)] * requests
        errors = await asyncio.gather(*(failure_of(ask(client)) for _ in range(50)))
        assert len({error.operation_id for error in errors}) == 50
        assert {error.outcome for error in errors} == {Outcome.NOT_SENT}
        assert gateway.token_requests == requests, "one refresh for all of them, with the policy's attempts"
        assert not refreshes()

        await ask(client)
        assert gateway.token_requests == requests + 1, "the failure is not kept"


async def test_a_failure_is_not_kept_and_each_further_call_tries_once() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        gateway.every_token_answer = drop
        ids = [(await failure_of(send(client))).operation_id for _ in range(5)]
        assert len(set(ids)) == 5
        assert gateway.token_requests == 5
        assert gateway.calls == []


async def test_a_failure_that_passes_is_nobodys_business() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.token_answers = [drop, say(b"", 500)]
        await asyncio.gather(*(send(client, f"text {number}") for number in range(20)))
        assert gateway.token_requests == 3
        assert len(set(gateway.sent)) == len(gateway.sent) == 20


async def test_authenticate_fetches_now() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await client.authenticate()
        assert gateway.token_requests == 1
        assert gateway.calls == []
        await ask(client)
        assert gateway.token_requests == 1
        await client.authenticate()
        assert gateway.token_requests == 2, "what it has itself is not asked for"
        await ask(client)
        assert gateway.tokens_used == gateway.issued


async def test_authenticate_fails_early_with_wrong_keys() -> None:
    async with TokenGateway() as gateway, make_client(gateway) as client:
        await ask(client)
        gateway.every_token_answer = refuse("کلید اشتباه است")
        error = await failure_of(client.authenticate())
        assert isinstance(error, AuthenticationError)
        assert (error.gateway, error.operation) == ("smsir", "authenticate")
        assert error.operation_id
        assert gateway.token_requests == 2


async def test_authenticate_fails_for_each_who_called_it() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        gateway.token_answers = [drop]
        first, second = await asyncio.gather(*(failure_of(client.authenticate()) for _ in range(2)))
        assert first is not second
        assert gateway.token_requests == 1
