"""Files on their way to a gateway: opened anew for each attempt, and streamed, so that they cost no memory."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import aiohttp
import attrs

from .errors import InvalidArgumentError

FileSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the contents, or a file that is open for reading bytes and can seek; that one is left open."""


@attrs.frozen
class Upload:
    """A multipart form, with or without a file.

    Attributes:
        field: The name of the file's part.
        file: The file.
        file_name: The name that the gateway sees.
        fields: Further fields of the form.
        start: Where an open file stood.
    """

    field: str
    file: str | os.PathLike[str] | bytes | io.IOBase | None = attrs.field(repr=False)
    file_name: str = attrs.field(repr=False)
    fields: Mapping[str, str] = attrs.field(repr=False)
    start: int = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator[aiohttp.FormData, None]:
        """Open the file for one attempt and put it into a form."""
        form = aiohttp.FormData(dict(self.fields), default_to_multipart=True)
        if self.file is None:
            yield form
            return
        stream = await asyncio.to_thread(self._open, self.file)
        try:
            form.add_field(self.field, stream, filename=self.file_name, content_type="application/octet-stream")
            yield form
        finally:
            await asyncio.to_thread(stream.close)

    def _open(self, file: str | os.PathLike[str] | bytes | io.IOBase) -> io.IOBase:
        if isinstance(file, bytes):
            return io.BytesIO(file)
        if isinstance(file, io.IOBase):
            file.seek(self.start)
            return _LeftOpen(file)
        try:
            return open(file, "rb")  # closed by the method above
        except OSError as error:
            raise InvalidArgumentError(f"file cannot be opened: {error.strerror}", argument="file") from None


class _LeftOpen(io.BufferedIOBase):
    """A file of the caller's: aiohttp closes what it has sent, and this file is not ours to close."""

    def __init__(self, file: io.IOBase) -> None:
        self._file = cast("BinaryIO", file)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to so many bytes."""
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def fileno(self) -> int:
        """Return the descriptor, by which aiohttp finds the size."""
        return self._file.fileno()


def make_upload(
    field: str,
    file: FileSource | None,
    *,
    file_name: str | None,
    fields: Mapping[str, str],
    endings: tuple[str, ...] = (),
) -> Upload:
    """Check a file before any I/O on the network.

    Raises:
        InvalidArgumentError: It is not there, has no name, cannot seek, or has another ending than one of ``endings``.
    """
    if file is None:
        return Upload(field, None, "", fields)
    start = 0
    source: str | os.PathLike[str] | bytes | io.IOBase
    if isinstance(file, (str, os.PathLike)):
        source = Path(file)
        name = file_name or source.name
        if not source.is_file():
            raise InvalidArgumentError("file does not exist, or is not a file", argument="file")
    elif isinstance(file, bytes):
        source, name = file, file_name or ""
    elif isinstance(file, io.IOBase) and not isinstance(file, io.TextIOBase) and file.readable() and file.seekable():
        source, name, start = file, file_name or Path(str(getattr(file, "name", ""))).name, file.tell()
    else:
        raise InvalidArgumentError(
            "file must be a path, bytes, or a file that is open for reading bytes and can seek", argument="file"
        )
    if not name:
        raise InvalidArgumentError("file_name is missing: bytes have no name of their own", argument="file_name")
    if endings and not name.lower().endswith(endings):
        raise InvalidArgumentError(f"file must end in {' or '.join(endings)}, by its name", argument="file")
    return Upload(field, source, name, fields, start)
