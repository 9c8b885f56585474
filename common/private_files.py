"""Files that hold what nobody else may read: whoever makes or opens one does it here, and no link leads to one."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .errors import InvalidArgumentError

_OWNER = 0o600
_OTHERS = 0o077
_ROOT = 0
# Windows has neither; there the rights of the folder count.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_IS_POSIX = os.name == "posix"


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a regular file as `os.open` does. It can be read by its owner alone, whatever the umask and whoever made it.

    Raises:
        InvalidArgumentError: The path leads to a link, to no regular file, or to one of another user.
        OSError: It cannot be opened.
    """
    make_private(path)
    try:
        descriptor = os.open(path, flags | _NO_LINK, _OWNER)
    except OSError as error:
        if error.errno == errno.ELOOP:  # It has become one meanwhile.
            raise _refuse_link(path) from None
        raise
    return descriptor


def make_private(path: str | os.PathLike[str]) -> None:
    """Take from all others the right to read a file of ours, if it is there and they have it.

    It is not opened: on POSIX, to close any descriptor of a file drops all locks that this process has on it.

    Raises:
        InvalidArgumentError: The path leads to a link, to no regular file, or to one of another user.
        OSError: It cannot be looked at.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise _refuse_link(path)
    if not stat.S_ISREG(found.st_mode):
        raise InvalidArgumentError(
            f"path must name a regular file, and {_name(path)} is a folder, a pipe or a device", argument="path"
        )
    if _IS_POSIX:
        _take_from_others(path, found)


def _take_from_others(path: str | os.PathLike[str], found: os.stat_result) -> None:
    us = os.geteuid()
    # Its owner reads it whatever its mode, and may have put it there for that. Root reads all, and is nobody's victim.
    if us != _ROOT and found.st_uid not in (us, _ROOT):
        raise InvalidArgumentError(
            f"path must name a file of this user, and {_name(path)} belongs to another: move it away, or name another",
            argument="path",
        )
    if found.st_mode & _OTHERS:
        with contextlib.suppress(PermissionError):  # Some file systems know no rights, such as those of USB sticks.
            os.chmod(path, stat.S_IMODE(found.st_mode) & ~_OTHERS)


def _refuse_link(path: str | os.PathLike[str]) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"path must not lead through a link, and {_name(path)} is a symbolic link, which somebody else may have put "
        "there: name the file itself",
        argument="path",
    )


def _name(path: str | os.PathLike[str]) -> str:
    """What stands in the way may be a file beside the one that was named."""
    return ascii(os.path.basename(os.fsdecode(path)))
