"""The JSON control interface under /emulator/. Faults never befall it, and it is not recorded."""

from __future__ import annotations

import bisect
import inspect
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

import attrs
from aiohttp import web

from . import settings
from .about import page_facts
from .clock import Clock
from .exchange import RequestRecord
from .faults import Fault
from .gateway import Gateway
from .ledger import InboxMessage, Message
from .texts import read_json
from .uploads import reading_time

CONTROL_PREFIX = "/emulator/"
_Answer = dict[str, object]
_Json = dict[str, Any]
_T = TypeVar("_T")
_DEFAULT_LIMIT = 10_000
"""Of what a list shows. The emulator does nothing else while it writes one: this takes it a few tenths of a second."""
_NUMBER = re.compile(r"[0-9]{1,12}")


class ControlError(ValueError):
    """Bad control input; its text names the field and what is allowed."""


class Controllable(Protocol):
    """What the control interface asks of the emulator."""

    clock: Clock
    requests: list[RequestRecord]

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        ...

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """All gateways by name."""
        ...

    @property
    def faults(self) -> list[dict[str, object]]:
        """Faults that are still to come."""
        ...

    def gateway(self, name: str) -> Gateway:
        """A gateway by name. Raises ValueError for an unknown one."""
        ...

    @property
    def messages_dropped(self) -> int:
        """How many messages it has dropped because there were too many."""
        ...

    def messages(self, gateway: str | None = None, recipient: str | None = None) -> list[Message]:
        """Messages that the gateways accepted."""
        ...

    def add_inbox_message(
        self, *, gateway: str, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Let a message arrive."""
        ...

    def add_fault(self, fault: Fault) -> None:
        """Order a fault."""

    def clear_faults(self) -> None:
        """Drop the faults that are still to come."""

    def reset(self, *, seed: int | None = None) -> None:
        """Back to a fresh start."""


class Control:
    """Answers control requests."""

    def __init__(self, emulator: Controllable) -> None:
        self._emulator = emulator
        self._reads: Mapping[str, Callable[[Mapping[str, str]], _Answer]] = {
            "about": self._about,
            "messages": self._messages,
            "contacts": self._contacts,
            "requests": self._requests,
            "faults": self._faults,
            "clock": self._clock,
            "switches": lambda _query: self._settings("switches"),
            "account": lambda _query: self._settings("account"),
        }
        self._writes: Mapping[str, Callable[[_Json], _Answer]] = {
            "inbox": self._add_inbox_message,
            "faults": self._add_fault,
            "clock": self._move_clock,
            "switches": self._change_switches,
            "account": self._change_account,
            "actions": self._act,
            "reset": self._reset,
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one control request; bad input is always a 400 that says what is wrong."""
        name = request.path.rstrip("/").removeprefix(CONTROL_PREFIX)
        try:
            if request.method == "GET" and name in self._reads:
                return _json_response(self._reads[name](request.query))
            if request.method == "POST" and name in self._writes:
                async with reading_time():
                    body = await request.read()
                return _json_response(self._writes[name](_json_object(body)))
            if request.method == "DELETE" and name == "faults":
                self._emulator.clear_faults()
                return _json_response(self._faults({}))
        except (TimeoutError, web.RequestPayloadError):
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=408)
        except (ValueError, TypeError) as error:
            return _json_response({"error": str(error)}, status=400)
        return self._unknown(name)

    def _unknown(self, name: str) -> web.Response:
        if name in self._reads or name in self._writes:
            return _json_response({"error": f"this method is not for {CONTROL_PREFIX}{name}"}, status=405)
        known = sorted({"events", *self._reads, *self._writes})
        error = f"unknown path; known under {CONTROL_PREFIX}: {', '.join(known)}"
        return _json_response({"error": error}, status=404)

    def _about(self, _query: Mapping[str, str]) -> _Answer:
        return page_facts(self._emulator.url, self._emulator.gateways.values())

    def _messages(self, query: Mapping[str, str]) -> _Answer:
        _refuse_unknown(query, "gateway", "recipient", "limit", "before")
        messages = self._emulator.messages(query.get("gateway") or None, query.get("recipient") or None)
        if "before" in query:
            messages = messages[: bisect.bisect_left(messages, _number(query, "before"), key=lambda one: one.place)]
        shown = _newest(messages, query)
        answer: _Answer = {"messages": [message.to_dict() for message in shown]}
        # What is not there is said, and nothing is said where all is there.
        if 0 < len(shown) < len(messages):
            answer["before"] = shown[0].place
        if self._emulator.messages_dropped:
            answer["dropped"] = self._emulator.messages_dropped
        return answer

    def _contacts(self, _query: Mapping[str, str]) -> _Answer:
        return {"contacts": {name: gateway.contacts() for name, gateway in self._emulator.gateways.items()}}

    def _requests(self, query: Mapping[str, str]) -> _Answer:
        _refuse_unknown(query, "limit")
        return {"requests": [record.to_dict() for record in _newest(self._emulator.requests, query)]}

    def _faults(self, _query: Mapping[str, str]) -> _Answer:
        return {"faults": self._emulator.faults}

    def _clock(self, _query: Mapping[str, str]) -> _Answer:
        return {"now": self._emulator.clock.now().isoformat()}

    def _settings(self, group: str) -> _Answer:
        gateways = self._emulator.gateways.items()
        return {name: attrs.asdict(gateway.settings[group]) for name, gateway in gateways}

    def _add_inbox_message(self, body: _Json) -> _Answer:
        _refuse_unknown(body, "gateway", "sender", "line", "text", "received_at", "read")
        received_at = _moment("received_at", body["received_at"]) if body.get("received_at") is not None else None
        read = body.get("read", False)
        if not isinstance(read, bool):
            raise ControlError("read must be true or false")
        message = self._emulator.add_inbox_message(
            gateway=_text(body, "gateway"),
            sender=_text(body, "sender"),
            line=_text(body, "line"),
            text=_text(body, "text"),
            received_at=received_at,
            read=read,
        )
        return message.to_dict()

    def _add_fault(self, body: _Json) -> _Answer:
        self._emulator.add_fault(Fault.from_dict(body))
        return self._faults({})

    def _move_clock(self, body: _Json) -> _Answer:
        _refuse_unknown(body, "advance", "set")
        if len(body) != 1:
            raise ControlError('give either "advance": seconds or "set": ISO time with a zone')
        if "set" in body:
            self._emulator.clock.set(_moment("set", body["set"]))
        else:
            seconds = body["advance"]
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not _is_finite(seconds):
                raise ControlError("advance must be a number of seconds, 0 or more")
            self._emulator.clock.advance(seconds)
        return self._clock({})

    def _change_switches(self, body: _Json) -> _Answer:
        changes: list[tuple[str, _Json]] = []
        for name, values in body.items():
            self._emulator.gateway(name)
            if not isinstance(values, dict):
                raise ControlError(f"{name} must be an object of switches and values")
            changes.append((name, cast("_Json", values)))
        for name, values in changes:
            settings.change(self._emulator.gateway(name).settings["switches"], values)
        return self._settings("switches")

    def _change_account(self, body: _Json) -> _Answer:
        gateway = self._emulator.gateway(_text(body, "gateway"))
        settings.change(gateway.settings["account"], {key: value for key, value in body.items() if key != "gateway"})
        return self._settings("account")

    def _act(self, body: _Json) -> _Answer:
        gateway = self._emulator.gateway(_text(body, "gateway"))
        name = _text(body, "action")
        if name not in gateway.actions:
            raise ControlError(f"action must be one of {', '.join(sorted(gateway.actions)) or 'none'}")
        arguments = {key: value for key, value in body.items() if key not in ("gateway", "action")}
        inspect.signature(gateway.actions[name]).bind(**arguments)
        return {"result": gateway.actions[name](**arguments)}

    def _reset(self, body: _Json) -> _Answer:
        _refuse_unknown(body, "seed")
        seed = body.get("seed")
        if seed is not None and type(seed) is not int:
            raise ControlError("seed must be an integer")
        self._emulator.reset(seed=seed)
        return {}


def _json_object(body: bytes) -> _Json:
    if not body.strip():
        return {}
    try:
        content = read_json(body)
    except ValueError:
        raise ControlError("the body must be a JSON object") from None
    if not isinstance(content, dict):
        raise ControlError("the body must be a JSON object")
    return cast("_Json", content)


def _refuse_unknown(given: Mapping[str, object], *known: str) -> None:
    for name in given:
        if name not in known:
            raise ControlError(f"unknown field {name!r}; known: {', '.join(known) or 'none'}")


def _newest(items: Sequence[_T], query: Mapping[str, str]) -> Sequence[_T]:
    limit = _number(query, "limit") if "limit" in query else _DEFAULT_LIMIT
    return items[-limit:] if limit else []


def _number(query: Mapping[str, str], name: str) -> int:
    if not _NUMBER.fullmatch(query[name]):
        raise ControlError(f"{name} must be a whole number, 0 or more")
    return int(query[name])


def _text(body: _Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} must be text, not empty")
    return value


def _moment(name: str, value: object) -> datetime:
    problem = f"{name} must be an ISO 8601 time with a zone, such as 2026-01-31T12:00:00+03:30"
    if not isinstance(value, str):
        raise ControlError(problem)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ControlError(problem) from None
    if moment.tzinfo is None:
        raise ControlError(problem)
    return moment


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _json_response(document: object, status: int = 200) -> web.Response:
    # As people read it in a terminal: Persian as it is.
    body = json.dumps(document, ensure_ascii=False).encode(errors="replace")
    return web.Response(status=status, body=body, content_type="application/json", charset="utf-8")
