"""What a status says where the gateway's own answer says nothing, and what bodies say that are none."""

from __future__ import annotations

import pytest
from payamak.common import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RetryPolicy,
)
from support.failures import failure_of
from support.gateways import EACH, Gateway
from support.raw_server import Behaviour, RawServer, answer, bytes_then_close

ONCE = RetryPolicy(attempts=1)
REFUSED: dict[int, type[GatewayError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: InvalidRequestError,
    411: InvalidRequestError,
    413: InvalidRequestError,
    414: InvalidRequestError,
    415: InvalidRequestError,
    417: InvalidRequestError,
    421: InvalidRequestError,
    426: InvalidRequestError,
    429: RateLimitError,
    431: InvalidRequestError,
}
"""Of these HTTP says that the request was not processed."""
UNKNOWN = (204, 302, 307, *(status for status in range(400, 500) if status not in REFUSED), 500, 502, 503)
NO_ANSWERS = (b"", b" \n", b"<html>ok</html>", b"\xff\xfe\x00", b"[0, 1092", b"[" * 100_000, b"[0,5]x", b"NaN")


async def failures(gateway: Gateway, *script: Behaviour) -> list[tuple[str, PayamakError]]:
    """What a send and a read make of each of these answers, on one connection."""
    found: list[tuple[str, PayamakError]] = []
    async with RawServer(*script, *script) as server, gateway.connect(server.url, retry=ONCE) as client:
        for call in (gateway.sampled[0], gateway.sampled[-1]):
            found += [(call.name, await failure_of(call.run(client))) for _ in script]
    return found


@EACH
@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"{}"], ids=["html", "empty", "an object"])
@pytest.mark.parametrize("status", REFUSED)
async def test_a_status_that_refuses(gateway: Gateway, status: int, body: bytes) -> None:
    for name, error in await failures(gateway, answer(body, status)):
        assert type(error) is REFUSED[status]
        assert isinstance(error, GatewayError)
        assert (error.http_status, error.outcome, error.operation) == (status, Outcome.REFUSED, name)
        assert error.is_bare or status != 429


LEAKS = (
    b"System.NullReferenceException: Object reference not set to an instance of an object.",
    b'{"Message": "An error has occurred.", "ExceptionType": "System.OperationCanceledException"}',
    b'"Unhandled exception"',
    b"PHP Fatal error:  Uncaught PDOException",
)


@EACH
@pytest.mark.parametrize("status", [400, 404, 429])
async def test_a_leaked_exception_is_explained_by_no_status(gateway: Gateway, status: int) -> None:
    """The program had the request, and may have done its work before it failed."""
    for leak in LEAKS:
        async with RawServer(answer(leak, status)) as server, gateway.connect(server.url) as client:
            error = await failure_of(gateway.send.run(client))
            assert (error.outcome, len(server.requests)) == (Outcome.UNKNOWN, 1), leak


@EACH
@pytest.mark.parametrize("words", [b"too many requests", b'"try again"', b'{"message": "Too Many Attempts."}'])
async def test_a_429_with_words_is_a_refusal_and_no_reason_to_send_again(gateway: Gateway, words: bytes) -> None:
    async with RawServer(answer(words, 429, {"Retry-After": "0"})) as server, gateway.connect(server.url) as client:
        error = await failure_of(gateway.send.run(client))
        assert type(error) is RateLimitError
        assert (error.outcome, len(server.requests)) == (Outcome.REFUSED, 1)


@EACH
@pytest.mark.parametrize("status", UNKNOWN)
async def test_a_status_that_leaves_it_open(gateway: Gateway, status: int) -> None:
    for body in (b"",) if status == 204 else (b"<html>no</html>", b"", b"{}"):
        for name, error in await failures(gateway, answer(body, status)):
            assert isinstance(error, ReplyError)
            assert (error.http_status, error.outcome, error.operation) == (status, Outcome.UNKNOWN, name)


@EACH
async def test_bodies_that_are_no_answer(gateway: Gateway) -> None:
    for name, error in await failures(gateway, *map(answer, NO_ANSWERS)):
        assert type(error) is ReplyError
        assert (error.http_status, error.outcome, error.operation) == (200, Outcome.UNKNOWN, name)
        assert error.__cause__ is None


@EACH
async def test_what_is_not_http(gateway: Gateway) -> None:
    for name, error in await failures(gateway, bytes_then_close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")):
        assert type(error) is ReplyError
        assert (error.outcome, error.operation) == (Outcome.UNKNOWN, name)


@EACH
@pytest.mark.parametrize("status", [301, 400, 403, 404, 408, 429, 500, 503])
async def test_a_success_under_a_status_of_failure_is_unknown(gateway: Gateway, status: int) -> None:
    """The text may well be on its way."""
    behaviour = answer(gateway.send_reply, status, {"Retry-After": "0"})
    async with RawServer(behaviour) as server, gateway.connect(server.url) as client:
        error = await failure_of(gateway.send.run(client))
        assert len(server.requests) == 1
    assert type(error) is ReplyError
    assert (error.outcome, error.http_status, error.retry_after) == (Outcome.UNKNOWN, status, 0)


@EACH
async def test_the_same_success_under_200_is_one(gateway: Gateway) -> None:
    async with RawServer(answer(gateway.send_reply)) as server, gateway.connect(server.url) as client:
        assert await gateway.send.run(client)
