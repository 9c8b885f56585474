"""What is true a moment later, and what fails beside the sends: neither may make a word about a message false."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import pytest
from payamak.common import Attempt, AttemptReply, InvalidArgumentError, OnUnknown, Outcome, Proceed
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import GhasedakClient
from support.failures import failure_of
from support.many import GHASEDAK, OPGATEWAY, QUICKLY, SMSIR, by_outcome, collect, judge
from support.raw_server import Exchange, RawServer, envelope, http

SENT, REFUSED, NOT_SENT, UNKNOWN = Outcome.SENT, Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN


async def test_a_list_that_was_taken_and_is_shown_only_a_moment_after_its_refusal(emulator: Emulator) -> None:
    messages = GHASEDAK.messages(10)
    emulator.add_fault(GHASEDAK.fault("refuse", code=8))
    emulator.ghasedak.switches.kept_check_ids = "none"

    async def show_later() -> None:
        await asyncio.sleep(0.5)
        emulator.ghasedak.switches.kept_check_ids = "all"

    later = asyncio.create_task(show_later())
    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(messages))
    await later
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 10}


class FailingHook:
    """Fails before the first attempts of an operation."""

    def __init__(self, operation: str, times: int) -> None:
        self._operation = operation
        self._times = times

    async def __call__(self, call: Attempt, proceed: Proceed) -> AttemptReply:
        if call.operation == self._operation and self._times:
            self._times -= 1
            raise ValueError("a hook of the caller's")
        return await proceed()


async def test_a_hook_that_fails_at_a_question_costs_no_message(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    messages = GHASEDAK.messages(500)
    emulator.add_fault(GHASEDAK.fault("drop_after_read"))
    async with GHASEDAK.connect(emulator, hooks=[FailingHook("statuses_by_check_id", 1)]) as client:
        reports = await collect(client.send_many(messages))
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 500}
    assert [record.getMessage() for record in caplog.records if "asking" in record.message] == [
        "send_many: asking for messages failed with ValueError"
    ]


async def test_a_hook_that_fails_at_the_first_look_at_the_list_costs_no_message(emulator: Emulator) -> None:
    messages = SMSIR.messages(300)
    async with SMSIR.connect(emulator, hooks=[FailingHook("messages.sent_page", 1)]) as client:
        reports = await collect(client.send_many(messages))
    judge(SMSIR, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 300}


async def test_a_list_of_a_batch_that_lacks_what_the_answer_named_says_nothing_of_the_others(
    emulator: Emulator,
) -> None:
    emulator.smsir.switches.recipients_listed_every = 3600.0
    messages = [*SMSIR.messages(3), SMSIR.message(SMSIR.refused)]
    async with SMSIR.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=5))
    assert by_outcome(reports) == {SENT: 3, UNKNOWN: 1}


@pytest.mark.parametrize(
    ("status", "outcome"), [({"receptor": "09120000000"}, UNKNOWN), ({"receptor": ""}, NOT_SENT)], ids=str
)
async def test_a_status_that_denies_a_message_and_names_its_number(status: dict[str, Any], outcome: Outcome) -> None:
    """It says two things of it, so it says nothing."""
    denied = {"messageid": 0, "status": -1, **status}
    shown = {"messageid": 70001, "status": 0, "receptor": "09129999999"}

    async def behave(exchange: Exchange) -> None:
        received = await exchange.read()
        if received.target.endswith("sms/status"):
            await exchange.write(http(envelope([shown if received.form["id"] == "482913" else denied])))
        elif received.form["message"] == "before":
            await exchange.write(http(envelope([70001])))

    async with RawServer(behave) as server, GhasedakClient("key", base_url=server.url, retry=QUICKLY) as client:
        await client.send("09129999999", "before", check_id="482913")
        error = await failure_of(client.send("09120000000", "lost"))
        (report,) = await client.resolve(error, [GHASEDAK.message(0, "lost")], grace=5)
    assert report.outcome is outcome


async def test_two_numbers_in_a_refusal_of_which_one_may_come_after_the_message_was_taken(emulator: Emulator) -> None:
    body = json.dumps({"result": {"code": 419, "message": "error! Exception"}, "items": [8, 10]})
    emulator.add_fault(Fault("status", status=419, body=body, content_type="application/json", processed=True))
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send_to_many(["09121111111", "09122222222"], "text"))
    assert error.outcome is UNKNOWN


@pytest.mark.parametrize("status", [400, 429])
async def test_a_page_that_shows_an_exception_is_neither_a_refusal_nor_bare(status: int, emulator: Emulator) -> None:
    page = "<html><body><h1>Server Error</h1><pre>System.NullReferenceException: Object reference not set</pre></html>"
    emulator.add_fault(Fault("status", status=status, body=page, content_type="text/html", processed=True))
    async with OPGATEWAY.connect(emulator) as client:
        error = await failure_of(client.send("09121111111", "text", sender="3000505"))
    assert error.outcome is UNKNOWN
    assert len(OPGATEWAY.ledger(emulator)) == 1


async def test_an_error_is_asked_for_with_a_client_of_its_gateway(emulator: Emulator) -> None:
    emulator.add_fault(GHASEDAK.fault("drop_after_read"))
    async with GHASEDAK.connect(emulator) as client, OPGATEWAY.connect(emulator) as other:
        error = await failure_of(client.send_to_many(["09120000000"], "text"))
        with pytest.raises(InvalidArgumentError, match="error is of ghasedak"):
            await other.resolve(error, [OPGATEWAY.message(0)])


async def test_what_never_left_is_resolved_whatever_is_wrong_with_it(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send("0912", "text"))
        (report,) = await client.resolve(error, [GHASEDAK.message("0912")])
    assert (report.outcome, report.error) == (NOT_SENT, error)


async def test_an_error_of_the_future_proves_nothing(emulator: Emulator) -> None:
    """The clock was set in between."""
    emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
    async with GHASEDAK.connect(emulator) as client:
        await GHASEDAK.bear_witness(client)
        error = await failure_of(client.send_to_many(["09120000000"], "text"))
        assert error.at is not None
        error.at += datetime.timedelta(days=400)
        (report,) = await client.resolve(error, [GHASEDAK.message(0)], grace=5)
    assert report.outcome is UNKNOWN


async def test_a_rejection_of_the_token_that_shows_an_exception_is_none(emulator: Emulator) -> None:
    body = json.dumps({"Message": "Object reference not set to an instance of an object."})
    emulator.add_fault(SMSIR.fault("status", status=401, body=body, content_type="application/json", processed=True))
    async with SMSIR.connect(emulator) as client:
        error = await failure_of(client.messages.send_to_numbers("09120000000", "text"))
    assert error.outcome is UNKNOWN
    assert len(SMSIR.ledger(emulator)) == 1


async def test_left_as_unknown_what_an_answer_left_out_is_not_asked_for(emulator: Emulator) -> None:
    messages = [*SMSIR.messages(3), SMSIR.message(SMSIR.refused)]
    async with SMSIR.connect(emulator) as client:
        reports = await collect(client.send_many(messages, on_unknown=OnUnknown.LEAVE))
    assert by_outcome(reports) == {SENT: 3, UNKNOWN: 1}
