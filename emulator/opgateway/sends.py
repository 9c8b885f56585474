"""The four operations that send. Each answers with the id of a bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ..jalali import TEHRAN
from ..ledger import Message, Step
from ..phone_numbers import normalise_mobile, own_line
from ..segments import count_segments
from .envelope import (
    BOOKS_NOT_A_LIST,
    CREDIT,
    EMPTY_TEXT,
    FOREIGN_LINE,
    NO_RECIPIENTS,
    TIME_IS_PAST,
    TOO_MANY_RECIPIENTS,
    BulkId,
    RefusalError,
)
from .params import Params
from .reads import residents, trends
from .special_recipients import NOTSYNC, course, special_error
from .state import NAME, Bulk, State

_TIME = "%Y-%m-%d %H:%M:%S"


def send(state: State, params: Params) -> object:
    """`send`: one text to many, perhaps at a `time` of Tehran."""
    numbers = [normalise_mobile(entry) for entry in params.entries("to")]
    if state.switches.invalid_recipients == "drop":
        numbers = [number for number in numbers if number is not None]
    return _send(state, params, "send", numbers, _send_at(state, params))


def book_send(state: State, params: Params) -> object:
    """`booksend`: to phone books. A number that is in two of them gets one message (INFERRED)."""
    if not params.is_list("bookid"):
        raise RefusalError(BOOKS_NOT_A_LIST)
    wanted = params.entries("bookid")
    numbers = [number for book in state.phone_books if str(book.id) in wanted for number in book.numbers]
    return _send(state, params, "booksend", _unique(numbers))


def postal_code_send(state: State, params: Params) -> object:
    """`postalcodesend`: to those who live at a postal code."""
    return _send(state, params, "postalcodesend", [resident.number for resident in residents(params)])


def jobs_send(state: State, params: Params) -> object:
    """`jobssend`: to those who work in some branches, of one job if `jobsid` is given."""
    job_id = params.integer("jobsid")
    chosen = [trend for trend in trends(params) if job_id in (None, trend.job_id)]
    return _send(state, params, "jobssend", _unique(number for trend in chosen for number in trend.numbers))


def _unique(numbers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(numbers))


def _send_at(state: State, params: Params) -> datetime | None:
    text = params.text("time")
    if not text:
        return None
    try:
        moment = datetime.strptime(text, _TIME).replace(tzinfo=TEHRAN)
    except ValueError:
        # INFERRED: what is no time is refused like a time that is over.
        raise RefusalError(TIME_IS_PAST) from None
    if moment < state.clock.now():
        raise RefusalError(TIME_IS_PAST)
    return moment


def _send(
    state: State, params: Params, operation: str, numbers: Sequence[str | None], send_at: datetime | None = None
) -> BulkId:
    """Send to all, where None is a number that is none, or to nobody; or to those before the first bad one."""
    text = params.raw("message")
    line = _check(state, text, params.text("from"), numbers)
    recipients, error = _until_refused(numbers)
    if error is not None and not (recipients and state.switches.partial_lists):
        raise RefusalError(error)
    limit = state.switches.max_recipients
    if limit is not None and len(numbers) > limit:
        raise RefusalError(TOO_MANY_RECIPIENTS)
    cost = round(count_segments(text).parts * state.account.sms_price * len(recipients), 2)
    if cost > state.account.credit:
        raise RefusalError(CREDIT)
    state.account.credit = round(state.account.credit - cost, 2)
    bulk_id = state.next_bulk_id()
    messages = _messages(state, operation, line, text, recipients=recipients, send_at=send_at)
    state.add_bulk(Bulk(bulk_id, state.switches.approval, messages))
    if error is not None:
        raise RefusalError(error)
    return BulkId(bulk_id)


def _until_refused(numbers: Sequence[str | None]) -> tuple[list[str], int | None]:
    """The recipients before the first that is refused, and its code."""
    recipients: list[str] = []
    for number in numbers:
        error = NO_RECIPIENTS if number is None else special_error(number)
        if number is None or error is not None:
            return recipients, error
        recipients.append(number)
    return recipients, None


def _messages(
    state: State, operation: str, line: str, text: str, *, recipients: list[str], send_at: datetime | None
) -> list[Message]:
    segments, now, bulk_id = count_segments(text), state.clock.now(), state.next_bulk_id()
    price = round(segments.parts * state.account.sms_price)
    return [
        Message(
            id=state.new_message_id(),
            gateway=NAME,
            operation=operation,
            line=line,
            recipient=recipient,
            text=text,
            kind="sms",
            parts=segments.parts,
            encoding=segments.encoding,
            price=price,
            created_at=now,
            steps=_course(state, recipient),
            scheduled_status=NOTSYNC,
            cancelled_status=NOTSYNC,
            send_at=send_at,
            check_id=str(bulk_id),
            clock=state.clock,
        )
        for recipient in recipients
    ]


def _check(state: State, text: str, sender: str, numbers: Sequence[str | None]) -> str:
    """The line to send from; refuses what may not be sent (the order of the checks is INFERRED)."""
    if not text.strip():
        raise RefusalError(EMPTY_TEXT)
    line = own_line(sender, state.account.lines)
    if line is None:
        raise RefusalError(FOREIGN_LINE)
    if not numbers:
        raise RefusalError(NO_RECIPIENTS)
    return line


def _course(state: State, recipient: str) -> tuple[Step, ...]:
    switches = state.switches
    if switches.approval != "approve":
        return (Step(0, "queued", NOTSYNC),)
    return course(recipient, switches.sent_after, switches.telecom_after, switches.delivered_after)


OPERATIONS: dict[str, Callable[[State, Params], object]] = {
    "send": send,
    "booksend": book_send,
    "postalcodesend": postal_code_send,
    "jobssend": jobs_send,
}
