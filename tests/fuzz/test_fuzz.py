"""The fuzzer itself, what it begins with, and what it has found."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import pytest

from fuzz.engine import run_hypothesis
from fuzz.rounds import NAMES, run_target
from fuzz.targets import TARGETS, BrokenError, Prepared

_HUGE = b"6" * 40
FOUND: dict[str, tuple[bytes, ...]] = {
    "answers-ghasedak": (
        b'\x0f\x00{"result": {"code": 200, "message": "success"}, "items": [' + _HUGE + b"]}",
        b'\x05\x00{"result": {"code": 200, "message": "success"}, "items": [{"messageid": ' + _HUGE + b"}]}",
    ),
    "answers-opgateway": (b"\x04\x00[0," + _HUGE + b"]",),
    "table": (b"sep=\r", b'sep="\n', b"sep=\n\n", b"sep=\t\nto\ttext\n"),
    "answers-rest": (b"\x03\x00" + _HUGE,),
}


def test_every_target_has_a_name() -> None:
    assert list(TARGETS) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found(name: str) -> None:
    with TARGETS[name]() as target:
        assert target.seeds
        for data in (*target.seeds, *FOUND.get(name, ()), b"\0"):
            target.run(data)


@pytest.mark.parametrize("whole", [b"CREATE TABLE messages", b"text TEXT NOT NULL", b"09121111111", b"in flight"])
def test_what_was_found_in_a_journal(whole: bytes) -> None:
    """No UTF-8 in it: SQLite quotes its own statements in what it says."""
    with TARGETS["journal"]() as target:
        (seed,) = target.seeds
        target.run(seed.replace(whole, whole[:-1] + b"\x80"))


def test_a_round_says_what_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the engine that runs everywhere; the other one says it by its own means."""

    @contextlib.contextmanager
    def fragile() -> Generator[Prepared]:
        def run(data: bytes) -> None:
            if data.startswith(b"seed") and data != b"seed":
                raise BrokenError(repr(data))

        yield Prepared(run, (b"seed",))

    monkeypatch.setitem(TARGETS, "fragile", fragile)
    with pytest.raises(BrokenError):
        run_hypothesis("fragile", 5)


def test_a_round_that_cannot_begin_is_none_that_found_nothing() -> None:
    assert "KeyError" in run_target("no such target", 1).failure
