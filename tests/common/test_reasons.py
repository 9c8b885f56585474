"""Why no connection came about: in the system's own words, without an address and without a credential."""

from __future__ import annotations

import datetime
import errno
import os
import ssl

import pytest
import trustme
from payamak.common import ConnectionFailedError, Outcome
from support.ghasedak import ONCE, failure_of, make_client, send
from support.raw_server import RawServer, accept, http
from support.sockets import dead_port

OVER = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def server_context(authority: trustme.CA, host: str, not_after: datetime.datetime | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert(host, not_after=not_after)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


async def reason_at(url: str, **options: object) -> str:
    async with make_client(url, retry=ONCE, **options) as client:
        error = await failure_of(send(client))
    assert (type(error), error.outcome) == (ConnectionFailedError, Outcome.NOT_SENT)
    return str(error.args[0])


async def test_nobody_listens() -> None:
    with dead_port() as port:
        reason = await reason_at(f"http://127.0.0.1:{port}/v2/")
    assert os.strerror(errno.ECONNREFUSED) in reason
    assert "127.0.0.1" not in reason


async def test_no_such_host() -> None:
    reason = await reason_at("https://gateway.invalid/v2/")
    assert "cannot be resolved" in reason
    assert "gateway.invalid" not in reason


async def test_a_proxy_that_does_not_listen_keeps_its_password() -> None:
    with dead_port() as port:
        reason = await reason_at("https://gateway.invalid/v2/", proxy=f"http://ali:secret@127.0.0.1:{port}")
    assert os.strerror(errno.ECONNREFUSED) in reason
    assert not {"ali", "secret"} & set(reason.replace(":", " ").replace("@", " ").split())


@pytest.mark.parametrize(
    ("host", "not_after", "is_known", "words"),
    [
        ("127.0.0.1", None, False, "unable to get local issuer certificate"),
        ("127.0.0.1", OVER, True, "certificate has expired"),
        ("other.example", None, True, "certificate is not valid for"),
    ],
)
async def test_what_is_wrong_with_a_certificate(
    host: str, not_after: datetime.datetime | None, is_known: bool, words: str
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context()
    if is_known:
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    async with RawServer(accept(70001), ssl=server_context(authority, host, not_after)) as server:
        assert words in await reason_at(server.url, ssl=context)
        assert server.requests == []


async def test_tls_to_a_port_without_it() -> None:
    async def complain(exchange: object) -> None:
        await exchange.write(http(b"", 400))  # type: ignore[attr-defined]
        await exchange.close()  # type: ignore[attr-defined]

    async with RawServer(complain) as server:
        reason = await reason_at(server.url.replace("http:", "https:"))
    assert reason.endswith(("wrong version number", "record layer failure"))
