"""What `order_fault` takes is what a `Fault` takes, and docs/testing.md tells of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest
from payamak.emulator import Fault
from payamak.emulator.faults import KINDS, REQUIRED
from payamak.testing import FaultArguments

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
OWN = {name for kind in KINDS.values() for name in kind.arguments}
ROWS = re.findall(r"^\| `.*", PAGE.partition("## When the gateway says no")[2], re.MULTILINE)
NAMES = re.compile(r"`(\w+)`")


def _without_none(annotation: Any) -> set[Any]:
    return set(get_args(annotation)) - {type(None)}


def test_the_names_and_types_are_those_of_a_fault() -> None:
    given = get_type_hints(FaultArguments)
    taken = {name: hint for name, hint in get_type_hints(Fault).items() if name in attrs.fields_dict(Fault)}
    assert given.keys() == taken.keys() - {"kind"}
    for name, hint in given.items():
        # None stands for "not given" in a kind's own arguments, which nobody gives.
        assert hint == taken[name] or (name in OWN and {hint} == _without_none(taken[name])), name


@pytest.mark.parametrize("row", ROWS)
def test_the_page_tells_of_the_arguments(row: str) -> None:
    kinds, _, arguments = (NAMES.findall(part) for part in row.split("|")[1].partition(" with "))
    needed = {name for kind in kinds for name, default in KINDS[kind].arguments.items() if default is REQUIRED}
    there = {name for kind in kinds for name in KINDS[kind].arguments}
    assert needed <= set(arguments) <= there
    # What the row gives is the other value than the usual one.
    told = {name: value == "False" for name, value in re.findall(r"`(\w+)=(True|False)`", row)}
    for kind in kinds:
        assert told == {name: default for name, default in KINDS[kind].arguments.items() if name == "processed"}
