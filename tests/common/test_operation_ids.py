"""One operation id for each call: on every attempt, on the error, in every log record."""

from __future__ import annotations

import logging

import pytest
from payamak.common import Attempt, AttemptReply, Outcome, Proceed
from payamak.ghasedak import OutgoingMessage
from support.ghasedak import ask, failure_of, look, make_client, send
from support.raw_server import RawServer, accept, answer, close_read, envelope
from support.sockets import dead_port

LOGGER = "payamak.ghasedak"


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER)


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("payamak")]


@pytest.mark.parametrize("call", [ask, look])
async def test_the_same_on_all_attempts_the_error_and_the_records(
    call: object, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(attempt.operation_id)
        return await proceed()

    async with RawServer(close_read) as server, make_client(server.url, hooks=[hook]) as client:
        error = await failure_of(call(client))  # type: ignore[operator]
    assert error.operation_id
    assert seen == [error.operation_id] * 3
    assert error.operation_id in str(error)
    found = records(caplog)
    assert all(error.operation_id in record.getMessage() for record in found)
    assert {record.name for record in found} == {LOGGER}
    assert [record.levelname for record in found] == ["DEBUG", "WARNING", "DEBUG", "WARNING", "DEBUG"]


async def test_a_new_one_for_each_call() -> None:
    ids: set[str | None] = set()
    with dead_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/") as client:
            for _ in range(5):
                ids.add((await failure_of(send(client))).operation_id)
    assert len(ids) == 5
    assert all(identity and len(identity) == 32 for identity in ids)


async def test_a_success_is_one_debug_record(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url) as client:
        await send(client)
    (record,) = records(caplog)
    assert record.levelno == logging.DEBUG
    assert "send: attempt 1, HTTP status 200" in record.getMessage()
    assert "ok" in record.getMessage()


async def test_a_retry_of_a_send_is_a_warning_that_says_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    with dead_port() as port:
        async with make_client(f"http://127.0.0.1:{port}/") as client:
            await failure_of(send(client))
    warnings = [record.getMessage() for record in records(caplog) if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert all("ConnectionFailedError, outcome: not sent" in warning for warning in warnings)


async def test_the_libraries_below_write_nothing_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("backoff", "aiohttp", "aiohttp.client", "aiohttp.internal"):
        caplog.set_level(logging.DEBUG, logger=name)
    async with RawServer(close_read) as server, make_client(server.url) as client:
        await failure_of(ask(client))
    assert {record.name for record in caplog.records} <= {LOGGER, "asyncio"}


async def test_on_every_kind_of_error() -> None:
    async with RawServer(answer(envelope(code=400), 400)) as server:
        client = make_client(server.url)
        errors = [
            await failure_of(send(client)),
            await failure_of(client.send("", "text")),
            await failure_of(client.send_to_many([""], "text")),
            await failure_of(client.send_to_many(["09121234567"], "")),
            await failure_of(client.send_pairs([OutgoingMessage("", "", "10001")])),
            await failure_of(client.statuses([])),
            await failure_of(client.groups.delete(-1)),
        ]
        await client.aclose()
        errors.append(await failure_of(send(client)))
    for error in errors:
        assert error.gateway == "ghasedak"
        assert error.operation
        assert error.operation_id, f"no operation id: {error}"
    assert len({error.operation_id for error in errors}) == len(errors)


async def test_on_the_errors_of_single_recipients() -> None:
    async with RawServer(accept(70001, 8, 20)) as server, make_client(server.url) as client:
        results = await client.send_to_many(["09121234567"] * 3, "text")
    errors = [result.error for result in results if result.error]
    assert len(errors) == 2
    assert {error.operation for error in errors} == {"send_to_many"}
    assert len({error.operation_id for error in errors}) == 1
    assert errors[0].operation_id
    assert all(error.outcome is Outcome.REFUSED for error in errors)
