"""Whatever a panel answers: a result, or an error of this library, and nothing else."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from payamak.common.session import Reply
from payamak.opgateway import (
    CreatedUser,
    GatewayError,
    Job,
    MessageProgress,
    Outcome,
    PayamakError,
    PhoneBook,
    ReceivedMessage,
    RecipientDelivery,
    wire,
)
from payamak.opgateway.codes import ERROR_CODES, SUCCESS_CODES
from payamak.opgateway.wire import Answer
from support.shapes import is_list

READERS: dict[str, tuple[Callable[[Answer], Any], type]] = {
    "bulk id": (wire.read_bulk_id, int),
    "count": (wire.read_count, int),
    "credit": (wire.read_credit, decimal.Decimal),
    "delivery": (wire.read_delivery, list),
    "progress": (wire.read_progress, MessageProgress),
    "received": (wire.read_received, list),
    "phone books": (lambda answer: wire.read_entries(answer, PhoneBook), list),
    "jobs": (lambda answer: wire.read_entries(answer, Job), list),
    "created user": (wire.read_created_user, CreatedUser),
}
NAMES = ["statusMessage", "validMessage", "message", "from", "to", "time", "id", "ID", "title", "code", "name"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, "0", 0.0, "0.0", 102, 5, "962", 10929800, 10**400, -1, 1e300, "", "NaN", "1/5", "1e999999"])
    | st.sampled_from(["+989121111111:send", ":", "notconfirm:", "2030/01/01 12:00:05", "[", "{}", "[[[[[[1]]]]]]"])
    | st.floats()
    | st.text(max_size=5)
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
JSON = PLAIN | PLAIN.map(json.dumps) | st.lists(PLAIN.map(json.dumps), max_size=3).map(json.dumps)
DOCUMENTS = JSON | st.tuples(st.sampled_from([0, "0", 0.0, 102, 5, "962"]) | SCALARS, JSON).map(list)
STATUSES = st.sampled_from([100, 200, 204, 299, 302, 400, 401, 404, 408, 429, 500, 503, 599])


def check(body: bytes, status: int, headers: dict[str, str] | None = None) -> None:
    try:
        answer = wire.read_answer(Reply(status, headers or {}, body))
    except PayamakError as error:
        assert str(error)  # noqa: PT017 -- either is right
        assert error.outcome in (Outcome.REFUSED, Outcome.UNKNOWN)  # noqa: PT017
        if isinstance(error, GatewayError) and 200 <= status < 300:
            assert isinstance(error.code, int)  # noqa: PT017
            assert error.code not in SUCCESS_CODES  # noqa: PT017
        return
    assert 200 <= status < 300
    assert answer.code is None or answer.code in SUCCESS_CODES
    for read, kind in READERS.values():
        with contextlib.suppress(PayamakError):
            result = read(answer)
            assert type(result) is kind
            assert repr(result) is not None
            check_result(result, answer)


def check_result(result: Any, answer: Answer) -> None:
    if isinstance(result, int):
        assert answer.code is not None
        assert result >= 0
    elif isinstance(result, decimal.Decimal):
        assert answer.code is not None
        assert result.is_finite()
    elif isinstance(result, CreatedUser):
        assert answer.code is not None
    for entry in result if is_list(result) else []:
        if isinstance(entry, RecipientDelivery):
            assert entry.recipient
            assert entry.status == entry.status.lower()
            assert entry.state
        if isinstance(entry, ReceivedMessage):
            assert isinstance(entry.received_at, datetime.datetime | None)
            assert all(isinstance(value, str | None) for value in (entry.text, entry.sender, entry.line))


@given(document=DOCUMENTS, status=STATUSES | st.just(200))
@example(document=[0, 10**400], status=200)
@example(document=[10**400, 0], status=200)
@example(document=[float("inf"), 0], status=200)
@example(document=[0, float("nan")], status=200)
@example(document=[0, "[" * 5000], status=200)
@example(document=[0, "[" * 5000 + "]" * 5000], status=200)
@example(document=[0, "1" * 5000], status=200)
@example(document=[0, {"time": "9999/99/99 99:99:99"}], status=200)
@example(document=[0, [{"time": "0000/00/00 00:00:00"}]], status=200)
@example(document=[0, [{"time": "/Date(99999999999999999999)/"}]], status=200)
@settings(max_examples=60, deadline=None)
def test_any_document(document: Any, status: int) -> None:
    check(json.dumps(document).encode(), status)


@given(data=JSON)
@settings(max_examples=60, deadline=None)
def test_any_data_of_a_success(data: Any) -> None:
    check(json.dumps([0, data]).encode(), 200)


@given(
    bulk_id=st.integers(1, 2**63 - 1),
    depth=st.integers(0, 3),
    as_text=st.booleans(),
    code=st.sampled_from([0, "0", 0.0]),
)
@settings(max_examples=60, deadline=None)
def test_a_bulk_id_is_never_changed(bulk_id: int, depth: int, as_text: bool, code: object) -> None:
    body = json.dumps([code, str(bulk_id) if as_text else bulk_id], indent=depth or None).encode()
    assert wire.read_bulk_id(wire.read_answer(Reply(200, {}, body))) == bulk_id


@given(code=st.integers(-(10**8), 10**8) | st.sampled_from(sorted(ERROR_CODES)), as_text=st.booleans())
@settings(max_examples=40, deadline=None)
def test_only_success_is_a_success(code: int, as_text: bool) -> None:
    body = json.dumps([str(code) if as_text else code, 10929800]).encode()
    try:
        bulk_id = wire.read_bulk_id(wire.read_answer(Reply(200, {}, body)))
    except PayamakError as error:
        assert isinstance(error, GatewayError) is (abs(code) <= 99_999)  # noqa: PT017 -- either is right
    else:
        assert bulk_id == 10929800
        assert code in SUCCESS_CODES


MESSAGES = st.lists(
    st.fixed_dictionaries({"message": st.text(), "from": st.from_regex(r"\+98[0-9]{10}", fullmatch=True)}), max_size=3
)


@given(messages=MESSAGES, depth=st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_texts_that_came_in_are_never_changed(messages: list[dict[str, str]], depth: int) -> None:
    """Not even those that look like JSON."""
    data: Any = messages
    if depth == 2:
        data = [json.dumps(message) for message in messages]
    if depth:
        data = json.dumps(data)
    found = wire.read_received(wire.read_answer(Reply(200, {}, json.dumps([0, data]).encode())))
    assert [attrs.astuple(message)[:2] for message in found] == [
        (message["message"] or None, message["from"]) for message in messages
    ]
