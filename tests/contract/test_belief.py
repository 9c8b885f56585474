"""What a send believes of an answer that comes after the message was taken: one copy, and the word that is proven.

A refusal is believed where the gateway's own table explains it, in a status below 500, or where HTTP itself says that
the request was not processed. Only a 429 with nothing beside it is a reason to send again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import pytest
from payamak.advgateway.codes import ERROR_CODES as ADV_CODES
from payamak.common import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
)
from payamak.common.codec import as_list
from payamak.emulator import Fault
from payamak.ghasedak.codes import ERROR_NUMBERS
from payamak.opgateway.codes import ERROR_CODES as OP_CODES
from support.advgateway import STYLES, in_envelope
from support.gateways import GATEWAYS, Call, Gateway
from support.raw_server import envelope

REFUSED, UNKNOWN = Outcome.REFUSED, Outcome.UNKNOWN
ATTEMPTS = 3
SAID_IN = (200, 400, 409, 419, 500)
TRY_AGAIN = "لطفاً کمی بعد دوباره تلاش کنید"
EXCEPTION = "Object reference not set to an instance of an object."


@attrs.frozen
class Said:
    """An answer in a gateway's own words.

    Attributes:
        body: The words.
        outcome: What they prove in a status below 500. From there on they prove nothing.
        kind: The class of the error; None where it depends on the status.
        in_fault: What they prove in a status of the 500s.
    """

    body: bytes
    outcome: Outcome
    kind: type[PayamakError] | None = GatewayError
    in_fault: Outcome = UNKNOWN

    def outcome_in(self, status: int) -> Outcome:
        return self.outcome if status < 500 else self.in_fault


def _said_by_ghasedak() -> Iterator[Said]:
    for number, (kind, _) in ERROR_NUMBERS.items():
        yield Said(envelope([number], 419, TRY_AGAIN), UNKNOWN if number in (10, 21) else REFUSED, kind)
    for number in (12, 19, 22, 23, 25, 77, 999):
        yield Said(envelope([number], 419), UNKNOWN)
    for items in (None, [], [None], [0], [70001], [8, 70001], {"code": 8}):
        yield Said(envelope(items, 419, "error! Exception"), UNKNOWN)
    codes: Mapping[int, type[GatewayError]] = {
        400: InvalidRequestError,
        401: AuthenticationError,
        403: PermissionDeniedError,
        404: NotFoundError,
        405: InvalidRequestError,
        415: InvalidRequestError,
        429: RateLimitError,
    }
    for code, kind in codes.items():
        yield Said(envelope(None, code, TRY_AGAIN), REFUSED, kind)
    for code in (-1, 0, 1, 100, 201, 302, 402, 406, 408, 409, 411, 413, 418, 421, 422, 426, 431, 499, 500, 503, 10**9):
        yield Said(envelope(None, code, TRY_AGAIN), UNKNOWN)


def _said_by_smsir() -> Iterator[Said]:
    for text in ("اعتبار شما کافی نیست", "شماره وارد شده معتبر نیست", TRY_AGAIN):
        for code in (0, 5, 99):
            yield Said(_in_smsir(text, code), REFUSED, None)
    exceptions = (
        "CancellationTokenSource has been disposed",
        "Unexpected token 'Null'",
        f"خطا: {EXCEPTION}",
        EXCEPTION,
    )
    for doubtful in (*exceptions, "try again", "متن «اعتبار کافی نیست» ارسال نشد", "", None):
        yield Said(_in_smsir(doubtful, 5), UNKNOWN)
    yield Said(json.dumps({"Message": EXCEPTION}).encode(), UNKNOWN, None)


def _in_smsir(message: str | None, code: int) -> bytes:
    return json.dumps({"IsSuccessful": False, "Message": message, "ErrorCode": code}).encode()


def _said_by_opgateway() -> Iterator[Said]:
    for code, (kind, _) in OP_CODES.items():
        yield Said(json.dumps([code, TRY_AGAIN]).encode(), REFUSED, kind)
        yield Said(json.dumps([str(code), TRY_AGAIN]).encode(), REFUSED, kind)
    for code in (-1, 8, 10, 50, 200, 400, 429, 500, 999, 54321):
        yield Said(json.dumps([code, TRY_AGAIN]).encode(), UNKNOWN)
    yield Said(json.dumps([54321]).encode(), UNKNOWN, None)


def _said_by_advgateway(style: str) -> Iterator[Said]:
    write = STYLES[style]
    for code, (kind, _) in ADV_CODES.items():
        for answer in ({"ErrCode": str(code), "result": TRY_AGAIN}, [{"ErrCode": code, "result": TRY_AGAIN}]):
            yield Said(write(answer), REFUSED, kind)
    for code in (-6, -10, -99, -1000, 1, 5, 429):
        yield Said(write({"ErrCode": str(code), "result": TRY_AGAIN}), UNKNOWN)


def _faults() -> Iterator[Said]:
    """SOAP's own. One that blames the client, or knows no such method, comes in a 500 and is a refusal all the same."""
    for code, text, outcome in (
        ("SOAP-ENV:Client", "Bad Request", REFUSED),
        ("SOAP-ENV:Server", "Function 'SendSMS' doesn't exist", REFUSED),
        ("SOAP-ENV:Server", "Table 'log' doesn't exist", UNKNOWN),
        ("SOAP-ENV:Server", TRY_AGAIN, UNKNOWN),
        ("Other", "try again", UNKNOWN),
    ):
        fault = f"<SOAP-ENV:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></SOAP-ENV:Fault>"
        kind = InvalidRequestError if outcome is REFUSED else GatewayError
        yield Said(in_envelope(fault), outcome, kind, in_fault=outcome)


SAID: Mapping[str, list[Said]] = {
    "ghasedak": [*_said_by_ghasedak()],
    "smsir": [*_said_by_smsir()],
    "opgateway": [*_said_by_opgateway()],
    "soap": [*_said_by_advgateway("struct"), *_said_by_advgateway("map"), *_faults()],
    "rest": [*_said_by_advgateway("rest")],
}
EACH_SEND = pytest.mark.parametrize(
    ("gateway", "call"),
    [
        pytest.param(gateway, call, id=f"{gateway.label}-{name}")
        for gateway in GATEWAYS
        for name, call in gateway.calls.items()
        if name.rpartition(".")[2].startswith("send")
    ],
)


@attrs.frozen
class Seen:
    """What came of one send.

    Attributes:
        outcome: As it was told: raised, or among the results.
        kind: The class of the error.
        requests: How many left.
        copies: The most that one recipient got.
    """

    outcome: Outcome
    kind: type[PayamakError]
    requests: int
    copies: int


async def _see(gateway: Gateway, call: Call, answers: Iterable[tuple[bytes, int]]) -> list[Seen]:
    """What a send makes of each of these answers, if the gateway takes the message and then gives it, always."""
    found: list[Seen] = []
    async with gateway.at_emulator() as (emulator, client):
        for body, status in answers:
            emulator.clear_faults()
            emulator.requests.clear()
            taken = len(emulator.messages())
            emulator.add_fault(
                Fault("status", status=status, body=body.decode(), processed=True, times=None, gateway=gateway.name)
            )
            error = await _error_of(call, client)
            copies = Counter(message.recipient for message in emulator.messages()[taken:])
            assert error is not None, (body, status)
            found.append(Seen(error.outcome, type(error), gateway.count(emulator), max(copies.values())))
    return found


async def _error_of(call: Call, client: Any) -> PayamakError | None:
    try:
        result: Any = await call.run(client)
    except PayamakError as error:
        return error
    (only,) = as_list(result) or [result]
    found: PayamakError | None = only.error
    return found


@EACH_SEND
async def test_what_the_gateway_says_after_it_has_taken_a_message(gateway: Gateway, call: Call) -> None:
    table = [(said, status) for said in SAID[gateway.label] for status in SAID_IN]
    seen = await _see(gateway, call, [(said.body, status) for said, status in table])
    for (said, status), found in zip(table, seen, strict=True):
        kind = said.kind or found.kind
        assert found == Seen(said.outcome_in(status), kind, requests=1, copies=1), (said.body.decode(), status)


NOT_PROCESSED = (400, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 431)
SAYS_NOTHING = (402, 406, 407, 408, 409, 410, 412, 416, 418, 419, 420, 422, 423, 424, 425, 428, 451, 460, 499, 500, 503)
BARE = (b"", b"<html>no</html>", b"{}")


@EACH_SEND
async def test_a_bare_status(gateway: Gateway, call: Call) -> None:
    table = [(status, body) for status in (*NOT_PROCESSED, *SAYS_NOTHING) for body in BARE]
    seen = await _see(gateway, call, [(body, status) for status, body in table])
    for (status, body), found in zip(table, seen, strict=True):
        outcome = REFUSED if status in NOT_PROCESSED else UNKNOWN
        assert (found.outcome, found.requests, found.copies) == (outcome, 1, 1), (status, body)
        assert issubclass(found.kind, GatewayError if outcome is REFUSED else ReplyError), (status, body)


@EACH_SEND
async def test_a_bare_429_is_the_one_answer_after_which_a_send_is_repeated(gateway: Gateway, call: Call) -> None:
    for found in await _see(gateway, call, [(body, 429) for body in BARE]):
        assert found == Seen(REFUSED, RateLimitError, requests=ATTEMPTS, copies=ATTEMPTS)


@EACH_SEND
async def test_a_429_in_the_gateways_own_words_is_none(gateway: Gateway, call: Call) -> None:
    for found in await _see(gateway, call, [(said.body, 429) for said in SAID[gateway.label]]):
        assert (found.requests, found.copies) == (1, 1)


GHASEDAK_SENDS = pytest.mark.parametrize(
    "call", [call for name, call in GATEWAYS[0].calls.items() if name.startswith("send")], ids=lambda call: call.name
)


@GHASEDAK_SENDS
@pytest.mark.parametrize(
    ("number", "kind", "outcome"),
    [
        *((number, kind, UNKNOWN if number in (10, 21) else REFUSED) for number, (kind, _) in ERROR_NUMBERS.items()),
        *((number, GatewayError, UNKNOWN) for number in (12, 77, 1000)),
    ],
)
async def test_within_a_success_of_ghasedak_nothing_is_repeated(
    call: Call, number: int, kind: type[PayamakError], outcome: Outcome
) -> None:
    (found,) = await _see(GATEWAYS[0], call, [(envelope([number]), 200)])
    assert found == Seen(outcome, kind, requests=1, copies=1)
