"""sms.ir: an asyncio client for all 40 methods of its web service for White SMS."""

from ..common import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    HttpSession,
    InvalidArgumentError,
    InvalidRequestError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    ServiceUnavailableError,
    Timeout,
    TransportError,
)
from ..common.tokens import MemoryTokenStore, Token, TokenStore
from .account import Account, Question
from .client import SmsIrClient
from .contacts import AddedContact, AddedContacts, CancelledContact, CancelledPage, Contact, Contacts, Emoji, NewContact
from .drafts import Draft, Drafts
from .errors import TokenRejection
from .groups import ContactGroup, Groups, Transfer
from .messages import Messages, RecipientCount, RecipientStatus, SentBatch, SentMessage, SentRecipient
from .notifications import Notification, Notifications
from .occasional_messages import OccasionalCategory, OccasionalMessage, OccasionalMessages
from .tickets import Choice, NewReply, NewTicket, Ticket, TicketOptions, TicketReply, Tickets, TicketStatus
from .transactions import Transaction, Transactions

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
    "Outcome",
    "PayamakError",
    "PermissionDeniedError",
    "Question",
    "RateLimitError",
    "RecipientCount",
    "RecipientStatus",
    "ReplyError",
    "RequestTimeoutError",
    "RetryPolicy",
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
