"""Every code and number that can stand in an answer, and the error it becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.ghasedak import (
    AuthenticationError,
    GatewayError,
    GhasedakClient,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    ServiceUnavailableError,
)
from support.ghasedak import Call, ask, failure_of, look, make_client, rename, send
from support.raw_server import Exchange, RawServer, answer, envelope, http

NUMBERS: dict[int, type[GatewayError]] = {
    1: AuthenticationError,
    2: InvalidRequestError,
    3: InvalidRequestError,
    4: InvalidRequestError,
    5: ServiceUnavailableError,
    6: AuthenticationError,
    7: InvalidSenderError,
    8: InvalidRecipientError,
    9: InsufficientCreditError,
    10: ServiceUnavailableError,
    11: PermissionDeniedError,
    20: InvalidRecipientError,
    21: ServiceUnavailableError,
    24: PermissionDeniedError,
}
"""The vendor's error table. All other numbers are not assigned."""
FAILURES = (10, 21)
"""These tell of a failure of the gateway's own, perhaps after it had taken the message."""


def _outcome_of(number: int) -> Outcome:
    return Outcome.REFUSED if number in NUMBERS and number not in FAILURES else Outcome.UNKNOWN


def _reads_for(kind: type[GatewayError]) -> int:
    return 3 if kind in (ServiceUnavailableError, RateLimitError) else 1


def _check_number(error: BaseException, number: int, *, http_status: int | None, message: str | None) -> None:
    assert isinstance(error, GatewayError)
    assert type(error) is NUMBERS.get(number, GatewayError)
    assert error.code == number
    assert error.outcome is _outcome_of(number)
    assert not error.is_bare
    assert error.http_status == http_status
    assert error.gateway_message == message
    assert f"(error {number})" in str(error)
    assert error.gateway == "ghasedak"
    assert error.operation
    assert error.operation_id


@pytest.mark.parametrize("number", [*range(1, 25), 29, 77])
async def test_number_in_a_419(number: int, emulator: Emulator, client: GhasedakClient) -> None:
    emulator.ghasedak.switches.refuse_calls_with = number
    for call in (send, look):
        for http_status in (419, 200):
            emulator.ghasedak.switches.errors_in_http_200 = http_status == 200
            emulator.requests.clear()
            error = await failure_of(call(client))
            _check_number(error, number, http_status=http_status, message="error! Exception")
            assert len(emulator.requests) == (1 if call is send else _reads_for(NUMBERS.get(number, GatewayError)))
    assert emulator.messages() == []


@pytest.mark.parametrize("call", [send, look])
@pytest.mark.parametrize("number", NUMBERS)
async def test_number_in_a_failure_of_the_server(number: int, call: Call) -> None:
    """Whatever it says, the server failed, perhaps after it had done its work."""
    script = answer(envelope([number], 419, "error! Exception"), 500)
    async with RawServer(script) as server, make_client(server.url) as client:
        error = await failure_of(call(client))
    assert type(error) is NUMBERS[number]
    assert (error.code, error.outcome, error.http_status) == (number, Outcome.UNKNOWN, 500)
    assert len(server.requests) == (1 if call is send else 3)


@pytest.mark.parametrize("items", [["10"], [" 10 "], [10, 20]])
async def test_number_loosely_written(items: list[object]) -> None:
    async with (
        RawServer(answer(envelope(items, "419", "error! Exception"), 419)) as server,
        make_client(server.url) as client,
    ):
        error = await failure_of(look(client))
    _check_number(error, 10, http_status=419, message="error! Exception")


@pytest.mark.parametrize(
    "items",
    [None, "", [], [None], ["x"], [True], [1.5], [[8]], 8, {"code": 8}, [8, None], [8, 70001], [70001], [0], [-8]],
)
async def test_419_without_a_number(items: object) -> None:
    async with (
        RawServer(answer(envelope(items, 419, "error! Exception"), 419)) as server,
        make_client(server.url) as client,
    ):
        error = await failure_of(send(client))
    assert type(error) is GatewayError
    assert error.code == 419
    assert error.outcome is Outcome.UNKNOWN
    assert error.gateway_message == "error! Exception"
    assert len(server.requests) == 1


async def test_number_in_another_code_counts_for_nothing() -> None:
    """Only a 419 carries error numbers."""
    async with RawServer(answer(envelope([9], 400, "bad"), 400)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, InvalidRequestError)
    assert error.code == 400


@pytest.mark.parametrize("message", [None, 5, ["a"], {"a": 1}])
async def test_message_that_is_no_text(message: object) -> None:
    body = json.dumps({"result": {"code": 401, "message": message}}).encode()
    async with RawServer(answer(body, 401)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, AuthenticationError)
    assert error.gateway_message is None


STATUSES: dict[int, type[GatewayError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}
NOT_PROCESSED = (400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 429, 431)
BARE = [b"<html>09121234567</html>", b""]
BODIES = [*BARE, b'{"detail": "x"}', b"[1]", b'{"result": {"message": "09121234567"}}']


@pytest.mark.parametrize("hundred", [400, 500])
async def test_http_status_without_envelope(hundred: int) -> None:
    """Those that HTTP says were not processed are refused; of all others nobody knows what became of the message."""
    server_status = hundred

    async def answer_next(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(http(BODIES[server_status % len(BODIES)], server_status))

    async with RawServer(answer_next) as server, make_client(server.url) as client:
        for server_status in range(hundred, hundred + 100):
            error = await failure_of(send(client))
            sends = len(server.requests)
            await failure_of(look(client))
            reads = len(server.requests) - sends
            server.requests.clear()
            _check_bare_status(server_status, error, sends, reads)


def _check_bare_status(status: int, error: BaseException, sends: int, reads: int) -> None:
    if status in NOT_PROCESSED:
        kind = STATUSES.get(status, InvalidRequestError)
        assert isinstance(error, GatewayError)
        assert type(error) is kind
        assert error.is_bare is (BODIES[status % len(BODIES)] in BARE)
        assert error.code == error.http_status == status
        assert error.outcome is Outcome.REFUSED
        assert error.gateway_message is None
        assert (sends, reads) == (_reads_for(kind) if error.is_bare else 1, _reads_for(kind))
    else:
        assert isinstance(error, ReplyError)
        assert error.http_status == status
        assert error.outcome is Outcome.UNKNOWN
        assert (sends, reads) == (1, 3 if status >= 500 else 1)
    assert "09121234567" not in repr(error) + str(error)


@pytest.mark.parametrize("status", [201, 204, 299, 300, 301, 302, 304, 307, 308, 399])
async def test_success_or_redirect_without_envelope(status: int) -> None:
    bodiless = status in (204, 304)
    headers = {"Location": "http://127.0.0.1:1/"}
    async with (
        RawServer(answer(b"" if bodiless else b"{}", status, headers)) as server,
        make_client(server.url) as client,
    ):
        error = await failure_of(send(client))
        assert isinstance(error, ReplyError)
        assert error.outcome is Outcome.UNKNOWN
        assert error.http_status == status
        assert len(server.requests) == 1


CODES: dict[int, type[GatewayError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: InvalidRequestError,
    415: InvalidRequestError,
    429: RateLimitError,
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("status", "outcome"), [(200, Outcome.REFUSED), (0, Outcome.REFUSED), (500, Outcome.UNKNOWN)])
async def test_code_that_refuses(code: int, status: int, outcome: Outcome) -> None:
    body = envelope(None, code, "because")
    async with RawServer(answer(body, status or code)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, GatewayError)
    assert type(error) is CODES[code]
    assert (error.code, error.gateway_message, error.outcome) == (code, "because", outcome)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [402, 406, 409, 411, 412, 413, 416, 418, 420, 422, 426, 428, 431, 451, 499])
@pytest.mark.parametrize("in_200", [False, True], ids=["mirrored", "in-200"])
async def test_undocumented_code_like_a_refusal(code: int, in_200: bool) -> None:
    """They belong to another service of the vendor, so their meanings there are not promised here."""
    body = envelope(None, code, "because")
    async with RawServer(answer(body, 200 if in_200 else code)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert type(error) is GatewayError
    assert (error.code, error.gateway_message, error.outcome) == (code, "because", Outcome.UNKNOWN)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [-1, 0, 1, 100, 199, 201, 202, 302, 399, 408, 500, 502, 503, 599, 600, 1000, 10**12])
@pytest.mark.parametrize("status", [200, 500])
async def test_undocumented_code_that_says_nothing(code: int, status: int) -> None:
    """Nothing says that the message was not sent."""
    async with RawServer(answer(envelope([70001], code), status)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, GatewayError)
    assert (error.code, error.outcome, error.http_status) == (code, Outcome.UNKNOWN, status)
    assert len(server.requests) == 1


@pytest.mark.parametrize("in_200", [False, True], ids=["mirrored", "in-200"])
@pytest.mark.parametrize("call", [send, ask, look, rename])
async def test_too_many_requests(call: Call, in_200: bool) -> None:
    body = envelope(None, 429, "slow down")
    script = answer(body, 200 if in_200 else 429, {"Retry-After": "0"})
    async with RawServer(script) as server, make_client(server.url) as client:
        error = await failure_of(call(client))
    assert isinstance(error, RateLimitError)
    assert (error.code, error.retry_after, error.outcome) == (429, 0.0, Outcome.REFUSED)
    # Only the bare HTTP status means that nothing was done.
    assert len(server.requests) == (1 if call is send else 3)


@pytest.mark.parametrize("status", [200, 419, 500])
@pytest.mark.parametrize("number", [5, 10, 21])
async def test_a_send_refused_for_now_is_not_repeated(number: int, status: int) -> None:
    """The message may be out, whatever the number says."""
    body = envelope([number], 419, "error! Exception")
    async with RawServer(answer(body, status), answer(envelope([70001]))) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert type(error) is ServiceUnavailableError
    assert (error.code, error.http_status) == (number, status)
    assert error.outcome is (Outcome.REFUSED if number == 5 and status < 500 else Outcome.UNKNOWN)
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", [ask, look, rename])
@pytest.mark.parametrize("number", [5, 10, 21])
async def test_refused_for_now_then_taken(call: Call, number: int) -> None:
    body = envelope([number], 419, "error! Exception")
    good: dict[Call, Any] = {ask: [{"messageid": 70001, "status": 1}], look: [], rename: None}
    script = (answer(body, 419), answer(body, 200), answer(envelope(good[call])))
    async with RawServer(*script) as server, make_client(server.url) as client:
        await call(client)
    assert len(server.requests) == 3


@pytest.mark.parametrize("code", [None, "", "x", True, [200], {"code": 200}, "2e2", "0x200"])
@pytest.mark.parametrize("status", [200, 503])
async def test_code_that_is_no_integer(code: object, status: int) -> None:
    async with RawServer(answer(envelope([70001], code), status)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, ReplyError)
    assert (error.field, error.outcome, error.http_status) == ("result.code", Outcome.UNKNOWN, status)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [b"null", b"5", b'"text"', b"[]", b"{}", b'{"items": [70001]}', b'{"result": null, "items": [70001]}',
     b'{"result": 200, "items": [70001]}', b'{"result": [200], "items": [70001]}', b"[" * 100_000,
     b'{"result": {"code": 200}, "items": [70001]', b"\xff\xfe\x00", b'{"result": {"code": NaN}, "items": [1]}'],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
async def test_answer_that_is_no_envelope(body: bytes) -> None:
    async with RawServer(answer(body)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, ReplyError)
    assert (error.outcome, error.http_status) == (Outcome.UNKNOWN, 200)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 419, 500, 503])
async def test_success_in_the_body_of_a_failure(status: int) -> None:
    """The message may have been sent: neither success nor refusal."""
    async with RawServer(answer(envelope([70001]), status)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert isinstance(error, ReplyError)
    assert (error.field, error.outcome, error.http_status) == ("result.code", Outcome.UNKNOWN, status)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 299])
async def test_success_with_any_2xx(status: int) -> None:
    async with RawServer(answer(envelope(["70001"], "200"), status)) as server, make_client(server.url) as client:
        assert (await client.send("09121234567", "text")).message_id == 70001
