"""By what a message is known, in a sending and in its journal: its check id, or its content."""

from __future__ import annotations

import datetime
import functools
import hashlib

from ..errors import InvalidArgumentError
from ..numbers import normalize_line
from ..results import OutgoingMessage

_CONTENT = "content "
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE seen (key BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
"""


class KeyMaker:
    """Gives each message of one sending its key: the check id that you gave it, or its content (number, text, line and
    time) and the how manieth of its like it is.

    It never is its place in the input: rows are deleted, inserted and sorted between two runs. What has been seen is
    kept in a temporary file, so that a sending of millions needs no more memory than one of a thousand.
    """

    def __init__(self) -> None:
        import sqlite3  # noqa: PLC0415 -- few sendings have a journal or check ids

        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.executescript(_SCHEMA)

    def make(self, number: str, message: OutgoingMessage) -> tuple[str, bool]:
        """Make the key of a message to a number as it travels.

        Returns:
            The key, and whether an earlier message has it already, which only one with the same check id does.
        """
        if message.check_id is not None:
            key = f"check id {message.check_id.strip()}"
            return key, self._count(key.encode(errors="surrogatepass")) > 1
        digest = digest_content(number, message)
        key = f"{_CONTENT}{digest.hex()}"
        times = self._count(digest)
        return (key if times == 1 else f"{key} {times}"), False

    def close(self) -> None:
        """Drop what has been seen."""
        self._seen.close()

    def _count(self, key: bytes) -> int:
        """Count a key, and return how often it was counted."""
        if self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?, 1)", (key,)).rowcount:
            return 1
        self._seen.execute("UPDATE seen SET times = times + 1 WHERE key = ?", (key,))
        return int(self._seen.execute("SELECT times FROM seen WHERE key = ?", (key,)).fetchone()[0])


def is_content(key: str) -> bool:
    """Whether a key was made of content, so that no other message has it."""
    return key.startswith(_CONTENT)


def digest_content(number: str, message: OutgoingMessage) -> bytes:
    """What messages of the same number, text, line and time have in common, and no others."""
    at = "" if message.send_at is None else message.send_at.astimezone(datetime.UTC).isoformat()
    # The text comes last, for it alone may hold the mark that stands between them.
    content = f"{number}\0{clean_line(message.sender) or ''}\0{at}\0{message.text}"
    return hashlib.blake2b(content.encode(errors="surrogatepass"), digest_size=16).digest()


@functools.lru_cache(16)
def clean_line(sender: str | None) -> str | None:
    """A line as it travels, if it is one."""
    try:
        return sender and normalize_line(sender, "sender")
    except InvalidArgumentError:
        return sender
