"""The groups of contacts: ``client.groups``."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, TypeVar

from ..common import checks
from ..common.calls import Operation
from ..common.errors import InvalidRequestError
from ..common.paging import iterate_pages
from . import wire
from .models import Contact, Group
from .wire import Envelope, Fields

T = TypeVar("T")
# Inside the class, `list` is the method.
ContactList: TypeAlias = list[Contact]
GroupList: TypeAlias = list[Group]


class Requester(Protocol):
    """What the client lends to this class: run one operation."""

    def __call__(
        self, operation: Operation, fields: Callable[[], Fields], read: Callable[[Envelope], T], /
    ) -> Awaitable[T]:
        """Run the operation."""
        ...


class Groups:
    """The groups of contacts of an account. Every method raises `PayamakError`; see `GhasedakClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def create(self, name: str, *, parent_id: int | None = None) -> int:
        """Make a group and return its id. Vendor method: group new, ``contact/group/new``.

        Args:
            name: The group's name.
            parent_id: The group to make it in; 0 is the root, as is the default.
        """
        return await self._request(
            wire.GROUPS_CREATE,
            lambda: {
                "name": checks.require_text(name, "name"),
                "parent": None if parent_id is None else str(checks.require_index(parent_id, "parent_id")),
            },
            wire.read_group_id,
        )

    async def add_contacts(self, group_id: int, contacts: Iterable[Contact]) -> None:
        """Put up to 100 contacts into a group. Vendor method: group addnumber, ``contact/group/addnumber``.

        Args:
            group_id: The group.
            contacts: 1 to 100. Names and addresses may hold no comma, by which the gateway separates them.
        """
        await self._request(wire.GROUPS_ADD_CONTACTS, lambda: wire.contact_fields(group_id, contacts), _ignore)

    async def list(self, parent_id: int = 0) -> GroupList:
        """List the groups in a group. Vendor method: group list, ``contact/group/list``.

        Args:
            parent_id: The group to look into; 0 is the root.
        """
        return await self._request(
            wire.GROUPS_LIST,
            lambda: {"parent": str(checks.require_index(parent_id, "parent_id"))},
            lambda envelope: wire.decode_items(envelope, GroupList),
        )

    async def contacts(self, group_id: int, *, page: int | None = None, page_size: int = 100) -> ContactList:
        """Fetch one page of the contacts of a group. Vendor method: group listnumber, ``contact/group/listnumber``.

        Args:
            group_id: The group.
            page: As the gateway counts, which the vendor's document leaves open: by its text the first page is 1, its
                samples ask for 0. `iterate_contacts` copes with both. By default the gateway's first page.
            page_size: 1 to 100.
        """
        return await self._request(
            wire.GROUPS_CONTACTS,
            lambda: {
                "groupid": str(checks.require_id(group_id, "group_id")),
                "offset": str(checks.require_between(page_size, "page_size", 1, wire.MAX_ENTRIES)),
                "page": None if page is None else str(checks.require_between(page, "page", 0, 2**31)),
            },
            lambda envelope: wire.decode_items(envelope, ContactList),
        )

    async def iterate_contacts(self, group_id: int, *, page_size: int = 100) -> AsyncIterator[Contact]:
        """Go through all contacts of a group, page by page.

        It works whether the gateway's first page is 0 or 1, and ends even if the gateway repeats a page for ever.

        Args:
            group_id: The group.
            page_size: How many to fetch at once, 1 to 100.
        """
        previous: ContactList = []
        first = 0

        async def fetch(page: int) -> Sequence[tuple[tuple[int, int], Contact]]:
            nonlocal previous, first
            found = await self._contacts_if_there(group_id, first + page, page_size)
            if (first + page == 0 and not found) or (first + page == 1 and found == previous):
                first = 1  # There is no page 0, or it is page 1 once more.
                found = await self.contacts(group_id, page=first + page, page_size=page_size)
            if found == previous:
                return []
            previous = found
            # The gateway does not tell the id of a contact: its place must do.
            return [((page, place), contact) for place, contact in enumerate(found)]

        async for _, contact in iterate_pages(fetch, operator.itemgetter(0)):
            yield contact

    async def _contacts_if_there(self, group_id: int, page: int, page_size: int) -> ContactList:
        try:
            return await self.contacts(group_id, page=page, page_size=page_size)
        except InvalidRequestError:
            if page:
                raise
            return []

    async def rename(self, group_id: int, name: str) -> None:
        """Give a group another name. Vendor method: group edit, ``contact/group/edit``.

        Args:
            group_id: The group.
            name: Its new name.
        """
        await self._request(
            wire.GROUPS_RENAME,
            lambda: {
                "groupid": str(checks.require_id(group_id, "group_id")),
                "name": checks.require_text(name, "name"),
            },
            _ignore,
        )

    async def delete(self, group_id: int) -> None:
        """Remove a group. Vendor method: group remove, ``contact/group/remove``.

        Args:
            group_id: The group.
        """
        await self._request(
            wire.GROUPS_DELETE, lambda: {"groupid": str(checks.require_id(group_id, "group_id"))}, _ignore
        )

    async def remove_contacts(self, group_id: int, record_ids: Iterable[int]) -> None:
        """Take contacts out of a group. Vendor method: number remove, ``contact/group/number/remove``.

        Args:
            group_id: The group.
            record_ids: 1 to 100 record ids of its contacts. The web service does not tell them: see the panel.
        """
        await self._request(
            wire.GROUPS_REMOVE_CONTACTS,
            lambda: {
                "groupid": str(checks.require_id(group_id, "group_id")),
                "ids": ",".join(wire.ids_of(record_ids, "record_ids", most=wire.MAX_ENTRIES)),
            },
            _ignore,
        )


def _ignore(_envelope: Envelope) -> None:
    """The gateway answers with success and nothing else."""
