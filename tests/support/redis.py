"""A Redis of the tests' own, which they stop, kill and start again. It listens on no port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from redis.asyncio import Redis

ABSENT = "redis-server is not there; on Debian: apt install redis-server"


class RedisServer:
    """A running one."""

    def __init__(self) -> None:
        path = shutil.which("redis-server")
        if path is None:
            if os.environ.get("CI"):
                pytest.fail(ABSENT)
            pytest.skip(ABSENT)
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self.socket = str(Path(self._folder.name) / "socket")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"port": "0", "unixsocket": self.socket, "dir": self._folder.name, "save": "", "appendonly": "no"}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        Path(self.socket).unlink(missing_ok=True)
        self._process = subprocess.Popen([self._path, *words], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not Path(self.socket).exists():
            assert self._process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.005)

    def stop(self) -> None:
        """Let it hang: connections come about, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it: what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def connect(self) -> Redis:
        """A client, of the running event loop."""
        return Redis(unix_socket_path=self.socket)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
