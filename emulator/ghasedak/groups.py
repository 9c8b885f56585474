"""The seven `contact/group/...` methods."""

from __future__ import annotations

from collections.abc import Callable

from ..phone_numbers import normalise_mobile
from .contacts import ROOT
from .envelope import (
    ERROR_LENGTHS_DIFFER,
    ERROR_RECEPTOR,
    ERROR_SYSTEM,
    exception,
    invalid,
    not_found,
)
from .params import Params, check_list, split, split_ids
from .state import State

_MAX_PAGE_SIZE = 100


def new_group(state: State, params: Params) -> object:
    """`contact/group/new`."""
    (name,) = params.require("name")
    parent = params.integer("parent", ROOT)
    if parent != ROOT:
        _check_group(state, parent)
    return {"groupid": state.phone_book.add_group(name, parent).id}


def add_numbers(state: State, params: Params) -> object:
    """`contact/group/addnumber`. A number that is none refuses the call with error 8 (INFERRED)."""
    _, number_text = params.require("groupid", "number")
    group_id = _group(state, params)
    entries = check_list(split(number_text))
    numbers = [normalise_mobile(entry) for entry in entries]
    details = [_details(state, params, name, len(entries)) for name in ("firstname", "lastname", "email")]
    if None in numbers:
        raise exception(ERROR_RECEPTOR)
    for number, first_name, last_name, email in zip(numbers, *details, strict=True):
        state.phone_book.add_contact(group_id, number or "", first_name, last_name, email)
    return None


def list_groups(state: State, params: Params) -> object:
    """`contact/group/list`."""
    if state.switches.strict_required:
        params.require("parent")
    parent = params.integer("parent", ROOT)
    if parent != ROOT:
        _check_group(state, parent)
    groups = state.phone_book.groups(parent)
    return [{"id": group.id, "name": group.name, "parent": group.parent} for group in groups]


def list_numbers(state: State, params: Params) -> object:
    """`contact/group/listnumber`. A larger `offset` than 100 counts as 100 (INFERRED)."""
    group_id = _group(state, params)
    size = params.integer("offset", _MAX_PAGE_SIZE)
    first = state.switches.contacts_first_page
    page = params.integer("page", first)
    if size < 1:
        raise invalid("offset")
    if page < 0:
        raise invalid("page")
    size = min(size, _MAX_PAGE_SIZE)
    # The samples ask for page 0, so it must not be an error where pages count from 1 either.
    start = max(page - first, 0) * size
    contacts = state.phone_book.contacts(group_id)[start : start + size]
    return [
        {
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "number": contact.number,
            "email": contact.email,
        }
        for contact in contacts
    ]


def edit_group(state: State, params: Params) -> object:
    """`contact/group/edit`."""
    _, name = params.require("groupid", "name")
    state.phone_book.rename_group(_group(state, params), name)
    return None


def remove_group(state: State, params: Params) -> object:
    """`contact/group/remove`."""
    state.phone_book.remove_group(_group(state, params))
    return None


def remove_numbers(state: State, params: Params) -> object:
    """`contact/group/number/remove`. The vendor's own sample sends ids that are no numbers; those are passed over."""
    _, ids = params.require("groupid", "ids")
    group_id = _group(state, params)
    for entry in split_ids(ids):
        if entry.isascii() and entry.isdecimal():
            state.phone_book.remove_contact(group_id, int(entry))
    return None


def _group(state: State, params: Params) -> int:
    group_id = params.integer("groupid")
    _check_group(state, group_id)
    return group_id


def _check_group(state: State, group_id: int) -> None:
    if not state.phone_book.has_group(group_id):
        # INFERRED: no source tells what an unknown group brings.
        raise not_found() if state.switches.unknown_group == "not_found" else exception(ERROR_SYSTEM)


def _details(state: State, params: Params, name: str, count: int) -> list[str]:
    value = params.get(name)
    entries = split(value) if value is not None else []
    too_many = len(entries) > count
    too_few = bool(entries) and len(entries) < count
    if too_many or (too_few and state.switches.strict_contact_lists):
        raise exception(ERROR_LENGTHS_DIFFER)
    return entries + [""] * (count - len(entries))


OPERATIONS: dict[str, Callable[[State, Params], object]] = {
    "contact/group/new": new_group,
    "contact/group/addnumber": add_numbers,
    "contact/group/list": list_groups,
    "contact/group/listnumber": list_numbers,
    "contact/group/edit": edit_group,
    "contact/group/remove": remove_group,
    "contact/group/number/remove": remove_numbers,
}
