"""Runs all targets, each in a process of its own, and says what they found."""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

_GATEWAYS = ("ghasedak", "smsir", "opgateway", "soap", "rest")
NAMES = (*(f"{kind}-{label}" for kind in ("answers", "many") for label in _GATEWAYS), "table", "journal", "emulator")
_COUNT = re.compile(r"stat::number_of_executed_units: (\d+)")
_TAIL = 6000
_TESTS = str(Path(__file__).parents[1])


@attrs.frozen
class Round:
    """What became of a target.

    Attributes:
        name: The target's.
        inputs: How many it has got.
        failure: What broke it; empty if nothing did.
    """

    name: str
    inputs: int
    failure: str


def run_target(name: str, seconds: float) -> Round:
    """Fuzz one target in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:  # What breaks a target is also left as a file.
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.engine", name, str(int(seconds))],
            cwd=folder, env={**os.environ, "PYTHONPATH": _TESTS},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
    count = _COUNT.search(done.stdout)
    return Round(name, int(count[1]) if count else 0, done.stdout[-_TAIL:] if done.returncode else "")


def main(arguments: list[str]) -> int:
    """Return 0 if nothing broke anything, else 1."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Give anything at all to what reads what others wrote.")
    parser.add_argument("names", nargs="*", help=f"by default all: {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=float, default=180, help="for each; by default three minutes")
    parser.add_argument(
        "--beside", type=int, default=os.cpu_count() or 1, help="how many at once; by default the cores"
    )
    options = parser.parse_args(arguments)
    names: Sequence[str] = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    with concurrent.futures.ThreadPoolExecutor(options.beside) as pool:
        rounds = list(pool.map(run_target, names, itertools.repeat(options.seconds)))
    for one in rounds:
        print(f"{one.name}: {one.inputs} inputs, {'BROKEN' if one.failure else 'nothing broke it'}")
    for one in rounds:
        if one.failure:
            print(f"\n--- {one.name}\n{one.failure}")
    return 1 if any(one.failure for one in rounds) else 0
