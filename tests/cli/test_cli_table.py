"""Reading CSV files as people and Excel write them, filling texts, reading times."""

from __future__ import annotations

import datetime
import io
import tracemalloc

import pytest
from payamak.cli.exits import CommandError
from payamak.cli.rows import Row, RowReader
from payamak.cli.table import Table
from payamak.cli.times import parse_time

HEADER = "number,text\n"


def read(content: str | bytes, text: str | None = None, sender: str | None = None) -> list[Row]:
    data = content if isinstance(content, bytes) else content.encode()
    return list(RowReader(Table(io.BufferedReader(io.BytesIO(data))), text=text, sender=sender))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_delimiters_and_line_ends(encoding: str, delimiter: str, end: str) -> None:
    lines = [delimiter.join(cells) for cells in (["شماره", "متن"], ["۰۹۱۲۱۱۱۱۱۱۱", "سلام، دنیا"])]
    (row,) = read(end.join(lines).encode(encoding))
    assert (row.to, row.text, row.number, row.problem) == ("۰۹۱۲۱۱۱۱۱۱۱", "سلام، دنیا", 2, None)


@pytest.mark.parametrize(
    "names",
    [
        "number,text",
        "To,Message",
        "Mobile Number,متن پیام",
        "شماره موبایل,متن",
        "شماره‌موبایل,پیام",
        "recipient,TEXT",
        "شماره,متن",
        "همراه,پيام",
    ],
)
def test_names_of_columns(names: str) -> None:
    (row,) = read(f"{names}\n0912,hi\n")
    assert (row.to, row.text) == ("0912", "hi")


def test_the_name_of_the_delimiter_that_excel_writes() -> None:
    (row,) = read("sep=;\nnumber;text\n0912;a,b\n")
    assert (row.text, row.number) == ("a,b", 2)


def test_a_cell_may_hold_line_ends_quotes_and_delimiters() -> None:
    first, second = read('number,text\n1,"a ""b"", c\nd"\n2,e\n')
    assert first.text == 'a "b", c\nd'
    assert second.number == 3


def test_empty_rows_are_passed_over_and_counted() -> None:
    assert [row.number for row in read("number,text\n\n1,a\n,\n2,b\n")] == [3, 5]


def test_short_rows_and_empty_cells_at_the_end() -> None:
    (short, long) = read("number,text,sender\n1,a\n2,b,3000,,\n")
    assert (short.sender, short.problem) == (None, None)
    assert (long.sender, long.problem) == ("3000", None)


def test_a_cell_too_many_is_a_problem() -> None:
    (row,) = read("number,text\n1,hello, you\n")
    assert row.problem is not None
    assert (row.to, row.text) == ("", "")


def test_all_columns() -> None:
    (row,) = read("to,text,from,send at,check-id\n1,a,3000,2026-11-22 18:30,x-1\n")
    assert (row.sender, row.check_id) == ("3000", "x-1")
    assert row.send_at == datetime.datetime(2026, 11, 22, 15, tzinfo=datetime.UTC)


def test_the_line_for_rows_that_name_none() -> None:
    first, second = read("to,text,from\n1,a,3000\n2,b,\n", sender="1000")
    assert (first.sender, second.sender) == ("3000", "1000")


@pytest.mark.parametrize("number", ["9.12E+09", "9,12E+09", "9.121234567e9"])
def test_a_number_that_excel_has_shortened(number: str) -> None:
    (row,) = read(f"number;text\n{number};a\n")
    assert "Excel" in str(row.problem)


@pytest.mark.parametrize(("cell", "number"), [("9121234567.0", "9121234567"), ("912345678.0", "912345678")])
def test_a_number_that_a_program_took_for_a_fraction(cell: str, number: str) -> None:
    assert read(f"number,text\n{cell},a\n")[0].to == number


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must name the columns"),
        ("09121234567,hi\n", "must name the columns"),
        ("name,text\n", "must name the columns"),
        ("number,mobile,text\n", "the columns 1 and 2 both look like to"),
        (HEADER + '0912,"hi\n0913,ho\n', "no proper CSV after row 1"),
        (HEADER + '0912,a\n0913,"hi"x\n', "no proper CSV after row 2"),
        (HEADER.encode() + "0912,سلام\n".encode("cp1256"), "not UTF-8"),
        (b"PK\x03\x04rest", "Excel workbook"),
        ("number,age\n1,2\n", "no column for the text"),
    ],
)
def test_what_is_no_table(content: str | bytes, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        read(content)
    assert "0912" not in str(caught.value)


def test_a_text_for_all() -> None:
    content = "name,number,debt\nسارا,1,5\nرضا,2,\n"
    first, second = read(content, "سلام {name}، {{{Debt}}} تومان")
    assert first.text == "سلام سارا، {5} تومان"
    assert second.problem == "the column debt is empty"


@pytest.mark.parametrize(
    "text", ["{nobody}", "{name", "name}", "{}", "{name.__class__}", "{name!r}", "{name:>9}", "{name[0]}"]
)
def test_texts_that_cannot_be_filled(text: str) -> None:
    with pytest.raises(CommandError, match="--text"):
        read("name,number\na,1\n", text)


def test_two_texts() -> None:
    with pytest.raises(CommandError, match="leave --text away"):
        read(HEADER, "hi")


def test_what_stands_in_a_cell_is_not_filled_again() -> None:
    (row,) = read("name,number\n{number},1\n", "{name}")
    assert row.text == "{number}"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22 18:30", "2026-11-22T18:30:00+03:30"),
        ("۲۰۲۶-۱۱-۲۲ ۱۸:۳۰", "2026-11-22T18:30:00+03:30"),
        ("2026-11-22T15:00Z", "2026-11-22T15:00:00+00:00"),
        ("2026/11/22 18:30", "2026-11-22T18:30:00+03:30"),
        ("2026/1/2 08:30", "2026-01-02T08:30:00+03:30"),
        ("۲۰۲۶/۱۱/۲۲ ۱۸:۳۰", "2026-11-22T18:30:00+03:30"),
    ],
)
def test_times(text: str, time: str) -> None:
    assert parse_time(text).isoformat() == time


@pytest.mark.parametrize("text", ["1405-09-01 18:30", "2026-11-22", "tomorrow", "18:30", "2026-13-01 18:30"])
def test_what_is_no_time(text: str) -> None:
    (row,) = read(f"number,text,send_at\n1,a,{text}\n")
    assert row.problem is not None
    assert "1405" not in row.problem


@pytest.mark.parametrize(
    "text",
    ["1405-09-01 18:30", "1405/09/01 18:30", "۱۴۰۵/۹/۱ ۱۸:۳۰", "1405.09.01 18:30", "1405/09/01", "1999-12-31 23:59"],
)
def test_a_date_of_another_calendar_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="must be in the Gregorian calendar, from the year 2000 on"):
        parse_time(text)


def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    def peak(rows: int) -> int:
        stream = io.BytesIO(HEADER.encode() + b"09121234567,hello\n" * rows)
        reader = RowReader(Table(io.BufferedReader(stream)), text=None, sender=None)
        tracemalloc.start()
        count = sum(1 for _ in reader)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == rows
        return most

    peak(10)
    assert peak(20_000) < 2 * peak(2_000)


def test_a_row_shows_neither_numbers_nor_texts() -> None:
    (row,) = read("number,text\n09127776655,sentinel\n")
    assert "09127776655" not in repr(row)
    assert "sentinel" not in repr(row)
