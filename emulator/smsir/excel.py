"""The first sheet of an .xlsx file, read row by row: the file is a zip archive of XML documents."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

_SHEETS = re.compile(r"xl/worksheets/sheet[0-9]*\.xml")
_SHARED = "xl/sharedStrings.xml"
_COLUMN = re.compile(r"[A-Z]+")
_CHUNK = 64 * 1024
_MAX_XML = 256 * 1024 * 1024
_MAX_COLUMNS = 64


class SheetError(ValueError):
    """This is no .xlsx file, or a broken or a dangerous one."""


def read_rows(file: IO[bytes]) -> Iterator[list[str]]:
    """Rows as texts; whole numbers are written without a point."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(filter(_SHEETS.fullmatch, archive.namelist()), key=lambda name: (len(name), name))
            if not names:
                raise SheetError("no sheet")
            shared = _Texts("si")
            if _SHARED in archive.namelist():
                for _ in _parse(archive, _SHARED, shared):
                    pass
            sheet = _Sheet(shared.items)
            for _ in _parse(archive, names[0], sheet):
                yield from sheet.take()
    except (zipfile.BadZipFile, expat.ExpatError, NotImplementedError, RuntimeError, EOFError, LookupError) as error:
        raise SheetError(str(error)) from error


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
            self.items.append("".join(self._pieces))

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
            self._row.append(self._value("".join(self._pieces)))
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


def _column(reference: str) -> int:
    match = _COLUMN.match(reference)
    number = 0
    for letter in match[0] if match else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return max(number - 1, 0)


def _parse(archive: zipfile.ZipFile, name: str, handler: _Texts | _Sheet) -> Iterator[None]:
    # A name may have a prefix, which says nothing here.
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, attributes: handler.start(_local(tag), attributes)
    parser.EndElementHandler = lambda tag: handler.end(_local(tag))
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    left = _MAX_XML
    with archive.open(name) as document:
        while chunk := document.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise SheetError("too large")
            parser.Parse(chunk, False)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_: object) -> None:
    raise SheetError("a document type could define entities without end")


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]
