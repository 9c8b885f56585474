"""Reads an Excel workbook (.xlsx), one row of its first sheet at a time."""

from __future__ import annotations

import datetime
import io
import warnings
import zipfile
from collections.abc import Iterator

from ..common.extras import how_to_install
from .exits import CommandError

_ADVICE = "save it as CSV UTF-8"
_MOST_BYTES = 256 * 1024 * 1024
"""A sheet of a million rows is half of that; a small file that unpacks to more wants to fill the memory."""
_MOST_STRINGS = 128 * 1024 * 1024
"""What is not read a row at a time: all strings of the workbook, and how its cells look."""
_MOST_ROWS = 1_048_576
"""As many as Excel has."""
_ROWS_FOLDER = "xl/worksheets/"


def read_workbook(stream: io.BufferedReader) -> Iterator[list[str]]:
    """The rows of the first sheet, each as its cells are written in a CSV file.

    Raises:
        CommandError: It cannot be read.
    """
    if not stream.seekable():
        raise CommandError(f"an Excel workbook cannot come through a pipe: give the name of the file, or {_ADVICE}")
    try:
        import openpyxl  # noqa: PLC0415 -- an extra, and slow to load
    except ImportError:
        raise CommandError(f"the file is an Excel workbook: {_ADVICE}, or, {how_to_install('excel')}") from None
    # It warns of what it cannot keep when it writes, and writes nothing here.
    warnings.filterwarnings("ignore", module="openpyxl")
    try:
        _refuse_bombs(stream)
        sheet = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False).worksheets[0]
        # Programs write a wrong one, and rows would be left out.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > _MOST_ROWS:
                raise CommandError(f"the workbook has more rows than Excel can have: {_ADVICE}")
            yield [_to_text(value) for value in cells]
    except CommandError:
        raise
    except Exception:  # A broken one raises whatever its XML, its ZIP or a wrong reference in it leads to.
        raise CommandError(f"the file is no Excel workbook that can be read: open it in Excel and {_ADVICE}") from None


def _refuse_bombs(stream: io.BufferedReader) -> None:
    with zipfile.ZipFile(stream) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    # No more than these are unpacked, whatever is in there.
    whole = sum(size for name, size in sizes.items() if not name.startswith(_ROWS_FOLDER))
    if whole > _MOST_STRINGS or sum(sizes.values()) > _MOST_BYTES:
        raise CommandError(f"the workbook is too large: {_ADVICE}")


def _to_text(value: object) -> str:
    if value is None:
        return ""
    # Some programs write every number as a fraction, also a telephone number.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # A date alone is one of midnight here, and no time at which anybody wants to send.
    if isinstance(value, datetime.datetime) and value.time() == datetime.time.min:
        return str(value.date())
    return str(value)
