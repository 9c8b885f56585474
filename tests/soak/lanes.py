"""The gateways as the soak drives them, and the waves of messages that it gives them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

import attrs
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.common.results import OnUnknown
from payamak.emulator import Emulator
from payamak.ghasedak import GhasedakClient, OutgoingMessage, RetryPolicy, Timeout
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient

_OPTIONS: dict[str, Any] = {
    # Shorter than the emulator's late answers.
    "timeout": Timeout(total=3, attempt=0.3),
    "retry": RetryPolicy(base_delay=0.02),
}
_PATHS = Emulator()
_LOST_CAUSES = ("12345", "0912", "no number")


@attrs.frozen
class Lane:
    """One gateway, over one transport.

    Attributes:
        name: As the table has it.
        gateway: As the emulator's ledger has it.
        path: Below which its requests go.
        make: Makes the client.
        line: To send from.
        refused: Recipients that the gateway refuses, by the last two digits.
        ending: Recipients whose refusal ends the whole wave, or concerns the whole request.
    """

    name: str
    gateway: str
    path: str
    make: Callable[..., Any]
    line: str | None
    refused: tuple[int, ...]
    ending: tuple[int, ...] = ()

    def connect(self, url: str, hook: Any) -> Any:
        """A client for the emulator at a URL."""
        return self.make(base_url=f"{url}{self.path}", hooks=[hook], **_OPTIONS)


def _ghasedak(**options: Any) -> GhasedakClient:
    return GhasedakClient("emulator-key", **options)


def _smsir(**options: Any) -> SmsIrClient:
    return SmsIrClient("emulator-key", "emulator-secret", **options)


def _opgateway(**options: Any) -> OpGatewayClient:
    return OpGatewayClient("emulator", "emulator", **options)


def _soap(**options: Any) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", **options)


def _rest(**options: Any) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", transport=Transport.REST, **options)


LANES = (
    Lane("ghasedak", "ghasedak", _PATHS.ghasedak.prefixes[0], _ghasedak, "10008566", (8, 20), (5, 6, 7, 9, 11, 21)),
    Lane("smsir", "smsir", _PATHS.smsir.prefixes[0], _smsir, None, (8, 9, 10)),
    Lane("opgateway", "opgateway", _PATHS.opgateway.prefixes[0], _opgateway, "3000505", (4, 6, 98), (2, 3, 5, 99)),
    Lane("advgateway SOAP", "advgateway", _PATHS.advgateway.prefixes[0], _soap, "50001", (13,)),
    Lane("advgateway REST", "advgateway", _PATHS.advgateway.prefixes[1], _rest, "50001", (13,)),
)


@attrs.frozen
class Wave:
    """One `send_many`.

    Attributes:
        lane: Through which gateway.
        messages: What to send; ``None`` among them is no message at all.
        keys: Recipient and text of each, as the ledger has them.
        options: Of `send_many`.
        source: ``"list"``, ``"generator"`` or ``"asynchronous"``.
        ending: How it ends: ``"whole"``, or after ``stop_after`` reports by ``"break"``, ``"raise"``, ``"cancel"`` or
            ``"close"``.
        stop_after: After how many reports it is left.
        has_journal: Whether it is written down, and run again to the end after it was left.
        seed: Of what is thrown on the way.
    """

    lane: Lane
    messages: list[OutgoingMessage | None]
    keys: list[tuple[str, str]]
    options: dict[str, Any]
    source: str
    ending: str
    stop_after: int
    has_journal: bool
    seed: int

    def __str__(self) -> str:
        return f"{self.lane.name}, {self.source}, {self.ending}, journal: {self.has_journal}, {self.options}"

    @property
    def is_left(self) -> bool:
        """Whether it is left before its end."""
        return self.ending != "whole"

    def open_source(self) -> Iterable[OutgoingMessage] | AsyncIterator[OutgoingMessage]:
        """The messages, in the shape that `send_many` gets them."""
        messages = cast("list[OutgoingMessage]", self.messages)
        if self.source == "list":
            return messages
        return iter(messages) if self.source == "generator" else self._arrive(iter(messages))

    async def _arrive(self, messages: Iterator[OutgoingMessage]) -> AsyncIterator[OutgoingMessage]:
        dice = random.Random(self.seed)  # noqa: S311
        for message in messages:
            if dice.random() < 0.02:
                await asyncio.sleep(dice.uniform(0, 0.1))
            yield message


def make_wave(lane: Lane, tag: str, dice: random.Random) -> Wave:
    """A wave of up to 400 messages. The tag keeps its texts apart from those of all others."""
    messages: list[OutgoingMessage | None] = []
    keys: list[tuple[str, str]] = []
    style = dice.choice(("one text", "few texts", "own texts", "commas", "mixed"))
    trouble = dice.choice((0.0, 0.005, 0.02))
    concurrency = dice.choice((1, 2, 5, 10, 20))
    has_words = lane.gateway == "ghasedak" and dice.random() < 0.25
    # What goes out one after the other takes its time.
    for index in range(int(dice.triangular(1, min(400, 60 * concurrency)))):
        if messages and dice.random() < 0.01:
            # The same to the same number: two messages, not one.
            last = messages[-1]
            messages.append(attrs.evolve(last, check_id=f"{tag}/{index}") if has_words and last else last)
            keys.append(keys[-1])
            continue
        number = _number(lane, index, keys, trouble, dice)
        text = _text(tag, style, index, dice) if dice.random() >= trouble / 2 else ""
        line = "99999999" if lane.line is not None and dice.random() < trouble / 20 else lane.line
        keys.append((number, text))
        check_id = f"{tag}/{index}" if has_words else None
        message = OutgoingMessage(_write(number, dice), text, sender=line, check_id=check_id)
        messages.append(None if dice.random() < trouble / 10 else message)
    return Wave(
        lane,
        messages,
        keys,
        options=_make_options(concurrency, dice),
        source=dice.choice(("list", "generator", "asynchronous")),
        ending=dice.choices(("whole", "break", "raise", "cancel", "close"), (12, 2, 2, 2, 2))[0],
        stop_after=dice.randrange(len(messages)),
        has_journal=dice.random() < 0.3,
        seed=dice.randrange(2**32),
    )


def _make_options(concurrency: int, dice: random.Random) -> dict[str, Any]:
    return {
        "concurrency": concurrency,
        "on_unknown": dice.choices((OnUnknown.ASK, OnUnknown.RESEND, OnUnknown.LEAVE), (5, 3, 1))[0],
        # Longer than anything comes late, counted from when the client has given up waiting.
        "grace": dice.uniform(1.5, 2.0),
        "close_timeout": dice.choice((0.0, 0.2, 1.0)),
    }


def _number(lane: Lane, index: int, keys: list[tuple[str, str]], trouble: float, dice: random.Random) -> str:
    thrown = dice.random()
    if thrown < trouble:
        return f"090000000{dice.choice(lane.refused):02}"
    if lane.ending and thrown < trouble * 1.05:
        return f"090000000{dice.choice(lane.ending):02}"
    if thrown < trouble * 2:
        return dice.choice(_LOST_CAUSES)
    if keys and thrown > 0.98:
        return dice.choice(keys)[0]
    return f"09{10 + dice.randrange(10)}{1_000_000 + index}"


def _write(number: str, dice: random.Random) -> str:
    """A number as people write it."""
    if not number.startswith("09") or len(number) != 11:
        return number
    return dice.choice((number, number, f"+98{number[1:]}", f"0098{number[1:]}"))


def _text(tag: str, style: str, index: int, dice: random.Random) -> str:
    if style == "mixed":
        style = dice.choice(("one text", "few texts", "own texts", "commas"))
    return {
        "one text": f"{tag} hello",
        "few texts": f"{tag} سلام {dice.randrange(4)}",
        "own texts": f"{tag} no. {index}: 5 < 6 & 100 %",
        "commas": f"{tag} one, two، three {index % 3}",
    }[style]
