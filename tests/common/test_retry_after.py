"""The header Retry-After, through a real server."""

from __future__ import annotations

import asyncio
import datetime
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from payamak.common import Outcome, PayamakError, RateLimitError, ReplyError, Timeout
from payamak.common.session import Reply
from support.ghasedak import ask, failure_of, look, make_client, send
from support.raw_server import RawServer, accept, answer, envelope

NOW = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.UTC)

YEAR = 366 * 86_400


def http_date(moment: datetime.datetime) -> str:
    return email.utils.format_datetime(moment, usegmt=True)


def after(seconds: float) -> str:
    return http_date(NOW + datetime.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"retry-after": " 30 "}, 30),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": after(90), "Date": http_date(NOW)}, 90),
        ({"Retry-After": after(-90), "Date": http_date(NOW)}, 0),
        ({"Retry-After": after(90)[:-4] + " +0000", "Date": http_date(NOW)}, 90),
        ({"Retry-After": after(90)[:-4] + " -0000", "Date": http_date(NOW)}, 90),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "۳۰"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "Sun, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"Retry-After": "1000000000000000000000"}, YEAR),
        ({"Retry-After": "9" * 400}, YEAR),
        ({"Retry-After": after(1e11), "Date": http_date(NOW)}, YEAR),
    ],
)
def test_what_it_says(headers: dict[str, str], seconds: float | None) -> None:
    assert Reply(429, CIMultiDict(headers), b"").retry_after == seconds


def test_a_date_is_measured_by_our_clock_where_the_gateway_shows_none() -> None:
    for date in ({}, {"Date": "garbage"}):
        until = http_date(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60))
        found = Reply(429, CIMultiDict({"Retry-After": until, **date}), b"").retry_after
        assert found is not None
        assert 55 < found <= 60


@given(value=st.text(st.characters(codec="latin-1")), date=st.none() | st.text(st.characters(codec="latin-1")))
def test_whatever_it_says_it_is_a_number_of_seconds_or_nothing(value: str, date: str | None) -> None:
    headers = CIMultiDict({"Retry-After": value} | ({} if date is None else {"Date": date}))
    found = Reply(429, headers, b"").retry_after
    assert found is None or found >= 0


PARTS = st.lists(
    st.sampled_from(
        ["Sun,", "1", "31", "99", "Mar", "0001", "9999", "99999999999", "24:00:00", "12:00", "+9999", "GMT"]
    )
)


@given(value=PARTS.map(" ".join), date=PARTS.map(" ".join))
def test_almost_dates(value: str, date: str) -> None:
    found = Reply(429, CIMultiDict({"Retry-After": value, "Date": date}), b"").retry_after
    assert found is None or found >= 0


BUSY = b"<html>slow down</html>"


async def test_a_send_refused_for_now_is_sent_again_after_the_wait() -> None:
    dates = {"Retry-After": after(1), "Date": http_date(NOW)}
    async with (
        RawServer(answer(BUSY, 429, {"Retry-After": "0"}), answer(BUSY, 429, dates), accept(70001)) as server,
        make_client(server.url) as client,
    ):
        started = asyncio.get_running_loop().time()
        assert (await send(client)).message_id == 70001
        assert 0.95 < asyncio.get_running_loop().time() - started < 3
        assert len(server.requests) == 3


@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"Retry-After": after(3600), "Date": http_date(NOW)}])
@pytest.mark.parametrize("call", [send, ask, look])
async def test_too_long_a_wait_is_raised_at_once_with_its_value(call: object, headers: dict[str, str]) -> None:
    async with RawServer(answer(BUSY, 429, headers)) as server, make_client(server.url) as client:
        async with asyncio.timeout(1):
            error = await failure_of(call(client))  # type: ignore[operator]

        assert isinstance(error, RateLimitError)
        assert error.retry_after == 3600
        assert error.outcome is Outcome.REFUSED
        assert len(server.requests) == 1


async def test_garbage_means_the_usual_backoff() -> None:
    async with (
        RawServer(answer(BUSY, 429, {"Retry-After": "soon"}), accept(70001)) as server,
        make_client(server.url) as client,
    ):
        assert (await send(client)).message_id == 70001


async def test_a_429_in_the_gateways_own_words_is_a_refusal_but_a_send_is_not_repeated() -> None:
    busy = answer(envelope(code=429, message="slow down"), 429, {"Retry-After": "0"})
    async with RawServer(busy, accept(70001)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
        assert type(error) is RateLimitError
        assert (error.retry_after, error.outcome) == (0, Outcome.REFUSED)
        assert len(server.requests) == 1


async def test_after_a_429_in_the_gateways_own_words_a_read_waits() -> None:
    busy = answer(envelope(code=429, message="slow down"), 429, {"Retry-After": "0"})
    async with RawServer(busy, accept()) as server, make_client(server.url) as client:
        assert await ask(client) == []
        assert len(server.requests) == 2


async def test_a_read_waits_as_an_unreadable_503_asks() -> None:
    async with (
        RawServer(answer(b"", 503, {"Retry-After": "0"}), accept()) as server,
        make_client(server.url) as client,
    ):
        assert await ask(client) == []
        assert len(server.requests) == 2


async def test_an_unreadable_503_tells_its_wait_but_a_send_is_not_repeated() -> None:
    async with RawServer(answer(b"", 503, {"Retry-After": "7"})) as server, make_client(server.url) as client:
        error = await failure_of(send(client))

        assert isinstance(error, ReplyError)
        assert error.retry_after == 7
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


async def test_an_answer_wrong_within_tells_no_wait_of_its_own() -> None:
    async with RawServer(answer(envelope([]), 200)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
        assert error.retry_after is None


async def test_the_wait_counts_against_the_deadline() -> None:
    busy = answer(BUSY, 429, {"Retry-After": "1"})
    async with RawServer(busy) as server, make_client(server.url, timeout=Timeout(total=0.9)) as client:
        error: PayamakError = await failure_of(send(client))
        assert isinstance(error, RateLimitError)
        assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["86401", "1000000000000000000000", "9" * 400])
async def test_a_call_without_a_deadline_does_not_wait_for_more_than_a_day(value: str) -> None:
    async with (
        RawServer(answer(BUSY, 429, {"Retry-After": value})) as server,
        make_client(server.url, timeout=None) as client,
    ):
        async with asyncio.timeout(5):
            error = await failure_of(ask(client))
        assert error.retry_after == min(float(value), YEAR)
        assert len(server.requests) == 1
