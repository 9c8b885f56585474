"""Every example of the README runs as it is printed."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.printed import ROOT, control, emulator_as_printed, list_examples, read_page, run, sent

README = read_page("README.md")
EXAMPLES = list_examples(README)


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[None]:
    with emulator_as_printed():
        yield


@pytest.fixture(autouse=True)
def fresh_emulator(emulator_process: None) -> None:
    control("POST", "reset", {})


def test_the_readme_has_the_examples_that_this_test_knows() -> None:
    assert set(EXAMPLES) == {
        "The first message", "sms.ir", "The op-driven gateway", "The advanced gateway", "Thousands",
        "When things go wrong",
    }  # fmt: skip


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.splitlines()) <= 200


def test_the_persian_readme_has_the_same_examples() -> None:
    blocks, persian = [
        re.findall(r"^```(?:python|console)\n.*?^```$", read_page(name), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.fa.md")
    ]
    assert persian == blocks


@pytest.mark.parametrize("name", ["README.md", "README.fa.md", "CONTRIBUTING.md", "SECURITY.md", "THREAT_MODEL.md"])
def test_the_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", read_page(name))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_persian_readme_links_to_the_same_pages() -> None:
    pages, persian = [
        re.findall(r"\]\(([^)]+)\)", read_page(name).replace("README.fa.md", "README.md"))
        for name in ("README.md", "README.fa.md")
    ]
    assert persian == pages


def test_the_first_message() -> None:
    printed = run(EXAMPLES["The first message"])
    (message,) = sent()
    assert printed.strip() == str(message["id"])
    assert message["recipient"] == "09121234567"
    assert message["text"] == "سلام! سفارش شما ارسال شد."


@pytest.mark.parametrize("name", ["sms.ir", "The op-driven gateway", "The advanced gateway"])
def test_the_other_gateways(name: str) -> None:
    printed = run(EXAMPLES[name]).strip()
    assert printed not in ("", "None")
    assert "9121234567" in sent()[-1]["recipient"]


def test_thousands(tmp_path: Path) -> None:
    control("POST", "faults", {"kind": "drop_after_read"})
    assert run(EXAMPLES["Thousands"], tmp_path) == ""
    assert len({message["recipient"] for message in sent()}) == len(sent()) == 1000
    with contextlib.closing(sqlite3.connect(tmp_path / "bills-2026-11.db")) as journal:
        assert journal.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall() == [("sent", 1000)]
    run(EXAMPLES["Thousands"], tmp_path)
    assert len(sent()) == 1000


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, []),
        ({"kind": "drop_after_read"}, [r"\(outcome: unknown, .*\) sent [0-9]+"]),
        ({"kind": "status", "status": 401}, [r"\(outcome: refused, .*\) refused None"]),
    ],
)
def test_when_things_go_wrong(fault: dict[str, Any] | None, expected: list[str]) -> None:
    if fault:
        control("POST", "faults", fault)
    lines = run(EXAMPLES["When things go wrong"]).splitlines()
    assert len(lines) == len(expected)
    assert all(re.search(words, line) for words, line in zip(expected, lines, strict=True)), lines
