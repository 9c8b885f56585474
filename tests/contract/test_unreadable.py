"""Whatever the reading of an answer raises, it is an answer that cannot be understood: the outcome is unknown."""

from __future__ import annotations

import logging
import traceback
from typing import Any, NoReturn

import pytest
from payamak.common import ClientStateError, Outcome, ReplyError, RetryPolicy
from payamak.common.session import Reply
from support.canned import Canned
from support.gateways import EACH_CALL, Call, Gateway
from support.gateways.smsir import SMSIR

NEEDLE = "a text from the answer"
RAISED = (RecursionError, MemoryError, KeyError, AssertionError, ClientStateError)


class Poisoned(bytes):
    """A body whose reading raises."""

    error: type[Exception]

    def decode(self, *_arguments: object, **_options: object) -> NoReturn:
        raise self.error(NEEDLE)

    def __contains__(self, _part: object) -> bool:
        return True

    def __getitem__(self, _place: object) -> NoReturn:
        raise self.error(NEEDLE)


def poison(error: type[Exception], status: int = 200) -> Reply:
    body = Poisoned(b"{}")
    body.error = error
    return Reply(status, {}, body)


def check(error: ReplyError, name: str, kind: type[Exception]) -> None:
    assert error.operation == name
    assert error.outcome is Outcome.UNKNOWN
    assert error.http_status == 200
    assert error.body == b"{}"
    assert kind.__name__ in str(error)
    chained: BaseException | None = error
    while chained is not None:
        assert isinstance(chained, ReplyError), "what was raised can hold the answer"
        chained = chained.__cause__ or chained.__context__
    assert NEEDLE not in "".join(traceback.format_exception(error))


@EACH_CALL
async def test_whatever_a_reader_raises(gateway: Gateway, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Canned() as session:
        options: dict[str, Any] = {"session": session, "retry": RetryPolicy(attempts=1), "keep_replies": True}
        client = gateway.connect("https://gateway.example/", **options)
        for kind in RAISED:
            session.reply = poison(kind)
            with pytest.raises(ReplyError) as caught:
                await call.run(client)
            check(caught.value, call.name, kind)
    assert NEEDLE not in caplog.text


@pytest.mark.parametrize("kind", RAISED)
async def test_whatever_the_reader_of_a_token_raises(kind: type[Exception]) -> None:
    async with Canned() as session:
        session.reply = poison(kind)
        client = SMSIR.make("https://gateway.example/", session=session, keep_replies=True)
        with pytest.raises(ReplyError) as caught:
            await client.authenticate()
        check(caught.value, "authenticate", kind)
