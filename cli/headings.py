"""Which column of a table holds what, by the headings that people and address books give them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import attrs

from ..common import InvalidArgumentError
from ..common.numbers import normalize_number
from .exits import CommandError

_NAMES = {
    "text": "text message sms body متن پیام پیامک متنپیام متنپیامک",
    "sender": "sender from line فرستنده خط شمارهخط سرشماره شمارهفرستنده",
    "send_at": "sendat زمان زمانارسال",
    "check_id": "checkid شناسهپیام شناسهیکتا",
    # As `results` calls it.
    "outcome": "outcome",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}
# What a number's column is called, the surest first: an address book has the telephones of home and work beside the
# mobile, and the kind of each beside its number.
_NUMBERS = (
    re.compile(
        "to|numbers?|recipients?|receptor|mobile|mobile(phone|number|no)|cell|msisdn"
        "|شماره|گیرنده|موبایل|همراه|تلفنهمراه|شماره(گیرنده|موبایل|همراه|تلفنهمراه)"
    ),
    # Side by side, so that it is asked which is meant: "phone" and "mobile of the guarantor" may be either.
    re.compile(
        "(?!.*(label|type)).*(mobile|cellphone|موبایل|همراه).*"
        "|phone|phone(1value|number|no)|telephone|tel|(billing|primary)phone|تلفن|شمارهتلفن|(شماره|تلفن)تماس"
    ),
    re.compile("(?!.*(label|type|fax|فکس|نمابر)).*(phone|تلفن|شمارهتماس).*"),
    re.compile("contacts?|contact(number|no)|تماس"),
)
_EZAFE = re.compile(r"ه[\s\u200c]ی\b")
_MANY_DIGITS = re.compile(r"\d{5}")
_LETTERS = str.maketrans("يكةە", "یکهه")
_MOST_SHOWN = 300


@attrs.frozen
class Choice:
    """What was said of a file that its headings need not say.

    Attributes:
        number: The heading of the column with the numbers; ``None`` to find it.
        text: That of the column with the texts.
        encoding: How a CSV file is encoded.
    """

    number: str | None = None
    text: str | None = None
    encoding: str | None = None


def normalize_name(name: str) -> str:
    """Bring spellings of a heading together: case, blanks, punctuation, and Arabic letters in place of Persian ones."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS).replace("\u0640", "")
    return re.sub(r"[\W_]", "", _EZAFE.sub("ه", plain))


def is_header(cells: Sequence[str], choice: Choice) -> bool:
    """Whether a row names the column of the numbers."""
    names = [normalize_name(cell) for cell in cells]
    if choice.number is not None:
        return normalize_name(choice.number) in names
    return any(pattern.fullmatch(name) for pattern in _NUMBERS for name in names)


def is_title(cells: Sequence[str]) -> bool:
    """Whether a row may stand above the headings: programs write a title there, or nothing."""
    return sum(1 for cell in cells if cell) <= 1 and not is_data(cells)


def is_data(cells: Sequence[str]) -> bool:
    """Whether a row holds numbers, so that it has no headings."""
    return any(_MANY_DIGITS.search(cell) or _is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        normalize_number(cell)
    except InvalidArgumentError:
        return False
    return True


def count_known(cells: Sequence[str], choice: Choice) -> int:
    """How many headings are known."""
    names = {normalize_name(name) for name in (choice.number, choice.text) if name}
    return sum(is_header([cell], choice) or normalize_name(cell) in names | _FIELDS.keys() for cell in cells)


def find_columns(header: Sequence[str], choice: Choice) -> dict[str, int]:
    """Find which column holds what: places by ``to``, ``text``, ``sender``, ``send_at``, ``check_id`` and ``outcome``.

    Raises:
        CommandError: None can be that of the numbers, or two look like the same.
    """
    names = [normalize_name(name) for name in header]
    chosen = {
        field: _find_chosen(wanted, header, names, option)
        for field, wanted, option in (("to", choice.number, "number"), ("text", choice.text, "text"))
        if wanted is not None
    }
    columns: dict[str, int] = {}
    for place, name in enumerate(names):
        field = _FIELDS.get(name)
        if field is not None and field not in chosen and place not in chosen.values():
            _take(columns, field, place)
    columns |= chosen
    if "to" not in columns:
        free = [(place, name) for place, name in enumerate(names) if place not in columns.values()]
        for pattern in _NUMBERS:
            for place, name in free:
                if pattern.fullmatch(name):
                    _take(columns, "to", place)
            if "to" in columns:
                return columns
        raise CommandError(_describe(header))
    return columns


def _take(columns: dict[str, int], field: str, place: int) -> None:
    if field in columns:
        option = {"to": ", or give --number-column", "text": ", or give --text-column"}.get(field, "")
        raise CommandError(
            f"the columns {columns[field] + 1} and {place + 1} both look like {field}: rename one{option}"
        )
    columns[field] = place


def _find_chosen(wanted: str, header: Sequence[str], names: Sequence[str], option: str) -> int:
    places = [place for place, name in enumerate(names) if name == normalize_name(wanted)]
    if len(places) > 1:
        raise CommandError(f"two columns are called as --{option}-column says: rename one")
    if places:
        return places[0]
    raise CommandError(f"--{option}-column names a column that is not there; {_show(header)}")


def _describe(header: Sequence[str]) -> str:
    if not any(header):
        return "the file is empty: its first row must name the columns, such as number,text"
    if is_data(header):
        return "the first row holds a number: a row above it must name the columns, such as number,text"
    return (
        "the first row must name the columns, and one must be called number, mobile or شماره, or as --number-column "
        f"says; {_show(header)}"
    )


def _show(header: Sequence[str]) -> str:
    """The headings, unless they are data: no error holds a number or a text."""
    if is_data(header):
        return "the first row holds a number, where the columns' names must be"
    shown = ", ".join(filter(None, header))
    return f"it has: {shown[:_MOST_SHOWN]}{'…' if len(shown) > _MOST_SHOWN else ''}"
