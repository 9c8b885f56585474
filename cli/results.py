"""Writes what became of each row, so that a spreadsheet opens it."""

from __future__ import annotations

import csv
import os
import stat
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO, cast

from ..common import SendReport
from ..common.checks import replace_halves
from ..common.private_files import open_private
from .cells import wrap
from .exits import CommandError, complain
from .gateways.base import Gateway
from .headings import normalize_name
from .output import escape_controls
from .places import Places, is_open_already, is_replaced, part_of
from .rows import Row
from .selection import LEFT_OUT, LeftOut
from .sending import describe_failure
from .table import Table

_MOST_BITS = 10_000
_COLUMNS = ("row", "outcome", "message_id", "error", "reference")


def describe_row(report: SendReport) -> str | None:
    """Why a row was not sent, or why nobody knows; ``None`` if it was sent."""
    return cast("Row", report.message).problem or describe_failure(report)


class ResultsWriter:
    """Writes the results of a table's rows, each as soon as it is known.

    Args:
        stream: Where they go.
        table: The table; the results have its columns too, and its delimiter.
        gateway: Where the messages go.
        place: Where they are in the end; ``None`` for standard output.
    """

    def __init__(self, stream: TextIO, table: Table, gateway: Gateway, place: Path | None) -> None:
        self.place = place
        self._stream = stream
        self._is_at_terminal = stream.isatty()
        self._gateway = gateway
        # Results of an earlier job may be the input of this one.
        self._theirs = {normalize_name(name): place for place, name in enumerate(table.header)}
        ours = {normalize_name(name) for name in _COLUMNS}
        self._kept = [place for place, name in enumerate(table.header) if normalize_name(name) not in ours]
        self._writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\r\n")
        self._write([*(table.header[place] for place in self._kept), *_COLUMNS])

    def take(self, report: SendReport) -> None:
        """Write what became of a message."""
        row = cast("Row", report.message)
        message_id = "" if report.message_id is None else report.message_id
        reasons = [describe_row(report) or "", self._gateway.find_reference(report) or ""]
        self._write_row(row, [report.outcome.value, message_id, *reasons])

    def leave_out(self, row: Row, reason: LeftOut) -> None:
        """Write that a row was left out: with what an earlier job has said of it, if one has."""
        if reason is LeftOut.REPEATED:
            self._write_row(row, [LEFT_OUT, "", "an earlier row has the same number and text", ""])
            return
        places = [self._theirs.get(normalize_name(name)) for name in _COLUMNS[2:]]
        self._write_row(row, [row.outcome, *("" if place is None else row.cells[place] for place in places)])

    def _write_row(self, row: Row, ours: Sequence[object]) -> None:
        self._write([*(row.cells[place] for place in self._kept), row.number, *ours])

    def _write(self, cells: Sequence[object]) -> None:
        self._writer.writerow([self._spell(cell) for cell in cells])
        # Who is killed has written down what is known.
        self._stream.flush()

    def _spell(self, cell: object) -> str:
        """A cell as it can be written and opened, whatever a stranger or a gateway has put into it."""
        # No number is too long to be written in base 16.
        text = f"{cell:#x}" if isinstance(cell, int) and cell.bit_length() > _MOST_BITS else str(cell)
        text = wrap(replace_halves(text))
        return escape_controls(text) if self._is_at_terminal else text


@contextmanager
def open_results(places: Places, table: Table, gateway: Gateway) -> Generator[ResultsWriter]:
    """Write the results of a table's rows.

    They are in a file beside until the end: those of an earlier run stay until then, and who finds results finds all of
    them. Only its owner may read it.
    """
    path = places.results
    if path is None:
        cast("TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8", newline="")
        yield ResultsWriter(sys.stdout, table, gateway, None)
    elif not is_replaced(path):
        with open(path, "w", encoding="utf-8-sig", newline="", opener=_open_as_it_is) as file:
            yield ResultsWriter(file, table, gateway, path)
    else:
        part = part_of(path)
        with _open_part(part, places) as file:
            writer = ResultsWriter(file, table, gateway, path)
            try:
                yield writer
            except BaseException:
                complain(f"what is known so far is in {part}")
                raise
            os.fsync(file.fileno())
        try:
            part.replace(os.path.realpath(path))
        except OSError as error:  # On Windows, a spreadsheet that has it open.
            complain(f"{path} cannot be replaced ({error.strerror}): the results are in {part}")
            writer.place = part


def _open_part(part: Path, places: Places) -> TextIO:
    # What a killed run has left, the journal knows. Without one, nothing else does.
    if places.journal is not None or places.overwrites:
        part.unlink(missing_ok=True)
    # With the mark by which Excel knows UTF-8.
    return open(part, "x", encoding="utf-8-sig", newline="", opener=open_private)


def _open_as_it_is(path: str, flags: int) -> int:
    """Open a pipe or a device, or what the caller of this program has open. No other file is made or emptied."""
    if is_open_already(Path(path)):
        return os.open(path, flags)
    descriptor = os.open(path, flags & ~(os.O_CREAT | os.O_TRUNC))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CommandError(f"{path} has become a file meanwhile: start again")
    return descriptor
