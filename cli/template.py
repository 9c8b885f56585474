"""Texts with ``{column}`` in them, filled from each row."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence

import attrs

from .exits import CommandError


class EmptyCellError(Exception):
    """A row has nothing in a column that the text needs. The message names the column."""


@attrs.frozen
class Template:
    """A text whose gaps are filled from cells.

    Attributes:
        parts: Each is a piece of text, and the place of the cell that follows it, if one does.
        header: The names of the columns.
    """

    parts: Sequence[tuple[str, int | None]] = attrs.field(repr=False)
    header: Sequence[str]

    def fill(self, cells: Sequence[str]) -> str:
        """The text for one row.

        Raises:
            EmptyCellError: A cell that it needs is empty.
        """
        pieces: list[str] = []
        for piece, column in self.parts:
            pieces.append(piece)
            if column is not None:
                if not cells[column].strip():
                    raise EmptyCellError(f"the column {self.header[column]} is empty")
                pieces.append(cells[column].strip())
        return "".join(pieces)


def read_template(text: str, header: Sequence[str], normalize: Callable[[str], str]) -> Template:
    """Read a text with gaps.

    Args:
        text: The text; ``{{`` and ``}}`` are braces.
        header: The names of the columns.
        normalize: Brings two spellings of the same column's name together.

    Raises:
        CommandError: It names a column that is not there, or a brace stands alone.
    """
    places = {normalize(name): place for place, name in reversed(list(enumerate(header)))}
    parts: list[tuple[str, int | None]] = []
    try:
        # Only what stands between braces is taken from it: no attributes, no formats.
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        raise CommandError("--text has a brace that stands alone: write {{ or }} for a brace") from None
    for literal, name, spec, conversion in pieces:
        if name is None:
            parts.append((literal, None))
            continue
        place = places.get(normalize(name))
        if place is None or spec or conversion:
            raise CommandError(f"--text names a column that is not there; the file has {', '.join(header)}")
        parts.append((literal, place))
    return Template(parts, header)
