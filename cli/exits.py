"""How the command ends: exit codes, and errors in one line."""

from __future__ import annotations

import contextlib
import enum
import logging
import re
import sys

from .output import escape_controls

_log = logging.getLogger(__name__)
_MOST_OF_A_BODY = 1000


class ExitCode(enum.IntEnum):
    """What the exit code means. docs/command-line.md has the same table. 128 and a signal's number: interrupted."""

    DONE = 0
    """All was done; every message was taken by the gateway."""
    REFUSED = 1
    """Something was refused, not sent or not found; the gateway could not be reached."""
    USAGE = 2
    """The command or the file that it was given is wrong."""
    UNKNOWN = 3
    """Of at least one message nobody knows whether it went out."""
    SETTINGS = 4
    """A setting or a credential is missing or wrong."""
    SETTLED = 5
    """Nothing was sent, because an earlier run had settled all of it."""

    @classmethod
    def of_signal(cls, number: int) -> int:
        """The exit code after a signal, as shells have it."""
        return 128 + number


class CommandError(Exception):
    """Ends the command. Its message holds no secret, no number and no text."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


class SettingsError(CommandError):
    """A setting is missing or wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.SETTINGS)


def complain(message: str) -> None:
    """Write one line to the error stream, whatever is in the message."""
    # Where a terminal is gone, the exit code still tells.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"payamak: {escape_controls(' '.join(message.split()))}\n")
        sys.stderr.flush()


def find_words(error: BaseException | None) -> str | None:
    """What the gateway itself has written: its sentence, or how an answer begins that cannot be understood."""
    body: bytes | None = getattr(error, "body", None)
    words = body[:_MOST_OF_A_BODY].decode("utf-8", "replace") if body else getattr(error, "gateway_message", None)
    return " ".join(str(words).split()) if words else None


def log_words(error: BaseException | None) -> None:
    """Tell those who asked for more what the gateway itself has written, which may quote a number or a text."""
    if words := find_words(error):
        _log.debug("%s says: %s", getattr(error, "gateway", None) or "the gateway", words)


def describe_error(error: Exception) -> str:
    """A `PayamakError` for people: without what only developers need, such as the place in a list."""
    message = str(error.args[0]) if error.args else type(error).__name__
    return re.sub(r"messages\[\d+\](\.|: )?", "", message)


def line_and_exit_code(error: Exception) -> tuple[str, ExitCode] | None:
    """The line and the exit code for an error; ``None`` for one that only a mistake in this program can raise."""
    if isinstance(error, CommandError):
        return str(error), error.code
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}", ExitCode.REFUSED
    # Not before something failed: it takes a while to load.
    from ..common.errors import AuthenticationError, InvalidArgumentError, PayamakError  # noqa: PLC0415

    if not isinstance(error, PayamakError):
        return None
    if isinstance(error, InvalidArgumentError):
        return describe_error(error), ExitCode.USAGE
    line = f"{error.gateway}: {describe_error(error)}" if error.gateway else describe_error(error)
    return line, ExitCode.SETTINGS if isinstance(error, AuthenticationError) else ExitCode.REFUSED
