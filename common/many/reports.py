"""The messages that are open, each settled exactly once: in the journal, then in a report."""

from __future__ import annotations

import asyncio
import collections
import copy
import datetime
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import attrs

from ..errors import InvalidArgumentError, JournalError, Outcome, PayamakError
from ..results import OutgoingMessage, Progress, SendReport
from .bulk_gateway import NO_TRACE, Finding
from .items import Item
from .journal import Journal, JournalEntry

_Write: TypeAlias = Callable[[Sequence[JournalEntry], float], Awaitable[Sequence[int | None]]]

LONGEST_BEGIN = 10.0
"""For so many seconds a journal may take to write that a request is about to leave: a part of the lease. Had it taken
longer, the lease could be over before the request has ended."""


class Admitted(NamedTuple):
    """What is to be done about messages.

    Attributes:
        fresh: They may go out.
        lost: Their request had left in another run, which is not at them any more.
        elsewhere: Another run is at them.
    """

    fresh: list[Item]
    lost: list[Item]
    elsewhere: list[Item]


class Reports:
    """Knows which messages are open, and reports each once.

    Args:
        gateway: The gateway's package name.
        journal: Where to write down what is done, if anywhere.
        progress: Called with the counts after each report.
        total: How many messages there are, if known.
        log: For a ``progress`` that fails.
        account: What the journal knows this run's account by.
        longest_call: For how many seconds a request may be under way.
    """

    def __init__(
        self,
        gateway: str,
        journal: Journal | None,
        progress: Callable[[Progress], object] | None,
        total: int | None,
        log: logging.Logger,
        *,
        account: str = "",
        longest_call: float = 0.0,
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._progress = progress
        self._total = total
        self._log = log
        self._sent = 0
        self._others = collections.Counter[Outcome]()
        self._account = account
        self._lease = longest_call + LONGEST_BEGIN
        self.open: dict[int, Item] = {}
        """Messages that were taken from the source and not yet reported, by index."""
        self.unread: collections.deque[SendReport] = collections.deque()
        """Reports that were not yet handed out."""
        self.news = asyncio.Event()
        """Set when there are new reports."""
        self.failure: JournalError | None = None
        """Why the journal can take no more."""

    @property
    def counts(self) -> Progress:
        """How many messages were reported."""
        others = self._others
        return Progress(
            self._sent, others[Outcome.REFUSED], others[Outcome.NOT_SENT], others[Outcome.UNKNOWN], self._total
        )

    def enter(self, items: Sequence[Item]) -> None:
        """Enter messages, so that they get a report whatever happens."""
        self.open.update({item.index: item for item in items})
        if self._journal is not None:
            for item in items:
                item.consult()

    async def admit(self, items: Sequence[Item]) -> Admitted:
        """Settle those messages of which the journal knows enough, or that cannot be sent."""
        if self._journal is None:
            return Admitted(list(items), [], [])
        try:
            known = await self._journal.read({item.key: _as_it_travels(item) for item in items}, self._account)
        except Exception as error:
            failure = self._fail("read", error)
            raise failure from failure.__cause__
        fresh: list[Item] = []
        lost: list[Item] = []
        elsewhere: list[Item] = []
        for item in items:
            entry = known.get(item.key)
            if entry is not None and entry.message is None and entry.is_taken:
                self.reject(item, _blame(item, "the journal knows another message by its check_id"))
            elif entry is not None and self._is_out_of_reach(entry):
                # Its reference leads nowhere here, and stays in the journal for a run that can ask there.
                item.lose(entry.make_error())
                self._report([item])
            elif entry is not None and entry.is_leased:
                elsewhere.append(item)
            else:
                self._recall(item, entry, fresh, lost)
        if lost:
            lost, gone = await self._number(lost, self._journal.take_over)
            elsewhere += gone
        return Admitted(fresh, lost, elsewhere)

    def _is_out_of_reach(self, entry: JournalEntry) -> bool:
        is_in_doubt = entry.outcome in (None, Outcome.UNKNOWN)
        return is_in_doubt and (entry.gateway != self._gateway or entry.account != self._account)

    def _recall(self, item: Item, entry: JournalEntry | None, fresh: list[Item], lost: list[Item]) -> None:
        """Take in what the journal knows; only then what is wrong with the message."""
        item.recall(entry)
        if item.outcome is Outcome.UNKNOWN:
            lost.append(item)
        elif item.outcome is not Outcome.NOT_SENT:
            self._report([item], from_journal=True)
        elif item.problem is not None:
            self.reject(item, item.problem)
        else:
            fresh.append(item)

    async def list_references(self) -> Collection[str]:
        """List the references of all that the journal knows as sent."""
        try:
            return await self._journal.list_references() if self._journal is not None else ()
        except Exception as error:
            failure = self._fail("read", error)
            raise failure from failure.__cause__

    async def claim(
        self, items: Sequence[Item], findings: Sequence[Finding], marks: Sequence[str | None]
    ) -> Sequence[Finding]:
        """Take what was found by its content for these messages, and leave what may be another process's.

        Args:
            items: The messages.
            findings: What was found.
            marks: What the messages were looked for by.
        """
        found = [place for place, finding in enumerate(findings) if finding.is_by_content]
        if self._journal is None:
            return findings
        now = datetime.datetime.now(datetime.UTC)
        entries = [
            attrs.evolve(self._entry(items[place], None, now), message_id=findings[place].message_id) for place in found
        ]
        try:
            granted = await self._journal.claim(entries)
        except Exception as error:
            failure = self._fail("written", error)
            raise failure from failure.__cause__
        kept = list(findings)
        for place, is_granted in zip(found, granted, strict=True):
            if not is_granted:
                items[place].reference, kept[place] = marks[place], NO_TRACE
        return kept

    async def _number(self, items: Sequence[Item], write: _Write) -> tuple[list[Item], list[Item]]:
        """Write the next attempt of messages. Returns those that this run is at, and those that another one is at."""
        now = datetime.datetime.now(datetime.UTC)
        entries = [self._entry(item, None, now) for item in items]
        # Before, not after: who is stopped meanwhile may have written it.
        for item in items:
            item.attempt, item.is_noted = item.attempt + 1, True
        try:
            attempts = await write(entries, self._lease)
        except Exception as error:
            failure = self._fail("written", error)
            raise failure from failure.__cause__
        ours: list[Item] = []
        gone: list[Item] = []
        for item, attempt in zip(items, attempts, strict=True):
            if attempt == item.attempt:
                ours.append(item)
            else:
                item.attempt, item.is_noted = item.attempt - 1, False
                item.consult()
                gone.append(item)
        return ours, gone

    def reject(self, item: Item, error: InvalidArgumentError) -> None:
        """Report a message that cannot go out as it is."""
        item.hold_back(error)
        self._report([item])

    async def begin(self, items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
        """Write down that a request is about to leave.

        Returns:
            The messages that may, and those that another run is at.

        Raises:
            JournalError: It could not be written, so the request must not leave.
        """
        elsewhere: Sequence[Item] = []
        if self._journal is not None:
            now = asyncio.get_running_loop().time
            late = now() + LONGEST_BEGIN
            items, elsewhere = await self._number(items, self._journal.begin)
            if now() > late:
                await self._hold_back(items)
                return [], elsewhere
        at = datetime.datetime.now(datetime.UTC)
        for item in items:
            item.leave(at)
        return items, elsewhere

    async def _hold_back(self, items: Sequence[Item]) -> None:
        problem = f"the journal took more than {LONGEST_BEGIN:.0f} s to write that the request was about to leave"
        for item in items:
            item.fail(JournalError(problem))
        await self.settle(items)

    async def settle(self, items: Sequence[Item]) -> None:
        """Write down what became of messages, and report it."""
        try:
            noted = [item for item in items if item.is_noted]
            if noted and self._journal is not None:
                now = datetime.datetime.now(datetime.UTC)
                counted = await self._journal.settle([self._entry(item, item.outcome, now) for item in noted])
                late = [item for item, counts in zip(noted, counted, strict=True) if not counts]
                # Of what was not sent it may be that its beginning was never written.
                if missed := sum(item.outcome is not Outcome.NOT_SENT for item in late):
                    self._log.warning(
                        "send_many: of %d messages another run has gone on before it was known what became of them",
                        missed,
                    )
        except Exception as error:
            # What became of them is known all the same; but nothing more may leave.
            self._fail("written", error)
        finally:
            self._report(items)

    def _report(self, items: Iterable[Item], *, from_journal: bool = False) -> None:
        self.news.set()
        for item in items:
            if self.open.pop(item.index, None) is None:
                continue
            error = item.error
            if error is not None and error.gateway is None:
                error.gateway, error.operation = self._gateway, "send_many"
            if error is not None and item.outcome is Outcome.UNKNOWN:
                error = _tell_reference(error, item)
            self.unread.append(
                SendReport(
                    item.index, item.message, item.outcome, item.message_id, error, item.reference, from_journal,
                    item.is_cut_short,
                )
            )  # fmt: skip
            if item.outcome is Outcome.SENT:
                self._sent += 1
            else:
                self._others[item.outcome] += 1
            if self._progress is not None:
                self._tell_progress(self._progress)

    def _tell_progress(self, progress: Callable[[Progress], object]) -> None:
        try:
            progress(self.counts)
        except Exception as error:
            self._log.error("send_many: progress failed with %s and is not called again", type(error).__name__)
            self._progress = None

    def _entry(self, item: Item, outcome: Outcome | None, now: datetime.datetime) -> JournalEntry:
        error = None if outcome in (None, Outcome.SENT) else item.error
        return JournalEntry(
            item.key, item.index, self._gateway, item.number, item.message, self._account, outcome, item.attempt,
            item.reference, item.message_id,
            type(error).__name__ if error else None, str(error.args[0]) if error else None,
            # Another run must not take for fresh what has only been asked for in vain.
            at=item.left_at or now if outcome is Outcome.UNKNOWN else now,
        )  # fmt: skip

    def _fail(self, what: str, error: Exception) -> JournalError:
        if isinstance(error, JournalError):
            self.failure = error
        else:
            self.failure = JournalError(f"the journal cannot be {what} ({type(error).__name__})")
            self.failure.__cause__ = error
        return self.failure


def _tell_reference(error: PayamakError, item: Item) -> PayamakError:
    """The error for one message: those of its request share it, but are asked for each by its own reference."""
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    own.references = () if item.reference is None else (item.reference,)
    own.at = item.left_at
    return own


def _as_it_travels(item: Item) -> OutgoingMessage:
    """The message, as others with its check id are compared with it. What is known by its content need not be."""
    return item.message if item.message.check_id is None else attrs.evolve(item.message, to=item.number)


def _blame(item: Item, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"messages[{item.index}]: {problem}", argument=f"messages[{item.index}]")
