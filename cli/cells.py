"""What stands in a cell, behind what spreadsheets and their users make of it."""

from __future__ import annotations

import re
import unicodedata

from ..common import InvalidArgumentError
from ..common.numbers import normalize_number

# So a cell is written that is to stay a text: ="0912…", with its quotation marks doubled. One that stands alone would
# end the text, and what follows be calculated.
_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_FORMULA_STARTS = "=+-@"
_SIGNED = re.compile(r"[+-][\d .,\u066b\u066c]*")
# 9.12E+09, in the digits, with the decimal sign and with the exponent of any locale.
_SCIENTIFIC = re.compile(r"\+?([0-9]+)(?:[.,\u066b/]([0-9]*))?(?:E|\u00d7?10\^|أس|اس)\+?([0-9]{1,3})", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([,\u066c\u060c])[0-9]{3})(?:\1[0-9]{3})+")
_FRACTION = re.compile(r"(\+?[0-9]+)[.\u066b]0+")
_NOTHING = re.compile(r"[-–—]*|nan|none|null|nil|n/?a|ندارد", re.IGNORECASE)
_INVISIBLE = ("Cf", "Zs", "Zl", "Zp", "Cc")


def unwrap(cell: str) -> str:
    """What a cell shows that was written as a formula to keep its zeros."""
    match = _FORMULA.fullmatch(cell) if cell.startswith("=") else None
    return match[1].replace('""', '"').strip() if match else cell


def wrap(cell: str) -> str:
    """The cell so that no spreadsheet calculates what a stranger wrote into it, and `unwrap` reads what it did before.

    A number with its sign stays as it is: it is no formula, and programs look for it.
    """
    value = unwrap(cell.strip())
    start = next((one for one in value if unicodedata.category(one) not in _INVISIBLE), "")
    # In their wide forms too: spreadsheets of some languages take those for the same.
    is_formula = unicodedata.normalize("NFKC", start)[:1] in tuple(_FORMULA_STARTS) and not _SIGNED.fullmatch(value)
    # Some programs drop a tab or a line end that stands first, and then look again.
    return '="{}"'.format(value.replace('"', '""')) if is_formula else cell.lstrip("\t\r\n")


def read_number(cell: str) -> str:
    """The number in a cell as it travels; the cell itself if it cannot be one.

    Raises:
        ValueError: There is none, or a spreadsheet has lost a part of it. The message does not quote it.
    """
    if cell.startswith("#"):
        raise ValueError("the cell shows an error of the spreadsheet, or a column that is too narrow")
    if _NOTHING.fullmatch(cell):
        raise ValueError("there is no number in the row")
    digits = read_digits(cell)
    try:
        return normalize_number(digits)
    except InvalidArgumentError:
        return digits


def find_recipient(cell: str) -> str | None:
    """Whose number stands in a cell, whatever is wrong with its row: empty if a program has spoiled it, ``None`` if
    there is none.
    """
    if _NOTHING.fullmatch(cell):
        return None
    try:
        return normalize_number(read_number(cell))
    except InvalidArgumentError:
        return None
    except ValueError:
        return ""


def read_digits(cell: str) -> str:
    """The digits of a cell that a program may have taken for those of a quantity.

    Raises:
        ValueError: Some are missing.
    """
    if cell.isascii() and cell.isdecimal():
        return cell
    # Marks and blanks may stand anywhere; what looks like a digit is one here, also in an exponent.
    plain = "".join(
        str(unicodedata.decimal(character, character))
        for character in unicodedata.normalize("NFKC", cell)
        if unicodedata.category(character) not in _INVISIBLE
    )
    if match := _SCIENTIFIC.fullmatch(plain):
        return _write_out(match[1], match[2] or "", int(match[3]))
    if _GROUPED.fullmatch(plain):
        return re.sub(r"[^0-9]", "", plain)
    # So programs write a number that they take for a fraction.
    match = _FRACTION.fullmatch(plain)
    return match[1] if match else cell


def _write_out(whole: str, fraction: str, exponent: int) -> str:
    if len(fraction) < exponent or fraction[exponent:].strip("0"):
        raise ValueError("Excel has shortened the number: format the column as text and fill it again")
    return whole + fraction[:exponent]
