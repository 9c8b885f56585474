"""No key, number, text, name or password shows anywhere, whatever goes wrong: on real sockets, with all logging on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    GatewayError,
    InvalidArgumentError,
    PayamakError,
    Proceed,
    RetryPolicy,
    Timeout,
)
from support.gateways import EACH, GATEWAYS, Call, Gateway
from support.raw_server import (
    Behaviour,
    RawServer,
    answer,
    bytes_then_close,
    bytes_then_hang,
    close_read,
    hang,
)
from support.sentinels import ECHO, KEY, PASSWORD, PHONE, USERNAME, assert_all_silent, assert_silent, leaks
from support.sockets import dead_port, stalled_port
from support.telling import ECHOED, FAULTS, HEAD, echo_the_request, run

pytestmark = pytest.mark.usefixtures("nothing_shows")

ONCE = RetryPolicy(attempts=1)
HASTY = Timeout(total=20, attempt=0.3, connect=0.3)


async def run_each(gateway: Gateway, behaviour: Behaviour, calls: list[Call], **options: Any) -> None:
    async with RawServer(behaviour) as server, gateway.connect(server.url, **options) as client:
        for call in calls:
            await run(client, call.run, shows_titles=call.name in gateway.titled)


@EACH
@pytest.mark.parametrize("fault", FAULTS)
async def test_of_a_fault(gateway: Gateway, fault: str) -> None:
    await run_each(gateway, FAULTS[fault], gateway.sampled, keep_replies=True)


@EACH
async def test_of_a_request_that_is_given_back(gateway: Gateway) -> None:
    """Each request holds secrets of its own."""
    await run_each(gateway, echo_the_request, list(gateway.calls.values()), keep_replies=True)


@EACH
async def test_of_time_that_runs_out(gateway: Gateway) -> None:
    half = bytes_then_hang(HEAD + b"Content-Length: 999\r\n\r\n" + ECHOED)
    async with RawServer(hang) as silent, RawServer(half) as slow, asyncio.TaskGroup() as group:
        for server in (silent, slow):
            group.create_task(run_all_at_once(gateway, server))


async def run_all_at_once(gateway: Gateway, server: RawServer) -> None:
    async with gateway.connect(server.url, timeout=HASTY, retry=ONCE) as client:
        errors = await asyncio.gather(*(run(client, call.run) for call in gateway.sampled))
        assert all(isinstance(error, PayamakError) for error in errors)


@pytest.mark.parametrize(
    ("gateway", "echo"),
    [pytest.param(row, echo, id=f"{row.label}-{echo}") for row in GATEWAYS for echo in row.echoes],
)
async def test_of_an_answer(gateway: Gateway, echo: str) -> None:
    """Each operation has a reader of its own, which has a go at it."""
    await run_each(gateway, gateway.echoes[echo], list(gateway.calls.values()), retry=ONCE, keep_replies=True)


@EACH
async def test_what_the_vendor_wrote_is_kept_in_its_one_place(gateway: Gateway) -> None:
    async with RawServer(gateway.echoes["refusal"]) as server, gateway.connect(server.url) as client:
        error = await run(client, gateway.send.run)
    assert isinstance(error, GatewayError)
    assert leaks(error.gateway_message or "") == leaks(ECHO)


@EACH
async def test_of_a_connection_that_does_not_come_about(gateway: Gateway) -> None:
    async with RawServer(close_read) as server:
        with dead_port() as dead, stalled_port() as stalled:
            for url in (
                f"http://127.0.0.1:{dead}/",
                f"http://127.0.0.1:{stalled}/",
                f"https://{PHONE}.invalid/{KEY}/",
                server.url.replace("http:", "https:"),
            ):
                async with gateway.connect(url, timeout=HASTY, retry=ONCE) as client:
                    assert isinstance(await run(client, gateway.send.run), PayamakError)


@EACH
async def test_of_a_proxy(gateway: Gateway) -> None:
    refuse = bytes_then_close(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
    garbage = bytes_then_close(ECHOED + b"\r\n\r\n")
    with dead_port() as dead:
        async with RawServer(refuse) as refusing, RawServer(garbage) as talking, RawServer(close_read) as closing:
            for port in (dead, refusing.port, talking.port, closing.port):
                for target in ("http://127.0.0.1:9/", "https://127.0.0.1:9/"):
                    proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{port}"
                    async with gateway.connect(target, proxy=proxy, retry=ONCE) as client:
                        assert isinstance(await run(client, gateway.send.run), PayamakError)


@EACH
@pytest.mark.parametrize(
    "proxy",
    [
        f"http://{USERNAME}:{PASSWORD}@[::1",
        f"http://{USERNAME}:{PASSWORD}@:1",
        f"{USERNAME}:{PASSWORD}@127.0.0.1",
        f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{PASSWORD}",
    ],
)
async def test_of_a_proxy_that_is_none(gateway: Gateway, proxy: str) -> None:
    async def call() -> None:
        async with gateway.connect("http://127.0.0.1:9/", proxy=proxy, retry=ONCE) as client:
            await gateway.send.run(client)

    with pytest.raises(PayamakError) as caught:
        await call()
    assert_silent(caught.value)


@EACH
async def test_of_bad_arguments(gateway: Gateway) -> None:
    async with gateway.connect("http://127.0.0.1:9/") as client:
        for number, call in enumerate(gateway.bad_calls):
            assert isinstance(await run(client, call), InvalidArgumentError), number


BAD_SETTINGS: tuple[dict[str, Any], ...] = (
    {"base_url": f"https://{USERNAME}:{PASSWORD}@gateway.example/"},
    {"base_url": f"https://gateway.example:{PASSWORD}/"},
    {"timeout": KEY},
    {"retry": KEY},
    {"session": KEY},
    {"ssl": KEY},
    {"hooks": [KEY]},
    {"call_hooks": [KEY]},
    {"keep_replies": KEY},
)


@EACH
def test_of_bad_settings(gateway: Gateway) -> None:
    for wrong in (*BAD_SETTINGS, *gateway.bad_settings):
        settings = {**gateway.credentials, **gateway.options, "base_url": "https://gateway.example/", **wrong}
        with pytest.raises(InvalidArgumentError) as caught:
            gateway.client(**settings)
        assert_silent(caught.value)


@EACH
async def test_of_a_cancelled_call(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(hang) as server, gateway.connect(server.url) as client:
        for call in gateway.calls.values():
            server.has_read.clear()
            task = asyncio.ensure_future(call.run(client))
            async with asyncio.timeout(5):
                await server.has_read.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert_silent(caught.value)
    assert "cancelled" in caplog.text


@EACH
async def test_of_a_closed_client(gateway: Gateway) -> None:
    async with gateway.connect("http://127.0.0.1:9/") as client:
        pass
    for call in gateway.calls.values():
        assert isinstance(await run(client, call.run), PayamakError)


@EACH
async def test_of_a_hook_that_fails(gateway: Gateway) -> None:
    async def fail(call: Attempt, proceed: Proceed) -> AttemptReply:
        assert not leaks(call)
        try:
            reply = await proceed()
        except PayamakError:
            assert not leaks(call)
            raise ValueError("in a failure")  # noqa: B904
        assert not leaks(reply)
        raise ValueError("after a success")

    behaviours = [FAULTS[name] for name in ("closes", "bad chunk", "half the headers", "not HTTP", "echo")]
    for behaviour in (answer(gateway.send_reply), gateway.echoes["refusal"], *behaviours):
        await run_each(gateway, behaviour, gateway.sampled, hooks=[fail], keep_replies=True)


@EACH
async def test_of_the_debug_mode_of_asyncio(gateway: Gateway) -> None:
    asyncio.get_running_loop().set_debug(True)
    await run_each(gateway, close_read, gateway.sampled)


@EACH
async def test_credentials_are_in_no_url(gateway: Gateway) -> None:
    """Logs of proxies and servers would keep them. Nor is what is sent, where the body can hold it."""
    secret = [value for value in gateway.credentials.values() if isinstance(value, str)]
    async with RawServer(answer(gateway.send_reply)) as server, gateway.connect(server.url) as client:
        await run(client, gateway.send.run)
        assert not leaks(server.requests[0].target)
        for call in gateway.calls.values():
            await run(client, call.run)
    assert len(server.requests) >= len(gateway.calls)
    assert not [request.target for request in server.requests if any(value in request.target for value in secret)]


@EACH
def test_of_a_repr(gateway: Gateway) -> None:
    proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:1"
    client = gateway.make("https://gateway.example/", proxy=proxy)
    for value in (client, client._session, *gateway.values):
        assert_all_silent([value, [value], {"x": value}])
