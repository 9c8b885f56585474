"""What a row of the table of gateways holds. A gateway that has a row is held to every test of tests/contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import attrs
from payamak.common import RetryPolicy, Timeout
from payamak.common.retry import Effect
from payamak.emulator import Emulator

from support.raw_server import Behaviour

QUICKLY = RetryPolicy(attempts=3, base_delay=0.001, max_delay=0.001)
PATIENT = Timeout(total=30, attempt=15, connect=5)

Run = Callable[[Any], Awaitable[Any]]


@attrs.frozen
class Call:
    """One operation with arguments, which succeeds at an emulator that is prepared.

    Its numbers, texts, names and marks are those of `support.sentinels`.

    Attributes:
        name: The operation, as errors name it.
        run: Calls it.
        effect: What a second run would do.
    """

    name: str
    run: Run
    effect: Effect

    @property
    def repeats(self) -> bool:
        """Whether it is tried again although it may have been carried out."""
        return self.effect is not Effect.ONCE


def reads(name: str, run: Run) -> Call:
    """It changes nothing."""
    return Call(name, run, Effect.NONE)


def repeatable(name: str, run: Run) -> Call:
    """It changes something, and a second run changes nothing more."""
    return Call(name, run, Effect.REPEATABLE)


def once(name: str, run: Run) -> Call:
    """It must not run twice."""
    return Call(name, run, Effect.ONCE)


def keyed(calls: Iterable[Call]) -> Mapping[str, Call]:
    """The calls by their names."""
    return {call.name: call for call in calls}


@attrs.frozen(kw_only=True)
class Surface:
    """What users import and call.

    Attributes:
        package: The package's name.
        shared: Which names of `payamak.common` it gives beside those that all give.
        own: What else it gives.
        areas: The client's class by "", and those of its areas by their names.
        signatures: Of the client, its methods and what else they pin; what is not named is not pinned.
        undocumented: Whose docstrings send the reader to another method for their arguments.
    """

    package: str
    shared: tuple[str, ...]
    own: tuple[str, ...]
    areas: Mapping[str, type]
    signatures: Mapping[str, str]
    undocumented: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class Gateway:
    """A gateway, as the tests of what holds for all drive it.

    Attributes:
        label: The row's.
        name: The gateway's, as errors and logs name it.
        client: The client's class.
        credentials: The arguments that are secret.
        options: Others that a client needs, such as the transport.
        offline: Others that spare it the request for a token.
        url: Its base URL at the emulator.
        prepare: Puts the credentials and whatever the calls need into the emulator.
        state: What the calls can change there, beside messages, credit and contacts.
        calls: All operations; the first one sends.
        sample: Some calls of each effect, which meet every fault.
        tokens: The end of the path by which it gets a token, if it has any.
        send_reply: An answer to the first call that is a success.
        wraps: Each makes an answer whose data is any JSON.
        names: Field names of its answers that the models do not tell.
        oddities: JSON that its readers may stumble over.
        models: What answers become.
        echoes: Answers that show everything secret, in all places where the gateway's answers can. The
            one named "refusal" has all of `support.sentinels.ECHO` in its text, and proves that nothing was done.
        titled: Calls whose results show titles, which are none of the secrets, wherever a title may have come from.
        bad_calls: Calls with arguments that are wrong, and secret.
        bad_settings: Arguments of the client that are wrong, and secret.
        values: What must not show what it holds.
        surface: What users import and call.
    """

    label: str
    name: str
    client: type[Any]
    credentials: Mapping[str, Any]
    options: Mapping[str, Any] = {}
    offline: Mapping[str, Any] = {}
    url: Callable[[Emulator], str]
    prepare: Callable[[Emulator, Any], Awaitable[None]]
    state: Callable[[Emulator], object] = lambda _: None
    calls: Mapping[str, Call]
    sample: tuple[str, ...]
    tokens: str | None = None
    send_reply: bytes
    wraps: tuple[Callable[[Any], bytes], ...]
    names: tuple[str, ...]
    oddities: tuple[Any, ...] = ()
    models: tuple[type, ...]
    echoes: Mapping[str, Behaviour]
    titled: tuple[str, ...] = ()
    bad_calls: tuple[Run, ...]
    bad_settings: tuple[Mapping[str, Any], ...]
    values: tuple[object, ...]
    surface: Surface
    _states: dict[str | None, object] = attrs.field(factory=dict[str | None, object], init=False)

    def __repr__(self) -> str:
        return self.label

    @property
    def sampled(self) -> list[Call]:
        return [self.calls[name] for name in self.sample]

    @property
    def send(self) -> Call:
        return next(iter(self.calls.values()))

    def make(self, base_url: str, **options: Any) -> Any:
        """A client as users make it."""
        return self.client(**{**self.credentials, **self.options, "base_url": base_url, **options})

    def connect(self, base_url: str, **options: Any) -> Any:
        """A client that repeats without waiting and fetches no token, for a server that knows none."""
        return self.make(base_url, **{"retry": QUICKLY, "timeout": PATIENT, **self.offline, **options})

    def observe(self, emulator: Emulator) -> object:
        """All that the calls can change in an emulator, without what differs from run to run."""
        messages = [
            (
                message.recipient,
                message.text,
                message.line,
                message.kind,
                message.check_id,
                message.cancelled_at is None,
            )
            for message in emulator.messages()
        ]
        account: Any = emulator.gateways[self.name].settings["account"]
        return messages, account.credit, emulator.gateways[self.name].contacts(), self.state(emulator)

    async def state_before(self) -> object:
        """What there is to observe in an emulator that is prepared."""
        return await self._find_state(None)

    async def state_after(self, call: Call) -> object:
        """The same after one run of a call."""
        return await self._find_state(call)

    async def _find_state(self, call: Call | None) -> object:
        name = None if call is None else call.name
        if name not in self._states:
            async with self.at_emulator() as (emulator, client):
                if call is not None:
                    await call.run(client)
                self._states[name] = self.observe(emulator)
        return self._states[name]

    def count(self, emulator: Emulator) -> int:
        """The requests that came, but for those for a token."""
        return sum(not (self.tokens and request.path.endswith(self.tokens)) for request in emulator.requests)

    @asynccontextmanager
    async def at_emulator(self, **options: Any) -> AsyncGenerator[Scene]:
        """A fresh emulator that is prepared, and a client that has its token and a connection."""
        async with Emulator() as emulator:
            async with self.make(self.url(emulator), **{"retry": QUICKLY, "timeout": PATIENT, **options}) as client:
                await self.prepare(emulator, client)
                await client.credit()
                emulator.requests.clear()
                yield Scene(emulator, client)
            await _wait_until_closed(emulator)


class Scene(NamedTuple):
    """An emulator, and a client of it."""

    emulator: Emulator
    client: Any


async def _wait_until_closed(emulator: Emulator) -> None:
    """No connection may be left; the server learns a moment later that the client closed one."""
    async with asyncio.timeout(5):
        while emulator.connections:  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.001)


def to_json(document: Any) -> bytes:
    return json.dumps(document).encode()
