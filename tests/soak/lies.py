"""What the gateways say that is not so, and which false words anybody may have to believe."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from payamak.ghasedak import GatewayError, PayamakError, RateLimitError

Json = dict[str, Any]

GATEWAYS = ("ghasedak", "smsir", "opgateway", "advgateway")
LIES = 0.02
"""How many of all requests are answered with a lie."""
_SERVER_ERROR = 500
_SEND_FAILED = -3
"""Of the advanced gateway: for a list it says nothing, because nobody knows whom it concerns."""

NOT_PROCESSED = (400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 421, 426, 429, 431)
"""Statuses of which HTTP itself says that nothing was done. A gateway that had done it lies."""
_OPEN_STATUSES = (402, 406, 407, 408, 409, 410, 418, 451, 460, 499)
_STATUSES = (None, None, 200, 400, 404, 409, 429, 500, 503)
_EXCEPTIONS = (
    "Object reference not set to an instance of an object.",
    "The CancellationTokenSource has been disposed.",
    "Cannot convert token type 'Null' to a value",
    "System.TimeoutException: Timeout expired",
    "خطای سامانه: NullReferenceException",
)
_SENTENCES = ("اعتبار کافی نیست", "عملیات انجام نشد", "سامانه در حال بروزرسانی است")


@attrs.frozen
class _Words:
    """Codes of one gateway.

    Attributes:
        documented: What it may refuse with, and need not concern more than one request.
        ending: Documented, too; it ends a whole wave, so that it is rare.
        open: What nobody explains, or what tells of a failure of the gateway's own.
        each: What may stand in place of each recipient's id.
    """

    documented: tuple[int, ...] = ()
    ending: tuple[int, ...] = ()
    open: tuple[int, ...] = ()
    each: tuple[int, ...] = ()


_WORDS: Mapping[str, _Words] = {
    "ghasedak": _Words(
        (2, 3, 4, 5, 8, 8, 20, 20, 400, 404), (1, 6, 7, 9, 11, 24, 401, 403, 429), (10, 10, 21, 12, 99, 419, 499, 999),
        (8, 10, 20, 21, 99),
    ),
    "smsir": _Words((5, 8, 9, 21)),
    "opgateway": _Words((1, 4, 6, 98, 99), (2, 3, 5, 7, 9, 266, 962, 963, 992), (54321, 77, 500, -1)),
    "advgateway": _Words((-2, -3, -3, -4), (-1, -5), (-6, -99, 7), (-3, -4, -99)),
}  # fmt: skip


def make_lies(gateway: str, dice: random.Random, *, only_open: bool) -> list[tuple[Json, float]]:
    """Orders for lies of a gateway, with their weights.

    Args:
        gateway: Which.
        dice: To throw.
        only_open: Whether to leave out documented refusals of what was taken. They would be two lies at once where the
            gateway also denies to have it.
    """
    words = _WORDS[gateway]
    shapes: list[tuple[Callable[[], Json], float]] = [
        (lambda: _make_bare(_OPEN_STATUSES, dice), 1),
        (lambda: _make_message(dice), 1),
    ]
    if words.open:
        shapes.append((lambda: _refuse(dice.choice(words.open), dice, processed=dice.random() < 0.7), 2))
    if gateway == "smsir":
        shapes.append((lambda: _quote(dice.choice(_EXCEPTIONS), dice, processed=dice.random() < 0.7), 2))
    if gateway == "opgateway":
        shapes.append((lambda: {"kind": "status", "status": 200, "body": "[54321]", "processed": True}, 0.5))
    if words.each and not only_open:
        shapes.append((lambda: {"kind": "refuse", "code": dice.choice(words.each), "each": True}, 1))
    if not only_open:
        shapes += [
            (lambda: _refuse_documented(gateway, words.documented, dice), 2),
            (lambda: _make_bare([status for status in NOT_PROCESSED if status not in (401, 403)], dice), 1),
            # Of sms.ir a 401 speaks of the token alone: with another one all is sent again.
            (lambda: _make_bare((403,) if gateway == "smsir" else (401, 403), dice), 0.05),
        ]
    if words.ending and not only_open:
        shapes.append((lambda: _refuse_documented(gateway, words.ending, dice), 0.15))
    return [(make(), weight) for make, weight in shapes for _ in range(3)]


def _refuse(code: int, dice: random.Random, *, processed: bool) -> Json:
    return _clean({"kind": "refuse", "code": code, "status": dice.choice(_STATUSES), "processed": processed})


def _refuse_documented(gateway: str, codes: Sequence[int], dice: random.Random) -> Json:
    if gateway == "smsir":
        return _quote(dice.choice(_SENTENCES), dice, processed=True)
    return _refuse(dice.choice(codes), dice, processed=True)


def _quote(message: str, dice: random.Random, *, processed: bool) -> Json:
    return {**_refuse(dice.randint(1, 99), dice, processed=processed), "message": message}


def _make_bare(statuses: Sequence[int], dice: random.Random) -> Json:
    return {"kind": dice.choice(("status", "html")), "status": dice.choice(statuses), "processed": True}


def _make_message(dice: random.Random) -> Json:
    return {
        "kind": "status",
        "status": dice.choice((200, 400, 404, 409, 429, 500)),
        "body": json.dumps({"Message": dice.choice(_EXCEPTIONS)}),
        "content_type": "application/json",
        "processed": dice.random() < 0.7,
    }


def _clean(order: Json) -> Json:
    return {name: value for name, value in order.items() if value is not None}


def is_lie(request: Json) -> bool:
    """Whether the emulator answered a request with one of these, and not with what also a failure looks like."""
    if request["fault"] in ("status", "html"):
        status: int = request["status"] or 0
        return bool(request["processed"]) and 400 <= status < _SERVER_ERROR
    return bool(request["fault"] == "refuse")


def make_switches(dice: random.Random) -> Json:
    """How the gateways deviate for one round, each by itself: half of the time not at all."""
    partial = {"partial_lists": True}
    deviations: Mapping[str, Sequence[Json]] = {
        "ghasedak": (
            partial,
            {"kept_check_ids": "numbers"},
            {"appended_text": "\nلغو۱۱", "reused_check_id": "last"},
            *({"status_reply": manner} for manner in ("text_ids", "short_receptors", "long_receptors")),
            *({"status_reply": manner} for manner in _WITHOUT_IDS),
            {"status_reply": dice.choice(_SHOWING_NOTHING)},
        ),
        "smsir": (
            {"sends_listed_after": 0.3, "recipients_listed_every": 0.004},
            {"sends_listed_after": 0.5},
            {**partial, "partial_list_answer": "success"},
        ),
        "opgateway": (partial,),
        "advgateway": (partial,),
    }
    return {name: dice.choice(some) if dice.random() < 0.5 else {} for name, some in deviations.items()}


_WITHOUT_IDS = ("null_ids", "zero_ids", "misspelled_ids")
_SHOWING_NOTHING = ("null", "empty", "not_found")


def shows_nothing(switches: Json) -> bool:
    """Whether Ghasedak answers no question for a status."""
    return switches.get("ghasedak", {}).get("status_reply") in _SHOWING_NOTHING


def shows_no_ids(switches: Json) -> bool:
    """Whether Ghasedak shows messages without their ids."""
    return switches.get("ghasedak", {}).get("status_reply") in _WITHOUT_IDS


def keeps_numbers_only(switches: Json) -> bool:
    """Whether Ghasedak forgets check ids that are no numbers."""
    return bool(switches.get("ghasedak", {}).get("kept_check_ids") == "numbers")


def is_plain_refusal(gateway: str, error: PayamakError | None, *, of_many: bool) -> bool:
    """Whether an answer is a refusal that anybody has to believe, where the gateway cannot be asked.

    Args:
        gateway: Whose answer.
        error: What the client made of it.
        of_many: Whether the request was for several.
    """
    if not isinstance(error, GatewayError) or error.code is None:
        return False
    if error.http_status is not None and error.http_status >= _SERVER_ERROR:
        return False
    if error.code == error.http_status and error.http_status in NOT_PROCESSED:
        return True
    if gateway == "smsir":
        return error.gateway_message in _SENTENCES
    if gateway == "advgateway" and error.code == _SEND_FAILED and error.http_status is not None:
        return not of_many
    words = _WORDS[gateway]
    return error.code in (*words.documented, *words.ending)


def can_be_shown(gateway: str, error: PayamakError | None, *, of_many: bool) -> bool:
    """Whether the gateway can be asked what it took of a request that it refused."""
    if not isinstance(error, GatewayError) or error.http_status is None:
        return False
    if error.is_bare and isinstance(error, RateLimitError):
        return False
    return gateway == "smsir" or (gateway == "ghasedak" and of_many)
