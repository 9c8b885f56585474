"""The tests' own clock does not jump over what a thread has just left for the event loop."""

from __future__ import annotations

import asyncio
import selectors
import threading

import pytest
from support.clock import QuickLoop


def test_a_thread_that_ends_right_after_a_quiet_look(monkeypatch: pytest.MonkeyPatch) -> None:
    look = selectors.DefaultSelector.select
    may_end = threading.Event()

    def look_and_let_end(
        selector: selectors.DefaultSelector, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        events = look(selector, timeout)
        if not events and timeout:
            may_end.set()
            worker.join()
        return events

    async def wait_for_it() -> str:
        return await asyncio.wait_for(asyncio.shield(done), 300)

    def work() -> None:
        may_end.wait()
        loop.call_soon_threadsafe(done.set_result, "done")

    loop = QuickLoop()
    done: asyncio.Future[str] = loop.create_future()
    worker = threading.Thread(target=work)
    monkeypatch.setattr(selectors.DefaultSelector, "select", look_and_let_end)
    worker.start()
    try:
        assert loop.run_until_complete(wait_for_it()) == "done"
    finally:
        loop.close()
