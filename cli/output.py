"""What goes to standard output: for people, for pipes, or as JSON."""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import cast


def prepare_streams(*, exact: bool) -> None:
    """Keep characters that the terminal does not know from ending the command.

    Args:
        exact: Whether programs read the output: it is UTF-8 then, wherever it goes.
    """
    for stream in (sys.stdout, sys.stderr):
        encoding = "utf-8" if exact and stream is sys.stdout else stream.encoding
        cast("io.TextIOWrapper", stream).reconfigure(encoding=encoding, errors="backslashreplace")


def write_json(record: Mapping[str, object]) -> None:
    """Write one object in one line."""
    sys.stdout.write(json.dumps(record, default=_to_json, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def write_line(line: str) -> None:
    """Write one line for people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_records(records: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Write records: JSON lines, a table on a terminal, or lines with tabs in between for other programs."""
    if as_json:
        for record in records:
            write_json(record)
        return
    rows = [[_to_text(record.get(column)) for column in columns] for record in records]
    if sys.stdout.isatty():
        _write_table(rows, columns)
        return
    for row in rows:
        write_line("\t".join(row))


def _write_table(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    if not rows:
        return
    from rich.console import Console  # noqa: PLC0415 -- only a terminal needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        if any(row[place] for row in rows):
            table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        # As text, so that brackets in a message are not taken for markup.
        table.add_row(*(Text(cell) for place, cell in enumerate(row) if any(other[place] for other in rows)))
    Console().print(table)


def _to_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return " ".join(str(value).split())


def _to_json(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
