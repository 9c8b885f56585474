"""Machine instructions for a send, which hardly depend on what else the machine does. It needs valgrind."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys

from .clients import open_clients
from .harness import ROOT, Options, Row, running_server, send_times
from .sends import make_row

TITLE = "Machine instructions for a send ÷ those of the naive one, in user mode"
IN_FLIGHT = 50
_VARIANTS = ("ours", "naive")
_FEW, _MANY = 100, 300
"""Sends in the short and in the long run: what starting and the first calls take is not in the difference."""


def run(_options: Options) -> list[Row]:
    """Count for all clients."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed, which counts the instructions")
    with running_server() as server:
        found = {
            name: {variant: _count(server, name, variant) for variant in _VARIANTS} for name in _find_names(server)
        }
    return [
        make_row(
            name,
            IN_FLIGHT,
            counts["ours"] / counts["naive"],
            detail=", ".join(f"{variant} {count / 1000:.0f} thousand" for variant, count in counts.items()),
        )
        for name, counts in found.items()
    ]


def _find_names(server: str) -> list[str]:
    async def find() -> list[str]:
        async with open_clients(server) as clients:
            return list(clients)

    return asyncio.run(find())


def _count(server: str, name: str, variant: str) -> float:
    few, many = (_count_run(server, name, variant, times) for times in (_FEW, _MANY))
    return (many - few) / (_MANY - _FEW)


def _count_run(server: str, name: str, variant: str, times: int) -> int:
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, "-m", "benchmarks.instructions", server, name, variant, str(times)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=environment, text=True)
    counted = re.search(r"I +refs: +([0-9,]+)", done.stderr)
    if done.returncode or counted is None:
        raise RuntimeError(f"valgrind did not count: {done.stderr[-2000:]}")
    return int(counted[1].replace(",", ""))


async def _send(server: str, name: str, variant: str, times: int) -> None:
    async with open_clients(server) as clients:
        await send_times(getattr(clients[name], variant), times, IN_FLIGHT)


if __name__ == "__main__":
    _server, _name, _variant, _times = sys.argv[1:]
    asyncio.run(_send(_server, _name, _variant, int(_times)))
