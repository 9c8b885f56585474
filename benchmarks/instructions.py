"""Machine instructions, which hardly depend on what else the machine does. It needs valgrind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import re
import shutil
import sys
from collections.abc import Callable, Mapping

import attrs

from . import decoding, imports, sends
from .clients import open_clients
from .harness import CORES, Options, Row, run_command, running_server, send_times, use_all_cores

TITLE = "Machine instructions in user mode: ours ÷ what it is held against"
IN_FLIGHT = 50


@attrs.frozen
class _Comparison:
    """What is counted in a short run and in a long one: what starting takes is not in their difference.

    Attributes:
        make_row: Makes a row of a ratio and a detail.
        commands: By name, ours first: Python's arguments for doing it so many times.
        few: How often in the short run.
        many: How often in the long one.
    """

    make_row: Callable[[float, str], Row]
    commands: Mapping[str, Callable[[int], list[str]]]
    few: int
    many: int


def run(_options: Options) -> list[Row]:
    """Count sends, decoding and imports."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed, which counts the instructions")
    comparisons = [*_compare_sends(), *_compare_decodings(), *_compare_imports()]
    with (
        imports.environment_with_bytecode() as environment,
        # Those that count do not disturb one another. A thread starts where the main thread is kept: on one processor.
        concurrent.futures.ThreadPoolExecutor(len(CORES) or None, initializer=use_all_cores) as pool,
    ):
        return list(pool.map(functools.partial(_compare, {**environment, "PYTHONHASHSEED": "0"}), comparisons))


def _compare_sends() -> list[_Comparison]:
    async def find_names() -> list[str]:
        with running_server() as server:
            async with open_clients(server) as clients:
                return list(clients)

    return [
        _Comparison(
            functools.partial(sends.make_row, name, IN_FLIGHT),
            {variant: _make_command("send", name, variant) for variant in ("ours", "naive")},
            few=100, many=300,
        )
        for name in asyncio.run(find_names())
    ]  # fmt: skip


def _compare_decodings() -> list[_Comparison]:
    return [
        _Comparison(
            functools.partial(one.make_row, name),
            {variant: _make_command("decode", name, variant) for variant in ("ours", "parser")},
            few=5, many=25,
        )
        for name, one in decoding.make_decodings().items()
    ]  # fmt: skip


def _compare_imports() -> list[_Comparison]:
    return [
        _Comparison(
            functools.partial(imports.make_row, package),
            {"ours": _make_import(package), "aiohttp": _make_import("aiohttp")},
            few=0, many=1,
        )
        for package in imports.PACKAGES
    ]  # fmt: skip


def _make_command(what: str, name: str, variant: str) -> Callable[[int], list[str]]:
    return lambda times: ["-m", "benchmarks.instructions", what, name, variant, str(times)]


def _make_import(module: str) -> Callable[[int], list[str]]:
    return lambda times: ["-c", f"import {module}" if times else ""]


def _compare(environment: Mapping[str, str], comparison: _Comparison) -> Row:
    counts: dict[str, float] = {}
    for variant, command in comparison.commands.items():
        run_command([sys.executable, *command(1)], environment)  # so that the bytecode is there
        few, many = (_count(command(times), environment) for times in (comparison.few, comparison.many))
        counts[variant] = (many - few) / (comparison.many - comparison.few)
    ours, other = counts.values()
    detail = ", ".join(f"{variant} {count / 1000:,.0f} thousand" for variant, count in counts.items())
    return comparison.make_row(ours / other, detail)


def _count(arguments: list[str], environment: Mapping[str, str]) -> int:
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    said = run_command([*valgrind, sys.executable, *arguments], environment).stderr
    counted = re.search(r"I +refs: +([0-9,]+)", said)
    if counted is None:
        raise RuntimeError(f"valgrind did not count: {said}")
    return int(counted[1].replace(",", ""))


async def _send(name: str, variant: str, times: int) -> None:
    # Each with a server of its own, because the clients ask it for what was sent last.
    with running_server() as server:
        async with open_clients(server) as clients:
            await send_times(getattr(clients[name], variant), times, IN_FLIGHT)


def _decode(name: str, variant: str, times: int) -> None:
    decode = getattr(decoding.make_decodings()[name], variant)
    for _ in range(times):
        decode()


if __name__ == "__main__":
    _what, _name, _variant, _times = sys.argv[1:]
    if _what == "send":
        asyncio.run(_send(_name, _variant, int(_times)))
    else:
        _decode(_name, _variant, int(_times))
