"""A gateway that takes a request and says otherwise: nothing is sent again, and what can be shown is said to be sent.

What the other gateways took, nobody can ask them for: such messages are unknown, or refused where the vendor's table
explains the refusal.
"""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from payamak.common import OnUnknown, Outcome
from payamak.emulator import Emulator, Fault
from support.many import GHASEDAK, OPGATEWAY, REST, SMSIR, SOAP, Gateway, by_outcome, collect, each, judge, sends

COUNT = 57
SENT, REFUSED, UNKNOWN = Outcome.SENT, Outcome.REFUSED, Outcome.UNKNOWN
EXCEPTION = "Object reference not set to an instance of an object."
MESSAGE_ALONE = json.dumps({"Message": EXCEPTION})
PERSIAN = "عملیات انجام نشد"
NOT_SENT_AGAIN = pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])


@attrs.frozen
class Lie:
    """An answer to a request whose messages were all taken.

    Attributes:
        gateway: Whose.
        fault: The answer, but for the gateway and the path.
        outcome: What is said of the messages in the end.
    """

    gateway: Gateway
    fault: dict[str, Any]
    outcome: Outcome


def _lies() -> Iterator[Lie]:
    yield from _lies_of_http()
    yield from _lies_of_ghasedak()
    for message in (EXCEPTION, PERSIAN, "CancellationTokenSource has been disposed", "token type 'Null'", ""):
        for status in (None, 400, 500):
            yield Lie(SMSIR, {"kind": "refuse", "code": 5, "message": message, "status": status}, SENT)
    for code in (1, 4, 6, 98, 99):
        yield Lie(OPGATEWAY, {"kind": "refuse", "code": code}, REFUSED)
        yield Lie(OPGATEWAY, {"kind": "refuse", "code": code, "status": 500}, UNKNOWN)
    for code in (-1, 8, 10, 54321):
        yield Lie(OPGATEWAY, {"kind": "refuse", "code": code}, UNKNOWN)
    yield Lie(OPGATEWAY, _status(200, "[54321]"), UNKNOWN)
    for gateway in (SOAP, REST):
        for code in (-2, -3, -4, -6, -99, 5):
            yield Lie(gateway, {"kind": "refuse", "code": code}, REFUSED if code in (-2, -4) else UNKNOWN)


def _lies_of_http() -> Iterator[Lie]:
    for gateway in (GHASEDAK, SMSIR, OPGATEWAY, SOAP, REST):
        can_show = gateway in (GHASEDAK, SMSIR)
        for status in (400, 403, 404, 405, 413):
            for body in ("", "<html>no</html>"):
                yield Lie(gateway, _status(status, body), SENT if can_show else REFUSED)
        for status in (406, 407, 409, 419, 460, 499, 500, 503):
            yield Lie(gateway, _status(status, "<html>no</html>"), SENT if can_show else UNKNOWN)
        for status in (200, 500):
            yield Lie(gateway, _status(status, MESSAGE_ALONE), SENT if can_show else UNKNOWN)
    yield Lie(SMSIR, _status(400, MESSAGE_ALONE), SENT)


def _lies_of_ghasedak() -> Iterator[Lie]:
    for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 21, 24, 77, 400, 404, 419, 500):
        for status in (None, 200, 500):
            yield Lie(GHASEDAK, {"kind": "refuse", "code": code, "status": status}, SENT)
    for items in (None, [], [None], {"code": 8}):
        body = json.dumps({"result": {"code": 419, "message": "error! Exception"}, "items": items})
        for status in (419, 500):
            yield Lie(GHASEDAK, _status(status, body), SENT)


def _status(status: int, body: str) -> dict[str, Any]:
    return {"kind": "status", "status": status, "body": body, "processed": True}


def _name(lie: Lie) -> str:
    said = [lie.fault.get(name) for name in ("code", "message", "status", "body")]
    return "-".join([lie.gateway.label, *(str(part)[:20] for part in said if part is not None)])


@NOT_SENT_AGAIN
@pytest.mark.parametrize("lie", [*_lies()], ids=_name)
async def test_a_request_that_was_taken_whole(lie: Lie, on_unknown: OnUnknown, emulator: Emulator) -> None:
    gateway = lie.gateway
    emulator.add_fault(Fault.from_dict({"gateway": gateway.name, "path": gateway.send_path, **lie.fault}))
    messages = gateway.messages(COUNT)
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, on_unknown=on_unknown, grace=1))
    assert by_outcome(reports) == {lie.outcome: COUNT}
    _assert_one_copy_each(gateway, emulator, COUNT)
    assert sends(emulator) == 1
    if lie.outcome is not REFUSED:
        judge(gateway, emulator, messages, reports)


def _assert_one_copy_each(gateway: Gateway, emulator: Emulator, count: int) -> None:
    copies = collections.Counter(entry.recipient for entry in gateway.ledger(emulator))
    assert copies == dict.fromkeys(copies, 1)
    assert len(copies) == count


@NOT_SENT_AGAIN
@pytest.mark.parametrize(("code", "outcome"), [(8, REFUSED), (5, REFUSED), (10, SENT), (21, SENT), (77, SENT)])
async def test_a_list_that_was_taken_and_is_refused_for_each(
    code: int, outcome: Outcome, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """What tells of a failure of the gateway's own, or that no table has, is asked for."""
    emulator.add_fault(GHASEDAK.fault("refuse", code=code, each=True))
    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(GHASEDAK.messages(COUNT), on_unknown=on_unknown, grace=1))
    assert by_outcome(reports) == {outcome: COUNT}
    _assert_one_copy_each(GHASEDAK, emulator, COUNT)
    assert sends(emulator) == 1


@NOT_SENT_AGAIN
@each(SOAP, REST)
async def test_the_advanced_gateways_word_on_one_of_many_counts(
    gateway: Gateway, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """It has no other for a lack of credit."""
    emulator.add_fault(gateway.fault("refuse", code=-3, each=True, processed=False))
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(gateway.messages(COUNT), on_unknown=on_unknown, grace=1))
    assert by_outcome(reports) == {REFUSED: COUNT}
    assert sends(emulator) == 1


# Lists of which a part was taken.

PLACES = pytest.mark.parametrize("place", [0, 1, 50, 98, 99])


@NOT_SENT_AGAIN
@PLACES
@pytest.mark.parametrize("refused", ["09000000008", "09000000020"])
async def test_ghasedak_takes_those_before_a_wrong_number(
    refused: str, place: int, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """Those it shows were sent; of the others it says that it has none of them, so that they go out in parts."""
    emulator.ghasedak.switches.partial_lists = True
    messages = GHASEDAK.messages(100)
    messages[place] = GHASEDAK.message(refused)
    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(messages, on_unknown=on_unknown, grace=1))
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 99, REFUSED: 1}
    assert {report.index for report in reports if report.outcome is REFUSED} == {place}
    _assert_one_copy_each(GHASEDAK, emulator, 99)


async def test_ghasedak_takes_those_before_a_wrong_line(emulator: Emulator) -> None:
    """Those that it shows were sent, and the others go out in parts until those that are left share the line."""
    emulator.ghasedak.switches.partial_lists = True
    messages = [GHASEDAK.message(number, f"text {number}") for number in range(40)]
    messages[20] = GHASEDAK.message("09000000007", "text")
    messages += [GHASEDAK.message(number, f"text {number}", sender="30005088") for number in range(40, 60)]
    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=1))
    judge(GHASEDAK, emulator, messages, reports)
    outcomes = {report.index: report.outcome for report in reports}
    assert all(outcomes[index] is SENT for index in (*range(20), *range(40, 60)))
    assert outcomes[20] is REFUSED
    _assert_one_copy_each(GHASEDAK, emulator, by_outcome(reports)[SENT])


@pytest.mark.parametrize(("unknown_id", "shown"), [("omit", 50), ("error", 0)])
async def test_ghasedak_refuses_and_does_not_say_that_it_has_none_of_them(
    unknown_id: str, shown: int, emulator: Emulator
) -> None:
    """Then nothing goes out in parts: the refusal is the last word on those that it does not show."""
    emulator.ghasedak.switches.partial_lists = True
    emulator.ghasedak.switches.unknown_id = unknown_id
    messages = GHASEDAK.messages(100)
    messages[50] = GHASEDAK.message(GHASEDAK.refused)
    async with GHASEDAK.connect(emulator) as client:
        reports = await collect(client.send_many(messages, grace=1))
    assert by_outcome(reports) == ({REFUSED: 50, SENT: 50} if shown else {REFUSED: 100})
    _assert_one_copy_each(GHASEDAK, emulator, 50)
    assert sends(emulator) == 1


@PLACES
@pytest.mark.parametrize("answer", ["refusal", "success"])
async def test_smsir_is_told_to_go_on_after_a_wrong_number(answer: str, place: int, emulator: Emulator) -> None:
    emulator.smsir.switches.partial_lists = True
    emulator.smsir.switches.partial_list_answer = answer
    messages = SMSIR.messages(100)
    messages[place] = SMSIR.message(SMSIR.refused)
    async with SMSIR.connect(emulator) as client:
        reports = await collect(client.send_many(messages))
    judge(SMSIR, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 99, REFUSED: 1}
    _assert_one_copy_each(SMSIR, emulator, 99)


@NOT_SENT_AGAIN
@PLACES
@each(OPGATEWAY, SOAP, REST)
async def test_where_nobody_can_be_asked_a_part_is_never_sent_again(
    gateway: Gateway, place: int, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """The advanced gateway says in one word that some or all failed; the other one has a table of its refusals."""
    count = gateway.limit
    getattr(emulator, gateway.name).switches.partial_lists = True
    messages = gateway.messages(count)
    place %= count
    messages[place] = gateway.message(gateway.refused)
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, on_unknown=on_unknown, grace=1))
    assert by_outcome(reports) == {REFUSED if gateway is OPGATEWAY else UNKNOWN: count}
    _assert_one_copy_each(gateway, emulator, place)
    assert sends(emulator) == 1
