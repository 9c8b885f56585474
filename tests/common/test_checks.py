"""Checks of arguments: each names the argument, and none quotes what it was given."""

from __future__ import annotations

import datetime
import math
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.common import InvalidArgumentError, Outcome, checks
from payamak.common.paging import chunked

NAIVE = datetime.datetime(2026, 1, 1)
AWARE = datetime.datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Tehran"))
NOW = datetime.datetime.now(datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
FIRST_YEAR = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
LAST_YEAR = datetime.datetime(9998, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
ARGUMENT = "an_argument[3]"


class NoOffset(datetime.tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, moment: datetime.datetime | None, /) -> None:
        return None

    dst = tzname = utcoffset


class NotATime(datetime.datetime):
    """A time that is none and says it is one, as NaT of pandas."""

    def utcoffset(self) -> datetime.timedelta | None:
        raise ValueError("secret words")


NOT_A_TIME = NotATime(2030, 1, 1)


class Index:
    """An integer of another library, as those of numpy."""

    def __index__(self) -> int:
        return 7


def fail_to_give(*values: int) -> Iterator[int]:
    yield from values
    raise KeyError("secret words")


def in_order(value: Any, argument: str) -> object:
    return checks.require_list(value, argument, ordered=True)


def between(value: object, argument: str) -> int:
    return checks.require_between(value, argument, 1, 9)


def at_most_3(value: Any, argument: str) -> object:
    return checks.require_list(value, argument, most=3)


def an_int(value: object, argument: str) -> None:
    checks.require_instance(value, int, argument)


def no_comma(value: Any, argument: str) -> str:
    return checks.require_no_comma(value, argument, "do something else")


def or_none(value: object, argument: str) -> None:
    checks.require_seconds(value, argument, or_none=True)


def or_zero(value: object, argument: str) -> None:
    checks.require_seconds(value, argument, or_zero=True)


ACCEPTED: list[tuple[Callable[[Any, str], object], list[Any]]] = [
    (checks.require_text, ["a", " a ", "متن", "😀", "a\nb", "\x00"]),
    (checks.require_secret, ["key", "a b", "~!@#$%^&*()"]),
    (an_int, [1, 0, -1]),
    (checks.require_credential, ["a", " a ", "رمز +&=%"]),
    (checks.require_list, [[1], (1, 2), {1}, range(3), {"a": 1}.values(), {"a": 1}.keys()]),
    (in_order, [[1], (1, 2), range(3), {"a": 1}.values()]),
    (at_most_3, [[1, 2, 3]]),
    (checks.require_id, [1, 2**63 - 1]),
    (checks.require_seconds, [1, 0.001, math.inf]),
    (or_none, [1, None]),
    (or_zero, [1, 0, 0.0]),
    (between, [1, 9]),
    (checks.require_aware, [AWARE, AWARE.astimezone(datetime.UTC), FIRST_YEAR, LAST_YEAR]),
    (checks.require_send_time, [NOW + datetime.timedelta(days=days) for days in (1, 400)]),
    (no_comma, ["a", "،"]),
]
REFUSED: list[tuple[Callable[[Any, str], object], list[Any]]] = [
    (checks.require_text, ["", " ", "\n\t\u00a0", None, 7, b"a", ["a"], "a\ud83d"]),
    (
        checks.require_secret,
        ["", " key", "key\n", "key\r\nX: y", "k\x00ey", "کلید", "k\u200eey", "k" * 8001, None, b"key", 7],
    ),
    (an_int, ["1", 1.0, None, True]),
    (checks.require_credential, ["", None, "secret\n", "secret\r\n", "se\ncret", "secret\u2028"]),
    (checks.require_list, [[], (), "text", b"text", None, 7, iter(()), {"a": 1}, OrderedDict(a=1), UserDict(a=1), {}]),
    (checks.require_list, [fail_to_give(1)]),
    (in_order, [{1, 2}, frozenset({1}), {"a": 1}]),
    (at_most_3, [[1, 2, 3, 4], range(10**6)]),
    (checks.require_id, [0, -1, 1.0, "1", None, True, [1]]),
    (checks.require_seconds, [0, -1, -0.001, math.nan, -math.inf, "1", None, True, 1j, [1]]),
    (or_none, [0, -1, False, "", math.nan]),
    (or_zero, [-1, None, "", math.nan, True, False]),
    (between, [0, 10, 1.0, "1", None, True]),
    (
        checks.require_aware,
        [NAIVE, AWARE.date(), AWARE.time(), 0, "2026-01-01", None, NAIVE.replace(tzinfo=NoOffset())],
    ),
    (
        checks.require_aware,
        [AWARE.replace(year=1405), AWARE.replace(year=1), AWARE.replace(year=9999), FIRST_YEAR - SECOND, NOT_A_TIME],
    ),
    (checks.require_send_time, [NOW - datetime.timedelta(minutes=6), AWARE, AWARE.replace(year=1405), NAIVE, None]),
    (no_comma, [",", "a,b"]),
]


def test_a_time_that_is_just_past_is_accepted() -> None:
    now = datetime.datetime.now(datetime.UTC)
    for passed in (0, 4):
        assert checks.require_send_time(now - datetime.timedelta(minutes=passed), "an_argument")


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in ACCEPTED for value in values])
def test_accepted(check: Callable[[Any, str], object], value: Any) -> None:
    result = check(value, ARGUMENT)
    if check not in (checks.require_list, in_order, at_most_3):
        assert result is None or result is value
    else:
        assert result == list(value)


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in REFUSED for value in values])
def test_refused_by_the_name_of_the_argument(check: Callable[[Any, str], object], value: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check(value, ARGUMENT)
    assert str(caught.value).startswith(ARGUMENT)
    assert caught.value.argument == ARGUMENT
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("text", ["secret words \udcff", "\ud800 secret words"])
def test_the_refusal_of_half_a_character_holds_no_text_anywhere(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="surrogate") as caught:
        checks.require_text(text, "text")
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error} {error!r} {error.args!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("check", "value"), [(checks.require_aware, NOT_A_TIME), (checks.require_list, fail_to_give(1))]
)
def test_what_an_argument_raises_is_named_and_not_quoted(check: Callable[[Any, str], object], value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="reading it raised") as caught:
        check(value, ARGUMENT)
    assert caught.value.__context__ is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("check", [checks.require_id, checks.require_index, between])
def test_an_integer_of_another_library_becomes_one_of_ours(check: Callable[[Any, str], object]) -> None:
    number = check(Index(), ARGUMENT)
    assert (type(number), number) == (int, 7)


@pytest.mark.parametrize("check", [checks.require_id, between])
def test_an_id_as_text_is_told_to_become_an_integer(check: Callable[[Any, str], object]) -> None:
    with pytest.raises(InvalidArgumentError, match=r"use int\(\)"):
        check("7", ARGUMENT)


def test_a_date_of_another_calendar_is_told_so() -> None:
    for value in (AWARE.replace(year=1405), AWARE.date()):
        with pytest.raises(InvalidArgumentError, match="must be in the Gregorian calendar") as caught:
            checks.require_aware(value, ARGUMENT)
        assert "1405" not in str(caught.value)


def test_seconds_that_no_clock_can_hold_are_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        checks.require_seconds(10**400, "timeout")


def test_an_iterator_is_read_once() -> None:
    assert checks.require_list(iter([1, 2]), "x") == [1, 2]


@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_chunks_are_everything_in_order(entries: list[int], size: int) -> None:
    parts = list(chunked(entries, size))
    assert [entry for part in parts for entry in part] == entries
    assert all(1 <= len(part) <= size for part in parts)
    assert all(len(part) == size for part in parts[:-1])
