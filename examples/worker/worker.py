"""Send the messages that come in on standard input, and report what became of each. How to run it is in README.md."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field

from payamak.ghasedak import GhasedakClient, PayamakError

TASKS = int(os.environ.get("TASKS", "8"))
# A send that has begun ends within this time, with all its attempts. Your supervisor must wait longer after SIGTERM.
TIMEOUT = float(os.environ.get("SMS_TIMEOUT", "8"))


@dataclass(frozen=True)
class Job:
    """One message to send. Its id is unique for ever: the gateway can be asked for the message by it."""

    id: str
    number: str = field(repr=False)
    text: str = field(repr=False)


class Worker:
    """Tasks that send what is in the queue, until it ends or they are told to stop."""

    def __init__(self, sms: GhasedakClient, line: str) -> None:
        self._sms = sms
        self._line = line
        # Short, so that little is taken that will not be sent if a signal comes.
        self._queue: asyncio.Queue[Job | None] = asyncio.Queue(TASKS)
        self._stopping = False

    def stop(self) -> None:
        """Begin no message any more. What has begun goes on to its end."""
        self._stopping = True

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Work until the input ends."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(TASKS):
                tasks.create_task(self._work())
            while line := await read_line(lines):
                if job := read_job(line):
                    await self._queue.put(job)
            for _ in range(TASKS):
                await self._queue.put(None)

    async def _work(self) -> None:
        while job := await self._queue.get():
            # After the signal the queue is emptied in the same way as before it, but for the sending.
            if self._stopping:
                report(job.id, "not sent", reason="the worker was stopped")
            else:
                await self._send(job)

    async def _send(self, job: Job) -> None:
        try:
            result = await self._sms.send(job.number, job.text, sender=self._line, check_id=job.id)
        except PayamakError as error:
            report(job.id, error.outcome.value, reason=type(error).__name__)
        else:
            report(job.id, "sent", message_id=result.message_id)


async def read_line(lines: asyncio.StreamReader) -> bytes:
    """Read a line; an empty one is the end."""
    while True:
        try:
            return await lines.readline()
        except ValueError:
            report(None, "not sent", reason="a line is too long")


def read_job(line: bytes) -> Job | None:
    """Read a line, or report what is wrong with it."""
    try:
        content = json.loads(line)
    except ValueError:
        content = None
    match content:
        case {"id": str(job_id), "number": str(number), "text": str(text)}:
            return Job(job_id, number, text)
        case {"id": str(job_id)}:
            report(job_id, "not sent", reason="a job has the texts id, number and text")
        case _:
            report(None, "not sent", reason="a line is no job")
    return None


def report(job_id: str | None, outcome: str, **details: object) -> None:
    """Write one line for one job: its outcome is "sent", "not sent", "refused" or "unknown"."""
    print(json.dumps({"id": job_id, "outcome": outcome, **details}), flush=True)


async def main() -> None:
    """Run until the input ends, or SIGTERM or SIGINT comes."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    url = os.environ.get("SMS_URL", "http://127.0.0.1:8650/v2/")
    async with GhasedakClient(os.environ.get("SMS_KEY", "emulator-key"), base_url=url, timeout=TIMEOUT) as sms:
        worker = Worker(sms, os.environ.get("SMS_LINE", "10008566"))
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)

        def stop() -> None:
            worker.stop()
            # What has been read already comes out of the reader all the same, and then its end.
            pipe.close()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        try:
            await worker.run(lines)
        finally:
            pipe.close()


if __name__ == "__main__":
    asyncio.run(main())
