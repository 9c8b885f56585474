"""What is tried again, and what never is: every operation of every gateway."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from payamak.common import (
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    Outcome,
    RateLimitError,
    ReplyError,
)
from payamak.common.retry import Effect
from payamak.emulator import Fault
from support.failures import failure_of
from support.gateways import EACH, EACH_CALL, GATEWAYS, Call, Gateway
from support.raw_server import RawServer, Received, answer, hang
from support.sockets import dead_port

ATTEMPTS = 3
BUSY = answer(b"", 429, {"Retry-After": "0"})
ON_A_LATER_PYTHON = """
import asyncio, logging
del asyncio.iscoroutinefunction  # As Python 3.16 does.
logging.disable()

from payamak.emulator import Fault
from support.gateways import GATEWAYS

async def main():
    for gateway in GATEWAYS:
        async with gateway.at_emulator() as (emulator, client):
            emulator.add_fault(Fault("status", status=429))
            await gateway.send.run(client)
            print(gateway.label, gateway.count(emulator))

asyncio.run(main())
"""


@EACH_CALL
async def test_a_connection_that_breaks(gateway: Gateway, call: Call) -> None:
    """It was used before: aiohttp itself would send on such a connection again."""
    async with gateway.at_emulator() as (emulator, client):
        emulator.add_fault(Fault("drop_after_read", times=ATTEMPTS))
        error = await failure_of(call.run(client))
        assert type(error) is ConnectionLostError
        assert (error.operation, error.outcome) == (call.name, Outcome.UNKNOWN)
        assert gateway.count(emulator) == (ATTEMPTS if call.repeats else 1)


@EACH_CALL
async def test_a_failure_there(gateway: Gateway, call: Call) -> None:
    async with gateway.at_emulator() as (emulator, client):
        emulator.add_fault(Fault("html", status=500, times=ATTEMPTS))
        error = await failure_of(call.run(client))
        assert type(error) is ReplyError
        assert (error.operation, error.outcome) == (call.name, Outcome.UNKNOWN)
        assert gateway.count(emulator) == (ATTEMPTS if call.repeats else 1)


@EACH_CALL
async def test_a_refusal_for_now(gateway: Gateway, call: Call) -> None:
    """Nothing was done, so that anything may be tried again, with the very same request."""
    async with gateway.at_emulator() as (emulator, client):
        emulator.add_fault(Fault("status", status=429, headers={"Retry-After": "0"}, times=ATTEMPTS - 1))
        await call.run(client)
        assert gateway.count(emulator) == ATTEMPTS
        assert gateway.observe(emulator) == await gateway.state_after(call)
    async with RawServer(BUSY) as server, gateway.connect(server.url) as client:
        error = await failure_of(call.run(client))
        assert type(error) is RateLimitError
        assert (error.operation, error.outcome) == (call.name, Outcome.REFUSED)
        assert len(server.requests) == ATTEMPTS
        assert len({(request.method, request.target, _without_boundary(request)) for request in server.requests}) == 1


def _without_boundary(request: Received) -> bytes:
    """The body, in which each request with a file has another line between its parts."""
    _, mark, boundary = request.headers.get("content-type", "").partition("boundary=")
    return request.body.replace(boundary.encode(), b"") if mark else request.body


@EACH_CALL
async def test_what_fails_differently_the_second_time(gateway: Gateway, call: Call) -> None:
    """The first attempt may have changed something, so that the refusal of the second one is not the whole truth."""
    async with gateway.at_emulator() as (emulator, client):
        emulator.add_fault(Fault("drop_after_read"))
        emulator.add_fault(Fault("status", status=403))
        error = await failure_of(call.run(client))
        assert gateway.count(emulator) == (2 if call.repeats else 1)
        assert error.outcome is (Outcome.REFUSED if call.effect is Effect.NONE else Outcome.UNKNOWN)


@EACH_CALL
async def test_cancelled(gateway: Gateway, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=f"payamak.{gateway.name}")
    async with RawServer(hang) as server, gateway.connect(server.url) as client:
        task = asyncio.ensure_future(call.run(client))
        async with asyncio.timeout(5):
            await server.has_read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.requests) == 1
    (record,) = (record for record in caplog.records if "cancelled in" in record.getMessage())
    assert record.name == f"payamak.{gateway.name}"
    assert f"{call.name}: cancelled in attempt 1, outcome: unknown" in record.getMessage()
    assert record.levelno == (logging.DEBUG if call.effect is Effect.NONE else logging.WARNING)


@EACH
async def test_a_refusal_is_final(gateway: Gateway) -> None:
    """Of what changes something; a read may have another way to ask."""
    changes = [call for call in gateway.calls.values() if call.effect is not Effect.NONE]
    async with RawServer(gateway.echoes["refusal"]) as server, gateway.connect(server.url) as client:
        for number, call in enumerate(changes, 1):
            error = await failure_of(call.run(client))
            assert isinstance(error, GatewayError)
            assert (error.operation, error.outcome) == (call.name, Outcome.REFUSED)
            assert len(server.requests) == number


@EACH
async def test_nobody_there(gateway: Gateway) -> None:
    with dead_port() as port:
        async with gateway.connect(f"http://127.0.0.1:{port}/") as client:
            for call in gateway.calls.values():
                error = await failure_of(call.run(client))
                assert type(error) is ConnectionFailedError
                assert (error.gateway, error.operation, error.outcome) == (gateway.name, call.name, Outcome.NOT_SENT)


@EACH
async def test_a_closed_client(gateway: Gateway) -> None:
    async with RawServer(hang) as server:
        client = gateway.connect(server.url)
        await client.aclose()
        for call in gateway.calls.values():
            error = await failure_of(call.run(client))
            assert type(error) is ClientStateError
            assert (error.gateway, error.operation, error.outcome) == (gateway.name, call.name, Outcome.NOT_SENT)
        assert not server.connections


def test_what_later_pythons_take_away_is_not_needed() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ON_A_LATER_PYTHON], env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stderr, done.stdout.splitlines()) == ("", [f"{gateway.label} 2" for gateway in GATEWAYS])
