"""Journals that a test can look into, and that fail or are cut off when it wants."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from payamak.common import Journal, JournalEntry, Outcome, OutgoingMessage
from payamak.common.client import GatewayClient
from payamak.common.many.keys import KeyMaker
from payamak.common.numbers import normalize_recipient

from .sentinels import CHECK_ID, PHONE, TEXT

MESSAGE = OutgoingMessage(PHONE, TEXT, "10008566", check_id=CHECK_ID)
ACCOUNT = "an account"
HASH_KEY = b"sixteen bytes ok"
OPEN = (None, Outcome.UNKNOWN)
"""What a message is while an attempt of it may still come to something."""


class MemoryJournal:
    """A journal of one's own, as short as it can be."""

    def __init__(self) -> None:
        self.entries: dict[str, JournalEntry] = {}
        self._leased_until: dict[str, float] = {}

    async def read(self, wanted: Mapping[str, OutgoingMessage], account: str) -> Mapping[str, JournalEntry]:
        found = {
            key: attrs.evolve(self.entries[key], lease=self._lease_left(key)) for key in wanted if key in self.entries
        }
        return {key: _compare(entry, wanted[key], account) for key, entry in found.items()}

    async def list_references(self) -> Collection[str]:
        sent = [entry.reference for entry in self.entries.values() if entry.outcome is Outcome.SENT]
        return {reference for reference in sent if reference is not None}

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return [self._begin(entry, lease) for entry in entries]

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return [self._take_over(entry, lease) for entry in entries]

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        return [self._settle(entry) for entry in entries]

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        return [self._claim(entry) for entry in entries]

    def _claim(self, entry: JournalEntry) -> bool:
        known = self.entries.get(entry.key)
        others = [other.message_id for key, other in self.entries.items() if key != entry.key]
        if known is None or known.attempt != entry.attempt or known.outcome not in OPEN or entry.message_id in others:
            return False
        self.entries[entry.key] = attrs.evolve(known, message_id=entry.message_id)
        return True

    def _begin(self, entry: JournalEntry, lease: float) -> int | None:
        known = self.entries.get(entry.key)
        if known is not None and (known.attempt != entry.attempt or known.outcome is Outcome.SENT):
            return None
        return self._number(entry, lease)

    def _take_over(self, entry: JournalEntry, lease: float) -> int | None:
        known = self.entries.get(entry.key)
        if known is None or known.attempt != entry.attempt or known.outcome not in OPEN or self._lease_left(entry.key):
            return None
        return self._number(known, lease)

    def _number(self, entry: JournalEntry, lease: float) -> int:
        self.entries[entry.key] = attrs.evolve(entry, attempt=entry.attempt + 1)
        self._leased_until[entry.key] = asyncio.get_running_loop().time() + lease
        return entry.attempt + 1

    def _lease_left(self, key: str) -> float:
        return max(0.0, self._leased_until.get(key, 0.0) - asyncio.get_running_loop().time())

    def _settle(self, entry: JournalEntry) -> bool:
        known = self.entries.get(entry.key)
        if known is None or known.attempt != entry.attempt or known.outcome not in OPEN:
            return False
        self.entries[entry.key] = entry
        self._leased_until.pop(entry.key, None)
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
        self.list_references = inner.list_references
        self.claim = inner.claim

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return await self._inner.begin(entries, 0.0)  # Who is dead has no lease.

    async def take_over(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        return await self._inner.take_over(entries, 0.0)

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

    async def list_references(self) -> Collection[str]:
        self._count("reads")
        return await self._inner.list_references()

    async def begin(self, entries: Sequence[JournalEntry], lease: float) -> Sequence[int | None]:
        self._count("writes")
        return await self._inner.begin(entries, lease)

    async def settle(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        self._count("writes")
        return await self._inner.settle(entries)

    async def claim(self, entries: Sequence[JournalEntry]) -> Sequence[bool]:
        self._count("writes")
        return await self._inner.claim(entries)

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


def entry_for(
    client: GatewayClient, message: OutgoingMessage, outcome: Outcome | None = None, **fields: Any
) -> JournalEntry:
    """What an earlier run of a client has written of a message that was the first of its like."""
    number = normalize_recipient(message.to, "to")
    with contextlib.closing(KeyMaker()) as keys:
        ((key, _),) = keys.make([(number, message)])
    return JournalEntry(key, 0, client.gateway, number, message, client.account_hash, outcome, **fields)


def entry(index: int, outcome: Outcome | None = None, **fields: Any) -> JournalEntry:
    """An entry that is known by its content, unless another key is given."""
    given: dict[str, Any] = {
        "key": f"content {index}",
        "recipient": PHONE,
        "message": MESSAGE,
        "account": ACCOUNT,
        **fields,
    }
    return JournalEntry(index=index, gateway="ghasedak", outcome=outcome, **given)


async def begin(journal: Journal, *indexes: int, lease: float = 0.0) -> Sequence[int | None]:
    return await journal.begin([entry(index) for index in indexes], lease)


async def read(journal: Journal, *indexes: int) -> Mapping[str, JournalEntry]:
    """What is known, without the lease: that grows shorter."""
    return {key: attrs.evolve(found, lease=0.0) for key, found in (await read_leased(journal, *indexes)).items()}


async def read_leased(journal: Journal, *indexes: int) -> Mapping[str, JournalEntry]:
    return await journal.read({f"content {index}": MESSAGE for index in indexes}, ACCOUNT)


async def put(journal: Journal, *entries: JournalEntry, lease: float = 0.0) -> None:
    """Let a journal come to hold entries that it does not have yet."""
    attempts = await journal.begin([attrs.evolve(entry, outcome=None) for entry in entries], lease)
    numbered = [
        attrs.evolve(entry, attempt=attempt) for entry, attempt in zip(entries, attempts, strict=True) if attempt
    ]
    assert len(numbered) == len(entries)
    assert all(await journal.settle([entry for entry in numbered if entry.outcome is not None]))


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
