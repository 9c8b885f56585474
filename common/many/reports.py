"""The messages that are open, each settled exactly once: in the journal, then in a report."""

from __future__ import annotations

import asyncio
import collections
import copy
import datetime
import logging
from collections.abc import Callable, Iterable, Sequence

from ..errors import InvalidArgumentError, JournalError, Outcome, PayamakError
from ..results import Progress, SendReport
from .items import Item
from .journal import Journal, JournalEntry


class Reports:
    """Knows which messages are open, and reports each once.

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
        self._is_other_input = False
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

    async def admit(self, items: list[Item]) -> tuple[list[Item], list[Item]]:
        """Enter messages, and settle those of which the journal knows enough.

        Returns:
            Those that may go out, and those whose request had left in an earlier run.
        """
        self.enter(items)
        if self._journal is None:
            return items, []
        unique = [item for item in items if not self._is_duplicate(item)]
        try:
            known = await self._journal.read({item.key: item.message for item in unique})
        except Exception as error:
            raise self._fail("read", error) from error
        strange = {key for key, entry in known.items() if entry.message is None}
        # If one message stands elsewhere, so may those that the journal does not know: they may have gone out already.
        self._is_other_input |= any(item.message.check_id is None for item in unique if item.key in strange)
        fresh: list[Item] = []
        lost: list[Item] = []
        for item in unique:
            entry = known.get(item.key)
            if item.key in strange:
                self.reject(item, _blame(item, f"the journal knows another message by the same key: {_ADVICE}"))
                continue
            is_in_doubt = entry is not None and entry.outcome in (None, Outcome.UNKNOWN)
            if entry is not None and is_in_doubt and entry.gateway != self._gateway:
                # Its reference leads nowhere here, and stays in the journal for a run that can ask there.
                item.lose(entry.make_error())
                self._report([item])
                continue
            item.recall(entry)
            if item.outcome is Outcome.UNKNOWN:
                lost.append(item)
            elif item.outcome is not Outcome.NOT_SENT:
                self._report([item], from_journal=True)
            elif self._is_other_input and item.message.check_id is None:
                self.reject(item, _blame(item, f"the input is not that of the journal: {_ADVICE}"))
            else:
                fresh.append(item)
        return fresh, lost

    def _is_duplicate(self, item: Item) -> bool:
        item.is_keyed = self._keys.setdefault(item.key, item.index) == item.index
        if not item.is_keyed:
            self.reject(item, _blame(item, "its check_id is that of another message, which is on its way"))
        return not item.is_keyed

    def reject(self, item: Item, error: InvalidArgumentError) -> None:
        """Report a message that cannot go out as it is."""
        item.hold_back(error)
        self.open[item.index] = item
        self._report([item])

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
        now = datetime.datetime.now(datetime.UTC)
        for item in items:
            item.leave(now)

    async def settle(self, items: Sequence[Item]) -> None:
        """Write down what became of messages, and report it."""
        try:
            if self._journal is not None:
                noted = [item for item in items if item.is_noted or item.left_at is not None]
                if noted:
                    await self._journal.write([self._entry(item, item.outcome) for item in noted])
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
            if item.is_keyed:
                del self._keys[item.key]
            error = item.error
            if error is not None and error.gateway is None:
                error.gateway, error.operation = self._gateway, "send_many"
            if error is not None and item.outcome is Outcome.UNKNOWN:
                error = _tell_reference(error, item)
            self.unread.append(
                SendReport(item.index, item.message, item.outcome, item.message_id, error, item.reference, from_journal)
            )
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

    def _entry(self, item: Item, outcome: Outcome | None) -> JournalEntry:
        error = None if outcome in (None, Outcome.SENT) else item.error
        now = datetime.datetime.now(datetime.UTC)
        return JournalEntry(
            item.key, item.index, self._gateway, item.message, outcome, item.reference, item.message_id,
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


_ADVICE = "give the same messages in the same order (and the same hash_key), or a check_id to each"


def _blame(item: Item, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"messages[{item.index}]: {problem}", argument=f"messages[{item.index}]")
