"""A journal for `send_many` in an SQLite file. It needs the extra ``journal``."""

from .many.sqlite_journal import SqliteJournal

__all__ = ["SqliteJournal"]
