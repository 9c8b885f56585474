"""The methods, without a transport: codes and results."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from attrs import frozen

from ..ledger import Message
from ..phone_numbers import international, normalise_mobile, own_line
from ..segments import count_segments
from .special_recipients import SENDING, course, is_refused
from .state import NAME, State

OK, UNKNOWN_USER, TOO_MANY, SEND_ERROR, COUNTS_DIFFER, FOREIGN_LINE = 0, -1, -2, -3, -4, -5
MAX_NUMBERS = 60
MAX_RECEIVED = 50
# INFERRED: the document gives the meanings, not the texts.
SENTENCES = {
    UNKNOWN_USER: "کاربر شناسایی نشد",
    TOO_MANY: "تعداد شماره ها بیشتر از 60 عدد میباشد",
    COUNTS_DIFFER: "تعداد پارامترها یکسان نیست",
    FOREIGN_LINE: "شماره ارسال متعلق به شما نیست",
}
_NO_CREDIT, _NO_NUMBER, _BAD_NUMBER = "اعتبار کافی نیست", "گیرنده ای وجود ندارد", "شماره گیرنده نامعتبر است"
_NO_TEXT, _SYSTEM, _NO_SUCH_ID = "متن پیامک خالی است", "خطای ارسال", "شناسه نامعتبر است"
_STATUS_TEXTS = {
    1: "درحال ارسال",
    2: "مشکل مخابراتی",
    3: "رسیده به مخابرات",
    4: "رسیده به گوشی",
    5: "نرسیده به گوشی",
    6: "بلک لیست",
}
_UNKNOWN_STATUS = 0


class RefusalError(Exception):
    """The whole call is refused; `result` carries the reason, as the document says."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reason = SENTENCES[code] if reason is None else reason


@frozen
class Outcome:
    """One of the results of SendMultipleSMS."""

    code: int
    result: str


def refusal(code: int, message: str | None) -> RefusalError:
    """A refusal in the usual words, unless others are given."""
    return RefusalError(code, SENTENCES.get(code, _SYSTEM) if message is None else message)


def authenticate(state: State, user: str, password: str) -> None:
    """Refuse anyone but the account."""
    given, wanted = (user, password), (state.account.user, state.account.password)
    if not all(hmac.compare_digest(_bytes(a), _bytes(b)) for a, b in zip(given, wanted, strict=True)):
        raise RefusalError(UNKNOWN_USER)


def get_credit(state: State) -> str:
    """`GetCredit`."""
    return str(state.account.credit)


def send_sms(state: State, sender: str, numbers: Sequence[str], text: str, operation: str = "SendSMS") -> list[str]:
    """`SendSMS`: one text to many; ids in the order of the unique numbers. One bad number refuses all (INFERRED)."""
    recipients: list[str] = []
    for number in numbers:
        recipient = normalise_mobile(number) or number
        if recipient not in recipients:
            recipients.append(recipient)
    counted = numbers if state.switches.limit_counts == "before" else recipients
    if len(counted) > MAX_NUMBERS:
        raise RefusalError(TOO_MANY)
    line = _line(state, sender)
    if not recipients:
        raise RefusalError(SEND_ERROR, _NO_NUMBER)
    problems = [_problem(recipient, text) for recipient in recipients]
    reason = next((problem for problem in problems if problem is not None), None)
    if reason is not None and not state.switches.partial_lists:
        raise RefusalError(SEND_ERROR, reason)
    taken = recipients if reason is None else recipients[: problems.index(reason)]
    if _price(state, text) * len(taken) > state.account.credit:
        raise RefusalError(SEND_ERROR, _NO_CREDIT)
    ids = [_accept(state, operation, line, recipient, text) for recipient in taken]
    if reason is not None:
        raise RefusalError(SEND_ERROR, reason)
    return ids


def send_multiple(
    state: State, sender: str, numbers: Sequence[str], texts: Sequence[str], operation: str = "SendMultipleSMS"
) -> list[Outcome]:
    """`SendMultipleSMS`: each number its own text, each pair its own outcome. Pairs do not collapse (INFERRED)."""
    line = _check_multiple(state, sender, numbers, texts)
    outcomes: list[Outcome] = []
    for number, text in zip(numbers, texts, strict=True):
        recipient = normalise_mobile(number) or number
        reason = _problem(recipient, text)
        if reason is None and _price(state, text) > state.account.credit:
            reason = _NO_CREDIT
        if reason is not None and state.switches.partial_lists:
            raise RefusalError(SEND_ERROR, reason)
        if reason is not None:
            outcomes.append(Outcome(SEND_ERROR, reason))
        else:
            outcomes.append(Outcome(OK, _accept(state, operation, line, recipient, text)))
    return outcomes


def _check_multiple(state: State, sender: str, numbers: Sequence[str], texts: Sequence[str]) -> str:
    if len(numbers) != len(texts):
        raise RefusalError(COUNTS_DIFFER)
    unique = {normalise_mobile(number) or number for number in numbers}
    counted = len(numbers) if state.switches.limit_counts == "before" else len(unique)
    if state.switches.limit_multiple and counted > MAX_NUMBERS:
        raise RefusalError(TOO_MANY)
    line = _line(state, sender)
    if not numbers:
        raise RefusalError(SEND_ERROR, _NO_NUMBER)
    return line


def get_status(state: State, ids: Sequence[str]) -> list[tuple[str, int]]:
    """`GetStatus`: pairs of id and status."""
    found: list[tuple[str, int]] = []
    for entry in ids:
        text = entry.strip()
        is_id = text.isascii() and text.isdecimal() and len(text) <= 18
        message = state.ledger.find(NAME, int(text)) if is_id else None
        if message is not None:
            found.append((text, int(message.status)))
        elif state.switches.unknown_id == "error":
            raise RefusalError(SEND_ERROR, _NO_SUCH_ID)
        elif state.switches.unknown_id == "zero":
            found.append((text, _UNKNOWN_STATUS))
    return found


def status_text(status: int) -> str:
    """A status in words."""
    return _STATUS_TEXTS.get(status, "")


def get_messages(state: State) -> list[dict[str, str]]:
    """`GetMsg`: the newest fifty that are unread, the oldest of them first (INFERRED)."""
    unread = sorted((message for message in state.inbox if not message.read), key=lambda message: message.received_at)
    chosen = unread[-MAX_RECEIVED:]
    if state.switches.reading_marks_as_read:
        for message in chosen:
            message.read = True
    return [
        {
            "from": international(message.sender) if message.sender.startswith("09") else message.sender,
            "to": f"+98{message.line}",
            "msg": message.text,
            "time": str(int(message.received_at.timestamp())),
        }
        for message in chosen
    ]


def _line(state: State, sender: str) -> str:
    line = own_line(sender.strip(), state.account.lines)
    if line is None:
        raise RefusalError(FOREIGN_LINE)
    return line


def _problem(recipient: str, text: str) -> str | None:
    if not text.strip():
        return _NO_TEXT
    if normalise_mobile(recipient) is None:
        return _BAD_NUMBER
    return _SYSTEM if is_refused(recipient) else None


def _price(state: State, text: str) -> int:
    return count_segments(text).parts * state.account.sms_price


def _accept(state: State, operation: str, line: str, recipient: str, text: str) -> str:
    segments, price = count_segments(text), _price(state, text)
    state.account.credit -= price
    message = Message(
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
        created_at=state.clock.now(),
        steps=course(recipient, state.switches.telecom_after, state.switches.delivered_after),
        # Neither scheduling nor cancelling is in this web service.
        scheduled_status=SENDING,
        cancelled_status=SENDING,
        clock=state.clock,
    )
    state.ledger.add(message)
    return str(message.id)


def _bytes(text: str) -> bytes:
    # JSON can carry half a surrogate pair, which has no UTF-8.
    return text.encode("utf-8", errors="replace")
