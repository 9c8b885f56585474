"""A fork of the warm interpreter is as strict as an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.warm import WarmPython, for_examples

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no forks")


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str] = os.environ, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*for_examples(), *arguments], cwd=folder, env=environment, input=stdin, capture_output=True, text=True,
        encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def test_it_runs_as_the_main_module_in_its_folder_and_environment(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'found'")
    code = (
        "import beside, os, sys; print(beside.WORD, os.getcwd(), os.environ['ONE'], __name__, sys.argv, input.__name__)"
    )
    done = run("-c", code, "two", folder=tmp_path, environment={"ONE": "1"})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"found {tmp_path} 1 __main__ ['-c', 'two'] input\n", "")


@pytest.mark.parametrize("how", [["-m", "main"], ["inner/main.py"]])
def test_a_module_or_a_file(how: list[str], tmp_path: Path) -> None:
    code = "import sys; from beside import WORD; print(WORD, __name__, __file__, sys.argv[1:], input())"
    for folder in (tmp_path, tmp_path / "inner"):
        folder.mkdir(exist_ok=True)
        (folder / "beside.py").write_text(f"WORD = {folder.name!r}")
        (folder / "main.py").write_text(code)
    place = tmp_path if "-m" in how else tmp_path / "inner"
    done = run(*how, "one", folder=tmp_path, stdin="سلام")
    file = place / "main.py" if "-m" in how else how[0]
    assert (done.stdout, done.stderr) == (f"{place.name} __main__ {file} ['one'] سلام\n", "")


def test_nothing_is_left_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "beside.py").touch()
    run("-c", "import beside, os, aiohttp; os.environ['ONE'] = aiohttp.left = '1'; left = 1", folder=tmp_path)
    code = (
        "import aiohttp, os, sys; print('ONE' in os.environ, 'beside' in sys.modules, hasattr(aiohttp, 'left'), dir())"
    )
    assert run("-c", code, folder=tmp_path).stdout.startswith("False False False ['__")


@pytest.mark.parametrize(
    ("code", "ended", "complaint"),
    [
        ("print(1", 1, "SyntaxError"),
        ("raise SystemExit(3)", 3, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
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
    done = run("-c", code, folder=tmp_path)
    assert (done.returncode, done.stdout) == (ended, "")
    assert complaint in done.stderr
    assert bool(complaint) == bool(done.stderr)


@pytest.mark.parametrize(
    ("number", "ended", "printed"),
    [(signal.SIGTERM, -15, ""), (signal.SIGKILL, -9, ""), (signal.SIGINT, 0, "interrupted\n")],
)
def test_a_signal_reaches_it(number: int, ended: int, printed: str, tmp_path: Path) -> None:
    code = (
        "import time\n"
        "try: print('ready', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt: print('interrupted')"
    )  # fmt: skip
    with subprocess.Popen([*for_examples(), "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        # At the end of the output, nobody has that pipe any more: neither what stands for the fork nor the fork.
        assert process.stdout.read() == printed
    assert process.returncode == ended


def test_two_at_once_and_the_end_of_all(tmp_path: Path) -> None:
    python = WarmPython([], [])
    with subprocess.Popen([*python.command, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        assert subprocess.run([*python.command, "-c", "print(1)"], capture_output=True, check=True).stdout == b"1\n"
        waiting.communicate(b"\n")
    assert waiting.returncode == 0
    python.close()
