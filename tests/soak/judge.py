"""Holds the reports of the waves against the emulator's ledger."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
from payamak.common.results import OnUnknown
from payamak.ghasedak import Outcome, ReplyError, SendReport

from .lanes import LANES, Lane
from .waves import Result

Json = dict[str, Any]
Key = tuple[str, str]


_SHOWN = 5


@attrs.define
class Tally:
    """What was counted of one lane."""

    waves: int = 0
    messages: int = 0
    sent: int = 0
    refused: int = 0
    not_sent: int = 0
    unknown: int = 0
    unknown_processed: int = 0
    requests: int = 0
    faults: int = 0
    duplicates: int = 0
    lost: int = 0
    unexplained: int = 0

    def add(self, other: Tally) -> None:
        """Count another in."""
        for name, value in attrs.asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


_COUNTERS = {
    Outcome.SENT: "sent",
    Outcome.REFUSED: "refused",
    Outcome.NOT_SENT: "not_sent",
    Outcome.UNKNOWN: "unknown",
}


@attrs.define
class Judge:
    """Counts, and writes down what is wrong."""

    tallies: dict[Lane, Tally] = attrs.field(factory=lambda: {lane: Tally() for lane in LANES})
    problems: list[str] = attrs.Factory(list[str])
    fault_kinds: collections.Counter[str] = attrs.Factory(collections.Counter[str])

    @property
    def total(self) -> Tally:
        """All lanes together."""
        total = Tally()
        for tally in self.tallies.values():
            total.add(tally)
        return total

    def judge_round(self, results: Sequence[Result], ledger: Iterable[Json], requests: Iterable[Json]) -> None:
        """Judge waves that ran at once, by what the emulator has of them and of nothing else."""
        entries: dict[tuple[str, Key], list[Json]] = collections.defaultdict(list)
        for entry in ledger:
            entries[entry["gateway"], (entry["recipient"], entry["text"])].append(entry)
        for result in results:
            own = {key: entries.pop((result.wave.lane.gateway, key), []) for key in set(result.wave.keys)}
            self.judge_wave(result, own)
        for (gateway, _), left in entries.items():
            self.problems.append(f"{gateway}: {len(left)} messages in the ledger that nobody gave")
        for request in requests:
            self._count_request(request)

    def _count_request(self, request: Json) -> None:
        (tally,) = (tally for lane, tally in self.tallies.items() if request["path"].startswith(lane.path))
        tally.requests += 1
        if request["fault"] is not None:
            tally.faults += 1
            self.fault_kinds[request["fault"]] += 1

    def judge_wave(self, result: Result, entries: dict[Key, list[Json]]) -> None:
        """Judge one wave.

        Args:
            result: What it reported.
            entries: What the ledger has of each of its keys.
        """
        wave = result.wave
        tally = Tally(waves=1, messages=len(result.reports))
        problems = list(result.problems)
        _check_indexes(result, problems)
        by_key: dict[Key, list[SendReport]] = collections.defaultdict(list)
        for report in result.reports:
            by_key[wave.keys[report.index]].append(report)
            name = _COUNTERS[report.outcome]
            setattr(tally, name, getattr(tally, name) + 1)
            _check_report(result, report, problems)
        open_reports: list[SendReport] = []
        for key, found in entries.items():
            open_reports += _judge_key(by_key[key], found, tally, problems)
        _judge_unknown(result, open_reports, tally, problems)
        self.tallies[wave.lane].add(tally)
        if problems:
            shown = "; ".join(problems[:_SHOWN])
            self.problems.append(f"{wave}: {len(problems)} problems: {shown}")


def _check_indexes(result: Result, problems: list[str]) -> None:
    indexes = sorted(report.index for report in result.reports)
    if indexes != list(range(len(indexes))):
        problems.append(f"the reports are not of the first {len(indexes)} messages, each once")
    if not result.wave.is_left and len(indexes) != len(result.wave.messages):
        problems.append(f"{len(indexes)} reports for {len(result.wave.messages)} messages")


def _check_report(result: Result, report: SendReport, problems: list[str]) -> None:
    if report.message is not result.wave.messages[report.index]:
        problems.append(f"report {report.index} holds another message")
    if report.outcome is Outcome.SENT:
        if report.error is not None or report.message_id is None:
            problems.append(f"report {report.index} is sent, with id {report.message_id} and {report.error!r}")
    elif report.error is None or report.error.outcome is not report.outcome or report.message_id is not None:
        problems.append(f"report {report.index} is {report.outcome.value}, with {report.message_id}, {report.error!r}")


def _judge_key(
    reports: Sequence[SendReport], entries: Sequence[Json], tally: Tally, problems: list[str]
) -> list[SendReport]:
    """Judge messages of one recipient and text. Returns the unknown ones that were processed."""
    sent = [report for report in reports if report.outcome is Outcome.SENT]
    unknown = [report for report in reports if report.outcome is Outcome.UNKNOWN]
    if len(entries) > len(reports):
        tally.duplicates += len(entries) - len(reports)
        problems.append(f"{len(entries)} times in the ledger, {[report.outcome.value for report in reports]}")
    surplus = len(entries) - len(sent)
    processed = max(0, min(surplus, len(unknown)))
    if surplus < 0 or surplus > len(unknown):
        tally.lost += 1
        told = [(report.index, report.outcome.value, repr(report.error)) for report in reports]
        problems.append(f"{len(entries)} in the ledger, but {told}")
    ids = collections.Counter[int | None](_id_of(entry) for entry in entries)
    if wrong := collections.Counter(report.message_id for report in sent) - ids:
        tally.lost += sum(wrong.values())
        problems.append(f"ids {list(wrong)} are not those of the ledger: {list(ids)}")
    tally.unknown_processed += processed
    return unknown[:processed]


def _id_of(entry: Json) -> int:
    return int(entry["check_id"] if entry["gateway"] == "opgateway" else entry["id"])


def _judge_unknown(result: Result, processed: Sequence[SendReport], tally: Tally, problems: list[str]) -> None:
    """Find the unknown outcomes that should have been known.

    Where the gateway could be asked, a message that it has is found, and one that it does not have is known as not sent
    if its absence proves that; unless asking failed until the end. One asking is for the messages of one request, so
    that there are no more such requests than failed readings.
    """
    wave = result.wave
    if wave.is_left or wave.options["on_unknown"] is OnUnknown.LEAVE:
        return
    if wave.lane.gateway == "ghasedak":
        open_reports = [report for report in result.reports if report.outcome is Outcome.UNKNOWN]
    else:
        open_reports = [report for report in processed if _CAN_BE_ASKED[wave.lane.gateway](report)]
    calls = {report.error.operation_id if report.error else None for report in open_reports}
    if len(calls) > result.failed_reads:
        tally.unexplained += len(open_reports)
        told = [(report.index, report.reference, repr(report.error)) for report in open_reports]
        problems.append(f"unknown after {result.failed_reads} failed readings: {told}")


def _has_ids(report: SendReport) -> bool:
    return isinstance(report.error, ReplyError) and bool(report.error.message_ids)


_CAN_BE_ASKED: dict[str, Callable[[SendReport], bool]] = {
    "smsir": lambda report: (report.reference or "").startswith("after "),
    "opgateway": _has_ids,
    "advgateway": _has_ids,
}
