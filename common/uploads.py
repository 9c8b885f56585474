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

from .checks import require_text
from .errors import InvalidArgumentError

FileSource: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the contents, or a file that is open for reading bytes and can seek; that one is left open."""


@attrs.frozen
class Upload:
    """A multipart form, with or without a file.

    Attributes:
        fields: The fields of the form.
        field: The name of the file's part.
        file: The file.
        file_name: The name that the gateway sees.
        start: Where an open file stood.
        size: How much of an open file there is from there on.
    """

    fields: Mapping[str, str] = attrs.field(repr=False)
    field: str = ""
    file: Path | bytes | BinaryIO | None = attrs.field(default=None, repr=False)
    file_name: str = attrs.field(default="", repr=False)
    start: int = 0
    size: int = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator[aiohttp.FormData, None]:
        """Open the file for one attempt and put it into a form."""
        form = aiohttp.FormData(dict(self.fields), quote_fields=False, default_to_multipart=True)
        if self.file is None:
            yield form
            return
        stream, size = await asyncio.to_thread(self._open, self.file)
        try:
            form.add_field(self.field, _SizedPayload(stream, size), filename=self.file_name)
            yield form
        finally:
            await asyncio.to_thread(stream.close)

    def _open(self, file: Path | bytes | BinaryIO) -> tuple[io.IOBase, int]:
        if isinstance(file, bytes):
            return io.BytesIO(file), len(file)
        if not isinstance(file, Path):
            file.seek(self.start)
            return _LeftOpen(file), self.size
        try:
            stream = file.open("rb")
        except OSError as error:
            raise InvalidArgumentError(f"file cannot be opened: {error.strerror}", argument="file") from None
        return stream, os.fstat(stream.fileno()).st_size


class _SizedPayload(aiohttp.IOBasePayload):
    """A file of known size. aiohttp would ask the descriptor, which may be missing, or that of a compressed file."""

    def __init__(self, stream: io.IOBase, size: int) -> None:
        super().__init__(cast("BinaryIO", stream), filename=None, content_type="application/octet-stream")
        self._known_size = size

    @property
    def size(self) -> int:
        return self._known_size


class _LeftOpen(io.BufferedIOBase):
    """A file of the caller's: aiohttp closes what it has sent, and this file is not ours to close."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def make_upload(
    field: str,
    file: FileSource,
    *,
    file_name: str | None,
    fields: Mapping[str, str],
    endings: tuple[str, ...] = (),
) -> Upload:
    """Check a file before any I/O on the network.

    Raises:
        InvalidArgumentError: It is not there, has no name, cannot seek, or has another ending than one of ``endings``.
    """
    start = size = 0
    source: Path | bytes | BinaryIO
    if isinstance(file, (str, os.PathLike)):
        source = _find(file)
        own_name = source.name
    elif isinstance(file, bytes):
        source, own_name = file, ""
    else:
        source, own_name = file, Path(str(getattr(file, "name", "") or "")).name
        start, size = _measure(file)
    name = _check_name(own_name if file_name is None else file_name)
    if endings and not name.lower().endswith(endings):
        raise InvalidArgumentError(f"file must end in {' or '.join(endings)}, by its name", argument="file")
    return Upload(fields, field, source, name, start, size)


def _find(path: str | os.PathLike[str]) -> Path:
    with contextlib.suppress(OSError, ValueError):
        if Path(path).is_file():
            return Path(path)
    raise InvalidArgumentError("file does not exist, or is not a file", argument="file")


def _measure(file: BinaryIO) -> tuple[int, int]:
    """Return where an open file stands and how much follows."""
    with contextlib.suppress(Exception):  # Whatever an object that is no such file raises.
        start = file.tell()
        if type(file.read(0)) is bytes:  # A file of text gives a string.
            file.seek(0, io.SEEK_END)
            end = file.tell()
            file.seek(start)
            return start, max(0, end - start)
    raise InvalidArgumentError(
        "file must be a path, bytes, or a file that is open for reading bytes and can seek", argument="file"
    )


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidArgumentError("file_name is missing: bytes have no name of their own", argument="file_name")
    require_text(name, "file_name")
    if not name.isprintable():
        raise InvalidArgumentError("file_name holds a character that no name can have", argument="file_name")
    return name
