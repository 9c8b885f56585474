"""Which answers of Ghasedak are a success, whatever else they say."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from payamak.common.session import Reply
from payamak.ghasedak import PayamakError, wire
from payamak.ghasedak.wire import Envelope

STATUSES = st.sampled_from([100, 200, 204, 299, 302, 400, 401, 404, 408, 419, 429, 500, 503, 599])


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
