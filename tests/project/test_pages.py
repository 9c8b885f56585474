"""Every example of the pages in docs/ runs as it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.printed import ROOT, control, emulator_as_printed, list_examples, read_page, run, sent

EXAMPLES = [
    pytest.param(code, id=f"{page.stem}: {heading}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    if page.stem != "testing"  # Its application and its tests have a test of their own.
    for heading, code in list_examples(read_page(f"docs/{page.name}")).items()
]


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[None]:
    with emulator_as_printed():
        yield


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_runs_as_printed(code: str, tmp_path: Path, emulator_process: None) -> None:
    control("POST", "reset", {})
    run(code, tmp_path)
    assert sent()
