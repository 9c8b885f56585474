"""Dates of Iran's calendar, which some panels write where others write those of the Gregorian."""

from __future__ import annotations

import datetime

JALALI_YEARS = range(1300, 1500)
"""No message is of these years of the Gregorian calendar: they are 1921 to 2121."""

_NEW_YEAR_1300 = datetime.date(1921, 3, 21)
_CYCLE = 33
"""In so many years the calendar has eight leap years, at these places in all of `JALALI_YEARS`."""
_LEAP_PLACES = frozenset({1, 5, 9, 13, 17, 22, 26, 30})


def to_gregorian(year: int, month: int, day: int) -> tuple[int, int, int]:
    """Year, month and day of a date of one of `JALALI_YEARS`, in the Gregorian calendar.

    Raises:
        ValueError: There is no such date.
    """
    length = 31 if month <= 6 else 30 if month <= 11 or _is_leap(year) else 29
    if not (1 <= month <= 12 and 1 <= day <= length):
        raise ValueError("not a date")
    years = (year - 1300) * 365 + sum(map(_is_leap, range(1300, year)))
    months = (month - 1) * 30 + min(month - 1, 6)
    date = _NEW_YEAR_1300 + datetime.timedelta(years + months + day - 1)
    return date.year, date.month, date.day


def _is_leap(year: int) -> bool:
    return year % _CYCLE in _LEAP_PLACES
