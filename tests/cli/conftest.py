"""One emulator for the tests of a file, fresh for each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from payamak.cli.app import run
from support.command import Command, Done
from support.printed import control, emulator_as_printed


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[None]:
    with emulator_as_printed():
        yield


@pytest.fixture
def payamak(emulator_process: None, tmp_path: Path) -> Command:
    control("POST", "reset", {})
    control("POST", "switches", {"smsir": {"numbers_must_be_contacts": False}})
    return Command(tmp_path)


@pytest.fixture
def call(
    payamak: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Done]]:
    """The command in this process: much faster, and what it leaves open is found."""
    for name, value in payamak.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(payamak.folder)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["payamak", *arguments])
        code = run()
        output, errors = capsys.readouterr()
        return Done(code, output, errors)

    yield call
    log = logging.getLogger("payamak")
    log.handlers.clear()
    log.setLevel(logging.NOTSET)
