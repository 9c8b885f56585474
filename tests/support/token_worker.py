"""A process with a client of sms.ir: makes so many calls at once whenever it is told to, and says how they ended."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Mapping

from payamak.smsir import SmsIrClient, TokenStore
from payamak.smsir.stores import FileTokenStore, RedisTokenStore
from redis.asyncio import Redis


@contextlib.asynccontextmanager
async def open_store(kind: str, place: str) -> AsyncGenerator[TokenStore]:
    """The store of that kind."""
    if kind == "files":
        yield FileTokenStore(place)
    else:
        async with Redis(unix_socket_path=place) as redis:
            yield RedisTokenStore(redis)


async def work(url: str, kind: str, place: str) -> None:
    """One number of calls a line in, one object of endings and how many out."""
    async with (
        open_store(kind, place) as store,
        SmsIrClient("emulator-key", "emulator-secret", base_url=url, token_store=store) as client,
    ):
        _say({})
        while line := await asyncio.to_thread(sys.stdin.readline):
            results = await asyncio.gather(*(client.credit() for _ in range(int(line))), return_exceptions=True)
            endings = collections.Counter("ok" if isinstance(one, int) else str(one) for one in results)
            _say(endings)


def _say(endings: Mapping[str, int]) -> None:
    sys.stdout.write(f"{json.dumps(endings)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
