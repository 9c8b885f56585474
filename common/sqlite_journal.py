"""A journal for `send_many` in an SQLite file. Needs ``pip install ".[journal]"`` in a clone of payamak."""

from .many.sqlite_journal import SqliteJournal

__all__ = ["SqliteJournal"]
