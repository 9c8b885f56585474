"""A fork of the warm interpreter is as strict as an interpreter of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.warm import WarmPython, for_examples


def test_it_runs_as_the_main_module_in_its_folder_and_environment(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'found'")
    code = (
        "import beside, os, sys; print(beside.WORD, os.getcwd(), os.environ['ONE'], __name__, sys.argv, input.__name__)"
    )
    done = for_examples().run(code, tmp_path, {"ONE": "1"})
    assert (done.code, done.output, done.errors) == (0, f"found {tmp_path} 1 __main__ ['-c'] input\n", "")


def test_nothing_is_left_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "beside.py").touch()
    for_examples().run("import beside, os, aiohttp; os.environ['ONE'] = aiohttp.left = '1'; left = 1", tmp_path, {})
    code = (
        "import aiohttp, os, sys; print('ONE' in os.environ, 'beside' in sys.modules, hasattr(aiohttp, 'left'), dir())"
    )
    assert for_examples().run(code, tmp_path, {}).output.startswith("False False False ['__")


@pytest.mark.parametrize(
    ("code", "ended", "complaint"),
    [
        ("print(1", 1, "SyntaxError"),
        ("raise SystemExit(3)", 3, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import warnings; warnings.warn('old', DeprecationWarning)", 1, "DeprecationWarning: old"),
        ("file = open('/dev/null')", 0, "ResourceWarning: unclosed file"),
        ("import socket\nleft = socket.socket()", 0, "ResourceWarning: unclosed <socket"),
        (
            "import aiohttp, asyncio\nasync def main(): aiohttp.ClientSession()\nasyncio.run(main())",
            0,
            "Unclosed client session",
        ),
        ("import asyncio\nasync def main(): main()\nasyncio.run(main())", 0, "was never awaited"),
        ("import asyncio, time\nasync def main(): time.sleep(0.2)\nasyncio.run(main())", 0, ""),
    ],
)
def test_how_it_ends_and_what_it_complains_of(code: str, ended: int, complaint: str, tmp_path: Path) -> None:
    done = for_examples().run(code, tmp_path, os.environ)
    assert (done.code, done.output) == (ended, "")
    assert complaint in done.errors
    assert bool(complaint) == bool(done.errors)


def test_what_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.warm.PATIENCE", 0.1)
    before = time.monotonic()
    assert for_examples().run("import time; time.sleep(60)", tmp_path, {}).code == -9
    assert time.monotonic() - before < 30


def test_a_failure_beside_it_ends_it(tmp_path: Path) -> None:
    python = WarmPython([], [])
    with pytest.raises(KeyError), python.start("import time; time.sleep(60)", tmp_path, {}):
        raise KeyError
    assert python.run("print(1)", tmp_path, {}).output == "1\n"
    python.close()
