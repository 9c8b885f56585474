"""The stream behind the page, at the socket and below it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from payamak.emulator import Emulator, Fault, live
from payamak.emulator.live import Listener

pytestmark = [pytest.mark.real_time, pytest.mark.asyncio]

LONG = 3600


class Events:
    """Reads a stream of events as a browser does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id = ""

    async def next(self) -> dict[str, Any]:
        while True:
            line = (await self.response.content.readline()).decode()
            assert line, "the stream ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "data":
                found: dict[str, Any] = json.loads(value)
                return found

    async def until(self, name: str) -> Any:
        async with asyncio.timeout(20):
            while True:
                news = await self.next()
                if name in news:
                    return news[name]


@asynccontextmanager
async def listening(emulator: Emulator, last_id: str = "") -> AsyncGenerator[Events, None]:
    # A session of its own: its connection is closed at the end, not kept for the next.
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{emulator.url}/emulator/events", headers=headers) as response,
    ):
        assert response.status == 200
        yield Events(response)


async def wait_until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 -- another object's state
            await asyncio.sleep(0.01)


def listener_of(emulator: Emulator, last_id: str = "") -> Listener:
    return Listener(emulator.clock, emulator._ledger, emulator._faults, last_id)


async def send_many(call: Any, count: int, message: str = "x") -> None:
    numbers = [f"0912{number:07}" for number in range(count)]
    for start in range(0, count, 100):
        receptor = ",".join(numbers[start : start + 100])
        assert (await call("sms/send/pair", message=message, receptor=receptor, linenumber="10008566")).http == 200


async def test_headers(emulator: Emulator) -> None:
    async with listening(emulator) as events:
        assert events.response.content_type == "text/event-stream"
        assert events.response.headers["Cache-Control"] == "no-store"
        assert events.response.headers["X-Content-Type-Options"] == "nosniff"
    assert emulator.requests == []


async def test_what_is_told_first(emulator: Emulator, send: Any) -> None:
    emulator.clock.advance(LONG)
    emulator.add_fault(Fault("html", path="x"))
    await send("09121111111")
    async with listening(emulator) as events:
        news = await events.next()
    assert (news["first"], news["more"], [message["recipient"] for message in news["messages"]]) == (
        0,
        False,
        ["09121111111"],
    )
    assert news["clock"]["offset"] == pytest.approx(LONG)
    assert abs(datetime.fromisoformat(news["clock"]["now"]) - emulator.clock.now()) < timedelta(minutes=5)
    assert [fault["kind"] for fault in news["faults"]] == ["html"]


async def test_a_message_and_its_states(emulator: Emulator, send: Any) -> None:
    emulator.ghasedak.switches.telecom_after, emulator.ghasedak.switches.delivered_after = LONG, 2 * LONG
    async with listening(emulator) as events:
        assert "messages" not in await events.next()
        await send(message="سلام\n<b>")
        (message,) = await events.until("messages")
        assert (message["text"], message["state"], message["status"]) == ("سلام\n<b>", "queued", 0)
        emulator.clock.advance(LONG)
        assert await events.until("states") == [[0, "sent", 8]]
        emulator.clock.advance(LONG)
        assert await events.until("states") == [[0, "delivered", 1]]


async def test_time_alone_moves_a_message(emulator: Emulator, send: Any) -> None:
    emulator.ghasedak.switches.telecom_after = emulator.ghasedak.switches.delivered_after = 1.0
    async with listening(emulator) as events:
        await send()
        assert (await events.until("messages"))[0]["state"] == "queued"
        assert await events.until("states") == [[0, "delivered", 1]]


async def test_cancelling_faults_and_the_clock(emulator: Emulator, send: Any, call: Any, control: Any) -> None:
    message_id = await send(senddate=4_000_000_000)
    async with listening(emulator) as events:
        assert (await events.until("messages"))[0]["state"] == "scheduled"
        await call("sms/cancel", messageid=message_id)
        assert await events.until("states") == [[0, "cancelled", 2]]
        await control("POST", "faults", {"kind": "empty"})
        assert len(await events.until("faults")) == 1
        await control("DELETE", "faults")
        assert await events.until("faults") == []
        await control("POST", "clock", {"advance": 60})
        assert (await events.until("clock"))["offset"] == 60, "not a moment is lost between two looks at the real clock"


async def test_reset_and_restart_start_over(emulator: Emulator, send: Any) -> None:
    await send()
    async with listening(emulator) as events:
        first = await events.next()
        emulator.reset()
        second = await events.next()
        assert second["epoch"] != first["epoch"]
        await send("09122222222")
        third = await events.next()
        assert (third["epoch"], third["first"]) == (second["epoch"], 0)
        assert [message["recipient"] for message in third["messages"]] == ["09122222222"]
    async with Emulator() as another, listening(another, events.last_id) as events:
        assert (await events.next())["epoch"] != third["epoch"]


async def test_who_comes_back_is_told_what_it_missed(emulator: Emulator, send: Any) -> None:
    emulator.ghasedak.switches.telecom_after, emulator.ghasedak.switches.delivered_after = LONG, 2 * LONG
    await send("09121111111")
    async with listening(emulator) as events:
        await events.next()
    emulator.clock.advance(LONG)
    await send("09122222222")
    async with listening(emulator, events.last_id) as events:
        news = await events.next()
    assert news["states"] == [[0, "sent", 8]]
    assert (news["first"], [message["recipient"] for message in news["messages"]]) == (1, ["09122222222"])


@pytest.mark.parametrize("last_id", ["x", ":", "{epoch}:", "{epoch}:-1", "{epoch}:1e3", "{epoch}:" + "9" * 7000, "0:1"])
async def test_a_strange_last_id_is_no_harm(emulator: Emulator, send: Any, last_id: str) -> None:
    await send()
    async with listening(emulator, last_id.replace("{epoch}", emulator._ledger.epoch)) as events:
        assert len((await events.next())["messages"]) == 1


async def test_many_messages_come_in_pieces(emulator: Emulator, call: Any) -> None:
    await send_many(call, 1100)
    async with listening(emulator) as events:
        news = [await events.next() for _ in range(3)]
        assert [(item["first"], len(item["messages"]), item["more"]) for item in news] == [
            (0, 500, True),
            (500, 500, True),
            (1000, 100, False),
        ]
        emulator.clock.advance(LONG)
        assert len(await events.until("states")) == 1100


async def test_a_listener_is_told_nothing_twice(emulator: Emulator, send: Any) -> None:
    emulator.ghasedak.switches.telecom_after, emulator.ghasedak.switches.delivered_after = LONG, 2 * LONG
    listener = listener_of(emulator)
    assert set(listener.look()) == {"epoch", "clock", "faults"}
    await send()
    assert len(listener.look()["messages"]) == 1
    assert listener.look() == {}
    emulator.clock.advance(2 * LONG)
    assert listener.look()["states"] == [(0, "delivered", 1)]
    assert (listener.look(), listener._open) == ({}, {})
    # A clock that is set back brings back to life what had come to its end.
    emulator.clock.set(emulator.messages()[0].created_at + timedelta(seconds=60))
    assert listener.look()["states"] == [(0, "queued", 0)]
    assert listener_of(emulator, listener.event_id).look()["states"] == [(0, "queued", 0)]


async def test_a_message_that_stays_where_it_is_costs_nothing(emulator: Emulator, send: Any) -> None:
    await send("09000000000")
    listener = listener_of(emulator)
    listener.look()
    assert listener._open == {}


async def test_each_of_many_messages_has_its_turn(
    emulator: Emulator, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_MAX_LOOKED_AT", 40)
    emulator.ghasedak.switches.telecom_after, emulator.ghasedak.switches.delivered_after = LONG, 2 * LONG
    await send_many(call, 100)
    listener = listener_of(emulator)
    listener.look()
    for _ in range(2):
        emulator.clock.advance(LONG)
        told = [listener.look()["states"] for _ in range(3)]
        assert [len(states) for states in told] == [40, 40, 20]
    assert (listener.look(), listener._open) == ({}, {})


async def test_half_a_character_does_not_end_the_stream(emulator: Emulator, session: aiohttp.ClientSession) -> None:
    body = b'{"uname":"emulator","pass":"emulator","from":"50001","to":["09121111111"],"msg":"\\ud800 \\u2028"}'
    async with session.post(f"{emulator.advgateway_rest_url}sendSms_OneToMany.php", data=body) as response:
        assert response.status == 200
    async with listening(emulator) as events:
        assert (await events.next())["messages"][0]["text"] == "\ufffd \u2028"


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE", "PUT"])
async def test_only_get(emulator: Emulator, session: aiohttp.ClientSession, method: str) -> None:
    async with session.request(method, f"{emulator.url}/emulator/events") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET")


async def test_listeners_that_vanish_are_dropped(emulator: Emulator) -> None:
    async with listening(emulator) as first, listening(emulator) as second:
        await first.next()
        await second.next()
        assert emulator._live.listeners == 2
    await wait_until(lambda: emulator._live.listeners == emulator.connections == 0)
    host, port = emulator.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /emulator/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"data: ")
    assert emulator._live.listeners == 1
    writer.transport.abort()
    await wait_until(lambda: emulator._live.listeners == 0)


async def test_there_is_a_limit_to_listeners(
    emulator: Emulator, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_MAX_LISTENERS", 1)
    async with listening(emulator) as events:
        await events.next()
        async with session.get(f"{emulator.url}/emulator/events") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
    await wait_until(lambda: emulator._live.listeners == 0)
    async with listening(emulator) as events:
        await events.next()


async def test_a_listener_that_does_not_read_is_dropped(
    emulator: Emulator, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0.2)
    emulator.ghasedak.account.sms_price = 0
    # More than the system keeps for a reader that does not come.
    await send_many(call, 5000, message="x" * 2500)
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.connect((host, int(port)))
        silent.sendall(b"GET /emulator/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await wait_until(lambda: emulator._live.listeners == 1)
        await wait_until(lambda: emulator._live.listeners == 0)


async def test_a_silent_stream_shows_that_it_lives(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT", 0.0)
    async with listening(emulator) as events:
        await events.next()
        async with asyncio.timeout(20):
            while await events.response.content.readline() != b":\n":
                pass


async def test_streams_end_when_the_emulator_stops() -> None:
    async with Emulator() as emulator, listening(emulator) as events:
        await events.next()
        await emulator.stop()
        assert await events.response.content.read() == b"\n"
        assert emulator._live.listeners == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_the_emulator_keeps_can_be_slow_to_tell(emulator: Emulator, send: Any) -> None:
    """Nothing is queued: a listener that looks late is told the last word only."""
    listener = listener_of(emulator)
    listener.look()
    await send()
    emulator.clock.advance(LONG)
    news = listener.look()
    assert [message["state"] for message in news["messages"]] == ["delivered"]
    assert "states" not in news
