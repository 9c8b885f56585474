"""Telephone numbers as people write them."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.common import InvalidArgumentError, Outcome
from payamak.common.numbers import (
    MobileNumber,
    PhoneNumber,
    clean_digits,
    is_mobile,
    normalize_line,
    normalize_number,
    normalize_recipient,
)
from payamak.emulator.phone_numbers import normalise_foreign, normalise_mobile, own_line

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
        # An address book of a phone, a word processor, a PDF, a web page.
        "\u202d+98 912 123 4567\u202c",
        "\u202e09121234567\u202c",
        "0912\u2060123\u20604567",
        "0912\u00ad123\u00ad4567",
        "\u061c09121234567",
        "09121234567\ufe0f",
        "0912\u2012123\u22124567",
        "0912\u2014123\u20144567",
        "0912\u2009123\u20074567",
        "0912\u200a123\u20084567\u3000",
        "0912\u2028123\x1f4567",
        "0912\u0640123\u06404567",
        "\uff0b\uff19\uff18\uff19\uff11\uff12\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "\uff080912\uff091234567",
        "0912\u0967२३४567",
        "𝟎𝟗𝟏𝟐𝟏𝟐𝟑𝟒𝟓𝟔𝟕",
        "0912/1234567",
        "0912/123/45/67",
        "0912_123_4567",
        "tel:+98-912-123-4567",
        "TEL:09121234567",
        "+98 (0) 912 123 4567",
        "+۹۸ (۰) ۹۱۲ ۱۲۳ ۴۵۶۷",
        "0098(0)9121234567",
        "(0)912 123 4567",
        "+98 0912 123 4567",
        "9809121234567",
        "009809121234567",
        "'09121234567",
        "\u201809121234567",
        "09121234567;",
        "09121234567،",
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
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("+32 2/123.45.67", "+3221234567"),
        ("tel:+33-4-56-35-17-53", "+33456351753"),
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
        "09121234567" + "\u200c" * 1000,
        " ",
        "-",
        "0912123457",
        "091212345678",
        "00000000000",
        "0",
        "+",
        "+98",
        "+98912123456",
        "++989121234567",
        "98+9121234567",
        "0912123456a",
        "sms:09121234567",
        "09121234567,09121234568",
        "09121234567;09121234568",
        "0912123456\u00b2",
        "0912123456\u2466",
        "09121234567/8",
        "+33456351753/4",
        "+33456351753/54",
        "09121234567/09351234567",
        "09121234567-09351234567",
        "09121234567\n09351234567",
        "09121234567 - +989351234567",
        "+33456351753/+33456351754",
        "tel:tel:09121234567",
        "+98(0)09121234567",
        "0912(0)1234567",
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


MOBILE = st.from_regex(r"9[0-9]{9}", fullmatch=True)
DIGITS = [
    [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.decimal(character, None) == value]
    for value in range(10)
]
BETWEEN = st.characters(categories=["Cf", "Zs", "Pd"]) | st.sampled_from("\u2212\u0640\ufe0f\U000e0100_.()\t\r\n")


@given(st.data(), MOBILE, st.sampled_from(["", "0", "98", "+98", "0098", "+980", "980"]))
def test_all_spellings_of_a_mobile_number_agree(data: st.DataObject, digits: str, prefix: str) -> None:
    """Whatever the scripts of its digits, and whatever stands between them."""
    spelling = "".join(
        data.draw(st.text(BETWEEN, max_size=1)) + data.draw(st.sampled_from(DIGITS[int(character)]))
        if character.isdigit()
        else character
        for character in prefix + digits
    )
    assert normalize_recipient(spelling, "to") == "0" + digits


@given(MOBILE, MOBILE, st.sampled_from(["", "0", "+98", "0098"]), st.text(BETWEEN | st.sampled_from("/,;\u061b")))
def test_two_numbers_never_become_one(first: str, second: str, prefix: str, between: str) -> None:
    with pytest.raises(InvalidArgumentError):
        normalize_recipient(f"{prefix}{first}{between}{prefix}{second}", "to")


@given(WRITTEN | st.text(st.characters(categories=["N", "So", "Cf", "Zs"]), max_size=14))
def test_no_digit_is_invented(value: str) -> None:
    number = outcome_of(normalize_recipient, value)
    written = "".join(str(unicodedata.decimal(character, "")) for character in value)
    assert number is None or written.endswith(number.lstrip("+0"))


@given(WRITTEN)
def test_the_emulator_takes_what_is_sent_to_it(value: str) -> None:
    number = outcome_of(normalize_recipient, value)
    if number is not None and number.startswith("+"):
        assert normalise_foreign(number) == number
    elif number is not None and number.startswith("09"):
        assert normalise_mobile(number) == number


@pytest.mark.parametrize("spelling", ["+983000505", "00983000505", "983000505", "+98 (0) 3000505", "\u200e۳۰۰۰/۵۰۵'"])
def test_the_emulator_knows_the_line_that_is_sent_to_it(spelling: str) -> None:
    assert own_line(normalize_line(spelling, "sender"), ("3000505",)) == "3000505"


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("10001", "10001"),
        (" ۱۰۰۰۱ ", "10001"),
        ("3000-5050", "30005050"),
        ("110", "110"),
        ("9" * 20, "9" * 20),
        ("+9810001", "10001"),
        ("009810001", "10001"),
        ("98۱۰۰۰۱", "10001"),
        ("'10001", "10001"),
        ("tel:10001", "10001"),
        ("\u202d+98 (0) 10001\u202c", "10001"),
        ("98110", "98110"),
        ("9898100012", "9898100012"),
    ],
)
def test_lines(line: str, plain: str) -> None:
    assert normalize_line(line, "sender") == plain


def test_a_line_comes_out_as_plain_digits_as_its_docstring_says() -> None:
    assert normalize_line("+9810001", "sender").isdigit()


@pytest.mark.parametrize(
    "line", ["", "12", "9" * 21, "abc", "10001,10002", "1 2", "+9898100012", "+", "+12", None, 10001, b"10001"]
)
def test_what_is_no_line_is_refused(line: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^sender ") as caught:
        normalize_line(line, "sender")
    assert caught.value.argument == "sender"


@pytest.mark.parametrize("spelling", ["2125551234", "3345635175", "8123456789"])
def test_no_number_is_invented(spelling: str) -> None:
    """Only a mobile number may come without the leading zero: anything else would become somebody's in Iran."""
    with pytest.raises(InvalidArgumentError):
        normalize_recipient(spelling, "to")


def test_normalize_number_says_that_it_is_the_number() -> None:
    assert normalize_number("+98 (0) 912 123 4567") == IRANIAN
    with pytest.raises(InvalidArgumentError, match=r"^number ") as caught:
        normalize_number("0912")
    assert caught.value.argument == "number"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(IRANIAN, True), ("\u06f9121234567", True), ("02188776655", False), ("+33656351753", False), ("0912", False)],
)
def test_what_is_a_mobile_number(number: str, expected: bool) -> None:
    assert is_mobile(number) is expected


@pytest.mark.parametrize("value", ["09121234567/09351234567", "0912123456789012", "+33456351753,+33456351754"])
def test_it_is_said_that_there_may_be_two_numbers(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="two numbers"):
        normalize_number(value)


class Login(pydantic.BaseModel):
    number: MobileNumber
    office: PhoneNumber | None = None


def test_numbers_in_a_pydantic_model() -> None:
    login = Login(number="+۹۸ ۹۱۲ ۱۲۳ ۴۵۶۷", office="tel:+98-21-88776655")
    assert (login.number, login.office) == (IRANIAN, "02188776655")
    assert type(login.number) is str
    assert Login.model_validate_json(login.model_dump_json()) == login
    assert Login.model_json_schema()["properties"]["number"]["type"] == "string"


@pytest.mark.parametrize(
    ("number", "message"), [("0912", "cannot be a telephone number"), ("02188776655", "not an Iranian mobile")]
)
def test_what_a_pydantic_model_refuses(number: str, message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        Login(number=number)


def test_pydantic_is_imported_by_nobody_who_does_not_use_it() -> None:
    code = "import sys, payamak.common.numbers; sys.exit(any(name.startswith('pydantic') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)
