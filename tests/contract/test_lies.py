"""Whatever one answer lies about, nobody gets a message twice, and no word about a message is false.

Messages leave by every method that sends, and by `send_many` with each way to treat what is unknown; what stays unknown
is asked for with `resolve`. The emulator's ledger is the judge.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payamak.advgateway.codes import ERROR_CODES as ADV_CODES
from payamak.common import OnUnknown, Outcome, OutgoingMessage, PayamakError, SendReport, SendResult
from payamak.common.codec import as_list
from payamak.emulator import Emulator, Fault
from payamak.ghasedak.codes import ERROR_NUMBERS
from payamak.opgateway.codes import ERROR_CODES as OP_CODES
from payamak.smsir import SentBatch
from support.clock import QuickLoop
from support.many import GHASEDAK, OPGATEWAY, REST, SMSIR, SOAP, Gateway, collect, each, prepare

EXCEPTION = "Object reference not set to an instance of an object."
SENTENCE = "خطای سیستمی رخ داده است"
NOT_PROCESSED = (400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 431)
OTHER_STATUSES = (402, 406, 407, 408, 409, 410, 418, 422, 423, 451, 460, 499, 500, 501, 502, 503, 504, 520)
BODIES = ("", "{}", EXCEPTION, f'{{"Message": "{EXCEPTION}"}}', "[54321]", "<html>blocked</html>")
CODES: Mapping[str, Iterable[int]] = {
    "ghasedak": [*ERROR_NUMBERS, 12, 77, 400, 401, 403, 404, 419, 429, 500, 999],
    "smsir": [1, 5, 99],
    "opgateway": [code for code in (*OP_CODES, -1, 8, 999) if code],
    "advgateway": [*ADV_CODES, -6, -99, 5],
}
LOSSES = ("drop_after_read", "reset_after_read", "cut_reply", "garbage", "empty", "bad_gzip")
NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True)
GRACE = 30.0
"""Of the loop's time, which passes at once."""


@attrs.frozen
class Lie:
    """What one answer says of what was done.

    Attributes:
        fault: The answer.
        may_deceive: Whether a single call believes it by rule, because it is a refusal that somebody documents.
        is_of_each: Whether it stands in the place of each recipient, which is believed by `send_many` too.
    """

    fault: Fault
    may_deceive: bool = False
    is_of_each: bool = False


def _lies(gateway: Gateway) -> st.SearchStrategy[Lie]:
    """Faults for the next send; at sms.ir the list is asked for before."""
    path = "SendByMobileNumbers" if gateway is SMSIR else None

    def refuse(code: int, message: str | None, status: int | None) -> Lie:
        fault = Fault("refuse", code=code, message=message, status=status, gateway=gateway.name, path=path)
        return Lie(fault, may_deceive=(status or 0) < 500 and _is_documented(gateway, code, message))

    def answer(status: int, body: str) -> Lie:
        fault = Fault("status", status=status, body=body, processed=True, gateway=gateway.name, path=path)
        return Lie(fault, may_deceive=status in NOT_PROCESSED)

    def lose(kind: str) -> Lie:
        return Lie(Fault(kind, gateway=gateway.name, path=path))

    messages = st.sampled_from([None, EXCEPTION, SENTENCE, "error! Exception", ""])
    statuses = st.sampled_from([None, 200, 400, 409, 500, 503])
    # A 401 is how sms.ir may reject a token, for which a send goes out with a new one.
    bare = [status for status in NOT_PROCESSED + OTHER_STATUSES if (gateway, status) != (SMSIR, 401)]

    def refuse_each(code: int) -> Lie:
        return Lie(Fault("refuse", code=code, each=True, gateway=gateway.name), may_deceive=True, is_of_each=True)

    each_of = [gateway] if gateway in (GHASEDAK, SOAP, REST) else []
    return st.one_of(
        *(st.builds(refuse_each, st.sampled_from(list(CODES[each.name]))) for each in each_of),
        st.builds(refuse, st.sampled_from(list(CODES[gateway.name])), messages, statuses),
        st.builds(answer, st.sampled_from(bare), st.sampled_from(BODIES)),
        st.builds(lose, st.sampled_from(LOSSES)),
        st.builds(lose, st.sampled_from(["drop_before_read", "drop_unprocessed", "html"])),
    )


def _is_documented(gateway: Gateway, code: int, message: str | None) -> bool:
    if gateway is SMSIR:
        return message == SENTENCE or (message is None and code != 1)
    if gateway is GHASEDAK:
        return code in {*ERROR_NUMBERS, 400, 401, 403, 404, 405, 415, 429} - {10, 21}
    return code in (OP_CODES if gateway is OPGATEWAY else ADV_CODES)


def _switches(gateway: Gateway) -> st.SearchStrategy[dict[str, Any]]:
    """What the gateway is like, beside its one false answer."""
    if gateway is GHASEDAK:
        replies = ["items", "null_ids", "zero_ids", "text_ids", "misspelled_ids", "null", "empty", "not_found"]
        receptors = ["short_receptors", "long_receptors"]
        return st.fixed_dictionaries(
            {
                "status_reply": st.sampled_from(replies + receptors),
                "appended_text": st.sampled_from([None, "\nلغو11"]),
                "partial_lists": st.booleans(),
                "kept_check_ids": st.sampled_from(["all", "numbers"]),
                "reused_check_id": st.sampled_from(["all", "first", "last"]),
            }
        )
    if gateway is SMSIR:
        return st.fixed_dictionaries(
            {
                "sends_listed_after": st.sampled_from([0.0, 2.0, 20.0]),
                "recipients_listed_every": st.sampled_from([0.0, 1.0]),
                "partial_lists": st.booleans(),
            }
        )
    return st.fixed_dictionaries({"partial_lists": st.booleans()})


@attrs.frozen
class Claim:
    """What a caller is told of one message."""

    message: OutgoingMessage
    outcome: Outcome


Way = Callable[[Any, Sequence[OutgoingMessage]], Coroutine[Any, Any, list[Claim]]]


def _ways(gateway: Gateway) -> dict[str, Way]:
    """All that sends messages whose numbers the caller knows."""
    ways: dict[str, Way] = {f"send_many {mode.value}": _many(mode) for mode in OnUnknown}
    if gateway is SMSIR:
        ways["send_to_numbers"] = _single(
            lambda client, given: client.messages.send_to_numbers([entry.to for entry in given], given[0].text)
        )
        return ways
    ways["send"] = _one_by_one(lambda client, entry: client.send(entry.to, entry.text, sender=entry.sender))
    ways["send_to_many"] = _single(
        lambda client, given: client.send_to_many([entry.to for entry in given], given[0].text, sender=given[0].sender)
    )
    if gateway is not OPGATEWAY:
        ways["send_pairs"] = _single(lambda client, given: client.send_pairs(given))
    if gateway is GHASEDAK:
        ways["send_otp"] = _single(
            lambda client, given: client.send_otp(
                [entry.to for entry in given], "code", ["1"], check_ids=[entry.to.lstrip("0") for entry in given]
            )
        )
    return ways


def _many(mode: OnUnknown) -> Way:
    async def send(client: Any, given: Sequence[OutgoingMessage]) -> list[Claim]:
        reports = await collect(client.send_many(given, grace=GRACE, on_unknown=mode))
        return [*await _claims_of(client, reports)]

    return send


async def _claims_of(client: Any, reports: Iterable[SendReport]) -> list[Claim]:
    claims: list[Claim] = []
    for report in reports:
        asked = [report]
        if report.outcome is Outcome.UNKNOWN:
            assert report.error is not None
            asked = await client.resolve(report.error, [report.message], grace=GRACE)
        claims += [Claim(report.message, entry.outcome) for entry in asked]
    return claims


def _single(call: Callable[[Any, Sequence[OutgoingMessage]], Coroutine[Any, Any, object]]) -> Way:
    async def send(client: Any, given: Sequence[OutgoingMessage]) -> list[Claim]:
        try:
            result = await call(client, given)
        except PayamakError as error:
            return await _claims_of(client, await client.resolve(error, given, grace=GRACE))
        if isinstance(result, int):
            return [Claim(entry, Outcome.SENT) for entry in given]
        if isinstance(result, SentBatch):
            named = {recipient.mobile for recipient in result.recipients}
            return [Claim(entry, Outcome.SENT) for entry in given if entry.to in named]
        results = as_list(result) or [result]
        assert all(isinstance(told, SendResult) for told in results)
        return [
            Claim(entry, Outcome.SENT if told.error is None else told.error.outcome)
            for entry, told in zip(given, results, strict=True)
        ]

    return send


def _one_by_one(call: Callable[[Any, OutgoingMessage], Coroutine[Any, Any, object]]) -> Way:
    one = _single(lambda client, given: call(client, given[0]))

    async def send(client: Any, given: Sequence[OutgoingMessage]) -> list[Claim]:
        claims: list[Claim] = []
        for entry in given:
            claims += await one(client, [entry])
        return claims

    return send


async def _play(
    gateway: Gateway, way: str, lie: Lie, switches: dict[str, Any], numbers: list[int], bad: int | None, witness: bool
) -> None:
    async with Emulator() as emulator:
        prepare(emulator)
        for name, value in switches.items():
            setattr(getattr(emulator, gateway.name).switches, name, value)
        given = [gateway.message(number) for number in numbers]
        if bad is not None:
            given.insert(bad % (len(given) + 1), gateway.message(gateway.refused))
        async with gateway.connect(emulator) as client:
            if witness:
                await collect(client.send_many([gateway.message(1000, "before")]))
            if gateway is SMSIR:
                await client.authenticate()
            emulator.add_fault(lie.fault)
            claims = await _ways(gateway)[way](client, given)
        is_shown = way.startswith("send_many") and not lie.is_of_each and _can_show(gateway, switches, given)
        may_deceive = lie.may_deceive and not is_shown
        _judge(gateway, emulator, claims, may_deceive=may_deceive)


def _can_show(gateway: Gateway, switches: Mapping[str, Any], given: Sequence[OutgoingMessage]) -> bool:
    """Whether the gateway shows what it took of a list, so that `send_many` is not deceived."""
    if gateway is GHASEDAK:
        return len(given) > 1 and switches["status_reply"] not in ("null", "empty", "not_found")
    # The emulator's clock stands still where that of the test jumps.
    return gateway is SMSIR and not switches["sends_listed_after"] and not switches["recipients_listed_every"]


def _judge(gateway: Gateway, emulator: Emulator, claims: Sequence[Claim], *, may_deceive: bool) -> None:
    taken = collections.Counter(entry.recipient for entry in gateway.ledger(emulator) if entry.text != "before")
    assert not [number for number, copies in taken.items() if copies > 1], f"somebody got two: {taken}"
    for claim in claims:
        if claim.outcome is Outcome.SENT:
            assert taken[claim.message.to], "sent, it is said, of what was not taken"
        elif claim.outcome is Outcome.NOT_SENT:
            assert not taken[claim.message.to], "not sent, it is said, of what was taken"
        elif claim.outcome is Outcome.REFUSED and not may_deceive:
            assert not taken[claim.message.to], "refused, it is said, of what was taken"


@each()
def test_one_false_answer(gateway: Gateway) -> None:
    ways = st.sampled_from(sorted(_ways(gateway)))

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(ways, _lies(gateway), _switches(gateway), NUMBERS, st.none() | st.integers(0, 6), st.booleans())
    def play(way: str, lie: Lie, switches: dict[str, Any], numbers: list[int], bad: int | None, witness: bool) -> None:
        with asyncio.Runner(loop_factory=QuickLoop) as runner:
            runner.run(_play(gateway, way, lie, switches, numbers, bad, witness))

    play()
