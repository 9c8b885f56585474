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

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        found = {key: self.entries[key] for key in wanted if key in self.entries}
        return {
            key: entry if entry.message == wanted[key] else attrs.evolve(entry, message=None)
            for key, entry in found.items()
        }

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        self.entries.update((entry.key, entry) for entry in entries)


class KilledJournal:
    """Around a journal: no outcome is written but those of some kinds, as if the process had been killed before."""

    def __init__(self, inner: Journal, *, keeps: Collection[Outcome] = ()) -> None:
        self._inner = inner
        self._keeps = keeps

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        return await self._inner.read(wanted)

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        await self._inner.write([entry for entry in entries if entry.outcome is None or entry.outcome in self._keeps])


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

    async def read(self, wanted: Mapping[str, OutgoingMessage]) -> Mapping[str, JournalEntry]:
        self._count("reads")
        return await self._inner.read(wanted)

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        self._count("writes")
        await self._inner.write(entries)

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
