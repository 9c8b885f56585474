"""Telephone numbers as people write them, brought into the one form that the gateways take."""

from __future__ import annotations

import re

from .errors import InvalidArgumentError

# Persian and Arabic digits become ASCII; what people put between digits, and the invisible marks that text editors and
# messengers put around numbers in right-to-left text, goes.
_CLEAN = {
    **{ord(digit): str(value) for value, digit in enumerate("۰۱۲۳۴۵۶۷۸۹")},
    **{ord(digit): str(value) for value, digit in enumerate("٠١٢٣٤٥٦٧٨٩")},
    **dict.fromkeys(map(ord, " \t\r\n\u00a0\u202f-\u2010\u2011\u2013().")),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff")),
}
_IRANIAN = re.compile(r"(?:\+98|0098|98|0)([1-9][0-9]{9})|(9[0-9]{9})")
_INTERNATIONAL = re.compile(r"(?:\+|00)(?!98)([1-9][0-9]{6,14})")


def clean_digits(value: str) -> str:
    """Return ``value`` with Persian and Arabic digits as ASCII, and without blanks, dashes and invisible marks."""
    return value if value.isascii() and value.isdigit() else value.translate(_CLEAN)


def normalize_recipient(value: object, argument: str) -> str:
    """Return an Iranian number as ``09121234567``, any other as ``+33456351753``.

    Takes ``09121234567``, ``9121234567``, ``989121234567``, ``+989121234567`` and ``00989121234567``, numbers of other
    countries with ``+`` or ``00``, Persian and Arabic digits, and blanks, dashes or brackets between the digits.

    Raises:
        InvalidArgumentError: It is not a string, or cannot be a telephone number.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument} must be a string, not {type(value).__name__}", argument=argument)
    # As most are written; an expression would take twice as long.
    if len(value) == 11 and value[0] == "0" != value[1] and value.isascii() and value.isdecimal():
        return value
    cleaned = clean_digits(value)
    if match := _IRANIAN.fullmatch(cleaned):
        return "0" + (match[1] or match[2])
    if match := _INTERNATIONAL.fullmatch(cleaned):
        return "+" + match[1]
    raise InvalidArgumentError(
        f"{argument} cannot be a telephone number: write it like 09121234567, or like +33456351753 outside Iran",
        argument=argument,
    )


def normalize_iranian(value: object, argument: str) -> str:
    """Return an Iranian number as ``09121234567``.

    Raises:
        InvalidArgumentError: It is not a string, cannot be a telephone number, or belongs to another country.
    """
    number = normalize_recipient(value, argument)
    if number.startswith("+"):
        raise InvalidArgumentError(
            f"{argument} is a number outside Iran, to which the gateway sends only one-time passwords",
            argument=argument,
        )
    return number


def normalize_line(value: object, argument: str) -> str:
    """Return a sender line as plain digits.

    Raises:
        InvalidArgumentError: It is not a string of 3 to 20 digits.
    """
    if isinstance(value, str):
        line = clean_digits(value).removeprefix("+98")
        if 3 <= len(line) <= 20 and line.isascii() and line.isdigit():
            return line
    kind = "" if isinstance(value, str) else f", not {type(value).__name__}"
    raise InvalidArgumentError(
        f"{argument} must be a line number of 3 to 20 digits, as a string{kind}", argument=argument
    )
