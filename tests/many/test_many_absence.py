"""What Ghasedak must say before a message whose answer was lost counts as not sent, and by what it is known again."""

from __future__ import annotations

import datetime
from typing import Any

import aiohttp
import pytest
from payamak.common import InvalidArgumentError, OnUnknown, Outcome, OutgoingMessage, ReplyError, SendReport
from payamak.common.session import HttpSession
from payamak.emulator import Emulator, Fault
from support.journals import MemoryJournal
from support.many import GHASEDAK, by_outcome, collect, judge, sends

SENT, NOT_SENT, UNKNOWN = Outcome.SENT, Outcome.NOT_SENT, Outcome.UNKNOWN
NOT_AS_DOCUMENTED = ("null_ids", "zero_ids", "misspelled_ids")
AS_DOCUMENTED = ("items", "text_ids", "short_receptors", "long_receptors")
NOTHING = ("null", "empty", "not_found")
ASKING = pytest.mark.parametrize("on_unknown", [OnUnknown.ASK, OnUnknown.RESEND])
COUNTS = pytest.mark.parametrize("count", [1, 3])
GRACE = 5.0


async def lose(
    emulator: Emulator,
    messages: list[OutgoingMessage],
    *,
    arrives: bool,
    on_unknown: OnUnknown = OnUnknown.RESEND,
    witness: bool = True,
    client: Any = None,
) -> list[SendReport]:
    """Send messages whose answer is lost, whether the gateway takes them or not."""
    if client is None:
        async with GHASEDAK.connect(emulator) as own:
            return await lose(emulator, messages, arrives=arrives, on_unknown=on_unknown, witness=witness, client=own)
    if witness:
        await GHASEDAK.bear_witness(client)
    for path in ("sms/send/pair", "sms/send/bulk"):
        emulator.add_fault(Fault("drop_after_read" if arrives else "drop_unprocessed", path=path))
    reports = await collect(client.send_many(messages, grace=GRACE, on_unknown=on_unknown))
    emulator.clear_faults()
    return reports


@ASKING
@COUNTS
@pytest.mark.parametrize("reply", [*AS_DOCUMENTED, *NOT_AS_DOCUMENTED, *NOTHING])
async def test_what_was_taken_is_never_called_not_sent(
    reply: str, count: int, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """Whatever shows a message shows it, also without its id; and who shows nothing says nothing."""
    emulator.ghasedak.switches.status_reply = reply
    reports = await lose(emulator, GHASEDAK.messages(count), arrives=True, on_unknown=on_unknown)
    assert by_outcome(reports) == {UNKNOWN if reply in NOTHING else SENT: count}
    assert len(GHASEDAK.ledger(emulator)) == count
    ids = {report.message_id for report in reports}
    assert ids == ({entry.id for entry in GHASEDAK.ledger(emulator)} if reply in AS_DOCUMENTED else {None})


@ASKING
@COUNTS
@pytest.mark.parametrize("reply", [*AS_DOCUMENTED, *NOT_AS_DOCUMENTED, *NOTHING])
async def test_what_was_not_taken_is_called_so_if_the_gateway_shows_others_with_their_ids(
    reply: str, count: int, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    emulator.ghasedak.switches.status_reply = reply
    messages = GHASEDAK.messages(count)
    reports = await lose(emulator, messages, arrives=False, on_unknown=on_unknown)
    judge(GHASEDAK, emulator, messages, reports)
    proven = SENT if on_unknown is OnUnknown.RESEND else NOT_SENT
    assert by_outcome(reports) == {proven if reply in AS_DOCUMENTED else UNKNOWN: count}


# A gateway that does not keep every check id.

KEPT = {
    "all": ("18 digits", "digits with a zero before", "19 digits", "Persian digits", "words"),
    "numbers": ("18 digits",),
    "none": (),
}
MARKS = {
    "18 digits": "987654321012345678",
    "digits with a zero before": "0123",
    "19 digits": "1234567890123456789",
    "Persian digits": "۱۲۳",
    "words": "order 1",
}


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("kind", [None, *MARKS])
@pytest.mark.parametrize("kept", KEPT)
async def test_a_gateway_that_forgets_check_ids(kept: str, kind: str | None, arrives: bool, emulator: Emulator) -> None:
    """Ours are kept if only numbers are. Of others it says the same as of a message that it does not have."""
    emulator.ghasedak.switches.kept_check_ids = kept
    messages = [GHASEDAK.message(0, check_id=None if kind is None else MARKS[kind])]
    reports = await lose(emulator, messages, arrives=arrives)
    judge(GHASEDAK, emulator, messages, reports)
    is_kept = (kind or "18 digits") in KEPT[kept]
    assert by_outcome(reports) == {SENT if is_kept else UNKNOWN: 1}
    assert len(GHASEDAK.ledger(emulator)) == (arrives or is_kept)
    assert sends(emulator) == 1 + (is_kept and not arrives)


@pytest.mark.parametrize("kind", ["18 digits", "words"])
async def test_a_witness_of_one_kind_is_none_for_the_other(kind: str, emulator: Emulator) -> None:
    messages = [GHASEDAK.message(0, check_id=MARKS["words" if kind == "18 digits" else "18 digits"])]
    async with GHASEDAK.connect(emulator) as client:
        await client.send("09399999999", "witness", check_id=None if kind == "18 digits" else "witness")
        reports = await lose(emulator, messages, arrives=False, witness=False, client=client)
    assert by_outcome(reports) == {UNKNOWN: 1}
    assert sends(emulator) == 1


async def test_a_witness_may_be_sent_while_others_are_asked_for(emulator: Emulator) -> None:
    """The first request of a job is lost; what it sends after it shows that the gateway keeps check ids."""
    messages = GHASEDAK.messages(250)
    reports = await lose(emulator, messages, arrives=False, on_unknown=OnUnknown.ASK, witness=False)
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 150, NOT_SENT: 100}


# A check id that was used before.

MONTH = datetime.timedelta(days=30).total_seconds()
EARLIER = {
    "another number": GHASEDAK.message(5, check_id="mark"),
    "another text": GHASEDAK.message(0, "another text", check_id="mark"),
    "a month before": GHASEDAK.message(0, check_id="mark"),
}


@ASKING
@pytest.mark.parametrize("arrives", [False, True])
@pytest.mark.parametrize("shown", ["all", "first", "last"])
@pytest.mark.parametrize("earlier", EARLIER)
async def test_a_check_id_that_was_used_before(
    earlier: str, shown: str, arrives: bool, on_unknown: OnUnknown, emulator: Emulator
) -> None:
    """What does not fit in number, text and time is not this message, and hides whether the gateway has it."""
    emulator.ghasedak.switches.reused_check_id = shown
    message = GHASEDAK.message(0, check_id="mark")
    now = datetime.datetime.now(datetime.UTC)
    async with GHASEDAK.connect(emulator) as client:
        if earlier == "a month before":
            emulator.clock.set(now - datetime.timedelta(seconds=MONTH))
        before = EARLIER[earlier]
        await client.send(before.to, before.text, sender=before.sender, check_id=before.check_id)
        emulator.clock.set(now)
        (report,) = await lose(emulator, [message], arrives=arrives, on_unknown=on_unknown, client=client)
    ledger = GHASEDAK.ledger(emulator)
    assert len(ledger) == 1 + arrives
    if arrives and shown != "first":
        assert (report.outcome, report.message_id) == (SENT, ledger[-1].id)
    else:
        assert report.outcome is UNKNOWN
        assert isinstance(report.error, ReplyError)
        assert "another message by this check id" in str(report.error)


@pytest.mark.parametrize("appended", ["\nلغو11", " off 11", "لغو۱۱"])
@COUNTS
async def test_a_line_that_the_gateway_appends_makes_no_other_message_of_it(
    appended: str, count: int, emulator: Emulator
) -> None:
    emulator.ghasedak.switches.appended_text = appended
    messages = GHASEDAK.messages(count)
    reports = await lose(emulator, messages, arrives=True)
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: count}


@pytest.mark.parametrize("text", ["كتاب علي", "کتاب  علی", "a\r\nb", " a b "])
async def test_letters_and_blanks_that_a_gateway_may_change_make_no_other_message_of_it(
    text: str, emulator: Emulator
) -> None:
    reports = await lose(emulator, [GHASEDAK.message(0, text)], arrives=True)
    assert by_outcome(reports) == {SENT: 1}


async def test_a_message_with_a_time_is_known_again(emulator: Emulator) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)
    messages = [GHASEDAK.message(number, send_at=later) for number in range(3)]
    reports = await lose(emulator, messages, arrives=True)
    judge(GHASEDAK, emulator, messages, reports)
    assert by_outcome(reports) == {SENT: 3}


# Check ids that differ in a blank, which does not travel.

BLANK = [GHASEDAK.message(0, check_id="c"), GHASEDAK.message(1, check_id="c ")]


@pytest.mark.parametrize("has_journal", [False, True])
@pytest.mark.parametrize("messages", [BLANK, BLANK[::-1], [BLANK[0], BLANK[0]]], ids=["after", "before", "the same"])
async def test_check_ids_that_differ_in_a_blank_are_one(
    messages: list[OutgoingMessage], has_journal: bool, emulator: Emulator
) -> None:
    """The second is refused before it leaves: nobody could tell which of the two the gateway knows by it."""
    journal = MemoryJournal() if has_journal else None
    async with GHASEDAK.connect(emulator) as client:
        for _ in range(2 if has_journal else 1):
            sending = client.send_many(messages, journal=journal)
            first, second = sorted(await collect(sending), key=lambda report: report.index)
            assert first.outcome is SENT
            assert second.outcome is NOT_SENT
            assert isinstance(second.error, InvalidArgumentError)
            assert second.error.argument == "messages[1].check_id"
    assert [entry.recipient for entry in GHASEDAK.ledger(emulator)] == [messages[0].to]


# Connections of the caller's own, whose bytes the kernel may deliver long after they were given up.


@pytest.mark.parametrize(("grace", "outcome"), [(60.0, UNKNOWN), (899.0, UNKNOWN), (900.0, NOT_SENT)])
async def test_over_a_borrowed_session_an_absence_proves_nothing_before_a_quarter_of_an_hour(
    grace: float, outcome: Outcome, emulator: Emulator
) -> None:
    async with aiohttp.ClientSession() as session, GHASEDAK.connect(emulator, session=session) as client:
        await GHASEDAK.bear_witness(client)
        emulator.add_fault(GHASEDAK.fault("drop_unprocessed"))
        reports = await collect(client.send_many(GHASEDAK.messages(3), grace=grace))
    assert by_outcome(reports) == {outcome: 3}


async def test_a_session_of_ours_that_is_shared_is_not_borrowed(emulator: Emulator) -> None:
    async with HttpSession() as session, GHASEDAK.connect(emulator, session=session) as client:
        reports = await lose(emulator, GHASEDAK.messages(3), arrives=False, on_unknown=OnUnknown.ASK, client=client)
    assert by_outcome(reports) == {NOT_SENT: 3}
