"""Faults ordered for the next requests: what they are, and which request gets which. `exchange` carries them out.

`KINDS` is the table of the kinds. "Processed" means there that the gateway did what was asked (a message is in the
ledger) although the client is not told so.

`refuse` speaks in the gateway's own envelope. Its `code` is a number of Ghasedak's error table, or from 100 on a code
of its result; the ErrorCode of sms.ir; the code of the op-driven gateway; the ErrCode of the advanced one. `message`
replaces the usual words, perhaps by those of an exception, and `status` the usual HTTP status. With `each`, the code
stands in the place of every recipient's id where a method answers for each: Ghasedak's sends, and the advanced
gateway's SendMultipleSMS. What comes without an envelope, such as `{"Message": "Object reference not set to an instance
of an object."}`, is for `status` with a `body`.

For a gateway that fails at random, give orders a `probability` and no end (`times=None`, null in JSON): each request
that an order matches takes it with that probability, and otherwise the next order is looked at. Two orders of 0.1 thus
befall 19 % of the requests, not 20. The dice are seeded (`Emulator(seed=…)`, `--seed`), and a reset takes them back to
their seed or gives them another: the same requests in the same order meet the same faults. An order of probability 1
throws no dice.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, cast

import attrs
from attrs import define, field, frozen

from . import settings

REQUIRED = object()
"""In place of a default, for an argument that has none."""


@frozen
class Kind:
    """What a kind of fault is.

    Attributes:
        meaning: what happens, in a few words; it names the arguments.
        arguments: the kind's own, with their defaults or `REQUIRED`. Each is an attribute of `Fault`.
    """

    meaning: str
    arguments: Mapping[str, object] = attrs.Factory(dict[str, object])


KINDS: Mapping[str, Kind] = {
    "delay": Kind("waits `seconds`, then processes and answers", {"seconds": REQUIRED}),
    "delay_after": Kind("processes, then answers after `seconds`", {"seconds": REQUIRED}),
    "drop_before_read": Kind("closes the connection; not processed"),
    "reset_before_read": Kind("the same with a TCP reset"),
    "drop_unprocessed": Kind("reads all, does not process, closes"),
    "drop_after_read": Kind("reads all, processes, closes without an answer"),
    "reset_after_read": Kind("the same with a TCP reset"),
    "cut_reply": Kind("processes, sends all headers and half of the body, closes"),
    "wrong_content_type": Kind(
        "processes, answers rightly but as `content_type` (text/html)", {"content_type": "text/html"}
    ),
    "html": Kind("an HTML page with `status` (502); `processed` (false)", {"status": 502, "processed": False}),
    "status": Kind(
        "`status` with `headers`, `body`, `content_type`; `processed` (false)",
        {"status": REQUIRED, "headers": {}, "body": "", "content_type": "text/plain", "processed": False},
    ),
    "refuse": Kind(
        "refuses with `code`, `message`, `status`, perhaps `each` (false) recipient by itself; `processed` (true)",
        {"code": REQUIRED, "message": None, "status": None, "each": False, "processed": True},
    ),
    "redirect": Kind(
        "302 (or another `status`) to `location`; `processed` (false)",
        {"location": REQUIRED, "status": 302, "processed": False},
    ),
    "garbage": Kind("processes, answers 200 with what no JSON or XML parser takes"),
    "empty": Kind("processes, answers 200 with an empty body"),
    "oversized": Kind(
        "processes, streams its answer followed by blanks, `size` bytes in all (9 MiB)", {"size": 9 * 1024 * 1024}
    ),
    "bad_gzip": Kind("processes, answers 200 with a broken gzip body"),
    "hang": Kind("never answers; `processed` (true)", {"processed": True}),
}
_REDIRECTS = (301, 302, 303, 307, 308)


def _header_value(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(f"{attribute.name} must be printable text, not empty")


def _headers(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    problem = f"{attribute.name} must be an object of header names and text values"
    if not isinstance(value, Mapping):
        raise ValueError(problem)  # noqa: TRY004  Fault promises a ValueError
    for name, content in cast("Mapping[object, object]", value).items():
        if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise ValueError(problem)
        if not isinstance(content, str) or (content and not content.isprintable()):
            raise ValueError(problem)


def _probability(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < cast("float", value) <= 1:
        raise ValueError(f"{attribute.name} must be a number above 0, and 1 at most")


def _refusing_code(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    # 0 is what most of the vendors call a success.
    if type(value) is not int or value == 0:
        raise ValueError(f"{attribute.name} must be an integer other than 0")


def _any_text(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{attribute.name} must be text")  # noqa: TRY004  Fault promises a ValueError


@frozen
class Fault:
    """One ordered fault. `KINDS` tells what each kind is and which arguments it takes.

    Attributes:
        kind: what goes wrong.
        times: how many matching requests it befalls; None is without end.
        probability: how likely each matching request is to take it, above 0 and 1 at most.
        gateway: only requests to this gateway.
        path: only requests whose path ends so, in any case, with or without slashes at its ends.

    Raises:
        ValueError: an unknown kind, an argument that the kind does not take or lacks, or a value that does not fit.
    """

    kind: str = field(validator=settings.one_of(*KINDS))
    times: int | None = field(default=1, kw_only=True, validator=settings.integer(1, optional=True))
    probability: float = field(default=1, kw_only=True, validator=_probability)
    gateway: str | None = field(default=None, kw_only=True, validator=settings.if_given(settings.text))
    path: str | None = field(default=None, kw_only=True, validator=settings.if_given(settings.text))
    seconds: float | None = field(default=None, kw_only=True, validator=settings.if_given(settings.seconds))
    status: int | None = field(default=None, kw_only=True, validator=settings.if_given(settings.http_status))
    headers: Mapping[str, str] | None = field(
        default=None, kw_only=True, validator=settings.if_given(_headers), hash=False
    )
    body: str | None = field(default=None, kw_only=True, validator=settings.if_given(_any_text))
    content_type: str | None = field(default=None, kw_only=True, validator=settings.if_given(_header_value))
    location: str | None = field(default=None, kw_only=True, validator=settings.if_given(_header_value))
    size: int | None = field(default=None, kw_only=True, validator=settings.if_given(settings.integer(1)))
    code: int | None = field(default=None, kw_only=True, validator=settings.if_given(_refusing_code))
    message: str | None = field(default=None, kw_only=True, validator=settings.if_given(_any_text))
    each: bool | None = field(default=None, kw_only=True, validator=settings.if_given(settings.boolean))
    processed: bool | None = field(default=None, kw_only=True, validator=settings.if_given(settings.boolean))

    def __attrs_post_init__(self) -> None:
        arguments = KINDS[self.kind].arguments
        for name in _ARGUMENT_NAMES:
            value = getattr(self, name)
            if name not in arguments:
                if value is not None:
                    takes = ", ".join(arguments) or "no arguments of its own"
                    raise ValueError(f"{name} is not an argument of {self.kind}, which takes: {takes}")
            elif value is None:
                if arguments[name] is REQUIRED:
                    raise ValueError(f"{name} is required for {self.kind}")
                object.__setattr__(self, name, arguments[name])
        if self.kind == "redirect" and self.status not in _REDIRECTS:
            raise ValueError(f"status must be one of {', '.join(map(str, _REDIRECTS))} for redirect")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Fault:
        """Build from JSON; same errors as the constructor."""
        known = attrs.fields_dict(cls)
        for name in values:
            if name not in known:
                raise ValueError(f"unknown field {name!r}; known: {', '.join(known)}")
        if "kind" not in values:
            raise ValueError(f"kind is required, one of {', '.join(KINDS)}")
        return cls(**values)

    def matches(self, gateway: str, path: str) -> bool:
        """Whether a request is meant."""
        if self.gateway is not None and self.gateway.lower() != gateway:
            return False
        return self.path is None or path.strip("/ ").lower().endswith(self.path.strip("/ ").lower())

    def to_dict(self) -> dict[str, object]:
        """What the control interface shows: only what applies to the kind."""
        own = {name: getattr(self, name) for name in KINDS[self.kind].arguments}
        when = {"times": self.times, "probability": self.probability, "gateway": self.gateway, "path": self.path}
        return {"kind": self.kind, **when, **own}


def describe_kinds() -> list[dict[str, object]]:
    """The table for a form: what each kind does, and the arguments that it takes."""
    return [
        {
            "kind": name,
            "text": kind.meaning,
            "arguments": [_describe_argument(*argument) for argument in kind.arguments.items()],
        }
        for name, kind in KINDS.items()
    ]


def _describe_argument(name: str, default: object) -> dict[str, object]:
    annotation = str(getattr(attrs.fields(Fault), name).type)
    required = default is REQUIRED
    return {
        "name": name,
        "type": _FORM_TYPES[annotation.removesuffix(" | None")],
        "required": required,
        "default": None if required else default,
    }


_FORM_TYPES = {"float": "number", "int": "integer", "str": "text", "bool": "boolean", "Mapping[str, str]": "object"}
_ARGUMENT_NAMES = tuple(sorted({name for kind in KINDS.values() for name in kind.arguments}))


@define
class _Order:
    fault: Fault
    remaining: int | None


class FaultQueue:
    """The ordered faults. Each request takes the first one that matches it and that the dice, if any, let it have.

    Args:
        seed: of the dice.
    """

    def __init__(self, seed: int = 0) -> None:
        self._orders: list[_Order] = []
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311 -- it is to be repeatable

    def add(self, fault: Fault) -> None:
        """Order a fault, after those ordered before."""
        self._orders.append(_Order(fault, fault.times))

    def take(self, gateway: str, path: str) -> Fault | None:
        """The fault for this request, which is thereby used up once."""
        for order in self._orders:
            if order.fault.matches(gateway, path) and self._falls_to(order.fault.probability):
                if order.remaining is not None:
                    order.remaining -= 1
                    if order.remaining == 0:
                        self._orders.remove(order)
                return order.fault
        return None

    def _falls_to(self, probability: float) -> bool:
        return probability == 1 or self._dice.random() < probability

    def clear(self) -> None:
        """Drop what is still ordered."""
        self._orders.clear()

    def reset(self, seed: int | None = None) -> None:
        """Drop what is still ordered, and begin the dice anew, perhaps with another seed."""
        self.clear()
        if seed is not None:
            self._seed = seed
        self._dice.seed(self._seed)

    def to_list(self) -> list[dict[str, object]]:
        """What is still ordered, for the control interface."""
        return [{**order.fault.to_dict(), "remaining": order.remaining} for order in self._orders]
