"""What the gateway keeps beside contacts: sends, drafts, tickets, notifications, transactions, ready-made texts."""

from __future__ import annotations

from datetime import datetime

from attrs import Factory, define

from ..ledger import Message
from ..uploads import Upload


@define(eq=False)
class Batch:
    """One send: `id` is its MessageId, `key` its BatchKey."""

    id: int
    key: str
    text: str
    sent_at: datetime
    messages: list[Message]


@define(eq=False)
class Draft:
    """A text kept for later."""

    id: int
    text: str
    created_at: datetime


@define(eq=False)
class Attachment:
    """A file of a ticket; `key` stands in its address."""

    key: str
    upload: Upload


@define(eq=False)
class TicketReply:
    """An answer to a ticket, by the user or by the staff."""

    id: int
    body: str
    created_at: datetime
    by_staff: bool
    attachment: Attachment | None = None


@define(eq=False)
class Ticket:
    """A question to the support."""

    id: int
    subject: str
    body: str
    priority_id: int
    department_id: int
    status_id: int
    created_at: datetime
    attachment: Attachment | None = None
    replies: list[TicketReply] = Factory(list[TicketReply])


@define(eq=False)
class Notification:
    """A notice of the vendor to its users."""

    id: int
    title: str
    text: str
    created_at: datetime
    start_at: datetime
    end_at: datetime
    is_read: bool = False


@define(eq=False)
class Transaction:
    """A payment to the account."""

    id: int
    amount: float
    created_at: datetime
    description: str
    is_valid: bool


@define(eq=False)
class Question:
    """A frequently asked question."""

    question: str
    answer: str
    created_at: datetime
    is_active: bool
    priority: int
    platform_id: int


@define(eq=False)
class OccasionalMessage:
    """A ready-made text for an occasion."""

    text: str
    created_at: datetime
    expires_at: datetime


@define(eq=False)
class OccasionalCategory:
    """Ready-made texts of one kind."""

    id: int
    name: str
    messages: list[OccasionalMessage]
