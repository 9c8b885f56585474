"""What docs/testing.md prints is what works."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from payamak.emulator.faults import KINDS
from payamak.testing import plugin
from support.nested import run_pytest

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
APP, TESTS, CONFTEST = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
INI = "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function"


MISTAKES = {
    "test_login_sends_the_right_code": ('"login", [codes[body.number]]', '"login", ["000000"]'),
    "test_lost_answer": ("is Outcome.UNKNOWN", "is Outcome.NOT_SENT"),
    "test_key_that_has_expired": ("HTTPException(502", "HTTPException(500"),
}


def test_the_example_passes_as_it_is_printed_and_finds_mistakes(pytester: pytest.Pytester) -> None:
    """In one run, because to start it takes longer than all its tests."""
    pytester.makepyfile(app=APP, test_app=TESTS)
    for failing, (right, wrong) in MISTAKES.items():
        assert APP.count(right) == TESTS.count("from app import") == 1
        tests = TESTS.replace("from app import", f"from app_of_{failing} import")
        pytester.makepyfile(**{f"app_of_{failing}": APP.replace(right, wrong), f"test_app_of_{failing}": tests})
    pytester.makeini(INI)
    result = run_pytest(pytester, "-rfp")
    ended = re.findall(r"^(PASSED|FAILED) test_app(?:_of_(\w+))?\.py::(\w+)", result.stdout.str(), re.MULTILINE)
    assert [(how, test) for how, mistake, test in ended if not mistake] == [
        ("PASSED", test) for test in re.findall(r"^def (test_\w+)", TESTS, re.MULTILINE)
    ]
    assert {("FAILED", mistake, mistake) for mistake in MISTAKES} <= set(ended)


def test_the_settings_of_a_whole_run_are_made_as_printed(pytester: pytest.Pytester) -> None:
    tests = TESTS.replace("monkeypatch.setenv", "(lambda *_: None)")
    assert tests.count("lambda") == 2
    pytester.makepyfile(app=APP, test_app=tests, conftest=CONFTEST)
    pytester.makeini(INI)
    run_pytest(pytester).assert_outcomes(passed=4)


def test_the_page_tells_of_every_fixture() -> None:
    section = PAGE.partition("## The fixtures")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE) for name in re.findall(r"\w+", row)}
    there = set(re.findall(r"^@pytest\.fixture.*\ndef ([a-z]\w+)", inspect.getsource(plugin), re.MULTILINE))
    assert there
    assert told == there


def test_the_page_tells_of_every_fault() -> None:
    section = PAGE.partition("## When the gateway says no")[2]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    told = re.findall(r"`(\w+)`", " ".join(row.split(" with ")[0] if "`, `" not in row else row for row in rows))
    assert set(KINDS) <= set(told)
    assert set(told) - set(KINDS) <= {"seconds", "status", "headers", "body", "location", "code", "message", "each"}
