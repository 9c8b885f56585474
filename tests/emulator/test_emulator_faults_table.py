"""The table of the kinds of faults, and what must agree with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import attrs
import pytest
from payamak.emulator import Fault
from payamak.emulator.faults import KINDS, REQUIRED

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "emulator.md").read_text(encoding="utf-8")
# "`status` (502)"
DEFAULT = re.compile(r"`(\w+)` \((\S+)\)")


def test_the_arguments_of_all_kinds_are_those_of_a_fault() -> None:
    own = {name for kind in KINDS.values() for name in kind.arguments}
    assert own | {"kind", "times", "probability", "gateway", "path"} == set(attrs.fields_dict(Fault))


@pytest.mark.parametrize("name", KINDS)
def test_a_meaning_names_all_arguments_and_their_defaults(name: str) -> None:
    kind = KINDS[name]
    assert set(re.findall(r"`(\w+)`", kind.meaning)) == set(kind.arguments)
    for argument, default in DEFAULT.findall(kind.meaning):
        value = kind.arguments[argument]
        assert value is not REQUIRED
        assert default == (value if isinstance(value, str) else json.dumps(value))


def test_the_reference_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.partition("## Kinds of faults")[2], re.MULTILINE)
    assert rows == [(name, kind.meaning) for name, kind in KINDS.items()]
