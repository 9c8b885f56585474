"""What the command needs of a gateway, in words that all share."""

from __future__ import annotations

import abc
import datetime
import decimal
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import attrs

from ...common import InvalidArgumentError, OutgoingMessage, SendReport
from ...common.client import GatewayClient
from ...common.many import BulkGateway
from ..exits import CommandError, SettingsError
from ..settings import Settings, variable_of

# Python itself reads no number that is much longer.
_MOST_DIGITS = 1000
Record = dict[str, object]
"""One line of output: names and values."""


@attrs.frozen
class Inbox:
    """Which received messages to fetch.

    Attributes:
        line: The line they came to; ``None`` for the one of the settings.
        read: Whether those that were read already.
        since: From when on; with ``until``.
        until: Until when.
    """

    line: str | None = None
    read: bool = False
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


class Gateway(abc.ABC):
    """A gateway, as the command uses it."""

    chooses_line: ClassVar[bool] = False
    """Whether the gateway itself chooses the line, and takes none."""
    needs_line: ClassVar[bool] = True
    """Whether a message without a line cannot be sent."""

    is_asked_by_reference: ClassVar[bool] = False
    """Whether `statuses` takes the reference of a send, not the message's id."""

    def __init__(self, settings: Settings, client: GatewayClient, bulk_gateway: type[BulkGateway]) -> None:
        self.name = settings.gateway
        self.client = client
        self._sender = settings.sender
        self._bulk_gateway = bulk_gateway

    def choose_sender(self, given: str | None, *, in_rows: bool = False) -> str | None:
        """The line to send from.

        Args:
            given: The one that was named for this command.
            in_rows: Whether the messages may name their own.

        Raises:
            CommandError: It needs one and has none, or takes none and was given one.
        """
        if given is not None and self.chooses_line:
            raise CommandError(f"{self.name} chooses the line itself: leave --sender away")
        sender = given or self._sender
        if sender is None and self.needs_line and not in_rows:
            raise SettingsError(
                f"{self.name} needs a line to send from: give --sender, or set {variable_of(self.name, 'sender')}"
            )
        return sender

    def check(self, message: OutgoingMessage, argument: str) -> None:
        """Raise `InvalidArgumentError` if a message cannot be sent, without sending anything."""
        self._bulk_gateway.check(message, argument)
        self._bulk_gateway.check_number(message, argument)

    def find_number(self, message: OutgoingMessage) -> str | None:
        """The recipient as it travels; ``None`` if it cannot be sent to."""
        try:
            return self._bulk_gateway.check_number(message, "messages[0]")
        except InvalidArgumentError:
            return None

    def find_reference(self, report: SendReport) -> str | None:
        """By what the gateway can be asked for a message, besides its id."""
        return report.reference

    @abc.abstractmethod
    def statuses(self, ids: Sequence[str], check_ids: Sequence[str]) -> AsyncIterator[Record]:
        """Ask what became of messages."""

    @abc.abstractmethod
    def received(self, inbox: Inbox) -> AsyncIterator[Record]:
        """Fetch what came in."""

    @abc.abstractmethod
    async def credit(self) -> int | decimal.Decimal:
        """Ask for the credit."""

    def refuse_check_ids(self, check_ids: Sequence[str]) -> None:
        """For a gateway that cannot be asked by check id."""
        if check_ids:
            raise CommandError(f"{self.name} knows no check ids: leave --check-id away")

    def refuse_choice(self, inbox: Inbox) -> None:
        """For a gateway that gives all that came in, whatever the line and the time."""
        if inbox != Inbox():
            raise CommandError(f"{self.name} gives what came in on all lines: leave --line, --read and times away")


def read_ids(ids: Sequence[str]) -> list[int]:
    """Ids as numbers.

    Raises:
        CommandError: One is no number.
    """
    if not all(entry.isdecimal() and len(entry) <= _MOST_DIGITS for entry in ids):
        raise CommandError("a message id is a whole number")
    return [int(entry) for entry in ids]
