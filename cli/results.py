"""Writes what became of each row, so that a spreadsheet opens it."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO, cast

from ..common import SendReport
from .gateways.base import Gateway
from .rows import Row
from .sending import describe_failure
from .table import Table, normalize_name

_COLUMNS = ("row", "outcome", "message_id", "error", "reference")


def describe_row(report: SendReport) -> str | None:
    """Why a row was not sent, or why nobody knows; ``None`` if it was sent."""
    return cast("Row", report.message).problem or describe_failure(report)


@contextmanager
def open_results(path: Path | None, table: Table, gateway: Gateway) -> Generator[Callable[[SendReport], None]]:
    """Write the results of a table's rows.

    Args:
        path: The file; what it held is written anew, and only its owner may read it. ``None`` for standard output.
        table: The table; the results have its columns too, and its delimiter.
        gateway: Where the messages go.

    Yields:
        A function that writes the result of one row.
    """
    if path is None:
        cast("TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8", newline="")
        yield _make_writer(sys.stdout, table, gateway)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    # With the mark by which Excel knows UTF-8.
    with open(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        yield _make_writer(file, table, gateway)


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read, if nothing is there: numbers and texts will be in it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _make_writer(stream: TextIO, table: Table, gateway: Gateway) -> Callable[[SendReport], None]:
    ours = {normalize_name(name) for name in _COLUMNS}
    # Results of an earlier job may be the input of this one.
    kept = [place for place, name in enumerate(table.header) if normalize_name(name) not in ours]
    writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\r\n")

    def write(cells: Sequence[object]) -> None:
        writer.writerow(cells)
        # Who is killed has written down what is known.
        stream.flush()

    def take(report: SendReport) -> None:
        row = cast("Row", report.message)
        message_id = "" if report.message_id is None else report.message_id
        theirs = [row.cells[place] for place in kept]
        reasons = [describe_row(report) or "", gateway.find_reference(report) or ""]
        write([*theirs, row.number, report.outcome.value, message_id, *reasons])

    write([*(table.header[place] for place in kept), *_COLUMNS])
    return take
