"""Runs jobs of `send_many` in processes that are killed: ``python -m support.kill_worker``.

It reads one job a line, as JSON, and forks for each, because starting Python anew takes longer than a job. It prints
the new process's id, waits for a second line before it takes the exit status, so that the id stays that of this
process, and prints the status.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NoReturn, TextIO

from payamak.common import (
    Attempt,
    AttemptReply,
    Hook,
    Journal,
    JournalEntry,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    Proceed,
    RetryPolicy,
    SendReport,
)
from payamak.common.sqlite_journal import SqliteJournal

from .journals import HASH_KEY
from .many import GATEWAYS, Gateway


def make_messages(gateway: Gateway, count: int) -> list[OutgoingMessage]:
    """Five numbers share each text, so that a request holds five at every gateway. Every second has a check id."""
    return [
        gateway.message(index % 5, f"text {index // 5}", check_id=f"check-{index}" if index % 2 else None)
        for index in range(count)
    ]


class Reaper:
    """Kills this process when it comes to a certain point for the nth time."""

    def __init__(self, point: str | None, times: int) -> None:
        self._point = point
        self._left = times

    def pass_by(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DeadlyJournal:
    """A journal during whose writing the process is killed."""

    def __init__(self, inner: Journal, reaper: Reaper) -> None:
        self._inner = inner
        self._reaper = reaper

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        self._reaper.pass_by("reading")
        return await self._inner.read(wanted, account)

    async def list_references(self) -> Collection[str]:
        return await self._inner.list_references()

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        self._reaper.pass_by("request unwritten")
        attempts = await self._inner.begin(entries, lease)
        self._reaper.pass_by("request written")
        return attempts

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        self._reaper.pass_by("outcome unwritten")
        counted = await self._inner.settle(entries)
        self._reaper.pass_by("outcome written")
        return counted

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        return await self._inner.claim(entries)

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return await self._inner.take_over(entries, lease)


async def run(job: Mapping[str, Any]) -> None:
    """Send all messages of a job, and write the reports into a file if it lives so long.

    What it says to have sent it tells at once in another file, as one does who writes down each result.
    """
    reaper = Reaper(job["die_at"], job["die_times"])

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        is_send = "send" in attempt.operation
        if is_send:
            reaper.pass_by("leaving")
        reply = await proceed()
        if is_send:
            reaper.pass_by("answered")
        return reply

    (gateway,) = (gateway for gateway in GATEWAYS if gateway.label == job["gateway"])
    messages: list[OutgoingMessage] = pickle.loads(Path(job["messages"]).read_bytes())  # noqa: ASYNC240, S301
    with Path(job["told"]).open("a", buffering=1) as told:  # noqa: ASYNC230
        reports = await _send(job, gateway, messages, reaper, hook, told)
    _write(Path(job["reports"]), reports)


async def _send(
    job: Mapping[str, Any],
    gateway: Gateway,
    messages: Sequence[OutgoingMessage],
    reaper: Reaper,
    hook: Hook,
    told: TextIO,
) -> list[SendReport]:
    reports: list[SendReport] = []
    async with (
        _open_journal(job) as journal,
        gateway.make(base_url=job["url"], retry=RetryPolicy(attempts=1), hooks=[hook]) as client,
    ):
        sending = client.send_many(
            messages,
            concurrency=job["concurrency"],
            journal=DeadlyJournal(journal, reaper),
            grace=job["grace"],
            on_unknown=OnUnknown(job["on_unknown"]),
        )
        async for report in sending:
            reports.append(report)
            if report.outcome is Outcome.SENT:
                told.write(json.dumps([report.message.to, report.message.text, str(report.message_id)]) + "\n")
    return reports


def _open_journal(job: Mapping[str, Any]) -> AbstractAsyncContextManager[Journal]:
    if job["dsn"] is None:
        return SqliteJournal(job["journal"])
    # Only where it is wanted, for it is loaded before each process forks.
    from payamak.common.postgres_journal import PostgresJournal

    return PostgresJournal(job["dsn"], scope=job["journal"][-100:], hash_key=HASH_KEY)


def _write(path: Path, reports: Sequence[SendReport]) -> None:
    # At once or not at all, so that whoever sees it can read it.
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(pickle.dumps(reports))
    unfinished.rename(path)


def _live(job: Mapping[str, Any]) -> NoReturn:
    status = 1
    try:
        asyncio.run(run(job))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(job)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
