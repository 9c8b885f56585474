"""Telephone numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.common import InvalidArgumentError, Outcome
from payamak.common.numbers import clean_digits, normalize_line, normalize_recipient

IRANIAN = "09121234567"


@pytest.mark.parametrize(
    "spelling",
    [
        "09121234567",
        "9121234567",
        "989121234567",
        "+989121234567",
        "00989121234567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "+۹۸۹۱۲۱۲۳۴۵۶۷",
        "0۹12۱234٥67",
        "0912 123 4567",
        "0912-123-4567",
        "(0912) 123.4567",
        "  09121234567\n",
        "+98 912 123 4567",
        "\u200e+98\u00a0912\u202f123\u20114567\u200f",
        "\u202a09121234567\u202c",
        "\u2066\u200f۰۹۱۲\u200c۱۲۳۴۵۶۷\u2069",
        "\ufeff09121234567",
        "0912\u2013123\u20104567",
    ],
)
def test_spellings_of_one_number(spelling: str) -> None:
    assert normalize_recipient(spelling, "to") == IRANIAN


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        ("+33456351753", "+33456351753"),
        ("0033456351753", "+33456351753"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("+۳۳۴۵۶۳۵۱۷۵۳", "+33456351753"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
        ("02188776655", "02188776655"),
        ("+982188776655", "02188776655"),
        ("9812345678", "09812345678"),
        ("09812345678", "09812345678"),
    ],
)
def test_other_numbers(spelling: str, number: str) -> None:
    assert normalize_recipient(spelling, "to") == number


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-",
        "0912123457",
        "091212345678",
        "00000000000",
        "0",
        "+",
        "+98",
        "+9809121234567",
        "009809121234567",
        "+98912123456",
        "++989121234567",
        "98+9121234567",
        "0912123456a",
        "sms:09121234567",
        "09121234567,09121234568",
        "09121234567;09121234568",
        "0912123456\u00b2",
        "0912123456\u0967",
        "０９１２１２３４５６７",
        "+123456",
        "+1234567890123456",
        "+0123456789",
        "456351754",
        "33456351754",
        "09121234567\x00",
        None,
        9121234567,
        b"09121234567",
        ["09121234567"],
    ],
)
def test_what_cannot_be_a_number_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^recipients\[3\]") as caught:
        normalize_recipient(value, "recipients[3]")
    assert caught.value.argument == "recipients[3]"
    assert caught.value.outcome is Outcome.NOT_SENT
    if isinstance(value, str) and len(value) > 8:
        assert value not in str(caught.value)


ALPHABET = "0123456789۰۱۲۳۴۵۶۷۸۹٠٩+ -().\u200e\u200f\u202a\u202c\u2066\u2069a,"
WRITTEN = st.text(ALPHABET, max_size=30) | st.from_regex(r"(\+98|0098|98|0|\+|00)?[1-9][0-9]{5,15}", fullmatch=True)


def outcome_of(function: object, value: str) -> str | None:
    try:
        return function(value, "x")  # type: ignore[operator,no-any-return]
    except InvalidArgumentError:
        return None


@given(WRITTEN | st.text())
def test_normalising_is_idempotent(value: str) -> None:
    for function in (normalize_recipient, normalize_line):
        once = outcome_of(function, value)
        assert once is None or outcome_of(function, once) == once


@given(WRITTEN)
def test_a_normal_number_is_plain(value: str) -> None:
    number = outcome_of(normalize_recipient, value)
    if number is not None:
        assert number.isascii()
        assert number.removeprefix("+").isdigit()
        assert len(number) == 11 if number.startswith("0") else 8 <= len(number) <= 16
        assert not number.startswith("+98")


@given(st.text())
def test_cleaning_is_idempotent(value: str) -> None:
    assert clean_digits(clean_digits(value)) == clean_digits(value)


@given(st.from_regex(r"9[0-9]{9}", fullmatch=True), st.text(" -().\u200e\u200f", max_size=4))
def test_all_spellings_of_a_mobile_number_agree(digits: str, between: str) -> None:
    persian = digits.translate({ord(str(value)): digit for value, digit in enumerate("۰۱۲۳۴۵۶۷۸۹")})
    for prefix in ("", "0", "98", "+98", "0098"):
        for number in (digits, persian):
            spelling = between.join([*prefix, *number])
            assert normalize_recipient(spelling, "to") == "0" + digits


@pytest.mark.parametrize(
    ("line", "plain"),
    [("10001", "10001"), (" ۱۰۰۰۱ ", "10001"), ("3000-5050", "30005050"), ("110", "110"), ("9" * 20, "9" * 20)],
)
def test_lines(line: str, plain: str) -> None:
    assert normalize_line(line, "sender") == plain


def test_a_line_comes_out_as_plain_digits_as_its_docstring_says() -> None:
    assert normalize_line("+9810001", "sender").isdigit()


@pytest.mark.parametrize("line", ["", "12", "9" * 21, "abc", "10001,10002", "1 2", "+", "+12", None, 10001, b"10001"])
def test_what_is_no_line_is_refused(line: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^sender ") as caught:
        normalize_line(line, "sender")
    assert caught.value.argument == "sender"


@pytest.mark.parametrize("spelling", ["2125551234", "3345635175", "8123456789"])
def test_no_number_is_invented(spelling: str) -> None:
    """Only a mobile number may come without the leading zero: anything else would become somebody's in Iran."""
    with pytest.raises(InvalidArgumentError):
        normalize_recipient(spelling, "to")
