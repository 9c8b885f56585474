"""What it costs to import a client."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .harness import ROOT, Options, Row, ratio

TITLE = "Importing a client ÷ importing aiohttp"

_CODE = "import time; started = time.process_time(); import {}; print(time.process_time() - started)"


def run(options: Options) -> list[Row]:
    """Measure each client's package, in interpreters of its own."""
    names = ["aiohttp", "payamak.ghasedak", "payamak.smsir", "payamak.opgateway", "payamak.advgateway"]
    times: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as bytecode:
        # Whatever the surroundings say of bytecode: it is there when a program starts for the second time.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        for number in range(options.passes + 1):
            for name in names:
                seconds = _import(name, environment)
                if number:  # The first pass writes the bytecode.
                    times[name].append(seconds)
    return [Row(name, ratio(times[name], times["aiohttp"]), goal=1.07, gate=1.15) for name in names[1:]]


def _import(name: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", _CODE.format(name)]
    done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
    return float(done.stdout)


def find_modules(name: str) -> set[str]:
    """What is imported along with a module."""
    code = f"import sys; import {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT, text=True)
    return set(done.stdout.split())
