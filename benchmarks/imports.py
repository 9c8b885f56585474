"""What it costs to import a client."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator, Mapping

from .harness import Options, Row, ratio, run_command

TITLE = "Importing a client ÷ importing aiohttp"
PACKAGES = ("payamak.ghasedak", "payamak.smsir", "payamak.opgateway", "payamak.advgateway")

_CODE = "import time; started = time.process_time(); import {}; print(time.process_time() - started)"


def run(options: Options) -> list[Row]:
    """Measure each client's package, in interpreters of its own."""
    times: dict[str, list[float]] = {name: [] for name in ("aiohttp", *PACKAGES)}
    with environment_with_bytecode() as environment:
        for number in range(options.passes + 1):
            for name, found in times.items():
                seconds = float(_run_python(_CODE.format(name), environment))
                if number:  # The first pass writes the bytecode.
                    found.append(seconds)
    return [make_row(name, ratio(times[name], times["aiohttp"])) for name in PACKAGES]


def make_row(package: str, value: float, detail: str = "") -> Row:
    """A row with the gate of an import."""
    return Row(f"importing {package}", value, gate=1.24, detail=detail)


@contextlib.contextmanager
def environment_with_bytecode() -> Generator[Mapping[str, str], None, None]:
    """The environment of interpreters that find the bytecode from their second start on, whatever surrounds them."""
    with tempfile.TemporaryDirectory() as folder:
        yield {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}


def find_modules(name: str) -> set[str]:
    """What is imported along with a module."""
    return set(_run_python(f"import sys; import {name}; print(*sys.modules)", os.environ).split())


def _run_python(code: str, environment: Mapping[str, str]) -> str:
    return run_command([sys.executable, "-c", code], environment).stdout
