"""Sends messages until all are sent, or a signal says to end."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from collections import Counter
from collections.abc import Callable, Generator

import attrs

from ..common import (
    AuthenticationError,
    GatewayError,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    SendMany,
    SendReport,
)
from .exits import ExitCode, describe_error, find_words, log_words
from .selection import LeftOut

_MOST_WORDS = 100
"""More sentences of a gateway's than this are not told."""
# No document tells how the gateway says that a number is no contact, so by what it must say.
_NO_CONTACT = re.compile("(مخاطب|عضو).*(یافت|نیست|نشده|ندارد)")


@attrs.define
class Tally:
    """What became of the messages of one command."""

    counts: dict[Outcome, int] = attrs.field(factory=lambda: dict.fromkeys(Outcome, 0))
    earlier: int = 0
    """How many of them an earlier run had settled."""
    left: int = 0
    """How many left now."""
    left_out: Counter[LeftOut] = attrs.field(factory=Counter[LeftOut])
    """How many rows were not even tried."""
    first_failure: str | None = None
    """Why the first one that failed did."""
    signal: int | None = None
    """The signal that ended it."""
    _refused_login: bool = False
    _words: set[str] = attrs.field(factory=set[str])

    def count(self, report: SendReport, reason: str | None) -> None:
        """Count one message."""
        self.counts[report.outcome] += 1
        self.earlier += report.from_journal
        self.left += not report.from_journal and report.outcome is not Outcome.NOT_SENT
        self.first_failure = self.first_failure or reason
        self._refused_login |= isinstance(report.error, AuthenticationError)
        words = find_words(report.error)
        # The same sentence a million times tells no more; a gateway that quotes makes a new one each time.
        if words and len(self._words) < _MOST_WORDS and words not in self._words:
            self._words.add(words)
            log_words(report.error)

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    @property
    def failures(self) -> str:
        """What went wrong, in a few words; empty if nothing did."""
        return ", ".join(
            f"{count} {outcome.value}"
            for outcome, count in self.counts.items()
            if count and outcome is not Outcome.SENT
        )

    @property
    def is_settled(self) -> bool:
        """Whether there was nothing to do, because it had been done."""
        settled = self.earlier + self.left_out.total()
        return bool(settled) and settled == self.total + self.left_out.total()

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        if self.signal is not None:
            return ExitCode.of_signal(self.signal)
        if self.counts[Outcome.UNKNOWN] or self.left_out[LeftOut.UNKNOWN]:
            return ExitCode.UNKNOWN
        if self.is_settled:
            return ExitCode.SETTLED
        if self._refused_login:
            return ExitCode.SETTINGS
        return ExitCode.REFUSED if self.failures else ExitCode.DONE


def describe_failure(report: SendReport) -> str | None:
    """Why a message was not sent, or why nobody knows; ``None`` if it was sent."""
    if report.error is None:
        return None
    if isinstance(report.error, InvalidArgumentError):
        return describe_error(report.error)
    return f"{type(report.error).__name__}: {describe_error(report.error)}{_advise(report.error)}"


def _advise(error: PayamakError) -> str:
    """What to do about a refusal that only the gateway's sentence explains; empty if that is not known."""
    if error.gateway == "smsir" and isinstance(error, GatewayError) and _NO_CONTACT.search(error.gateway_message or ""):
        return "; sms.ir sends to your contacts only: add the number in the panel, or by contacts.add"
    return ""


async def send_all(sending: SendMany, take: Callable[[SendReport], None]) -> int | None:
    """Send, and hand over each report.

    After a signal that asks for an end nothing more leaves; what is in flight is waited for a while. A second one ends
    that too.

    Returns:
        The signal that ended it, if one did.
    """
    caught: list[int] = []
    consuming = asyncio.create_task(_consume(sending, take))

    def end(number: int) -> None:
        if caught and signal.Signals(number).name == "SIGHUP":
            return  # The shell and the system both tell that a terminal is gone.
        caught.append(number)
        if len(caught) == 1:
            consuming.cancel()
        else:
            # Once it has felt the first: two that come together must not become one.
            asyncio.get_running_loop().call_soon(consuming.cancel)

    with _handle_signals(end):
        try:
            await asyncio.wait({consuming})
        except asyncio.CancelledError:
            # Where signals cannot be handled, asyncio itself cancels this on Ctrl-C.
            end(signal.SIGINT)
            await asyncio.wait({consuming})
    if not consuming.cancelled():
        consuming.result()
        return None
    for report in sending.unread:
        take(report)
    return caught[0]


async def _consume(sending: SendMany, take: Callable[[SendReport], None]) -> None:
    async with sending:
        async for report in sending:
            take(report)


@contextlib.contextmanager
def _handle_signals(end: Callable[[int], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    numbers = _list_signals()
    with contextlib.suppress(NotImplementedError):
        for number in numbers:
            loop.add_signal_handler(number, end, number)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)


def _list_signals() -> list[signal.Signals]:
    """The signals that end a command, of those that the system has."""
    numbers = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP") if hasattr(signal, name)]
    # Who says `nohup` wants it to outlive the terminal.
    return [number for number in numbers if number.name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN]
