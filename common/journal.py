"""What `send_many` writes down: the protocol of a journal, and its entries."""

from .many.journal import Journal, JournalEntry

__all__ = ["Journal", "JournalEntry"]
