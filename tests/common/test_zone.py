"""Times in Iran on a system whose zone file is old."""

from __future__ import annotations

import copy
import datetime
import importlib.resources
import os
import pickle
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from payamak.common import tehran

ON_AN_OLD_SYSTEM = """
import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from payamak.cli.times import parse_time
from payamak.common import tehran
from payamak.emulator import Emulator
from payamak.opgateway import OpGatewayClient

SUMMER = datetime(2027, 7, 1, 10, 0)
assert SUMMER.replace(tzinfo=ZoneInfo("Asia/Tehran")).utcoffset() == timedelta(hours=4.5), "it is not old"
IN_UTC = datetime(2027, 7, 1, 6, 30, tzinfo=UTC)

async def main():
    async with (
        Emulator() as emulator,
        OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as client,
    ):
        await client.send("09121234567", "text", sender="3000505", send_at=SUMMER.replace(tzinfo=tehran()))
        assert emulator.messages()[0].send_at == IN_UTC, emulator.messages()[0].send_at
        emulator.add_inbox_message(
            gateway="opgateway", sender="09121234567", line="3000505", text="text", received_at=IN_UTC
        )
        (received,) = await client.received()
        assert received.received_at == IN_UTC, received.received_at
        assert received.received_at.hour == 10

assert parse_time("2027-07-01 10:00") == IN_UTC
asyncio.run(main())
"""


def test_the_systems_zone_files_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "Asia").mkdir()
    # Half past four is what Iran's daylight saving was, and what Kabul is.
    kabul = importlib.resources.files("tzdata.zoneinfo.Asia").joinpath("Kabul").read_bytes()
    (tmp_path / "Asia" / "Tehran").write_bytes(kabul)
    done = subprocess.run(
        [sys.executable, "-c", ON_AN_OLD_SYSTEM], env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_time_in_it_can_be_copied() -> None:
    time = datetime.datetime(2027, 7, 1, 10, 0, tzinfo=tehran())
    for twin in (copy.copy(time), copy.deepcopy(time), pickle.loads(pickle.dumps(time))):  # noqa: S301 -- our own
        assert twin == time
        assert twin.tzinfo is tehran()


def test_it_is_a_zone_like_any_other() -> None:
    zone = tehran()
    assert isinstance(zone, ZoneInfo)
    assert str(zone) == zone.key == "Asia/Tehran"
    assert repr(zone) == "payamak.common.tehran()"
    with_saving = datetime.datetime(2020, 7, 1, 10, 0, tzinfo=zone)
    assert with_saving.utcoffset() == datetime.timedelta(hours=4.5), "there was daylight saving in 2020"
