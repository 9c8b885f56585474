"""Multipart bodies, read as they stream in: what is large waits in a temporary file, not in memory."""

from __future__ import annotations

import asyncio
import tempfile
import weakref
from typing import IO, cast

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError
from attrs import define, field

from .texts import replace_halves

MAX_BODY = 64 * 1024 * 1024
READ_SECONDS = 30.0
"""A body that has not arrived by then does not arrive any more: whoever sends it is gone, or means no good."""
_IN_MEMORY = 1024 * 1024
_CHUNK = 64 * 1024


def _new_file() -> IO[bytes]:
    # It outlives this function: the upload closes it when nobody holds the upload any more.
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))


@define(eq=False)
class Upload:
    """One part of a multipart body: a file if it has a file name, otherwise a field."""

    name: str
    filename: str | None
    file: IO[bytes] = field(factory=_new_file, repr=False)
    size: int = 0

    def __attrs_post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def write(self, chunk: bytes) -> None:
        """Add to the end."""
        self.file.write(chunk)
        self.size += len(chunk)

    def read(self) -> bytes:
        """All of it."""
        self.file.seek(0)
        return self.file.read()

    def text(self) -> str:
        """All of it as the value of a field."""
        return self.read().decode("utf-8", errors="replace")


def reading_time() -> asyncio.Timeout:
    """Within it, reading a body that takes too long raises TimeoutError."""
    return asyncio.timeout(READ_SECONDS)


async def read_parts(request: web.Request) -> tuple[Upload, ...] | None:
    """Read a whole multipart body; None if it is broken.

    Raises:
        web.HTTPRequestEntityTooLarge: it is larger than any body may be.
    """
    parts: list[Upload] = []
    try:
        reader = await request.multipart()
        total = 0
        while (part := await reader.next()) is not None:
            upload = await _read_part(part, MAX_BODY - total)
            total += upload.size
            parts.append(upload)
    except (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError):
        # The rest is read too: only then may the next request follow, and only then has the client sent all of it.
        async for _ in request.content.iter_chunked(_CHUNK):
            pass
        return None
    return tuple(parts)


async def _read_part(part: BodyPartReader | MultipartReader, limit: int) -> Upload:
    if isinstance(part, MultipartReader):
        raise ValueError("a multipart body within another")  # noqa: TRY004  to the caller it is a broken body
    filename = None if part.filename is None else replace_halves(part.filename)
    upload = Upload(replace_halves(part.name or ""), filename)
    while chunk := await part.read_chunk(_CHUNK):
        upload.write(chunk)
        if upload.size > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=MAX_BODY + upload.size - limit)
    return upload
