"""Adding, changing, moving and deleting contacts."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from .envelope import (
    ERROR_ARGUMENT,
    ERROR_DUPLICATE,
    ERROR_RECIPIENT,
    Emoji,
    FailureError,
    Payload,
    argument,
    not_found,
)
from .excel import SheetError, read_rows
from .fields import Fields
from .groups import find_group
from .messages import new_message
from .operation import FILES, Call, post
from .phone_book import Membership, change_details
from .special_recipients import read_mobile
from .state import State

CONTACT = "مخاطب"
_FIRST_EMOJI, _LAST_EMOJI = 1, 3
_DIGITS = frozenset("0123456789")


@frozen
class Person:
    """A contact as a request describes it."""

    mobile: str
    prefix: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emoji: int | None = None


def person_item(state: State, mobile: str, person: Person) -> Payload:
    """The part that every list of contacts shares."""
    return {
        "Prefix": state.text(person.prefix),
        "FirstName": state.text(person.first_name),
        "LastName": state.text(person.last_name),
        "Mobile": mobile,
        "EmojiId": emoji_value(state, person.emoji),
    }


def emoji_value(state: State, emoji: int | None) -> Emoji | None:
    """Null was reported for an emoji that nobody chose; the number for that is 1, unknown."""
    if emoji is None:
        return Emoji(_FIRST_EMOJI) if state.switches.nulls == "none" else None
    return Emoji(emoji)


def add_contacts(state: State, call: Call) -> Payload:
    """`AddContacts`. A wrong number, and one that the group has already, is erroneous (INFERRED)."""
    people = [_person(item) for item in call.fields.objects("ContactsDetails")]
    if not people:
        raise argument("ContactsDetails")
    return _add(state, find_group(state, call.fields.integer("GroupId")).id, people, "Contacts/AddContacts")


def upload_excel(state: State, call: Call) -> Payload:
    """`UploadExcel`. Columns are number, prefix, first name, last name (INFERRED); an .xls file cannot be read here."""
    group = find_group(state, call.fields.integer("groupId"))
    name = "" if call.file is None else (call.file.filename or "").lower()
    if call.file is None or not name.endswith((".xls", ".xlsx")):
        raise FailureError(ERROR_ARGUMENT, "فایل اکسل با فرمت xls یا xlsx ارسال نشده است")
    try:
        people = list(_people(read_rows(call.file.file)))
    except SheetError:
        raise FailureError(ERROR_ARGUMENT, "فایل اکسل قابل خواندن نیست") from None
    return _add(state, group.id, people, "Contacts/UploadExcel")


def _people(rows: Iterable[list[str]]) -> Iterable[Person]:
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row[:4]] + [""] * (4 - len(row))
        is_heading = number == 0 and not _DIGITS.intersection(cells[0])
        if any(cells) and not is_heading:
            yield Person(cells[0], cells[1] or None, cells[2] or None, cells[3] or None)


def _person(item: Fields) -> Person:
    texts = (item.text("Mobile") or "", item.text("Prefix"), item.text("FirstName"), item.text("LastName"))
    return Person(*texts, _emoji(item))


def _emoji(item: Fields) -> int | None:
    emoji = item.integer("EmojiId")
    return emoji if _FIRST_EMOJI <= emoji <= _LAST_EMOJI else None


def _add(state: State, group_id: int, people: list[Person], operation: str) -> Payload:
    added: list[Payload] = []
    failed: list[Payload] = []
    for person in people:
        mobile = read_mobile(person.mobile)
        membership = None if mobile is None else _join(state, group_id, mobile, person, operation)
        if membership is None:
            failed.append(person_item(state, person.mobile, person))
        else:
            added.append(person_item(state, membership.contact.mobile, person))
    return {"AddedList": added, "ErroneousList": _erroneous(state, failed)}


def _erroneous(state: State, failed: list[Payload]) -> list[Payload] | None:
    # The document: null if nothing failed.
    return failed if failed or state.switches.nulls == "none" else None


def _join(state: State, group_id: int, mobile: str, person: Person, operation: str) -> Membership | None:
    is_new = state.phone_book.contact(mobile) is None
    membership = state.phone_book.add_contact(
        group_id,
        mobile,
        prefix=person.prefix,
        first_name=person.first_name,
        last_name=person.last_name,
        emoji=person.emoji,
        wait=state.switches.membership_wait,
    )
    if is_new:
        _welcome(state, mobile, operation)
    return membership


def _welcome(state: State, mobile: str, operation: str) -> None:
    if not state.switches.membership_sms:
        return
    account = state.account
    text = f"شما عضو {account.business_name} شدید. لغو عضویت: {account.cancel_membership_keyword}"
    state.ledger.add(new_message(state, mobile, text, operation, part_price=0, kind="membership"))


def update_contact(state: State, call: Call) -> Payload:
    """`UpdateContact`: what is not given stays, what is empty goes (INFERRED), and group 0 leaves it where it is."""
    membership = _find(state, call.fields.integer("ContactGroupRelationId"))
    contact = membership.contact
    prefix, first_name, last_name = map(call.fields.given_text, ("Prefix", "FirstName", "LastName"))
    mobile = read_mobile(call.fields.required_text("Mobile"))
    if mobile is None:
        raise FailureError(ERROR_RECIPIENT, "شماره موبایل معتبر نیست")
    group_id = call.fields.integer("GroupId") or membership.group_id
    find_group(state, group_id)
    others = (state.phone_book.contact(mobile), state.phone_book.find_in_group(contact, group_id))
    if others[0] not in (None, contact) or others[1] not in (None, membership):
        raise FailureError(ERROR_DUPLICATE, "مخاطب تکراری است")
    if mobile != contact.mobile:
        state.phone_book.change_mobile(contact, mobile, state.switches.membership_wait)
        _welcome(state, mobile, "Contacts/UpdateContact")
    change_details(contact, prefix, first_name, last_name, _emoji(call.fields))
    membership.group_id = group_id
    return {}


def transfer_contacts(state: State, call: Call) -> Payload:
    """`TransferContactsToGroup`. The ids are relation ids, and stay the same (INFERRED)."""
    relation_ids = call.fields.integers("ContactGroupRelationId", "ContactGroupId")
    group = find_group(state, call.fields.integer("NewGroupId"))
    if not relation_ids:
        raise argument("ContactGroupRelationId")
    memberships = [_find(state, relation_id) for relation_id in dict.fromkeys(relation_ids)]
    moved = 0
    for membership in memberships:
        if state.phone_book.find_in_group(membership.contact, group.id) is None:
            membership.group_id = group.id
            moved += 1
    return {"MovedCount": moved, "DuplicateCount": len(memberships) - moved}


def delete_contacts(state: State, call: Call) -> Payload:
    """`DeleteContacts`. Unknown ids are left out; if all are unknown, that is a failure (INFERRED)."""
    ids = set(call.fields.integers("Ids"))
    if not ids:
        raise argument("Ids")
    kind = state.switches.delete_contacts_by
    doomed = [
        one
        for one in state.phone_book.memberships()
        if (kind != "contact" and one.relation_id in ids) or (kind != "relation" and one.contact.id in ids)
    ]
    if not doomed:
        raise not_found(CONTACT)
    for membership in doomed:
        state.phone_book.remove(membership)
    return {}


def _find(state: State, relation_id: int) -> Membership:
    membership = state.phone_book.find(relation_id)
    if membership is None or membership.cancelled_at is not None:
        raise not_found(CONTACT)
    return membership


OPERATIONS = (
    post("Contacts/AddContacts", add_contacts, AddedList=None, ErroneousList=None),
    post("Contacts/UploadExcel", upload_excel, FILES, AddedList=None, ErroneousList=None),
    post("Contacts/UpdateContact", update_contact),
    post("Contacts/TransferContactsToGroup", transfer_contacts, MovedCount=0, DuplicateCount=0),
    post("Contacts/DeleteContacts", delete_contacts),
)
