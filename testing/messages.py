"""What was sent, as a test looks at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast, overload

if TYPE_CHECKING:
    from ..emulator import Message

# 4 to 8 digits that stand alone: no part of a telephone number, a date, an amount or an address.
_CODE = re.compile(r"(?<!\w)(?<!\d[/.:,\-])\d{4,8}(?!\w)(?![/.:,\-]\d)")


class SentMessage:
    """One message that a gateway accepted. Everything is as the gateway has it; `state` moves on with the clock."""

    def __init__(self, message: Message) -> None:
        self._message = message

    @property
    def id(self) -> int:
        """The gateway's id of it."""
        return self._message.id

    @property
    def gateway(self) -> str:
        """The gateway that took it: ``ghasedak``, ``smsir``, ``opgateway`` or ``advgateway``."""
        return self._message.gateway

    @property
    def recipient(self) -> str:
        """The number it goes to, such as ``09121234567``, however it was written."""
        return self._message.recipient

    @property
    def line(self) -> str:
        """The line it is sent from."""
        return self._message.line

    @property
    def text(self) -> str:
        """What the handset shows. For a template whose text the emulator does not know: its name and its values."""
        return self._message.text

    @property
    def template(self) -> str | None:
        """The template's name, for a message that was sent by template."""
        return self._message.template

    @property
    def params(self) -> tuple[str, ...]:
        """The values that filled the template."""
        return self._message.params

    @property
    def kind(self) -> str:
        """``sms``, ``otp`` or ``voice``."""
        return self._message.kind

    @property
    def check_id(self) -> str | None:
        """The sender's own mark of it."""
        return self._message.check_id

    @property
    def send_at(self) -> datetime | None:
        """The time it was ordered for, if not for now."""
        return self._message.send_at

    @property
    def parts(self) -> int:
        """How many messages it is billed as."""
        return self._message.parts

    @property
    def price(self) -> int:
        """What it costs, in rial."""
        return self._message.price

    @property
    def state(self) -> str:
        """``scheduled``, ``queued``, ``sent``, ``delivered``, ``failed``, ``blocked`` or ``cancelled``, by now."""
        return self._message.state

    @property
    def code(self) -> str:
        """The one-time password in it, in ASCII digits: the only value, or else the only number of 4 to 8 digits.

        Raises:
            LookupError: There is none, or there are several different ones. Look at `params` or `text` then.
        """
        found = {_to_ascii(value) for value in self.params if _CODE.fullmatch(value)}
        found = found or {_to_ascii(number) for number in _CODE.findall(self.text)}
        if len(found) != 1:
            raise LookupError(f"{'no' if not found else 'more than one'} code of 4 to 8 digits is in {self!r}")
        return found.pop()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SentMessage) and self._message is other._message

    def __hash__(self) -> int:
        return hash(self._message)

    def __repr__(self) -> str:
        return f"<SentMessage {self.gateway} to {self.recipient}: {self.text!r}>"


class SentMessages(Sequence[SentMessage]):
    """All messages that were sent in this test, the newest last. It looks anew whenever it is used."""

    def __init__(self, fetch: Callable[[], Iterable[Message]], explain: Callable[[], str]) -> None:
        self._fetch = fetch
        self._explain = explain

    def __len__(self) -> int:
        return len(self._look())

    @overload
    def __getitem__(self, index: int) -> SentMessage: ...
    @overload
    def __getitem__(self, index: slice) -> list[SentMessage]: ...
    def __getitem__(self, index: int | slice) -> SentMessage | list[SentMessage]:
        found = self._look()
        if isinstance(index, slice):
            return found[index]
        try:
            return found[index]
        except IndexError:
            raise IndexError(
                f"{len(found)} messages were sent, so there is none at [{index}]. {self._explain()}"
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._look() == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._look())

    def _look(self) -> list[SentMessage]:
        return [SentMessage(message) for message in self._fetch()]


def _to_ascii(digits: str) -> str:
    return "".join(str(int(digit)) for digit in digits)
