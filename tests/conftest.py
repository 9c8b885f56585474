"""What holds for every test: nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import os
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from support.sentinels import assert_silent, leaks

# What is started in the background by a shell, as CI may be, and all that it starts, would not hear Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Nor would what is started with nohup hear that its terminal is gone.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through thousands of tests again and again: a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture
async def nothing_left_in_the_event_loop() -> AsyncIterator[None]:
    """Fail the test if it leaves a task running or a socket open in its event loop."""
    tasks, sockets = asyncio.all_tasks(), _sockets()
    yield
    left: set[asyncio.Task[Any]] = set()
    for _ in range(10):
        left = {task for task in asyncio.all_tasks() - tasks if task is not asyncio.current_task()}
        if not left:
            break
        await asyncio.sleep(0.001)
    else:
        pytest.fail(f"tasks left: {left}")
    # The socket of a task that has ended this very moment is closed in the next round of the event loop.
    await asyncio.sleep(0)
    _fail_if_more_than(sockets)


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a socket open or a task running.

    Sockets of servers and clients alike live in this process, so that counting them finds a leaked connection. An
    aiohttp session that is left is a ResourceWarning, which pytest makes an error.
    """
    if inspect.iscoroutinefunction(request.function):
        # It looks after all other fixtures have ended, while the event loop still runs.
        request.getfixturevalue("nothing_left_in_the_event_loop")
        yield
        return
    sockets = _sockets()
    yield
    _fail_if_more_than(sockets)


@pytest.fixture
def nothing_shows(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever the test does, no log record and no warning may hold a needle."""
    for name in ("payamak", "aiohttp", "asyncio", "backoff", "concurrent", None):
        caplog.set_level(logging.DEBUG, logger=name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for record in caplog.get_records("call"):
        assert not leaks(record.getMessage(), record.args, vars(record)), record.getMessage()
        if record.exc_info and record.exc_info[1]:
            assert_silent(record.exc_info[1])
    assert not leaks(*(str(warning.message) for warning in caught))


def _fail_if_more_than(sockets: set[str]) -> None:
    if len(_sockets()) > len(sockets):
        gc.collect()
        left = len(_sockets()) - len(sockets)
        assert left <= 0, f"{left} sockets left open"


def _sockets() -> set[str]:
    found: set[str] = set()
    directory = "/proc/self/fd"
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found
