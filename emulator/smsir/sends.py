"""The two ways to send, and the count before sending."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from attrs import Factory, define

from ..phone_numbers import special_number
from ..segments import count_segments
from .contacts import CONTACT
from .envelope import (
    ERROR_CREDIT,
    ERROR_RECIPIENT,
    ERROR_STATE,
    FailureError,
    Payload,
    argument,
    exception,
    not_found,
)
from .groups import GROUP
from .messages import new_message
from .operation import Call, post
from .phone_book import Contact
from .records import Batch
from .special_recipients import EXCEPTION, NO_CREDIT, read_mobile
from .state import State


@define
class _Recipients:
    """Numbers in the order they were named, each once; and what was wrong with the first that cannot be sent to."""

    mobiles: dict[str, None] = Factory(dict[str, None])
    named: int = 0
    error: FailureError | None = None
    before_error: int = 0

    def add(self, mobile: str) -> None:
        self.mobiles[mobile] = None

    def fail(self, error: FailureError) -> None:
        if self.error is None:
            self.error, self.before_error = error, len(self.mobiles)


def send(state: State, call: Call) -> Payload:
    """`Message/Send`, to groups and single memberships.

    INFERRED: members of a group who still wait are silently left out, as the count of invalid ones suggests. What is
    named by itself and cannot be sent to is an error, which stops the whole send unless CanContinueInCaseOfError.
    """
    text = call.fields.required_text("Message")
    recipients = _members(state, call, "ContactGroupIds")
    return _submit(state, call, text, recipients, "Message/Send")


def send_by_numbers(state: State, call: Call) -> Payload:
    """`Message/SendByMobileNumbers`, which no document has."""
    text, recipients = call.fields.required_text("Message"), _Recipients()
    for entry in call.fields.texts("MobileNumbers"):
        mobile = read_mobile(entry)
        error = _number_error(state, mobile)
        if mobile is None or error is not None:
            recipients.fail(error or _wrong_number())
        else:
            recipients.add(mobile)
    return _submit(state, call, text, recipients, "Message/SendByMobileNumbers")


def count(state: State, call: Call) -> Payload:
    """`GroupContactsDistinctCount`. InvalidCount is everything named that is not counted (INFERRED)."""
    recipients = _members(state, call, "ContactsGroupIds")
    if state.switches.reject_empty_lists_in_count:
        for name in ("ContactsGroupIds", "ContactRelationIds"):
            if call.fields.has(name) and not call.fields.integers(name):
                raise argument(name)
    return {"Count": len(recipients.mobiles), "InvalidCount": recipients.named - len(recipients.mobiles)}


def _members(state: State, call: Call, groups_name: str) -> _Recipients:
    # Both lists must be there, even if empty: the document says so twice. Where an empty one is refused, it may be
    # left out.
    optional = groups_name == "ContactsGroupIds" and state.switches.reject_empty_lists_in_count
    group_ids, relation_ids = (
        [] if optional and not call.fields.has(name) else call.fields.integers(name)
        for name in (groups_name, "ContactRelationIds")
    )
    book, recipients = state.phone_book, _Recipients()
    for group_id in dict.fromkeys(group_ids):
        if book.group(group_id) is None:
            recipients.fail(not_found(GROUP))
        members = [membership.contact for membership in reversed(book.memberships(group_id))]
        recipients.named += len(members)
        _add_ready(state, recipients, members)
    for relation_id in relation_ids:
        recipients.named += 1
        membership = book.find(relation_id)
        if membership is None or membership.cancelled_at is not None:
            recipients.fail(not_found(CONTACT))
        elif book.is_waiting(membership.contact):
            recipients.fail(_waiting())
        else:
            recipients.add(membership.contact.mobile)
    return recipients


def _add_ready(state: State, recipients: _Recipients, contacts: Iterable[Contact]) -> None:
    for contact in contacts:
        if not state.phone_book.is_waiting(contact):
            recipients.add(contact.mobile)


def _number_error(state: State, mobile: str | None) -> FailureError | None:
    if mobile is None:
        return _wrong_number()
    contact = state.phone_book.contact(mobile)
    if state.switches.numbers_must_be_contacts and not state.phone_book.is_contact(mobile):
        return not_found(CONTACT)
    if state.switches.waiting_applies_to_numbers and contact is not None and state.phone_book.is_waiting(contact):
        return _waiting()
    return None


def _wrong_number() -> FailureError:
    return FailureError(ERROR_RECIPIENT, "شماره موبایل معتبر نیست")


def _waiting() -> FailureError:
    return FailureError(ERROR_RECIPIENT, "مخاطب هنوز در زمان انتظار عضویت است")


def _submit(state: State, call: Call, text: str, recipients: _Recipients, operation: str) -> Payload:
    switches, mobiles = state.switches, list(recipients.mobiles)
    error = None if call.fields.flag("CanContinueInCaseOfError") else recipients.error
    if error is not None:
        mobiles = mobiles[: recipients.before_error] if switches.partial_lists else []
    if not mobiles:
        raise recipients.error or FailureError(ERROR_RECIPIENT, "گیرنده‌ای وجود ندارد")
    if state.clock.timestamp() >= state.account.expire:
        raise FailureError(ERROR_STATE, "حساب کاربری منقضی شده است")
    special = {special_number(mobile) for mobile in mobiles}
    if EXCEPTION in special:
        raise exception()
    cost = count_segments(text).parts * state.account.sms_price * len(mobiles)
    if NO_CREDIT in special or cost > state.account.credit:
        raise FailureError(ERROR_CREDIT, "اعتبار کافی نیست")
    state.account.credit -= cost
    batch = _accept(state, text, mobiles, operation)
    if switches.exception_after_send:
        raise exception()
    if error is not None and switches.partial_list_answer == "refusal":
        raise error
    return _reply(state, batch)


def _accept(state: State, text: str, mobiles: list[str], operation: str) -> Batch:
    now = state.clock.now()
    price = state.account.sms_price
    messages = [new_message(state, mobile, text, operation, part_price=price) for mobile in mobiles]
    batch = Batch(state.new_batch_id(), str(uuid.uuid4()), text, now, messages)
    state.add_batch(batch)
    return batch


def _reply(state: State, batch: Batch) -> Payload:
    start = 1 if state.switches.ids_without_zero else 0
    ids = [{"ID": message.id, "MobileNumber": message.recipient[start:]} for message in batch.messages]
    return {"MessageId": batch.id, "BatchKey": batch.key, "Ids": ids}


OPERATIONS = (
    post("Message/Send", send, MessageId=0, BatchKey=None, Ids=None),
    post("Message/SendByMobileNumbers", send_by_numbers, MessageId=0, BatchKey=None, Ids=None),
    post("Message/GroupContactsDistinctCount", count, Count=0, InvalidCount=0),
)
