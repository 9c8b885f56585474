"""Jobs in processes of their own, killed and started again, and what can be told of them afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import attrs
from payamak.common import Outcome, OutgoingMessage, SendReport
from payamak.common.numbers import normalize_recipient
from payamak.emulator import Emulator

from .journals import query
from .many import GHASEDAK, Gateway, judge

GRACE = 0.25
KILLED = -signal.SIGKILL


class Worker:
    """The process that forks for each job."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.kill_worker"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        with self._process:
            self._in.close()

    async def start(self, job: dict[str, Any]) -> int:
        """Start a process, and return its id."""
        return int(await self._say(json.dumps(job)))

    async def reap(self) -> int:
        """Wait until it has ended, and return its exit status."""
        return int(await self._say(""))

    async def _say(self, line: str) -> str:
        self._in.write(f"{line}\n")
        self._in.flush()
        return await asyncio.to_thread(self._out.readline)

    @property
    def _in(self) -> IO[str]:
        return cast("IO[str]", self._process.stdin)

    @property
    def _out(self) -> IO[str]:
        return cast("IO[str]", self._process.stdout)


@attrs.define
class Job:
    """Messages that are to be sent, however often that takes."""

    worker: Worker
    gateway: Gateway
    emulator: Emulator
    folder: Path
    messages: list[OutgoingMessage]
    concurrency: int = 1
    name: str = ""
    """What tells it from others on the same journal."""
    dsn: str | None = None
    """The database that has the journal, if it is in no file."""
    in_flight: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]])
    """The messages whose request was on its way when a process was killed, says the journal."""

    def __attrs_post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    @property
    def has_reports(self) -> bool:
        """Whether a process has come to the end."""
        return self._file("reports").exists()

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def _file(self, what: str) -> Path:
        return self.folder / f"{what}{self.name}"

    async def start(self, die_at: str | None = None, times: int = 1) -> int:
        """Start a process, and return its id."""
        self._file("messages").write_bytes(pickle.dumps(self.messages))
        return await self.worker.start({
            "gateway": self.gateway.label,
            "url": getattr(self.emulator, self.gateway.url),
            "journal": str(self.journal),
            "dsn": self.dsn,
            "reports": str(self._file("reports")),
            "messages": str(self._file("messages")),
            "told": str(self._file("told")),
            "concurrency": self.concurrency,
            "grace": GRACE,
            "on_unknown": "ask",
            "die_at": die_at,
            "die_times": times,
        })  # fmt: skip

    async def end(self, kill: int | None = None) -> bool:
        """Wait for the end of a process, or kill it. Returns whether it was killed."""
        if kill is not None:
            os.kill(kill, signal.SIGKILL)
        status = await self.worker.reap()
        assert status in (0, KILLED), f"the process ended with {status}"
        if status == KILLED:
            self.note_in_flight()
        return status == KILLED

    async def run_to_the_end(self) -> list[SendReport]:
        """Run until nothing is left that can still go out, and return the last reports."""
        for _ in range(4):
            await self.start()
            assert not await self.end()
            reports = self.take_reports()
            if all(report.outcome is not Outcome.NOT_SENT for report in reports):
                return reports
        raise AssertionError("messages are still not sent")

    def judge(self, reports: Sequence[SendReport]) -> list[SendReport]:
        """Hold the reports against the ledger, and return the unknown ones, each of which must have a cause."""
        judge(self.gateway, self.emulator, [report.message for report in reports], reports)
        unknown = [report for report in reports if report.outcome is Outcome.UNKNOWN]
        assert {place_of(report.message) for report in unknown} <= self.in_flight
        assert not unknown or self.gateway is not GHASEDAK
        assert all(report.outcome in (Outcome.SENT, Outcome.UNKNOWN) for report in reports)
        taken = [(entry.recipient, entry.text) for entry in self.gateway.ledger(self.emulator)]
        assert len(set(taken)) == len(taken), "somebody got a message twice"
        return unknown

    def take_reports(self) -> list[SendReport]:
        """What a process has said at its end."""
        path = self._file("reports")
        reports: list[SendReport] = sorted(pickle.loads(path.read_bytes()), key=lambda report: report.index)  # noqa: S301
        path.unlink()
        assert [report.message for report in reports] == self.messages
        return reports

    def note_in_flight(self) -> None:
        """Take in what the journal says to be on its way."""
        # In a copy: who looks into a file after a crash repairs it.
        copies = [
            shutil.copy(path, self.folder / path.name.replace("journal", "copy", 1))
            for path in self.folder.glob("journal.db*")
        ]
        copy = self.folder / "copy.db"
        try:
            tables = query(copy, "SELECT name FROM sqlite_master") if copy.exists() else []
            rows = query(copy, "SELECT recipient, text FROM messages WHERE state = 'in flight'") if tables else []
        finally:
            for path in copies:
                Path(path).unlink(missing_ok=True)
        self.in_flight.update((recipient, text) for recipient, text in rows)


def place_of(message: OutgoingMessage) -> tuple[str, str]:
    """By what a message is found in the ledger."""
    return normalize_recipient(message.to, "to"), message.text
