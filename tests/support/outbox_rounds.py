"""Workers with an outbox that are killed, on a queue that gives each job out until somebody says that it is done.

``python -m support.outbox_rounds 20000 20 7``: 20,000 jobs, each in the queue twice, 20 kills, seed 7, on each gateway
that can be asked and on one that cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import random
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import attrs
from payamak.common import Outcome
from payamak.common.numbers import normalize_recipient
from payamak.emulator import Emulator, Fault

from .many import GHASEDAK, OPGATEWAY, Gateway, prepare
from .outbox_worker import make_message
from .postgres import PostgresServer

WORKERS = 3
GRACE = 0.3
_AT_ONCE = 300
"""So many jobs a worker has at a time."""
_LOSSES = ("drop_after_read", "reset_after_read", "cut_reply", "garbage", "drop_unprocessed", "delay_after")
_SHARE = 0.2
_SECONDS_BETWEEN_CRASHES = 5.0


@attrs.define(eq=False)
class Rounds:
    """A queue, its workers, and what they have said."""

    gateway: Gateway
    emulator: Emulator
    journal: str
    chance: random.Random
    waiting: collections.deque[int]
    figures: collections.Counter[str] = attrs.field(factory=collections.Counter[str])
    done: dict[int, dict[str, Any]] = attrs.field(factory=dict[int, dict[str, Any]])
    processes: list[asyncio.subprocess.Process] = attrs.field(factory=list[asyncio.subprocess.Process])

    async def run(self, kills: int) -> None:
        """Give out all jobs, and kill so many workers meanwhile."""
        jobs = len(self.waiting)
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._employ())
            for number in range(1, kills + 1):
                while len(self.done) * 2 < jobs * number // (kills + 1):  # noqa: ASYNC110 -- other tasks' state
                    await asyncio.sleep(0.005)
                await asyncio.sleep(self.chance.choice([0, 0.002, 0.01]))
                self.figures["kills"] += 1
                if self.processes:
                    self.chance.choice(self.processes).kill()

    async def _employ(self) -> None:
        """Keep one worker at it; when it is killed, take back what it had, and start another."""
        while self.waiting:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "support.outbox_worker", self.gateway.label,
                getattr(self.emulator, self.gateway.url), self.journal, str(GRACE),
                cwd=Path(__file__).parent.parent, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            self.processes.append(process)
            had: collections.Counter[int] = collections.Counter()
            with contextlib.suppress(ConnectionError):
                await self._feed(process, had)
            self.waiting += had.elements()
            self.processes.remove(process)
            await process.wait()

    async def _feed(self, process: asyncio.subprocess.Process, had: collections.Counter[int]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            while self.waiting and had.total() < _AT_ONCE:
                job = self.waiting.popleft()
                had[job] += 1
                process.stdin.write(f"{job}\n".encode())
            if not had:
                process.stdin.close()
                return
            await process.stdin.drain()
            line = await process.stdout.readline()
            if not line:
                return
            self._hear(json.loads(line), had)

    def _hear(self, told: dict[str, Any], had: collections.Counter[int]) -> None:
        job = told["job"]
        had[job] -= 1
        if not had[job]:
            del had[job]
        if told["settled"]:
            self.done[job] = told
            self.figures[told["outcome"]] += 1
        else:
            self.waiting.append(job)
            self.figures["given back"] += 1

    def judge(self, jobs: int) -> None:
        """Hold what was said against the ledger."""
        ledger = collections.defaultdict[tuple[str, str], list[str]](list)
        for entry in self.gateway.ledger(self.emulator):
            # The op-driven gateway's ids are those of bulks, which the ledger keeps as check ids.
            ledger[entry.recipient, entry.text].append(str(entry.check_id if self.gateway is OPGATEWAY else entry.id))
        self.figures["twice"] = sum(len(ids) - 1 for ids in ledger.values())
        self.figures["lost"] = jobs - len(self.done)
        for job, told in self.done.items():
            message = make_message(self.gateway, job)
            ids = ledger[normalize_recipient(message.to, "to"), message.text]
            if told["outcome"] == Outcome.SENT.value:
                self.figures["false words"] += ids != [str(told["message_id"])]
            elif told["outcome"] != Outcome.UNKNOWN.value:
                self.figures["false words"] += bool(ids)


async def kill_workers(
    gateway: Gateway, emulator: Emulator, journal: str, *, jobs: int, kills: int, seed: int
) -> collections.Counter[str]:
    """Do so many jobs with workers that are killed, a fifth of whose requests meet a fault. Returns what came of it."""
    chance = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    for kind in _LOSSES:
        seconds = 0.05 if kind.startswith("delay") else None
        fault = Fault(kind, gateway=gateway.name, probability=_SHARE / len(_LOSSES), times=10**6, seconds=seconds)
        prepare(emulator).add_fault(fault)
    twice = [*range(jobs), *range(jobs)]
    chance.shuffle(twice)
    rounds = Rounds(gateway, emulator, journal, chance, collections.deque(twice))
    await rounds.run(kills)
    rounds.judge(jobs)
    return rounds.figures


async def _run(jobs: int, kills: int, seed: int, *, in_postgres: bool) -> bool:
    is_clean = True
    for gateway in (GHASEDAK, OPGATEWAY):
        async with Emulator(seed=seed, max_messages=10**9) as emulator:
            with _journal(in_postgres=in_postgres) as journal:
                figures = await kill_workers(gateway, emulator, journal, jobs=jobs, kills=kills, seed=seed)
        sys.stdout.write(f"seed {seed}, {gateway.label}: {dict(figures)}\n")
        is_clean &= not (figures["twice"] or figures["false words"] or figures["lost"])
    return is_clean


@contextlib.contextmanager
def _journal(*, in_postgres: bool) -> Generator[str]:
    """A file; or a database, whose server is killed and started again every few seconds."""
    with contextlib.ExitStack() as stack:
        if not in_postgres:
            yield f"{stack.enter_context(tempfile.TemporaryDirectory())}/jobs.db"
            return
        server = stack.enter_context(PostgresServer())
        is_over = threading.Event()

        def disturb() -> None:
            while not is_over.wait(_SECONDS_BETWEEN_CRASHES):
                server.kill()
                server.start()

        disturbing = threading.Thread(target=disturb)
        disturbing.start()
        try:
            yield server.dsn
        finally:
            is_over.set()
            disturbing.join()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m support.outbox_rounds", description="Kill workers at random.")
    parser.add_argument("jobs", type=int, nargs="?", default=20_000, help="default: %(default)s")
    parser.add_argument("kills", type=int, nargs="?", default=20, help="default: %(default)s")
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(10_000), help="default: any")  # noqa: S311
    parser.add_argument(
        "--postgres", action="store_true", help="in PostgreSQL, which crashes too; by default in a file"
    )
    chosen = parser.parse_args()
    is_clean = asyncio.run(_run(chosen.jobs, chosen.kills, chosen.seed, in_postgres=chosen.postgres))
    return 0 if is_clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
