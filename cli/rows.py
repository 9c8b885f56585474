"""Turns the rows of a table into messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..common import InvalidArgumentError, OutgoingMessage
from .cells import find_recipient, read_digits, read_number, unwrap
from .exits import CommandError, describe_error
from .gateways.base import Gateway
from .headings import normalize_name
from .table import Table
from .template import EmptyCellError, Template, read_template
from .times import parse_time


@attrs.frozen
class Row(OutgoingMessage):
    """A message, and the row that it came from.

    Attributes:
        number: The row's number, as a spreadsheet shows it.
        cells: What stood there.
        outcome: What became of it in an earlier job, if the file holds results.
        problem: Why it cannot be sent. Its message has no recipient then, so that no gateway takes it.
        recipient: The number of a row that cannot be sent; empty if a program has spoiled it, ``None`` if it is none.
    """

    number: int = attrs.field(default=0, kw_only=True)
    cells: Sequence[str] = attrs.field(default=(), kw_only=True, repr=False)
    outcome: str = attrs.field(default="", kw_only=True)
    problem: str | None = attrs.field(default=None, kw_only=True)
    recipient: str | None = attrs.field(default=None, kw_only=True, repr=False)


class RowReader:
    """Makes messages of rows. Every row becomes one, also one that cannot be sent: it is told apart by its problem.

    Args:
        table: The rows.
        text: The text for all, with ``{column}`` in it; ``None`` if the rows have their own.
        sender: The line for rows that name none.

    Raises:
        CommandError: There is no text, or two.
    """

    def __init__(self, table: Table, *, text: str | None, sender: str | None) -> None:
        has_texts = "text" in table.columns
        if text is None and not has_texts:
            raise CommandError("the file has no column for the text: give --text, or --text-column")
        if text is not None and has_texts:
            raise CommandError("the file has a column for the text: leave --text away")
        self._table = table
        self._sender = sender
        self._template: Template | None = None
        if text is not None:
            self._template = read_template(text, table.header, normalize_name)

    def __iter__(self) -> Iterator[Row]:
        for number, cells in self._table.rows():
            yield self._make_row(number, cells)

    def _make_row(self, number: int, cells: list[str]) -> Row:
        width = len(self._table.header)
        surplus = [cell for cell in cells[width:] if cell.strip()]
        cells = (cells + [""] * width)[:width]
        values = [unwrap(cell.strip()) for cell in cells]
        outcome = self._cell(values, "outcome").casefold()
        try:
            if surplus:
                raise ValueError("it has more cells than the first row: put a cell with a comma in it in quotes")
            time = self._cell(values, "send_at")
            sender = self._cell(values, "sender")
            return Row(
                to=read_number(self._cell(values, "to")),
                text=self._template.fill(values) if self._template else self._cell(values, "text"),
                sender=read_digits(sender) if sender else self._sender,
                send_at=parse_time(time) if time else None,
                check_id=self._cell(values, "check_id") or None,
                number=number,
                cells=cells,
                outcome=outcome,
            )
        except (ValueError, EmptyCellError) as error:
            return Row(
                to="",
                text="",
                check_id=self._cell(values, "check_id") or None,
                number=number,
                cells=cells,
                outcome=outcome,
                problem=str(error),
                recipient=find_recipient(self._cell(values, "to")),
            )

    def _cell(self, values: Sequence[str], field: str) -> str:
        place = self._table.columns.get(field)
        return "" if place is None else values[place]


def find_problem(row: Row, gateway: Gateway) -> str | None:
    """Why a row cannot be sent, as far as it can be seen without sending it."""
    if row.problem is not None:
        return row.problem
    try:
        gateway.check(row, "messages[0]")
    except InvalidArgumentError as error:
        return describe_error(error)
    return None
