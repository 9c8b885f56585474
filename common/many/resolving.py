"""Asking the gateway for messages of a send whose outcome is unknown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from .. import checks
from ..errors import InvalidArgumentError, Outcome, PayamakError
from ..numbers import normalize_recipient
from ..results import OnUnknown, OutgoingMessage, SendReport
from .bulk_gateway import BulkGateway, text_key
from .items import Item
from .refusals import Refusals
from .reports import Reports
from .runner import RequestRunner


async def resolve(
    gateway: BulkGateway,
    error: PayamakError,
    messages: Iterable[OutgoingMessage],
    *,
    name: str,
    grace: float,
    log: logging.Logger,
) -> list[SendReport]:
    """Ask what became of messages. See `GatewayClient.resolve`."""
    checks.require_instance(error, PayamakError, "error")
    checks.require_seconds(grace, "grace", or_zero=True)
    if error.references and error.gateway not in (None, name):
        raise InvalidArgumentError(f"error is of {error.gateway}: ask with its client", argument="error")
    given = checks.require_list(messages, "messages", ordered=True)
    references = error.references or (None,) * len(given)
    if len(references) != len(given):
        raise InvalidArgumentError(
            f"messages has {len(given)} entries and the error is of {len(references)}: give what was sent",
            argument="messages",
        )
    items = [_make_item(place, message, error, references[place]) for place, message in enumerate(given)]
    reports = Reports(name, None, None, len(items), log)
    reports.enter(items)
    if error.outcome is Outcome.UNKNOWN and error.references:
        runner = RequestRunner(
            gateway, reports, Refusals(), slots=asyncio.Semaphore(1), on_unknown=OnUnknown.ASK, grace=grace,
            spawn=_never_spawn, log=log,
        )  # fmt: skip
        await runner.search(items)
    else:
        await reports.settle(items)
    return sorted(reports.unread, key=lambda report: report.index)


def _make_item(place: int, message: OutgoingMessage, error: PayamakError, reference: str | None) -> Item:
    checks.require_instance(message, OutgoingMessage, f"messages[{place}]")
    # Of what never left, the number may be what is wrong.
    is_asked_for = error.outcome is Outcome.UNKNOWN
    number = normalize_recipient(message.to, f"messages[{place}].to") if is_asked_for else ""
    item = Item(place, message, number=number, content=text_key(message), reference=reference)
    if error.at is not None:
        item.leave(error.at)
    item.fail(error)
    return item


def _never_spawn(work: Coroutine[Any, Any, None]) -> None:
    raise RuntimeError("what is only asked for is not sent")
