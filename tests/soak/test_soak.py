"""A short soak: a round or two. The long one is ``nox -s soak``."""

from __future__ import annotations

import importlib.util
import os

import pytest

from .lanes import LANES
from .soak import Options, Report, run

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="sockets are counted in /proc")


def _assert_clean(report: Report, *, waves: int) -> None:
    total = report.judge.total
    assert report.problems == []
    assert (total.duplicates, total.lost, total.unexplained) == (0, 0, 0)
    assert (report.left_sockets, report.left_tasks) == (0, [])
    assert total.waves >= waves
    assert all(report.judge.tallies[lane].waves for lane in LANES)
    assert total.sent > 0
    assert total.faults * 10 >= total.requests
    assert total.lies > 0


def test_soak() -> None:
    options = Options(seconds=1, seed=8, uvloop=importlib.util.find_spec("uvloop") is not None, loops=2)
    _assert_clean(run(options), waves=5 * options.loops)
