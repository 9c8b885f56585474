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
from payamak.smsir import SmsIrClient
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


def _batch(ids: list[dict[str, Any]], listed: list[dict[str, Any]] | None) -> RawServer:
    """An sms.ir that takes a send, names these in its answer, and lists these of the batch."""

    async def behave(exchange: Exchange) -> None:
        target = (await exchange.read()).target
        answer: dict[str, Any] = {"IsSuccessful": True, "Message": "", "ErrorCode": 0}
        if target.endswith("GetToken"):
            answer |= {"TokenKey": "token"}
        elif target.endswith("SendByMobileNumbers"):
            answer |= {"MessageId": 7, "BatchKey": "a-batch", "Ids": ids}
        else:
            answer |= {"Messages": listed if "batchKey" in target else []}
        await exchange.write(http(json.dumps(answer).encode()))

    return RawServer(behave)


NAMED = {"ID": 1, "MobileNumber": "09120000000"}
LISTED = {"Id": 1, "BatchKey": "a-batch", "MobileNumber": 9120000000}


@pytest.mark.parametrize(
    ("ids", "listed", "outcome"),
    [
        ([NAMED], None, UNKNOWN),
        ([NAMED], [], UNKNOWN),
        ([NAMED, {"ID": None, "MobileNumber": "09120000001"}], None, UNKNOWN),
        ([NAMED], [LISTED], REFUSED),
        ([], [], REFUSED),
    ],
)
async def test_a_list_proves_a_number_refused_only_beside_those_that_the_answer_named(
    ids: list[dict[str, Any]], listed: list[dict[str, Any]] | None, outcome: Outcome
) -> None:
    messages = SMSIR.messages(2)
    async with _batch(ids, listed) as server, SmsIrClient("key", "secret", base_url=server.url) as client:
        reports = await collect(client.send_many(messages, grace=5))
    assert {report.outcome for report in reports if report.message is messages[1]} == {outcome}


@pytest.mark.parametrize("listed", [None, [], [LISTED]])
async def test_whoever_asks_later_believes_only_a_list_that_shows_somebody(listed: list[dict[str, Any]] | None) -> None:
    """It was not there when the answer named the others."""
    messages = SMSIR.messages(2)
    async with _batch([NAMED], listed) as server, SmsIrClient("key", "secret", base_url=server.url) as client:
        left = await collect(client.send_many(messages, on_unknown=OnUnknown.LEAVE))
        (lost,) = [report for report in left if report.outcome is UNKNOWN]
        assert lost.error is not None
        (report,) = await client.resolve(lost.error, [lost.message], grace=5)
    assert report.outcome is (REFUSED if listed else UNKNOWN)


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
@pytest.mark.parametrize(
    "shown",
    [
        "<pre>System.NullReferenceException: Object reference not set</pre>",
        "<b>Fatal error</b>:  Uncaught Error: Call to a member function insert() on null in /srv/send.php:12",
        "<pre>java.lang.IllegalStateException: queue\n\tat ir.panel.Send.run(Send.java:7)</pre>",
        "<h1>Traceback (most recent call last):</h1>",
    ],
)
async def test_a_page_that_shows_an_exception_is_neither_a_refusal_nor_bare(
    status: int, shown: str, emulator: Emulator
) -> None:
    page = f"<html><body><h1>Server Error</h1>{shown}</body></html>"
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
