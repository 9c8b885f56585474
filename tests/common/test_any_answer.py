"""Whatever a gateway answers: a result, or an error of this library, and nothing else."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from payamak.common import Outcome, PayamakError, ReplyError, SendResult
from payamak.common.results import only_result
from payamak.common.session import Reply
from payamak.common.structuring import decode
from payamak.ghasedak import Account, Contact, Group, MessageStatus, ReceivedMessage, wire
from payamak.ghasedak.wire import Envelope

MODELS = [Account, Contact, Group, MessageStatus, ReceivedMessage]
READERS: dict[str, Callable[[Envelope], object]] = {
    "only result": lambda envelope: only_result(wire.read_send_results(envelope, ["09121234567"])),
    "results": lambda envelope: wire.read_send_results(envelope, ["09121234567", "09121234568"]),
    "cancelled": wire.read_cancelled,
    "group id": wire.read_group_id,
    "page": wire.read_received_page,
    "list": wire.list_of,
    "account": lambda envelope: wire.decode_items(envelope, Account),
    "statuses": lambda envelope: wire.decode_items(envelope, list[MessageStatus]),
    "received": lambda envelope: wire.decode_items(envelope, list[ReceivedMessage]),
    "groups": lambda envelope: wire.decode_items(envelope, list[Group]),
    "contacts": lambda envelope: wire.decode_items(envelope, list[Contact]),
}

NAMES = sorted(
    {field.metadata.get("name", field.name) for model in MODELS for field in attrs.fields(model)}
    | {"result", "items", "code", "message", "totalcount", "groupid", "Messageid", "messageid", "status"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, -1, 8, 200, 419, 10**18, 10**400, "", "0", "-1", "200", "2026-1-2 3:4:5", "NaN"])
    | st.floats()
    | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {"result": st.fixed_dictionaries({"code": st.sampled_from([200, "200", 419, 400, 429, 503, 0, -1]) | SCALARS,
                                      "message": SCALARS}) | JSON},
    optional={"items": JSON, "totalcount": SCALARS},
)  # fmt: skip
STATUSES = st.sampled_from([100, 200, 204, 299, 302, 400, 401, 404, 408, 419, 429, 500, 503, 599])


@pytest.mark.parametrize("model", MODELS)
@given(value=JSON)
@example(value=10**400)
@example(value=[[]])
@settings(max_examples=40, deadline=None)
def test_any_json_is_a_model_or_a_reply_error(model: type[object], value: Any) -> None:
    # Most JSON is no object: put it into the fields as well.
    fields = {field.metadata.get("name", field.name): value for field in attrs.fields(model)}  # type: ignore[arg-type]
    for candidate, kind in ((value, model), (fields, model), ([fields], list[model]), (value, list[model])):  # type: ignore[valid-type]
        try:
            found: Any = decode(candidate, kind, path="items", http_status=200)
        except ReplyError as error:
            assert (error.field or "").startswith("items")  # noqa: PT017 -- either is right
        else:
            assert isinstance(found, list if kind is not model else model)
            assert repr(found)  # pyright: ignore[reportUnknownArgumentType]
            if isinstance(found, MessageStatus):
                assert found.state


def check(body: bytes, status: int, headers: dict[str, str] | None = None) -> None:
    try:
        envelope = wire.read_envelope(Reply(status, headers or {}, body))
    except PayamakError as error:
        assert str(error) and error.outcome in (Outcome.REFUSED, Outcome.UNKNOWN)  # noqa: PT017, PT018 -- either is right
        return
    for read in READERS.values():
        with contextlib.suppress(PayamakError):
            result = read(envelope)
            assert repr(result)
            if isinstance(result, SendResult):
                assert result.ok
                assert result.message_id is not None
                assert result.message_id > wire.HIGHEST_ERROR_NUMBER


@given(document=ENVELOPES | JSON, status=STATUSES)
@settings(max_examples=60, deadline=None)
def test_any_document(document: Any, status: int) -> None:
    check(json.dumps(document).encode(), status)


@given(items=JSON, total=SCALARS)
@settings(max_examples=60, deadline=None)
def test_any_items_of_a_success(items: Any, total: Any) -> None:
    check(json.dumps({"result": {"code": 200}, "items": items, "totalcount": total}).encode(), 200)


@given(body=st.binary(max_size=200), status=STATUSES, retry_after=st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_bytes(body: bytes, status: int, retry_after: str) -> None:
    check(body, status, {"Retry-After": retry_after})


@given(document=ENVELOPES, cut=st.integers(0, 80), status=STATUSES)
@settings(max_examples=60, deadline=None)
def test_any_cut_document(document: Any, cut: int, status: int) -> None:
    check(json.dumps(document).encode()[:cut], status)


@given(code=st.integers(-(10**20), 10**20) | st.text("0123456789-", max_size=25), status=STATUSES)
@settings(deadline=None)
def test_only_the_code_200_is_a_success(code: object, status: int) -> None:
    body = json.dumps({"result": {"code": code}, "items": [70001]}).encode()
    try:
        wire.read_envelope(Reply(status, {}, body))
    except PayamakError:
        return
    assert int(code) == 200  # type: ignore[call-overload]
    assert 200 <= status < 300


@given(numbers=st.lists(st.integers(1, 10**9) | st.integers(1, 30), min_size=2, max_size=2))
def test_each_recipient_has_an_id_or_an_error(numbers: list[int]) -> None:
    results = wire.read_send_results(Envelope(numbers, {}, 200), ["09121234567", "09121234568"])
    for result, number in zip(results, numbers, strict=True):
        assert (result.message_id is None) is (result.error is not None) is (number <= 1000)
        assert result.ok is (result.error is None)
