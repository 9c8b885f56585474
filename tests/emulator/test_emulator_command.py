"""The command as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from support.warm import for_commands

pytestmark = pytest.mark.real_time


def command() -> list[str]:
    return [*for_commands(), "-m", "payamak.emulator"]


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    process = subprocess.Popen(
        [*command(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("payamak emulator ready"):
            line = process.stdout.readline()
            assert line, "the command ended before it was ready"
            lines.append(line.rstrip())
        yield process, lines
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal(number: signal.Signals) -> None:
    with running("--port", "0") as (process, lines):
        url = lines[-1].removeprefix("payamak emulator ready on ")
        assert url.startswith("http://127.0.0.1:")
        assert f"{url}/v2/" in "\n".join(lines)
        assert "emulator-key" in "\n".join(lines)
        request = urllib.request.Request(f"{url}/v2/account/info", headers={"apikey": "emulator-key"})
        with urllib.request.urlopen(request) as response:
            assert json.load(response)["items"]["balance"] == 1_000_000
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_stops_while_a_request_hangs() -> None:
    with running("--port", "0") as (process, lines):
        url = lines[-1].removeprefix("payamak emulator ready on ")
        fault = urllib.request.Request(f"{url}/emulator/faults", data=b'{"kind": "hang"}')
        with urllib.request.urlopen(fault) as response:
            assert response.status == 200
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /v2/account/info HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with urllib.request.urlopen(f"{url}/emulator/requests") as response:
                assert response.status == 200
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_the_dice_have_a_seed() -> None:
    statuses: list[list[int]] = []
    for seed in ("7", "7", "8"):
        with running("--port", "0", "--seed", seed) as (_, lines):
            url = lines[-1].removeprefix("payamak emulator ready on ")
            fault = b'{"kind": "status", "status": 299, "times": null, "probability": 0.5}'
            urllib.request.urlopen(urllib.request.Request(f"{url}/emulator/faults", data=fault)).close()
            request = urllib.request.Request(f"{url}/v2/account/info", headers={"apikey": "emulator-key"})
            answers = [urllib.request.urlopen(request) for _ in range(20)]
            statuses.append([answer.status for answer in answers])
            for answer in answers:
                answer.close()
    assert set(statuses[0]) == {200, 299}
    assert statuses[0] == statuses[1] != statuses[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command(), *arguments], capture_output=True, text=True, timeout=20, check=False)


def test_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr == f"cannot listen on 127.0.0.1:{port}: the port is already in use\n"
    assert ended.stdout == ""


def test_refuses_other_machines_unless_allowed() -> None:
    ended = run("--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert ended.returncode == 2
    assert "--allow-remote" in ended.stderr
    assert "--allowed-host" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("option", "said"), [("--allow-remote", "any other name"), ("--allowed-host=sms", "as sms;")])
def test_lets_other_machines_in(option: str, said: str) -> None:
    with running("--host", "0.0.0.0", "--port", "0", option) as (process, lines):  # noqa: S104
        assert lines[-1].startswith("payamak emulator ready on http://127.0.0.1:")
        assert said in lines[-2]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert errors.count("DNS rebinding") == (option == "--allow-remote")
    assert errors.count("\n") == (option == "--allow-remote")


@pytest.mark.parametrize("port", ["x", "-1", "65536", "۸۰"])
def test_bad_port(port: str) -> None:
    ended = run("--port", port)
    assert ended.returncode == 2
    assert "port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_names_the_special_numbers() -> None:
    ended = run("--help")
    assert ended.returncode == 0
    for piece in ("--port", "--allow-remote", "--allowed-host", "--max-messages", "0900 000 00xx", "emulator-key"):
        assert piece in ended.stdout
