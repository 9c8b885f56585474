"""Run the benchmarks: ``python -m benchmarks [--passes N] [--quick] [--check] [GROUP …]``."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from .harness import CLIENT_CORE, Options, Row, print_table, stay_on_core

# Each is a module here with a TITLE and a function run(options) -> list[Row].
GROUPS = ("calls", "counters", "sends", "many", "vendor", "decoding", "imports", "loops", "instructions")
ONLY_BY_NAME = "instructions"  # It takes minutes.


def main() -> int:
    """Print the tables; return 1 if a gate was missed and that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"which to run: {', '.join(GROUPS)} ({ONLY_BY_NAME} only by name)"
    )
    parser.add_argument("--passes", type=int, default=30, help="how often each variant has its turn (default: 30)")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long and is only reported")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a gate is missed")
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}")
    stay_on_core(CLIENT_CORE)
    sys.stdout.write(f"{_describe_machine()}\n")
    missed: list[Row] = []
    groups = arguments.groups or [name for name in GROUPS if name != ONLY_BY_NAME]
    for name in groups:
        group = importlib.import_module(f"benchmarks.{name}")
        if rows := group.run(Options(arguments.passes, arguments.quick)):
            print_table(group.TITLE, rows)
        missed += [row for row in rows if not row.passed]
    for row in missed:
        sys.stdout.write(f"\nMissed its gate: {row.what} ({row.value:.2f})\n")
    return 1 if missed and arguments.check else 0


def _describe_machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpus = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    except OSError:
        cpus = [platform.processor()]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "yarl", "attrs", "cattrs"))
    return f"{len(cpus)} × {cpus[0]}, {platform.system()}, Python {platform.python_version()}, {libraries}"


if __name__ == "__main__":
    sys.exit(main())
