"""Times of messages that came in, in either calendar."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from payamak.emulator import Emulator
from payamak.opgateway import OpGatewayClient, ReplyError
from support.ghasedak import failure_of
from support.opgateway import FIRST, LINE, make_client, reply, url_of
from support.raw_server import RawServer

TEHRAN = datetime.timezone(datetime.timedelta(hours=3, minutes=30))


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("1405/09/06 10:20:30", "2026-11-27 10:20:30"),
        ("1405-9-6 10:20", "2026-11-27 10:20:00"),
        ("1403/12/30 00:00:00", "2025-03-20 00:00:00"),
        ("1404/01/01", "2025-03-21 00:00:00"),
        ("1399/12/30 23:59:59", "2021-03-20 23:59:59"),
        ("1405/01/31 12:00:00", "2026-04-20 12:00:00"),
        ("2026/11/27 10:20:30", "2026-11-27 10:20:30"),
    ],
)
async def test_a_time_of_either_calendar(written: str, time: str) -> None:
    entry = {"message": "a", "from": FIRST, "to": LINE, "time": written}
    async with RawServer(reply([0, [entry]])) as server, make_client(url_of(server)) as client:
        (message,) = await client.received()
    assert message.received_at is not None
    assert message.received_at.replace(tzinfo=None).isoformat(" ") == time
    if message.received_at.year > 2022:  # before that, Iran had summer time
        assert message.received_at.utcoffset() == TEHRAN.utcoffset(None)


@pytest.mark.parametrize(
    "written", ["1404/12/30 10:00:00", "1405/07/31 10:00:00", "1405/13/01", "1405/00/01", "1405/01/00"]
)
async def test_a_date_that_is_in_no_calendar_is_named(written: str) -> None:
    entry: dict[str, Any] = {"message": "a", "from": FIRST, "to": LINE, "time": written}
    async with RawServer(reply([0, [entry]])) as server, make_client(url_of(server)) as client:
        error = await failure_of(client.received())
    assert isinstance(error, ReplyError)
    assert error.field == "data[0].received_at"


async def test_every_day_of_a_panel_that_writes_the_persian_calendar() -> None:
    noon = datetime.datetime(2020, 3, 18, 12, tzinfo=TEHRAN)
    days = [noon + datetime.timedelta(days=day) for day in range(0, 12 * 366, 11)]
    async with Emulator() as emulator:
        emulator.opgateway.switches.jalali_times = True
        for number, day in enumerate(days):
            emulator.add_inbox_message(gateway="opgateway", sender=FIRST, line=LINE, text=str(number), received_at=day)
        async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as client:
            received = {message.text: message.received_at for message in await client.received()}
    assert received == {str(number): day for number, day in enumerate(days)}
