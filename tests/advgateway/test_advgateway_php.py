"""PHP's own SoapServer as the gateway: a stack that is not ours, with and without a WSDL."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from payamak.advgateway import (
    AdvGatewayClient,
    ArrayStyle,
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    InvalidSenderError,
    Outcome,
    OutgoingMessage,
    SendResult,
    SoapProfile,
)
from support.advgateway import FIRST, LINE, SECOND, make_client
from support.ghasedak import failure_of

PHP = shutil.which("php")
HERE = pathlib.Path(__file__).parent / "php"
TEXT = 'سلام «ی» ۵۰٪ <b attr="x">&amp;]]>\'\n\ttwo  \r\nthree\r🙂'


def _why_not() -> str | None:
    if PHP is None:
        return "php is not installed (Debian: php-cli)"
    modules = subprocess.run([PHP, "-m"], capture_output=True, text=True, check=True, timeout=20).stdout.split()
    return None if "soap" in modules else "php has no soap extension (Debian: php-soap)"


WHY_NOT = _why_not()
pytestmark = [pytest.mark.real_time, pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")]


@attrs.frozen
class PhpServer:
    """A running one, and what it was asked to send."""

    url: str
    log: pathlib.Path

    def sent(self) -> list[Any]:
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()] if self.log.exists() else []


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhpServer]:
    assert PHP is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("php") / "sent"
    with subprocess.Popen(
        [PHP, "-S", f"127.0.0.1:{port}", str(HERE / "router.php")],
        env={**os.environ, "PAYAMAK_LOG": str(log), "PHP_CLI_SERVER_WORKERS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            _wait_for(port)
            yield PhpServer(f"http://127.0.0.1:{port}", log)
        finally:
            running.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def php(process: PhpServer) -> PhpServer:
    process.log.unlink(missing_ok=True)
    return process


@pytest.fixture(params=["plain", "wsdl"])
def url(request: pytest.FixtureRequest, php: PhpServer) -> str:
    return f"{php.url}/{request.param}"


async def test_credit(url: str) -> None:
    async with make_client(url) as client:
        assert await client.credit() == decimal.Decimal("12345.5")


async def test_wrong_password(url: str) -> None:
    async with AdvGatewayClient("a-user", "wrong", base_url=url) as client:
        for call in (client.credit, client.received):
            error: Any = await failure_of(call())
            assert (type(error), error.code, error.gateway_message) == (AuthenticationError, -1, "چه کسی؟")


async def test_send(url: str, php: PhpServer) -> None:
    async with make_client(url) as client:
        assert await client.send(FIRST, TEXT, sender=LINE) == SendResult(FIRST, int(FIRST))
    assert php.sent() == [[LINE, [FIRST], TEXT]]


@pytest.mark.parametrize("style", [ArrayStyle.TYPED, ArrayStyle.UNTYPED])
async def test_send_to_many(style: ArrayStyle, url: str, php: PhpServer) -> None:
    if style is ArrayStyle.UNTYPED and url.endswith("plain"):
        pytest.skip("PHP takes an untyped list only where its WSDL says that it is one")
    numbers = [f"0912{number:07}" for number in range(60)]
    async with make_client(url, profile=SoapProfile(array_style=style)) as client:
        results = await client.send_to_many([*numbers, numbers[5]], "متن", sender=LINE)
    assert [result.message_id for result in results] == [int(number) for number in [*numbers, numbers[5]]]
    assert php.sent() == [[LINE, numbers, "متن"]]


async def test_send_to_many_as_a_map(php: PhpServer) -> None:
    async with make_client(f"{php.url}/plain", profile=SoapProfile(array_style=ArrayStyle.MAP)) as client:
        results = await client.send_to_many([FIRST, SECOND], "a", sender=LINE)
    assert results == [SendResult(FIRST, int(FIRST)), SendResult(SECOND, int(SECOND))]
    assert php.sent() == [[LINE, [FIRST, SECOND], "a"]]


async def test_send_pairs(url: str, php: PhpServer) -> None:
    messages = [OutgoingMessage(FIRST, TEXT, LINE), OutgoingMessage(SECOND, "refuse me", LINE)]
    async with make_client(url) as client:
        good, bad = await client.send_pairs(messages)
    assert good == SendResult(FIRST, int(FIRST))
    assert isinstance(bad.error, GatewayError)
    assert (bad.error.code, bad.error.gateway_message, bad.error.outcome) == (-3, "خطا", Outcome.REFUSED)
    assert php.sent() == [[LINE, [FIRST, SECOND], [TEXT, "refuse me"]]]


async def test_statuses(url: str) -> None:
    ids = range(1, 131)
    async with make_client(url) as client:
        found = await client.statuses(ids)
    assert [(entry.message_id, entry.status) for entry in found] == [(number, number % 6 + 1) for number in ids]


async def test_received(url: str) -> None:
    async with make_client(url) as client:
        found = await client.received()
    assert len(found) == 2
    assert (found[0].text, found[0].sender, found[0].line) == ("سلام & <b> ]]>", "+989121111111", "+9850001")
    assert found[0].received_at == datetime.datetime.fromtimestamp(1508144471, datetime.UTC)


async def test_refusal(url: str, php: PhpServer) -> None:
    async with make_client(url) as client:
        error: Any = await failure_of(client.send(FIRST, "a", sender="50009"))
    assert (type(error), error.gateway_message, error.outcome) == (InvalidSenderError, "خط", Outcome.REFUSED)
    assert php.sent() == []


async def test_fault(url: str) -> None:
    async with make_client(url) as client:
        error: Any = await failure_of(client.send(FIRST, "throw", sender=LINE))
    assert (type(error), error.outcome) == (GatewayError, Outcome.UNKNOWN)
    assert (error.code, error.gateway_message) == ("SOAP-ENV:Server", "something broke")


async def test_unknown_method(php: PhpServer) -> None:
    async with make_client(f"{php.url}/plain-empty") as client:
        error: Any = await failure_of(client.send(FIRST, "a", sender=LINE))
    assert (type(error), error.outcome) == (InvalidRequestError, Outcome.REFUSED)
    assert "doesn't exist" in error.gateway_message
