"""What goes wrong: the vendor's codes, HTTP, broken connections; what the caller learns, and what is repeated."""

from __future__ import annotations

import asyncio
import copy
import gc
import itertools
import json
import logging
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from payamak.common.session import Reply
from payamak.opgateway import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    OpGatewayClient,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    ServiceUnavailableError,
)
from payamak.opgateway.codes import ERROR_CODES, SUCCESS_CODES
from payamak.opgateway.wire import read_answer
from support.ghasedak import HASTY, ONCE, failure_of
from support.opgateway import (
    FIRST,
    LINE,
    METHODS,
    PASSWORD,
    USERNAME,
    Method,
    ask,
    ask_each,
    make_client,
    reply,
    url_of,
)
from support.raw_server import (
    Behaviour,
    RawServer,
    answer,
    bytes_then_close,
    close_read,
    close_unread,
    hang,
    http,
    reset_read,
)
from support.sockets import dead_port

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


@pytest.mark.parametrize("status", [200, 400, 500])
def test_every_code(status: int) -> None:
    """In each spelling: its class, the code as a number, the vendor's sentence in its own place, and: refused."""
    for code, spell in itertools.product([*CODES, *UNLISTED], SPELLINGS):
        body = f"[{json.dumps(spell(code))}, "
        body += '"The username or password is incorrect \\/ \\u06a9\\u0627\\u0631\\u0628\\u0631"]'
        with pytest.raises(GatewayError) as caught:
            read_answer(Reply(status, {"Retry-After": "7"}, body.encode()))
        error = caught.value
        assert type(error) is CODES.get(code, GatewayError)
        assert (error.code, type(error.code), error.gateway_message) == (code, int, SENTENCE)
        assert (error.http_status, error.outcome, error.retry_after) == (status, Outcome.REFUSED, 7)
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


# HTTP

SENT = b"[0, 10929800]"
REFUSED: dict[int, type[GatewayError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: InvalidRequestError,
    418: InvalidRequestError,
    429: RateLimitError,
}


@SOME
async def test_statuses_without_an_answer_of_the_gateway(method: Method) -> None:
    bodies = (b"<html>no</html>", b"", b"{}")
    for body in bodies:
        errors = await ask_each(method.call, *(answer(body, status) for status in REFUSED), retry=ONCE)
        for (status, kind), error in zip(REFUSED.items(), errors, strict=True):
            assert type(error) is kind
            assert (error.http_status, error.outcome, error.operation) == (status, Outcome.REFUSED, method.name)
        unknown = (204, 302, 307, 408, 500, 502, 503) if body != b"{}" else (302, 408, 500)
        errors = await ask_each(
            method.call, *(answer(b"" if status == 204 else body, status) for status in unknown), retry=ONCE
        )
        for status, error in zip(unknown, errors, strict=True):
            assert type(error) is ReplyError
            assert (error.http_status, error.outcome) == (status, Outcome.UNKNOWN)


@SOME
async def test_bodies_that_are_no_answer(method: Method) -> None:
    bodies = (b"", b" \n", b"<html>ok</html>", b"\xff\xfe\x00", b"[0, 1092", b"0", b"[" * 100_000, b"[0,5]x", b"NaN")
    for body, error in zip(bodies, await ask_each(method.call, *map(answer, bodies)), strict=True):
        assert type(error) is ReplyError, body[:20]
        assert (error.outcome, error.http_status) == (Outcome.UNKNOWN, 200)
        assert error.__cause__ is None


@pytest.mark.parametrize("status", [301, 400, 403, 404, 408, 429, 500, 503])
async def test_success_under_a_status_of_failure_is_unknown(status: int) -> None:
    """The text may well be on its way."""
    async with (
        RawServer(answer(SENT, status, {"Retry-After": "0"})) as server,
        make_client(url_of(server)) as client,
    ):
        error = await failure_of(METHODS["send"].call(client))
        assert len(server.requests) == 1
    assert type(error) is ReplyError
    assert (error.outcome, error.http_status, error.retry_after) == (Outcome.UNKNOWN, status, 0)


# What is repeated

DROPS: dict[str, tuple[Behaviour, type[PayamakError]]] = {
    "reads and closes": (close_read, ConnectionLostError),
    "reads and resets": (reset_read, ConnectionLostError),
    "closes unread": (close_unread, ConnectionLostError),
    "cuts the answer": (bytes_then_close(http(SENT)[:-3]), ConnectionLostError),
    "answers 500": (answer(b"<html>", 500), ReplyError),
    "answers 503": (answer(b"", 503, {"Retry-After": "0"}), ReplyError),
}
ALWAYS_ONCE = {
    "send", "send_to_many", "send_to_phone_books", "create_user", "send_to_postal_code", "send_to_job",
}  # fmt: skip


def test_the_methods_that_must_not_be_repeated() -> None:
    assert {name for name, method in METHODS.items() if method.once} == ALWAYS_ONCE


@pytest.mark.parametrize("drop", DROPS)
async def test_a_send_is_never_repeated_and_a_read_is(drop: str) -> None:
    behaviour, kind = DROPS[drop]
    for method in METHODS.values():
        async with RawServer(behaviour) as server, make_client(url_of(server)) as client:
            error = await failure_of(method.call(client))
            attempts = server.connections if drop == "closes unread" else len(server.requests)
        assert type(error) is kind, method.name
        assert error.outcome is Outcome.UNKNOWN
        assert attempts == (1 if method.once else 3), method.name
        assert len(server.requests) <= attempts


@pytest.mark.parametrize("name", ["send", "credit", "create_user"])
async def test_time_runs_out(name: str) -> None:
    async with RawServer(hang) as server, make_client(url_of(server), timeout=HASTY, retry=ONCE) as client:
        error = await failure_of(METHODS[name].call(client))
        assert type(error) is RequestTimeoutError
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


async def test_a_refusal_is_not_repeated() -> None:
    async with RawServer(reply([5, "no"])) as server, make_client(url_of(server)) as client:
        for count, method in enumerate(METHODS.values(), 1):
            assert type(await failure_of(method.call(client))) is InsufficientCreditError
            assert len(server.requests) == count


@EACH
async def test_a_refusal_for_now_is_repeated(method: Method) -> None:
    """99: the operator of the line is not available. Nothing was sent, so even a send may be tried again."""
    script = (reply([99, "later"]), answer(b"", 429, {"Retry-After": "0"}), reply([0, method.data]))
    async with RawServer(*script) as server, make_client(url_of(server)) as client:
        assert await method.call(client) is not None
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1


async def test_what_never_left_is_not_sent() -> None:
    with dead_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/services.jspd") as client:
            for method in METHODS.values():
                error = await failure_of(method.call(client))
                assert type(error) is ConnectionFailedError
                assert (error.outcome, error.operation) == (Outcome.NOT_SENT, method.name)


async def test_after_what_may_have_been_sent_a_refusal_for_now_is_the_end() -> None:
    script = (reply([99, "later"]), close_read, reply([0, BULK]))
    async with RawServer(*script) as server, make_client(url_of(server)) as client:
        error = await failure_of(METHODS["send"].call(client))
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2


# Copies, cancellation, event loops, a closed client


@pytest.mark.parametrize("code", [5, 99, 456, 962, 8])
async def test_a_refusal_can_be_pickled_and_copied(code: int) -> None:
    error = await failure_of(ask(METHODS["send"].call, reply([code, "no"]), retry=ONCE))
    _check_twins(error)


async def test_other_errors_can_be_pickled_and_copied() -> None:
    for behaviour in (close_read, answer(b"<html>"), reply(None), answer(b"", 404), answer(SENT, 500)):
        _check_twins(await failure_of(ask(METHODS["delivery"].call, behaviour, retry=ONCE)))
    client = make_client("http://127.0.0.1:9/")
    _check_twins(await failure_of(client.delivery(0)))
    await client.aclose()
    _check_twins(await failure_of(client.credit()))


def _check_twins(error: PayamakError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 -- our own
        assert type(twin) is type(error)
        assert (vars(twin), twin.args, str(twin)) == (vars(error), error.args, str(error))


@pytest.mark.parametrize(
    ("name", "level"), [("send", logging.WARNING), ("create_user", logging.WARNING), ("credit", logging.DEBUG)]
)
async def test_cancellation(name: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="payamak.opgateway")
    async with RawServer(hang, reply([0, "5"])) as server, make_client(url_of(server)) as client:
        task = asyncio.create_task(_run(METHODS[name], client))
        async with asyncio.timeout(2):
            await server.has_read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        record = next(record for record in caplog.records if "cancelled" in record.getMessage())
        assert record.levelno == level
        assert f"{name}: cancelled in attempt 1, outcome: unknown" in record.getMessage()
        assert await client.credit() == 5, "the client is still of use"
        assert len(server.requests) == 2


async def _run(method: Method, client: OpGatewayClient) -> Any:
    return await method.call(client)


async def _use(client: OpGatewayClient, *, close: bool = False) -> None:
    async with RawServer(reply([0, BULK])) as server:
        client._url = url_of(server)
        assert await METHODS["send"].call(client) == BULK
        assert await METHODS["send"].call(client) == BULK
        assert len(server.requests) == 2
        if close:
            await client.aclose()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # The first loop ended with a connection open.
def test_one_client_in_two_event_loops_one_after_the_other() -> None:
    client = make_client("http://127.0.0.1:9/")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        asyncio.run(_use(client))
        asyncio.run(_use(client, close=True))
        gc.collect()


async def test_two_event_loops_at_once_are_refused() -> None:
    async with RawServer(reply([0, BULK])) as server, make_client(url_of(server)) as client:
        assert await METHODS["send"].call(client) == BULK
        error = await asyncio.to_thread(lambda: asyncio.run(failure_of(METHODS["send"].call(client))))
        assert type(error) is ClientStateError
        assert error.outcome is Outcome.NOT_SENT
        assert len(server.requests) == 1


async def test_a_closed_client() -> None:
    async with RawServer(reply([0, BULK])) as server:
        client = make_client(url_of(server))
        await client.aclose()
        for method in METHODS.values():
            error = await failure_of(method.call(client))
            assert type(error) is ClientStateError
            assert (error.outcome, error.operation, error.gateway) == (Outcome.NOT_SENT, method.name, "opgateway")
        assert not server.connections


async def test_a_hundred_sends_at_once_are_a_hundred() -> None:
    async with RawServer(reply([0, BULK])) as server, make_client(url_of(server)) as client:
        found = await asyncio.gather(*(client.send(FIRST, f"{n}", sender=LINE) for n in range(100)))
        assert found == [BULK] * 100
        assert sorted(int(request.form["message"]) for request in server.requests) == list(range(100))


def test_a_client_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(make_client("http://127.0.0.1:9/"))


@pytest.mark.parametrize(
    ("username", "password", "options", "argument"),
    [
        ("", PASSWORD, {}, "username"),
        (None, PASSWORD, {}, "username"),
        (USERNAME, " ", {}, "password"),
        (USERNAME, b"x", {}, "password"),
        (USERNAME, "\udcff", {}, "password"),
        (USERNAME, PASSWORD, {"base_url": "http://panel.example/services.jspd"}, "base_url"),
        (USERNAME, PASSWORD, {"base_url": "panel.example"}, "base_url"),
        (USERNAME, PASSWORD, {"base_url": "https://panel.example/services.jspd?op=send"}, "base_url"),
        (USERNAME, PASSWORD, {"base_url": "https://a:b@panel.example/"}, "base_url"),
        (USERNAME, PASSWORD, {"base_url": None}, "base_url"),
        (USERNAME, PASSWORD, {"timeout": 0}, "timeout"),
        (USERNAME, PASSWORD, {"retry": 3}, "retry"),
    ],
)
def test_settings_that_are_wrong(username: Any, password: Any, options: dict[str, Any], argument: str) -> None:
    settings: dict[str, Any] = {"base_url": "https://panel.example/", **options}
    with pytest.raises(InvalidArgumentError) as caught:
        OpGatewayClient(username, password, **settings)
    assert caught.value.argument == argument
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_http_is_allowed_if_asked_for() -> None:
    await OpGatewayClient(USERNAME, PASSWORD, base_url="http://panel.example/", allow_http=True).aclose()
