"""Files that hold what nobody else may read: whoever makes or opens one does it here, and no link leads to one."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .errors import InvalidArgumentError

_OWNER = 0o600
_OTHERS = 0o077
# Windows has neither; there the rights of the folder count.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_IS_POSIX = os.name == "posix"


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a regular file as `os.open` does. It can be read by its owner alone, whatever the umask and whoever made it.

    Raises:
        InvalidArgumentError: The path leads to a link, or to no regular file.
        OSError: It cannot be opened.
    """
    make_private(path)
    try:
        descriptor = os.open(path, flags | _NO_LINK, _OWNER)
    except OSError as error:
        if error.errno == errno.ELOOP:  # It has become one meanwhile.
            raise _refuse_link() from None
        raise
    return descriptor


def make_private(path: str | os.PathLike[str]) -> None:
    """Take from all others the right to read a file of ours, if it is there and they have it.

    It is not opened: on POSIX, to close any descriptor of a file drops all locks that this process has on it.

    Raises:
        InvalidArgumentError: The path leads to a link, or to no regular file.
        OSError: It cannot be looked at.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise _refuse_link()
    if not stat.S_ISREG(found.st_mode):
        raise InvalidArgumentError("path must name a regular file: no folder, pipe or device", argument="path")
    if _IS_POSIX and found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        with contextlib.suppress(PermissionError):  # Some file systems know no rights, such as those of USB sticks.
            os.chmod(path, stat.S_IMODE(found.st_mode) & ~_OTHERS)


def _refuse_link() -> InvalidArgumentError:
    return InvalidArgumentError(
        "path is a symbolic link, which somebody else may have put there: name the file itself", argument="path"
    )
