"""``payamak send-many``: a CSV file of messages, each row with an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable
from pathlib import Path

import attrs
import typer
from aiolimiter import AsyncLimiter

from ..common import OnUnknown, Outcome, Progress, SendReport
from ..common.sqlite_journal import SqliteJournal
from ..emulator.segments import count_segments
from .exits import CommandError, ExitCode, complain
from .feed import is_file, open_table, read_beside
from .gateways.base import Gateway, Record
from .output import write_json, write_line
from .results import describe_row, make_private, open_results
from .rows import Row, RowReader, find_problem
from .sending import Tally, send_all
from .table import Table

_ASK_ABOVE = 100
"""More messages than this are asked about on a terminal."""


@attrs.frozen
class Input:
    """What the rows are, and what goes with each.

    Attributes:
        source: The file; ``None`` for standard input.
        text: The text for all, with ``{column}`` in it.
        sender: The line for rows that name none.
    """

    source: Path | None
    text: str | None
    sender: str | None

    def read(self, table: Table, gateway: Gateway) -> RowReader:
        """Its rows."""
        sender = gateway.choose_sender(self.sender, in_rows="sender" in table.columns)
        return RowReader(table, text=self.text, sender=sender)


@attrs.frozen
class Places:
    """Where things are written down.

    Attributes:
        results: Where the outcomes go; ``None`` for standard output.
        journal: Where the journal is; ``None`` for none.
    """

    results: Path | None
    journal: Path | None


@attrs.frozen
class Manner:
    """How to send.

    Attributes:
        concurrency: How many requests may be in flight.
        rate: How many may leave in a second.
        on_unknown: What to do where nobody knows.
        grace: Seconds after which a message that the gateway does not know was not sent.
    """

    concurrency: int
    rate: float | None
    on_unknown: str
    grace: float

    @property
    def limiter(self) -> AsyncLimiter | None:
        """What keeps the rate."""
        return None if self.rate is None else AsyncLimiter(max(self.rate, 1), max(1 / self.rate, 1))


@attrs.define
class Survey:
    """What is to be said of the rows before anything is sent."""

    messages: int = 0
    parts: int = 0
    wrong: int = 0

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self.messages + self.wrong


def choose_places(
    source: Path | None, results: Path | None, journal: Path | None, *, keeps_journal: bool, overwrite: bool
) -> Places:
    """Decide where things are written down.

    Args:
        source: The file; ``None`` for standard input.
        results: What was named for the results; ``-`` is standard output.
        journal: What was named for the journal.
        keeps_journal: Whether there is to be one.
        overwrite: Whether results may be written over that nothing else tells.

    Raises:
        CommandError: A place must be named, or what is there would be lost.
    """
    base = source.with_suffix("") if source and source.suffix.lower() == ".csv" else source
    if keeps_journal and journal is None:
        if base is None or not is_file(source):
            raise CommandError("there is no name for the journal of a pipe: give --journal or --no-journal")
        journal = base.with_name(f"{base.name}.journal.db")
    if results is None and base is not None and is_file(source):
        results = base.with_name(f"{base.name}.results.csv")
    elif results == Path("-"):
        results = None
    if results is not None and results.exists():
        if source is not None and source.exists() and results.samefile(source):
            raise CommandError("--output is the file itself")
        if not overwrite and not (journal and journal.exists()):
            raise CommandError(
                f"{results} is there, but no journal that says who has got a message already: "
                "move it away, or give --overwrite to send to all"
            )
    return Places(results, journal)


def rehearse(given: Input, gateway: Gateway, *, as_json: bool) -> int:
    """Check all rows and count, and send nothing. Returns the exit code."""

    def tell(row: int, problem: str) -> None:
        if as_json:
            write_json({"row": row, "problem": problem})
        else:
            write_line(f"row {row}: {problem}")

    survey = _survey(given, gateway, tell)
    if as_json:
        write_json({"messages": survey.messages, "parts": survey.parts, "wrong": survey.wrong})
    else:
        write_line(
            f"{survey.messages} messages in {survey.parts} SMS parts, {survey.wrong} wrong rows; nothing was sent"
        )
    return ExitCode.REFUSED if survey.wrong else ExitCode.DONE


def send_file(
    given: Input, places: Places, manner: Manner, gateway: Gateway, *, is_confirmed: bool, as_json: bool
) -> int:
    """Send what is in the file. Returns the exit code."""
    if as_json and places.results is None:
        raise CommandError("the results and --json cannot both go to standard output: give --output")
    total = None
    if is_file(given.source):
        # All of it is read once before anything leaves, so that a broken file is found in time.
        survey = _survey(given, gateway, lambda row, problem: None)
        if not is_confirmed:
            _confirm(survey, places, gateway)
        total = survey.total
    tally = Tally()
    broken: CommandError | None = None
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(open_table(given.source))
        read = given.read(table, gateway)
        rows = read if is_file(given.source) else read_beside(read)
        write = stack.enter_context(open_results(places.results, table, gateway))
        progress = stack.enter_context(_show_progress(total))

        def take(report: SendReport) -> None:
            write(report)
            tally.count(report, describe_row(report))

        try:
            tally.signal = asyncio.run(_send(rows, gateway, places, manner, take=take, progress=progress))
        except CommandError as error:  # What follows in the input cannot be read.
            broken = error
    _conclude(tally, places, as_json=as_json)
    if broken is not None:
        raise broken
    return tally.exit_code


async def _send(
    rows: Iterable[Row] | AsyncIterable[Row],
    gateway: Gateway,
    places: Places,
    manner: Manner,
    *,
    take: Callable[[SendReport], None],
    progress: Callable[[Progress], None],
) -> int | None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(gateway.client)
        journal = None
        if places.journal is not None:
            make_private(places.journal)
            journal = await stack.enter_async_context(SqliteJournal(places.journal))
        sending = gateway.client.send_many(
            rows,
            concurrency=manner.concurrency,
            rate_limit=manner.limiter,
            progress=progress,
            journal=journal,
            on_unknown=OnUnknown(manner.on_unknown),
            grace=manner.grace,
        )
        return await send_all(sending, take)


def _survey(given: Input, gateway: Gateway, tell: Callable[[int, str], None]) -> Survey:
    count = functools.lru_cache(count_segments)
    survey = Survey()
    with open_table(given.source) as table:
        for row in given.read(table, gateway):
            problem = find_problem(row, gateway)
            if problem is None:
                survey.messages += 1
                survey.parts += count(row.text).parts
            else:
                survey.wrong += 1
                tell(row.number, problem)
    return survey


def _confirm(survey: Survey, places: Places, gateway: Gateway) -> None:
    if survey.messages <= _ASK_ABOVE or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    wrong = f"; {survey.wrong} wrong rows will not be sent" if survey.wrong else ""
    known = "; those that the journal has are not sent again" if places.journal and places.journal.exists() else ""
    question = f"{survey.messages} messages in {survey.parts} SMS parts through {gateway.name}{wrong}{known}. Send?"
    if not typer.confirm(question, err=True):
        raise CommandError("nothing was sent", ExitCode.REFUSED)


@contextlib.contextmanager
def _show_progress(total: int | None) -> Generator[Callable[[Progress], None]]:
    if not sys.stderr.isatty():
        yield lambda counts: None
        return
    from rich import progress as bars  # noqa: PLC0415 -- only a terminal needs it
    from rich.console import Console  # noqa: PLC0415

    columns = (
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[failed]} failed"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total, failed=0)
        yield lambda counts: bar.update(task, completed=counts.done, failed=counts.done - counts.sent)


def _conclude(tally: Tally, places: Places, *, as_json: bool) -> None:
    counts = ", ".join(f"{tally.counts[outcome]} {outcome.value}" for outcome in Outcome)
    earlier = f" ({tally.earlier} settled in an earlier run)" if tally.earlier else ""
    if as_json:
        write_json(_to_record(tally, places))
    elif places.results is None:
        complain(counts + earlier)
    else:
        write_line(f"{counts}{earlier}; see {places.results}")
    if tally.failures:
        complain(f"{tally.failures}, of {tally.total}; the first: {tally.first_failure}")
    if tally.signal is not None:
        advice = "; run the same command again, and it goes on" if places.journal else ""
        complain(f"interrupted: the rest was not sent{advice}")
    elif tally.total and tally.earlier == tally.total:
        complain(f"nothing was sent now: {places.journal} says that an earlier run has settled it all")


def _to_record(tally: Tally, places: Places) -> Record:
    return {
        **{outcome.name.lower(): tally.counts[outcome] for outcome in Outcome},
        "total": tally.total,
        "earlier": tally.earlier,
        "interrupted": tally.signal is not None,
        "results": places.results and str(places.results),
        "journal": places.journal and str(places.journal),
    }
