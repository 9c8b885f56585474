"""What goes wrong: the vendor's codes, HTTP, broken connections; what the caller learns, and what is repeated."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from payamak.common.session import Reply
from payamak.opgateway import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    ReplyError,
    ServiceUnavailableError,
)
from payamak.opgateway.codes import ERROR_CODES, SUCCESS_CODES
from payamak.opgateway.wire import read_answer
from support.ghasedak import ONCE, failure_of
from support.opgateway import (
    METHODS,
    PASSWORD,
    Method,
    ask,
    make_client,
    reply,
    url_of,
)
from support.raw_server import (
    RawServer,
    answer,
    close_read,
)

EACH = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))
SOME = pytest.mark.parametrize("method", [METHODS[name] for name in ("send", "create_user", "credit", "delivery")])
BULK = 10929800
SENTENCE = "The username or password is incorrect / \u06a9\u0627\u0631\u0628\u0631"

TABLE: dict[type[GatewayError], set[int]] = {
    AuthenticationError: {962},
    PermissionDeniedError: {2, 963, 964, 992, 994, 995, 996, 997, 998},
    InsufficientCreditError: {5},
    InvalidSenderError: {3, 7, 9, 266},
    InvalidRecipientError: {972},
    NotFoundError: {404, 455, 456, 458},
    ServiceUnavailableError: {99},
    GatewayError: {1003, 1004, 1005},
    InvalidRequestError: {
        1, 4, 6, 21, 22, 23, 98, 100, 101, 111, 131, 132, *range(301, 318), 970, 971, 993, 1001, 1002, 1006,
    },
}  # fmt: skip
CODES = {code: kind for kind, codes in TABLE.items() for code in codes}
SPELLINGS: list[Callable[[int], object]] = [int, str, float, lambda code: f"{code}.0"]
UNLISTED = (8, 10, 500, 5000, 99_999, -1, -10)


def test_the_table_is_whole() -> None:
    assert {code: kind for code, (kind, _) in ERROR_CODES.items()} == CODES
    assert sum(map(len, TABLE.values())) == len(CODES)
    assert {0, 102} == SUCCESS_CODES
    assert not SUCCESS_CODES & set(CODES)
    assert all(meaning.isascii() and meaning for _, meaning in ERROR_CODES.values())


@pytest.mark.parametrize("status", [200, 400, 409, 499, 500, 503])
def test_every_code(status: int) -> None:
    """In each spelling: its class, the code as a number, the vendor's sentence in its own place, what is certain."""
    for code, spell in itertools.product([*CODES, *UNLISTED], SPELLINGS):
        body = f"[{json.dumps(spell(code))}, "
        body += '"The username or password is incorrect \\/ \\u06a9\\u0627\\u0631\\u0628\\u0631"]'
        with pytest.raises(GatewayError) as caught:
            read_answer(Reply(status, {"Retry-After": "7"}, body.encode()))
        error = caught.value
        assert type(error) is CODES.get(code, GatewayError)
        assert (error.code, type(error.code), error.gateway_message) == (code, int, SENTENCE)
        outcome = Outcome.REFUSED if code in CODES and status < 500 else Outcome.UNKNOWN
        assert (error.http_status, error.outcome, error.retry_after) == (status, outcome, 7)
        assert not error.is_bare
        assert f"code {code}" in str(error)
        assert SENTENCE not in str(error)


@pytest.mark.parametrize("data", [None, 5, [1], {"a": 1}])
def test_a_refusal_without_a_sentence(data: Any) -> None:
    for document in ([5, data], [5]):
        with pytest.raises(InsufficientCreditError) as caught:
            read_answer(Reply(200, {}, json.dumps(document).encode()))
        assert caught.value.gateway_message is None


async def test_a_code_through_the_client() -> None:
    error = await failure_of(ask(METHODS["send"].call, reply([5, "no credit"])))
    assert type(error) is InsufficientCreditError
    assert (error.gateway, error.operation, error.gateway_message) == ("opgateway", "send", "no credit")
    assert len(error.operation_id or "") == 32
    assert PASSWORD not in repr(error)


# What is repeated


@EACH
async def test_too_many_requests_are_repeated(method: Method) -> None:
    """The status says of itself that nothing was done, so even a send may be tried again."""
    script = (*[answer(b"", 429, {"Retry-After": "0"})] * 2, reply([0, method.data]))
    async with RawServer(*script) as server, make_client(url_of(server)) as client:
        assert await method.call(client) is not None
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1


@EACH
@pytest.mark.parametrize("status", [200, 429, 503])
async def test_a_refusal_for_now_is_final_for_a_send(method: Method, status: int) -> None:
    """99: the operator of the line is not available. It may have been so for a part of the recipients only."""
    body = json.dumps([99, "later"]).encode()
    async with RawServer(answer(body, status, {"Retry-After": "0"})) as server, make_client(url_of(server)) as client:
        error = await failure_of(method.call(client))
    assert type(error) is ServiceUnavailableError
    assert error.outcome is (Outcome.UNKNOWN if status == 503 else Outcome.REFUSED)
    assert len(server.requests) == (1 if method.once else 3)


async def test_after_what_may_have_been_sent_too_many_requests_are_the_end() -> None:
    script = (answer(b"", 429, {"Retry-After": "0"}), close_read, reply([0, BULK]))
    async with RawServer(*script) as server, make_client(url_of(server)) as client:
        error = await failure_of(METHODS["send"].call(client))
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2


# What a status says by itself


NOT_PROCESSED = (400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 429, 431)


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b'{"message": "no"}', b"[]"])
async def test_a_status_with_a_body_that_says_nothing(body: bytes) -> None:
    for status in range(400, 500):
        async with RawServer(answer(body, status)) as server, make_client(url_of(server), retry=ONCE) as client:
            error = await failure_of(METHODS["send"].call(client))
        certain = status in NOT_PROCESSED
        assert error.outcome is (Outcome.REFUSED if certain else Outcome.UNKNOWN), status
        assert isinstance(error, GatewayError) is certain


@pytest.mark.parametrize("status", [400, 404, 429])
@pytest.mark.parametrize(
    ("document", "ids"),
    [
        (BULK, (BULK,)),
        (str(BULK), (BULK,)),
        ([BULK], (BULK,)),
        ([BULK, 7 * BULK], (BULK, 7 * BULK)),
        ([0, BULK], (BULK,)),
        ([0, f"[{BULK}]"], (BULK,)),
    ],
)
async def test_an_id_is_no_refusal(document: object, ids: tuple[int, ...], status: int) -> None:
    """Whoever gives an id has taken the message, whatever the status."""
    async with (
        RawServer(answer(json.dumps(document).encode(), status)) as server,
        make_client(url_of(server)) as client,
    ):
        error = await failure_of(METHODS["send"].call(client))
    assert type(error) is ReplyError
    assert (error.outcome, error.message_ids, len(server.requests)) == (Outcome.UNKNOWN, ids, 1)


@pytest.mark.parametrize("code", [5, 99, 456, 962, 8])
async def test_a_refusal_can_be_pickled_and_copied(code: int) -> None:
    error = await failure_of(ask(METHODS["send"].call, reply([code, "no"]), retry=ONCE))
    _check_twins(error)


def _check_twins(error: PayamakError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 -- our own
        assert type(twin) is type(error)
        assert (vars(twin), twin.args, str(twin)) == (vars(error), error.args, str(error))
