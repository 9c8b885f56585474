"""Reading Excel workbooks, whole, broken and malicious ones."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.cli.exits import CommandError
from payamak.cli.headings import Choice
from payamak.cli.rows import Row, RowReader
from payamak.cli.table import Table
from support.command import Command

SHEET = "xl/worksheets/sheet1.xml"


def make(*rows: list[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    for row in rows:
        workbook.active.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def read(data: bytes, text: str | None = None) -> list[Row]:
    table = Table(io.BufferedReader(io.BytesIO(data)), Choice())
    return list(RowReader(table, text=text, sender=None))


def change(data: bytes, name: str, pattern: str, replacement: str) -> bytes:
    """A workbook with another text in one of its files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == name:
                changed = re.sub(pattern, lambda match: match.expand(replacement), content.decode())
                assert changed != content.decode()
                content = changed.encode()
            new.writestr(entry, content)
    return stream.getvalue()


GOOD = make(["نام", "شماره"], ["سارا", 9121111111], ["رضا", "09122222222"])


def test_a_date_without_a_time_is_no_time_to_send_at() -> None:
    """In a CSV file it is none either; at midnight nobody wants it."""
    date, time = datetime.date(2030, 1, 5), datetime.datetime(2030, 1, 5, 8)
    rows = read(make(["number", "text", "send_at"], ["09121111111", date, date], ["09121111111", "a", time]))
    assert rows[0].problem == "a time must be written like 2026-11-22 18:30"
    assert (rows[1].problem, rows[1].send_at is not None) == (None, True)
    assert read(make(["number", "text"], ["09121111111", date]))[0].text == "2030-01-05"


def test_a_workbook_is_a_table() -> None:
    rows = read(GOOD, "سلام {نام}")
    assert [(row.to, row.text, row.number) for row in rows] == [
        ("09121111111", "سلام سارا", 2),
        ("09122222222", "سلام رضا", 3),
    ]


def test_what_a_cell_can_hold() -> None:
    (row,) = read(
        make(
            ["number", "text", "send_at", "sender", "check_id", "debt"],
            [989121111111.0, "hi", datetime.datetime(2026, 11, 22, 18, 30), 3000505, None, 0.5],
        )
    )
    assert (row.to, row.text, row.sender, row.check_id, row.problem) == ("09121111111", "hi", "3000505", None, None)
    assert row.send_at == datetime.datetime(2026, 11, 22, 15, tzinfo=datetime.UTC)
    assert row.cells == ["989121111111", "hi", "2026-11-22 18:30:00", "3000505", "", "0.5"]


def test_a_number_that_is_written_as_a_fraction() -> None:
    (first, _) = read(change(GOOD, SHEET, "<v>9121111111</v>", "<v>9.121111111E9</v>"), "Dear {شماره}")
    assert (first.to, first.text) == ("09121111111", "Dear 9121111111")


def test_a_title_and_empty_rows_above_the_headings() -> None:
    (row,) = read(make(["گزارش مشتریان"], [], ["name", "number"], [], ["Sara", 9121111111]), "hi")
    assert (row.to, row.number) == ("09121111111", 5)


def test_rows_count_that_the_workbook_does_not_tell_of() -> None:
    data = change(GOOD, SHEET, r'<dimension ref="[^"]*"', '<dimension ref="A1:B2"')
    assert len(read(data, "hi")) == 2


def test_only_the_first_sheet_is_read() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(GOOD))
    workbook.create_sheet("old").append(["name", "number"])
    stream = io.BytesIO()
    workbook.save(stream)
    assert len(read(stream.getvalue(), "hi")) == 2


def make_bomb(name: str, megabytes: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, True, 1) as new:
        for entry in old.namelist():
            with new.open(entry, "w", force_zip64=True) as target:
                target.write(old.read(entry))
                for _ in range(megabytes if entry == name else 0):
                    target.write(b" " * 2**20)
    return stream.getvalue()


def write_entities() -> str:
    levels = [f'<!ENTITY a{level} "{f"&a{level - 1};" * 50}">' for level in range(1, 7)]
    return f'<!DOCTYPE a [<!ENTITY a0 "{"a" * 50}">{"".join(levels)}]>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD[: len(GOOD) // 2], "no Excel workbook"),
        (GOOD[:-10], "no Excel workbook"),
        (change(GOOD, SHEET, "</sheetData>", ""), "no Excel workbook"),
        (change(GOOD, SHEET, 't="inlineStr"><is><t>سارا</t></is>', 't="s"><v>9</v>'), "no Excel workbook"),
        (change(GOOD, SHEET, 'r="B2"', 'r="ZZZZZ2"'), "no Excel workbook"),
        (change(GOOD, SHEET, '<row r="3"', '<row r="999999999999"'), "more rows than Excel"),
        (change(change(GOOD, SHEET, "^", write_entities()), SHEET, ">سارا<", ">&a6;<"), "no Excel workbook"),
        (b"PK\x03\x04" + bytes(range(256)), "no Excel workbook"),
    ],
    ids=["half", "cut", "xml", "string", "column", "row", "entities", "noise"],
)
def test_what_is_broken_or_a_bomb_is_an_error_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        read(data, "hi")


@pytest.mark.parametrize(("name", "megabytes"), [(SHEET, 300), ("xl/styles.xml", 150)])
def test_a_bomb_is_not_unpacked(name: str, megabytes: int) -> None:
    data = make_bomb(name, megabytes)
    assert len(data) < 5 * 2**20
    tracemalloc.start()
    with pytest.raises(CommandError, match="too large"):
        read(data, "hi")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * 2**20


@given(st.lists(st.tuples(st.integers(4, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_no_damage_raises_anything_else(damages: list[tuple[int, int]]) -> None:
    damaged = bytearray(GOOD)
    for place, value in damages:
        damaged[place] = value
    with contextlib.suppress(CommandError):
        read(bytes(damaged), "hi")


def test_other_archives_are_no_workbooks() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("customers.csv", "number\n09121111111\n")
    with pytest.raises(CommandError, match="no Excel workbook"):
        read(stream.getvalue(), "hi")


def test_a_workbook_through_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    os.write(writing, GOOD)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream, pytest.raises(CommandError, match="through a pipe"):
        Table(stream, Choice())


def test_without_openpyxl_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(CommandError, match=r"save it as CSV UTF-8, or.*\[excel\]"):
        read(GOOD, "hi")


def test_the_command_sends_what_a_workbook_holds(payamak: Command, tmp_path: Path) -> None:
    payamak.write("customers.xlsx", GOOD)
    done = payamak.emulated("send-many", "customers.xlsx", "--text", "سلام {نام}")
    assert (done.returncode, done.stderr) == (0, "")
    results = payamak.results("customers.xlsx.emulator.results.csv")
    assert [(row["نام"], row["شماره"], row["outcome"]) for row in results] == [
        ("سارا", "9121111111", "sent"),
        ("رضا", "09122222222", "sent"),
    ]
