"""Runs one target: with atheris, which finds its way by what the code has not done yet, or with hypothesis."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

atheris: Any = None
with contextlib.suppress(ImportError):  # It has no wheels for some systems, and no types.
    atheris = importlib.import_module("atheris")

_SECONDS_AN_INPUT = 10
_MEGABYTES = 2048
_ROUND = 200


def main(arguments: list[str]) -> None:
    """Fuzz the target of this name for so many seconds. Ends with a traceback if an input breaks it."""
    name, seconds = arguments
    logging.getLogger("payamak").setLevel(logging.CRITICAL)
    if atheris is None:
        run_hypothesis(name, float(seconds))
    else:
        _run_atheris(name, seconds)


def _run_atheris(name: str, seconds: str) -> None:
    with atheris.instrument_imports(include=["payamak"]):
        targets = importlib.import_module("fuzz.targets")
    with targets.TARGETS[name]() as target, tempfile.TemporaryDirectory() as folder:
        for place, seed in enumerate(target.seeds):
            Path(folder, str(place)).write_bytes(seed)

        def take(data: bytes) -> None:
            if data:
                try:
                    target.run(data)
                except BaseException:
                    print(f"broken by {data!r}", file=sys.stderr, flush=True)
                    raise

        options = {
            "max_total_time": seconds,
            "timeout": _SECONDS_AN_INPUT,
            "rss_limit_mb": _MEGABYTES,
            "verbosity": 0,
            "print_final_stats": 1,
        }
        atheris.Setup([name, folder, *(f"-{option}={value}" for option, value in options.items())], take)
        atheris.Fuzz()  # It ends the process.


def run_hypothesis(name: str, seconds: float) -> None:
    """Fuzz a target with inputs made without regard to what the code has done."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from .targets import TARGETS

    ends = time.monotonic() + seconds
    with TARGETS[name]() as target:
        cut = st.tuples(st.sampled_from(target.seeds), st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8))

        @settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.binary(min_size=1, max_size=4096) | st.builds(_splice, cut))
        def take(data: bytes) -> None:
            target.run(data)

        for rounds in itertools.count(1):
            take()
            if time.monotonic() > ends:
                print(f"stat::number_of_executed_units: {rounds * _ROUND}")
                return


def _splice(cut: tuple[bytes, float, int, bytes]) -> bytes:
    """A seed with something in place of a part of it."""
    seed, share, length, new = cut
    place = int(len(seed) * share)
    return (seed[:place] + new + seed[place + length :]) or b"\0"


if __name__ == "__main__":
    main(sys.argv[1:])
