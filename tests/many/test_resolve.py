"""`client.resolve`: what became of a send whose outcome is unknown, asked once more, without sending anything."""

from __future__ import annotations

import asyncio
import copy
import datetime
import json
import pickle
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from payamak.common import (
    ClientStateError,
    ConnectionLostError,
    GatewayError,
    InvalidArgumentError,
    InvalidRequestError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    ReplyError,
    SendReport,
)
from payamak.common.session import HttpSession
from payamak.emulator import Emulator, Fault
from support.advgateway import STYLES
from support.many import (
    ADVANCED,
    GHASEDAK,
    HASTY,
    OPGATEWAY,
    SMSIR,
    SOAP,
    Gateway,
    by_outcome,
    collect,
    each,
    sends,
)

SENT, NOT_SENT, REFUSED, UNKNOWN = Outcome.SENT, Outcome.NOT_SENT, Outcome.REFUSED, Outcome.UNKNOWN
FIRST_BULK_ID = 10_929_800
FIRST_MESSAGE_ID = 536_221_499
GRACE = 5.0
GIVEN = GHASEDAK.messages(3)
NUMBERS = [message.to for message in GIVEN]
ONE = GIVEN[:1]

Send = Callable[[Any], Awaitable[Any]]


async def failure_of(sending: Awaitable[Any]) -> PayamakError:
    """What a send whose answer is lost raises."""
    with pytest.raises(PayamakError) as caught:
        await sending
    return caught.value


def outcomes(reports: Sequence[SendReport]) -> list[Outcome]:
    return [report.outcome for report in reports]


def ids_in_order(gateway: Gateway, emulator: Emulator) -> list[int]:
    return [entry.id for entry in gateway.ledger(emulator)]


SENDS: dict[str, tuple[Send, list[OutgoingMessage]]] = {
    "send": (lambda client: client.send(NUMBERS[0], "text"), ONE),
    "send with a time": (
        lambda client: client.send(
            NUMBERS[0], "text", send_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
        ),
        ONE,
    ),
    "send with a check id": (lambda client: client.send(NUMBERS[0], "text", check_id=" order 1 "), ONE),
    "send_by_username": (lambda client: client.send_by_username("ali", NUMBERS[0], "text"), ONE),
    "send_to_many": (lambda client: client.send_to_many(NUMBERS, "text"), GIVEN),
    "send_to_many with check ids": (
        lambda client: client.send_to_many(NUMBERS, "text", check_ids=["a", "b", "c"]),
        GIVEN,
    ),
    "send_pairs": (lambda client: client.send_pairs(GIVEN), GIVEN),
    "send_otp": (lambda client: client.send_otp(NUMBERS[0], "login", ["1234"]), ONE),
    "send_otp with check ids": (
        lambda client: client.send_otp(NUMBERS, "login", ["1234"], check_ids=["a", "b", "c"]),
        GIVEN,
    ),
}
EACH_SEND = pytest.mark.parametrize("name", SENDS)
LOSSES = pytest.mark.parametrize(
    "loss",
    [
        Fault("drop_after_read"),
        Fault("html", processed=True),
        Fault("garbage"),
        Fault("refuse", code=10),
        Fault("refuse", code=999),
    ],
    ids=lambda fault: f"{fault.kind}{fault.code or ''}",
)


@EACH_SEND
@LOSSES
async def test_ghasedak_shows_what_was_sent(name: str, loss: Fault, emulator: Emulator) -> None:
    send, given = SENDS[name]
    emulator.add_fault(loss)
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(send(client))
        assert len(error.references) == len(given)
        assert error.at is not None
        assert datetime.datetime.now(datetime.UTC) - error.at < datetime.timedelta(minutes=1)
        reports = await client.resolve(error, given, grace=GRACE)
    assert outcomes(reports) == [SENT] * len(given)
    assert [report.message_id for report in reports] == ids_in_order(GHASEDAK, emulator)
    assert [report.message for report in reports] == given
    assert [report.reference for report in reports] == list(error.references)
    assert [report.index for report in reports] == list(range(len(given)))
    assert {report.error for report in reports} == {None}
    assert len(GHASEDAK.ledger(emulator)) == len(given)


@EACH_SEND
@pytest.mark.parametrize("witness", [True, False])
async def test_what_ghasedak_does_not_have_was_not_sent_if_it_has_shown_another(
    name: str, witness: bool, emulator: Emulator
) -> None:
    send, given = SENDS[name]
    async with GHASEDAK.connect(emulator) as client:
        if witness:
            await GHASEDAK.bear_witness(client)
        emulator.add_fault(Fault("drop_unprocessed"))
        error = await failure_of(send(client))
        began = asyncio.get_running_loop().time()
        reports = await client.resolve(error, given, grace=GRACE)
        assert asyncio.get_running_loop().time() - began >= GRACE
    assert outcomes(reports) == [NOT_SENT if witness else UNKNOWN] * len(given)
    assert {type(report.error) for report in reports} == {ConnectionLostError}
    assert all(report.error is not None and report.error.outcome is report.outcome for report in reports)
    assert GHASEDAK.ledger(emulator) == []


async def test_what_arrives_within_the_grace_period_is_found(emulator: Emulator) -> None:
    emulator.add_fault(Fault("delay", seconds=0.6))
    async with GHASEDAK.connect(emulator, timeout=HASTY) as client:
        error = await failure_of(client.send(NUMBERS[0], "text"))
        (report,) = await client.resolve(error, ONE, grace=GRACE)
    assert report.outcome is SENT


async def test_some_of_a_list_were_taken(emulator: Emulator) -> None:
    """What the gateway shows was sent, and shows that it keeps check ids: what it says it does not have was not."""
    emulator.ghasedak.switches.partial_lists = True
    given = [*GIVEN, GHASEDAK.message("09000000010"), GHASEDAK.message(7)]
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send_to_many([message.to for message in given], "text"))
        assert isinstance(error, GatewayError)
        assert error.code == 10
        assert outcomes(await client.resolve(error, given, grace=GRACE)) == [SENT] * 3 + [NOT_SENT] * 2


async def test_the_error_of_one_recipient_within_a_success(emulator: Emulator) -> None:
    """It can be asked for by itself."""
    emulator.add_fault(Fault("refuse", code=21, each=True))
    async with GHASEDAK.connect(emulator) as client:
        results = await client.send_to_many(NUMBERS, "text")
        for result, message, entry in zip(results, GIVEN, GHASEDAK.ledger(emulator), strict=True):
            assert result.error is not None
            (report,) = await client.resolve(result.error, [message], grace=GRACE)
            assert (report.outcome, report.message_id) == (SENT, entry.id)


UNMARKED: dict[str, Send] = {
    "one-time passwords to several": lambda client: client.send_otp(NUMBERS, "login", ["1234"]),
    "voice": lambda client: client.send_voice(NUMBERS, "text"),
}


@pytest.mark.parametrize("name", UNMARKED)
async def test_what_goes_without_check_ids_cannot_be_asked_for(name: str, emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_after_read"))
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(UNMARKED[name](client))
        assert error.references == ()
        reports = await client.resolve(error, GIVEN)
    assert outcomes(reports) == [UNKNOWN] * 3
    assert len(emulator.requests) == 1


async def test_the_text_of_a_template_is_not_looked_at_and_that_of_a_message_is(emulator: Emulator) -> None:
    another = [GHASEDAK.message(0, "another text")]
    async with GHASEDAK.connect(emulator) as client:
        for name in ("send_otp", "send"):
            emulator.add_fault(Fault("drop_after_read"))
            error = await failure_of(SENDS[name][0](client))
            (report,) = await client.resolve(error, another, grace=0)
            if name == "send_otp":
                assert report.outcome is SENT
            else:
                assert report.outcome is UNKNOWN
                assert isinstance(report.error, ReplyError)
                assert "another message by this check id" in str(report.error)


# What send_many reports as unknown.


@each()
@pytest.mark.parametrize("arrives", [True, False])
async def test_the_errors_of_reports(gateway: Gateway, arrives: bool, emulator: Emulator) -> None:
    """Each by itself, although they were of one request."""
    messages = gateway.messages(3)
    async with gateway.connect(emulator) as client:
        await gateway.bear_witness(client)
        emulator.add_fault(gateway.fault("drop_after_read" if arrives else "drop_unprocessed"))
        for report in await collect(client.send_many(messages, on_unknown=OnUnknown.LEAVE)):
            assert report.error is not None
            assert report.error.references == (() if report.reference is None else (report.reference,))
            (found,) = await client.resolve(report.error, [report.message], grace=GRACE)
            if gateway is GHASEDAK:
                assert found.outcome is (SENT if arrives else NOT_SENT)
            elif gateway is SMSIR:
                assert found.outcome is (SENT if arrives else UNKNOWN)
            else:
                assert found.outcome is UNKNOWN
            assert (found.message_id is None) == (found.outcome is not SENT)
            ids = {entry.recipient: entry.id for entry in gateway.ledger(emulator)}
            assert found.message_id in (None, ids.get(report.message.to))
    assert len(gateway.ledger(emulator)) == (3 if arrives else 0)


async def test_to_ask_ghasedak_twice_is_to_hear_the_same_twice(emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_after_read"))
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send(NUMBERS[0], "text"))
        first, second = [await client.resolve(error, ONE, grace=GRACE) for _ in range(2)]
    assert outcomes(first) == [SENT]
    assert first == second


async def test_of_two_equal_messages_at_smsir_each_is_found_once(emulator: Emulator) -> None:
    """Each is asked for by itself, and none is taken for the other."""
    emulator.add_fault(SMSIR.fault("drop_after_read", times=2))
    async with SMSIR.connect(emulator) as client:
        messages = [SMSIR.message(0), SMSIR.message(0)]
        reports = await collect(client.send_many(messages, on_unknown=OnUnknown.LEAVE))
        errors = [report.error for report in reports]
        found = [await client.resolve(error, messages[:1], grace=0) for error in errors if error is not None]
        ids = [report.message_id for (report,) in found if report.outcome is SENT]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {entry.id for entry in SMSIR.ledger(emulator)}


async def test_a_single_send_at_smsir_cannot_be_asked_for(emulator: Emulator) -> None:
    emulator.add_fault(SMSIR.fault("drop_after_read"))
    async with SMSIR.connect(emulator) as client:
        error = await failure_of(client.messages.send_to_numbers(NUMBERS, "text"))
        before = len(emulator.requests)
        assert outcomes(await client.resolve(error, SMSIR.messages(3))) == [UNKNOWN] * 3
    assert error.references == ()
    assert len(emulator.requests) == before


# Answers that contradict themselves, and hold ids.


async def test_the_bulk_id_of_a_contradictory_answer(emulator: Emulator) -> None:
    emulator.add_fault(OPGATEWAY.fault("status", status=500, body=json.dumps([0, FIRST_BULK_ID]), processed=True))
    async with OPGATEWAY.connect(emulator) as client:
        error = await failure_of(client.send_to_many(NUMBERS, "text", sender=OPGATEWAY.line))
        assert error.references == (str(FIRST_BULK_ID),) * 3
        strangers = [OPGATEWAY.message(99)] * 3
        assert outcomes(await client.resolve(error, strangers, grace=GRACE)) == [UNKNOWN] * 3
        reports = await client.resolve(error, OPGATEWAY.messages(3), grace=GRACE)
    assert outcomes(reports) == [SENT] * 3
    assert {report.message_id for report in reports} == {FIRST_BULK_ID}


@each(*ADVANCED)
@pytest.mark.parametrize("arrives", [True, False])
async def test_the_ids_of_a_contradictory_answer(gateway: Gateway, arrives: bool, emulator: Emulator) -> None:
    ids = [str(FIRST_MESSAGE_ID + number) for number in range(3)]
    body = STYLES["struct" if gateway is SOAP else "rest"]({"ErrCode": "0", "result": ids}).decode()
    emulator.add_fault(Fault("status", status=500, body=body, processed=arrives))
    async with gateway.connect(emulator) as client:
        error = await failure_of(client.send_to_many(NUMBERS, "text", sender=gateway.line))
        assert error.references == tuple(ids)
        reports = await client.resolve(error, gateway.messages(3), grace=GRACE)
    assert outcomes(reports) == [SENT if arrives else UNKNOWN] * 3
    assert [report.message_id for report in reports] == ([int(entry) for entry in ids] if arrives else [None] * 3)


@each(OPGATEWAY, *ADVANCED)
async def test_a_lost_answer_cannot_be_asked_for(gateway: Gateway, emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_after_read"))
    async with gateway.connect(emulator) as client:
        error = await failure_of(client.send(NUMBERS[0], "text", sender=gateway.line))
        assert error.references == ()
        (report,) = await client.resolve(error, [gateway.message(0)])
    assert (report.outcome, type(report.error)) == (UNKNOWN, ConnectionLostError)
    assert len(emulator.requests) == 1


# What is known already, and what cannot be asked.


@each()
@pytest.mark.parametrize("error", [InvalidRequestError("no"), ClientStateError("closed")])
async def test_an_error_that_leaves_nothing_open(gateway: Gateway, error: PayamakError, emulator: Emulator) -> None:
    async with gateway.connect(emulator) as client:
        reports = await client.resolve(error, gateway.messages(2))
    assert outcomes(reports) == [error.outcome] * 2
    assert {type(report.error) for report in reports} == {type(error)}
    assert emulator.requests == []


async def test_a_refused_send_is_not_asked_for(emulator: Emulator) -> None:
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send_to_many([GHASEDAK.refused, *NUMBERS], "text"))
        before = len(emulator.requests)
        reports = await client.resolve(error, [GHASEDAK.message(GHASEDAK.refused), *GIVEN])
        assert len(emulator.requests) == before
    assert by_outcome(reports) == {REFUSED: 4}
    assert error.references == ()


def _lost(*references: str) -> PayamakError:
    error = ConnectionLostError("lost")
    error.references = references
    return error


WRONG: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "too few": (_lost("1", "2", "3"), GIVEN[:2], {}, "messages"),
    "too many": (_lost("1"), GIVEN, {}, "messages"),
    "none": (_lost(), [], {}, "messages"),
    "no list": (_lost("1"), 5, {}, "messages"),
    "no message": (_lost("1", "2"), [GIVEN[0], "09121234567"], {}, "messages[1]"),
    "no number": (_lost("1"), [OutgoingMessage("12", "text")], {}, "messages[0].to"),
    "no error": (ValueError("x"), ONE, {}, "error"),
    "negative": (_lost("1"), ONE, {"grace": -1}, "grace"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_arguments(name: str, emulator: Emulator) -> None:
    error, messages, options, argument = WRONG[name]
    async with GHASEDAK.connect(emulator) as client:
        with pytest.raises(InvalidArgumentError) as caught:
            await client.resolve(error, messages, **options)
    assert caught.value.argument == argument
    assert emulator.requests == []


@each()
@pytest.mark.parametrize("is_pickled", [True, False])
async def test_an_error_that_was_kept_over_a_restart(gateway: Gateway, is_pickled: bool, emulator: Emulator) -> None:
    """It is pickled with what it can be asked by, and another client asks."""
    emulator.add_fault(gateway.fault("drop_after_read"))
    async with gateway.connect(emulator) as client:
        (report,) = await collect(client.send_many(gateway.messages(1), on_unknown=OnUnknown.LEAVE))
    kept = report.error
    assert kept is not None
    error = pickle.loads(pickle.dumps(kept)) if is_pickled else copy.deepcopy(kept)  # noqa: S301 -- our own
    assert (error.references, error.at, error.outcome) == (kept.references, kept.at, UNKNOWN)
    async with gateway.connect(emulator) as another:
        (found,) = await another.resolve(error, [report.message], grace=GRACE)
    assert found.outcome is (SENT if gateway in (GHASEDAK, SMSIR) else UNKNOWN)
    assert sends(emulator) == 1


async def test_what_it_is_asked_by_shows_nowhere(emulator: Emulator) -> None:
    emulator.add_fault(Fault("drop_after_read"))
    async with GHASEDAK.connect(emulator) as client:
        error = await failure_of(client.send(NUMBERS[0], "text", check_id="09127776655"))
    assert error.references == ("09127776655",)
    assert "09127776655" not in f"{error} {error!r} {error.references!r} {error.args}"


@each()
async def test_a_closed_client(gateway: Gateway, emulator: Emulator) -> None:
    client = gateway.connect(emulator)
    await client.aclose()
    with pytest.raises(ClientStateError, match="closed"):
        await client.resolve(_lost("1"), ONE)


async def test_a_session_that_is_closed_meanwhile(emulator: Emulator) -> None:
    session = HttpSession()
    emulator.add_fault(Fault("drop_after_read"))
    async with GHASEDAK.connect(emulator, session=session) as client:
        error = await failure_of(client.send(NUMBERS[0], "text"))
        await session.aclose()
        (report,) = await client.resolve(error, ONE, grace=3600)
    assert (report.outcome, type(report.error)) == (UNKNOWN, ConnectionLostError)
