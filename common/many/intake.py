"""Reads the messages of `send_many` from whatever the caller gave, as slowly as they can be sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator


async def read_batches(
    source: Iterable[object] | AsyncIterable[object], size: int, gathered: list[object], *, linger: float
) -> AsyncGenerator[tuple[list[object], bool]]:
    """Read ``size`` entries at a time, or as many as the source has before it pauses.

    Args:
        source: What to read.
        size: The most at a time.
        linger: For how many seconds entries wait for more when an asynchronous source pauses.
        gathered: Holds what an asynchronous source has given and was not yielded, also after an early end.

    Yields:
        Entries, and whether the source made us wait after them. What was read before the source failed comes first.
    """
    if isinstance(source, AsyncIterable):
        async with contextlib.aclosing(_read_asynchronously(source, size, gathered, linger)) as batches:
            async for batch in batches:
                yield batch, len(batch) < size
        return
    iterator = iter(source)
    ended = False
    while not ended:
        entries: list[object] = []
        try:
            ended = not _fill(entries, iterator, size)
        except Exception:
            yield entries, True
            raise
        yield entries, ended
        # A source that never waits must not keep the event loop to itself.
        await asyncio.sleep(0)


def _fill(entries: list[object], iterator: Iterator[object], size: int) -> bool:
    """Append until there are enough, and return whether there may be more. If the source fails, what it gave stays."""
    for entry in iterator:
        entries.append(entry)
        if len(entries) == size:
            return True
    return False


async def _read_asynchronously(
    source: AsyncIterable[object], size: int, batch: list[object], linger: float
) -> AsyncGenerator[list[object]]:
    arrived, complete, taken = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read() -> None:
        try:
            async for entry in source:
                batch.append(entry)
                arrived.set()
                if len(batch) == size:
                    complete.set()
                    await taken.wait()
        finally:
            arrived.set()
            complete.set()

    reader = asyncio.create_task(read())
    is_full = False
    try:
        while not reader.done() or batch:
            with contextlib.suppress(TimeoutError):
                # What came with a full batch waits for company too, and not for ever.
                async with asyncio.timeout(linger if is_full else None):
                    await arrived.wait()
            if arrived.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(linger):
                        await complete.wait()
            entries, batch[:] = batch.copy(), ()
            if not reader.done():
                arrived.clear()
                complete.clear()
            taken.set()
            taken.clear()
            if entries or is_full:
                yield entries
            is_full = len(entries) == size
        await reader
    finally:
        reader.cancel()
        await asyncio.wait({reader})
        if not reader.cancelled():
            reader.exception()  # Or the event loop would write it into its log, with all that it quotes.
