"""Shows which runs of a journal are alive, to the other processes of the machine."""

from __future__ import annotations

import contextlib
import os
import re
import secrets

import filelock

_RUN = re.compile("[0-9a-f]{16}")
_RUN_FILE = re.compile(rf"\.({_RUN.pattern})\.lock")


class Presence:
    """A locked file beside the journal's. The system unlocks it when the process ends, however that happens.

    Args:
        path: The journal's.

    Attributes:
        run: What this run is known by, once it is shown.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._begin_anew()

    @property
    def is_shown(self) -> bool:
        """Whether this run is alive, for the others."""
        return self._lock.is_locked and os.path.exists(self._name(self.run))

    def show(self) -> bool:
        """Be alive, and sweep up after those that were killed.

        Returns:
            Whether others are alive. Of two that begin at once, at least one sees the other.

        Raises:
            OSError: The file cannot be made.
            NotImplementedError: Files cannot be locked there.
        """
        with contextlib.suppress(filelock.Timeout):
            self._lock.acquire()
        while not self.is_shown:
            # Whoever sees the file before it is locked takes it for one that was left behind, and sweeps it up.
            self._lock.release()
            self._begin_anew()
            with contextlib.suppress(filelock.Timeout):
                self._lock.acquire()
        folder, name = os.path.split(self._path)
        files = [file.removeprefix(name) for file in os.listdir(folder) if file.startswith(name)]
        runs = {found[1] for file in files if (found := _RUN_FILE.fullmatch(file))} - {self.run}
        alive = [run for run in runs if self.is_alive(run)]
        return bool(alive)

    def end(self) -> None:
        """Be no longer alive."""
        _drop(self._lock, self._name(self.run))

    def is_alive(self, run: str) -> bool:
        """Whether another run is alive."""
        if run == self.run:
            return self.is_shown
        if _RUN.fullmatch(run) is None or not os.path.exists(self._name(run)):
            return False
        lock = _make_lock(self._name(run))
        try:
            lock.acquire()
        except filelock.Timeout:
            return True
        _drop(lock, self._name(run))
        return False

    def _begin_anew(self) -> None:
        self.run = secrets.token_hex(8)
        self._lock = _make_lock(self._name(self.run))

    def _name(self, run: str) -> str:
        return f"{self._path}.{run}.lock"


def _make_lock(name: str) -> filelock.FileLock:
    return filelock.FileLock(name, timeout=0, thread_local=False, mode=0o600)


def _drop(lock: filelock.FileLock, name: str) -> None:
    """Remove a file that is locked. Afterwards it may be another one, whose run is alive; but Windows removes none
    that is open, so neither that one."""
    if os.name == "nt":
        lock.release()
    with contextlib.suppress(OSError):  # Somebody has it open, or has removed it.
        os.remove(name)
    lock.release()
