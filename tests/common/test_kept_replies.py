"""An answer that cannot be understood can be seen by those who ask for it, and shows nowhere by itself."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.common import (
    Attempt,
    AttemptReply,
    GatewayError,
    InvalidArgumentError,
    PayamakError,
    PermissionDeniedError,
    Proceed,
    ReplyError,
)
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, ONCE, failure_of, make_client, send
from support.raw_server import RawServer, accept, answer, bytes_then_close, close_read, envelope

WARNING = b"<br />\n<b>Warning</b>: mysqli_connect(): Too many connections in <b>/home/p/db.php</b> on line <b>3</b>\n"
PAGE = b"<html>Your address is not on the list.</html>"


class Watch:
    """A hook that remembers its attempts."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    async def __call__(self, attempt: Attempt, proceed: Proceed) -> AttemptReply:
        self.attempts.append(attempt)
        return await proceed()


async def fail(body: bytes, status: int = 200, **options: Any) -> tuple[PayamakError, Attempt]:
    watch = Watch()
    async with (
        RawServer(answer(body, status)) as server,
        make_client(server.url, hooks=[watch], **options) as client,
    ):
        error = await failure_of(send(client))
    return error, watch.attempts[-1]


async def test_the_error_and_the_hook_get_the_answer() -> None:
    error, attempt = await fail(WARNING, keep_replies=True)
    assert isinstance(error, ReplyError)
    assert error.body == attempt.body == WARNING


async def test_without_being_asked_nothing_is_kept() -> None:
    error, attempt = await fail(WARNING)
    assert isinstance(error, ReplyError)
    assert error.body is attempt.body is None


async def test_without_hooks_it_is_kept_too() -> None:
    async with RawServer(answer(WARNING)) as server, make_client(server.url, keep_replies=True) as client:
        error = await failure_of(send(client))
    assert isinstance(error, ReplyError)
    assert error.body == WARNING


async def test_a_hook_gets_the_page_of_a_refusal() -> None:
    error, attempt = await fail(PAGE, 403, keep_replies=True)
    assert type(error) is PermissionDeniedError
    assert attempt.body == PAGE


@pytest.mark.parametrize("keep", [True, False])
async def test_a_hook_gets_the_answer_of_a_success(keep: bool) -> None:
    watch = Watch()
    async with (
        RawServer(accept(70001)) as server,
        make_client(server.url, hooks=[watch], keep_replies=keep) as client,
    ):
        await send(client)
    (attempt,) = watch.attempts
    assert attempt.body == (envelope([70001]) if keep else None)
    assert "70001" not in repr(attempt)


@pytest.mark.parametrize("behaviour", [close_read, bytes_then_close(b"SSH-2.0\r\n\r\n")])
async def test_where_nothing_came_there_is_nothing(behaviour: Any) -> None:
    async with (
        RawServer(behaviour) as server,
        make_client(server.url, keep_replies=True, retry=ONCE) as client,
    ):
        error = await failure_of(send(client))
    assert getattr(error, "body", None) is None


async def test_the_error_of_one_among_many_has_it() -> None:
    body = b'{"ErrCode": 0, "result": ["101", "none"]}'
    async with (
        RawServer(answer(body)) as server,
        AdvGatewayClient("u", "p", base_url=server.url, transport=Transport.REST, keep_replies=True) as client,
    ):
        good, bad = await client.send_to_many(["09121111111", "09122222222"], "text", sender="50001")
    assert good.message_id == 101
    assert isinstance(bad.error, ReplyError)
    assert bad.error.body == body


async def test_it_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error, attempt = await fail(WARNING, keep_replies=True, retry=ONCE)
    shown = [
        str(error), repr(error), repr(error.args), repr(vars(error)), repr(attempt),
        "".join(traceback.format_exception(error)), *(repr(vars(record)) for record in caplog.records),
    ]  # fmt: skip
    assert caplog.records
    assert not [text for text in shown if "mysqli" in text]


async def test_it_stays_in_a_copy_and_does_not_travel_with_a_pickle() -> None:
    error, _ = await fail(WARNING, keep_replies=True)
    assert copy.copy(error).body == WARNING  # type: ignore[attr-defined]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(error, protocol)
        assert b"mysqli" not in data
        twin = pickle.loads(data)  # noqa: S301 -- our own
        assert isinstance(twin, ReplyError)
        assert twin.body is None
        assert str(twin) == str(error)


def test_only_a_reply_error_has_it() -> None:
    assert not hasattr(GatewayError(), "body")


@pytest.mark.parametrize("wrong", [1, None, "yes"])
def test_what_is_no_bool_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="keep_replies"):
        GhasedakClient(KEY, keep_replies=wrong)
