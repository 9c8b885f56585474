"""Every fault, seen from a raw socket."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import json
import socket
import zlib
from collections import Counter
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault
from payamak.emulator.faults import FaultQueue

BODY = b"message=m&receptor=09121111111"
REQUEST = (
    b"POST /v2/sms/send/simple HTTP/1.1\r\nHost: 127.0.0.1\r\napikey: emulator-key\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)
SUCCESS = {"result": {"code": 200, "message": "success"}, "items": [2578793735]}


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body


def seen(emulator: Emulator) -> tuple[str | None, bool, int | None, int]:
    """What the server recorded of the only request, and how many messages came of it."""
    (record,) = emulator.requests
    return record.fault, record.processed, record.status, len(emulator.messages())


def open_sockets() -> int:
    return sum(isinstance(thing, socket.socket) and thing.fileno() >= 0 for thing in gc.get_objects())


async def test_without_a_fault(raw: Any, emulator: Emulator) -> None:
    assert json.loads(split(await raw(REQUEST))[2]) == SUCCESS
    assert seen(emulator) == (None, True, 200, 1)
    (record,) = emulator.requests
    assert (record.gateway, record.method, record.path) == ("ghasedak", "POST", "/v2/sms/send/simple")


@pytest.mark.parametrize(
    ("kind", "processed"), [("drop_before_read", False), ("drop_unprocessed", False), ("drop_after_read", True)]
)
async def test_drops(raw: Any, emulator: Emulator, kind: str, processed: bool) -> None:
    emulator.add_fault(Fault(kind))
    assert await raw(REQUEST) == b""
    assert seen(emulator) == (kind, processed, None, int(processed))


@pytest.mark.parametrize(("kind", "processed"), [("reset_before_read", False), ("reset_after_read", True)])
async def test_resets(raw: Any, emulator: Emulator, kind: str, processed: bool) -> None:
    emulator.add_fault(Fault(kind))
    with pytest.raises(ConnectionResetError):
        await raw(REQUEST)
    assert seen(emulator) == (kind, processed, None, int(processed))


@pytest.mark.parametrize("kind", ["drop_before_read", "reset_before_read"])
async def test_before_read_means_that_the_body_is_not_awaited(raw: Any, emulator: Emulator, kind: str) -> None:
    emulator.add_fault(Fault(kind))
    try:
        answer = await raw(REQUEST[: -len(BODY)])
    except ConnectionResetError:
        answer = b""
    assert answer == b""
    assert seen(emulator) == (kind, False, None, 0)


async def test_delay_waits_and_then_processes(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay", seconds=0.15))
    running = asyncio.create_task(raw(REQUEST))
    await asyncio.sleep(0.05)
    assert seen(emulator) == ("delay", False, None, 0)
    assert json.loads(split(await running)[2]) == SUCCESS
    assert seen(emulator) == ("delay", True, 200, 1)


async def test_delay_after_processes_and_then_waits(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay_after", seconds=0.15))
    running = asyncio.create_task(raw(REQUEST))
    await asyncio.sleep(0.05)
    assert seen(emulator) == ("delay_after", True, None, 1)
    assert not running.done()
    assert json.loads(split(await running)[2]) == SUCCESS


async def test_delayed_request_is_processed_though_its_client_has_gone(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay", seconds=0.15))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(raw(REQUEST), 0.05)
    assert emulator.messages() == []
    await asyncio.sleep(0.2)
    assert len(emulator.messages()) == 1


async def test_cut_reply(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("cut_reply"))
    status, headers, body = split(await raw(REQUEST))
    whole = json.dumps(SUCCESS).encode()
    assert (status, int(headers["content-length"])) == (200, len(whole))
    assert body == whole[: len(whole) // 2]
    assert seen(emulator) == ("cut_reply", True, 200, 1)


@pytest.mark.parametrize("content_type", [None, "text/plain; charset=latin-1"])
async def test_wrong_content_type(raw: Any, emulator: Emulator, content_type: str | None) -> None:
    emulator.add_fault(Fault("wrong_content_type", content_type=content_type))
    status, headers, body = split(await raw(REQUEST))
    assert (status, headers["content-type"]) == (200, content_type or "text/html")
    assert json.loads(body) == SUCCESS


@pytest.mark.parametrize(
    ("arguments", "status", "processed"), [({}, 502, False), ({"status": 200, "processed": True}, 200, True)]
)
async def test_html(raw: Any, emulator: Emulator, arguments: dict[str, Any], status: int, processed: bool) -> None:
    emulator.add_fault(Fault("html", **arguments))
    got, headers, body = split(await raw(REQUEST))
    assert (got, headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert body.startswith(b"<html>")
    assert seen(emulator) == ("html", processed, status, int(processed))


async def test_status_with_headers_and_body(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=429, headers={"Retry-After": "7"}, body='{"a": 1}', processed=True))
    status, headers, body = split(await raw(REQUEST))
    assert (status, headers["retry-after"], headers["content-type"], body) == (429, "7", "text/plain", b'{"a": 1}')
    assert seen(emulator) == ("status", True, 429, 1)


async def test_status_alone(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=503))
    status, _, body = split(await raw(REQUEST))
    assert (status, body) == (503, b"")
    assert seen(emulator) == ("status", False, 503, 0)


async def test_redirect(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("redirect", location="http://127.0.0.1:1/x"))
    emulator.add_fault(Fault("redirect", location="/y", status=307))
    status, headers, _ = split(await raw(REQUEST))
    assert (status, headers["location"]) == (302, "http://127.0.0.1:1/x")
    assert seen(emulator) == ("redirect", False, 302, 0)
    status, headers, _ = split(await raw(REQUEST))
    assert (status, headers["location"]) == (307, "/y")


async def test_garbage(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("garbage"))
    status, headers, body = split(await raw(REQUEST))
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(body)
    assert seen(emulator) == ("garbage", True, 200, 1)


async def test_empty(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("empty"))
    status, headers, body = split(await raw(REQUEST))
    assert (status, headers["content-length"], body) == (200, "0", b"")
    assert seen(emulator) == ("empty", True, 200, 1)


def unchunk(body: bytes) -> bytes:
    parts: list[bytes] = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        parts.append(body[:length])
        body = body[length + 2 :]
    return b"".join(parts)


@pytest.mark.parametrize("size", [None, 100_000])
async def test_oversized(raw: Any, emulator: Emulator, size: int | None) -> None:
    emulator.add_fault(Fault("oversized", size=size))
    status, headers, body = split(await raw(REQUEST))
    assert status == 200
    assert "content-length" not in headers
    whole = unchunk(body)
    assert len(whole) == (size or 9 * 1024 * 1024)
    assert json.loads(whole) == SUCCESS
    assert seen(emulator) == ("oversized", True, 200, 1)


async def test_bad_gzip(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("bad_gzip"))
    status, headers, body = split(await raw(REQUEST))
    assert (status, headers["content-encoding"]) == (200, "gzip")
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(body)
    assert seen(emulator) == ("bad_gzip", True, 200, 1)


@pytest.mark.parametrize("processed", [True, False])
async def test_hang_until_the_client_goes(raw: Any, emulator: Emulator, processed: bool) -> None:
    emulator.add_fault(Fault("hang", processed=processed))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(raw(REQUEST), 0.1)
    assert seen(emulator) == ("hang", processed, None, int(processed))
    await asyncio.sleep(0.05)
    assert emulator.connections == 0


@pytest.mark.parametrize(
    "fault",
    [Fault("hang"), Fault("delay", seconds=60), Fault("delay_after", seconds=60), Fault("oversized", size=10**9)],
)
async def test_stopping_is_quick_while_a_request_waits(fault: Fault) -> None:
    sockets = open_sockets()
    emulator = Emulator()
    await emulator.start()
    emulator.add_fault(fault)
    host, port = emulator.url.removeprefix("http://").split(":")
    # The small limit keeps the client from taking an endless answer.
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(REQUEST)
    await asyncio.sleep(0.05)
    assert emulator.connections == 1
    clock = asyncio.get_running_loop().time
    before = clock()
    await emulator.stop()
    assert clock() - before < 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert emulator.connections == 0
    if fault.kind != "oversized":
        assert await reader.read() == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert open_sockets() == sockets


async def test_faults_are_matched_and_used_up_in_order(raw: Any, emulator: Emulator) -> None:
    emulator.add_fault(Fault("status", status=500, path="SMS/send/bulk/"))
    emulator.add_fault(Fault("status", status=501, times=2, gateway="ghasedak", path="Send/Simple"))
    emulator.add_fault(Fault("status", status=502))
    statuses = [split(await raw(REQUEST))[0] for _ in range(4)]
    assert statuses == [501, 501, 502, 200]
    assert [fault["status"] for fault in emulator.faults] == [500]
    emulator.clear_faults()
    assert emulator.faults == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"kind": "explode"}, "kind must be one of 'delay'"),
        ({"kind": "delay"}, "seconds is required for delay"),
        ({"kind": "delay", "seconds": -1}, "seconds must be a number"),
        ({"kind": "delay", "seconds": "1"}, "seconds must be a number"),
        ({"kind": "delay", "seconds": float("nan")}, "seconds must be a number"),
        ({"kind": "empty", "seconds": 1}, "seconds is not an argument of empty"),
        ({"kind": "empty", "times": 0}, "times must be an integer, 1 or more"),
        ({"kind": "empty", "times": True}, "times must be an integer"),
        ({"kind": "empty", "times": 1.5}, "times must be an integer"),
        ({"kind": "empty", "probability": 0}, "probability must be a number above 0, and 1 at most"),
        ({"kind": "empty", "probability": -0.5}, "probability must be a number above 0"),
        ({"kind": "empty", "probability": 1.01}, "probability must be a number above 0"),
        ({"kind": "empty", "probability": True}, "probability must be a number above 0"),
        ({"kind": "empty", "probability": None}, "probability must be a number above 0"),
        ({"kind": "empty", "probability": "0.5"}, "probability must be a number above 0"),
        ({"kind": "empty", "probability": float("nan")}, "probability must be a number above 0"),
        ({"kind": "empty", "path": ""}, "path must be text"),
        ({"kind": "empty", "path": 5}, "path must be text"),
        ({"kind": "status"}, "status is required"),
        ({"kind": "status", "status": 100}, "status must be an HTTP status"),
        ({"kind": "status", "status": "500"}, "status must be an HTTP status"),
        ({"kind": "status", "status": 500, "headers": ["a"]}, "headers must be an object"),
        ({"kind": "status", "status": 500, "headers": {"a": 1}}, "headers must be an object"),
        ({"kind": "status", "status": 500, "headers": {"a b": "1"}}, "headers must be an object"),
        ({"kind": "status", "status": 500, "headers": {"a": "1\r\nb: 2"}}, "headers must be an object"),
        ({"kind": "status", "status": 500, "body": {}}, "body must be text"),
        ({"kind": "html", "processed": "yes"}, "processed must be one of True, False"),
        ({"kind": "oversized", "size": 0}, "size must be an integer"),
        ({"kind": "redirect"}, "location is required"),
        ({"kind": "redirect", "location": "a\r\nb"}, "location must be printable"),
        ({"kind": "redirect", "location": "/", "status": 200}, "status must be one of 301"),
        ({"kind": "wrong_content_type", "content_type": "a\nb"}, "content_type must be printable"),
    ],
)
async def test_fault_arguments_are_checked(control: Any, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Fault(**arguments)
    reply = await control("POST", "faults", data=json.dumps(arguments).encode())
    assert reply.http == 400
    assert problem in reply.body["error"]
    assert (await control("GET", "faults")).body == {"faults": []}


async def test_fault_for_an_unknown_gateway(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="gateway must be one of ghasedak"):
        emulator.add_fault(Fault("empty", gateway="nobody"))


async def _statuses(emulator: Emulator, count: int) -> list[int]:
    async with aiohttp.ClientSession(emulator.url) as session:
        headers = {"apikey": "emulator-key"}
        data = {"message": "m", "receptor": "09121111111"}
        return [(await session.post("/v2/sms/send/simple", headers=headers, data=data)).status for _ in range(count)]


async def test_a_fault_without_end(emulator: Emulator, control: Any) -> None:
    reply = await control("POST", "faults", {"kind": "status", "status": 500, "times": None})
    assert await _statuses(emulator, 3) == [500, 500, 500]
    assert emulator.faults == reply.body["faults"]
    (listed,) = emulator.faults
    assert (listed["times"], listed["remaining"], listed["probability"]) == (None, None, 1)
    emulator.clear_faults()
    assert await _statuses(emulator, 1) == [200]


async def test_what_is_listed_orders_the_same_again(emulator: Emulator) -> None:
    fault = Fault("status", status=500, times=None, probability=0.25, path="simple")
    emulator.add_fault(fault)
    (listed,) = emulator.faults
    assert listed.pop("remaining", 0) is None
    assert Fault.from_dict(listed) == fault
    assert listed["probability"] == 0.25


def _throw(count: int, *faults: Fault, seed: int = 0) -> list[int | None]:
    queue = FaultQueue(seed)
    for fault in faults:
        queue.add(fault)
    taken = [queue.take("ghasedak", "/v2/sms/send/simple") for _ in range(count)]
    return [None if fault is None else fault.status for fault in taken]


HALF = Fault("status", status=501, times=None, probability=0.5)
QUARTER = Fault("status", status=502, times=None, probability=0.25)


def test_each_order_is_taken_as_often_as_its_probability_says() -> None:
    taken = Counter(_throw(10_000, HALF, QUARTER))
    assert 4_800 < taken[501] < 5_200
    # Of the half that the first order leaves.
    assert 1_150 < taken[502] < 1_350
    assert taken[501] + taken[502] + taken[None] == 10_000


def test_the_order_that_is_passed_over_leaves_the_request_to_the_next() -> None:
    assert set(_throw(100, HALF, Fault("status", status=503, times=None))) == {501, 503}


def test_times_counts_what_was_taken_and_not_what_was_looked_at() -> None:
    taken = _throw(1_000, Fault("status", status=501, times=3, probability=0.1))
    assert taken.count(501) == 3
    assert taken.index(501) > 0


def test_the_same_seed_throws_the_same() -> None:
    assert _throw(100, HALF, QUARTER, seed=7) == _throw(100, HALF, QUARTER, seed=7)
    assert _throw(100, HALF, QUARTER, seed=7) != _throw(100, HALF, QUARTER, seed=8)


def test_a_certain_fault_throws_no_dice() -> None:
    assert _throw(101, Fault("status", status=503), HALF)[1:] == _throw(100, HALF)


@pytest.mark.parametrize("seed", [0, 7])
async def test_a_reset_takes_the_dice_back_to_their_seed(seed: int) -> None:
    async with Emulator(seed=seed) as emulator:
        runs: list[list[int]] = []
        for _ in range(2):
            emulator.add_fault(HALF)
            runs.append(await _statuses(emulator, 20))
            emulator.reset()
    assert runs[0] == runs[1] == [status or 200 for status in _throw(20, HALF, seed=seed)]


async def test_a_reset_can_bring_another_seed(emulator: Emulator, control: Any) -> None:
    for _ in range(2):
        assert (await control("POST", "reset", {"seed": 7})).http == 200
        emulator.add_fault(HALF)
        assert await _statuses(emulator, 20) == [status or 200 for status in _throw(20, HALF, seed=7)]
        emulator.reset()  # Keeps the seed.
        emulator.add_fault(HALF)
        assert await _statuses(emulator, 20) == [status or 200 for status in _throw(20, HALF, seed=7)]


@pytest.mark.parametrize("seed", [True, "7", 1.5])
async def test_a_seed_is_checked(seed: object, control: Any) -> None:
    reply = await control("POST", "reset", {"seed": seed})
    assert (reply.http, reply.body) == (400, {"error": "seed must be an integer"})
