"""Runs waves in an event loop, and notes what the gateway could not be asked for."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import random
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs
from payamak.common.hooks import Attempt, AttemptReply, Proceed
from payamak.common.many import SendMany
from payamak.common.results import Progress, SendReport
from payamak.common.sqlite_journal import SqliteJournal

from .lanes import Lane, Wave

T = TypeVar("T")
_STUCK = 60.0
"""No wave takes so many seconds."""


@attrs.define
class Result:
    """What became of a wave.

    Attributes:
        wave: The wave.
        reports: All of its reports, taken or unread.
        earlier: Those of the run before that was left, if this one went on with its journal.
        failed_reads: How many reads (of a status, of a list) failed with all their attempts.
        problems: What is wrong with how it went.
    """

    wave: Wave
    reports: list[SendReport] = attrs.Factory(list[SendReport])
    earlier: list[SendReport] = attrs.Factory(list[SendReport])
    failed_reads: int = 0
    problems: list[str] = attrs.Factory(list[str])


_failed_reads: contextvars.ContextVar[set[str]] = contextvars.ContextVar("failed_reads")
_SENDS = ("send_to_many", "send_pairs", "messages.send_to_numbers")


async def note_failed_reads(attempt: Attempt, proceed: Proceed) -> AttemptReply:
    """A hook: a read whose last attempt failed leaves its id behind."""
    if attempt.operation in _SENDS:
        return await proceed()
    failed = _failed_reads.get()
    failed.add(attempt.operation_id)
    reply = await proceed()
    failed.discard(attempt.operation_id)
    return reply


class LeaveError(Exception):
    """What the body of a loop raises."""


async def run_wave(client: Any, wave: Wave) -> Result:
    """Run a wave to the end that it is meant to have. One with a journal is then run again, to its real end."""
    _failed_reads.set(set())
    if not wave.has_journal:
        return await _run_once(client, wave, None)
    with tempfile.TemporaryDirectory() as folder:
        async with SqliteJournal(f"{folder}/journal") as journal:
            result = await _run_once(client, wave, journal)
            if not wave.is_left:
                return result
            again = await _run_once(client, attrs.evolve(wave, ending="whole"), journal)
    again.problems += result.problems
    again.earlier = result.reports
    return again


async def _run_once(client: Any, wave: Wave, journal: SqliteJournal | None) -> Result:
    result = Result(wave)
    counted: list[Progress] = []
    sending: SendMany = client.send_many(wave.open_source(), progress=counted.append, journal=journal, **wave.options)
    try:
        async with asyncio.timeout(_STUCK):
            await _END[wave.ending](sending, wave, result.reports)
    except TimeoutError:
        result.problems.append(f"stuck after {len(result.reports)} of {len(wave.messages)} reports")
    except Exception as error:
        result.problems.append(f"raised {error!r}")
    result.reports += sending.unread
    result.failed_reads = len(_failed_reads.get())
    _check_progress(result, counted)
    return result


def _check_progress(result: Result, counted: Sequence[Progress]) -> None:
    done = [progress.done for progress in counted]
    if done != list(range(1, len(result.reports) + 1)):
        result.problems.append(f"{len(result.reports)} reports, but progress counted to {max(done, default=0)}")


async def _run_whole(sending: SendMany, _wave: Wave, reports: list[SendReport]) -> None:
    async for report in sending:
        reports.append(report)  # noqa: PERF401 -- what was read stays when the rest fails


async def _break(sending: SendMany, wave: Wave, reports: list[SendReport]) -> None:
    async with sending:
        async for report in sending:
            reports.append(report)
            if len(reports) > wave.stop_after:
                break


async def _raise(sending: SendMany, wave: Wave, reports: list[SendReport]) -> None:
    with contextlib.suppress(LeaveError):
        async with sending:
            async for report in sending:
                reports.append(report)
                if len(reports) > wave.stop_after:
                    raise LeaveError


async def _cancel(sending: SendMany, wave: Wave, reports: list[SendReport]) -> None:
    await _stop_from_outside(sending, wave, reports, lambda task: task.cancel())


async def _close(sending: SendMany, wave: Wave, reports: list[SendReport]) -> None:
    closing: list[asyncio.Task[None]] = []
    await _stop_from_outside(sending, wave, reports, lambda _: closing.append(asyncio.create_task(sending.aclose())))
    await asyncio.gather(*closing)


async def _stop_from_outside(
    sending: SendMany, wave: Wave, reports: list[SendReport], stop: Callable[[asyncio.Task[None]], object]
) -> None:
    async def read() -> None:
        async with sending:
            async for report in sending:
                reports.append(report)
                if len(reports) == wave.stop_after:
                    near.set()

    near = asyncio.Event()
    reader = asyncio.create_task(read())
    waiter = asyncio.create_task(near.wait())
    await asyncio.wait({reader, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    # Somewhere in the middle of something.
    await asyncio.sleep(random.Random(wave.seed).uniform(0, 0.3))  # noqa: S311
    stop(reader)
    with contextlib.suppress(asyncio.CancelledError):
        await reader


_END: dict[str, Callable[[SendMany, Wave, list[SendReport]], Coroutine[Any, Any, None]]] = {
    "whole": _run_whole,
    "break": _break,
    "raise": _raise,
    "cancel": _cancel,
    "close": _close,
}


class Worker:
    """An event loop in a thread of its own, with clients for each lane.

    Args:
        url: The emulator.
        loop_factory: Makes the event loop.
    """

    def __init__(self, url: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop_factory()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._url = url
        self._clients: dict[tuple[Lane, bool], Any] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._close_clients()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin something in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def run_waves(self, waves: Sequence[Wave], *, forgets_words: bool) -> tuple[list[Result], list[str]]:
        """Run waves at once.

        Args:
            waves: What to run.
            forgets_words: Whether Ghasedak keeps only check ids that are numbers. A client remembers whether it has
                seen others kept, so that such a gateway has a client of its own.

        Returns:
            Their results, and the tasks that are left afterwards.
        """
        results = await asyncio.gather(*(run_wave(self._client(wave.lane, forgets_words), wave) for wave in waves))
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        return results, [repr(task) for task in left]

    def _client(self, lane: Lane, forgets_words: bool) -> Any:
        key = lane, forgets_words and lane.gateway == "ghasedak"
        if key not in self._clients:
            self._clients[key] = lane.connect(self._url, note_failed_reads)
        return self._clients[key]

    async def _close_clients(self) -> None:
        for client in self._clients.values():
            await client.aclose()
