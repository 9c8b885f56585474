"""Numbers of an answer, bounded where they are read: a gateway, or who stands in its place, may write any.

Of ``1e600000`` or a million digits an ``int()`` runs for minutes, in C, where no timeout ends it. So the length is
looked at first, and what comes out of here costs nothing to whoever goes on with it: an integer fits into 64 bits, as
those of databases do, and an amount has so few digits that it can be written out.
"""

from __future__ import annotations

import decimal
import math

LEAST_INTEGER = -(2**63)
MOST_INTEGER = 2**63 - 1
MOST_DIGITS = 64
"""Of a number, before its decimal point and behind it."""
_MOST_WRITTEN = 2 * MOST_DIGITS
"""So many characters may a number take, with blanks around it."""


def to_int(value: object) -> int:
    """An integer, from a number or a string.

    Raises:
        ValueError, TypeError, ArithmeticError: It is none, or too large.
    """
    if isinstance(value, str):
        if len(value) > _MOST_WRITTEN or "_" in value:
            raise ValueError("not an integer")  # Python would take the line for a separator of thousands.
        number = int(value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not an integer")
    else:
        number = int(value)
        if number != value:
            raise ValueError("not an integer")
    if not LEAST_INTEGER <= number <= MOST_INTEGER:
        raise ValueError("an integer that is too large")
    return number


def as_int(value: object) -> int | None:
    """An integer that came as a number or as a string of ASCII digits, or None in place of anything else."""
    if type(value) is int:
        return value if LEAST_INTEGER <= value <= MOST_INTEGER else None
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > MOST_DIGITS:
            return None
        return as_int(int(text))
    if isinstance(value, float):
        return as_int(int(value)) if value.is_integer() else None
    return None


def to_float(value: object) -> float:
    """A number that is finite.

    Raises:
        ValueError, TypeError, ArithmeticError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("not a number")
    if isinstance(value, str) and "_" in value:
        raise ValueError("not a number")
    number = float(value)  # Of a million digits, too, in no time.
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def to_amount(value: object) -> decimal.Decimal:
    """An amount as it was written: exact, finite, and cheap to round or write out.

    Raises:
        ValueError, TypeError, ArithmeticError: It is none, or has too many digits.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("not an amount")
    text = value if isinstance(value, str) else str(value)
    if len(text) > _MOST_WRITTEN or "_" in text:
        raise ValueError("not an amount")
    amount = decimal.Decimal(text.strip())
    # Of a zero, too: Decimal("0e999999") takes as long to be written out as any other.
    if not amount.is_finite() or not -MOST_DIGITS <= amount.adjusted() <= MOST_DIGITS:
        raise ValueError("not an amount")
    return amount
