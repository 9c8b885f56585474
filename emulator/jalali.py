"""Dates as Iranian gateways write them: Tehran's local time, and the Jalali (Persian) calendar."""

from __future__ import annotations

import importlib.resources
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# Not by its name, for then the system's own data would count, which may still have daylight saving.
with importlib.resources.files("tzdata.zoneinfo.Asia").joinpath("Tehran").open("rb") as _file:
    TEHRAN = ZoneInfo.from_file(_file, key="Asia/Tehran")

# Leap years come every four years, and after some thirty years in the fifth. In these years that rule starts anew:
# without them it would drift away from the equinox, which is what the calendar follows. Good for the years 1 to 2090.
_BREAKS = (
    *(-61, 9, 38, 199, 426, 686, 756, 818, 1111, 1181),
    *(1210, 1635, 2060, 2097, 2192, 2262, 2324, 2394, 2456, 3178),
)
_GREGORIAN_OFFSET = 621
_LONG_MONTHS, _LONG_MONTH_DAYS, _SHORT_MONTH_DAYS = 6, 31, 30


def to_jalali(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Jalali calendar."""
    year = day.year - _GREGORIAN_OFFSET
    passed = (day - _new_year(year)).days
    if passed < 0:
        year -= 1
        passed = (day - _new_year(year)).days
    long_days = _LONG_MONTHS * _LONG_MONTH_DAYS
    if passed < long_days:
        return year, 1 + passed // _LONG_MONTH_DAYS, 1 + passed % _LONG_MONTH_DAYS
    passed -= long_days
    return year, 1 + _LONG_MONTHS + passed // _SHORT_MONTH_DAYS, 1 + passed % _SHORT_MONTH_DAYS


def jalali_text(moment: datetime) -> str:
    """A moment in Tehran as `1397/02/23 14:50`."""
    local = moment.astimezone(TEHRAN)
    year, month, day = to_jalali(local.date())
    return f"{year:04}/{month:02}/{day:02} {local:%H:%M}"


def _new_year(year: int) -> date:
    """The Gregorian date of 1 Farvardin."""
    gregorian_year = year + _GREGORIAN_OFFSET
    leaps = -14
    start = _BREAKS[0]
    for end in _BREAKS[1:]:
        if year < end:
            break
        jump = end - start
        leaps += jump // 33 * 8 + jump % 33 // 4
        start = end
    passed = year - start
    leaps += passed // 33 * 8 + (passed % 33 + 3) // 4
    gregorian_leaps = gregorian_year // 4 - (gregorian_year // 100 + 1) * 3 // 4 - 150
    return date(gregorian_year, 3, 1) + timedelta(days=19 + leaps - gregorian_leaps)
