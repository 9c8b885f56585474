"""What sms.ir says of a send, and what is believed of it: the server may have sent, whatever it answers."""

from __future__ import annotations

import json
import time
from typing import Any

import attrs
import pytest
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
from payamak.smsir import TokenRejection
from support.smsir import Answer, TokenGateway, ask, failure_of, make_client, refuse, say, send

UNKNOWN, REFUSED = Outcome.UNKNOWN, Outcome.REFUSED

# Each follows a message that was sent: "send has done but exception thrown", as the vendor itself notes.
FAILURES_OF_THE_SERVER = [
    "The CancellationTokenSource has been disposed.",
    "Cannot get the value of a token type 'Null' as a string.",
    "The operation was canceled. (CancellationToken)",
    "'<' is an invalid start of a property name. Expected a '\"'. Path: $ | token",
    "The security token could not be authenticated or authorized",
    "Token is not valid",
    "token",
    "TOKEN EXPIRED",
    "Object reference not set to an instance of an object.",
    "Timeout expired. The timeout period elapsed prior to completion of the operation",
    "A task was canceled.",
    "NullReferenceException",
    "خطا: Timeout expired",
    "خطا: Timeout",
    "خطا: Token expired",
    "خطای توکن: The CancellationTokenSource has been disposed.",
    "توکن: NullReferenceException",
    "توکن معتبر نیست\n   at System.Threading.CancellationToken.Register()",
    "خطا در سامانه. A task   was\tcanceled",
    "پیامک «توکن ورود شما 1234» ثبت شد ولی خطایی رخ داد",
    'پیامک "توکن ورود شما 1234" ثبت شد ولی خطایی رخ داد',
    "پیامک “توکن ورود شما 1234” ثبت شد ولی خطایی رخ داد",
    "پیامک 'توکن ورود شما 1234' ثبت شد ولی خطایی رخ داد",
    "پیامک «توکن ورود شما 1234 ثبت شد ولی خطایی رخ داد",
    "پیامک «رمز «شما» توکن است» ثبت شد",
    "پیامک «سلام» ثبت شد ولی خطایی رخ داد",
    "",
    "   ",
    "!",
]


@attrs.frozen
class Believed:
    """What is made of an answer: the error's class and outcome, and how many times the message went out."""

    kind: type[PayamakError]
    outcome: Outcome
    copies: int = 1


async def check(answer: Answer, believed: Believed, rejection: TokenRejection | None = None) -> PayamakError:
    """Let a server that has taken the message answer so, each time."""
    options: dict[str, Any] = {} if rejection is None else {"token_rejection": rejection}
    async with TokenGateway() as gateway, make_client(gateway, **options) as client:
        await ask(client)
        gateway.calls.clear()
        gateway.call_answers = [answer] * 10
        error = await failure_of(send(client))
        assert Believed(type(error), error.outcome, len(gateway.calls)) == believed
        assert gateway.token_requests == (2 if isinstance(error, AuthenticationError) else 1)
    return error


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 405, 409, 415, 422, 429, 500, 503])
@pytest.mark.parametrize("text", FAILURES_OF_THE_SERVER)
async def test_a_failure_of_the_server_says_nothing(text: str, status: int) -> None:
    kind = RateLimitError if status == 429 else GatewayError
    error: Any = await check(refuse(text, status, code=7), Believed(kind, UNKNOWN))
    assert (error.code, error.gateway_message, error.http_status) == (7, text, status)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 411, 413, 415, 429])
@pytest.mark.parametrize("text", [text for text in FAILURES_OF_THE_SERVER if text])
async def test_a_failure_without_an_envelope_says_nothing(text: str, status: int) -> None:
    kind = RateLimitError if status == 429 else GatewayError
    error: Any = await check(say({"Message": text}, status), Believed(kind, UNKNOWN))
    assert (error.code, error.gateway_message) == (None, text)


@pytest.mark.parametrize("status", [200, 409, 500])
@pytest.mark.parametrize("text", FAILURES_OF_THE_SERVER)
async def test_a_failure_without_an_envelope_in_a_status_that_says_nothing_either(text: str, status: int) -> None:
    await check(say({"Message": text}, status), Believed(ReplyError, UNKNOWN))


WRONG_TYPE = "The request entity's media type 'text/plain' is not supported for this resource."
ANSWERS: dict[str, tuple[Answer, Believed]] = {
    # The vendor's own sentence.
    "no credit": (refuse("اعتبار کافی نیست"), Believed(GatewayError, REFUSED)),
    "no contact": (refuse("مخاطبی با این شماره یافت نشد", 201), Believed(GatewayError, REFUSED)),
    "a parameter": (refuse("مقدار پارامتر MobileNumber معتبر نیست", 400), Believed(InvalidRequestError, REFUSED)),
    "two parameters": (refuse("پارامتر Message یا Ids خالی است"), Believed(GatewayError, REFUSED)),
    "its address": (refuse("با پشتیبانی sms.ir تماس بگیرید"), Believed(GatewayError, REFUSED)),
    "no access": (refuse("دسترسی ندارید", 403), Believed(PermissionDeniedError, REFUSED)),
    "not found": (refuse("گروه یافت نشد", 404), Believed(NotFoundError, REFUSED)),
    "a conflict": (refuse("گروه تکراری است", 409), Believed(GatewayError, REFUSED)),
    "too much": (refuse("تعداد درخواست‌ها زیاد است", 429), Believed(RateLimitError, REFUSED)),
    "maintenance": (refuse("سامانه در دست تعمیر است", 503), Believed(GatewayError, UNKNOWN)),
    "no credit in 500": (refuse("اعتبار کافی نیست", 500), Believed(GatewayError, UNKNOWN)),
    "the token in 500": (refuse("توکن معتبر نیست", 500), Believed(GatewayError, UNKNOWN)),
    "nothing": (refuse(None), Believed(GatewayError, UNKNOWN)),
    "nothing in 400": (refuse(None, 400), Believed(GatewayError, UNKNOWN)),
    "nothing in 429": (refuse(None, 429), Believed(RateLimitError, UNKNOWN)),
    "a sentence with an exception": (
        say({"IsSuccessful": False, "Message": "اعتبار کافی نیست", "ExceptionType": "System.Exception"}),
        Believed(GatewayError, UNKNOWN),
    ),
    # A rejected token.
    "the token": (refuse("توکن معتبر نیست"), Believed(AuthenticationError, REFUSED, 2)),
    "the token in 403": (refuse("توکن منقضی شده است", 403), Believed(AuthenticationError, REFUSED, 2)),
    "the token in quotation marks": (refuse("«توکن» معتبر نیست"), Believed(GatewayError, UNKNOWN)),
    "401": (say(b"", 401), Believed(AuthenticationError, REFUSED, 2)),
    "401 with a leak": (refuse(FAILURES_OF_THE_SERVER[0], 401), Believed(AuthenticationError, REFUSED, 2)),
    # The web framework's own.
    "an invalid request": (say({"Message": "The request is invalid."}, 400), Believed(InvalidRequestError, REFUSED)),
    "a wrong path": (
        say({"Message": "No HTTP resource was found that matches the request URI 'http://a/json'."}, 404),
        Believed(NotFoundError, REFUSED),
    ),
    "a wrong method": (
        say({"Message": "The requested resource does not support http method 'GET'."}, 405),
        Believed(InvalidRequestError, REFUSED),
    ),
    "a wrong type": (say({"Message": WRONG_TYPE}, 415), Believed(InvalidRequestError, REFUSED)),
    "a Persian sentence": (say({"Message": "درخواست نامعتبر است"}, 400), Believed(InvalidRequestError, REFUSED)),
    "a trace": (
        say({"Message": "The request is invalid.", "ExceptionMessage": "no", "StackTrace": "   at A.B()"}, 400),
        Believed(GatewayError, UNKNOWN),
    ),
    "a Persian sentence with an exception": (
        say({"Message": "خطایی رخ داد", "ExceptionType": "System.Exception"}, 400), Believed(GatewayError, UNKNOWN)
    ),
    # Nothing but a status.
    "400": (say(b"", 400), Believed(InvalidRequestError, REFUSED)),
    "404 with a page": (say(b"<html>json, exception, Not Found</html>", 404), Believed(NotFoundError, REFUSED)),
    "406": (say(b"", 406), Believed(ReplyError, UNKNOWN)),
    "409 with a page": (say(b"<html>", 409), Believed(ReplyError, UNKNOWN)),
    "499": (say(b"", 499), Believed(ReplyError, UNKNOWN)),
    "503 with a page": (say(b"<html>", 503), Believed(ReplyError, UNKNOWN)),
    "400 with a leak alone": (
        say(b"Object reference not set to an instance of an object.", 400), Believed(ReplyError, UNKNOWN)
    ),
    "429 with a leak alone": (
        say(json.dumps("System.TimeoutException: no").encode(), 429), Believed(ReplyError, UNKNOWN)
    ),
    "429": (say(b"", 429), Believed(RateLimitError, REFUSED, 3)),
    "429 with a page": (say(b"<html>Too Many Requests</html>", 429), Believed(RateLimitError, REFUSED, 3)),
    "429 with the framework's sentence": (
        say({"Message": "API calls quota exceeded! maximum admitted 1 per Second."}, 429),
        Believed(RateLimitError, REFUSED),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
async def test_what_is_believed(case: str) -> None:
    answer, believed = ANSWERS[case]
    await check(answer, believed)


@pytest.mark.parametrize(
    ("rejection", "text", "code", "copies"),
    [
        (TokenRejection(codes=[7]), "خطا", 7, 2),
        (TokenRejection(codes=[7]), "Token is not valid", 7, 2),
        (TokenRejection(codes=[7]), "خطا", 8, 1),
        (TokenRejection(words=["Token is not valid"]), "The token was not valid.", 7, 1),
        (TokenRejection(words=["Token is not valid"]), "Error: token IS not valid.", 7, 2),
        (TokenRejection(words=["Token is not valid"]), FAILURES_OF_THE_SERVER[0], 7, 1),
        (TokenRejection(words=["نشست"]), "نشست شما پایان یافت", 7, 2),
        (TokenRejection(words=["نشست"]), "توکن معتبر نیست", 7, 2),
    ],
)
async def test_what_the_user_names_is_a_rejection(rejection: TokenRejection, text: str, code: int, copies: int) -> None:
    if copies == 2:
        believed = Believed(AuthenticationError, REFUSED, 2)
    else:
        believed = Believed(GatewayError, REFUSED if text == "خطا" else UNKNOWN)
    await check(refuse(text, 200, code=code), believed, rejection)


def test_no_word_counts_by_default() -> None:
    assert (list(TokenRejection().codes), list(TokenRejection().words)) == ([], [])


@pytest.mark.parametrize("part", ["«", "a ", "a", '"', "'", "‹", " ", "توکن "])
async def test_a_long_message_is_read_in_no_time(part: str) -> None:
    """To look from each of its letters to its end would take seconds."""
    text = "خ" + part * (200_000 // len(part))
    async with TokenGateway() as gateway, make_client(gateway) as client:
        gateway.call_answers = [refuse(text)] * 2
        start = time.process_time()
        await failure_of(send(client))
    assert time.process_time() - start < 2
