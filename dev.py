"""Run a nox session on a machine that has Python and nothing else: ``python3 dev.py quickstart``.

It makes a virtual environment in ``.nox/dev``, installs nox there and hands its arguments on as names of sessions.
``python3 dev.py`` lists them.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)


def main(sessions: list[str]) -> int:
    """Run the sessions and return nox's exit code."""
    if sys.version_info < OLDEST:
        print(f"payamak needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}")
        return 2
    environment = ROOT / ".nox" / "dev"
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not _runs(python, "import pip"):
        try:
            venv.create(environment, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            print("This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")
            return 2
    if not _runs(python, "import nox"):
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nox>=2025.2.9"]
        if code := subprocess.run(install, check=False).returncode:
            return code
    arguments = ["--session", *sessions] if sessions else ["--list"]
    return subprocess.run([python, "-m", "nox", *arguments], cwd=ROOT, check=False).returncode


def _runs(python: Path, code: str) -> bool:
    return python.exists() and not subprocess.run([python, "-c", code], capture_output=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
