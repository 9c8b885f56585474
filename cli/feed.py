"""Opens what `send-many` reads: a file, or a pipe that may pause."""

from __future__ import annotations

import asyncio
import contextlib
import stat
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from pathlib import Path

from .exits import CommandError
from .headings import Choice
from .rows import Row
from .table import Table

_MOST_WAITING = 1000


def is_file(source: Path | None) -> bool:
    """Whether a source can be read twice. ``None`` is standard input."""
    try:
        return source is not None and stat.S_ISREG(source.stat().st_mode)
    except OSError as error:
        raise CommandError(f"{source}: {error.strerror}") from None


@contextlib.contextmanager
def open_table(source: Path | None, choice: Choice) -> Generator[Table]:
    """Open a source and read its header.

    Args:
        source: The file; ``None`` for standard input.
        choice: What its headings need not say.

    Raises:
        CommandError: It cannot be opened, or is no table.
    """
    try:
        # Not `sys.stdin`: a thread that waits for it would keep the interpreter from ending.
        stream = open(0, "rb", closefd=False) if source is None else source.open("rb")  # noqa: SIM115 -- see below
    except OSError as error:
        raise CommandError(f"{source or 'standard input'}: {error.strerror}") from None
    try:
        yield Table(stream, choice)
    finally:
        # To close a pipe is to wait for whoever still reads it, so that is left to the end of the process.
        if is_file(source):
            stream.close()


async def read_beside(rows: Iterable[Row], is_wanted: Callable[[Row], bool]) -> AsyncGenerator[Row]:
    """Read rows in a thread, so that a pipe that pauses does not hold up what is in flight.

    Args:
        rows: The rows.
        is_wanted: Says in the event loop, not in that thread, which of them to yield.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Row | BaseException | None] = asyncio.Queue(_MOST_WAITING)

    def hand_over(entry: Row | BaseException | None) -> None:
        asyncio.run_coroutine_threadsafe(waiting.put(entry), loop).result()

    def read() -> None:
        # The loop may be gone when the pipe goes on.
        with contextlib.suppress(RuntimeError):
            try:
                for row in rows:
                    hand_over(row)
            except Exception as error:
                hand_over(error)
            else:
                hand_over(None)

    # A thread that nobody waits for, because nobody knows when the pipe goes on.
    threading.Thread(target=read, daemon=True).start()
    while (entry := await waiting.get()) is not None:
        if isinstance(entry, BaseException):
            raise entry
        if is_wanted(entry):
            yield entry
