"""The first sheet of an .xlsx file, read row by row: the file is a zip archive of XML documents."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

_SHEETS = re.compile(r"xl/worksheets/sheet[0-9]*\.xml")
_SHARED = "xl/sharedStrings.xml"
_COLUMN = re.compile(r"[A-Z]{1,3}")
_CHUNK = 64 * 1024
_MAX_WORK = 96 * 1024 * 1024
_ELEMENT = 32
"""What an element costs beside its bytes, in bytes that take as long to read."""
_CELL = 8
"""What a cell costs beside its characters, also one that is left out before another."""
_MAX_COLUMNS = 64
_MAX_ENTRIES = 10_000
_MAX_CELL = 32_767
"""Characters, as Excel has it."""


class SheetError(ValueError):
    """This is no .xlsx file, or a broken or a dangerous one."""


class _Budget:
    """What reading one file may cost: a small one can unpack, or refer again and again, to more than anybody holds."""

    def __init__(self) -> None:
        self._left = _MAX_WORK

    def spend(self, amount: int) -> None:
        """Raises SheetError if that is too much."""
        self._left -= amount
        if self._left < 0:
            raise SheetError("too large")


def read_rows(file: IO[bytes]) -> Iterator[list[str]]:
    """Rows as texts; whole numbers are written without a point."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _read(archive, _Budget())
    except Exception as error:
        # A broken archive makes zipfile stumble in more ways than it documents, and what is read is not ours.
        raise SheetError(str(error)) from error


def _read(archive: zipfile.ZipFile, budget: _Budget) -> Iterator[list[str]]:
    names = set(archive.namelist())
    sheets = sorted(filter(_SHEETS.fullmatch, names), key=lambda name: (len(name), name))
    if not sheets or len(names) > _MAX_ENTRIES:
        raise SheetError("no sheet, or too much beside it")
    shared = _Texts("si")
    if _SHARED in names:
        for _ in _parse(archive, _SHARED, shared, budget):
            pass
    sheet = _Sheet(shared.items)
    for _ in _parse(archive, sheets[0], sheet, budget):
        for row in sheet.take():
            budget.spend(sum(_CELL + len(cell) for cell in row))
            yield row


class _Texts:
    """Collects the texts of elements of one name; Excel splits a text into several `t` by its fonts."""

    def __init__(self, element: str) -> None:
        self.items: list[str] = []
        self._element = element
        self._pieces: list[str] = []
        self._in_text = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if name == self._element:
            self._pieces = []
        self._in_text = name == "t"

    def end(self, name: str) -> None:
        self._in_text = False
        if name == self._element:
            self.items.append(_cell(self._pieces))

    def data(self, text: str) -> None:
        if self._in_text:
            self._pieces.append(text)


class _Sheet:
    """Collects rows of cells."""

    def __init__(self, shared: list[str]) -> None:
        self._shared = shared
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._kind = ""
        self._pieces: list[str] = []
        self._in_value = False

    def take(self) -> list[list[str]]:
        """The rows that are complete, once."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = []
        elif name == "c":
            self._kind = attributes.get("t", "n")
            self._pieces = []
            # Empty cells are left out of the file; the reference tells which column this one is.
            column = _column(attributes.get("r", ""))
            while len(self._row) < min(column, _MAX_COLUMNS):
                self._row.append("")
        self._in_value = name in ("v", "t")

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "c":
            if len(self._row) < _MAX_COLUMNS:
                self._row.append(self._value(_cell(self._pieces)))
        elif name == "row":
            self._rows.append(self._row)

    def data(self, text: str) -> None:
        if self._in_value:
            self._pieces.append(text)

    def _value(self, text: str) -> str:
        if self._kind == "s":
            return self._shared[int(text)] if text.isdecimal() else ""
        if self._kind != "n" or not text:
            return text
        try:
            number = float(text)
        except ValueError:
            return text
        # A telephone number typed as a number may stand there as 9.121111111E9.
        return str(int(number)) if number.is_integer() else text


def _cell(pieces: list[str]) -> str:
    text = "".join(pieces).strip()
    if len(text) > _MAX_CELL:
        raise SheetError("too long for a cell")
    return text


def _column(reference: str) -> int:
    match = _COLUMN.match(reference)
    number = 0
    for letter in match[0] if match else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return max(number - 1, 0)


def _parse(archive: zipfile.ZipFile, name: str, handler: _Texts | _Sheet, budget: _Budget) -> Iterator[None]:
    if archive.getinfo(name).file_size > _MAX_WORK:
        raise SheetError("too large")

    def start(tag: str, attributes: dict[str, str]) -> None:
        budget.spend(_ELEMENT * (1 + len(attributes)))
        handler.start(_local(tag), attributes)

    # A name may have a prefix, which says nothing here.
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: handler.end(_local(tag))
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with archive.open(name) as document:
        while chunk := document.read(_CHUNK):
            budget.spend(len(chunk))
            parser.Parse(chunk, False)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    raise SheetError("a document type could define entities without end")


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]
