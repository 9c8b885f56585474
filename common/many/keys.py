"""By what a message is known, in a sending and in its journal: its check id, or its content."""

from __future__ import annotations

import datetime
import functools
import hashlib
import sqlite3
from collections.abc import Sequence

from ..errors import InvalidArgumentError, JournalError
from ..hiding import hides_arguments
from ..numbers import normalize_line
from ..results import OutgoingMessage

KEY_BYTES = 16
"""So long is what stands in a journal for a key."""
_CONTENT = "content "
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE seen (digest BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
BEGIN;
"""
# No RETURNING: it needs SQLite 3.35, and Debian 11 and its likes have an older one.
_COUNT = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET times = times + 1"
_LOOK_UP = "SELECT digest, times FROM seen WHERE digest IN "
_MOST_PARAMETERS = 500


class KeyMaker:
    """Gives each message of one sending its key: the check id that you gave it, or its content (number, text, line and
    time) and how many like it came before.

    It never is its place in the input: rows are deleted, inserted and sorted between two runs. What has been seen is
    kept in a temporary file, so that a sending of millions needs no more memory than one of a thousand.
    """

    def __init__(self) -> None:
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.executescript(_SCHEMA)

    @hides_arguments
    def make(self, messages: Sequence[tuple[str, OutgoingMessage]]) -> list[tuple[str, bool]]:
        """Make the keys of messages, each with its number as it travels.

        Returns:
            The keys, and whether an earlier message has it already, which only one with the same check id does.

        Raises:
            JournalError: What was seen cannot be kept, such as on a full disk.
        """
        digests = [_digest(number, message) for number, message in messages]
        try:
            times = self._count(digests)
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise JournalError(f"what was seen of the messages cannot be kept in a temporary file ({name})") from error
        named = zip(messages, digests, times, strict=True)
        return [_name(message.check_id, digest, times) for (_, message), digest, times in named]

    def close(self) -> None:
        """Drop what has been seen."""
        self._seen.close()

    def _count(self, digests: Sequence[bytes]) -> list[int]:
        """Count what has these digests, and return how often each was counted."""
        self._seen.executemany(_COUNT, [(digest,) for digest in digests])
        last: dict[bytes, int] = {}
        for start in range(0, len(digests), _MOST_PARAMETERS):
            part = digests[start : start + _MOST_PARAMETERS]
            last.update(self._seen.execute(f"{_LOOK_UP} ({', '.join('?' * len(part))})", part).fetchall())
        # Backwards, for what is alike here has been counted together.
        times: list[int] = []
        for digest in reversed(digests):
            times.append(last[digest])
            last[digest] -= 1
        return times[::-1]


class CheckIdKeys(KeyMaker):
    """Knows messages by the check ids that they all have. One that comes again is the same message."""

    def __init__(self) -> None:
        """Nothing need be remembered."""

    def make(self, messages: Sequence[tuple[str, OutgoingMessage]]) -> list[tuple[str, bool]]:
        """Make the keys of messages."""
        return [(_name(message.check_id, b"", 1)) for _, message in messages]

    def close(self) -> None:
        """Nothing is left."""


def require_hash_key(value: object) -> bytes:
    """Return the key of a journal's hashes, if it is one.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, bytes) or not 16 <= len(value) <= 64:
        raise InvalidArgumentError("hash_key must be 16 to 64 bytes", argument="hash_key")
    return value


def keyed_hash(value: str, key: bytes) -> hashlib.blake2b:
    """What stands in a journal for a number or a text."""
    return hashlib.blake2b(value.encode(errors="surrogatepass"), key=key, digest_size=KEY_BYTES)


def is_content(key: str) -> bool:
    """Whether a key was made of content, so that no other message has it."""
    return key.startswith(_CONTENT)


def _name(check_id: str | None, digest: bytes, times: int) -> tuple[str, bool]:
    if check_id is not None:
        return f"check id {check_id.strip()}", times > 1
    return f"{_CONTENT}{digest.hex()}" if times == 1 else f"{_CONTENT}{digest.hex()} {times}", False


def _digest(number: str, message: OutgoingMessage) -> bytes:
    """What messages of the same check id have in common, or of the same number, text, line and time."""
    if message.check_id is not None:
        content = f"check id\0{message.check_id.strip()}"
    else:
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
