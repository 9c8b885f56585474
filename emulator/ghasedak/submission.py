"""Orders of all sending methods: checked, priced, and accepted as a whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from ..ledger import Message
from ..phone_numbers import normalise_foreign, normalise_mobile
from ..segments import count_segments
from .envelope import ERROR_CREDIT, ERROR_FILTERED, ERROR_NO_NEW_MESSAGE, ERROR_RECEPTOR, exception
from .reads import NAME, find_by_check_id
from .special_recipients import QUEUED, course, special_error
from .state import State


@frozen(kw_only=True)
class Order:
    """One message as it was ordered, to a recipient that is still unchecked."""

    operation: str
    kind: str
    receptor: str
    text: str
    line: str
    spoken: bool = False
    send_at: datetime | None = None
    check_id: str | None = None
    template: str | None = None
    params: tuple[str, ...] = ()


@frozen
class _Priced:
    """An order that may be sent: its recipient in one form, its parts and its price."""

    order: Order
    recipient: str
    parts: int
    encoding: str | None
    price: int


def submit(state: State, orders: Sequence[Order]) -> list[Message | int]:
    """Send all of it, or refuse; an error number takes a message's place only if the switch says so."""
    switches = state.switches
    if switches.refuse_sends_with is not None:
        raise exception(switches.refuse_sends_with)
    outcomes = [_find_earlier(state, order) or _price(state, order) for order in orders]
    errors = [] if switches.per_recipient_errors else [outcome for outcome in outcomes if isinstance(outcome, int)]
    if errors and not switches.partial_lists:
        raise exception(errors[0])
    if errors:
        outcomes = outcomes[: outcomes.index(errors[0])]
    cost = sum(outcome.price for outcome in outcomes if isinstance(outcome, _Priced))
    if cost > state.account.credit:
        raise exception(ERROR_CREDIT)
    _refuse_duplicates(state, orders)
    state.account.credit -= cost
    sent = [_accept(state, outcome) if isinstance(outcome, _Priced) else outcome for outcome in outcomes]
    if errors:
        raise exception(errors[0])
    return sent


def _find_earlier(state: State, order: Order) -> Message | None:
    if state.switches.duplicate_check_id != "ignore" or order.check_id is None:
        return None
    return next(iter(find_by_check_id(state, order.check_id)), None)


def _price(state: State, order: Order) -> _Priced | int:
    recipient = normalise_mobile(order.receptor)
    abroad = recipient is None and order.kind == "otp"
    if abroad:
        recipient = normalise_foreign(order.receptor)
    if recipient is None:
        return ERROR_RECEPTOR
    error = special_error(recipient)
    if error is not None and not (error == ERROR_FILTERED and order.kind == "otp"):
        return error
    account = state.account
    if order.spoken:
        return _Priced(order, recipient, 1, None, account.international_price if abroad else account.voice_price)
    segments = count_segments(order.text)
    price = segments.parts * (account.international_price if abroad else account.sms_price)
    return _Priced(order, recipient, segments.parts, segments.encoding, price)


def _refuse_duplicates(state: State, orders: Sequence[Order]) -> None:
    if state.switches.duplicate_check_id != "refuse":
        return
    for order in orders:
        if order.check_id is not None and find_by_check_id(state, order.check_id):
            raise exception(ERROR_NO_NEW_MESSAGE)


def _accept(state: State, priced: _Priced) -> Message:
    order, switches = priced.order, state.switches
    message = Message(
        id=state.new_message_id(),
        gateway=NAME,
        operation=order.operation,
        line=order.line,
        recipient=priced.recipient,
        text=order.text,
        kind=order.kind,
        parts=priced.parts,
        encoding=priced.encoding,
        price=priced.price,
        created_at=state.clock.now(),
        steps=course(priced.recipient, switches.telecom_after, switches.delivered_after),
        # INFERRED: the document has no code for a message that still waits for its time.
        scheduled_status=QUEUED,
        cancelled_status=switches.cancelled_status,
        send_at=order.send_at,
        check_id=order.check_id,
        template=order.template,
        params=order.params,
        clock=state.clock,
    )
    state.ledger.add(message)
    return message
