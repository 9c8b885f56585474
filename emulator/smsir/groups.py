"""Groups of contacts."""

from __future__ import annotations

from .envelope import ERROR_DUPLICATE, FailureError, Payload, argument, not_found
from .operation import Call, get, post
from .phone_book import WHITE, Group
from .state import State

GROUP = "گروه"


def find_group(state: State, group_id: int) -> Group:
    """A group that must exist."""
    group = state.phone_book.group(group_id)
    if group is None:
        raise not_found(GROUP)
    return group


def add_or_update_group(state: State, call: Call) -> Payload:
    """`AddOrUpdateContactGroup`: id 0 creates."""
    group_id, name = call.fields.integer("GroupId"), call.fields.required_text("GroupName")
    color = call.fields.text("Color")
    existing = find_group(state, group_id) if group_id else None
    if state.phone_book.group_named(name) not in (None, existing):
        raise FailureError(ERROR_DUPLICATE, "عنوان گروه تکراری است")
    if existing is None:
        group = state.phone_book.add_group(name, color or WHITE)
    else:
        group = existing
        group.name, group.color = name, color or group.color
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "CreationDateTime": group.created_at,
        "ContactsCount": len(state.phone_book.memberships(group.id)),
    }


def get_groups(state: State, _call: Call) -> Payload:
    """`GetContactGroups`."""
    return {"ContactGroups": [_item(state, group) for group in state.phone_book.groups()]}


def _item(state: State, group: Group) -> Payload:
    members = state.phone_book.memberships(group.id)
    return {
        "GroupId": group.id,
        "Name": group.name,
        "Color": group.color,
        "ContactsCount": len(members),
        "InvalidContactsCount": sum(state.phone_book.is_waiting(member.contact) for member in members),
    }


def delete_group(state: State, call: Call) -> Payload:
    """`DeleteContactGroup`; a second time there is no such group, and that is a failure (INFERRED)."""
    state.phone_book.remove_group(find_group(state, call.fields.integer("groupId")).id)
    return {}


def delete_group_contacts(state: State, call: Call) -> Payload:
    """`DeleteGroupContacts`: all of these groups, or none if one does not exist (INFERRED)."""
    group_ids = call.fields.integers("GroupIds")
    if not group_ids:
        raise argument("GroupIds")
    groups = [find_group(state, group_id) for group_id in dict.fromkeys(group_ids)]
    for group in groups:
        for membership in state.phone_book.memberships(group.id):
            state.phone_book.remove(membership)
    return {}


OPERATIONS = (
    post(
        "Contacts/AddOrUpdateContactGroup",
        add_or_update_group,
        GroupId=0,
        GroupName=None,
        CreationDateTime=None,
        ContactsCount=0,
    ),
    get("Contacts/GetContactGroups", get_groups, ContactGroups=None),
    get("Contacts/DeleteContactGroup", delete_group),
    post("Contacts/DeleteGroupContacts", delete_group_contacts),
)
