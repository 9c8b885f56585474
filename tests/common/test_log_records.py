"""Log records carry what they say as fields of their own, for those who count and search them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient
from payamak.common import Attempt, AttemptReply, GatewayError, Proceed
from support.advgateway import in_envelope
from support.ghasedak import ask, failure_of, make_client, send
from support.raw_server import RawServer, accept, answer, close_read, envelope, hang

NAMES = {
    "gateway", "operation", "operation_id", "attempt", "duration", "http_status", "outcome", "error_type", "code",
}  # fmt: skip


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    found = {
        name.removeprefix("payamak_"): value for name, value in vars(record).items() if name.startswith("payamak_")
    }
    assert found.keys() == NAMES
    assert found["operation_id"] in record.getMessage()
    return found


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="payamak")


async def test_each_attempt_and_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    script = [close_read, answer(b"<html>", 502), accept({"status": 1})]
    async with RawServer(*script) as server, make_client(server.url) as client:
        await ask(client)
    found = [(record.levelname, fields_of(record)) for record in caplog.records]
    assert [
        (level, fields["attempt"], fields["http_status"], fields["outcome"], fields["error_type"])
        for level, fields in found
    ] == [
        ("DEBUG", 1, None, "unknown", "ConnectionLostError"),
        ("WARNING", 1, None, "unknown", "ConnectionLostError"),
        ("DEBUG", 2, 502, "unknown", "ReplyError"),
        ("WARNING", 2, 502, "unknown", "ReplyError"),
        ("DEBUG", 3, 200, None, None),
    ]
    assert {(fields["gateway"], fields["operation"]) for _, fields in found} == {("ghasedak", "statuses")}
    assert all((fields["duration"] is not None) is (level == "DEBUG") for level, fields in found)


async def test_the_vendors_code(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(answer(envelope(code=401, message="no"), 401)) as server, make_client(server.url) as client:
        await failure_of(send(client))
    (record,) = caplog.records
    fields = fields_of(record)
    assert (fields["code"], fields["outcome"], fields["error_type"]) == (401, "refused", "AuthenticationError")


@pytest.mark.parametrize(
    ("code", "shown"),
    [("SOAP-ENV:Server", "SOAP-ENV:Server"), ("Client", "Client"), ("0912-1234567", None), ("Server: secret", None)],
)
async def test_the_word_of_a_soap_fault_if_it_is_one_of_the_standards(
    code: str, shown: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    fault = f"<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>no</faultstring></SOAP-ENV:Fault>"
    async with (
        RawServer(answer(in_envelope(fault), 500)) as server,
        AdvGatewayClient("u", "p", base_url=server.url) as client,
    ):
        error = await failure_of(client.send("09121234567", "text", sender="50001"))
    assert isinstance(error, GatewayError)
    assert error.code == code
    assert fields_of(caplog.records[-1])["code"] == shown


async def test_a_telephone_number_is_no_code(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(answer(envelope(code=9121234567, message="no"))) as server, make_client(server.url) as client:
        await failure_of(send(client))
    assert fields_of(caplog.records[-1])["code"] is None


async def test_a_cancelled_call(caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, make_client(server.url) as client:
        task = asyncio.create_task(send(client))
        await server.has_read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [
        (record.levelname, fields["outcome"], fields["error_type"])
        for record in caplog.records
        if (fields := fields_of(record))
    ] == [("DEBUG", "unknown", "CancelledError"), ("WARNING", "unknown", "CancelledError")]


async def test_a_hook_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        await proceed()
        raise KeyError("09121234567")

    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=[fail]) as client:
        await send(client)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert fields_of(record)["error_type"] == "KeyError"


async def test_a_name_of_ones_own_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """logging refuses a name that a record has already: a factory that sets `outcome` must not cost a message."""
    factory = logging.getLogRecordFactory()

    def make(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = factory(*arguments, **options)
        record.outcome = record.code = record.operation_id = "mine"
        return record

    logging.setLogRecordFactory(make)
    try:
        async with RawServer(accept(70001)) as server, make_client(server.url) as client:
            assert (await send(client)).message_id == 70001
    finally:
        logging.setLogRecordFactory(factory)
