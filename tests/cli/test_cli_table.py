"""Reading CSV files as people and Excel write them, filling texts, reading times."""

from __future__ import annotations

import csv
import datetime
import io
import re
import tracemalloc

import pytest
from payamak.cli.exits import CommandError
from payamak.cli.headings import Choice, find_columns
from payamak.cli.rows import Row, RowReader
from payamak.cli.table import Table
from payamak.cli.times import parse_time
from payamak.common import InvalidArgumentError
from payamak.common.numbers import normalize_number

HEADER = "number,text\n"


def open_table(content: str | bytes, **choice: str) -> Table:
    data = content if isinstance(content, bytes) else content.encode()
    return Table(io.BufferedReader(io.BytesIO(data)), Choice(**choice))


def read(content: str | bytes, text: str | None = None, sender: str | None = None, **choice: str) -> list[Row]:
    return list(RowReader(open_table(content, **choice), text=text, sender=sender))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "؛", "،"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends(encoding: str, delimiter: str, end: str) -> None:
    lines = [delimiter.join(cells) for cells in (["شماره", "متن"], ["۰۹۱۲۱۱۱۱۱۱۱", '"سلام، دنیا"'])]
    (row,) = read(end.join(lines).encode(encoding))
    assert (row.to, row.text, row.number, row.problem) == ("09121111111", "سلام، دنیا", 2, None)


@pytest.mark.parametrize("encoding", ["cp1256", "utf-16-le", "iso8859_6"])
def test_an_encoding_that_is_named(encoding: str) -> None:
    (row,) = read("شماره,متن\n09121111111,سلام\n".encode(encoding), encoding=encoding)
    assert (row.to, row.text) == ("09121111111", "سلام")


@pytest.mark.parametrize("encoding", ["utf-9", "base64"])
def test_an_encoding_that_is_none(encoding: str) -> None:
    with pytest.raises(CommandError, match="--encoding names no encoding"):
        read(HEADER, encoding=encoding)


@pytest.mark.parametrize("end", ["\x1a", "\0\0\0", "\r\n\x1a", "\r\n\0\0\0", "\r\n\r\n,,\r\n"])
def test_what_programs_leave_at_the_end_of_a_file(end: str) -> None:
    (row,) = read(f"name,number\r\nSara,09121111111{end}", "hi")
    assert (row.to, row.problem) == ("09121111111", None)


def test_files_that_were_joined() -> None:
    _, second = read(b"\xef\xbb\xbfname,number\nSara,0912\n" + b"\xef\xbb\xbfReza,09122222222\n", "Dear {name}")
    assert (second.to, second.text) == ("09122222222", "Dear Reza")


def test_blanks_before_quotes() -> None:
    (row,) = read('"name", "number", "text"\n"Sara", "09121111111", "a, b"\n')
    assert (row.to, row.text) == ("09121111111", "a, b")


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


@pytest.mark.parametrize(
    "heading",
    [
        "شماره تماس", "تلفن تماس", "شمارۀ موبایل", "شماره‌ی موبایل", "شماره ی تماس", "شمارهٔ همراه", "موبايل",
        "شمارة الموبايل",
        "شماره همراه مشتری", "موبایل مشتری", "شماره\u00a0موبایل", "شمـاره", "تلفن‌همراه", "شماره تلفن ثابت",
        "Mobile Phone", "Phone 1 - Value", "Mobile No.", "mobile_no", "MOBILE#", "Billing Phone", "billing_phone",
        "Contact", "Contact Number", "Phone:", "tel.", "customerPhone", "User Mobile", "Primary Phone", "Ｍｏｂｉｌｅ",
        "* Mobile",
    ],
)  # fmt: skip
def test_headings_of_address_books(heading: str) -> None:
    assert open_table(f"name,{heading}\n").columns == {"to": 1}


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("First Name,Home Phone,Business Phone,Mobile Phone,Business Fax", 3),
        ("Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value", 2),
        ("Name,Phone 1 - Label,Phone 1 - Value", 2),
        ("billing_first_name,billing_phone,shipping_phone", 1),
        ("نام,تلفن,موبایل", 2),
        ("Contact,Phone", 1),
        ("mobile,parent mobile", 0),
        ("شماره فرستنده,شماره تماس", 1),
        ("fax phone,phone of the shop", 1),
        ("Work Phone Type,Work Phone", 1),
        ("Mobile Label,Mobile of the owner", 1),
        ("تلفن و فکس,تلفن دفتر", 1),
    ],
)
def test_the_surest_of_several_columns(header: str, place: int) -> None:
    assert open_table(header).columns["to"] == place


@pytest.mark.parametrize(
    ("header", "places"),
    [("number,mobile", "1 and 2"), ("Home Phone,Work Phone", "1 and 2"), ("نام,موبایل پدر,موبایل مادر", "2 and 3")],
)
def test_two_columns_that_are_as_sure_are_an_error(header: str, places: str) -> None:
    with pytest.raises(CommandError, match=f"the columns {places} both look like to: rename one, or give --number-col"):
        open_table(header)


def test_columns_that_are_named() -> None:
    content = "متن,پیامک,شماره,شماره پدر\nx,hi,09121111111,09122222222\n"
    (row,) = RowReader(open_table(content, number="شماره‌ی پدر", text="پیامک"), text=None, sender=None)
    assert (row.to, row.text) == ("09122222222", "hi")


def test_a_column_that_is_named_is_nothing_else() -> None:
    table = open_table("line,name\n", number="Line")
    assert table.columns == {"to": 0}


@pytest.mark.parametrize(
    ("header", "choice", "message"),
    [
        ("name,phone", {"number": "cell"}, "--number-column names a column that is not there; it has: name, phone"),
        ("name,phone", {"text": "note"}, "--text-column names a column that is not there; it has: name, phone"),
        ("phone,Phone", {"number": "phone"}, "two columns are called as --number-column says"),
    ],
)
def test_columns_that_cannot_be_named(header: str, choice: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        open_table(header + "\n", **choice)


@pytest.mark.parametrize(
    "above", ["\n", ",\n", "گزارش مشتریان آذر ۱۴۰۵,\n\n", "گزارش فروش، ۱۴۰۵-۰۹-۰۱\n", '"Customers\nof 2026",,\n,,\n']
)
def test_a_title_or_nothing_above_the_headings(above: str) -> None:
    (row,) = read(f"{above}name;number\nSara;09121111111\n", "Dear {name}")
    assert (row.to, row.text) == ("09121111111", "Dear Sara")
    assert row.number == len(read_lines(above)) + 2


def read_lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("row", ["09121111111", "09121111111,", "Sara,09121111111", "۰۹۱۲ ۱۱۱ ۱۱۱۱"])
def test_no_row_with_a_number_is_passed_over_for_headings_below_it(row: str) -> None:
    with pytest.raises(CommandError, match="the first row holds a number"):
        open_table(f"{row}\nname,number\nReza,09122222222\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\ufeff", "the file is empty"),
        ("\n,\n", "the file is empty"),
        ("name,city\nSara,Qom\n", "it has: name, city"),
        ("members\n09121111111\n", "it has: members"),
        ("09121111111,Sara\n", "the first row holds a number"),
        ("09121111111\n09122222222\n", "the first row holds a number"),
        ("Sara,0912 111 1111\n", "the first row holds a number"),
        (",".join(f"column {place}" for place in range(99)), "column 9, .*…$"),
    ],
)
def test_a_header_that_cannot_be_used_is_shown_unless_it_is_data(content: str, message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        open_table(content)
    assert not re.search(r"\d{4}", str(caught.value))


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


@pytest.mark.parametrize(
    "number",
    [
        "9.12E+09", "9,12E+09", "9/12E+09", "9E+09", "9.12e9", "9.12123E+09", "9.89121E+11", "۹٫۱۲۱۲۳E+۰۹",
        "٩٫١٢١٢٣E+٠٩",
        "９．１２１２３Ｅ＋０９", "\u200e9.12123E+09\u200e", "۹٫۱۲۱۲۳×۱۰^۹", "۹٫۱۲۱۲۳ أس ۹", "9.12123456E+09",
        "9.1212345678E+09", "+9.12E+09",
    ],
)  # fmt: skip
def test_a_number_that_excel_has_shortened(number: str) -> None:
    (row,) = read(f"number;text;sender\n{number};a;3000\n")
    assert "Excel has shortened the number" in str(row.problem)
    (row,) = read(f"number;text;sender\n09121111111;a;{number}\n")
    assert "Excel has shortened the number" in str(row.problem)


@pytest.mark.parametrize(
    "cell",
    [
        "9121234567.0", "9121234567.00", "۹۱۲۱۲۳۴۵۶۷٫۰", "9.121234567E9", "9.121234567E+09", "9,121234567e+9",
        "۹٫۱۲۱۲۳۴۵۶۷E+۰۹", "+9.89121234567E+11",
        "9.1212345670E+09", "9.89121234567E+11", "912.1234567E7", "9,121,234,567", "۹٬۱۲۱٬۲۳۴٬۵۶۷", "'09121234567",
        "\t09121234567", "\x1f09121234567", "=\"09121234567\"", "=\"+98 912 123 4567\"", "=\"9121234567.0\"",
    ],
)  # fmt: skip
def test_what_programs_make_of_a_number(cell: str) -> None:
    assert read(f'number;text\n"{cell.replace(chr(34), chr(34) * 2)}";a\n')[0].to == "09121234567"


def test_a_cell_that_is_a_formula_to_keep_its_zeros() -> None:
    content = 'name,number,sender,text\n"=""Sara ""","=""09121111111""","=""3000505""","=""a """"b"""" c"""\n'
    (row,) = read(content)
    assert (row.to, row.sender, row.text) == ("09121111111", "3000505", 'a "b" c')
    assert row.cells[1] == '="09121111111"'
    (row,) = read(content.replace("text", "code"), "Dear {name}")
    assert row.text == "Dear Sara"


@pytest.mark.parametrize("cell", ["", "-", "—", "nan", "NaN", "NULL", "None", "N/A", "ندارد"])
def test_a_cell_without_a_number(cell: str) -> None:
    assert read(f"number,text\n{cell},a\n")[0].problem == "there is no number in the row"


@pytest.mark.parametrize("cell", ["#N/A", "#VALUE!", "#REF!", "##########"])
def test_a_cell_with_an_error_of_the_spreadsheet(cell: str) -> None:
    assert "an error of the spreadsheet" in str(read(f"number,text\n{cell},a\n")[0].problem)


@pytest.mark.parametrize(
    "cell",
    [
        "09121234567/09351234567",
        "09121234567-09351234567",
        '"09121234567\n09351234567"',
        "09121234567 09351234567",
        "0912,1",
    ],
)
def test_two_numbers_in_a_cell_are_none(cell: str) -> None:
    (row,) = read(f"number;text\n{cell};a\n")
    with pytest.raises(InvalidArgumentError):
        normalize_number(row.to)


@pytest.mark.parametrize("cell", ["9121111111", "۰۹۱۲۱۱۱۱۱۱۱", "+98 912 111 1111", "9121111111.0"])
def test_a_row_stays_the_same_message_whatever_excel_makes_of_its_number(cell: str) -> None:
    """The journal compares what it knows with what the file holds when it is sent again."""
    assert read(f"number,text\n{cell},a\n")[0].to == "09121111111"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must name the columns"),
        ("09121234567,hi\n", "must name the columns"),
        ("name,text\n", "must name the columns"),
        ("number,mobile,text\n", "the columns 1 and 2 both look like to"),
        (HEADER + '0912,"hi\n0913,ho\n', "no proper CSV after row 1"),
        ('"number,text\n0912,"hi"\n', "no proper CSV after row 0"),
        (HEADER + '0912,a\n0913,"hi"x\n', "no proper CSV after row 2"),
        (HEADER.encode() + "0912,سلام\n".encode("cp1256"), "not UTF-8, in row 1 or below: .*--encoding .*cp1256"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "workbook of the old kind"),
        ("\ufeff\n<html><table><tr><td>شماره</td></tr></table>", "a web page"),
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


@pytest.mark.parametrize(
    "header",
    ["نام,تلفن,موبایل معرف", "name,phone,mobile verified by", "شماره تماس,شماره همراه پدر", "mobile_verified,phone"],
)
def test_two_columns_that_may_be_meant_are_asked_about(header: str) -> None:
    with pytest.raises(CommandError, match="give --number-column"):
        find_columns(header.split(","), Choice())
    names = header.split(",")
    assert find_columns(names, Choice(number=names[-1]))["to"] == len(names) - 1
