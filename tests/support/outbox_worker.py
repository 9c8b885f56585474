"""A worker that sends what its queue gives it: ``python -m support.outbox_worker GATEWAY URL JOURNAL GRACE``.

The queue is standard input, a number a line. On standard output it says of each what became of it. The journal is a
file or the address of a PostgreSQL. With ``{pid}`` in its name each worker has one of its own, which helps nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from payamak.common import OutgoingMessage, RetryPolicy, SendReport
from payamak.common.outbox import Outbox
from payamak.common.postgres_journal import PostgresJournal
from payamak.common.sqlite_journal import SqliteJournal

from .journals import HASH_KEY
from .many import GATEWAYS, Gateway

FIRST_ID = 10**17
TEXTS = 20


def make_message(gateway: Gateway, number: int) -> OutgoingMessage:
    """The message of a job, the same wherever and whenever it is done."""
    return gateway.message(number, f"text {number % TEXTS}", check_id=str(FIRST_ID + number))


async def work(gateway: Gateway, url: str, journal: str, grace: float) -> None:
    """Do jobs until there are no more."""
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    async with (
        _open(journal) as shared,
        gateway.make(base_url=url, retry=RetryPolicy(attempts=1), timeout=5) as client,
        client.outbox(journal=shared, concurrency=4, grace=grace, pause=0.2) as outbox,
        asyncio.TaskGroup() as jobs,
    ):
        while line := await stdin.readline():
            jobs.create_task(_do(outbox, gateway, int(line)))


def _open(journal: str) -> SqliteJournal | PostgresJournal:
    if "://" in journal:
        return PostgresJournal(journal, scope="jobs", hash_key=HASH_KEY)
    return SqliteJournal(journal.format(pid=os.getpid()))


async def _do(outbox: Outbox, gateway: Gateway, number: int) -> None:
    report: SendReport = await outbox.send(make_message(gateway, number))
    told = {
        "job": number, "outcome": report.outcome.value, "message_id": report.message_id, "settled": report.is_settled,
    }  # fmt: skip
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    label, given_url, given_journal, seconds = sys.argv[1:]
    (chosen,) = (gateway for gateway in GATEWAYS if gateway.label == label)
    asyncio.run(work(chosen, given_url, given_journal, float(seconds)))
