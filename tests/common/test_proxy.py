"""Proxies, on raw sockets: reached, unreachable, refusing; their passwords stay secret."""

from __future__ import annotations

import ssl as ssl_module

import aiohttp
import pytest
import trustme
from payamak.common import (
    ConnectionFailedError,
    HttpSession,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    ReplyError,
)
from payamak.ghasedak import GhasedakClient
from support.ghasedak import CALLS, KEY, QUICKLY, failure_of, look, make_client, send
from support.raw_proxy import RawProxy
from support.raw_server import RawServer, accept, bytes_then_close, close_read, close_unread, hang
from support.sockets import dead_port, stalled_port

PASSWORD = "proxy-password-5150"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA) -> ssl_module.SSLContext:
    context = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


def client_context(authority: trustme.CA) -> ssl_module.SSLContext:
    context = ssl_module.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] -- its types need pyOpenSSL
    return context


def assert_silent(error: PayamakError) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert PASSWORD not in f"{seen} {seen!r} {seen.args!r} {vars(seen)!r}"
        seen = seen.__cause__ or seen.__context__


async def test_plain_http_goes_through_with_the_absolute_address() -> None:
    proxy = RawProxy()
    async with RawServer(accept(70001)) as server, RawServer(proxy) as between:
        url = f"http://user:{PASSWORD}@127.0.0.1:{between.port}"
        async with make_client(server.url, proxy=url) as client:
            assert (await send(client)).message_id == 70001
        assert proxy.asked == [f"POST {server.url}sms/send/simple"]
        assert proxy.credentials == [f"user:{PASSWORD}"]
        assert "proxy-authorization" in server.requests[0].headers


async def test_https_goes_through_a_tunnel(authority: trustme.CA) -> None:
    proxy = RawProxy()
    async with (
        RawServer(accept(70001), ssl=server_context(authority)) as server,
        RawServer(proxy) as between,
        make_client(
            server.url, proxy=f"http://user:{PASSWORD}@127.0.0.1:{between.port}", ssl=client_context(authority)
        ) as client,
    ):
        assert (await send(client)).message_id == 70001
        assert proxy.asked == [f"CONNECT 127.0.0.1:{server.port}"]
        assert proxy.credentials == [f"user:{PASSWORD}"]
        assert "proxy-authorization" not in server.requests[0].headers


async def test_a_drop_behind_the_tunnel_is_not_resent(authority: trustme.CA) -> None:
    proxy = RawProxy()
    async with (
        RawServer(close_read, ssl=server_context(authority)) as server,
        RawServer(proxy) as between,
        make_client(server.url, proxy=f"http://127.0.0.1:{between.port}", ssl=client_context(authority)) as client,
    ):
        assert (await failure_of(send(client))).outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1
        await failure_of(look(client))
        assert len(server.requests) == 1 + QUICKLY.attempts


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("operation", CALLS)
async def test_a_proxy_that_is_not_there(operation: str, scheme: str) -> None:
    with dead_port() as port:
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{port}"
        async with make_client(f"{scheme}://127.0.0.1:9/", proxy=proxy) as client:
            error = await failure_of(CALLS[operation](client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT
    assert_silent(error)


async def test_a_proxy_that_is_not_reached_in_time() -> None:
    with stalled_port() as port:
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{port}"
        async with make_client("https://127.0.0.1:9/", proxy=proxy, timeout=0.2) as client:
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert_silent(error)


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"403 Forbidden", b"502 Bad Gateway"])
async def test_a_proxy_that_refuses_the_tunnel(status: bytes) -> None:
    refusal = bytes_then_close(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
    async with RawServer(refusal) as between:
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{between.port}"
        async with make_client("https://127.0.0.1:9/", proxy=proxy) as client:
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert error.outcome is Outcome.NOT_SENT
    assert_silent(error)


@pytest.mark.parametrize("fault", [hang], ids=["hangs"])
async def test_a_tunnel_that_does_not_come_about_in_time(fault: object) -> None:
    async with RawServer(fault) as between:  # type: ignore[arg-type]
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{between.port}"
        async with make_client("https://127.0.0.1:9/", proxy=proxy, timeout=0.2) as client:
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert_silent(error)


@pytest.mark.parametrize("fault", [close_unread, close_read])
async def test_a_proxy_that_hangs_up_is_never_worse_than_unknown(fault: object) -> None:
    async with RawServer(fault) as between:  # type: ignore[arg-type]
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{between.port}"
        async with make_client("http://127.0.0.1:9/", proxy=proxy) as client:
            error = await failure_of(send(client))
        assert between.connections == 1
    assert error.outcome is Outcome.UNKNOWN
    assert_silent(error)


async def test_a_407_to_a_request_in_the_open_says_nothing_of_what_was_forwarded() -> None:
    refusal = bytes_then_close(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    async with RawServer(refusal) as between:
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{between.port}"
        async with make_client("http://127.0.0.1:9/", proxy=proxy) as client:
            error = await failure_of(send(client))
        assert len(between.requests) == 1
    assert type(error) is ReplyError
    assert (error.http_status, error.outcome) == (407, Outcome.UNKNOWN)
    assert_silent(error)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
async def test_the_environment_counts_only_when_asked(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/nonexistent")
    proxy = RawProxy()
    async with RawServer(accept(70001)) as server, RawServer(proxy) as between:
        monkeypatch.setenv(variable, f"http://user:{PASSWORD}@127.0.0.1:{between.port}")
        async with make_client(server.url) as client:
            await send(client)
        assert proxy.asked == []
        async with make_client(server.url, trust_env=True) as client:
            await send(client)
        assert len(proxy.asked) == 1
        assert proxy.credentials == [f"user:{PASSWORD}"]


async def test_a_proxy_of_the_environment_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/nonexistent")
    with dead_port() as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{port}")
        async with make_client("http://127.0.0.1:9/", trust_env=True) as client:
            error = await failure_of(send(client))
    assert type(error) is ConnectionFailedError
    assert_silent(error)


@pytest.mark.parametrize("proxy", ["127.0.0.1:3128", "socks5://127.0.0.1:1080", "", 7, b"http://127.0.0.1"])
def test_what_is_no_proxy_is_refused(proxy: object) -> None:
    with pytest.raises(InvalidArgumentError, match="proxy") as caught:
        GhasedakClient(KEY, proxy=proxy)  # type: ignore[arg-type]
    assert caught.value.argument == "proxy"


@pytest.mark.parametrize("proxy", [f"http://user:{PASSWORD}@[::1", "http://", f"http://user:{PASSWORD}@:3128"])
async def test_a_proxy_that_is_no_address_is_refused_or_never_sent(proxy: str) -> None:
    async def attempt() -> None:
        async with make_client("http://127.0.0.1:9/", proxy=proxy) as client:
            await send(client)

    error = await failure_of(attempt())
    assert error.outcome is Outcome.NOT_SENT
    assert_silent(error)


async def test_settings_of_a_shared_session_are_set_there() -> None:
    async with HttpSession() as session:
        for options in (
            {"proxy": "http://127.0.0.1:1"},
            {"ssl": ssl_module.create_default_context()},
            {"trust_env": True},
        ):
            with pytest.raises(InvalidArgumentError, match="HttpSession") as caught:
                make_client("https://api.ghasedak.me", session=session, **options)
            assert caught.value.argument == "session"


async def test_a_borrowed_session_takes_a_proxy_but_not_the_environment() -> None:
    proxy = RawProxy()
    async with (
        RawServer(accept(70001)) as server,
        RawServer(proxy) as between,
        aiohttp.ClientSession() as session,
    ):
        client = make_client(server.url, session=session, proxy=f"http://127.0.0.1:{between.port}")
        await send(client)
        assert len(proxy.asked) == 1
        with pytest.raises(InvalidArgumentError, match="trust_env"):
            GhasedakClient(KEY, session=session, trust_env=True)


@pytest.mark.parametrize("ssl", [True, False, "ca.pem", 7])
def test_verification_cannot_be_switched_off(ssl: object) -> None:
    with pytest.raises(InvalidArgumentError, match="ssl"):
        GhasedakClient(KEY, ssl=ssl)  # type: ignore[arg-type]
