"""Journals that a test can look into, and that fail or are cut off when it wants."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from payamak.common import Journal, JournalEntry, Outcome, OutgoingMessage


class MemoryJournal:
    """A journal of one's own, as short as it can be."""

    def __init__(self) -> None:
        self.entries: dict[str, JournalEntry] = {}

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        found = {key: self.entries[key] for key in wanted if key in self.entries}
        return {key: _compare(entry, wanted[key], account) for key, entry in found.items()}

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return [self._number(entry, attrs.evolve(entry, lease=lease)) for entry in entries]

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return [self._number(entry, self.entries[entry.key]) for entry in entries]

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        return [self._settle(entry) for entry in entries]

    def _number(self, entry: JournalEntry, new: JournalEntry) -> int | None:
        known = self.entries.get(entry.key)
        if known is not None and (known.attempt != entry.attempt or known.outcome is Outcome.SENT):
            return None
        self.entries[entry.key] = attrs.evolve(new, attempt=entry.attempt + 1)
        return entry.attempt + 1

    def _settle(self, entry: JournalEntry) -> bool:
        known = self.entries.get(entry.key)
        if known is None or known.attempt != entry.attempt or known.outcome not in (None, Outcome.UNKNOWN):
            return False
        self.entries[entry.key] = attrs.evolve(entry, lease=known.lease)
        return True


def _compare(entry: JournalEntry, wanted: OutgoingMessage, account: str) -> JournalEntry:
    known = entry.message and attrs.evolve(entry.message, to=entry.recipient)
    is_same = wanted.check_id is None or wanted == known
    return attrs.evolve(
        entry, message=entry.message if is_same else None, account=account if entry.account == account else ""
    )


class KilledJournal:
    """Around a journal: no outcome is written but those of some kinds, as if the process had been killed before."""

    def __init__(self, inner: Journal, *, keeps: Collection[Outcome] = ()) -> None:
        self._inner = inner
        self._keeps = keeps
        self.read = inner.read
        self.begin = inner.begin
        self.take_over = inner.take_over

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        await self._inner.settle([entry for entry in entries if entry.outcome in self._keeps])
        return [True] * len(entries)


class FailingJournal:
    """Around a journal: from the so manieth time on, reading or writing fails; or only that once."""

    def __init__(
        self,
        inner: Journal,
        error: Exception,
        *,
        reads: int | None = None,
        writes: int | None = None,
        once: bool = False,
    ) -> None:
        self._inner = inner
        self._error = error
        self._left = {"reads": reads, "writes": writes}
        self._once = once

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        self._count("reads")
        return await self._inner.read(wanted, account)

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        self._count("writes")
        return await self._inner.begin(entries, lease)

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        self._count("writes")
        return await self._inner.settle(entries)

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        self._count("writes")
        return await self._inner.take_over(entries, lease)

    def _count(self, what: str) -> None:
        left = self._left[what]
        if left == 0:
            self._left[what] = None if self._once else 0
            raise self._error
        if left is not None:
            self._left[what] = left - 1


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the file as anybody would, while it is in use or not."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def contents(path: Path) -> bytes:
    """All that is in the file and in those beside it."""
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")))
