"""Jobs that are killed at random, with an edit of the input or of the files between two kills.

``python -m support.kill_rounds 1000 7`` kills 1,000 times, with honest and with lying gateways, and seed 7.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from payamak.common import JournalError, Outcome, OutgoingMessage, SendReport
from payamak.common.numbers import normalize_recipient
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator, Fault
from payamak.emulator.ledger import Message

from .journals import query
from .kill_worker import make_messages
from .killing import Job, Worker, place_of
from .many import GATEWAYS, GHASEDAK, OPGATEWAY, SMSIR, Gateway, prepare, until, until_still

MANY = 1000
"""So many messages are enough for `_KILLS_A_ROUND` kills."""
_KILLS_A_ROUND = 10
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda number: number.lstrip("0"),
    lambda number: f"+98{number[1:]}",
    lambda number: number.translate(_PERSIAN),
    lambda number: f" {number[:4]}-{number[4:]}",
)
_LOSSES = ("drop_after_read", "reset_after_read", "cut_reply", "garbage", "empty", "bad_gzip", "drop_unprocessed")
_STATUSES = (500, 502, 503, 520)


@attrs.frozen
class How:
    """What happens besides the kills."""

    is_edited: bool = False
    is_lied_to: bool = False


HONEST, EDITED, LYING = How(), How(is_edited=True), How(is_edited=True, is_lied_to=True)


async def kill_at_random(
    emulator: Emulator, worker: Worker, folder: Path, *, kills: int, seed: int, how: How
) -> collections.Counter[str]:
    """Kill so many processes, and count what came of it."""
    chance = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    figures = collections.Counter[str]()
    for number in range(-(-kills // _KILLS_A_ROUND)):
        gateway = GATEWAYS[number % len(GATEWAYS)]
        prepare(emulator).requests.clear()
        messages = make_messages(gateway, MANY)
        job = Job(worker, gateway, emulator, folder / f"{number} {gateway.label}", messages, concurrency=4)
        editor = Editor(job, chance, figures)
        for _ in range(min(_KILLS_A_ROUND, kills - figures["kills"])):
            await _kill_somewhere(job, chance, how)
            figures["kills"] += 1
            if how.is_edited:
                await editor.edit()
        reports = await job.run_to_the_end()
        await until_still(emulator)
        figures.update(_judge(job, reports, how))
        emulator.reset()
    return figures


async def _kill_somewhere(job: Job, chance: random.Random, how: How) -> None:
    """Start a process and kill it after some of its requests, at any moment of the next."""
    for _ in range(30):
        job.emulator.add_fault(_choose_fault(job.gateway, chance, how))
    goal = len(job.emulator.requests) + chance.randrange(10)
    process = await job.start()
    await until(lambda: len(job.emulator.requests) >= goal or job.has_reports)
    await asyncio.sleep(chance.choice([0, 0.001, 0.004, 0.01, 0.03]))
    if not await job.end(kill=process):
        assert how.is_lied_to, "there were too few messages for so many kills"
        # Who meets nothing but failures gives up before it is killed.
        (job.folder / "reports").unlink(missing_ok=True)
    job.emulator.clear_faults()


def _choose_fault(gateway: Gateway, chance: random.Random, how: How) -> Fault:
    if how.is_lied_to and chance.random() < 0.3:
        # Elsewhere it would be the way to ask that is lost.
        path = "SendByMobileNumbers" if gateway is SMSIR else None
        if chance.random() < 0.5:
            return Fault(chance.choice(_LOSSES), path=path)
        return Fault("status", status=chance.choice(_STATUSES), processed=True, path=path)
    return Fault(chance.choice(["delay", "delay_after"]), seconds=chance.choice([0, 0, 0.002, 0.01, 0.03]))


@attrs.define
class Editor:
    """Does to the input and to the files what people do between two runs."""

    job: Job
    chance: random.Random
    figures: collections.Counter[str]
    made: int = 0

    async def edit(self) -> None:
        """Do one thing, at random."""
        edits = (
            self._delete, self._insert, self._sort, self._shuffle, self._spell, self._spell_all, self._change,
            self._look, self._copy_alone,
        )  # fmt: skip
        chosen = self.chance.choice(edits)
        self.figures[f"edits: {chosen.__name__.strip('_')}"] += 1
        if (made := chosen()) is not None:
            await made
        self.job.note_in_flight()

    def _delete(self) -> None:
        for _ in range(self.chance.randrange(1, 20)):
            del self.job.messages[self._place()]

    def _insert(self) -> None:
        for _ in range(self.chance.randrange(1, 20)):
            self.made += 1
            given = {"check_id": f"inserted-{self.made}"} if self.chance.random() < 0.5 else {}
            message = self.job.gateway.message(self.made % 7, f"inserted {self.made}", **given)
            self.job.messages.insert(self._place(), message)

    def _sort(self) -> None:
        self.job.messages.sort(key=lambda message: (normalize_recipient(message.to, "to"), message.text))

    def _shuffle(self) -> None:
        self.chance.shuffle(self.job.messages)

    def _spell(self) -> None:
        self._respell(self._place())

    def _spell_all(self) -> None:
        for place in range(len(self.job.messages)):
            self._respell(place)

    def _respell(self, place: int) -> None:
        message = self.job.messages[place]
        number = self.chance.choice(_SPELLINGS)(normalize_recipient(message.to, "to"))
        self.job.messages[place] = attrs.evolve(message, to=number)

    def _change(self) -> None:
        """Another text is another message, and has another check id if any."""
        place = self._place()
        message = self.job.messages[place]
        self.made += 1
        check_id = message.check_id and f"changed-{self.made}"
        self.job.messages[place] = attrs.evolve(message, text=f"changed {self.made}", check_id=check_id)

    def _look(self) -> None:
        if self.job.journal.exists():
            query(self.job.journal, "SELECT count(*) FROM sqlite_master")

    async def _copy_alone(self) -> None:
        """Go on with a copy of the one file, if it is whole, without what SQLite has left beside it."""
        if not self.job.journal.exists():
            return
        folder = self.job.folder / "copy"
        folder.mkdir(exist_ok=True)
        copy = folder / self.job.journal.name
        shutil.copy(self.job.journal, copy)
        try:
            async with SqliteJournal(copy):
                pass
        except JournalError:
            self.figures["copies refused"] += 1
            return
        for part in self.job.folder.glob(f"{self.job.journal.name}*"):
            part.unlink()
        copy.rename(self.job.journal)

    def _place(self) -> int:
        return self.chance.randrange(len(self.job.messages))


def _judge(job: Job, reports: Sequence[SendReport], how: How) -> collections.Counter[str]:
    """Hold what was told against the ledger: also what a process has told that was killed later."""
    ledger = collections.defaultdict[tuple[str, str], list[Message]](list)
    for entry in job.gateway.ledger(job.emulator):
        ledger[entry.recipient, entry.text].append(entry)
    unknown = [report for report in reports if report.outcome is Outcome.UNKNOWN]
    if not how.is_lied_to:
        assert {place_of(report.message) for report in unknown} <= job.in_flight, "it is unknown for no reason"
        assert not unknown or job.gateway is not GHASEDAK
    false = sum(not _is_true(job, report, ledger[place_of(report.message)]) for report in reports)
    claims = [json.loads(line) for line in (job.folder / "told").read_text().splitlines()]
    false += sum(
        str(message_id) not in _ids(job, ledger[place_of(OutgoingMessage(to, text))]) for to, text, message_id in claims
    )
    return collections.Counter(
        messages=len(reports),
        requests=len(job.emulator.requests),
        in_the_ledger=sum(map(len, ledger.values())),
        duplicates=sum(len(entries) - 1 for entries in ledger.values() if entries),
        in_flight_at_a_kill=len(job.in_flight),
        unknown=len(unknown),
        told=len(claims),
        lost=len(job.messages) - len(reports),
        **{"false words": false},
    )


def _is_true(job: Job, report: SendReport, entries: Sequence[Message]) -> bool:
    if report.outcome is Outcome.SENT:
        return _ids(job, entries) == [str(report.message_id)]
    return report.outcome is Outcome.UNKNOWN or not entries


def _ids(job: Job, entries: Sequence[Message]) -> list[str]:
    # The op-driven gateway's ids are those of bulks, which the ledger keeps as check ids.
    return [str(entry.check_id if job.gateway is OPGATEWAY else entry.id) for entry in entries]


async def _run(kills: int, seed: int) -> bool:
    is_clean = True
    for how in (EDITED, LYING):
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Worker()) as worker:
            async with Emulator() as emulator:
                figures = await kill_at_random(emulator, worker, Path(folder), kills=kills // 2, seed=seed, how=how)
        sys.stdout.write(f"seed {seed}, {'lying' if how.is_lied_to else 'honest'}: {dict(figures)}\n")
        is_clean &= not (figures["duplicates"] or figures["false words"] or figures["lost"])
    return is_clean


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m support.kill_rounds", description="Kill jobs at random.")
    parser.add_argument("kills", type=int, nargs="?", default=1000, help="default: %(default)s")
    parser.add_argument("seed", type=int, nargs="?", default=random.randrange(10_000), help="default: any")  # noqa: S311
    chosen = parser.parse_args()
    return 0 if asyncio.run(_run(chosen.kills, chosen.seed)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
