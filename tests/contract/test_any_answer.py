"""Whatever a gateway answers: a result, or an error of this library, and nothing else. Every operation reads it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from payamak.common import Outcome, PayamakError, ReplyError, RetryPolicy, SendResult
from payamak.common.session import Reply
from payamak.common.structuring import decode
from support.canned import Canned
from support.gateways import EACH, GATEWAYS, Gateway
from support.shapes import is_list

STATUSES = st.sampled_from([100, 200, 204, 299, 302, 400, 401, 404, 408, 419, 429, 500, 503, 599])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, -1, -3, 8, 102, 200, 419, 10**18, 10**400, 1e300, 0.0, "", "0", "-1", "5", "200", "962"])
    | st.sampled_from(["2026-1-2 3:4:5", "2030/01/01 12:00:05", "/Date(99999999999999999999)/", "0000/00/00 00:00:00"])
    | st.sampled_from(["NaN", "1/5", "1e999999", "Array", "+989121111111:send", ":", "[", "{}", "[0, 1]", "[[[[1]]]]"])
    | st.floats()
    | st.text(max_size=5)
)
EXTREMES: tuple[Any, ...] = (
    None, [], {}, [[]], 10**400, [10**400], float("nan"), float("inf"), "[" * 5000, "[" * 5000 + "]" * 5000, "1" * 5000,
    "1e999999", {"time": "9999/99/99 99:99:99"}, [{"time": "/Date(99999999999999999999)/"}],
)  # fmt: skip
# Making a failing example smaller takes minutes, and explaining it more of them.
EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def json_of(gateway: Gateway) -> st.SearchStrategy[Any]:
    """JSON whose objects have the names that the gateway's readers look for."""
    models = [field for model in gateway.models for field in attrs.fields(model)]
    names = sorted({*gateway.names, *(str(field.metadata.get("name", field.name)) for field in models)})
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(names) | st.text(max_size=4), inner, max_size=5)
        ),
        max_leaves=12,
    )


JSON = {gateway.label: json_of(gateway) for gateway in GATEWAYS}


def check(gateway: Gateway, runner: asyncio.Runner, *replies: Reply) -> None:
    runner.run(_check_all(gateway, replies))


async def _check_all(gateway: Gateway, replies: tuple[Reply, ...]) -> None:
    async with Canned() as session:
        client = gateway.connect("https://gateway.example/", session=session, retry=RetryPolicy(attempts=1))
        for session.reply in replies:
            for call in gateway.calls.values():
                try:
                    result = await call.run(client)
                except PayamakError as error:
                    _check_error(gateway, error)
                else:
                    _check_result(result, session.reply)


def _check_error(gateway: Gateway, error: PayamakError) -> None:
    assert str(error)
    # Without a new token in place of a rejected one, nothing leaves.
    assert error.outcome is not Outcome.NOT_SENT or gateway.tokens
    assert pickle.loads(pickle.dumps(error)).outcome is error.outcome  # noqa: S301 -- our own


def _check_result(result: Any, reply: Reply) -> None:
    assert 200 <= reply.status < 300
    assert repr(result)
    for entry in result if is_list(result) else [result]:
        if isinstance(entry, SendResult):
            assert (entry.message_id is None) is (entry.error is not None)
            assert entry.message_id is None or entry.message_id > 0


@EACH
@given(body=st.binary(max_size=200), status=STATUSES, retry_after=st.text(max_size=20))
@EXAMPLES
def test_any_bytes(gateway: Gateway, runner: asyncio.Runner, body: bytes, status: int, retry_after: str) -> None:
    check(gateway, runner, Reply(status, {"Retry-After": retry_after}, body))


@EACH
@given(data=st.data(), status=STATUSES | st.just(200))
@EXAMPLES
def test_any_json(gateway: Gateway, runner: asyncio.Runner, data: st.DataObject, status: int) -> None:
    """As the whole answer, and as the data of a success."""
    value = data.draw(JSON[gateway.label])
    check(gateway, runner, *(Reply(status, {}, wrap(value)) for wrap in gateway.wraps))


@EACH
def test_extreme_json(gateway: Gateway, runner: asyncio.Runner) -> None:
    values = (*EXTREMES, *gateway.oddities)
    check(gateway, runner, *(Reply(200, {}, wrap(value)) for wrap in gateway.wraps for value in values))


@EACH
@given(data=st.data(), cut=st.integers(0, 80), skipped=st.integers(0, 5), inserted=st.binary(max_size=5))
@EXAMPLES
def test_any_mangled_answer(
    gateway: Gateway, runner: asyncio.Runner, data: st.DataObject, cut: int, skipped: int, inserted: bytes
) -> None:
    body = gateway.wraps[1](data.draw(JSON[gateway.label]))
    place = len(body) * cut // 80
    check(
        gateway, runner, Reply(200, {}, body[:place]), Reply(200, {}, body[:place] + inserted + body[place + skipped :])
    )


@EACH
async def test_a_success_is_one(gateway: Gateway) -> None:
    """So that the tests above do reach the readers."""
    async with Canned() as session:
        client = gateway.connect("https://gateway.example/", session=session)
        session.reply = Reply(200, {}, gateway.send_reply)
        assert await gateway.send.run(client)


@pytest.mark.parametrize(
    ("gateway", "model"),
    [pytest.param(row, model, id=f"{row.label}-{model.__name__}") for row in GATEWAYS for model in row.models],
)
@given(data=st.data())
@EXAMPLES
def test_any_json_is_a_model_or_a_reply_error(gateway: Gateway, model: type, data: st.DataObject) -> None:
    # Most JSON is no object: put it into the fields as well.
    value = data.draw(JSON[gateway.label])
    fields = {field.metadata.get("name", field.name): value for field in attrs.fields(model)}
    candidates: Any = ((value, model), (fields, model), ([fields], list[model]), (value, list[model]))  # type: ignore[valid-type]
    for candidate, kind in candidates:
        try:
            found: Any = decode(candidate, kind, path="items", http_status=200)
        except ReplyError as error:
            assert (error.field or "").startswith("items")  # noqa: PT017 -- either is right
        else:
            assert isinstance(found, list if kind is not model else model)
            assert repr(found)
            assert getattr(found, "state", True)
