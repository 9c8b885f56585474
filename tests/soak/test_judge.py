"""The judge of the soak must see what it is there to see."""

from __future__ import annotations

import random
from typing import Any

import attrs
import pytest
from payamak.common import ConnectionLostError, OnUnknown, Outcome, OutgoingMessage, PayamakError, SendReport

from .judge import Judge, Tally
from .lanes import LANES, Lane, Wave
from .server import SHARE, mix
from .soak import Report, format_table
from .waves import Result

GHASEDAK, SMSIR, OPGATEWAY = LANES[:3]
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
        {"gateway": lane.gateway, "recipient": NUMBER, "text": TEXT, "id": number, "check_id": str(number)}
        for number in ids
    ]


def _judge(result: Result, *ids: int) -> tuple[Tally, list[str]]:
    judge = Judge()
    judge.judge_round([result], _entries(result.wave.lane, *ids), [])
    return judge.total, judge.problems


SENT = (Outcome.SENT, 7, None)
LOST = (Outcome.UNKNOWN, None, UNKNOWN)
UNSENT = (Outcome.NOT_SENT, None, NOT_SENT)


@pytest.mark.parametrize(
    ("result", "ids"),
    [
        (_result(GHASEDAK, SENT), [7]),
        (_result(GHASEDAK, UNSENT), []),
        (_result(GHASEDAK, SENT, UNSENT), [7]),
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
        pytest.param(_result(GHASEDAK, LOST), [], 0, 0, 1, id="the gateway would have known"),
        pytest.param(_result(SMSIR, LOST), [7], 0, 0, 1, id="the list would have had it"),
    ],
)
def test_what_is_wrong(result: Result, ids: list[int], duplicates: int, lost: int, unexplained: int) -> None:
    tally, problems = _judge(result, *ids)
    assert len(problems) == 1
    assert (tally.duplicates, tally.lost, tally.unexplained) == (duplicates, lost, unexplained)


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
    judge.judge_round([], _entries(GHASEDAK, 7), [])
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
    judge.judge_round([], [], requests)
    assert Report(judge).problems == []
    judge.judge_round([], [], requests[1:])
    assert len(Report(judge).problems) == 1


def test_the_faults_befall_their_share() -> None:
    passed_over = 1.0
    for order in mix(random.Random(1)):  # noqa: S311
        passed_over *= 1 - order["probability"]
    assert passed_over == pytest.approx(1 - SHARE)


def test_the_table_has_a_row_for_each_gateway() -> None:
    assert len(format_table(Judge()).splitlines()) == len(LANES) + 3
