"""The contacts: ``client.contacts``."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterable
from typing import Any

import attrs

from ..common import checks
from ..common.fields import Mobile, TehranTime, named
from ..common.numbers import normalize_recipient
from ..common.paging import iterate_pages
from ..common.structuring import decode
from ..common.uploads import FileSource, make_upload
from . import operations
from .wire import Arguments, Envelope, Requester, read_list, read_model, read_nothing

EXCEL_ENDINGS = (".xls", ".xlsx")


class Emoji(enum.IntEnum):
    """The little picture of a contact."""

    UNKNOWN = 1
    MAN = 2
    WOMAN = 3


@attrs.frozen
class NewContact:
    """A contact to be added, or what a contact shall be.

    Attributes:
        mobile: The mobile number.
        prefix: The title, such as ``آقای``.
        first_name: The first name.
        last_name: The last name.
        emoji: The picture.
    """

    mobile: str = attrs.field(repr=False)
    prefix: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    emoji: Emoji | int | None = None


@attrs.frozen
class AddedContact:
    """What the gateway says of a contact that was to be added.

    Attributes:
        mobile: The mobile number.
        prefix: The title.
        first_name: The first name.
        last_name: The last name.
        emoji: The picture.
    """

    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=named("Mobile"))
    prefix: str | None = attrs.field(default=None, repr=False, metadata=named("Prefix"))
    first_name: str | None = attrs.field(default=None, repr=False, metadata=named("FirstName"))
    last_name: str | None = attrs.field(default=None, repr=False, metadata=named("LastName"))
    emoji: Emoji | int | None = attrs.field(default=None, metadata=named("EmojiId"))


@attrs.frozen
class Contact:
    """A contact in a group.

    Attributes:
        relation_id: The id of its membership in the group, by which messages and changes name it.
        id: The contact's own id; only `Contacts.from_last_id` tells it.
        group_id: The group; `Contacts.search` does not tell it.
        group_name: The group's name.
        prefix: The title.
        first_name: The first name.
        last_name: The last name.
        mobile: The mobile number.
        emoji: The picture.
        created_at: When it was added.
        persian_created_at: The same in the Persian calendar, as the vendor writes it.
        remaining_seconds: How long it is until the contact may get messages, after the SMS that told of the membership.
    """

    relation_id: int = attrs.field(metadata=named("ContactRelationId"))
    id: int | None = attrs.field(default=None, metadata=named("Id"))
    group_id: int | None = attrs.field(default=None, metadata=named("GroupId"))
    group_name: str | None = attrs.field(default=None, metadata=named("GroupName"))
    prefix: str | None = attrs.field(default=None, repr=False, metadata=named("Prefix"))
    first_name: str | None = attrs.field(default=None, repr=False, metadata=named("FirstName"))
    last_name: str | None = attrs.field(default=None, repr=False, metadata=named("LastName"))
    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=named("Mobile"))
    emoji: Emoji | int | None = attrs.field(default=None, metadata=named("EmojiId"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    persian_created_at: str | None = attrs.field(default=None, metadata=named("PersianCreationDateTime"))
    remaining_seconds: float | None = attrs.field(default=None, metadata=named("RemainedSecondsToBeValid"))


@attrs.frozen
class CancelledContact(Contact):
    """A contact that has cancelled its membership.

    Attributes:
        cancelled_at: When.
        persian_cancelled_at: The same in the Persian calendar, as the vendor writes it.
    """

    cancelled_at: TehranTime | None = attrs.field(default=None, metadata=named("CancellationDateTime"))
    persian_cancelled_at: str | None = attrs.field(default=None, metadata=named("PersianCancellationDateTime"))


@attrs.frozen
class CancelledPage:
    """A page of contacts that have cancelled.

    Attributes:
        contacts: The contacts of this page.
        total: How many there are on all pages.
    """

    contacts: list[CancelledContact] = attrs.field(factory=list[CancelledContact], metadata=named("ContactDetails"))
    total: int | None = attrs.field(default=None, metadata=named("CancelledContactCount"))


@attrs.frozen
class AddedContacts:
    """What became of contacts that were to be added. Both lists can hold some.

    Attributes:
        added: Those that were added.
        erroneous: Those that were not.
        group_id: The group; `Contacts.upload_excel` does not tell it.
    """

    added: list[AddedContact] = attrs.field(factory=list[AddedContact], metadata=named("AddedList"))
    erroneous: list[AddedContact] = attrs.field(factory=list[AddedContact], metadata=named("ErroneousList"))
    group_id: int | None = attrs.field(default=None, metadata=named("GroupId"))


_read_contacts = read_list("ContactDetails", Contact)


def _read_cancelled(envelope: Envelope, http_status: int) -> CancelledPage:
    return decode(envelope, CancelledPage, path="", http_status=http_status)


class Contacts:
    """The contacts. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def add(self, group_id: int, contacts: Iterable[NewContact]) -> AddedContacts:
        """Add contacts to a group. Vendor method: ``AddContacts``.

        Each gets an SMS that tells of the membership, and can only get messages after a while.

        Args:
            group_id: The group.
            contacts: At least one.
        """
        return await self._request(
            operations.CONTACTS_ADD,
            lambda: Arguments(
                body={
                    "ContactsDetails": [
                        _new_details(entry, f"contacts[{index}]")
                        for index, entry in enumerate(checks.require_list(contacts, "contacts"))
                    ],
                    "GroupId": checks.require_id(group_id, "group_id"),
                }
            ),
            read_model(AddedContacts),
        )

    async def update(
        self, contact_relation_id: int, contact: NewContact | Contact, *, group_id: int | None = None
    ) -> None:
        """Change a contact. Vendor method: ``UpdateContact``.

        Args:
            contact_relation_id: Which contact, by its relation id.
            contact: What it shall be, perhaps one that was read, with ``attrs.evolve``. What is None stays as it is; an
                empty name or title is taken away.
            group_id: The group to move it to; by default it stays.
        """

        def arguments() -> Arguments:
            relation = {"ContactGroupRelationId": checks.require_id(contact_relation_id, "contact_relation_id")}
            group = {"GroupId": 0 if group_id is None else checks.require_id(group_id, "group_id")}
            checks.require_instance(contact, Contact if isinstance(contact, Contact) else NewContact, "contact")
            return Arguments(body=relation | _details(contact, "contact", may_be_empty=True) | group)

        await self._request(operations.CONTACTS_UPDATE, arguments, read_nothing)

    async def upload_excel(self, group_id: int, file: FileSource, *, file_name: str | None = None) -> AddedContacts:
        """Add the contacts of an Excel file to a group. Vendor method: ``UploadExcel``.

        Args:
            group_id: The group.
            file: A path, bytes, or a file open for reading bytes; it is streamed, and read anew if it must be repeated.
            file_name: Its name, which must end in ``.xls`` or ``.xlsx``; by default that of the file.
        """

        def arguments() -> Arguments:
            group = checks.require_id(group_id, "group_id")
            upload = make_upload(
                "File", file, file_name=file_name, fields={"groupId": str(group)}, endings=EXCEL_ENDINGS
            )
            return Arguments({"groupId": group}, upload=upload)

        return await self._request(operations.CONTACTS_UPLOAD_EXCEL, arguments, read_model(AddedContacts))

    async def search(
        self,
        *,
        prefix: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        mobile: str | None = None,
        group_id: int | None = None,
        page: int = 0,
    ) -> list[Contact]:
        """Search the contacts, 50 a page. Vendor method: ``SearchContacts``.

        Args:
            prefix: The title.
            first_name: The first name.
            last_name: The last name.
            mobile: The mobile number.
            group_id: The group.
            page: The first page is 0.
        """

        def arguments() -> Arguments:
            texts = {"prefix": prefix, "firstname": first_name, "lastname": last_name}
            named = {"prefix": "prefix", "firstname": "first_name", "lastname": "last_name"}
            query: dict[str, str | int | None] = {
                name: None if value is None else checks.require_text(value, named[name])
                for name, value in texts.items()
            }
            query["mobile"] = None if mobile is None else normalize_recipient(mobile, "mobile")
            query["groupid"] = None if group_id is None else checks.require_id(group_id, "group_id")
            query["pageid"] = checks.require_index(page, "page")
            return Arguments(query)

        return await self._request(operations.CONTACTS_SEARCH, arguments, read_list("Contacts", Contact))

    async def from_last_id(self, last_id: int = 0) -> list[Contact]:
        """Fetch 50 from an id on. Vendor method: ``GetContactsFromLastId``.

        Args:
            last_id: The contact's own id to go on from; 0 is the newest.
        """
        return await self._request(
            operations.CONTACTS_FROM_LAST_ID,
            lambda: Arguments({"lastid": checks.require_index(last_id, "last_id")}),
            _read_contacts,
        )

    async def in_group(self, group_id: int, page: int = 0) -> list[Contact]:
        """Fetch a page of the contacts of a group. Vendor method: ``GetContactsByGroupIdByPageId``.

        Args:
            group_id: The group.
            page: The first page is 0.
        """
        return await self._request(
            operations.CONTACTS_IN_GROUP,
            lambda: Arguments(
                {"groupId": checks.require_id(group_id, "group_id"), "pageId": checks.require_index(page, "page")}
            ),
            _read_contacts,
        )

    async def cancelled(self, page: int = 0) -> CancelledPage:
        """Fetch a page of 50 of those who have cancelled. Vendor method: ``GetCancelledContactsByPageId``.

        Args:
            page: The first page is 0.
        """
        return await self._request(
            operations.CONTACTS_CANCELLED,
            lambda: Arguments({"pageId": checks.require_index(page, "page")}),
            _read_cancelled,
        )

    async def page(self, page: int = 0) -> list[Contact]:
        """Fetch a page of 50 of all contacts. Vendor method: ``GetContactsByPageId``.

        Args:
            page: The first page is 0.
        """
        return await self._request(
            operations.CONTACTS_PAGE,
            lambda: Arguments({"pageId": checks.require_index(page, "page")}),
            _read_contacts,
        )

    async def delete(self, ids: Iterable[int]) -> None:
        """Remove contacts. Vendor method: ``DeleteContacts``.

        Args:
            ids: Their ids. The vendor leaves open whether it means the contacts' own ids or their relation ids.
        """
        await self._request(
            operations.CONTACTS_DELETE, lambda: Arguments(body={"Ids": checks.require_ids(ids, "ids")}), read_nothing
        )

    def iterate(self, group_id: int | None = None) -> AsyncIterator[Contact]:
        """Go through all contacts, or all of a group, none of them twice.

        Args:
            group_id: The group; all by default.
        """
        if group_id is None:
            return iterate_pages(self.page, _relation_id)
        return iterate_pages(lambda page: self.in_group(group_id, page), _relation_id)


def _relation_id(contact: Contact) -> int:
    return contact.relation_id


def _new_details(contact: NewContact, argument: str) -> dict[str, Any]:
    checks.require_instance(contact, NewContact, argument)
    return _details(contact, argument)


def _details(contact: NewContact | Contact, argument: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    details: dict[str, Any] = {"Mobile": normalize_recipient(contact.mobile, f"{argument}.mobile")}
    for name, attribute in (("Prefix", "prefix"), ("FirstName", "first_name"), ("LastName", "last_name")):
        if (value := getattr(contact, attribute)) is not None:
            is_taken_away = may_be_empty and value == ""
            details[name] = value if is_taken_away else checks.require_text(value, f"{argument}.{attribute}")
    if contact.emoji is not None:
        details["EmojiId"] = checks.require_between(contact.emoji, f"{argument}.emoji", 1, 3)
    return details
