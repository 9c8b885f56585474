"""The groups of contacts: ``client.groups``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from ..common import checks
from ..common.errors import ReplyError
from ..common.fields import TehranTime, named
from . import operations
from .wire import Arguments, Envelope, Requester, read_list, read_model, read_nothing


@attrs.frozen
class ContactGroup:
    """A group of contacts.

    Attributes:
        id: The gateway's id of it.
        name: Its name, which no other group has.
        contacts_count: How many contacts are in it.
        invalid_contacts_count: How many of them still wait after the SMS that told them of their membership.
        color: Its colour, such as ``#ffffff``.
        created_at: When it was made; only `Groups.create` and `Groups.update` tell it.
    """

    id: int = attrs.field(metadata=named("GroupId"))
    name: str | None = attrs.field(default=None, metadata=named("Name", also="GroupName"))
    contacts_count: int | None = attrs.field(default=None, metadata=named("ContactsCount"))
    invalid_contacts_count: int | None = attrs.field(default=None, metadata=named("InvalidContactsCount"))
    color: str | None = attrs.field(default=None, metadata=named("Color"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))


@attrs.frozen
class Transfer:
    """What became of contacts that were to change their group.

    Attributes:
        moved: How many were moved.
        duplicates: How many stayed, because the new group has them already.
    """

    moved: int = attrs.field(metadata=named("MovedCount"))
    duplicates: int = attrs.field(metadata=named("DuplicateCount"))


_FIRST_GREGORIAN_YEAR = 1900
_read_as_it_is = read_model(ContactGroup)


def _read_group(envelope: Envelope, http_status: int) -> ContactGroup:
    """Read a group, whose time alone the document calls a text: what is no date, or a Persian one, is left out."""
    try:
        group = _read_as_it_is(envelope, http_status)
    except ReplyError as error:
        if error.field != "created_at":
            raise
        group = _read_as_it_is({**envelope, "CreationDateTime": None}, http_status)
    is_persian = group.created_at is not None and group.created_at.year < _FIRST_GREGORIAN_YEAR
    return attrs.evolve(group, created_at=None) if is_persian else group


# Inside the class, `list` is the method.
GroupList: TypeAlias = list[ContactGroup]


class Groups:
    """The groups of contacts. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def list(self) -> GroupList:
        """List all groups. Vendor method: ``GetContactGroups``."""
        return await self._request(operations.GROUPS_LIST, Arguments, read_list("ContactGroups", ContactGroup))

    async def create(self, name: str, color: str | None = None) -> ContactGroup:
        """Make a group. Vendor method: ``AddOrUpdateContactGroup`` with ``GroupId`` 0.

        Args:
            name: Its name, which no other group may have.
            color: Its colour, such as ``#ffffff``.
        """
        return await self._request(operations.GROUPS_CREATE, lambda: _group_arguments(0, name, color), _read_group)

    async def update(self, group_id: int, name: str, color: str | None = None) -> ContactGroup:
        """Change a group's name and colour. Vendor method: ``AddOrUpdateContactGroup``.

        Args:
            group_id: The group.
            name: Its new name.
            color: Its new colour.
        """
        return await self._request(
            operations.GROUPS_UPDATE,
            lambda: _group_arguments(checks.require_id(group_id, "group_id"), name, color),
            _read_group,
        )

    async def delete(self, group_id: int) -> None:
        """Remove a group. Vendor method: ``DeleteContactGroup``, a GET that is never repeated.

        Args:
            group_id: The group.
        """
        await self._request(
            operations.GROUPS_DELETE,
            lambda: Arguments({"groupId": checks.require_id(group_id, "group_id")}),
            read_nothing,
        )

    async def clear(self, group_ids: Iterable[int]) -> None:
        """Remove all contacts of some groups. Vendor method: ``DeleteGroupContacts``.

        Args:
            group_ids: The groups.
        """
        await self._request(
            operations.GROUPS_CLEAR,
            lambda: Arguments(body={"GroupIds": checks.require_ids(group_ids, "group_ids")}),
            read_nothing,
        )

    async def transfer(self, contact_relation_ids: Iterable[int], to_group_id: int) -> Transfer:
        """Move contacts into another group. Vendor method: ``TransferContactsToGroup``.

        Args:
            contact_relation_ids: The relation ids of the contacts.
            to_group_id: Where to.
        """
        return await self._request(
            operations.GROUPS_TRANSFER,
            lambda: Arguments(
                body={
                    "ContactGroupRelationId": checks.require_ids(contact_relation_ids, "contact_relation_ids"),
                    "NewGroupId": checks.require_id(to_group_id, "to_group_id"),
                }
            ),
            read_model(Transfer),
        )


def _group_arguments(group_id: int, name: str, color: str | None) -> Arguments:
    body = {"GroupId": group_id, "GroupName": checks.require_text(name, "name")}
    if color is not None:
        body["Color"] = checks.require_text(color, "color")
    return Arguments(body=body)
