"""The four gateways as `send_many` is tested on them, and the judge: the emulator's ledger against the reports."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs
import payamak.common
import pytest
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.common import Outcome, OutgoingMessage, RetryPolicy, SendMany, SendReport, Timeout
from payamak.common.numbers import normalize_recipient
from payamak.emulator import Emulator, Fault
from payamak.emulator.ledger import Message
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient

QUICKLY = RetryPolicy(base_delay=0.001, max_delay=0.002)
HASTY = Timeout(total=5, attempt=0.4, connect=5)
PATIENT = Timeout(total=30, attempt=15, connect=5)
WITNESS = "09399999999"
_WITNESSED = "sms/send/simple"
_NO_SENDS = (
    *("gettoken", "sms/status", "pageid", "fromlastid", "mobilenumbers", "statusarray.php", "status.php"),
    _WITNESSED,
)
_FOLDER = str(Path(payamak.common.__file__).parent)
_NO_CODE = (lambda: None).__code__


@attrs.frozen
class Gateway:
    """One way to one of the gateways."""

    label: str
    name: str
    make: Callable[..., Any]
    url: str
    """The emulator's attribute that holds the base URL."""
    line: str | None
    limit: int
    """The most messages in one request."""
    refused: str
    """A number that the gateway refuses, for a reason that concerns it alone."""
    carries_pairs: bool
    """Whether different texts travel in one request."""
    send_path: str | None = None
    """Where requests with one text to many go, if not everything goes there."""

    def fault(self, kind: str, **details: Any) -> Fault:
        """A fault for the next sends of one text to many."""
        return Fault(kind, gateway=self.name, path=self.send_path, **details)

    def connect(self, emulator: Emulator, **options: Any) -> Any:
        url = getattr(emulator, self.url)
        return self.make(base_url=url, **{"retry": QUICKLY, "timeout": PATIENT, **options})

    def message(self, number: int | str, text: str = "text", **fields: Any) -> OutgoingMessage:
        """A message to the so manieth of ten million ordinary numbers, or to a number in full."""
        to = f"0912{number:07}" if isinstance(number, int) else number
        return OutgoingMessage(to, text, fields.pop("sender", self.line), **fields)

    def messages(self, count: int, text: str = "text") -> list[OutgoingMessage]:
        """Messages of one text to different numbers."""
        return [self.message(number, text) for number in range(count)]

    def ledger(self, emulator: Emulator) -> list[Message]:
        """What the gateway took; but for what bears witness."""
        return [
            message
            for message in emulator.messages(self.name)
            if message.kind != "membership" and message.recipient != WITNESS
        ]

    async def bear_witness(self, client: Any) -> None:
        """Let Ghasedak take messages with a check id of each kind: they can be shown, so that an absence counts.

        At the others an absence never counts.
        """
        if self is GHASEDAK:
            for check_id in (None, "witness"):
                await client.send(WITNESS, "witness", check_id=check_id)


def _ghasedak(**options: Any) -> GhasedakClient:
    return GhasedakClient("emulator-key", **options)


def _smsir(**options: Any) -> SmsIrClient:
    return SmsIrClient("emulator-key", "emulator-secret", **options)


def _opgateway(**options: Any) -> OpGatewayClient:
    return OpGatewayClient("emulator", "emulator", **options)


def _soap(**options: Any) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", **options)


def _rest(**options: Any) -> AdvGatewayClient:
    return AdvGatewayClient("emulator", "emulator", transport=Transport.REST, **options)


GHASEDAK = Gateway(
    "ghasedak", "ghasedak", _ghasedak, "ghasedak_url", "10008566", 100, "09000000008",
    carries_pairs=True, send_path="sms/send/pair",
)  # fmt: skip
SMSIR = Gateway(
    "smsir", "smsir", _smsir, "smsir_url", None, 100, "09000000008",
    carries_pairs=False, send_path="SendByMobileNumbers",
)  # fmt: skip
OPGATEWAY = Gateway(
    "opgateway", "opgateway", _opgateway, "opgateway_url", "3000505", 100, "09000000098", carries_pairs=False
)
SOAP = Gateway("soap", "advgateway", _soap, "advgateway_url", "50001", 60, "09000000013", carries_pairs=True)
REST = Gateway(
    "rest", "advgateway", _rest, "advgateway_rest_url", "50001", 60, "09000000013",
    carries_pairs=True, send_path="sendSms_ManyToMany.php",
)  # fmt: skip
GATEWAYS = (GHASEDAK, SMSIR, OPGATEWAY, SOAP, REST)
ADVANCED = (SOAP, REST)


def each(*gateways: Gateway) -> pytest.MarkDecorator:
    """Run a test for each of these gateways, by default for all."""
    chosen = gateways or GATEWAYS
    return pytest.mark.parametrize("gateway", chosen, ids=[gateway.label for gateway in chosen])


def prepare(emulator: Emulator) -> Emulator:
    """Let all gateways send to whom they are told to."""
    emulator.smsir.switches.numbers_must_be_contacts = False
    return emulator


async def collect(sending: AsyncIterable[SendReport]) -> list[SendReport]:
    return [report async for report in sending]


def sends(emulator: Emulator) -> int:
    """How many requests there were that send many. The advanced gateway's SOAP and the op one do not show it: all."""
    return sum(
        record.path.lower().endswith("sendbymobilenumbers") or not record.path.lower().endswith(_NO_SENDS)
        for record in emulator.requests
    )


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so that nobody tells of."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- another object's state
            await asyncio.sleep(0.02)  # So long that the clock of a test may jump meanwhile.


async def until_still(emulator: Emulator) -> None:
    """Wait until the server has carried out what it holds back."""
    await until(lambda: all(record.processed for record in emulator.requests if record.fault == "delay"))


def running() -> list[str]:
    """Tasks of `send_many`, of its requests and of its source; not those of the emulator."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    ours = [coroutine for coroutine in coroutines if _FOLDER in getattr(coroutine, "cr_code", _NO_CODE).co_filename]
    return [getattr(coroutine, "__qualname__", "") for coroutine in ours]


def by_outcome(reports: Iterable[SendReport]) -> dict[Outcome, int]:
    return dict(collections.Counter(report.outcome for report in reports))


def judge(gateway: Gateway, emulator: Emulator, given: Sequence[object], reports: Sequence[SendReport]) -> None:
    """Hold the reports against the ledger.

    Each message that was given has one report. What a report says was sent is in the ledger, once and by the id; what
    is there besides are messages of which a report says that it is unknown. Nothing is there twice.
    """
    assert sorted(report.index for report in reports) == list(range(len(given)))
    for report in reports:
        assert report.message is given[report.index]
        assert (report.error is None) == (report.outcome is Outcome.SENT)
        assert (report.message_id is None) == (report.outcome is not Outcome.SENT)
        assert report.error is None or report.error.outcome is report.outcome, f"{report.error!r} is {report.outcome}"
    left = collections.defaultdict[tuple[Any, ...], list[Message]](list)
    for entry in gateway.ledger(emulator):
        left[_key(gateway, entry)].append(entry)
    for report in reports:
        if report.outcome is Outcome.SENT:
            key = _place(report), *_identity(gateway, report)
            assert left[key], f"no message of its own in the ledger: {report!r}"
            left[key].pop()
    unknown = collections.Counter(_place(report) for report in reports if report.outcome is Outcome.UNKNOWN)
    extra = collections.Counter(key[0] for key, entries in left.items() for _ in entries)
    assert extra <= unknown, "messages are in the ledger that no report accounts for"
    if gateway is GHASEDAK:
        _judge_check_ids(gateway, emulator, reports)


def _place(report: SendReport) -> tuple[str, str]:
    return normalize_recipient(report.message.to, "to"), report.message.text


def _identity(gateway: Gateway, report: SendReport) -> tuple[object]:
    # The op-driven gateway's ids are those of bulks, which the ledger keeps as check ids.
    return (str(report.message_id),) if gateway is OPGATEWAY else (report.message_id,)


def _key(gateway: Gateway, entry: Message) -> tuple[tuple[str, str], object]:
    return (entry.recipient, entry.text), entry.check_id if gateway is OPGATEWAY else entry.id


def _judge_check_ids(gateway: Gateway, emulator: Emulator, reports: Sequence[SendReport]) -> None:
    """At this gateway each message is marked, so that it is known whose is whose."""
    marks = {report.reference: report for report in reports if report.reference is not None}
    for entry in gateway.ledger(emulator):
        report = marks.pop(str(entry.check_id))
        assert _place(report) == (entry.recipient, entry.text)
        assert report.outcome is Outcome.UNKNOWN or report.message_id == entry.id


def unread_too(reports: Sequence[SendReport], sending: SendMany) -> list[SendReport]:
    """What the loop took and what it left."""
    return [*reports, *sending.unread]
