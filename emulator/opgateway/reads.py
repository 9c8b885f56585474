"""Credit, what became of a bulk, the inbox, and the lists of whom one can send to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..jalali import TEHRAN, jalali_text
from ..phone_numbers import international
from ..phpjson import php_json
from . import seeds
from .envelope import BULK_ID, Bare, Listing, RefusalError
from .params import Params, parse_integer
from .seeds import Named, Resident, Trend
from .state import Bulk, State

_BOTH_GENDERS = 0
_UNDER_WAY = ("notsync", "send", "pending")


def credit(state: State, _params: Params) -> object:
    """`credit`, in rial with two decimals."""
    amount = round(state.account.credit, 2)
    if state.switches.credit_as_number:
        return amount
    return f"{amount:.2f}".replace(".", state.switches.credit_decimal_mark)


def delivery(state: State, params: Params) -> object:
    """`delivery`: `+98…:word` for each number of a bulk; `null` for an unknown bulk."""
    # The document gives the bulk's id the name and the type `Int Message`; public code calls it `uinqid`.
    bulk = _bulk(state, params.text("uinqid") or params.text("message"))
    if bulk is None:
        return Bare(None)
    return Listing(
        [f"{international(message.recipient)}:{message.status}" for message in bulk.messages], is_delivery=True
    )


def check_message(state: State, params: Params) -> object:
    """`checkmessage`: how the sending of a bulk goes, and whether the vendor approved of its text."""
    bulk = _bulk(state, params.text("messageid"))
    if bulk is None:
        raise RefusalError(BULK_ID)
    switches = state.switches
    approval = bulk.approval.title() if switches.approval_case == "title" else bulk.approval
    colon = ":" if switches.approval_colon else ""
    status = switches.status_message or _status_message(bulk)
    return Bare({"statusMessage": status, "validMessage": f"{approval}{colon}"})


def _bulk(state: State, text: str) -> Bulk | None:
    number = parse_integer(text)
    return None if number is None else state.bulks.get(number)


def _status_message(bulk: Bulk) -> str:
    """INFERRED: the document lists the words without saying when each is given."""
    if bulk.approval == "cancel":
        return "Cancel"
    if bulk.approval == "notconfirm" or any(message.is_scheduled for message in bulk.messages):
        return "Active"
    return "Interacting" if any(message.status in _UNDER_WAY for message in bulk.messages) else "Finish"


def inbox_list(state: State, _params: Params) -> object:
    """`inboxlist`, newest first (INFERRED)."""
    chosen = [message for message in state.inbox if not (state.switches.reading_marks_as_read and message.read)]
    chosen.sort(key=lambda message: message.received_at, reverse=True)
    items: list[object] = []
    for message in chosen:
        message.read = True
        sender = international(message.sender) if message.sender.startswith("09") else message.sender
        moment = message.received_at.astimezone(TEHRAN)
        time = f"{jalali_text(moment)}:{moment:%S}" if state.switches.jalali_times else f"{moment:%Y/%m/%d %H:%M:%S}"
        items.append({"message": message.text, "from": sender, "to": f"+98{message.line}", "time": time})
    return Listing(items)


def book_list(state: State, _params: Params) -> object:
    """`booklist`."""
    return Listing([{"id": book.id, "title": book.title} for book in state.phone_books])


def access_list(_state: State, _params: Params) -> object:
    """`accesslist`: levels for newuser."""
    return _named(seeds.ACCESS_LEVELS)


def lines(state: State, _params: Params) -> object:
    """`lines`, which is in public code and not in the document: each is JSON text once more."""
    return Listing([php_json({"number": f"+98{line}"}) for line in state.account.lines])


def postal_code_count(_state: State, params: Params) -> object:
    """`postalcodecount`: how many numbers postalcodesend would reach."""
    return len(residents(params))


def postal_code_area(_state: State, _params: Params) -> object:
    """`postalcodearea`: the first digits of postal codes, and their names (INFERRED)."""
    return _named(seeds.POSTAL_AREAS)


def residents(params: Params) -> list[Resident]:
    """Those whom type, gender and postal code choose. A shorter postal code stands for an area (INFERRED)."""
    operator, code = params.text("type").lower(), params.text("postalcode")
    gender = params.integer("gender") or _BOTH_GENDERS
    return [
        resident
        for resident in seeds.RESIDENTS
        if code
        and resident.postal_code.startswith(code)
        and resident.operator == operator
        and gender in (_BOTH_GENDERS, resident.gender)
    ]


def jobs_list(_state: State, _params: Params) -> object:
    """`jobslist`."""
    return _named(seeds.JOBS)


def jobs_trend_list(_state: State, params: Params) -> object:
    """`jobstrendlist`: of one job if `jobsid` is given (INFERRED: the document shows another operation's fields)."""
    job_id = params.integer("jobsid")
    return _named(Named(trend.id, trend.title) for trend in seeds.TRENDS if job_id in (None, trend.job_id))


def jobs_count(_state: State, params: Params) -> object:
    """`jobscount`: how many numbers some branches have."""
    return len({number for trend in trends(params) for number in trend.numbers})


def trends(params: Params) -> list[Trend]:
    """The branches of `trendid`."""
    wanted = params.entries("trendid")
    return [trend for trend in seeds.TRENDS if str(trend.id) in wanted]


def _named(items: Iterable[Named]) -> Listing:
    return Listing([{"id": item.id, "title": item.title} for item in items])


OPERATIONS: dict[str, Callable[[State, Params], object]] = {
    "credit": credit,
    "delivery": delivery,
    "checkmessage": check_message,
    "inboxlist": inbox_list,
    "booklist": book_list,
    "accesslist": access_list,
    "lines": lines,
    "postalcodecount": postal_code_count,
    "postalcodearea": postal_code_area,
    "jobslist": jobs_list,
    "jobstrendlist": jobs_trend_list,
    "jobscount": jobs_count,
}
