"""The handle that tests hold on the emulator. Nothing here imports the emulator, so that importing it costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar, Unpack

from .messages import SentMessages

if TYPE_CHECKING:
    from ..emulator import Emulator, Fault, InboxMessage, RequestRecord
    from ..emulator.advgateway import AdvGateway
    from ..emulator.ghasedak import GhasedakGateway
    from ..emulator.opgateway import OpGateway
    from ..emulator.smsir import SmsIrGateway
    from .thread import EmulatorThread

T = TypeVar("T")


class FaultArguments(TypedDict, total=False):
    """Which requests a fault befalls, and its own arguments; `payamak.emulator.faults.KINDS` tells
    which kind takes which."""

    times: int | None
    probability: float
    gateway: str | None
    path: str | None
    seconds: float
    status: int
    headers: Mapping[str, str]
    body: str
    content_type: str
    location: str
    size: int
    code: int
    message: str
    each: bool
    processed: bool


class OrderFault(Protocol):
    """``order_fault("drop_after_read")``: the type of the fixture of that name."""

    def __call__(self, kind: str, /, **arguments: Unpack[FaultArguments]) -> None:
        """Order a fault for the next requests that match it."""


class EmulatorClock:
    """The time by which messages arrive, tokens end and planned messages go out. Your own code's time is another."""

    def __init__(self, thread: EmulatorThread) -> None:
        self._thread = thread

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._thread.call(lambda emulator: emulator.clock.now())

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._thread.call(lambda emulator: emulator.clock.advance(seconds))

    def set(self, moment: datetime) -> None:
        """Jump to a moment, which must carry a time zone."""
        self._thread.call(lambda emulator: emulator.clock.set(moment))


class RunningEmulator:
    """The emulator of all four gateways, in a thread of its own. Every method may be called from any thread.

    Attributes:
        url: Scheme, host and port, without a slash at the end; below it, ``/emulator/`` is the control interface.
        ghasedak_url: The ``base_url`` for Ghasedak.
        smsir_url: The ``base_url`` for sms.ir.
        opgateway_url: The ``base_url`` for the op-driven gateway.
        advgateway_url: The ``base_url`` for the "advanced" gateway over SOAP.
        advgateway_rest_url: The ``base_url`` for the "advanced" gateway over JSON.
        clock: The time it goes by.
        sent_messages: What was sent since the last reset.
    """

    def __init__(self, thread: EmulatorThread) -> None:
        self._thread = thread
        self.url = thread.emulator.url
        self.ghasedak_url = thread.emulator.ghasedak_url
        self.smsir_url = thread.emulator.smsir_url
        self.opgateway_url = thread.emulator.opgateway_url
        self.advgateway_url = thread.emulator.advgateway_url
        self.advgateway_rest_url = thread.emulator.advgateway_rest_url
        self.clock = EmulatorClock(thread)
        self.sent_messages = SentMessages(
            lambda: self.call(lambda emulator: emulator.messages()), self._explain_what_came
        )

    def __repr__(self) -> str:
        return f"<RunningEmulator {self.url}>"

    @property
    def ghasedak(self) -> GhasedakGateway:
        """Account, switches, templates and phone book of Ghasedak. Set them before your code sends."""
        return self._thread.emulator.ghasedak

    @property
    def smsir(self) -> SmsIrGateway:
        """Account, switches, phone book, batches and tickets of sms.ir. Set them before your code sends."""
        return self._thread.emulator.smsir

    @property
    def opgateway(self) -> OpGateway:
        """Account, switches and phone books of the op-driven gateway. Set them before your code sends."""
        return self._thread.emulator.opgateway

    @property
    def advgateway(self) -> AdvGateway:
        """Account and switches of the "advanced" gateway. Set them before your code sends."""
        return self._thread.emulator.advgateway

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request to a gateway since the last reset, oldest first."""
        return self.call(lambda emulator: list(emulator.requests))

    @property
    def faults(self) -> list[dict[str, object]]:
        """Faults that are still to come, in order."""
        return self.call(lambda emulator: emulator.faults)

    def order_fault(self, kind: str, /, **arguments: Unpack[FaultArguments]) -> None:
        """Order a fault for the next requests that match it, after those ordered before.

        Args:
            kind: What goes wrong, such as ``drop_after_read`` (the message is sent, the answer is lost), ``hang``,
                ``status`` or ``delay``; `payamak.emulator.faults.KINDS` has all of them.
            arguments: ``times``, ``probability``, ``gateway`` and ``path`` say which requests it befalls; the rest
                belongs to the kind.

        Raises:
            ValueError: There is no such kind, or it does not take these arguments.
        """
        from ..emulator import Fault  # noqa: PLC0415 -- only who orders a fault needs it

        self.add_fault(Fault(kind, **arguments))

    def add_fault(self, fault: Fault) -> None:
        """Order a fault, after those ordered before."""
        self.call(lambda emulator: emulator.add_fault(fault))

    def clear_faults(self) -> None:
        """Drop the faults that are still to come."""
        self.call(lambda emulator: emulator.clear_faults())

    def add_inbox_message(self, *, gateway: str, sender: str, line: str, text: str) -> InboxMessage:
        """Let a message arrive at a line of the account, now."""
        return self.call(
            lambda emulator: emulator.add_inbox_message(gateway=gateway, sender=sender, line=line, text=text)
        )

    def reset(self) -> None:
        """Back to a fresh start. The fixture does it before each test."""
        self.call(lambda emulator: emulator.reset())

    def call(self, function: Callable[[Emulator], T]) -> T:
        """Run a function on the emulator in its own thread, between two requests, and return what it returns."""
        return self._thread.call(function)

    def _explain_what_came(self) -> str:
        requests = self.requests
        if not requests:
            return f"No request came to {self.url}: is your code pointed at it?"
        came = ", ".join(f"{request.method} {request.path} -> {request.status}" for request in requests)
        return f"These requests came: {came}"
