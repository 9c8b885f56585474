"""Machine instructions for a send, which no neighbour on the machine disturbs. Needs valgrind, or measures nothing."""

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
_FEW, _MANY = 100, 300
"""What starting and the first calls take is in both, and not in their difference."""


def run(_options: Options) -> list[Row]:
    """Count for all clients."""
    if shutil.which("valgrind") is None:
        sys.stdout.write("\nMachine instructions are not counted: valgrind is not installed.\n")
        return []
    with running_server() as server:
        found = {
            name: {variant: _count(server, name, variant) for variant in _VARIANTS} for name in _find_names(server)
        }
    return [
        make_row(
            f"{name}, {IN_FLIGHT} in flight",
            counts["ours"] / counts["naive"],
            detail=", ".join(f"{variant} {count / 1000:.0f} thousand" for variant, count in counts.items()),
        )
        for name, counts in found.items()
    ]


_VARIANTS = ("ours", "naive")


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
    done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment, text=True)
    counted = re.search(r"I +refs: +([0-9,]+)", done.stderr)
    if counted is None:
        raise RuntimeError("valgrind did not say how many instructions it saw")
    return int(counted[1].replace(",", ""))


async def _send(server: str, name: str, variant: str, times: int) -> None:
    async with open_clients(server) as clients:
        await send_times(getattr(clients[name], variant), times, IN_FLIGHT)


if __name__ == "__main__":
    _server, _name, _variant, _times = sys.argv[1:]
    asyncio.run(_send(_server, _name, _variant, int(_times)))
