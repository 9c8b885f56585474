"""Results as a file that others open: in a spreadsheet, at a terminal, as the input of another job."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.cli.cells import unwrap, wrap
from payamak.cli.results import ResultsWriter
from payamak.cli.rows import RowReader
from payamak.cli.table import Table
from payamak.common import Outcome, SendReport
from support.command import Command, Done
from support.printed import sent

Call = Callable[..., Done]
# What a spreadsheet takes for a text alone: nothing follows it that could be calculated.
_TEXT = re.compile(r'="([^"]|"")*"')
_NUMBER = re.compile(r"[+-][\d .,٫٬]*")
CELLS = st.text("=+-@\t\r\n\"'() |!,;0۹aس\ufeff\u200c\u200f\u2028＝＋\0\x1b\u202e", max_size=12)


def read(content: str) -> Table:
    return Table(io.BufferedReader(io.BytesIO(content.encode())))


def is_harmless(cell: str) -> bool:
    begins = cell.lstrip(" \t\r\n\0\x1b\ufeff\u200c\u200f\u2028\u202e").startswith(tuple("=+-@＝＋"))
    is_formula = begins and not _TEXT.fullmatch(cell) and not _NUMBER.fullmatch(cell)
    return not cell.startswith(("\t", "\r", "\n")) and not is_formula


@given(CELLS | st.text())
def test_nothing_is_calculated_and_the_same_is_read(cell: str) -> None:
    wrapped = wrap(cell)
    assert is_harmless(wrapped)
    assert unwrap(wrapped.strip()) == unwrap(cell.strip())
    assert wrap(wrapped) == wrapped


@pytest.mark.parametrize(
    ("cell", "wrapped"),
    [
        ('=HYPERLINK("http://x")', '="=HYPERLINK(""http://x"")"'),
        ("@SUM(1)", '="@SUM(1)"'),
        ("-1+cmd|' /C calc'!A0", "=\"-1+cmd|' /C calc'!A0\""),
        ("\t=1+1", '="=1+1"'),
        ("＝1+1", '="＝1+1"'),
        ("\ufeff\u2028=1+1", '="\ufeff\u2028=1+1"'),
        ("- سلام", '="- سلام"'),
        ('="a"&cmd("b")', '="=""a""&cmd(""b"")"'),
        ("+98 912 111 1111", "+98 912 111 1111"),
        ("+989121111111", "+989121111111"),
        ("-5", "-5"),
        ("-", "-"),
        ('="0912"', '="0912"'),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a=b", "a=b"),
    ],
)
def test_what_becomes_of_a_cell(cell: str, wrapped: str) -> None:
    assert wrap(cell) == wrapped


def test_results_of_results_are_the_same(call: Call, payamak: Command) -> None:
    """The headings too, and what a file of an earlier job says of id, error and reference."""
    rows = [
        ["number", "text", '=1+1"', "outcome", "message_id", "error", "reference"],
        ["+989121111111", "=cmd()", "@x", "sent", "-1-2", "+x", '="a"&b'],
        ["+98 912 222 2222", "-سلام", "\t=x", "", "", "", ""],
    ]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    payamak.write("a.csv", file.getvalue())
    assert call("send-many", "a.csv", "--emulator", "-o", "b.csv").returncode == 0
    assert [message["text"] for message in sent()] == ["-سلام"]
    assert call("send-many", "b.csv", "--emulator", "-o", "c.csv").returncode == 5
    first, second = [
        list(csv.reader((payamak.folder / name).read_text(encoding="utf-8-sig").splitlines(keepends=True)))
        for name in ("b.csv", "c.csv")
    ]
    assert all(is_harmless(cell) for row in first for cell in row)
    # In their order, and but for the row's number in the file.
    assert [[*row[:3], *row[4:]] for row in sorted(first)] == [[*row[:3], *row[4:]] for row in sorted(second)]
    assert ["+989121111111", '="=cmd()"', '="@x"', "2", "sent", '="-1-2"', '="+x"', '="=""a""&b"'] in first


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _AnyGateway:
    def find_reference(self, report: SendReport) -> str | None:
        return report.reference


def write(stream: io.StringIO, **fields: object) -> list[list[str]]:
    table = read("number,text\n09121111111,\x1b]52;c;aaaa\x07\u202eمی\u200cخواهم\n")
    (row,) = RowReader(table, text=None, sender=None)
    writer = ResultsWriter(stream, table, _AnyGateway(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    writer.take(SendReport(0, row, Outcome.SENT, **fields))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return list(csv.reader(stream.getvalue().splitlines()))


@pytest.mark.parametrize("message_id", [2**63, 1 << 20_000], ids=["64 bits", "many"])
def test_what_a_gateway_may_hand_over_can_be_written(message_id: int) -> None:
    _, row = write(io.StringIO(), message_id=message_id, error=None, reference="=a\ud800")
    assert int(row[4], 0) == message_id
    assert row[6] == '="=a\ufffd"'
    "".join(row).encode()


def test_a_terminal_obeys_nothing_that_stands_in_a_cell() -> None:
    _, row = write(_Terminal(), message_id=1, error=None, reference="\x9b2J")
    assert row[1] == r"\x1b]52;c;aaaa\x07\u202e" + "می\u200cخواهم"
    assert row[6] == r"\x9b2J"
    _, row = write(io.StringIO(), message_id=1, error=None, reference=None)
    assert row[1] == "\x1b]52;c;aaaa\x07\u202eمی\u200cخواهم"
