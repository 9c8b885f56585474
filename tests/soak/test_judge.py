"""The judge of the soak must see what it is there to see."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from payamak.common import (
    ConnectionLostError,
    GatewayError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    SendReport,
)
from payamak.emulator import Fault

from .judge import Judge, Tally
from .lanes import LANES, Lane, Wave
from .lies import GATEWAYS, LIES, make_switches
from .server import SHARE, mix
from .soak import Report, format_table
from .waves import Result

GHASEDAK, SMSIR, OPGATEWAY, ADVGATEWAY = LANES[:4]
NUMBER, TEXT = "09121111111", "text"
NOT_SENT = ConnectionLostError("x", outcome=Outcome.NOT_SENT)
UNKNOWN = ConnectionLostError("x")


def _result(lane: Lane, *reports: tuple[Outcome, int | None, PayamakError | None], count: int | None = None) -> Result:
    messages: list[OutgoingMessage | None] = [OutgoingMessage(NUMBER, TEXT) for _ in range(count or len(reports))]
    wave = Wave(
        lane, messages, [(NUMBER, TEXT)] * len(messages), {"on_unknown": OnUnknown.ASK}, "list", "whole", 0, False, 0
    )
    result = Result(wave)
    for index, (outcome, message_id, error) in enumerate(reports):
        message = messages[index]
        assert message is not None
        result.reports.append(SendReport(index, message, outcome, message_id, error, "after 0"))
    return result


def _entries(lane: Lane, *ids: int) -> list[dict[str, Any]]:
    return [
        {
            "gateway": lane.gateway, "recipient": NUMBER, "text": TEXT, "id": number, "check_id": str(number),
            "created_at": f"2026-01-01T00:00:{place:02}+00:00",
        }
        for place, number in enumerate(ids)
    ]  # fmt: skip


def _judge(
    result: Result, *ids: int, switches: dict[str, Any] | None = None, requests: Sequence[dict[str, Any]] = ()
) -> tuple[Tally, list[str]]:
    judge = Judge()
    judge.judge_round([result], _entries(result.wave.lane, *ids), requests, switches or {})
    return judge.total, judge.problems


Told = tuple[Outcome, int | None, PayamakError | None]


def _refused(code: int, http_status: int | None = 200, *, said: str | None = None) -> Told:
    return Outcome.REFUSED, None, GatewayError("x", code=code, http_status=http_status, gateway_message=said)


SENT = (Outcome.SENT, 7, None)
LOST = (Outcome.UNKNOWN, None, UNKNOWN)
UNSENT = (Outcome.NOT_SENT, None, NOT_SENT)


@pytest.mark.parametrize(
    ("result", "ids"),
    [
        (_result(GHASEDAK, SENT), [7]),
        (_result(GHASEDAK, UNSENT), []),
        (_result(GHASEDAK, SENT, UNSENT), [7]),
        (_result(GHASEDAK, LOST), []),
        (_result(OPGATEWAY, LOST), []),
        (_result(OPGATEWAY, LOST), [7]),
        (_result(SMSIR, LOST), []),
    ],
)
def test_what_is_right(result: Result, ids: list[int]) -> None:
    tally, problems = _judge(result, *ids)
    assert problems == []
    assert (tally.duplicates, tally.lost, tally.unexplained) == (0, 0, 0)


@pytest.mark.parametrize(
    ("result", "ids", "duplicates", "lost", "unexplained"),
    [
        pytest.param(_result(GHASEDAK, SENT), [7, 8], 1, 1, 0, id="sent twice"),
        pytest.param(_result(GHASEDAK, LOST), [7, 8], 1, 1, 1, id="unknown, and sent twice"),
        pytest.param(_result(GHASEDAK, SENT), [], 0, 2, 0, id="said to be sent, and was not"),
        pytest.param(_result(GHASEDAK, UNSENT), [7], 0, 1, 0, id="said to be not sent, and was"),
        pytest.param(_result(GHASEDAK, SENT), [8], 0, 1, 0, id="the id of another"),
        pytest.param(_result(GHASEDAK, SENT, SENT), [7, 8], 0, 1, 0, id="one id for two"),
        pytest.param(_result(GHASEDAK, SENT, LOST), [7], 0, 0, 1, id="the gateway would have known"),
        pytest.param(_result(SMSIR, LOST), [7], 0, 0, 1, id="the list would have had it"),
    ],
)
def test_what_is_wrong(result: Result, ids: list[int], duplicates: int, lost: int, unexplained: int) -> None:
    tally, problems = _judge(result, *ids)
    assert len(problems) == 1
    assert (tally.duplicates, tally.lost, tally.unexplained) == (duplicates, lost, unexplained)


def _with_reference(result: Result, reference: str | None) -> Result:
    result.reports = [attrs.evolve(report, reference=reference) for report in result.reports]
    return result


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(_result(GHASEDAK, _refused(8)), id="documented"),
        pytest.param(_result(OPGATEWAY, _refused(411, 411)), id="a bare status"),
        pytest.param(_result(GHASEDAK, _refused(8, None), _refused(8, None)), id="inside a success"),
        pytest.param(_result(OPGATEWAY, _refused(4)), id="documented, where nobody can be asked"),
        pytest.param(_result(ADVGATEWAY, _refused(-3)), id="of one recipient"),
        pytest.param(
            _with_reference(_result(SMSIR, _refused(7, said="عملیات انجام نشد")), None), id="with nothing to ask by"
        ),
    ],
)
def test_refusals_that_may_be_false(result: Result) -> None:
    count = len(result.reports)
    tally, problems = _judge(result, *range(7, 7 + count))
    assert problems == []
    assert (tally.false_refusals, tally.lost, tally.unexplained) == (count, 0, 0)


@pytest.mark.parametrize(
    ("result", "lost", "unexplained"),
    [
        pytest.param(_result(GHASEDAK, _refused(10)), 1, 0, id="a failure of the gateway's"),
        pytest.param(_result(OPGATEWAY, _refused(54321)), 1, 0, id="a code that nobody explains"),
        pytest.param(_result(OPGATEWAY, _refused(4, 500)), 1, 0, id="a server error"),
        pytest.param(_result(OPGATEWAY, _refused(409, 409)), 1, 0, id="a status that says nothing"),
        pytest.param(_result(ADVGATEWAY, _refused(-3), _refused(-3)), 1, 0, id="nobody knows of whom"),
        pytest.param(_result(SMSIR, _refused(7, said="Object reference")), 1, 0, id="an exception"),
        pytest.param(_result(SMSIR, _refused(7, said="عملیات انجام نشد")), 0, 1, id="the list would have shown it"),
        pytest.param(_result(GHASEDAK, _refused(8), _refused(8)), 0, 2, id="the status would have shown them"),
    ],
)
def test_refusals_that_may_not_be_false(result: Result, lost: int, unexplained: int) -> None:
    tally, problems = _judge(result, *range(7, 7 + len(result.reports)))
    assert len(problems) == 1
    assert (tally.lost, tally.unexplained) == (lost, unexplained)


def test_a_refusal_that_is_clear_is_not_unknown() -> None:
    error = GatewayError("x", code=4, http_status=200, outcome=Outcome.UNKNOWN)
    assert len(_judge(_result(OPGATEWAY, (Outcome.UNKNOWN, None, error)))[1]) == 1


TOO_MANY = {
    "gateway": "opgateway", "path": OPGATEWAY.path, "fault": "status", "status": 429, "processed": True,
    "arrived_at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "problems"),
    [
        (TOO_MANY, 0),
        ({**TOO_MANY, "arrived_at": "2026-01-01T00:01:00+00:00"}, 1),
        ({**TOO_MANY, "fault": "refuse"}, 1),
        ({**TOO_MANY, "status": 408}, 1),
    ],
)
def test_only_what_a_bare_429_denied_goes_out_again(request_: dict[str, Any], problems: int) -> None:
    tally, found = _judge(_result(OPGATEWAY, (Outcome.SENT, 8, None)), 7, 8, requests=[request_])
    assert bool(found) == bool(problems)
    assert (tally.repeats, tally.duplicates) == (1 - problems, problems)


@pytest.mark.parametrize(("refusal", "problems"), [(_refused(5), 0), (_refused(54321), 1)])
def test_a_later_run_sends_again_what_the_first_had_to_believe(refusal: Told, problems: int) -> None:
    result = _result(OPGATEWAY, (Outcome.SENT, 8, None))
    result.earlier = _result(OPGATEWAY, refusal).reports
    tally, found = _judge(result, 7, 8)
    assert bool(found) == bool(problems)
    assert (tally.reruns, tally.duplicates) == (1 - problems, problems)


@pytest.mark.parametrize(
    ("result", "ids", "switches"),
    [
        (_result(GHASEDAK, (Outcome.SENT, None, None)), [7], {"status_reply": "null_ids"}),
        (_result(GHASEDAK, SENT, LOST), [7], {"status_reply": "null_ids"}),
        (_result(GHASEDAK, SENT, LOST), [7, 8], {"status_reply": "null"}),
        (_result(GHASEDAK, _refused(8), _refused(8)), [7, 8], {"status_reply": "not_found"}),
        (_result(GHASEDAK, SENT, LOST), [7], {"kept_check_ids": "numbers"}),
    ],
)
def test_what_a_gateway_hides_cannot_be_known(result: Result, ids: list[int], switches: dict[str, Any]) -> None:
    assert _judge(result, *ids, switches={"ghasedak": switches})[1] == []


def test_a_number_is_kept() -> None:
    result = _with_reference(_result(GHASEDAK, SENT, LOST), "7")
    assert len(_judge(result, 7, switches={"ghasedak": {"kept_check_ids": "numbers"}})[1]) == 1


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(_result(OPGATEWAY, UNSENT, count=2), id="a message without a report"),
        pytest.param(_result(OPGATEWAY, (Outcome.SENT, None, None)), id="sent without an id"),
        pytest.param(_result(OPGATEWAY, (Outcome.NOT_SENT, None, None)), id="not sent without a reason"),
        pytest.param(_result(OPGATEWAY, (Outcome.UNKNOWN, None, NOT_SENT)), id="unknown for a reason that is certain"),
        pytest.param(attrs.evolve(_result(OPGATEWAY, UNSENT), problems=["stuck"]), id="what went wrong on the way"),
    ],
)
def test_reports_that_are_wrong_in_themselves(result: Result) -> None:
    assert len(_judge(result)[1]) == 1


def test_one_report_twice() -> None:
    result = _result(OPGATEWAY, UNSENT, UNSENT)
    result.reports[1] = result.reports[0]
    assert len(_judge(result)[1]) == 1


def test_failed_readings_explain_what_is_unknown() -> None:
    assert _judge(attrs.evolve(_result(GHASEDAK, LOST), failed_reads=1), 7)[1] == []


def test_a_message_that_nobody_gave() -> None:
    judge = Judge()
    judge.judge_round([], _entries(GHASEDAK, 7), [], {})
    assert len(judge.problems) == 1


@pytest.mark.parametrize(
    ("memory", "problems"),
    [
        ([(10**6, 10**8)] * 40, 0),
        ([(10**6 + n * 5000, 10**8) for n in range(40)], 1),
        ([(10, n) for n in (0, 10**9)], 0),
    ],
)
def test_memory_that_grows(memory: list[tuple[int, int]], problems: int) -> None:
    assert len(Report(Judge(), memory=memory)._growth()) == problems


def test_what_is_left_behind() -> None:
    report = Report(Judge(), left_sockets=1, left_tasks=["task"], logged_errors=["error"])
    assert len(report.problems) == 3


def test_too_few_faults_prove_nothing() -> None:
    judge = Judge()
    requests = [{"path": f"{GHASEDAK.path}sms/status", "fault": fault} for fault in ("hang", *[None] * 9)]
    judge.judge_round([], [], requests, {})
    assert Report(judge).problems == []
    judge.judge_round([], [], requests[1:], {})
    assert len(Report(judge).problems) == 1


def test_too_few_lies_prove_nothing() -> None:
    judge = Judge()
    requests = [{"path": f"{GHASEDAK.path}sms/status", "fault": "hang"}] * 10_000
    judge.judge_round([], [], requests, {})
    assert len(Report(judge).problems) == 1


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("seed", range(5))
def test_faults_and_lies_befall_their_share(gateway: str, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    passed_over = 1.0
    for order in mix(dice, make_switches(dice)):
        if Fault.from_dict(order).matches(gateway, ""):
            passed_over *= 1 - order["probability"]
    assert passed_over == pytest.approx(1 - SHARE - LIES)


def test_the_table_has_a_row_for_each_gateway() -> None:
    assert len(format_table(Judge()).splitlines()) == len(LANES) + 3
