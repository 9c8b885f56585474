"""Questions to the vendor's support: ``client.tickets``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import quote

import attrs

from ..common import checks
from ..common.errors import InvalidArgumentError
from ..common.fields import TehranTime, named
from ..common.paging import iterate_pages
from ..common.uploads import FileSource, Upload, make_upload
from . import operations
from .wire import Arguments, Requester, read_list, read_model, read_nothing


@attrs.frozen
class TicketReply:
    """A reply in a ticket.

    Attributes:
        id: Its id.
        subject: Its subject.
        body: Its text.
        download_url: Where its file is, if it has one.
        is_admin_reply: Whether the vendor's support wrote it.
        created_at: When.
        persian_created_at: The same in the Persian calendar, as the vendor writes it.
    """

    id: int | None = attrs.field(default=None, metadata=named("TicketReplyId"))
    subject: str | None = attrs.field(default=None, repr=False, metadata=named("Subject"))
    body: str | None = attrs.field(default=None, repr=False, metadata=named("Body"))
    download_url: str | None = attrs.field(default=None, repr=False, metadata=named("DownloadUrl"))
    is_admin_reply: bool | None = attrs.field(default=None, metadata=named("IsAdminReply"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    persian_created_at: str | None = attrs.field(default=None, metadata=named("PersianCreationDateTime"))


@attrs.frozen
class Ticket:
    """A ticket.

    Attributes:
        id: Its id.
        status_id: See `Tickets.statuses`; `Tickets.from_last_id` does not tell it.
        subject: Its subject.
        body: Its text.
        priority_id: See `Tickets.options`.
        department_id: See `Tickets.options`.
        download_url: Where its file is, if it has one.
        replies: The replies; only `Tickets.get` tells them.
        created_at: When; `Tickets.get` does not tell it.
        persian_created_at: The same in the Persian calendar, as the vendor writes it.
    """

    id: int | None = attrs.field(default=None, metadata=named("Id"))
    status_id: int | None = attrs.field(default=None, metadata=named("TicketStatusId", also="Status"))
    subject: str | None = attrs.field(default=None, repr=False, metadata=named("Subject"))
    body: str | None = attrs.field(default=None, repr=False, metadata=named("Body"))
    priority_id: int | None = attrs.field(default=None, metadata=named("PriorityId"))
    department_id: int | None = attrs.field(default=None, metadata=named("DepartmentId"))
    download_url: str | None = attrs.field(default=None, repr=False, metadata=named("DownloadUrl"))
    replies: list[TicketReply] = attrs.field(
        factory=list[TicketReply], metadata=named("TicketReplyDetails", also="TicketReplyDetail")
    )
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    persian_created_at: str | None = attrs.field(default=None, metadata=named("PersianCreationDateTime"))


@attrs.frozen
class NewTicket:
    """A ticket that was opened: its ``id``."""

    id: int = attrs.field(metadata=named("TicketId"))


@attrs.frozen
class NewReply:
    """A reply that was written: its ``id``, and the ``ticket_id`` of its ticket."""

    id: int = attrs.field(metadata=named("TicketReplyId"))
    ticket_id: int = attrs.field(metadata=named("TicketId"))


@attrs.frozen
class Choice:
    """A department or a priority: its ``id`` and its ``name``."""

    id: int = attrs.field(metadata=named("Id"))
    name: str | None = attrs.field(default=None, metadata=named("Name", also="Title"))


@attrs.frozen
class TicketOptions:
    """What a ticket can be opened with: the ``priorities`` and the ``departments``."""

    priorities: list[Choice] = attrs.field(factory=list[Choice], metadata=named("TicketPriorities"))
    departments: list[Choice] = attrs.field(factory=list[Choice], metadata=named("Departments"))


@attrs.frozen
class TicketStatus:
    """A status that a ticket can have: its ``id`` and its ``name``."""

    id: int = attrs.field(metadata=named("Id"))
    name: str | None = attrs.field(default=None, metadata=named("Status"))


LONGEST_TEXTS_IN_URL = 1500
_read_tickets = read_list("TicketDetails", Ticket)


class Tickets:
    """Questions to the vendor's support. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def open(
        self,
        subject: str,
        body: str,
        *,
        file: FileSource | None = None,
        file_name: str | None = None,
        department_id: int | None = None,
        priority_id: int | None = None,
    ) -> NewTicket:
        """Open a ticket. Vendor method: ``PostNewTicket``.

        Args:
            subject: The subject.
            body: The text.
            file: A file to go with it: a path, bytes, or a file open for reading bytes. It is streamed.
            file_name: Its name; by default that of the file.
            department_id: See `options`.
            priority_id: See `options`.
        """

        def arguments() -> Arguments:
            return _form(
                {
                    "Subject": checks.require_text(subject, "subject"),
                    "Body": checks.require_text(body, "body"),
                    "departmentId": None
                    if department_id is None
                    else checks.require_id(department_id, "department_id"),
                    "priorityId": None if priority_id is None else checks.require_id(priority_id, "priority_id"),
                },
                ("Subject", "Body"),
                file,
                file_name,
            )

        return await self._request(operations.TICKETS_OPEN, arguments, read_model(NewTicket))

    async def get(self, ticket_id: int) -> Ticket:
        """Fetch a ticket with its replies. Vendor method: ``GetTicketById``.

        Args:
            ticket_id: Which ticket.
        """
        ticket = await self._request(
            operations.TICKETS_GET,
            lambda: Arguments({"ticketId": checks.require_id(ticket_id, "ticket_id")}),
            read_model(Ticket),
        )
        return attrs.evolve(ticket, id=ticket_id)  # The gateway does not repeat it.

    async def from_last_id(self, last_id: int = 0) -> list[Ticket]:
        """Fetch 50 tickets from an id on. Vendor method: ``GetTicketsFromLastId``.

        Args:
            last_id: The id to go on from; 0 is the newest.
        """
        return await self._request(
            operations.TICKETS_FROM_LAST_ID,
            lambda: Arguments({"lastId": checks.require_index(last_id, "last_id")}),
            _read_tickets,
        )

    async def page(self, page: int = 0) -> list[Ticket]:
        """Fetch a page of 50 tickets. Vendor method: ``GetTicketsByPageId``.

        Args:
            page: The first page is 0.
        """
        return await self._request(
            operations.TICKETS_PAGE, lambda: Arguments({"pageId": checks.require_index(page, "page")}), _read_tickets
        )

    async def options(self) -> TicketOptions:
        """List the priorities and departments. Vendor method: ``GetTicketPrioritiesAndDepartments``."""
        return await self._request(operations.TICKETS_OPTIONS, Arguments, read_model(TicketOptions))

    async def close(self, ticket_id: int) -> None:
        """Close a ticket. Vendor method: ``CloseTicket``, a GET that is never repeated.

        Args:
            ticket_id: Which ticket.
        """
        await self._request(
            operations.TICKETS_CLOSE,
            lambda: Arguments({"ticketId": checks.require_id(ticket_id, "ticket_id")}),
            read_nothing,
        )

    async def reply(
        self, ticket_id: int, body: str, *, file: FileSource | None = None, file_name: str | None = None
    ) -> NewReply:
        """Write a reply. Vendor method: ``PostNewTicketReply``.

        Args:
            ticket_id: Which ticket.
            body: The text.
            file: As in `open`.
            file_name: As in `open`.
        """

        def arguments() -> Arguments:
            fields: dict[str, str | int | None] = {
                "ticketId": checks.require_id(ticket_id, "ticket_id"),
                "Body": checks.require_text(body, "body"),
            }
            return _form(fields, ("Body",), file, file_name)

        return await self._request(operations.TICKETS_REPLY, arguments, read_model(NewReply))

    async def statuses(self) -> list[TicketStatus]:
        """List the statuses that a ticket can have. Vendor method: ``GetTicketStatus``."""
        return await self._request(operations.TICKETS_STATUSES, Arguments, read_list("TicketStatus", TicketStatus))

    def iterate(self) -> AsyncIterator[Ticket]:
        """Go through all tickets, none of them twice."""
        return iterate_pages(self.page, lambda ticket: ticket.id)


def _form(
    fields: Mapping[str, str | int | None], texts: Iterable[str], file: FileSource | None, file_name: str | None
) -> Arguments:
    # The vendor's document names these as parts of the form, its samples put them into the query: they travel in both,
    # unless the texts are too long for a URL.
    parts = {name: str(value) for name, value in fields.items() if value is not None}
    if file is None:
        if file_name is not None:
            raise InvalidArgumentError("file_name is given, but no file", argument="file_name")
        upload = Upload(parts)
    else:
        upload = make_upload("File", file, file_name=file_name, fields=parts)
    query = dict(fields)
    room = LONGEST_TEXTS_IN_URL
    for name in sorted(texts, key=lambda name: len(parts[name])):
        room -= len(quote(parts[name]))
        if room < 0:
            del query[name]
    return Arguments(query, upload=upload)
