"""What it costs to import a client."""

from __future__ import annotations

import subprocess
import sys

from .harness import ROOT, Options, Row, ratio

TITLE = "Importing a client ÷ importing aiohttp"

_CODE = "import time; started = time.process_time(); import {}; print(time.process_time() - started)"


def run(options: Options) -> list[Row]:
    """Measure each client's package, in interpreters of its own."""
    names = ["aiohttp", "payamak.ghasedak", "payamak.smsir", "payamak.opgateway", "payamak.advgateway"]
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(options.passes + 1):
        for name in names:
            seconds = _import(name)
            if number:  # The first pass writes the bytecode.
                times[name].append(seconds)
    return [Row(name, ratio(times[name], times["aiohttp"]), goal=1.07, gate=1.15) for name in names[1:]]


def _import(name: str) -> float:
    done = subprocess.run([sys.executable, "-c", _CODE.format(name)], check=True, capture_output=True, cwd=ROOT)
    return float(done.stdout)
