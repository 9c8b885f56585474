"""What error trackers write down of an exception: the locals of its frames, and of those of what hangs on it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import rich.traceback
import sentry_sdk
import sentry_sdk.envelope
import sentry_sdk.transport

from .sentinels import KEY, NEEDLES, PASSWORD, USERNAME, chain, leaks

CREDENTIALS = frozenset({KEY, PASSWORD, USERNAME, NEEDLES[-1]})
_TESTS = str(Path(__file__).resolve().parents[1]) + os.sep
_GATEWAYS = tuple(f"{os.sep}{name}{os.sep}" for name in ("ghasedak", "smsir", "opgateway", "advgateway"))


class Frame(NamedTuple):
    """A frame, as a tool shows it."""

    tool: str
    file: str
    function: str
    shown: str

    @property
    def is_of_the_user(self) -> bool:
        return self.file.startswith(_TESTS)

    @property
    def is_of_a_gateway(self) -> bool:
        """Whether it may hold the arguments of the user's own call, but for credentials."""
        return any(folder in self.file for folder in _GATEWAYS)


def find_leaks(error: BaseException) -> list[str]:
    """What frames of this library, and of all that it calls, show and must not."""
    return _judge(see_frames(error))


def find_leaks_of_the_stack() -> list[str]:
    """The same of this library's frames that run at this moment."""
    stack = [frame for frame, _ in traceback.walk_stack(None)]
    return _judge(
        Frame("python", frame.f_code.co_filename, frame.f_code.co_name, repr(frame.f_locals))
        for frame in stack
        if str(frame.f_globals.get("__name__")).startswith("payamak.")
    )


def _judge(frames: Iterable[Frame]) -> list[str]:
    return [
        f"{frame.tool}: {frame.file} {frame.function} shows {needle}: {frame.shown}"
        for frame in frames
        for needle in leaks(frame.shown)
        if needle in CREDENTIALS or not frame.is_of_a_gateway
    ]


def see_frames(error: BaseException) -> list[Frame]:
    """All of them, as each tool shows them, but for the user's."""
    frames = (*_see_as_python(error), *_see_as_rich(error), *_see_as_sentry(error))
    return [frame for frame in frames if not frame.is_of_the_user]


def _see_as_python(error: BaseException) -> Iterator[Frame]:
    for found in chain(error):
        for frame in traceback.TracebackException.from_exception(found, capture_locals=True).stack:
            yield Frame("python", os.path.realpath(frame.filename), frame.name, str(frame.locals))


def _see_as_rich(error: BaseException) -> Iterator[Frame]:
    """With all that it can show, and not only the first of what is long."""
    for found in chain(error):
        trace = rich.traceback.Traceback.extract(
            type(found), found, found.__traceback__, show_locals=True, locals_max_length=1000, locals_max_string=100_000
        )
        for frame in (frame for stack in trace.stacks for frame in stack.frames):
            shown = {name: str(value) for name, value in (frame.locals or {}).items()}
            yield Frame("rich", os.path.realpath(frame.filename), frame.name, str(shown))


class _Kept(sentry_sdk.transport.Transport):
    """Keeps what would go to Sentry."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: sentry_sdk.envelope.Envelope) -> None:
        self.events.append(envelope.get_event())


_kept = _Kept()
# Without integrations, which would change the process for all tests. Its own scrubber goes by names, and would hide
# what others find under another one.
_sentry = sentry_sdk.Client(
    transport=_kept, default_integrations=False, auto_enabling_integrations=False, event_scrubber=None
)


def _see_as_sentry(error: BaseException) -> Iterator[Frame]:
    with sentry_sdk.new_scope() as scope:
        scope.set_client(_sentry)
        scope.capture_exception(error)
    (event,) = _kept.events
    _kept.events.clear()
    for found in event["exception"]["values"]:
        stack: list[Any] = found["stacktrace"]["frames"] if "stacktrace" in found else []
        for frame in stack:
            yield Frame("sentry", os.path.realpath(frame["abs_path"]), frame["function"], str(frame.get("vars")))
