"""Reads a CSV file as people and Excel write it, one row at a time."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence

from .exits import CommandError

_DELIMITERS = ",;\t|"
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ZIP = b"PK\x03\x04"
_NAMES = {
    "to": "to number numbers recipient receptor mobile phone phonenumber mobilenumber msisdn tel cell cellphone "
    "شماره موبایل گیرنده تلفن همراه تلفنهمراه شمارهموبایل شمارههمراه شمارهتلفن شمارهگیرنده شمارهتلفنهمراه",
    "text": "text message sms body متن پیام پیامک متنپیام متنپیامک",
    "sender": "sender from line فرستنده خط شمارهخط سرشماره شمارهفرستنده",
    "send_at": "sendat زمان زمانارسال",
    "check_id": "checkid شناسهپیام شناسهیکتا",
    # As `results` calls it.
    "outcome": "outcome",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}


def normalize_name(name: str) -> str:
    """Bring spellings of a column's name together: case, blanks, and Arabic letters in place of Persian ones."""
    return re.sub(r"[\s_\u200c\u200e\u200f-]", "", name.casefold().replace("ي", "ی").replace("ك", "ک"))


class Table:
    """A CSV file with a header.

    Args:
        stream: The file, or a pipe. It is closed by whoever opened it.

    Attributes:
        header: The columns' names.
        columns: Which column holds what: places by ``to``, ``text``, ``sender``, ``send_at``, ``check_id`` and
            ``outcome``.
        delimiter: What separates the cells.

    Raises:
        CommandError: It is no such file.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        start = stream.peek(4)[:4]
        if start.startswith(_ZIP):
            raise CommandError("the file is an Excel workbook: save it as CSV UTF-8")
        encoding = next((name for bom, name in _BOMS.items() if start.startswith(bom)), "utf-8")
        self._text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        self._row = 1
        try:
            self.header, self.delimiter, self._reader = self._read_header()
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._to_command_error(error) from None
        self.columns = _find_columns(self.header)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header, each with its number as a spreadsheet shows it. Empty ones are passed over.

        Raises:
            CommandError: What follows cannot be read.
        """
        try:
            for cells in self._reader:
                self._row += 1
                if any(cell.strip() for cell in cells):
                    yield self._row, cells
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._to_command_error(error) from None

    def _read_header(self) -> tuple[list[str], str, Iterator[list[str]]]:
        first = self._text.readline()
        delimiter = None
        # Excel writes this for itself.
        if match := re.fullmatch(r"sep=(.)\s*", first):
            delimiter, first = match[1], self._text.readline()
        if delimiter is None:
            delimiter = max(_DELIMITERS, key=lambda known: _count_known(first, known))
        reader = csv.reader(itertools.chain([first], self._text), delimiter=delimiter, strict=True)
        header = next(reader, list[str]())
        return [name.strip() for name in header], delimiter, reader

    def _to_command_error(self, error: Exception) -> CommandError:
        if isinstance(error, UnicodeDecodeError):
            return CommandError(f"the file is not UTF-8, somewhere after row {self._row}: save it as CSV UTF-8")
        return CommandError(f"the file is no proper CSV after row {self._row}: look for a quotation mark too many")


def _count_known(line: str, delimiter: str) -> tuple[int, int]:
    """How much a line looks like a header with this delimiter."""
    cells = line.strip().split(delimiter)
    return sum(normalize_name(cell.strip().strip('"')) in _FIELDS for cell in cells), len(cells)


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for place, name in enumerate(header):
        field = _FIELDS.get(normalize_name(name))
        if field in columns:
            raise CommandError(f"the columns {columns[field] + 1} and {place + 1} both look like {field}: rename one")
        if field is not None:
            columns[field] = place
    if "to" not in columns:
        raise CommandError("the first row must name the columns, and one must be called number, to or شماره")
    return columns
