"""Sending many messages: the engine behind `send_many`, the same for all gateways. This is its one door."""

from .bulk_gateway import ABSENT, NO_TRACE, BulkGateway, Finding, RateLimiter, have_one_text, refuse_time
from .items import Item
from .journal import Journal, JournalEntry
from .resolving import resolve
from .sending import Plan, SendMany

__all__ = [
    "ABSENT",
    "NO_TRACE",
    "BulkGateway",
    "Finding",
    "Item",
    "Journal",
    "JournalEntry",
    "Plan",
    "RateLimiter",
    "SendMany",
    "have_one_text",
    "refuse_time",
    "resolve",
]
