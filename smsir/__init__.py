"""sms.ir: an asyncio client for all methods of its web service for White SMS."""

from typing import TYPE_CHECKING

from ..common import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    HttpSession,
    InvalidArgumentError,
    InvalidRequestError,
    JournalError,
    NotFoundError,
    OnUnknown,
    Outcome,
    OutgoingMessage,
    PayamakError,
    PermissionDeniedError,
    Progress,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    SendReport,
    ServiceUnavailableError,
    Timeout,
    TransportError,
)
from ..common.late import load_late
from ..common.tokens import MemoryTokenStore, Token, TokenStore
from .account import Account, Question
from .client import SmsIrClient
from .errors import TokenRejection
from .messages import Messages, RecipientCount, RecipientStatus, SentBatch, SentMessage, SentRecipient

if TYPE_CHECKING:
    from .contacts import (
        AddedContact,
        AddedContacts,
        CancelledContact,
        CancelledPage,
        Contact,
        Contacts,
        Emoji,
        NewContact,
    )
    from .drafts import Draft, Drafts
    from .groups import ContactGroup, Groups, Transfer
    from .notifications import Notification, Notifications
    from .occasional_messages import OccasionalCategory, OccasionalMessage, OccasionalMessages
    from .tickets import Choice, NewReply, NewTicket, Ticket, TicketOptions, TicketReply, Tickets, TicketStatus
    from .transactions import Transaction, Transactions
else:  # Each area is loaded with its first use: together they took two fifths of the time of the import.
    __getattr__ = load_late(
        __name__,
        {
            "contacts": [
                "AddedContact",
                "AddedContacts",
                "CancelledContact",
                "CancelledPage",
                "Contact",
                "Contacts",
                "Emoji",
                "NewContact",
            ],
            "drafts": ["Draft", "Drafts"],
            "groups": ["ContactGroup", "Groups", "Transfer"],
            "notifications": ["Notification", "Notifications"],
            "occasional_messages": ["OccasionalCategory", "OccasionalMessage", "OccasionalMessages"],
            "tickets": [
                "Choice",
                "NewReply",
                "NewTicket",
                "Ticket",
                "TicketOptions",
                "TicketReply",
                "Tickets",
                "TicketStatus",
            ],
            "transactions": ["Transaction", "Transactions"],
        },
    )

__all__ = [
    "Account",
    "AddedContact",
    "AddedContacts",
    "AuthenticationError",
    "CancelledContact",
    "CancelledPage",
    "Choice",
    "ClientStateError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "Contact",
    "ContactGroup",
    "Contacts",
    "Draft",
    "Drafts",
    "Emoji",
    "GatewayError",
    "Groups",
    "HttpSession",
    "InvalidArgumentError",
    "InvalidRequestError",
    "JournalError",
    "MemoryTokenStore",
    "Messages",
    "NewContact",
    "NewReply",
    "NewTicket",
    "NotFoundError",
    "Notification",
    "Notifications",
    "OccasionalCategory",
    "OccasionalMessage",
    "OccasionalMessages",
    "OnUnknown",
    "Outcome",
    "OutgoingMessage",
    "PayamakError",
    "PermissionDeniedError",
    "Progress",
    "Question",
    "RateLimitError",
    "RecipientCount",
    "RecipientStatus",
    "ReplyError",
    "RequestTimeoutError",
    "RetryPolicy",
    "SendReport",
    "SentBatch",
    "SentMessage",
    "SentRecipient",
    "ServiceUnavailableError",
    "SmsIrClient",
    "Ticket",
    "TicketOptions",
    "TicketReply",
    "TicketStatus",
    "Tickets",
    "Timeout",
    "Token",
    "TokenRejection",
    "TokenStore",
    "Transaction",
    "Transactions",
    "Transfer",
    "TransportError",
]


def __dir__() -> list[str]:
    return __all__
