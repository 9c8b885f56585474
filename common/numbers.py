"""Telephone numbers as people write them, brought into the one form that the gateways take."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from .errors import InvalidArgumentError

# Formats (invisible marks among them), blanks, dashes.
_BETWEEN_CATEGORIES = frozenset({"Cf", "Zs", "Zl", "Zp", "Pd"})
# The minus sign and the Arabic tatweel stand for a dash.
_BETWEEN = frozenset("\u2212\u0640_.")
# What a spreadsheet or a list leaves at the ends.
_AROUND = "'\u2018\u2019\",;\u060c\u061b"
_URI = re.compile(r"tel:", re.IGNORECASE)
_TRUNK_ZERO = re.compile(r"((?:\+|00)[0-9]{1,3}|98)\(0\)(?=[1-9])")
_BRACKETS = str.maketrans("", "", "()")
_ALSO_IN_CODES = str.maketrans("", "", "()/")
# A slash parts the digits of one number, but 88776655/6 is two.
_RANGE = re.compile(r"/[0-9]{0,2}(?:/|$)")
_IRANIAN = re.compile(r"(?:\+98|0098|98)0?([1-9][0-9]{9})|0([1-9][0-9]{9})|(9[0-9]{9})")
_INTERNATIONAL = re.compile(r"(?:\+|00)(?!98)([1-9][0-9]{6,14})")
_MOST_DIGITS = 15
"""No telephone number of the world has more."""
_MOST_CHARACTERS = 1000
"""Of a number with all that may stand around its digits."""
_LINE = re.compile(r"(?:(?:(?:\+|00)98|98(?=[0-9]{4}))(?!98|00))?([0-9]{3,20})")


def clean_digits(value: str) -> str:
    """Return ``value`` with the digits of all scripts as ASCII, and without blanks, dashes and invisible marks."""
    return value if value.isascii() and value.isdigit() else _spell(value).translate(_ALSO_IN_CODES)


def normalize_number(value: str) -> str:
    """Return an Iranian number as ``09121234567``, any other as ``+33456351753``.

    It takes what the gateways' clients take as a recipient: with ``+98``, ``0098``, ``98``, ``0`` or, if it is a
    mobile number, nothing in front; numbers of other countries with ``+`` or ``00``; the digits of all scripts; a
    ``tel:`` before them; blanks, dashes, dots, slashes, brackets and invisible marks around and between them.

    Raises:
        InvalidArgumentError: It is not a string, or cannot be one telephone number.
    """
    return normalize_recipient(value, "number")


def is_mobile(value: str) -> bool:
    """Whether this is an Iranian mobile number, in any spelling. Of other countries' numbers the digits do not tell."""
    try:
        return normalize_number(value).startswith("09")
    except InvalidArgumentError:
        return False


def normalize_recipient(value: object, argument: str) -> str:
    """`normalize_number`, for an argument of any name.

    Raises:
        InvalidArgumentError: It is not a string, or cannot be one telephone number.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument} must be a string, not {type(value).__name__}", argument=argument)
    # As most are written; an expression would take twice as long.
    if len(value) == 11 and value[0] == "0" != value[1] and value.isascii() and value.isdecimal():
        return value
    spelled = _spell_number(value)
    cleaned = spelled.replace("/", "")
    if match := _IRANIAN.fullmatch(cleaned):
        return "0" + (match[1] or match[2] or match[3])
    # Only in Iran all numbers have the same length, so that a digit too many shows.
    if (match := _INTERNATIONAL.fullmatch(cleaned)) and not _RANGE.search(spelled):
        return "+" + match[1]
    reason = "cannot be a telephone number"
    if sum(map(str.isdigit, cleaned)) > _MOST_DIGITS:
        reason = "holds more digits than a telephone number, or two numbers"
    raise InvalidArgumentError(
        f"{argument} {reason}: write it like 09121234567, or like +33456351753 outside Iran", argument=argument
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
    """Return a sender line as plain digits, without Iran's country code, however it is written.

    Raises:
        InvalidArgumentError: It is not a string of 3 to 20 digits.
    """
    if isinstance(value, str) and (match := _LINE.fullmatch(_spell_number(value).replace("/", ""))):
        return match[1]
    kind = "" if isinstance(value, str) else f", not {type(value).__name__}"
    raise InvalidArgumentError(
        f"{argument} must be a line number of 3 to 20 digits, as a string{kind}", argument=argument
    )


def _spell_number(value: str) -> str:
    if value.isascii() and value.isdecimal():
        return value
    if len(value) > _MOST_CHARACTERS:
        return ""  # An answer may hold a million; to look at each takes seconds.
    spelled = _spell(value).strip(_AROUND)
    if uri := _URI.match(spelled):
        spelled = spelled[uri.end() :]
    if trunk := _TRUNK_ZERO.match(spelled):
        spelled = trunk[1] + spelled[trunk.end() :]
    return spelled.translate(_BRACKETS)


def _spell(value: str) -> str:
    return "".join(map(_spell_character, value))


@functools.lru_cache(1024)
def _spell_character(character: str) -> str:
    """What a character says in a number; nothing, if it only stands between others."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    # A footnote's ² must not become a digit of the number.
    if unicodedata.category(character) == "No":
        return character
    return "".join(plain for plain in unicodedata.normalize("NFKC", character) if not _is_between(plain))


def _is_between(character: str) -> bool:
    return (
        character in _BETWEEN
        or character.isspace()
        or unicodedata.category(character) in _BETWEEN_CATEGORIES
        or "VARIATION SELECTOR" in unicodedata.name(character, "")
    )


class _Normalized:
    """Tells pydantic how a number is read. Only pydantic calls it, so only then is it imported."""

    def __init__(self, normalize: Callable[[str], str]) -> None:
        self._normalize = normalize

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 -- whoever calls this has it

        return core_schema.no_info_after_validator_function(self._read, handler(source))

    def _read(self, value: str) -> str:
        try:
            return self._normalize(value)
        except InvalidArgumentError as error:
            raise ValueError(error.args[0]) from None


def _normalize_mobile(value: str) -> str:
    number = normalize_number(value)
    if not is_mobile(number):
        raise InvalidArgumentError("number is not an Iranian mobile number", argument="number")
    return number


PhoneNumber = Annotated[str, _Normalized(normalize_number)]
"""A number as a field of a pydantic model: a `str` that has been through `normalize_number`."""
MobileNumber = Annotated[str, _Normalized(_normalize_mobile)]
"""The same, for a number that must be an Iranian mobile, as one that gets a code."""
