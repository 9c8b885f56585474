"""A PostgreSQL of the tests' own, which they kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from payamak.common.postgres_journal import SCHEMA, PostgresJournal

from .journals import HASH_KEY

ABSENT = "PostgreSQL's server is not there; on Debian: apt install postgresql"
_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres"
"""Who runs it where these tests are run by root, as whom it does not run."""
_SETTINGS = {
    "fsync": "on",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Nothing happens but what a test does.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
}


class PostgresServer:
    """A running one, which has the journal's tables."""

    def __init__(self) -> None:
        self._programs = _find_programs()
        self._folder = tempfile.TemporaryDirectory(prefix="postgres-")
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _USER if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder.name, _USER, _USER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.dsn = f"postgresql://{_USER}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def __enter__(self) -> Self:
        options = ("--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        subprocess.run(
            [self._programs / "initdb", *options, self._data],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder.name,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        self.start()
        # As a migration does it.
        subprocess.run([self._programs / "psql", "--quiet", self.dsn], input=SCHEMA.encode(), check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def _data(self) -> Path:
        return Path(self._folder.name) / "data"

    def open_journal(self, scope: object = "tests") -> PostgresJournal:
        """A journal that is not open yet. Another scope knows nothing of it."""
        return PostgresJournal(self.dsn, scope=str(scope)[-100:], hash_key=HASH_KEY)

    def start(self) -> None:
        """Start it with what it had committed, and wait until it answers."""
        until = time.monotonic() + 30
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                # The first one's processes may not all have gone yet, and then it does not start.
                self._process = self._run()
            assert time.monotonic() < until, (self._data / "log").read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill all its processes at once, as a crash of the machine would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _run(self) -> subprocess.Popen[bytes]:
        settings = {**_SETTINGS, "port": str(self.port)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._data / "log").open("ab") as log:
            return subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *words],
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._folder.name,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )

    def _answers(self) -> bool:
        words = (self._programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={self.port}")
        return self._process is not None and subprocess.run(words, check=False).returncode == 0


def _find_programs() -> Path:
    """The folder of the server's programs. Debian has it on no path."""
    found = shutil.which("initdb")
    folders = [*([Path(found).resolve().parent] if found else []), *sorted(_DEBIAN.glob("*/bin"), reverse=True)]
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_isready", "psql")):
            return folder
    if os.environ.get("CI"):
        pytest.fail(ABSENT)
    pytest.skip(ABSENT)
