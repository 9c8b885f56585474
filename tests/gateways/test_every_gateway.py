"""What holds for every gateway, written once: certainty, silence, and nothing left behind, against the emulator."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import pickle
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.common import (
    Attempt,
    AttemptReply,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    Proceed,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
)
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient
from support.ghasedak import failure_of
from support.sentinels import PHONE, TEXT, assert_silent, leaks
from support.sockets import dead_port

QUICKLY = RetryPolicy(base_delay=0.001)
SHORT = Timeout(total=5, attempt=0.15, connect=0.1)
Call = Callable[[Any], Awaitable[Any]]


@attrs.frozen
class Gateway:
    """One of the gateways, as these tests drive it."""

    name: str
    make: Callable[..., Any]
    url: str
    """The emulator's attribute that holds the base URL."""
    send: Call
    read: Call

    def connect(self, emulator: Emulator, **options: Any) -> Any:
        return self.make(base_url=getattr(emulator, self.url), **{"retry": QUICKLY, "timeout": SHORT, **options})


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


def _credit(client: Any) -> Awaitable[Any]:
    result: Awaitable[Any] = client.credit()
    return result


GATEWAYS = [
    Gateway("ghasedak", _ghasedak, "ghasedak_url", lambda c: c.send(PHONE, TEXT, sender="10008566"), _credit),
    Gateway("smsir", _smsir, "smsir_url", lambda c: c.messages.send_to_numbers(PHONE, TEXT), _credit),
    Gateway("opgateway", _opgateway, "opgateway_url", lambda c: c.send(PHONE, TEXT, sender="3000505"), _credit),
    Gateway("advgateway", _soap, "advgateway_url", lambda c: c.send(PHONE, TEXT, sender="50001"), _credit),
    Gateway("advgateway", _rest, "advgateway_rest_url", lambda c: c.send(PHONE, TEXT, sender="50001"), _credit),
]
EACH = pytest.mark.parametrize("gateway", GATEWAYS, ids=["ghasedak", "smsir", "opgateway", "soap", "rest"])


@pytest.fixture
async def emulator() -> Any:
    async with Emulator() as running:
        group = running.smsir.phone_book.add_group("g")
        running.smsir.phone_book.add_contact(group.id, PHONE)
        running.opgateway.account.lines = ("3000505",)
        running.advgateway.account.lines = ("50001",)
        yield running


def _sent(emulator: Emulator) -> list[str]:
    return [message.text for message in emulator.messages() if message.kind != "membership"]


def _requests(emulator: Emulator) -> int:
    return sum(not request.path.lower().endswith("gettoken") for request in emulator.requests)


async def _warm(client: Any) -> None:
    """Fetch the token, where there is one, so that a fault befalls the call itself."""
    if isinstance(client, SmsIrClient):
        await client.authenticate()


FAULTS: list[tuple[Fault, type[PayamakError], Outcome, bool]] = [
    (Fault("drop_before_read", times=9), ConnectionLostError, Outcome.UNKNOWN, True),
    (Fault("reset_before_read", times=9), ConnectionLostError, Outcome.UNKNOWN, True),
    (Fault("drop_after_read", times=9), ConnectionLostError, Outcome.UNKNOWN, True),
    (Fault("reset_after_read", times=9), ConnectionLostError, Outcome.UNKNOWN, True),
    (Fault("cut_reply", times=9), ConnectionLostError, Outcome.UNKNOWN, True),
    (Fault("hang", times=9), RequestTimeoutError, Outcome.UNKNOWN, True),
    (Fault("html", times=9), ReplyError, Outcome.UNKNOWN, True),
    (Fault("garbage", times=9), ReplyError, Outcome.UNKNOWN, False),
    (Fault("empty", times=9), ReplyError, Outcome.UNKNOWN, False),
    (Fault("oversized", times=9), ReplyError, Outcome.UNKNOWN, False),
    (Fault("redirect", times=9, location="/elsewhere"), ReplyError, Outcome.UNKNOWN, False),
]


@EACH
@pytest.mark.parametrize(("fault", "kind", "outcome", "repeats"), FAULTS, ids=[fault.kind for fault, *_ in FAULTS])
async def test_a_send_is_made_once_whatever_happens_and_a_read_again(
    gateway: Gateway, fault: Fault, kind: type[PayamakError], outcome: Outcome, repeats: bool, emulator: Emulator
) -> None:
    async with gateway.connect(emulator) as client:
        await _warm(client)
        emulator.add_fault(fault)
        error = await failure_of(gateway.send(client))
        assert isinstance(error, kind)
        assert error.outcome is outcome
        assert (error.gateway, bool(error.operation), bool(error.operation_id)) == (gateway.name, True, True)
        assert _requests(emulator) == 1
        assert len(_sent(emulator)) <= 1
        assert_silent(error)
        error = await failure_of(gateway.read(client))
        assert isinstance(error, kind)
        assert _requests(emulator) == 1 + (3 if repeats else 1)
    await asyncio.sleep(0.01)
    assert emulator.connections == 0


@EACH
async def test_a_passing_failure_of_a_read_is_not_seen(gateway: Gateway, emulator: Emulator) -> None:
    async with gateway.connect(emulator) as client:
        await _warm(client)
        emulator.add_fault(Fault("drop_after_read", times=2))
        assert await gateway.read(client) > 0
        assert _requests(emulator) == 3


@EACH
async def test_nothing_listens(gateway: Gateway) -> None:
    with dead_port() as port:
        async with gateway.make(base_url=f"http://127.0.0.1:{port}/x", retry=QUICKLY) as client:
            error = await failure_of(gateway.send(client))
    assert isinstance(error, ConnectionFailedError)
    assert error.outcome is Outcome.NOT_SENT


@EACH
async def test_a_cancelled_send_is_told_in_the_log(
    gateway: Gateway, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.connect(emulator, timeout=None) as client:
        await _warm(client)
        emulator.add_fault(Fault("hang"))
        task = asyncio.ensure_future(gateway.send(client))
        while not emulator.requests or emulator.requests[-1].fault is None:  # noqa: ASYNC110 -- another object's state
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (told,) = (record for record in caplog.records if "cancelled" in record.getMessage())
    assert told.name == f"payamak.{gateway.name}"
    assert "unknown" in told.getMessage()
    assert not leaks(told.getMessage())


@EACH
async def test_silence_at_debug_level(gateway: Gateway, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with gateway.connect(emulator) as client:
        await gateway.send(client)
        for kind in ("garbage", "html", "drop_after_read", "status"):
            emulator.add_fault(Fault(kind, status=400) if kind == "status" else Fault(kind))
            with contextlib.suppress(PayamakError):
                await gateway.send(client)
    for record in caplog.records:
        if record.name.startswith(("payamak", "backoff")):
            assert not leaks(record.getMessage(), record.args)


@EACH
async def test_errors_pickle_and_copy(gateway: Gateway, emulator: Emulator) -> None:
    async with gateway.connect(emulator) as client:
        await _warm(client)
        emulator.add_fault(Fault("drop_after_read"))
        error = await failure_of(gateway.send(client))
    for duplicate in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(duplicate) is type(error)
        assert str(duplicate) == str(error)
        assert vars(duplicate) == vars(error)


@EACH
async def test_a_closed_client_says_so(gateway: Gateway, emulator: Emulator) -> None:
    client = gateway.connect(emulator)
    await gateway.read(client)
    await client.aclose()
    await client.aclose()
    error = await failure_of(gateway.send(client))
    assert isinstance(error, ClientStateError)
    assert error.outcome is Outcome.NOT_SENT
    assert _sent(emulator) == []


@EACH
async def test_a_shared_session_outlives_its_clients(gateway: Gateway, emulator: Emulator) -> None:
    async with HttpSession() as session:
        for _ in range(2):
            async with gateway.connect(emulator, session=session) as client:
                assert await gateway.read(client) > 0


@EACH
async def test_one_client_in_a_second_thread(gateway: Gateway, emulator: Emulator) -> None:
    """Its event loop is another one: a clear error, while the first still runs."""
    found: list[BaseException] = []

    def use(client: Any) -> None:
        async def call() -> None:
            await gateway.read(client)

        try:
            asyncio.run(call())
        except PayamakError as error:
            found.append(error)

    async with gateway.connect(emulator) as client:
        await gateway.read(client)
        thread = threading.Thread(target=use, args=(client,))
        thread.start()
        await asyncio.to_thread(thread.join)
    assert [type(error) for error in found] == [ClientStateError]


@EACH
async def test_hooks_see_each_attempt_under_one_id(gateway: Gateway, emulator: Emulator) -> None:
    seen: list[Attempt] = []

    async def observe(call: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(call)
        return await proceed()

    async with gateway.connect(emulator, hooks=[observe]) as client:
        await _warm(client)
        seen.clear()
        emulator.add_fault(Fault("drop_after_read"))
        await gateway.read(client)
    assert [attempt.number for attempt in seen] == [1, 2]
    assert len({attempt.operation_id for attempt in seen}) == 1
    assert {attempt.gateway for attempt in seen} == {gateway.name}
    assert not leaks(*seen)


@EACH
async def test_many_at_once(gateway: Gateway, emulator: Emulator) -> None:
    async with gateway.connect(emulator, timeout=30) as client:
        await asyncio.gather(*(gateway.send(client) for _ in range(100)))
        assert len(_sent(emulator)) == 100
        assert emulator.connections <= 100
    await asyncio.sleep(0.02)
    assert emulator.connections == 0


@EACH
@pytest.mark.parametrize("options", [{"timeout": 0}, {"retry": None}, {"hooks": 5}, {"proxy": "x"}, {"session": 7}])
def test_the_same_arguments_are_checked_everywhere(gateway: Gateway, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        gateway.make(base_url="https://example.invalid/x", **options)
    with pytest.raises(InvalidArgumentError, match="allow_http"):
        gateway.make(base_url="http://example.invalid/x")
    assert "emulator" not in repr(gateway.make(base_url="https://example.invalid/x"))
