"""The live stream of `GET /emulator/events`: what was sent and how it fares, the clock and the faults, as they change.

Nothing announces a change. Each listener's own loop looks a few times a second and tells what is new to it. So what a
test changes by hand shows too, a listener that is slow gets the same in fewer pieces with nothing queued up for it,
and nothing runs while nobody listens.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from typing import Any

from aiohttp import web

from .clock import Clock
from .faults import FaultQueue
from .ledger import Ledger, Message

EVENTS_PATH = "/emulator/events"
_MAX_LISTENERS = 32
_MAX_MESSAGES = 500
"""In one event. The next one follows at once."""
_MAX_LOOKED_AT = 2000
"""Of the messages under way, in one look: nobody else is served meanwhile. The others have their turn in the next."""
_PAUSE = 0.1
_REST = 9
"""A listener rests at least so many times as long as its last look took, however many messages are under way."""
_HEARTBEAT = 15.0
_COMMENT = b":\n\n"
"""Written after so many seconds of silence: nothing else tells that the other machine is gone."""
_PATIENCE = 10.0
"""Seconds that a listener may take to read what was written to it."""
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_EVENT_ID = re.compile(r"([0-9a-f]+):([0-9]{1,12})")
_Standing = tuple[str, int | str]


class Listener:
    """What one listener has been told, and from that what is new to it."""

    def __init__(self, clock: Clock, ledger: Ledger, faults: FaultQueue, last_event_id: str = "") -> None:
        self._clock = clock
        self._ledger = ledger
        self._faults = faults
        self._epoch = ledger.epoch
        self._told: dict[int, _Standing | None] = {}
        self._next = 0
        self._dropped = 0
        self._open: dict[int, Message] = {}
        self._told_offset: float | None = None
        self._told_faults: list[dict[str, object]] | None = None
        shown = _EVENT_ID.fullmatch(last_event_id)
        if shown is not None and shown[1] == self._epoch:
            # It has the messages, but nobody knows which of their states.
            self._next = min(int(shown[2]), ledger.taken)
            self._told = dict.fromkeys(range(ledger.dropped, self._next))

    @property
    def event_id(self) -> str:
        """What a listener that comes back shows, so as not to be told everything again."""
        return f"{self._epoch}:{self._next}"

    def look(self) -> dict[str, Any]:
        """What is new. `first` is the place of the first of the `messages`; `states` name messages by their place;
        `dropped` says how many at the front are gone."""
        news: dict[str, Any] = {}
        if self._epoch != self._ledger.epoch:
            self._epoch = self._ledger.epoch
            self._told, self._open, self._next, self._dropped = {}, {}, 0, 0
            news["epoch"] = self._epoch
        if self._told_offset != self._clock.offset:
            self._told_offset = self._clock.offset
            self._open = {message.place: message for message in self._ledger.between(0, self._next)}
            news["clock"] = {"now": self._clock.now().isoformat(), "offset": self._told_offset}
        faults = self._faults.to_list()
        if self._told_faults != faults:
            self._told_faults = news["faults"] = faults
        if self._dropped != self._ledger.dropped:
            self._forget_dropped()
            news["dropped"] = self._dropped
        if states := self._new_states():
            news["states"] = states
        first = self._next
        if messages := self._new_messages():
            news.update(first=first, messages=messages, more=self._next < self._ledger.taken)
        return news and {"epoch": self._epoch, **news}

    def _forget_dropped(self) -> None:
        for place in range(self._dropped, min(self._ledger.dropped, self._next)):
            self._told.pop(place, None)
            self._open.pop(place, None)
        self._dropped = self._ledger.dropped
        self._next = max(self._next, self._dropped)

    def _new_states(self) -> list[tuple[int, str, int | str]]:
        states: list[tuple[int, str, int | str]] = []
        for place, message in list(itertools.islice(self._open.items(), _MAX_LOOKED_AT)):
            standing = self._standing(place, message)
            if self._told[place] != standing:
                self._told[place] = standing
                states.append((place, *standing))
        return states

    def _new_messages(self) -> list[dict[str, object]]:
        messages: list[dict[str, object]] = []
        for message in self._ledger.between(self._next, self._next + _MAX_MESSAGES):
            state, status = self._standing(message.place, message)
            self._told[message.place] = state, status
            self._next = message.place + 1
            messages.append({**message.to_dict(), "state": state, "status": status})
        return messages

    def _standing(self, place: int, message: Message) -> _Standing:
        # Asked in this order: time passes in between, and what was settled before it was read is the last word.
        self._open.pop(place, None)
        if not message.is_settled:
            self._open[place] = message  # At the end, so that each has its turn.
        return message.state, message.status


class Live:
    """Serves the stream to a bounded number of listeners."""

    def __init__(self, clock: Clock, ledger: Ledger, faults: FaultQueue) -> None:
        self._clock = clock
        self._ledger = ledger
        self._faults = faults
        self._listeners = 0

    @property
    def listeners(self) -> int:
        """How many listen at this moment."""
        return self._listeners

    async def stream(self, request: web.Request, stopping: asyncio.Event) -> web.StreamResponse:
        """Tell one listener what happens until it goes away or the emulator stops."""
        if request.method != "GET":
            return web.Response(status=405, text="Events are for GET.\n", headers={"Allow": "GET"})
        if self._listeners >= _MAX_LISTENERS:
            return web.Response(status=503, text="Too many pages listen already.\n", headers={"Retry-After": "5"})
        listener = Listener(self._clock, self._ledger, self._faults, request.headers.get("Last-Event-ID", ""))
        response = web.StreamResponse(headers=_HEADERS)
        self._listeners += 1
        try:
            await response.prepare(request)
            await _write(response, b"retry: 1000\n\n")
            await _tell(request, response, listener, stopping)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._listeners -= 1
        return response


async def _tell(
    request: web.Request, response: web.StreamResponse, listener: Listener, stopping: asyncio.Event
) -> None:
    spoke_at = time.monotonic()
    while not stopping.is_set() and request.transport is not None and not request.transport.is_closing():
        started_at = time.monotonic()
        news = listener.look()
        took = time.monotonic() - started_at
        if news or started_at - spoke_at > _HEARTBEAT:
            await _write(response, _event(listener, news) if news else _COMMENT)
            spoke_at = started_at
        if not news.get("more"):
            await _pause(stopping, max(_PAUSE, _REST * took))


def _event(listener: Listener, news: dict[str, Any]) -> bytes:
    # JSON in ASCII: no text can break a line of the stream, or fail to be encoded.
    return f"id: {listener.event_id}\ndata: {json.dumps(news)}\n\n".encode()


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_PATIENCE):
        await response.write(data)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
