"""A journal for `send_many` in an SQLite file. Needs ``pip install ".[journal]"`` in a clone of payamak."""

from .many.sqlite_journal import Changes, SqliteJournal

__all__ = ["Changes", "SqliteJournal"]
