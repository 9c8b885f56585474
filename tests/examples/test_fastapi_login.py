"""The login behind uvicorn on a socket, with the emulator behind the login."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from payamak.testing import EmulatorClock, OrderFault, RunningEmulator, SentMessages
from support.examples import EXAMPLES, Example, run_example, wait_for
from support.sockets import dead_port

SEND = "verification/send/simple"
STATUS = "sms/status"
_numbers = itertools.count(9_121_000_000)

Start = Callable[..., contextlib.AbstractContextManager["Service"]]


class Service:
    """The application, and a browser that talks to it."""

    def __init__(self, example: Example, browser: httpx2.Client) -> None:
        self.example = example
        self._browser = browser

    def start(self, number: str, address: str | None = None) -> httpx2.Response:
        # As behind a proxy on this machine, which uvicorn believes.
        headers = {} if address is None else {"X-Forwarded-For": address}
        return self._browser.post("/logins", json={"number": number}, headers=headers)

    def confirm(self, login: httpx2.Response, code: str) -> int:
        return self._browser.post(f"/logins/{login.json()['id']}/confirm", json={"code": code}).status_code

    def state(self, login: httpx2.Response) -> str:
        answer = self._browser.get(f"/logins/{login.json()['id']}")
        assert answer.status_code == 200
        return str(answer.json()["state"])

    def get(self, path: str) -> int:
        return self._browser.get(path).status_code


@contextlib.contextmanager
def serve(emulator: RunningEmulator, log: Path, **settings: str) -> Generator[Service]:
    environment = {"SMS_URL": emulator.ghasedak_url, "ASK_AFTER": "0.05", **settings}
    with run_example(
        "fastapi_login", "-m", "uvicorn", "app:app", "--port", "0", log=log, environment=environment
    ) as example:  # fmt: skip
        found = re.search(r"running on (http://[\d.:]+)", example.wait_for_log("Uvicorn running on"))
        assert found is not None
        # Without connections that are kept: the tests that share an application would each find one left.
        limits = httpx2.Limits(max_keepalive_connections=0)
        with httpx2.Client(base_url=found[1], timeout=30, limits=limits) as browser:
            yield Service(example, browser)
        example.process.send_signal(signal.SIGTERM)
        example.wait()
        assert "Application shutdown complete" in example.read_log()


@pytest.fixture(scope="module")
def running(payamak_server: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    # It never asks for the fate of a code, which would show in the tests that come after.
    settings = {"ASK_AFTER": "3600", "CLIENT_CODES_A_MINUTE": "1000"}
    with serve(payamak_server, tmp_path_factory.mktemp("login") / "log", **settings) as service:
        yield service


@pytest.fixture
def service(running: Service, payamak_emulator: RunningEmulator) -> Service:
    """The application that all tests share; each has numbers of its own."""
    return running


@pytest.fixture
def start(payamak_emulator: RunningEmulator, tmp_path: Path) -> Start:
    def start(**settings: str) -> contextlib.AbstractContextManager[Service]:
        return serve(payamak_emulator, tmp_path / "log", **settings)

    return start


@pytest.fixture
def number() -> str:
    return f"0{next(_numbers)}"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def retry_after(answer: httpx2.Response) -> int:
    return int(answer.headers["Retry-After"])


def test_it_runs_as_printed(start: Start, sent_messages: SentMessages) -> None:
    readme = (EXAMPLES / "fastapi_login" / "README.md").read_text(encoding="utf-8")
    assert "$ uvicorn app:app\n" in readme
    bodies: list[dict[str, Any]] = [json.loads(body) for body in re.findall(r"-d '(.+?)'", readme)]
    assert [list(body) for body in bodies] == [["number"], ["code"]]
    with start() as service:
        login = service.start(bodies[0]["number"])
        assert login.status_code == 202
        assert service.confirm(login, sent_messages[-1].code) == 204


def test_the_right_code_lets_in_once(service: Service, sent_messages: SentMessages, number: str) -> None:
    login = service.start(number)
    assert (login.status_code, login.json()["state"]) == (202, "sent")
    assert sent_messages[-1].recipient == number
    code = sent_messages[-1].code
    assert code not in login.text
    assert service.confirm(login, wrong(code)) == 401
    assert service.confirm(login, "".join("۰۱۲۳۴۵۶۷۸۹"[int(digit)] for digit in code)) == 204
    assert service.confirm(login, code) == 401


def test_five_attempts(service: Service, sent_messages: SentMessages, number: str) -> None:
    login = service.start(number)
    code = sent_messages[-1].code
    assert [service.confirm(login, wrong(code)) for _ in range(5)] == [401] * 5
    assert service.confirm(login, code) == 401


def test_a_code_is_good_for_its_own_login_only(service: Service, sent_messages: SentMessages, number: str) -> None:
    login, other = service.start(number), service.start("0912" + number[4:][::-1])
    codes = [message.code for message in sent_messages]
    assert codes[0] != codes[1], "one in a million"
    assert service.confirm(login, codes[1]) == 401
    assert service.confirm(other, codes[1]) == 204


def test_a_code_ends(start: Start, sent_messages: SentMessages, number: str) -> None:
    with start(CODE_LIFETIME="0") as service:
        login = service.start(number)
        assert service.confirm(login, sent_messages[-1].code) == 401


def test_what_does_not_exist(service: Service) -> None:
    assert service.get("/logins/none") == 404


def test_one_code_a_minute_however_the_number_is_written(
    service: Service, sent_messages: SentMessages, number: str
) -> None:
    assert service.start(number).status_code == 202
    for written in (number, f"+98{number[1:]}", f"0098 {number[1:]}", f"{number[:4]} {number[4:7]} {number[7:]}"):
        again = service.start(written)
        assert again.status_code == 429
        assert 0 < retry_after(again) <= 60
    assert len(sent_messages) == 1


def test_five_codes_an_hour(start: Start, sent_messages: SentMessages, number: str) -> None:
    with start(RESEND_AFTER="0") as service:
        assert [service.start(number).status_code for _ in range(5)] == [202] * 5
        refused = service.start(number)
        assert refused.status_code == 429
        assert 3000 < retry_after(refused) <= 3600
        assert service.start("09127654321").status_code == 202
    assert len(sent_messages) == 6


@pytest.mark.parametrize("limit", ["CODES_A_MINUTE", "CLIENT_CODES_A_MINUTE"])
def test_walking_through_numbers_comes_to_an_end(
    start: Start, order_fault: OrderFault, sent_messages: SentMessages, limit: str
) -> None:
    order_fault("status", status=401, path=SEND)
    with start(**{limit: "3"}) as service:
        answers = [service.start(f"0912333{place:04}") for place in range(5)]
    # What was not sent does not count.
    assert [answer.status_code for answer in answers] == [502, 202, 202, 202, 429]
    assert 0 < retry_after(answers[-1]) <= 60
    assert len(sent_messages) == 3


def test_walking_through_addresses_comes_to_an_end(start: Start, sent_messages: SentMessages) -> None:
    """One customer has as many of IPv6 as there are in a network; other networks are other people."""
    addresses = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8::3", "2001:db8:0:1::3", "::ffff:192.0.2.1", "192.0.2.1"]
    with start(CLIENT_CODES_A_MINUTE="2") as service:
        answers = [service.start(f"0912334{place:04}", address) for place, address in enumerate(addresses)]
        third = service.start("09123350000", "192.0.2.1")
    assert [answer.status_code for answer in answers] == [202, 202, 429, 202, 202, 202]
    assert third.status_code == 429
    assert len(sent_messages) == 5


@pytest.mark.parametrize("written", ["", "12", "hello", "+33456351753", "09000000008"])
def test_a_number_that_cannot_get_a_code(service: Service, sent_messages: SentMessages, written: str) -> None:
    assert service.start(written).status_code == 422
    assert sent_messages == []


def test_no_credit(service: Service, sent_messages: SentMessages) -> None:
    refused = service.start("09000000009")
    assert (refused.status_code, retry_after(refused)) == (502, 300)
    assert "InsufficientCredit" not in refused.text
    assert "credit" not in refused.text
    assert sent_messages == []


def test_what_was_not_sent_does_not_count(
    service: Service, order_fault: OrderFault, sent_messages: SentMessages, number: str
) -> None:
    order_fault("status", status=401)
    assert service.start(number).status_code == 502
    assert service.start(number).status_code == 202
    assert len(sent_messages) == 1


def test_a_gateway_that_wants_a_pause(service: Service, order_fault: OrderFault, number: str) -> None:
    order_fault("status", status=429, headers={"Retry-After": "77"})
    refused = service.start(number)
    assert (refused.status_code, retry_after(refused)) == (503, 77)


def test_no_gateway(start: Start, number: str) -> None:
    with dead_port() as port, start(SMS_URL=f"http://127.0.0.1:{port}/v2/") as service:
        refused = service.start(number)
        assert (refused.status_code, retry_after(refused)) == (503, 10)


def test_a_lost_answer_is_found_in_the_background(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages, number: str
) -> None:
    payamak_emulator.order_fault("drop_after_read", path=SEND)
    payamak_emulator.order_fault("status", status=500, path=STATUS, times=3)
    with start() as service:
        login = service.start(number)
        assert (login.status_code, login.json()["state"]) == (202, "unknown")
        wait_for(lambda: service.state(login) in ("sent", "delivered"))
        assert service.start(number).status_code == 429
        assert service.confirm(login, sent_messages[-1].code) == 204
    assert len(sent_messages) == 1


def test_no_second_code_while_the_first_is_in_doubt(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages, number: str
) -> None:
    payamak_emulator.order_fault("drop_after_read", path=SEND)
    payamak_emulator.order_fault("status", status=500, path=STATUS, times=1000)
    with start(RESEND_AFTER="0") as service:
        login = service.start(number)
        wait_for(lambda: sum(request.path.endswith(STATUS) for request in payamak_emulator.requests) > 3)
        assert service.state(login) == "unknown"
        assert service.start(number).status_code == 429
        assert len(sent_messages) == 1


def test_a_code_that_the_gateway_does_not_know_is_not_given_up_at_once(
    start: Start, payamak_emulator: RunningEmulator, number: str
) -> None:
    payamak_emulator.order_fault("drop_unprocessed", path=SEND)
    with start() as service:
        login = service.start(number)
        wait_for(lambda: sum(request.path.endswith(STATUS) for request in payamak_emulator.requests) > 1)
        assert service.state(login) == "unknown"
        assert service.start(number).status_code == 429


def test_a_code_that_was_lost_can_be_sent_again(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages, number: str
) -> None:
    payamak_emulator.order_fault("drop_unprocessed", path=SEND)
    with start(LOST_AFTER="0") as service:
        login = service.start(number)
        assert login.json()["state"] == "unknown"
        wait_for(lambda: service.state(login) == "failed")
        assert service.start(number).json()["state"] == "sent"
    assert len(sent_messages) == 1


def test_arrival_is_followed(
    start: Start, payamak_clock: EmulatorClock, sent_messages: SentMessages, number: str
) -> None:
    does_not_arrive = "09000000016"
    with start() as service:
        login, failing = service.start(number), service.start(does_not_arrive)
        payamak_clock.advance(60)
        wait_for(lambda: service.state(login) == "delivered")
        wait_for(lambda: service.state(failing) == "failed")
        assert service.start(number).status_code == 429
        assert service.start(does_not_arrive).status_code == 202
    assert len(sent_messages) == 3


def test_it_ends_when_it_is_told_to(
    start: Start, payamak_emulator: RunningEmulator, sent_messages: SentMessages, number: str
) -> None:
    with start(ASK_AFTER="3600") as service, ThreadPoolExecutor() as browsers:
        assert service.start(number).status_code == 202  # Its fate is going to be asked for in an hour.
        payamak_emulator.order_fault("delay", seconds=0.5, path=SEND)
        answer = browsers.submit(service.start, "09127654321")
        wait_for(lambda: len(payamak_emulator.requests) == 2)
        service.example.process.send_signal(signal.SIGTERM)
        assert answer.result().status_code == 202
        service.example.process.wait()
    assert len(sent_messages) == 2


def test_the_log_holds_nobodys_data(
    start: Start, order_fault: OrderFault, sent_messages: SentMessages, number: str
) -> None:
    order_fault("drop_after_read", path=SEND)
    order_fault("status", status=401, path=SEND)
    with start() as service:
        login = service.start(number)
        assert service.start("09127654321").status_code == 502
        code = sent_messages[0].code
        assert service.confirm(login, code) == 204
        log = service.example.read_log()
    assert "AuthenticationError" not in log
    assert "ERROR" in log
    for secret in (number[1:], "9127654321", code, "emulator-key"):
        assert secret not in log
