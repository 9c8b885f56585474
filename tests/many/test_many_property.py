"""Random messages, faults, sources and ways to leave. The emulator's ledger is the judge."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payamak.common import (
    Attempt,
    AttemptReply,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    Proceed,
    Progress,
    SendMany,
    SendReport,
)
from payamak.emulator import Emulator, Fault
from support.many import (
    HASTY,
    OPGATEWAY,
    Gateway,
    each,
    judge,
    prepare,
    unread_too,
    until,
    until_still,
)

LATE = 0.6
"""When a request that is held back is carried out: after the deadline of an attempt, and within the grace period."""
GRACE = 0.4
NOTHING = Fault("delay", seconds=0)


class BrokenError(Exception):
    """What sources and bodies raise here."""


TEXTS = st.sampled_from(
    [
        "one text",
        "another",
        "with a comma, and one more,",
        "سلام، خوبی؟",
        "خط یک\nخط دو 😀",
        "a" * 400,
        "<&>",
        "100%",
        ",",
    ]
)
ORDINARY = st.integers(0, 30).map(lambda number: f"0912{number:07}")
WRITTEN = st.sampled_from(["0912 000 0001", "+989120000002", "۰۹۱۲۰۰۰۰۰۰۳", "989120000004", "00989120000005"])
NONSENSE = st.sampled_from(["", "12", "number", "0912000000", "+98912"])
SPECIAL = st.integers(0, 99).map(lambda number: f"090000000{number:02}")
FAULTS = st.one_of(
    st.just(NOTHING),
    st.sampled_from(
        [
            *(Fault(kind) for kind in ("drop_before_read", "reset_before_read", "drop_unprocessed", "drop_after_read")),
            *(Fault(kind) for kind in ("reset_after_read", "cut_reply", "wrong_content_type", "garbage", "empty")),
            *(Fault(kind) for kind in ("bad_gzip", "oversized")),
            Fault("html"), Fault("html", processed=True), Fault("redirect", location="/elsewhere"),
            Fault("hang"), Fault("hang", processed=False), Fault("delay", seconds=LATE), Fault("delay", seconds=0.02),
            Fault("delay_after", seconds=LATE), Fault("delay_after", seconds=0.05),
            Fault("status", status=500), Fault("status", status=500, processed=True), Fault("status", status=429),
            Fault("status", status=503, processed=True), Fault("status", status=403), Fault("status", status=400),
        ]
    ),
)  # fmt: skip


def _messages(gateway: Gateway) -> st.SearchStrategy[list[object]]:
    """Runs of equal texts to many numbers, and single messages of all kinds."""
    senders = [gateway.line, None, "123456", {"advgateway": "3000505", "smsir": "50001"}.get(gateway.name, "50001")]
    sender = st.sampled_from([gateway.line] * 4 + senders)
    special = SPECIAL if gateway is not OPGATEWAY else st.sampled_from(["09000000003", "09000000098", "09000000020"])
    counts = st.sampled_from([2, 3, 30, 60, 61, 100, 101])
    runs = st.builds(_run, counts, st.integers(0, 50), TEXTS, st.just(gateway.line))
    single = st.builds(OutgoingMessage, st.one_of(ORDINARY, ORDINARY, WRITTEN, NONSENSE, special), TEXTS, sender)
    anything = st.one_of(single, single, single, st.sampled_from(["no message", None, OutgoingMessage("09121", "")]))
    entries = st.lists(st.one_of(runs, st.lists(anything, min_size=1, max_size=4)), max_size=5)
    return st.builds(_mark, entries, st.lists(st.booleans(), max_size=12))


def _run(count: int, start: int, text: str, line: str | None) -> list[object]:
    return [OutgoingMessage(f"0912{number:07}", text, line) for number in range(start, start + count)]


def _mark(parts: list[list[object]], marked: list[bool]) -> list[object]:
    """Give some of them a check id of their own."""
    return [
        attrs.evolve(entry, check_id=f"mark-{index}") if mark and isinstance(entry, OutgoingMessage) else entry
        for index, (entry, mark) in enumerate(itertools.zip_longest(itertools.chain(*parts), marked, fillvalue=False))
        if entry is not False
    ]


@attrs.frozen
class Leaving:
    """How the loop is left, if at all, and after how many reports (or requests, when it is cancelled)."""

    how: str
    after: int
    close_timeout: float
    in_block: bool


@attrs.frozen
class Source:
    """Where the messages come from: whether it pauses before some of them, and fails before one."""

    is_asynchronous: bool
    pauses: dict[int, float]
    fails_at: int | None

    def give(self, messages: list[object], given: list[object]) -> Any:
        return self._asynchronously(messages, given) if self.is_asynchronous else self._plainly(messages, given)

    def _plainly(self, messages: list[object], given: list[object]) -> Iterator[Any]:
        for index, message in enumerate(messages):
            if index == self.fails_at:
                raise BrokenError
            given.append(message)
            yield message

    async def _asynchronously(self, messages: list[object], given: list[object]) -> AsyncIterator[Any]:
        for index, message in enumerate(messages):
            if index in self.pauses:
                await asyncio.sleep(self.pauses[index])
            if index == self.fails_at:
                raise BrokenError
            given.append(message)
            yield message


LEAVINGS = st.builds(
    Leaving, st.sampled_from(["no", "no", "no", "break", "raise", "cancel", "cancel twice", "close"]),
    st.integers(1, 12), st.sampled_from([0.0, 0.05, 5.0]), st.booleans(),
)  # fmt: skip
PAUSES = st.dictionaries(st.integers(0, 12), st.sampled_from([0.0, 0.001, 0.03, 0.1]), max_size=4)
SOURCES = st.builds(Source, st.booleans(), PAUSES, st.none() | st.none() | st.integers(0, 150))


class Sends:
    """A hook that counts how many sends are in flight."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, call: Attempt, proceed: Proceed) -> AttemptReply:
        is_send = call.operation.rpartition(".")[2].startswith("send_")
        self.now += is_send
        self.most = max(self.most, self.now)
        try:
            return await proceed()
        finally:
            self.now -= is_send


async def _take(sending: SendMany, client: Any, leaving: Leaving, reports: list[SendReport]) -> None:
    async with sending if leaving.in_block else contextlib.nullcontext():
        async for report in sending:
            reports.append(report)
            if len(reports) != leaving.after:
                continue
            if leaving.how == "break":
                break
            if leaving.how == "raise":
                raise BrokenError
            if leaving.how == "close":
                await client.aclose()


async def _take_in_task(
    sending: SendMany, client: Any, leaving: Leaving, reports: list[SendReport], emulator: Emulator
) -> None:
    task = asyncio.create_task(_take(sending, client, leaving, reports))
    if leaving.how.startswith("cancel"):
        await until(lambda: task.done() or len(emulator.requests) > leaving.after)
        task.cancel()
        await asyncio.sleep(0)
    if leaving.how == "cancel twice":
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        assert leaving.how.startswith("cancel")


@attrs.frozen
class Played:
    """What came out of one example."""

    given: list[object] = attrs.field(factory=list[object])
    reports: list[SendReport] = attrs.field(factory=list[SendReport])
    told: list[Progress] = attrs.field(factory=list[Progress])
    hook: Sends = attrs.field(factory=Sends)


async def _play(
    gateway: Gateway, messages: list[object], faults: list[Fault], source: Source, leaving: Leaving, options: Any
) -> None:
    played = Played()
    async with Emulator() as emulator:
        prepare(emulator)
        for fault in faults:
            emulator.add_fault(fault)
        async with gateway.connect(emulator, timeout=HASTY, hooks=[played.hook]) as client:
            sending = client.send_many(
                source.give(messages, played.given), grace=GRACE, close_timeout=leaving.close_timeout,
                progress=played.told.append, **options,
            )  # fmt: skip
            has_failed = False
            try:
                await _take_in_task(sending, client, leaving, played.reports, emulator)
            except BrokenError:
                has_failed = True
        await until(lambda: emulator.connections == 0)
        await until_still(emulator)
        everything = unread_too(played.reports, sending)
        judge(gateway, emulator, played.given, everything)
    if leaving.how == "no":
        assert has_failed == (source.fails_at is not None and source.fails_at < len(messages))
        assert len(played.given) == (source.fails_at if has_failed else len(messages))
        assert sending.unread == []
    assert played.hook.most <= options["concurrency"]
    _check_progress(played.told, everything, sending.progress)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def _check_progress(told: list[Progress], reports: list[SendReport], last: Progress) -> None:
    assert [progress.done for progress in told] == list(range(1, len(reports) + 1))
    counts = collections.Counter(report.outcome for report in reports)
    assert (last.sent, last.refused, last.not_sent, last.unknown) == tuple(
        counts[outcome] for outcome in (Outcome.SENT, Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN)
    )


@each()
def test_each_message_has_one_report_and_the_ledger_agrees(gateway: Gateway) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(
        _messages(gateway), st.lists(FAULTS, max_size=14), SOURCES, LEAVINGS,
        st.fixed_dictionaries({"concurrency": st.integers(1, 6), "on_unknown": st.sampled_from(OnUnknown)}),
    )  # fmt: skip
    def play(messages: list[object], faults: list[Fault], source: Source, leaving: Leaving, options: Any) -> None:
        asyncio.run(_play(gateway, messages, faults, source, leaving, options))

    play()
