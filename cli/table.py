"""Reads a table as people and Excel write it, one row at a time."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator

from .cells import unwrap
from .exits import CommandError
from .headings import Choice, count_known, find_columns, is_data, is_header, is_title
from .workbook import read_workbook

_DELIMITERS = ",;\t|"
# These are punctuation as well: they count only between headings that are known.
_PERSIAN_DELIMITERS = "؛،"
_BOMS = {  # That of UTF-32 begins with that of UTF-16.
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ZIP = b"PK\x03\x04"
_NO_TABLES = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind, or one with a password",
    b"<": "a web page or XML, whatever its name says",
}
_START = 4096
_NO_CHOICE = Choice()


class Table:
    """A CSV file or an Excel workbook, with a row of headings.

    Args:
        stream: The file, or a pipe. It is closed by whoever opened it.
        choice: What its headings need not say.

    Attributes:
        header: The columns' names.
        columns: Which column holds what: places by ``to``, ``text``, ``sender``, ``send_at``, ``check_id`` and
            ``outcome``.
        delimiter: What separates the cells; a comma in place of a workbook's.

    Raises:
        CommandError: It is no such file.
    """

    def __init__(self, stream: io.BufferedReader, choice: Choice = _NO_CHOICE) -> None:
        self._row = 0
        self._choice = choice
        self._encoding = ""
        start = stream.peek(_START)[:_START]
        for mark, kind in _NO_TABLES.items():
            if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(mark):
                raise CommandError(f"the file is {kind}: open it in Excel and save it as CSV UTF-8")
        if start.startswith(_ZIP):
            self._source: Iterator[list[str]] = read_workbook(stream)
            self.delimiter = ","
            self.header = self._read_header()
        else:
            self._encoding = choice.encoding or _guess_encoding(start)
            self._source = lines = _CsvRows(_open_text(stream, self._encoding), choice)
            self.header = self._read_header()
            self.delimiter = lines.settle()
        self.columns = find_columns(self.header, choice)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header, each with its number as a spreadsheet shows it. Empty ones are passed over.

        Raises:
            CommandError: What follows cannot be read.
        """
        while (cells := self._read_row()) is not None:
            if any(cell.strip() for cell in cells):
                yield self._row, cells

    def _read_header(self) -> list[str]:
        """The first row that names the column of the numbers; where none does, the one that should."""
        title: list[str] = []
        while (row := self._read_row()) is not None:
            cells = [unwrap(cell.strip()) for cell in row]
            if is_header(cells, self._choice):
                return cells
            if not is_title(cells):
                return title if any(title) and is_data(cells) else cells
            title = title if any(title) else cells
        return title

    def _read_row(self) -> list[str] | None:
        try:
            cells = next(self._source, None)
        except UnicodeError:
            raise CommandError(
                f"the file is not {self._encoding.upper()}, in row {self._row + 1} or below: save it as CSV UTF-8, or "
                "give --encoding (cp1256 for what Excel saves as CSV on a Persian Windows)"
            ) from None
        except csv.Error:
            raise CommandError(
                f"the file is no proper CSV after row {self._row}: look for a quotation mark too many"
            ) from None
        self._row += cells is not None
        return cells


class _CsvRows(Iterator[list[str]]):
    """The rows of a CSV file, each read with the delimiter that suits it until it is settled which is the header."""

    def __init__(self, text: io.TextIOWrapper, choice: Choice) -> None:
        # Kept, or it would close the file as soon as it is read.
        self._text = text
        # What stands at the start of a file that was joined to another, and at the end of one from a mainframe or DOS.
        self._lines = (line.removeprefix("\ufeff").rstrip("\0\x1a") for line in text)
        self._choice = choice
        self._is_first = True
        self._is_settled = False
        self._given: str | None = None
        self._delimiter = ","
        self._reader: Iterator[list[str]] = iter(())

    def settle(self) -> str:
        """Read the rest as the last row was read. Returns the delimiter."""
        self._is_settled = True
        return self._delimiter

    def __next__(self) -> list[str]:
        if self._is_settled:
            return next(self._reader)
        line = next(self._lines)
        if self._is_first:
            self._is_first = False
            # Excel writes this for itself.
            if match := re.fullmatch(r"sep=([^\s\"]|\t)\s*", line):
                self._given, line = match[1], next(self._lines)
        self._delimiter = self._given or max(_DELIMITERS + _PERSIAN_DELIMITERS, key=lambda one: self._suits(line, one))
        self._reader = csv.reader(
            itertools.chain([line], self._lines), delimiter=self._delimiter, strict=True, skipinitialspace=True
        )
        return next(self._reader)

    def _suits(self, line: str, delimiter: str) -> tuple[int, int]:
        """How much a line looks like a header with this delimiter."""
        cells = [cell.strip().strip('"') for cell in line.strip().split(delimiter)]
        return count_known(cells, self._choice), len(cells) if delimiter in _DELIMITERS else 0


def _guess_encoding(start: bytes) -> str:
    for bom, name in _BOMS.items():
        if start.startswith(bom):
            return name
    # But for some at the end of a file, no text has zeros: they are halves, in UTF-16, of commas and line ends.
    zero = start.rstrip(b"\0").find(b"\0")
    if zero >= 0:
        return "utf-16-le" if zero % 2 else "utf-16-be"
    return "utf-8"


def _open_text(stream: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(stream, encoding=encoding, newline="")
    except LookupError:
        raise CommandError("--encoding names no encoding: it is utf-8, utf-16, cp1256 or the like") from None
