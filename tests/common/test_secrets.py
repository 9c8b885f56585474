"""What travels inside the library shows nothing of what it holds."""

from __future__ import annotations

import pytest
from payamak.common import HttpSession
from payamak.common.session import Reply, Request
from support.sentinels import KEY, PASSWORD, PHONE, TEXT, USERNAME, assert_all_silent


@pytest.mark.parametrize(
    "value",
    [
        Request("GET", f"http://127.0.0.1/?apikey={KEY}&to={PHONE}", {"apikey": KEY}, TEXT.encode()),
        Reply(200, {"X-Echo": KEY}, TEXT.encode()),
        HttpSession(proxy=f"http://{USERNAME}:{PASSWORD}@127.0.0.1:1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_shows_in_a_repr(value: object) -> None:
    assert_all_silent([value, [value], {"x": value}])
