"""One client in several event loops: in threads, one after the other, and across a fork."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest
from payamak.common import ClientStateError, HttpSession
from payamak.ghasedak import GhasedakClient
from support.ghasedak import failure_of, make_client, send
from support.raw_server import RawServer, accept, hang
from support.threads import run_in_threads, serving

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open descriptors are counted on Linux")

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def server() -> Iterator[RawServer]:
    with serving(accept(70001)) as server:
        yield server


@contextlib.contextmanager
def silence(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Nothing is logged and nothing warns, at the end of the garbage either."""
    caplog.set_level(logging.WARNING)
    gc.collect()  # What an earlier test has left tells of that one.
    caplog.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
    assert caplog.messages == []


def count_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def has_at_most(files: int) -> bool:
    """Whether no more are open, once the other end has heard of what was closed."""
    until = time.monotonic() + 5
    while count_files() > files and time.monotonic() < until:
        time.sleep(0.001)
    return count_files() <= files


async def send_twice(client: GhasedakClient) -> None:
    for _ in range(2):
        assert (await send(client)).message_id == 70001


def run_with_uvloop(work: Coroutine[Any, Any, Any]) -> Any:
    return pytest.importorskip("uvloop").run(work)


def run_by_hand(work: Coroutine[Any, Any, Any]) -> Any:
    """As in code that is older than `asyncio.run`, or that knows no better."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@pytest.mark.parametrize("run", [asyncio.run, run_with_uvloop])
def test_one_loop_after_the_other_in_silence(run: Run, server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    client = make_client(server.url)
    with silence(caplog):
        run(send_twice(client))
        before = count_files()
        for _ in range(50):
            run(send_twice(client))
        assert has_at_most(before), "each loop has left a connection open"
        assert client._session._own.by_loop == {}
        run(client.aclose())
        del client
    assert server.connections == 51, "no loop kept its connection"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # So asyncio says it of what it closed itself.
def test_loops_that_are_closed_before_they_have_ended(server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    client = make_client(server.url)
    run_by_hand(send_twice(client))
    before = count_files()
    for _ in range(50):
        run_by_hand(send_twice(client))
    assert has_at_most(before)
    asyncio.run(client.aclose())
    assert has_at_most(before - 2)
    gc.collect()
    assert caplog.messages == []


def test_a_thread_each(server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    """As sync views do it: 27 of 50 failed."""
    client = make_client(server.url)
    together = threading.Barrier(64)

    async def use() -> None:
        await send_twice(client)
        together.wait(30)  # All have a connection at once.
        await send_twice(client)

    before = count_files()
    with silence(caplog):
        run_in_threads(use, 64)
        assert has_at_most(before)
        asyncio.run(client.aclose())
    assert len(server.requests) == 64 * 4
    assert server.connections == 64


def test_threads_that_begin_again_and_again(server: RawServer) -> None:
    client = make_client(server.url)
    before = count_files()
    run_in_threads(lambda: send_twice(client), 8, 200)
    assert has_at_most(before)
    asyncio.run(client.aclose())


class Busy:
    """An event loop that runs in a thread, and in which the client has connections."""

    def __init__(self, client: GhasedakClient) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_debug(True)  # It refuses what is called from another thread.
        self.complaints: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.run(send_twice(client))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        assert self.complaints == []


def test_closing_closes_each_in_its_own_loop(server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    client = make_client(server.url)
    before = count_files()
    with silence(caplog):
        busy = [Busy(client) for _ in range(3)]
        connections = 2 * 3
        loops = count_files() - before - connections
        asyncio.run(send_twice(client))
        connectors = [opened.session.connector for opened in client._session._own.by_loop.values()]
        asyncio.run(client.aclose())
        assert [connector.closed for connector in connectors if connector is not None] == [True] * 3
        del connectors
        assert has_at_most(before + loops), "connections are open, at this end or at the other"
        while busy:
            one = busy.pop()
            assert type(one.run(failure_of(send(client)))) is ClientStateError
            one.stop()
            del one
    assert has_at_most(before)


def test_closing_ends_what_is_on_its_way_in_another_loop() -> None:
    with serving(accept(70001), accept(70001), hang) as server:
        client = make_client(server.url)
        busy = Busy(client)
        failure = asyncio.run_coroutine_threadsafe(failure_of(send(client)), busy.loop)
        while len(server.requests) < 3:
            time.sleep(0.001)
        asyncio.run(client.aclose())
        assert failure.result(5).outcome.value == "unknown"
        busy.stop()


def test_closing_does_not_wait_for_a_thread_that_waits_for_it(server: RawServer) -> None:
    client = make_client(server.url)
    busy = Busy(client)
    closed = threading.Event()
    busy.loop.call_soon_threadsafe(closed.wait, 30)
    asyncio.run(client.aclose())
    closed.set()
    busy.stop()


def test_a_loop_that_stands_still_closes_when_it_goes_on(server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    client = make_client(server.url)
    loop = asyncio.new_event_loop()
    with silence(caplog):
        loop.run_until_complete(send_twice(client))
        before = count_files()
        asyncio.run(client.aclose())
        loop.run_until_complete(asyncio.sleep(0.01))
        assert has_at_most(before - 1)
        loop.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_loop_that_never_goes_on(server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    client = make_client(server.url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(send_twice(client))
    asyncio.run(client.aclose())
    loop.close()
    del loop
    gc.collect()
    assert caplog.messages == []


def forget(clients: list[GhasedakClient]) -> None:
    with pytest.warns(ResourceWarning, match="never closed"):
        _drop(clients)


def _drop(clients: list[GhasedakClient]) -> None:
    clients.clear()
    gc.collect()


async def test_a_client_that_is_let_go_closes_in_its_running_loop(server: RawServer) -> None:
    clients = [make_client(server.url)]
    await send_twice(clients[0])
    before = count_files()
    forget(clients)
    for _ in range(10):
        await asyncio.sleep(0)
    assert has_at_most(before - 1)


def test_who_forgets_to_close_is_told_though_nothing_is_open(server: RawServer) -> None:
    clients = [make_client(server.url)]
    asyncio.run(send_twice(clients[0]))
    forget(clients)


def test_a_shared_session_in_threads(server: RawServer) -> None:
    session = HttpSession(max_connections=1)
    clients = [make_client(server.url, session=session) for _ in range(2)]

    async def use() -> None:
        await asyncio.gather(*(send_twice(client) for client in clients))

    run_in_threads(use, 4, 8)
    assert server.connections == 8, "one for each loop, and no more"
    asyncio.run(session.aclose())


FORKS = """
import asyncio, os, sys
from payamak.ghasedak import GhasedakClient

client = GhasedakClient("emulator-key", base_url=sys.argv[1])

async def send():
    assert (await client.send("09121234567", "text")).message_id == 70001

def in_child():
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    asyncio.run(send())
    asyncio.run(client.aclose())
    os._exit(0)

async def parent():
    await send()
    # As multiprocessing does it in a service: the child is in no loop, whatever runs in the parent.
    asyncio._set_running_loop(loop := asyncio.get_running_loop())
    before = len(os.listdir("/proc/self/fd"))
    assert in_child() == 0
    assert len(os.listdir("/proc/self/fd")) == before
    await send()

asyncio.run(send())
assert in_child() == 0
asyncio.run(parent())
asyncio.run(client.aclose())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_has_connections_of_its_own(server: RawServer) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKS, server.url], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert server.connections == 4, "the parent's two loops, of which the second went on, and the two children"
    assert [request.connection for request in server.requests] == [1, 2, 3, 4, 3]
