"""Answers that want to fill the memory: little that unpacks to much, and what never ends."""

from __future__ import annotations

import functools
import importlib
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from payamak.common import Outcome, ReplyError
from payamak.common.session import MAX_REPLY_BYTES
from support.failures import failure_of
from support.gateways import EACH, Gateway
from support.raw_server import Behaviour, Exchange, RawServer, bytes_then_close, http

MUCH = 8 * MAX_REPLY_BYTES
"""What a bomb unpacks to, and after what an endless answer ends if nobody has stopped it."""
BOUND = 4 * MAX_REPLY_BYTES
"""An answer is here in its pieces and as a whole, and what is read of it too."""
PIECE = 65536


def _squeeze(window: int) -> bytes:
    """By zlib, whose window says in which of its formats."""
    squeezer = zlib.compressobj(1, wbits=window)
    return b"".join(
        [*(squeezer.compress(b" " * MAX_REPLY_BYTES) for _ in range(MUCH // MAX_REPLY_BYTES)), squeezer.flush()]
    )


def _squeeze_more() -> bytes:
    """By what each Python that is tested has beside zlib."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.compress(b" " * MUCH)
    squeezed: bytes = importlib.import_module("brotli").compress(b" " * MUCH, quality=1)  # It has no types.
    return squeezed


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: _squeeze(31),
    "deflate": lambda: _squeeze(15),
    "zstd" if sys.version_info >= (3, 14) else "br": _squeeze_more,
}


@functools.cache
def make_bomb(encoding: str) -> bytes:
    return BOMBS[encoding]()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-Many: x\r\n"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "chunk size": (CHUNKED, b"0"),
    "chunks": (CHUNKED, b"1;%s\r\n \r\n" % (b"x" * 1000)),
    "trailer": (CHUNKED + b"1\r\n \r\n0\r\nX-Long: ", b"x"),
    "trailers": (CHUNKED + b"1\r\n \r\n0\r\n", b"X-Many: x\r\n"),
}


def without_end(beginning: bytes, part: bytes) -> Behaviour:
    """Write the beginning, and then the part again and again."""
    piece = part * (PIECE // len(part))

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        await exchange.write(beginning)
        for _ in range(MUCH // len(piece)):
            await exchange.write(piece)
        await exchange.close()

    return behaviour


@contextmanager
def little_memory() -> Generator[None]:
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < BOUND


async def _meet(gateway: Gateway, behaviour: Behaviour) -> None:
    async with RawServer(behaviour) as server, gateway.connect(server.url) as client:
        with little_memory():
            error = await failure_of(gateway.send.run(client))
        assert type(error) is ReplyError
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


@EACH
@pytest.mark.parametrize("encoding", BOMBS)
async def test_what_unpacks_to_much(gateway: Gateway, encoding: str) -> None:
    whole = http(make_bomb(encoding), headers={"Content-Encoding": encoding})
    # With stray bytes behind it, it is read in another way.
    for stray in (b"", b"stray"):
        await _meet(gateway, bytes_then_close(whole + stray))


@EACH
@pytest.mark.parametrize("name", ENDLESS)
async def test_what_never_ends(gateway: Gateway, name: str) -> None:
    await _meet(gateway, without_end(*ENDLESS[name]))
