"""Holds the reports of the waves against the emulator's ledger."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from payamak.common.results import OnUnknown
from payamak.ghasedak import Outcome, PayamakError, ReplyError, SendReport

from .lanes import LANES, Lane
from .lies import (
    can_be_shown,
    is_lie,
    is_plain_refusal,
    keeps_numbers_only,
    shows_no_ids,
    shows_nothing,
)
from .waves import Result

Json = dict[str, Any]
Key = tuple[str, str]


_SHOWN = 5
_TOO_MANY_REQUESTS = 429
_AT_ONCE = datetime.timedelta(seconds=0.5)
"""A request is carried out so soon after it has come."""


@attrs.define
class Tally:
    """What was counted of one lane. What may not be are the last three."""

    waves: int = 0
    messages: int = 0
    sent: int = 0
    refused: int = 0
    not_sent: int = 0
    unknown: int = 0
    unknown_processed: int = 0
    requests: int = 0
    faults: int = 0
    lies: int = 0
    false_refusals: int = 0
    repeats: int = 0
    reruns: int = 0
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


@attrs.frozen
class Round:
    """What is to be known of the round of a wave.

    Attributes:
        switches: How the gateways deviate in it.
        repeated: When a gateway took a request and answered with nothing but the status 429, which means that it did
            not: such a request is sent again.
    """

    switches: Json = attrs.Factory(dict[str, Any])
    repeated: Sequence[tuple[str, datetime.datetime]] = ()

    def came_before_repeat(self, entry: Json) -> bool:
        """Whether a message was taken by a request that was then sent again."""
        if not self.repeated:
            return False
        created = datetime.datetime.fromisoformat(entry["created_at"])
        return any(
            gateway == entry["gateway"] and arrived <= created <= arrived + _AT_ONCE
            for gateway, arrived in self.repeated
        )


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

    def judge_round(
        self, results: Sequence[Result], ledger: Iterable[Json], requests: Sequence[Json], switches: Json
    ) -> None:
        """Judge waves that ran at once, by what the emulator has of them and of nothing else."""
        entries: dict[tuple[str, Key], list[Json]] = collections.defaultdict(list)
        for entry in ledger:
            entries[entry["gateway"], (entry["recipient"], entry["text"])].append(entry)
        around = Round(switches, [_arrival(request) for request in requests if _is_repeated(request)])
        for result in results:
            own = {key: entries.pop((result.wave.lane.gateway, key), []) for key in set(result.wave.keys)}
            self.judge_wave(result, own, around)
        for (gateway, _), left in entries.items():
            self.problems.append(f"{gateway}: {len(left)} messages in the ledger that nobody gave")
        for request in requests:
            self._count_request(request)

    def _count_request(self, request: Json) -> None:
        (tally,) = (tally for lane, tally in self.tallies.items() if request["path"].startswith(lane.path))
        tally.requests += 1
        if request["fault"] is not None:
            tally.faults += 1
            tally.lies += is_lie(request)
            self.fault_kinds[request["fault"]] += 1

    def judge_wave(self, result: Result, entries: dict[Key, list[Json]], around: Round) -> None:
        """Judge one wave.

        Args:
            result: What it reported.
            entries: What the ledger has of each of its keys.
            around: What is to be known of its round.
        """
        case = _Case(result, around)
        case.judge(entries)
        self.tallies[result.wave.lane].add(case.tally)
        if case.problems:
            shown = "; ".join(case.problems[:_SHOWN])
            self.problems.append(f"{result.wave}, {around.switches}: {len(case.problems)} problems: {shown}")


def _is_repeated(request: Json) -> bool:
    return request["fault"] in ("status", "html") and request["processed"] and request["status"] == _TOO_MANY_REQUESTS


def _arrival(request: Json) -> tuple[str, datetime.datetime]:
    return request["gateway"], datetime.datetime.fromisoformat(request["arrived_at"])


class _Case:
    """One wave before the judge."""

    def __init__(self, result: Result, around: Round) -> None:
        self.tally = Tally(waves=1, messages=len(result.reports))
        self.problems = list(result.problems)
        self._result = result
        self._wave = result.wave
        self._gateway = result.wave.lane.gateway
        self._around = around
        # The journal tells less of an error than the run that met it.
        self._earlier = {report.index: report for report in result.earlier}
        self._sizes = collections.Counter(self._call_of(report) for report in result.reports)
        self._open: list[SendReport] = []
        """What the gateway must have been asked for in vain."""

    def judge(self, entries: dict[Key, list[Json]]) -> None:
        """Judge all of it."""
        self._check_indexes()
        by_key: dict[Key, list[SendReport]] = collections.defaultdict(list)
        for report in self._result.reports:
            by_key[self._wave.keys[report.index]].append(report)
            name = _COUNTERS[report.outcome]
            setattr(self.tally, name, getattr(self.tally, name) + 1)
            self._check_report(report)
        for key, found in entries.items():
            self._judge_key(by_key[key], found)
        self._judge_open()

    def _check_indexes(self) -> None:
        indexes = sorted(report.index for report in self._result.reports)
        if indexes != list(range(len(indexes))):
            self.problems.append(f"the reports are not of the first {len(indexes)} messages, each once")
        if not self._wave.is_left and len(indexes) != len(self._wave.messages):
            self.problems.append(f"{len(indexes)} reports for {len(self._wave.messages)} messages")

    def _check_report(self, report: SendReport) -> None:
        if report.message is not self._wave.messages[report.index]:
            self.problems.append(f"report {report.index} holds another message")
        told = f"report {report.index} is {report.outcome.value}, with {report.message_id}, {report.error!r}"
        if report.outcome is Outcome.SENT:
            is_found_without = self._gateway == "ghasedak" and shows_no_ids(self._around.switches)
            if report.error is not None or (report.message_id is None and not is_found_without):
                self.problems.append(told)
        elif report.error is None or report.error.outcome is not report.outcome or report.message_id is not None:
            self.problems.append(told)
        elif report.outcome is Outcome.UNKNOWN and self._is_plain_refusal(report):
            self.problems.append(f"{told}, which is clear")

    def _judge_key(self, reports: Sequence[SendReport], entries: Sequence[Json]) -> None:
        """Judge messages of one recipient and text."""
        sent = [report for report in reports if report.outcome is Outcome.SENT]
        unknown = [report for report in reports if report.outcome is Outcome.UNKNOWN]
        refused = [report for report in reports if report.outcome is Outcome.REFUSED and self._is_plain_refusal(report)]
        surplus = len(entries) - len(sent)
        processed = max(0, min(surplus, len(unknown)))
        # Taken, and said not to be.
        denied = max(0, surplus - len(unknown))
        falsely = refused[:denied]
        repeats = min(denied - len(falsely), sum(map(self._around.came_before_repeat, entries)))
        reruns = min(denied - len(falsely) - repeats, sum(map(self._was_refused_before, reports)))
        again = repeats + reruns
        if len(entries) - again > len(reports):
            self.tally.duplicates += len(entries) - again - len(reports)
            self.problems.append(f"{len(entries)} times in the ledger, {[report.outcome.value for report in reports]}")
        if surplus < 0 or denied > len(falsely) + again:
            self.tally.lost += 1
            told = [(report.index, report.outcome.value, repr(report.error)) for report in reports]
            self.problems.append(f"{len(entries)} in the ledger, but {told}")
        ids = collections.Counter(_id_of(entry) for entry in entries)
        named = collections.Counter(report.message_id for report in sent if report.message_id is not None)
        if wrong := named - ids:
            self.tally.lost += sum(wrong.values())
            self.problems.append(f"ids {list(wrong)} are not those of the ledger: {list(ids)}")
        self.tally.unknown_processed += processed
        self.tally.false_refusals += len(falsely)
        self.tally.repeats += repeats
        self.tally.reruns += reruns
        self._open += [report for report in falsely if self._can_be_shown(report)]
        # What two requests may have left behind cannot be told apart.
        if not (self._gateway == "smsir" and (falsely or again)):
            self._open += [report for report in unknown[:processed] if self._can_be_found(report)]
        self._open += [report for report in unknown[processed:] if self._can_be_missed(report)]

    def _judge_open(self) -> None:
        """Find the outcomes that should have been known.

        Where the gateway could be asked, a message that it has is found, and one that it does not have is known as not
        sent if its absence proves that; unless asking failed until the end. One asking is for the messages of one
        request, so that there are no more such requests than failed readings.
        """
        calls = {self._call_of(report) for report in self._open}
        if len(calls) > self._result.failed_reads:
            self.tally.unexplained += len(self._open)
            told = [
                (report.index, report.outcome.value, report.reference, repr(self._error_of(report)))
                for report in self._open
            ]
            self.problems.append(f"unknown after {self._result.failed_reads} failed readings: {told}")

    def _can_be_shown(self, report: SendReport) -> bool:
        """Whether a refusal of what was taken would have been seen through, had nobody left and had asking helped."""
        if self._wave.is_left or report.index in self._earlier:
            return False
        if self._gateway == "ghasedak" and shows_nothing(self._around.switches):
            return False
        if self._gateway == "smsir" and report.reference is None:
            return False
        return can_be_shown(self._gateway, self._error_of(report), of_many=self._is_of_many(report))

    def _can_be_found(self, report: SendReport) -> bool:
        """Whether asking finds a message whose outcome is unknown, and which was taken."""
        if self._wave.is_left or self._wave.options["on_unknown"] is OnUnknown.LEAVE:
            return False
        if self._gateway == "ghasedak":
            is_forgotten = keeps_numbers_only(self._around.switches) and not _has_number(report)
            return not is_forgotten and not shows_nothing(self._around.switches)
        if self._gateway == "smsir":
            return report.reference is not None
        return isinstance(report.error, ReplyError) and bool(report.error.message_ids)

    def _can_be_missed(self, report: SendReport) -> bool:
        """Whether asking proves of a message whose outcome is unknown that it was not taken.

        Only Ghasedak says so, and is believed once it has shown a message with a check id of the same kind.
        """
        if self._gateway != "ghasedak" or not self._can_be_found(report) or shows_no_ids(self._around.switches):
            return False
        return any(
            other.outcome is Outcome.SENT and _has_number(other) == _has_number(report)
            for other in self._result.reports
        )

    def _is_plain_refusal(self, report: SendReport) -> bool:
        return is_plain_refusal(self._gateway, self._error_of(report), of_many=self._is_of_many(report))

    def _was_refused_before(self, report: SendReport) -> bool:
        """Whether it went out again because an earlier run of the job had to believe that it was refused."""
        earlier = self._earlier.get(report.index)
        if earlier is None or report.from_journal or earlier.outcome is not Outcome.REFUSED:
            return False
        # How many its request was for is not told: what the gateway shows of a list is not asked by who has left.
        return is_plain_refusal(self._gateway, earlier.error, of_many=False)

    def _error_of(self, report: SendReport) -> PayamakError | None:
        return self._earlier[report.index].error if report.from_journal else report.error

    def _call_of(self, report: SendReport) -> str | None:
        error = self._error_of(report)
        return error.operation_id if error is not None else None

    def _is_of_many(self, report: SendReport) -> bool:
        return self._sizes[self._call_of(report)] > 1


def _has_number(report: SendReport) -> bool:
    return (report.reference or "").isdecimal()


def _id_of(entry: Json) -> int:
    return int(entry["check_id"] if entry["gateway"] == "opgateway" else entry["id"])
