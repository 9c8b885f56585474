"""What is fuzzed. A target takes any bytes, and raises where they lead to what a user must never see."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import itertools
import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

import aiohttp
import attrs
import yarl
from payamak.cli.exits import CommandError
from payamak.cli.headings import Choice
from payamak.cli.rows import RowReader
from payamak.cli.table import Table
from payamak.common import (
    Attempt,
    AttemptReply,
    HttpSession,
    JournalEntry,
    JournalError,
    Outcome,
    OutgoingMessage,
    PayamakError,
    Proceed,
    RetryPolicy,
)
from payamak.common.session import Reply, Request
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator
from support.canned import Canned
from support.excel import xlsx
from support.gateways import GATEWAYS, Call, Gateway
from support.handed_on import find_costly

STATUSES = (200, 200, 200, 201, 400, 401, 403, 404, 409, 419, 429, 500, 502, 503)
URL = "https://gateway.example/"
T = TypeVar("T")
_RESET_AFTER = 200
_MEMORY = "/dev/shm"  # noqa: S108 -- a folder of its own is made in it
_JSON = {"Content-Type": "application/json"}
_CONTROL = (
    *(
        Request("POST", f"/emulator/{name}", _JSON, b"{}")
        for name in ("inbox", "clock", "switches", "account", "reset")
    ),
    *(Request("GET", f"/emulator/{name}", {}) for name in ("messages", "contacts", "requests", "faults", "about", "")),
)


@attrs.frozen
class Prepared:
    """A target that is ready.

    Attributes:
        run: Takes an input.
        seeds: Inputs that get far, to begin with.
    """

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


class BrokenError(AssertionError):
    """An input led to what must never be."""


@contextlib.contextmanager
def answers(gateway: Gateway) -> Generator[Prepared]:
    """A gateway's answers: the first byte says which call gets it, the second its HTTP status, the rest is the body."""
    calls = list(gateway.calls.values())
    with asyncio.Runner() as runner:
        bodies = [runner.run(_record_answer(gateway, call)) for call in calls]
        session = runner.run(_make(Canned))
        client = gateway.connect(URL, session=session, retry=RetryPolicy(attempts=1))

        async def ask(call: Call) -> None:
            try:
                result = await call.run(client)
            except PayamakError as error:
                _check_error(error)
            else:
                _check_value(result)

        def run(data: bytes) -> None:
            call, session.reply = calls[data[0] % len(calls)], _make_reply(data[1:])
            runner.run(ask(call))

        yield Prepared(run, tuple(bytes([place, 0]) + body for place, body in enumerate(bodies)))
        runner.run(session.aclose())


@contextlib.contextmanager
def many(gateway: Gateway) -> Generator[Prepared]:
    """The same for `send_many`: whatever the answer, each message gets one report, and nothing is raised."""
    with asyncio.Runner() as runner:
        session = runner.run(_make(Canned))
        client = gateway.connect(URL, session=session, retry=RetryPolicy(attempts=1))
        messages = [OutgoingMessage(f"0912000000{place}", "text") for place in range(3)]

        async def send() -> None:
            reports = [report async for report in client.send_many(messages, grace=0.0)]
            if sorted(report.index for report in reports) != list(range(len(messages))):
                raise BrokenError("not one report for each message")
            for report in reports:
                _check_value(report.message_id)
                if report.error is not None:
                    _check_error(report.error)

        def run(data: bytes) -> None:
            session.reply = _make_reply(data)
            runner.run(send())

        yield Prepared(run, (b"\0" + gateway.send_reply, *(b"\0" + wrap([]) for wrap in gateway.wraps)))
        runner.run(session.aclose())


@contextlib.contextmanager
def table() -> Generator[Prepared]:
    """A file of messages, as CSV or as an Excel workbook."""

    def run(data: bytes) -> None:
        stream: io.BufferedReader[Any] = io.BufferedReader(cast("Any", io.BytesIO(data)))
        try:
            found = Table(stream, Choice())
            text = None if "text" in found.columns else "سلام"
            for row in itertools.islice(RowReader(found, text=text, sender=None), 1000):
                row.text.encode()
                row.to.encode()
        except CommandError as error:
            if not str(error):
                raise BrokenError("an error without a word") from None

    plain = "to,text,send_at\r\n09121111111,سلام,1405/01/02 10:00\r\n۰۹۱۲۲۲۲۲۲۲۲,=1+1,\r\n"
    quoted = 'sep=;\nموبایل;متن\n+98 912 111 1111;"a\nb"\n'
    workbook = xlsx(
        "".join(f"<row><c t='inlineStr'><is><t>{cell}</t></is></c></row>" for cell in ("to", "09121111111"))
    )
    yield Prepared(run, (plain.encode(), plain.encode("utf-16"), plain.encode("utf-8-sig"), quoted.encode(), workbook))


@contextlib.contextmanager
def journal() -> Generator[Prepared]:
    """The file of a journal."""
    # In memory where that can be: to wait for a disk, twice a commit, takes nearly all the time.
    memory = _MEMORY if os.path.isdir(_MEMORY) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, asyncio.Runner() as runner:
        path = Path(folder) / "job.journal"
        entry = JournalEntry(
            key="id:1", index=0, gateway="ghasedak", recipient="09121111111", account="account",
            message=OutgoingMessage("09121111111", "text", check_id="1"),
        )  # fmt: skip
        runner.run(_use_journal(path, entry))
        seed = path.read_bytes()

        def run(data: bytes) -> None:
            for other in Path(folder).iterdir():
                other.unlink()
            path.write_bytes(data)
            with contextlib.suppress(JournalError):
                runner.run(_use_journal(path, entry))

        yield Prepared(run, (seed,))


@contextlib.contextmanager
def emulator() -> Generator[Prepared]:
    """The emulator's routes: the first byte says which, the first line follows its path, the rest is the body."""
    with asyncio.Runner() as runner, _watch_server() as failures:
        requests = [*_CONTROL]
        for gateway in GATEWAYS:
            requests += runner.run(_record_requests(gateway))
        served = runner.run(_make(Emulator))
        runner.run(served.start())
        session = runner.run(_make(aiohttp.ClientSession))
        turns = itertools.count(1)

        async def send(request: Request, query: bytes, body: bytes | None) -> None:
            if next(turns) % _RESET_AFTER == 0:
                served.reset()
            joint = "&" if "?" in request.url else "?"
            address = f"{served.url}{request.url}{joint}{quote(query, safe='=&+%')}"
            url = yarl.URL(address, encoded=True)
            async with session.request(request.method, url, data=body, headers=request.headers) as response:
                await response.read()

        def run(data: bytes) -> None:
            request = requests[data[0] % len(requests)]
            query, _, body = data[1:].partition(b"\n")
            runner.run(send(request, query, None if request.method == "GET" else body))
            if failures:
                raise BrokenError(f"{request.method} {request.url}") from failures.pop()

        yield Prepared(run, tuple(bytes([place]) + b"\n" + (one.body or b"") for place, one in enumerate(requests)))
        runner.run(session.close())
        runner.run(served.stop())


async def _make(factory: Callable[[], T]) -> T:
    """Make it within the event loop."""
    return factory()


async def _record_answer(gateway: Gateway, call: Call) -> bytes:
    """The body with which the emulator answers a call."""
    bodies: list[bytes] = []

    async def note(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        reply = await proceed()
        bodies.append(attempt.body or b"")
        return reply

    async with gateway.at_emulator(hooks=[note], keep_replies=True) as (_, client):
        bodies.clear()
        await call.run(client)
    return bodies[-1]


class _Recording(HttpSession):
    """A session that keeps what it has sent."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    async def send(self, request: Request, **options: Any) -> Reply:
        self.requests.append(request)
        return await super().send(request, **options)


async def _record_requests(gateway: Gateway) -> list[Request]:
    """What a client sends to the emulator for each call."""
    found: dict[tuple[str, str], Request] = {}
    for call in gateway.calls.values():
        session = _Recording()
        async with gateway.at_emulator(session=session) as (_, client):
            await call.run(client)
            await session.aclose()
        for request in session.requests:
            url = yarl.URL(request.url, encoded=True)
            found[request.method, url.raw_path] = attrs.evolve(request, url=url.raw_path_qs, stamp=None)
    return list(found.values())


@contextlib.contextmanager
def _watch_server() -> Generator[list[BaseException]]:
    """What aiohttp's server answers with HTTP status 500, because a handler has raised it."""
    failures: list[BaseException] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                failures.append(record.exc_info[1])

    log, watch = logging.getLogger("aiohttp.server"), Watch(logging.ERROR)
    log.addHandler(watch)
    log.propagate = False
    try:
        yield failures
    finally:
        log.removeHandler(watch)
        log.propagate = True


async def _use_journal(path: Path, entry: JournalEntry) -> None:
    async with SqliteJournal(path) as journal:
        wanted = {entry.key: entry.message} if entry.message else {}
        await journal.read(wanted, entry.account)
        await journal.list_references()
        (attempt,) = await journal.begin([entry], 60.0)
        if attempt is not None:
            await journal.settle([attrs.evolve(entry, attempt=attempt, outcome=Outcome.SENT, message_id=1)])


def _make_reply(data: bytes) -> Reply:
    status = STATUSES[data[0] % len(STATUSES)] if data else 200
    return Reply(status, {}, data[1:])


def _check_error(error: PayamakError) -> None:
    if not str(error) or pickle.loads(pickle.dumps(error)).outcome is not error.outcome:  # noqa: S301 -- our own
        raise BrokenError("an error without a word, or one that cannot be pickled")
    _check_value(getattr(error, "message_ids", ()))


def _check_value(value: Any) -> None:
    if costly := find_costly(value):
        raise BrokenError(f"what a user cannot go on with: {costly!r:.200}")


TARGETS: Mapping[str, Callable[[], AbstractContextManager[Prepared]]] = {
    **{f"answers-{gateway.label}": functools.partial(answers, gateway) for gateway in GATEWAYS},
    **{f"many-{gateway.label}": functools.partial(many, gateway) for gateway in GATEWAYS},
    "table": table,
    "journal": journal,
    "emulator": emulator,
}
