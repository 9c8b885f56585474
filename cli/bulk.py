"""``payamak send-many``: a CSV file of messages, each row with an outcome."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import attrs
import typer
from aiolimiter import AsyncLimiter

from ..common import OnUnknown, Outcome, Progress, SendReport, count_parts
from ..common.sqlite_journal import SqliteJournal
from .exits import CommandError, ExitCode, complain
from .feed import is_file, open_table, read_beside
from .gateways.base import Gateway, Record
from .headings import Choice
from .output import write_json, write_line
from .places import Places
from .results import describe_row, open_results
from .rows import Row, RowReader, find_problem
from .selection import LeftOut, Selection, describe_left_out, record_left_out
from .sending import Tally, send_all
from .table import Table

_MOST_SHOWN = 10
_ASK_ABOVE = 100
"""More messages than this are asked about on a terminal."""


@attrs.frozen
class Input:
    """What the rows are, and what goes with each.

    Attributes:
        source: The file; ``None`` for standard input.
        text: The text for all, with ``{column}`` in it.
        sender: The line for rows that name none.
        choice: What the headings of its columns need not say.
        skips_repeated: Whether rows are left out that have the number and text of an earlier one.
    """

    source: Path | None
    text: str | None
    sender: str | None
    choice: Choice
    skips_repeated: bool = False

    def read(self, table: Table, gateway: Gateway) -> RowReader:
        """Its rows."""
        sender = gateway.choose_sender(self.sender, in_rows="sender" in table.columns)
        return RowReader(table, text=self.text, sender=sender)

    def select(self, gateway: Gateway, *, counts_repeated: bool = False) -> Selection:
        """What says which of them go out."""
        return Selection(gateway, skips_repeated=self.skips_repeated, counts_repeated=counts_repeated)


@attrs.frozen
class Manner:
    """How to send.

    Attributes:
        concurrency: How many requests may be in flight.
        rate: How many may leave in a second.
        on_unknown: What to do where nobody knows.
        grace: Seconds after which a message that the gateway does not know was not sent.
        changed_are_new: Whether rows are sent whose number has got another text in an earlier run.
        is_same_account: Whether what an earlier run has sent with another key or address is of this account.
    """

    concurrency: int
    rate: float | None
    on_unknown: str
    grace: float
    changed_are_new: bool = False
    is_same_account: bool = False

    @property
    def limiter(self) -> AsyncLimiter | None:
        """What keeps the rate."""
        return None if self.rate is None else AsyncLimiter(max(self.rate, 1), max(1 / self.rate, 1))


@attrs.define
class Survey:
    """What is to be said of the rows before anything is sent."""

    selection: Selection
    messages: int = 0
    parts: int = 0
    wrong: int = 0
    reused: list[int] = attrs.field(factory=list[int])

    @property
    def total(self) -> int:
        """How many rows are to be sent, or found wrong."""
        return self.messages + self.wrong

    @property
    def remarks(self) -> str:
        """What else there is to say; empty if there is nothing."""
        repeated = self.selection.repeated - self.selection.left_out[LeftOut.REPEATED]
        remark = f"; {repeated} of them repeat a number and its text (--skip-duplicates)" if repeated > 0 else ""
        return remark + describe_left_out(self.selection.left_out)


def rehearse(given: Input, gateway: Gateway, *, as_json: bool) -> int:
    """Check all rows and count, and send nothing. Returns the exit code."""

    def tell(row: int, problem: str) -> None:
        if as_json:
            write_json({"row": row, "problem": problem})
        else:
            write_line(f"row {row}: {problem}")

    survey = _survey(given, gateway, tell)
    if as_json:
        write_json(
            {
                "messages": survey.messages,
                "parts": survey.parts,
                "wrong": survey.wrong,
                "duplicates": survey.selection.repeated,
                **record_left_out(survey.selection.left_out),
            }
        )
    else:
        write_line(
            f"{survey.messages} messages in {survey.parts} SMS parts, {survey.wrong} wrong rows{survey.remarks}; "
            "nothing was sent"
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
        if survey.reused:
            raise CommandError(
                f"{name_rows(survey.reused)}: the check_id is that of an earlier row, so nothing was sent; "
                "give each message a check_id of its own"
            )
        if not is_confirmed:
            _confirm(survey, places, gateway)
        total = survey.total
    with open_table(given.source, given.choice) as table, _show_progress(total) as progress:
        ending = asyncio.run(_send(given, table, places, manner, gateway, progress=progress))
    _conclude(ending.tally, ending.results, places, as_json=as_json)
    if ending.broken is not None:
        raise ending.broken
    return ending.tally.exit_code


@attrs.frozen
class Ending:
    """How it ended.

    Attributes:
        tally: What became of the rows.
        results: Where the results are.
        broken: Why the rest of the input cannot be read, if that is so.
    """

    tally: Tally
    results: Path | None
    broken: CommandError | None


async def _send(
    given: Input,
    table: Table,
    places: Places,
    manner: Manner,
    gateway: Gateway,
    *,
    progress: Callable[[Progress], None],
) -> Ending:
    read, selection = given.read(table, gateway), given.select(gateway)
    tally = Tally(left_out=selection.left_out)
    broken: CommandError | None = None
    has_begun = False
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_tell_what_is_lost(lambda: has_begun))
        await stack.enter_async_context(gateway.client)
        journal = None
        if places.journal is not None:
            opening = SqliteJournal(places.journal, same_account=manner.is_same_account, is_shared=False)
            journal = await stack.enter_async_context(opening)
            await journal.require_account(gateway.client.account_hash)
            if is_file(given.source):
                await refuse_changed(journal, given, gateway, are_new=manner.changed_are_new)
        # Not before the journal is held: another run may be writing there.
        results = stack.enter_context(open_results(places, table, gateway))

        def is_wanted(row: Row) -> bool:
            reason = selection.judge(row)
            if reason is not None:
                results.leave_out(row, reason)
            return reason is None

        def take(report: SendReport) -> None:
            results.take(report)
            tally.count(report, describe_row(report))

        sending = gateway.client.send_many(
            (row for row in read if is_wanted(row)) if is_file(given.source) else read_beside(read, is_wanted),
            concurrency=manner.concurrency,
            rate_limit=manner.limiter,
            progress=progress,
            journal=journal,
            on_unknown=OnUnknown(manner.on_unknown),
            grace=manner.grace,
        )
        has_begun = True
        try:
            tally.signal = await send_all(sending, take)
        except CommandError as error:  # What follows in the input cannot be read.
            broken = error
    return Ending(tally, results.place, broken)


@contextlib.contextmanager
def _tell_what_is_lost(has_begun: Callable[[], bool]) -> Generator[None]:
    """What fails on the disk once messages may have left is no refusal of them."""
    try:
        yield
    except OSError as error:
        if not has_begun():
            raise
        raise CommandError(
            f"writing the results or reading the file has failed ({error.strerror}): messages may have gone out that "
            "the results do not have; with its journal, the same command goes on where it was",
            ExitCode.UNKNOWN,
        ) from None


async def refuse_changed(journal: SqliteJournal, given: Input, gateway: Gateway, *, are_new: bool) -> None:
    """Refuse a file of which an earlier run has sent people something that it does not hold any more.

    Raises:
        CommandError: There are such rows.
    """
    # Of each row with a number, in their order; none for those that do not go out, which the file holds all the same.
    numbers: list[int | None] = []
    selection = given.select(gateway)

    def read(table: Table) -> Iterator[tuple[str, Row]]:
        for row in given.read(table, gateway):
            is_wanted = selection.judge(row) is None
            number = gateway.find_number(row) if row.problem is None else row.recipient
            if number is not None:
                numbers.append(row.number if is_wanted else None)
                yield number, row

    with open_table(given.source, given.choice) as table:
        changes = await journal.find_changed(read(table), gateway.client.account_hash)
    reused = [number for place in changes.reused if (number := numbers[place]) is not None]
    if reused:
        raise CommandError(
            f"{name_rows(reused)}: an earlier run has sent another message with the same check_id, so nothing was sent "
            "now; undo the change, or give a new message a check_id of its own"
        )
    changed = [number for place in changes.new if (number := numbers[place]) is not None]
    if changed and not are_new:
        raise CommandError(
            f"{name_rows(changed)}: an earlier run has sent the number another text, line or time, which the file does "
            "not hold any more, so nothing was sent now; undo the change, or give --changed-texts-are-new to send "
            "these too"
        )


def name_rows(numbers: Sequence[int]) -> str:
    """The numbers of rows, but not of thousands."""
    more = f" and {len(numbers) - _MOST_SHOWN} more" if len(numbers) > _MOST_SHOWN else ""
    return f"row {', '.join(str(number) for number in numbers[:_MOST_SHOWN])}{more}"


def _survey(given: Input, gateway: Gateway, tell: Callable[[int, str], None]) -> Survey:
    count = functools.lru_cache(count_parts)
    survey = Survey(given.select(gateway, counts_repeated=True))
    with open_table(given.source, given.choice) as table:
        for row in given.read(table, gateway):
            if survey.selection.judge(row) is not None:
                continue
            problem = find_problem(row, gateway)
            if survey.selection.is_reused(row):
                survey.reused.append(row.number)
                problem = "its check_id is that of an earlier row"
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
    question = (
        f"{survey.messages} messages in {survey.parts} SMS parts through {gateway.name}"
        f"{survey.remarks}{wrong}{known}. Send?"
    )
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


def _conclude(tally: Tally, results: Path | None, places: Places, *, as_json: bool) -> None:
    counts = ", ".join(f"{tally.counts[outcome]} {outcome.value}" for outcome in Outcome)
    earlier = f" ({tally.earlier} settled in an earlier run)" if tally.earlier else ""
    line = counts + earlier + describe_left_out(tally.left_out)
    if as_json:
        write_json(_to_record(tally, results, places))
    elif results is None:
        complain(line)
    else:
        write_line(f"{line}; see {results}")
    if tally.failures:
        complain(f"{tally.failures}, of {tally.total}; the first: {tally.first_failure}")
    if unknown := tally.left_out[LeftOut.UNKNOWN]:
        complain(
            f"{unknown} left out that may have gone out: run the job again that sent them, which asks for them, "
            "or look, and empty their cells under outcome"
        )
    if tally.signal is not None:
        advice = "; run the same command again, and it goes on" if places.journal else ""
        complain(f"interrupted: the rest was not sent{advice}")
    elif tally.earlier and not tally.left:
        what = "it all" if tally.is_settled else "the rest"
        complain(
            f"nothing was sent now: {places.journal} says that an earlier run has settled {what}; "
            "if this is another job, such as next month's, give it a --name"
        )
    elif tally.is_settled:
        complain("nothing was sent now: by the outcomes in the file itself, nothing was left to send")


def _to_record(tally: Tally, results: Path | None, places: Places) -> Record:
    return {
        **{outcome.name.lower(): tally.counts[outcome] for outcome in Outcome},
        "total": tally.total,
        "earlier": tally.earlier,
        **record_left_out(tally.left_out),
        "interrupted": tally.signal is not None,
        "results": results and str(results),
        "journal": places.journal and str(places.journal),
    }
