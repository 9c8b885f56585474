"""The messages that are open, each settled exactly once: in the journal, then in a report."""

from __future__ import annotations

import asyncio
import collections
import logging
from collections.abc import Callable, Sequence

from .carrier import Item
from .errors import InvalidArgumentError, JournalError, Outcome
from .journal import Journal, JournalEntry
from .results import Progress, SendReport


class Register:
    """Knows which messages are open.

    Args:
        gateway: The gateway's package name.
        journal: Where to write down what is done, if anywhere.
        progress: Called with the counts after each report.
        total: How many messages there are, if known.
        log: For a ``progress`` that fails.
    """

    def __init__(
        self,
        gateway: str,
        journal: Journal | None,
        progress: Callable[[Progress], object] | None,
        total: int | None,
        log: logging.Logger,
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._progress = progress
        self._total = total
        self._log = log
        self._sent = 0
        self._others = collections.Counter[Outcome]()
        self._keys: dict[str, int] = {}
        self.open: dict[int, Item] = {}
        """Messages that were taken from the source and not yet reported, by index."""
        self.reports: collections.deque[SendReport] = collections.deque()
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

    async def admit(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        """Enter messages, and settle those of which the journal knows enough.

        Returns:
            Those that may go out, and those whose request had left in an earlier run.
        """
        self.open.update((item.index, item) for item in items)
        if self._journal is None:
            return list(items), []
        unique = [item for item in items if not self._is_duplicate(item)]
        for item in unique:
            item.outcome = Outcome.UNKNOWN  # Until the journal has told whether an earlier run sent it.
        try:
            known = await self._journal.read({item.key: item.message for item in unique})
        except Exception as error:
            raise self._fail("read", error) from error
        fresh: list[Item] = []
        lost: list[Item] = []
        for item in unique:
            entry = known.get(item.key)
            if entry is None or (entry.message is not None and entry.is_open):
                item.outcome = Outcome.NOT_SENT
                fresh.append(item)
            elif entry.message is None:
                item.outcome = Outcome.NOT_SENT
                self.reject(item, _explain(item, f"the journal knows another message by the same key: {_ADVICE}"))
            elif entry.outcome in (Outcome.SENT, Outcome.REFUSED):
                item.outcome, item.error = entry.outcome, entry.make_error()
                item.message_id, item.reference = entry.message_id, entry.reference
                self._report(item, from_journal=True)
            else:
                item.outcome, item.error, item.left_at = Outcome.UNKNOWN, entry.make_error(), entry.at
                # Another gateway's reference leads nowhere.
                item.reference = entry.reference if entry.gateway == self._gateway else None
                item.can_be_asked_for = entry.gateway == self._gateway
                lost.append(item)
        return fresh, lost

    def _is_duplicate(self, item: Item) -> bool:
        if self._keys.setdefault(item.key, item.index) != item.index:
            self.reject(item, _explain(item, "its check_id is that of another message, which is on its way"))
            return True
        return False

    def reject(self, item: Item, error: InvalidArgumentError) -> None:
        """Report a message that cannot go out as it is."""
        item.error = error
        self.open[item.index] = item
        self._report(item)

    async def begin(self, items: Sequence[Item]) -> None:
        """Write down that a request is about to leave.

        Raises:
            JournalError: It could not be written, so the request must not leave.
        """
        if self._journal is not None:
            # Before, not after: who is stopped meanwhile may have written it.
            for item in items:
                item.is_noted = True
            try:
                await self._journal.write([self._entry(item, None) for item in items])
            except Exception as error:
                raise self._fail("written", error) from error
        for item in items:
            item.outcome = Outcome.UNKNOWN

    async def settle(self, items: Sequence[Item]) -> None:
        """Write down what became of messages, and report it."""
        noted = [item for item in items if item.is_noted or item.left_at is not None]
        try:
            if self._journal is not None and noted:
                await self._journal.write([self._entry(item, item.outcome) for item in noted])
        except Exception as error:
            # What became of them is known all the same; but nothing more may leave.
            self._fail("written", error)
        finally:
            for item in items:
                self._report(item)

    def _report(self, item: Item, *, from_journal: bool = False) -> None:
        if self.open.pop(item.index, None) is None:
            return
        if self._journal is not None and self._keys.get(item.key) == item.index:
            del self._keys[item.key]
        if item.error is not None and item.error.gateway is None:
            item.error.gateway, item.error.operation = self._gateway, "send_many"
        self.reports.append(
            SendReport(
                item.index, item.message, item.outcome, item.message_id, item.error, item.reference, from_journal
            )
        )
        if item.outcome is Outcome.SENT:
            self._sent += 1
        else:
            self._others[item.outcome] += 1
        self.news.set()
        if self._progress is not None:
            try:
                self._progress(self.counts)
            except Exception as error:
                self._log.error("send_many: progress failed with %s and is not called again", type(error).__name__)
                self._progress = None

    def _entry(self, item: Item, outcome: Outcome | None) -> JournalEntry:
        error = None if outcome in (None, Outcome.SENT) else item.error
        return JournalEntry(
            item.key, item.index, self._gateway, item.message, outcome, item.reference, item.message_id,
            type(error).__name__ if error else None, str(error.args[0]) if error else None,
        )  # fmt: skip

    def _fail(self, what: str, error: Exception) -> JournalError:
        if isinstance(error, JournalError):
            self.failure = error
        else:
            self.failure = JournalError(f"the journal cannot be {what} ({type(error).__name__})")
            self.failure.__cause__ = error
        return self.failure


_ADVICE = "give the same messages in the same order, or a check_id to each, or take a new journal"


def _explain(item: Item, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"messages[{item.index}]: {problem}", argument=f"messages[{item.index}]")
