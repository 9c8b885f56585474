"""What was given up does not arrive afterwards, from nowhere: not from the event loop, not from the kernel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl as ssl_module
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import pytest
import trustme
from payamak.common import HttpSession, PayamakError, Timeout
from payamak.common.session import Request
from support import cut_network

# More than what the kernel takes over, so that the event loop holds some too; aiohttp warns of so much.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body")
HALF = 4_000_000
BODY = b"x" * (2 * HALF)
PATIENT = Timeout(None, None, None)
HASTY = Timeout(total=None, attempt=0.2)


class Sluggish:
    """A server that holds little, and reads only when it is told to; then it counts what still comes."""

    def __init__(self, ssl: ssl_module.SSLContext | None, first: bytes = b"") -> None:
        self._ssl = ssl
        self._first = first
        self._reads = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._size = 0
        self.is_reached = asyncio.Event()

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._server = await asyncio.start_server(self._serve, sock=listener, ssl=self._ssl, limit=4096)
        self.url = f"{'https' if self._ssl else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def read_the_rest(self) -> int:
        """How many bytes have come until the connection ends."""
        self._reads.set()
        await self._has_ended.wait()
        return self._size

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._first)
        self.is_reached.set()
        await self._reads.wait()
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65536):
                self._size += len(piece)
        writer.transport.abort()
        self._has_ended.set()


async def time_out(session: HttpSession, server: Sluggish) -> None:
    with pytest.raises(PayamakError):
        await session.send(Request("POST", server.url, {}, BODY), deadline=None, timeout=HASTY)


async def cancel(session: HttpSession, server: Sluggish) -> None:
    sending = asyncio.create_task(
        session.send(Request("POST", server.url, {}, BODY), deadline=None, timeout=PATIENT),
    )
    await server.is_reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def close(session: HttpSession, server: Sluggish) -> None:
    sending = asyncio.create_task(
        session.send(Request("POST", server.url, {}, BODY), deadline=None, timeout=PATIENT),
    )
    await server.is_reached.wait()
    await session.aclose()
    with pytest.raises(PayamakError):
        await sending


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("give_up", [time_out, cancel, close])
async def test_the_rest_of_a_request_dies_with_it(
    give_up: Callable[[HttpSession, Sluggish], Awaitable[None]], is_tls: bool
) -> None:
    authority = trustme.CA()
    there = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(there)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    here = ssl_module.create_default_context()
    authority.configure_trust(here)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    async with Sluggish(there if is_tls else None) as server, HttpSession(ssl=here) as session:
        await give_up(session, server)
        assert await server.read_the_rest() < HALF


async def test_the_rest_of_a_request_dies_at_an_answer_that_is_none() -> None:
    async with Sluggish(None, b"SSH-2.0-OpenSSH_9.6\r\n\r\n") as server, HttpSession() as session:
        with pytest.raises(PayamakError):
            await session.send(Request("POST", server.url, {}, BODY), deadline=None, timeout=PATIENT)
        assert await server.read_the_rest() < HALF


def test_what_was_given_up_while_the_network_was_away_does_not_arrive_when_it_is_back() -> None:
    """Nor does what a killed process had sent; nor what a stopped one had, whom nobody else can keep from it."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("cutting the network takes a namespace of its own, which is not allowed here")
    command = [unshare, "-rn", sys.executable, str(Path(cut_network.__file__))]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    # The first shows that what is sent while the network is away does arrive, unless somebody sees to it.
    assert json.loads(ran.stdout) == ["aiohttp"]


async def test_a_session_tells_whose_connections_it_uses() -> None:
    async with aiohttp.ClientSession() as borrowed:
        assert HttpSession(borrowed).is_borrowed
    assert not HttpSession().is_borrowed
