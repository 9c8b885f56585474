"""The answers of every day, and the word that a user sees of each: the table in docs/errors.md is played row by row."""

from __future__ import annotations

import asyncio
import collections
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from payamak.common import Outcome, OutgoingMessage, PayamakError
from payamak.emulator import Emulator, Fault
from support.clock import QuickLoop
from support.many import GHASEDAK, OPGATEWAY, REST, SMSIR, SOAP, Gateway, collect, prepare

_PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
_COLUMNS: tuple[tuple[Gateway, ...], ...] = ((GHASEDAK,), (SMSIR,), (OPGATEWAY,), (SOAP, REST))


def _read_table() -> Iterable[tuple[str, str, Gateway, str]]:
    section = _PAGE.partition("## Everyday answers")[2].partition("\n## ")[0]
    happening = ""
    for line in re.findall(r"^\| (.*) \|$", section, re.MULTILINE)[1:]:
        first, method, *words = [cell.strip() for cell in f"{line} ".split("|")]
        happening = first or happening
        for gateways, word in zip(_COLUMNS, words, strict=True):
            if word:
                yield from ((happening, method.strip("`"), gateway, word) for gateway in gateways)


ROWS = list(_read_table())


def _change_credentials(gateway: Gateway, emulator: Emulator) -> None:
    account = getattr(emulator, gateway.name).account
    for name in ("key", "user_api_key", "password"):
        if hasattr(account, name):
            setattr(account, name, "another")


def _take_credit(gateway: Gateway, emulator: Emulator) -> None:
    getattr(emulator, gateway.name).account.credit = 0


def _fail(kind: str, status: int) -> Callable[[Gateway, Emulator], None]:
    return lambda gateway, emulator: emulator.add_fault(Fault(kind, status=status, times=None, gateway=gateway.name))


def _do_nothing(_gateway: Gateway, _emulator: Emulator) -> None:
    """It is the message that is wrong."""


HAPPENINGS: Mapping[str, Callable[[Gateway, Emulator], None]] = {
    "wrong key or password": _change_credentials,
    "no credit": _take_credit,
    "a line that is not yours": _do_nothing,
    "a wrong or blocked number": _do_nothing,
    "a wrong number among many": _do_nothing,
    "too many requests (HTTP 429)": _fail("status", 429),
    "maintenance (a page in HTTP 503)": _fail("html", 503),
}


def test_the_table_is_whole() -> None:
    assert {happening for happening, *_ in ROWS} == set(HAPPENINGS)
    assert {method for _, method, *_ in ROWS} == {"send", "send_to_many", "send_many"}
    assert {gateway.label for *_, gateway, _ in ROWS} == {"ghasedak", "smsir", "opgateway", "soap", "rest"}


def _make_messages(happening: str, method: str, gateway: Gateway) -> list[OutgoingMessage]:
    line = "123456" if happening == "a line that is not yours" else gateway.line
    messages = [gateway.message(number, sender=line) for number in range(1 if method == "send" else gateway.limit)]
    if "number" in happening:
        messages[len(messages) // 2] = gateway.message(gateway.refused)
    return messages


async def _send(gateway: Gateway, client: Any, method: str, messages: list[OutgoingMessage]) -> list[Outcome]:
    if method == "send_many":
        return [report.outcome for report in await collect(client.send_many(messages))]
    first, numbers = messages[0], [message.to for message in messages]
    try:
        if gateway is SMSIR:
            await client.messages.send_to_numbers(numbers, first.text)
        elif method == "send":
            await client.send(first.to, first.text, sender=first.sender)
        else:
            await client.send_to_many(numbers, first.text, sender=first.sender)
    except PayamakError as error:
        return [error.outcome] * len(messages)
    return [Outcome.SENT] * len(messages)


async def _play(happening: str, method: str, gateway: Gateway) -> list[Outcome]:
    async with Emulator() as emulator:
        prepare(emulator)
        HAPPENINGS[happening](gateway, emulator)
        async with gateway.connect(emulator) as client:
            outcomes = await _send(gateway, client, method, _make_messages(happening, method, gateway))
        assert len(gateway.ledger(emulator)) == outcomes.count(Outcome.SENT)
        return outcomes


def _describe(outcomes: list[Outcome]) -> str:
    counts = collections.Counter(outcome.value for outcome in outcomes)
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{count} {word}" for word, count in counts.items())


@pytest.mark.parametrize(
    ("happening", "method", "gateway", "word"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{row[2].label}") for row in ROWS],
)
def test_what_a_user_sees(happening: str, method: str, gateway: Gateway, word: str) -> None:
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        outcomes = runner.run(_play(happening, method, gateway))
    assert _describe(sorted(outcomes, key=lambda outcome: outcome is Outcome.REFUSED)) == word
