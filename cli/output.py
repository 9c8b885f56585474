"""What goes to standard output: for people, for pipes, or as JSON."""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

# What a terminal obeys in place of showing it, or shows in another order than it stands: C0 but for tabs and line ends,
# C1, and the marks that turn the direction. Those that Persian is written with stay.
_OBEYED = "\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROLS = re.compile(rf"[\x00-\x08\x0b-\x1f{_OBEYED}]")
# The marks that Persian is written with turn the direction too. In JSON they mean the same spelt out.
_CONTROLS_IN_JSON = re.compile(f"[{_OBEYED}\u061c\u200e\u200f]")


def prepare_streams(*, exact: bool) -> None:
    """Keep characters that the terminal does not know from ending the command.

    Args:
        exact: Whether programs read the output: it is UTF-8 then, wherever it goes.
    """
    for stream in (sys.stdout, sys.stderr):
        encoding = "utf-8" if exact and stream is sys.stdout else stream.encoding
        cast("io.TextIOWrapper", stream).reconfigure(encoding=encoding, errors="backslashreplace")


def escape_controls(text: str) -> str:
    """Spell out what a terminal would obey: an SMS, a file and a gateway's sentence are written by strangers."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def write_json(record: Mapping[str, object]) -> None:
    """Write one object in one line."""
    line = json.dumps(record, default=_to_json, ensure_ascii=False)
    # JSON's own writer escapes the others.
    line = _CONTROLS_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write_line(line: str) -> None:
    """Write one line for people."""
    sys.stdout.write(f"{escape_controls(line)}\n")
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
    return escape_controls(" ".join(str(value).split()))


def _to_json(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
