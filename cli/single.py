"""``payamak send``: one text to one or several numbers."""

from __future__ import annotations

import asyncio
import datetime
import sys
from collections.abc import Sequence

import attrs

from ..common import InvalidArgumentError, OnUnknown, Outcome, OutgoingMessage, SendReport
from ..common.numbers import normalize_recipient
from .exits import CommandError, complain
from .gateways.base import Gateway, Record
from .output import write_records
from .sending import Tally, describe_failure, send_all

_COLUMNS = ("recipient", "outcome", "message_id", "error")


def compose(
    gateway: Gateway, text: str, *, sender: str | None, send_at: datetime.datetime | None, check_id: str | None
) -> OutgoingMessage:
    """The message, as yet without a recipient.

    Args:
        gateway: Which is to send it.
        text: The text, or ``-`` for standard input.
        sender: The line to send from.
        send_at: When.
        check_id: Your mark of it.

    Raises:
        CommandError: The text was forgotten, or cannot be read.
    """
    if text == "-":
        text = _read_text()
    elif _is_number(text):
        raise CommandError(
            "the text is missing: the last argument is a number (to send one as a text, give - and pipe it)"
        )
    return OutgoingMessage("", text, gateway.choose_sender(sender), send_at, check_id)


def send(
    gateway: Gateway,
    numbers: Sequence[str],
    message: OutgoingMessage,
    *,
    on_unknown: str,
    grace: float,
    as_json: bool,
) -> int:
    """Send a message to numbers, and say what became of each. Returns the exit code."""
    reports: list[SendReport] = []

    async def run() -> int | None:
        async with gateway.client:
            messages = [attrs.evolve(message, to=number) for number in numbers]
            sending = gateway.client.send_many(messages, on_unknown=OnUnknown(on_unknown), grace=grace)
            return await send_all(sending, reports.append)

    tally = Tally(signal=asyncio.run(run()))
    reports.sort(key=lambda report: report.index)
    for report in reports:
        tally.count(report, describe_failure(report))
    # By what the gateway can be asked; where the id does as well, it would only be in the way.
    needs_reference = gateway.is_asked_by_reference or tally.counts[Outcome.UNKNOWN]
    columns = (*_COLUMNS, "reference") if needs_reference else _COLUMNS
    write_records([_to_record(report, gateway) for report in reports], columns, as_json=as_json)
    if tally.failures:
        hint = ": it may have gone out, so look before sending again" if tally.counts[Outcome.UNKNOWN] else ""
        complain(f"{tally.failures}: {tally.first_failure}{hint}")
    return tally.exit_code


def _to_record(report: SendReport, gateway: Gateway) -> Record:
    return {
        "recipient": report.message.to,
        "outcome": report.outcome,
        "message_id": report.message_id,
        "reference": gateway.find_reference(report),
        "error": describe_failure(report),
    }


def _read_text() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError("what comes from standard input is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def _is_number(text: str) -> bool:
    try:
        normalize_recipient(text, "text")
    except InvalidArgumentError:
        return False
    return True
