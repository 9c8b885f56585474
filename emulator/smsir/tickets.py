"""Support tickets with replies and files."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import quote

from ..jalali import jalali_text
from ..uploads import Upload
from .envelope import ERROR_STATE, FailureError, Payload, argument, not_found
from .operation import FILES, Call, get, post
from .paging import after_last_id, page
from .records import Attachment, Ticket, TicketReply
from .seeds import (
    TICKET_ANSWERED,
    TICKET_CLOSED,
    TICKET_DEPARTMENTS,
    TICKET_OPEN,
    TICKET_PRIORITIES,
    TICKET_STATUSES,
)
from .state import State

FILES_PREFIX = "/users/files/"
_TICKET = "تیکت"
_KEY_BYTES = 16


def post_ticket(state: State, call: Call) -> Payload:
    """`PostNewTicket`. Priority and department are the first ones if none is given (INFERRED)."""
    priority_id = call.fields.integer("priorityId", default=1)
    department_id = call.fields.integer("departmentId", default=1)
    if priority_id not in TICKET_PRIORITIES:
        raise argument("priorityId")
    if department_id not in TICKET_DEPARTMENTS:
        raise argument("departmentId")
    ticket = Ticket(
        id=state.new_ticket_id(),
        subject=call.fields.required_text("Subject"),
        body=call.fields.required_text("Body"),
        priority_id=priority_id,
        department_id=department_id,
        status_id=TICKET_OPEN,
        created_at=state.clock.now(),
        attachment=_attach(call.file),
    )
    state.tickets[ticket.id] = ticket
    return {"TicketId": ticket.id}


def post_reply(state: State, call: Call) -> Payload:
    """`PostNewTicketReply`. A closed ticket takes none (INFERRED)."""
    ticket = find_ticket(state, call.fields.integer("ticketId", "ticketed"))
    reply = add_reply(state, ticket, call.fields.required_text("Body"), by_staff=False)
    reply.attachment = _attach(call.file)
    return {"TicketId": ticket.id, "TicketReplyId": reply.id}


def add_reply(state: State, ticket: Ticket, body: str, *, by_staff: bool) -> TicketReply:
    """Add a reply of either side."""
    if ticket.status_id == TICKET_CLOSED:
        raise FailureError(ERROR_STATE, "تیکت بسته شده است")
    reply = TicketReply(state.new_reply_id(), body, state.clock.now(), by_staff)
    ticket.replies.append(reply)
    ticket.status_id = TICKET_ANSWERED if by_staff else TICKET_OPEN
    return reply


def find_ticket(state: State, ticket_id: int) -> Ticket:
    """A ticket that must exist."""
    ticket = state.tickets.get(ticket_id)
    if ticket is None:
        raise not_found(_TICKET)
    return ticket


def find_attachment(state: State, key: str) -> Attachment | None:
    """A file of any ticket by the key in its address."""
    for ticket in state.tickets.values():
        for attachment in (ticket.attachment, *(reply.attachment for reply in ticket.replies)):
            if attachment is not None and attachment.key == key:
                return attachment
    return None


def get_ticket(state: State, call: Call) -> Payload:
    """`GetTicketById`."""
    ticket = find_ticket(state, call.fields.integer("ticketId"))
    replies = [
        {
            "TicketReplyId": reply.id,
            "Subject": ticket.subject,
            "Body": reply.body,
            "DownloadUrl": _url(state, call, reply.attachment),
            "CreationDateTime": reply.created_at,
            "PersianCreationDateTime": jalali_text(reply.created_at),
            "IsAdminReply": reply.by_staff,
        }
        for reply in ticket.replies
    ]
    return {
        "Subject": ticket.subject,
        "Body": ticket.body,
        "DownloadUrl": _url(state, call, ticket.attachment),
        "PersianCreationDateTime": jalali_text(ticket.created_at),
        "Status": ticket.status_id,
        "PriorityId": ticket.priority_id,
        "DepartmentId": ticket.department_id,
        "TicketReplyDetails": replies,
    }


def get_from_last_id(state: State, call: Call) -> Payload:
    """`GetTicketsFromLastId`: without the status, which only the method by page gives."""
    newest_first = list(reversed(state.tickets.values()))
    chosen = after_last_id(state, newest_first, call.fields.integer("lastId"), lambda ticket: ticket.id)
    return {"TicketDetails": _items(state, call, chosen)}


def get_by_page(state: State, call: Call) -> Payload:
    """`GetTicketsByPageId`."""
    chosen = page(list(reversed(state.tickets.values())), call.fields.integer("pageId"))
    items = _items(state, call, chosen)
    return {
        "TicketDetails": [
            {**item, "TicketStatusId": ticket.status_id} for item, ticket in zip(items, chosen, strict=True)
        ]
    }


def _items(state: State, call: Call, tickets: Iterable[Ticket]) -> list[Payload]:
    return [
        {
            "Id": ticket.id,
            "Subject": ticket.subject,
            "Body": ticket.body,
            "DownloadUrl": _url(state, call, ticket.attachment),
            "CreationDateTime": ticket.created_at,
            "PersianCreationDateTime": jalali_text(ticket.created_at),
            "PriorityId": ticket.priority_id,
            "DepartmentId": ticket.department_id,
        }
        for ticket in tickets
    ]


def get_choices(_state: State, _call: Call) -> Payload:
    """`GetTicketPrioritiesAndDepartments`: ids are texts here, and numbers everywhere else."""
    return {
        "TicketPriorities": [{"Id": str(key), "Name": name} for key, name in TICKET_PRIORITIES.items()],
        "Departments": [{"Id": str(key), "Title": name} for key, name in TICKET_DEPARTMENTS.items()],
    }


def get_statuses(_state: State, _call: Call) -> Payload:
    """`GetTicketStatus`."""
    return {"TicketStatus": [{"Id": key, "Status": name} for key, name in TICKET_STATUSES.items()]}


def close_ticket(state: State, call: Call) -> Payload:
    """`CloseTicket`; a second time it is a failure (INFERRED)."""
    ticket = find_ticket(state, call.fields.integer("ticketId"))
    if ticket.status_id == TICKET_CLOSED:
        raise FailureError(ERROR_STATE, "تیکت قبلا بسته شده است")
    ticket.status_id = TICKET_CLOSED
    return {}


def _attach(file: Upload | None) -> Attachment | None:
    return None if file is None else Attachment(secrets.token_hex(_KEY_BYTES), file)


def _url(state: State, call: Call, attachment: Attachment | None) -> str | None:
    if attachment is None:
        return state.text(None)
    return f"{call.origin}{FILES_PREFIX}{attachment.key}/{quote(attachment.upload.filename or 'file', safe='')}"


OPERATIONS = (
    post("Ticket/PostNewTicket", post_ticket, FILES, TicketId=0),
    post("Ticket/PostNewTicketReply", post_reply, FILES, TicketId=0, TicketReplyId=0),
    get(
        "Ticket/GetTicketById",
        get_ticket,
        "ticketId",
        Subject=None,
        Body=None,
        DownloadUrl=None,
        PersianCreationDateTime=None,
        Status=None,
        PriorityId=None,
        DepartmentId=None,
        TicketReplyDetails=None,
    ),
    get("Ticket/GetTicketsFromLastId", get_from_last_id, TicketDetails=None),
    get("Ticket/GetTicketsByPageId", get_by_page, TicketDetails=None),
    get("Ticket/GetTicketPrioritiesAndDepartments", get_choices, TicketPriorities=None, Departments=None),
    get("Ticket/GetTicketStatus", get_statuses, TicketStatus=None),
    get("Ticket/CloseTicket", close_ticket, "ticketId"),
)
