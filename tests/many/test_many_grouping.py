"""What travels together: counted at the server, and judged by its ledger."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from payamak.common import GatewayError, InvalidRecipientError, Outcome, OutgoingMessage, PayamakError
from payamak.emulator import Emulator
from support.many import ADVANCED, GHASEDAK, OPGATEWAY, SMSIR, Gateway, by_outcome, collect, each, judge, sends


async def _send(gateway: Gateway, emulator: Emulator, messages: Sequence[OutgoingMessage], **options: Any) -> Any:
    async with gateway.connect(emulator) as client:
        reports = await collect(client.send_many(messages, **options))
    judge(gateway, emulator, messages, reports)
    return reports


@each()
@pytest.mark.parametrize(("full", "more"), [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (2, 1), (5, 0)])
async def test_one_text_travels_in_full_requests(gateway: Gateway, full: int, more: int, emulator: Emulator) -> None:
    count = full * gateway.limit + more
    reports = await _send(gateway, emulator, gateway.messages(count))
    assert by_outcome(reports) == ({Outcome.SENT: count} if count else {})
    assert sends(emulator) == full + (more > 0)


@each()
async def test_different_texts_travel_together_where_they_can(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number, f"text {number}") for number in range(2 * gateway.limit)]
    await _send(gateway, emulator, messages)
    assert sends(emulator) == (2 if gateway.carries_pairs else len(messages))


@each()
async def test_texts_by_turns_are_gathered(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number, f"text {number % 3}") for number in range(3 * gateway.limit)]
    await _send(gateway, emulator, messages)
    assert sends(emulator) == 3


@each()
async def test_no_number_is_in_a_request_twice(gateway: Gateway, emulator: Emulator) -> None:
    """However it is written: a gateway may drop the second of them."""
    written = ["09120000001", "+989120000001", "0912 000 0001", "۰۹۱۲۰۰۰۰۰۰۱", "09120000002"]
    await _send(gateway, emulator, [gateway.message(number) for number in written])
    assert sends(emulator) == 4
    assert len(gateway.ledger(emulator)) == 5


@each(GHASEDAK, *ADVANCED)
async def test_no_number_is_in_a_request_twice_with_different_texts(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number % 2, f"text {number}") for number in range(10)]
    await _send(gateway, emulator, messages)
    assert sends(emulator) == 5


async def test_texts_with_commas_travel_as_one_text_to_many(emulator: Emulator) -> None:
    texts = ["a, b", ",", "one, two, three,", "no comma", "ویرگول، فارسی"]
    messages = [GHASEDAK.message(number, texts[number % 5]) for number in range(50)]
    reports = await _send(GHASEDAK, emulator, messages)
    assert by_outcome(reports) == {Outcome.SENT: 50}
    # Three of their own, and one for all the others.
    assert sends(emulator) == 4
    assert {message.text for message in GHASEDAK.ledger(emulator)} == set(texts)


@each(GHASEDAK, OPGATEWAY, *ADVANCED)
async def test_lines(gateway: Gateway, emulator: Emulator) -> None:
    lines = {"ghasedak": "30005088", "opgateway": "50001", "advgateway": "3000505"}
    messages = [gateway.message(number, sender=[gateway.line, lines[gateway.name]][number % 2]) for number in range(20)]
    await _send(gateway, emulator, messages)
    # A list of Ghasedak's has a line for each.
    assert sends(emulator) == (1 if gateway is GHASEDAK else 2)
    by_line = {(message.recipient, message.line) for message in gateway.ledger(emulator)}
    assert by_line == {(message.to, message.sender) for message in messages}


@each(GHASEDAK, OPGATEWAY)
async def test_times(gateway: Gateway, emulator: Emulator) -> None:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    times = [None, now + datetime.timedelta(hours=1), now + datetime.timedelta(hours=2)]
    messages = [gateway.message(number, f"text {number % 2}", send_at=times[number % 3]) for number in range(60)]
    await _send(gateway, emulator, messages)
    # A list of Ghasedak's has a time for each or none: each text and time fills less than half of a request.
    assert sends(emulator) == (2 if gateway is GHASEDAK else 6)
    found = {message.recipient: message.send_at for message in gateway.ledger(emulator)}
    assert found == {message.to: message.send_at for message in messages}


async def test_the_callers_check_ids_go_along(emulator: Emulator) -> None:
    messages = [GHASEDAK.message(number, check_id=f"mark {number}" if number % 2 else None) for number in range(10)]
    reports = await _send(GHASEDAK, emulator, messages)
    assert sends(emulator) == 1
    marks = {message.recipient: message.check_id for message in GHASEDAK.ledger(emulator)}
    assert len(set(marks.values())) == 10
    for report in reports:
        assert marks[report.message.to] == report.reference
        assert report.message.check_id in (None, report.reference)


@each(SMSIR, OPGATEWAY, *ADVANCED)
async def test_a_check_id_is_the_callers_own_where_the_gateway_knows_none(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number, f"text {number}", check_id=f"a, b {number}") for number in range(3)]
    assert by_outcome(await _send(gateway, emulator, messages)) == {Outcome.SENT: 3}


@each(GHASEDAK, SMSIR, *ADVANCED)
@pytest.mark.parametrize("place", [0, 37, -1])
async def test_one_refused_number_does_not_sink_the_others(gateway: Gateway, place: int, emulator: Emulator) -> None:
    """Ghasedak refuses the whole list, and says of each mark that it has no such message; the others leave it out."""
    messages = gateway.messages(gateway.limit)
    messages[place] = gateway.message(gateway.refused)
    reports = await _send(gateway, emulator, messages)
    (refused,) = [report for report in reports if report.outcome is not Outcome.SENT]
    assert (refused.outcome, refused.message) == (Outcome.REFUSED, messages[place])
    assert isinstance(refused.error, GatewayError)
    assert refused.error.gateway == gateway.name
    assert len(gateway.ledger(emulator)) == gateway.limit - 1
    if gateway is GHASEDAK:
        # The group, and twice as many as there are halvings of it; each that is refused is asked for.
        assert 1 < sends(emulator) <= 1 + 2 * 7
        assert len(emulator.requests) <= 2 * sends(emulator)
    else:
        assert sends(emulator) == 1


@pytest.mark.parametrize("is_partial", [False, True])
async def test_where_nobody_can_be_asked_a_refused_number_sinks_its_request(
    is_partial: bool, emulator: Emulator
) -> None:
    """It is never sent again in parts: some of it may have gone out."""
    emulator.opgateway.switches.partial_lists = is_partial
    messages = [*OPGATEWAY.messages(250), OPGATEWAY.message(OPGATEWAY.refused)]
    async with OPGATEWAY.connect(emulator) as client:
        reports = await collect(client.send_many(messages))
    assert by_outcome(reports) == {Outcome.SENT: 200, Outcome.REFUSED: 51}
    refusals = [report.error for report in reports if isinstance(report.error, GatewayError)]
    assert [refusal.code for refusal in refusals] == [98] * 51
    assert len(OPGATEWAY.ledger(emulator)) == (250 if is_partial else 200)
    assert sends(emulator) == 3


@each()
async def test_several_refused_numbers_among_others(gateway: Gateway, emulator: Emulator) -> None:
    messages = gateway.messages(gateway.limit)
    landline = "02188887777"
    for place in (3, 4, 50):
        messages[place] = gateway.message(
            [gateway.refused, landline, gateway.refused][place % 3], f"text {place // 50}"
        )
    reports = await _send(gateway, emulator, messages)
    assert {report.index for report in reports if report.outcome is Outcome.REFUSED} == {3, 4, 50}


@each(GHASEDAK, *ADVANCED)
async def test_refused_numbers_among_different_texts(gateway: Gateway, emulator: Emulator) -> None:
    messages = [gateway.message(number, f"text {number}") for number in range(gateway.limit)]
    messages[17] = gateway.message(gateway.refused, "its text")
    reports = await _send(gateway, emulator, messages)
    assert [report.index for report in reports if report.outcome is Outcome.REFUSED] == [17]
    # The advanced gateway says so of this one alone.
    assert sends(emulator) == 1 if gateway in ADVANCED else sends(emulator) <= 1 + 2 * 7


@each()
async def test_a_number_that_the_gateway_passes_over(gateway: Gateway, emulator: Emulator) -> None:
    """A landline has the form of a number. The op-driven gateway leaves it out of what it sends, and says nothing."""
    messages = [*gateway.messages(3), gateway.message("02188887777"), gateway.message("+33456351753")]
    reports = await _send(gateway, emulator, messages)
    assert {report.index for report in reports if report.outcome is Outcome.SENT} == {0, 1, 2}


async def test_a_number_that_is_refused_within_a_request_that_was_taken(emulator: Emulator) -> None:
    emulator.ghasedak.switches.per_recipient_errors = True
    messages = GHASEDAK.messages(100)
    for place in (10, 20, 99):
        messages[place] = GHASEDAK.message(f"090000000{[20, 8][place % 2]:02}", f"text {place}")
    messages[30] = GHASEDAK.message("09000000020")
    reports = await _send(GHASEDAK, emulator, messages)
    refused = {report.index: report.error for report in reports if report.outcome is Outcome.REFUSED}
    assert set(refused) == {10, 20, 30, 99}
    assert {type(error) for error in refused.values()} == {InvalidRecipientError}
    assert by_outcome(reports) == {Outcome.SENT: 96, Outcome.REFUSED: 4}


@each()
async def test_nothing_refused_is_ever_there(gateway: Gateway, emulator: Emulator) -> None:
    """All special numbers of all gateways at once, among ordinary ones."""
    special = [gateway.message(f"090000000{number:02}", f"text {number % 2}") for number in range(100)]
    if gateway is OPGATEWAY:  # Two of its refusals are of the account, and end it all.
        special = [message for message in special if message.to[-2:] not in ("02", "05")]
    messages = [message for pair in zip(special, gateway.messages(len(special)), strict=True) for message in pair]
    # sms.ir's answer to one of them may come after it has sent.
    reports = await _send(gateway, emulator, messages, grace=0.05)
    for report in reports:
        assert report.outcome is Outcome.SENT or isinstance(report.error, PayamakError)
    assert by_outcome(reports)[Outcome.SENT] > 0
