"""The worker as a process that gets the signal. The emulator's ledger is the judge."""

from __future__ import annotations

import collections
import contextlib
import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from payamak.testing import OrderFault, RunningEmulator, SentMessages
from support.examples import EXAMPLES, Example, run_example, wait_for
from support.sockets import dead_port

NUMBER = "09121234567"
SEND = "sms/send/simple"

Report = dict[str, Any]
Start = Callable[..., contextlib.AbstractContextManager[Example]]


@pytest.fixture
def start(payamak_emulator: RunningEmulator, tmp_path: Path) -> Start:
    def start(**settings: str) -> contextlib.AbstractContextManager[Example]:
        environment = {"SMS_URL": payamak_emulator.ghasedak_url, **settings}
        return run_example(
            "worker", "worker.py", log=tmp_path / "log", environment=environment, stdin=subprocess.PIPE
        )  # fmt: skip

    return start


def job(number: int, to: str = NUMBER) -> str:
    return json.dumps({"id": f"job-{number}", "number": to, "text": f"text {number}"})


def feed(worker: Example, lines: Iterable[str]) -> None:
    """Write lines and leave the input open."""
    assert worker.process.stdin is not None
    worker.process.stdin.write("".join(f"{line}\n" for line in lines))
    worker.process.stdin.flush()


def finish(worker: Example) -> list[Report]:
    """Read all reports to the end, and see that the worker has ended well."""
    assert worker.process.stdout is not None
    reports = [json.loads(line) for line in worker.process.stdout]
    assert worker.wait() == 0
    return reports


def close(worker: Example) -> list[Report]:
    """End its input, and let it come to its end."""
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    return finish(worker)


def outcomes(reports: list[Report]) -> dict[str, str]:
    found = {report["id"]: report["outcome"] for report in reports}
    assert len(found) == len(reports), "one report for each job"
    return found


def test_it_runs_as_printed(start: Start, sent_messages: SentMessages) -> None:
    readme = (EXAMPLES / "worker" / "README.md").read_text(encoding="utf-8")
    assert "$ cat jobs.jsonl | python worker.py\n" in readme
    printed = [json.loads(line) for line in re.findall(r'^\{"id".*\}$', readme, re.MULTILINE)]
    with start(TASKS="1") as worker:
        feed(worker, (EXAMPLES / "worker" / "jobs.jsonl").read_text(encoding="utf-8").splitlines())
        assert close(worker) == printed
    assert [message.id for message in sent_messages] == [report["message_id"] for report in printed]


def test_many_jobs(start: Start, sent_messages: SentMessages) -> None:
    with start() as worker:
        feed(worker, map(job, range(200)))
        assert outcomes(close(worker)) == {f"job-{number}": "sent" for number in range(200)}
    assert {message.check_id: message.text for message in sent_messages} == {
        f"job-{number}": f"text {number}" for number in range(200)
    }
    assert len(sent_messages) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_messages_are_in_flight(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages, number: signal.Signals
) -> None:
    jobs = {f"job-{index}" for index in range(50)}
    payamak_emulator.order_fault("delay", seconds=0.5, times=1000, path=SEND)
    with start(TASKS="4") as worker:
        feed(worker, map(job, range(50)))
        # Some have been sent, four more are on their way, and the rest waits.
        wait_for(lambda: len(payamak_emulator.requests) > 4)
        worker.process.send_signal(number)
        reports = finish(worker)

    found = outcomes(reports)
    assert set(found) == jobs, "nothing lost"
    assert set(found.values()) == {"sent", "not sent"}
    times = collections.Counter(message.check_id for message in sent_messages)
    assert set(times.values()) == {1}, "nothing twice"
    assert set(times) == {job_id for job_id, outcome in found.items() if outcome == "sent"}
    assert {message.id for message in sent_messages} == {
        report["message_id"] for report in reports if report["outcome"] == "sent"
    }


def test_a_signal_while_the_gateway_does_not_answer(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages
) -> None:
    payamak_emulator.order_fault("hang", times=1000, path=SEND)
    with start(TASKS="2", SMS_TIMEOUT="1") as worker:
        feed(worker, map(job, range(2)))
        wait_for(lambda: len(sent_messages) == 2)
        worker.process.send_signal(signal.SIGTERM)
        reports = finish(worker)
    assert outcomes(reports) == {"job-0": "unknown", "job-1": "unknown"}
    assert len(sent_messages) == 2


def test_a_signal_while_there_is_nothing_to_do(start: Start) -> None:
    with start() as worker:
        feed(worker, [job(1)])
        assert worker.process.stdout is not None
        assert json.loads(worker.process.stdout.readline())["outcome"] == "sent"
        worker.process.send_signal(signal.SIGTERM)
        assert finish(worker) == []


def test_what_goes_wrong_is_reported_as_what_it_is(
    start: Start, order_fault: OrderFault, sent_messages: SentMessages
) -> None:
    order_fault("drop_after_read", path=SEND)
    order_fault("status", status=401, path=SEND)
    with start(TASKS="1") as worker:
        feed(worker, [job(1), job(2), job(3, "09000000009"), job(4, "0912"), job(5)])
        reports = close(worker)
    assert [(report["outcome"], report.get("reason")) for report in reports] == [
        ("unknown", "ConnectionLostError"),
        ("refused", "AuthenticationError"),
        ("refused", "InsufficientCreditError"),
        ("not sent", "InvalidArgumentError"),
        ("sent", None),
    ]
    assert [message.check_id for message in sent_messages] == ["job-1", "job-5"]


def test_no_gateway(start: Start) -> None:
    with dead_port() as port, start(SMS_URL=f"http://127.0.0.1:{port}/v2/") as worker:
        feed(worker, [job(1)])
        assert outcomes(close(worker)) == {"job-1": "not sent"}


def test_lines_that_are_no_jobs(start: Start, sent_messages: SentMessages) -> None:
    lines = {
        "": None,
        "no JSON": None,
        "[1, 2]": None,
        '{"number": "09121234567", "text": "hello"}': None,
        '{"id": "job-1", "number": 9121234567, "text": "hello"}': "job-1",
        '{"id": "job-2"}': "job-2",
    }
    with start(TASKS="1") as worker:
        feed(worker, [*lines, job(3)])
        reports = close(worker)
    assert [(report["id"], report["outcome"]) for report in reports] == [
        *((job_id, "not sent") for job_id in lines.values()),
        ("job-3", "sent"),
    ]
    assert [message.check_id for message in sent_messages] == ["job-3"]


def test_a_line_without_end(start: Start, sent_messages: SentMessages) -> None:
    with start() as worker:
        feed(worker, [job(1), job(2).replace("text", "x" * 1_000_000), job(3)])
        reports = close(worker)
    # It is told in pieces, none of which can be taken for a job.
    assert {(report["id"], report["outcome"]) for report in reports} == {
        ("job-1", "sent"), (None, "not sent"), ("job-3", "sent"),
    }  # fmt: skip
    assert len(sent_messages) == 2


def test_reports_and_log_hold_nobodys_data(start: Start, order_fault: OrderFault) -> None:
    order_fault("drop_after_read", path=SEND)
    with start() as worker:
        feed(worker, [json.dumps({"id": str(index), "number": NUMBER, "text": "secret"}) for index in range(3)])
        output = json.dumps(close(worker)) + worker.read_log()
    assert NUMBER[1:] not in output
    assert "secret" not in output
    assert "emulator-key" not in output
