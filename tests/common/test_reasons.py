"""Why a connection did not come about, or an answer cannot be read: in the error's message, without any address."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import errno
import os
import re
import socket
import ssl as ssl_module
import sys
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.client_reqrep import ConnectionKey
from payamak.common import ConnectionFailedError, ConnectionLostError, Outcome, PayamakError, ReplyError
from payamak.common.transport_errors import translate
from support.ghasedak import ONCE, failure_of, look, make_client, send
from support.raw_server import Behaviour, Exchange, RawServer, bytes_then_close, envelope, hang, http
from support.sockets import dead_port

REFUSED = os.strerror(errno.ECONNREFUSED)
QUESTION = "; is `payamak emulator` running?"


async def reason_of(url: str, **options: Any) -> str:
    async with make_client(url, retry=ONCE, **options) as client:
        error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT
    return str(error.args[0])


async def test_nothing_listens() -> None:
    with dead_port() as port:
        assert await reason_of(f"http://127.0.0.1:{port}/") == (
            f"no connection to the gateway came about: {REFUSED}{QUESTION}"
        )


async def test_a_name_that_is_none() -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo("gateway.invalid", 443)
    reason = f"the gateway's host name cannot be resolved: {caught.value.strerror}"
    assert await reason_of("https://gateway.invalid/") == reason
    # The port of the emulator, as from a container beside it.
    assert await reason_of("http://gateway.invalid:8650/", allow_http=True) == reason + QUESTION


async def test_a_proxy_that_is_not_there() -> None:
    with dead_port() as port:
        reason = await reason_of("http://127.0.0.1:9/", proxy=f"http://user:word@127.0.0.1:{port}")
    assert reason == f"the proxy cannot be reached: {REFUSED}"


async def test_a_proxy_that_refuses() -> None:
    async with RawServer(bytes_then_close(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")) as server:
        reason = await reason_of("https://127.0.0.1:9/", proxy=f"http://127.0.0.1:{server.port}")
    assert reason == "the proxy refused to connect: HTTP status 407"


def key_of(host: str) -> ConnectionKey:
    return ConnectionKey(host, 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OSError(
                "Multiple exceptions: [Errno 101] Connect call failed ('2001:db8::1', 443, 0, 0), "
                "[Errno 111] Connect call failed ('192.0.2.1', 443), [Errno 111] Connect call failed ('192.0.2.2', 443)"
            ),
            ": Network is unreachable, Connection refused",
        ),
        (OSError(113, "Connect call failed ('192.0.2.1', 443)"), ": No route to host"),
        (OSError("a resolver of one's own: gateway.example is unknown"), " (ClientConnectorError)"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="other systems have other numbers")
def test_what_asyncio_writes_of_addresses_is_left_out(error: OSError, reason: str) -> None:
    failure, _ = translate(aiohttp.ClientConnectorError(key_of("gateway.example"), error))
    assert failure.args[0] == f"no connection to the gateway came about{reason}"


async def test_a_reset_says_that_it_is_one() -> None:
    async def reset(exchange: Exchange) -> None:
        await exchange.read()
        exchange.reset()

    async with RawServer(reset) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert type(error) is ConnectionLostError
    assert str(error.args[0]).endswith(f"before the whole answer was here: {os.strerror(errno.ECONNRESET)}")


def test_a_number_of_ssl_is_none_of_the_system() -> None:
    error = aiohttp.ClientOSError(1, "[SSL] decryption failed")
    error.__cause__ = ssl_module.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed")
    failure, _ = translate(error)
    assert os.strerror(1) not in str(failure)


# --- TLS


def serve(authority: trustme.CA, host: str = "127.0.0.1", **options: Any) -> ssl_module.SSLContext:
    context = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **options).configure_cert(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


def trust(authority: trustme.CA) -> ssl_module.SSLContext:
    context = ssl_module.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("host", "options", "is_trusted", "reason"),
    [
        ("127.0.0.1", {}, False, r"(unable to get local issuer certificate|self-signed certificate.*)"),
        ("other.example", {}, True, r"IP address mismatch, certificate is not valid for this host"),
        (
            "127.0.0.1",
            {"not_before": LONG_AGO, "not_after": LONG_AGO.replace(year=2021)},
            True,
            "certificate has expired",
        ),
    ],
)
async def test_a_certificate_that_does_not_do(host: str, options: Any, is_trusted: bool, reason: str) -> None:
    authority = trustme.CA()
    async with RawServer(hang, ssl=serve(authority, host, **options)) as server:
        found = await reason_of(server.url, **({"ssl": trust(authority)} if is_trusted else {}))
    assert re.fullmatch(f"the TLS handshake failed: certificate verify failed: {reason}", found)


async def test_tls_to_a_port_without() -> None:
    async def complain(exchange: Exchange) -> None:
        await exchange.write(http(b"", 400))
        await exchange.close()

    async with RawServer(complain) as server:
        found = await reason_of(server.url.replace("http:", "https:"))
    assert found == "the TLS handshake failed: what listens there speaks no TLS"


# --- Answers that aiohttp does not read

BODY = envelope([70001])
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
NOT_INSTALLED = b"br" if sys.version_info >= (3, 14) else b"zstd"
FOREIGN = "the answer is compressed as nobody asked for: install Brotli, or backports.zstd, to read it"
FALSE = "the answer is not compressed as its Content-Encoding says"
BROKEN = "the answer breaks the rules of HTTP"
LENGTHS = f"{BROKEN}: its Content-Length cannot be relied on"


def head(*lines: bytes) -> bytes:
    return b"".join([b"HTTP/1.1 200 OK\r\n", *lines, b"\r\n"])


def in_pieces(*pieces: bytes) -> Behaviour:
    """Write one after another, each when the one before has been read."""

    async def behaviour(exchange: Exchange) -> None:
        await exchange.read()
        for piece in pieces:
            await exchange.write(piece)
            await asyncio.sleep(0.05)
        await exchange.close()

    return behaviour


UNREADABLE: dict[str, tuple[bytes, bytes, str, int | None]] = {
    "foreign": (head(b"Content-Encoding: %s\r\n" % NOT_INSTALLED, LENGTH), BODY, FOREIGN, None),
    "false gzip": (head(b"Content-Encoding: gzip\r\n", LENGTH), BODY, FALSE, 200),
    "false gzip to the end": (head(b"Content-Encoding: gzip\r\nConnection: close\r\n"), BODY, FALSE, 200),
    "false deflate": (head(b"Content-Encoding: deflate\r\n", LENGTH), BODY, FALSE, 200),
    "two lengths": (head(LENGTH, b"Content-Length: 7\r\n"), BODY, LENGTHS, None),
    "no length": (head(b"Content-Length: many\r\n"), BODY, LENGTHS, None),
    "a header that is none": (head(b"Warning here\r\n", LENGTH), BODY, BROKEN, None),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"", "the answer is not HTTP", None),
}


@pytest.mark.parametrize("borrowed", [False, True], ids=["own", "borrowed"])
@pytest.mark.parametrize("together", [False, True], ids=["in pieces", "together"])
@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_is_wrong_with_an_answer(name: str, together: bool, borrowed: bool) -> None:
    first, second, message, status = UNREADABLE[name]
    behaviour = in_pieces(first + second) if together else in_pieces(first, second)
    async with RawServer(behaviour) as server, contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession()) if borrowed else None
        client = await stack.enter_async_context(make_client(server.url, session=session))
        for call in (send, look):
            error = await failure_of(call(client))
            assert type(error) is ReplyError
            assert error.args[0] == message
            assert error.http_status == status
            assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 2


async def test_a_length_that_stands_there_twice_says_no_more_than_once() -> None:
    async with RawServer(in_pieces(head(LENGTH, LENGTH) + BODY)) as server, make_client(server.url) as client:
        assert (await send(client)).message_id == 70001
    async with RawServer(in_pieces(head(LENGTH, LENGTH), BODY)) as server, make_client(server.url) as client:
        error = await failure_of(send(client))
    assert (type(error), error.args[0]) == (ReplyError, LENGTHS)


async def test_half_an_answer_is_still_a_connection_that_broke() -> None:
    async with RawServer(in_pieces(head(LENGTH) + BODY[:-9])) as server, make_client(server.url) as client:
        error: PayamakError = await failure_of(send(client))
    assert type(error) is ConnectionLostError
