"""Contacts by page, by last id, by group and by name."""

from __future__ import annotations

from ..jalali import jalali_text
from .contacts import Person, person_item
from .envelope import Payload
from .groups import find_group
from .operation import Call, get
from .paging import after_last_id, page
from .phone_book import Membership
from .state import State


def get_by_page(state: State, call: Call) -> Payload:
    """`GetContactsByPageId`: every membership is an item."""
    chosen = page(state.phone_book.memberships(), call.fields.integer("pageId", "pageld"))
    return {"ContactDetails": [_detail(state, membership) for membership in chosen]}


def get_from_last_id(state: State, call: Call) -> Payload:
    """`GetContactsFromLastId`.

    INFERRED: each contact is one item, with its newest membership, and the last id is a contact id. With an item for
    each membership, a contact's second one could be lost between two answers.
    """
    newest = {membership.contact.id: membership for membership in reversed(state.phone_book.memberships())}
    by_id = [newest[contact_id] for contact_id in sorted(newest, reverse=True)]
    chosen = after_last_id(state, by_id, call.fields.integer("lastid"), lambda membership: membership.contact.id)
    return {"ContactDetails": [{"Id": one.contact.id, **_detail(state, one)} for one in chosen]}


def get_by_group(state: State, call: Call) -> Payload:
    """`GetContactsByGroupIdByPageId`. Group 0 is all groups; an unknown one is a failure (INFERRED)."""
    group_id = call.fields.integer("groupId") or None
    if group_id is not None:
        find_group(state, group_id)
    chosen = page(state.phone_book.memberships(group_id), call.fields.integer("pageId"))
    items = [_detail(state, membership) for membership in chosen]
    if state.switches.nulls != "none":
        # The vendor's own SDK reports this null, from this method only.
        items = [{**item, "CreationDateTime": None} for item in items]
    return {"ContactDetails": items}


def get_cancelled(state: State, call: Call) -> Payload:
    """`GetCancelledContactsByPageId`."""
    cancelled = state.phone_book.cancelled()
    items: list[Payload] = []
    for membership in page(cancelled, call.fields.integer("pageId")):
        moment = membership.cancelled_at or membership.created_at
        cancellation: Payload = {"CancellationDateTime": moment, "PersianCancellationDateTime": jalali_text(moment)}
        items.append({**_member(state, membership), **_dates(membership), **cancellation})
    return {"ContactDetails": items, "CancelledContactCount": len(cancelled)}


def search(state: State, call: Call) -> Payload:
    """`SearchContacts`: every given word is part of its field, in any case (INFERRED)."""
    wanted = {name: (call.fields.text(name) or "").strip().casefold() for name in ("prefix", "firstname", "lastname")}
    mobile = (call.fields.text("mobile") or "").strip().removeprefix("+98").lstrip("0")
    found = [
        membership
        for membership in state.phone_book.memberships(call.fields.integer("groupid") or None)
        if mobile in membership.contact.mobile and _has_names(membership, wanted)
    ]
    items = [_member(state, membership) for membership in page(found, call.fields.integer("pageid"))]
    return {"Contacts": [{key: value for key, value in item.items() if key != "GroupId"} for item in items]}


def _has_names(membership: Membership, wanted: dict[str, str]) -> bool:
    contact = membership.contact
    names = {"prefix": contact.prefix, "firstname": contact.first_name, "lastname": contact.last_name}
    return all(word in (names[name] or "").casefold() for name, word in wanted.items())


def _member(state: State, membership: Membership) -> Payload:
    contact, group = membership.contact, find_group(state, membership.group_id)
    person = Person(contact.mobile, contact.prefix, contact.first_name, contact.last_name, contact.emoji)
    return {
        "ContactRelationId": membership.relation_id,
        "GroupId": group.id,
        "GroupName": group.name,
        **person_item(state, contact.mobile, person),
    }


def _dates(membership: Membership) -> Payload:
    moment = membership.created_at
    return {"CreationDateTime": moment, "PersianCreationDateTime": jalali_text(moment)}


def _detail(state: State, membership: Membership) -> Payload:
    remaining = state.phone_book.remaining_seconds(membership.contact)
    return {**_member(state, membership), **_dates(membership), "RemainedSecondsToBeValid": remaining}


OPERATIONS = (
    get("Contacts/SearchContacts", search, Contacts=None),
    get("Contacts/GetContactsFromLastId", get_from_last_id, ContactDetails=None),
    get("Contacts/GetContactsByGroupIdByPageId", get_by_group, ContactDetails=None),
    get("Contacts/GetCancelledContactsByPageId", get_cancelled, ContactDetails=None, CancelledContactCount=0),
    get("Contacts/GetContactsByPageId", get_by_page, ContactDetails=None),
)
