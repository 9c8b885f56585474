"""Error trackers find no credential in the locals of any frame, and no number or text below the user's own call."""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from payamak.advgateway import SoapProfile
from payamak.common import (
    Attempt,
    AttemptReply,
    ConnectionLostError,
    HttpSession,
    InvalidArgumentError,
    JournalError,
    OnUnknown,
    OutgoingMessage,
    PayamakError,
    Proceed,
    RetryPolicy,
    SendMany,
    SendReport,
    Timeout,
)
from payamak.common.many.keys import KeyMaker
from payamak.common.sqlite_journal import SqliteJournal
from support.gateways import EACH, GATEWAYS, Call, Gateway, Run
from support.gateways.smsir import SMSIR
from support.raw_server import Behaviour, RawServer, answer, bytes_then_close, hang, reset_read
from support.sentinels import ECHO, KEY, PASSWORD, PHONE, TEXT, USERNAME, chain
from support.sockets import dead_port
from support.telling import ECHOED, FAULTS, HEAD, echo_the_request
from support.trackers import find_leaks, find_leaks_of_the_stack, see_frames

ONCE = RetryPolicy(attempts=1)
HASTY = Timeout(total=20, attempt=0.02, connect=0.02)
FAILURES: dict[str, Behaviour] = {
    "resets": reset_read,
    "hangs": hang,
    "refuses the credentials": answer(ECHOED, 401, {"X-Echo": ECHO}),
    "fails": echo_the_request,
    "speaks no HTTP": bytes_then_close(ECHOED + b"\r\n\r\n"),
    "breaks off": bytes_then_close(HEAD + b"X-Echo: " + ECHOED + b"\r\nContent-Length: 999\r\n\r\n" + ECHOED),
    "gives half a JSON": FAULTS["half JSON"],
    "compresses otherwise": FAULTS["bad gzip"],
    "answers in another shape": FAULTS["object"],
}


async def fail(client: Any, call: Run) -> BaseException | None:
    """Run it, let the trackers look at its error, and return that."""
    failure: BaseException | None = None
    try:
        await call(client)
    except (Exception, asyncio.CancelledError) as error:
        failure = error
    assert failure is None or find_leaks(failure) == []
    return failure


def chosen(gateway: Gateway) -> list[Call]:
    """Some of each kind, and those whose arguments hold credentials."""
    return [
        *gateway.sampled,
        *(gateway.calls[name] for name in ("send_by_username", "create_user") if name in gateway.calls),
    ]


@EACH
@pytest.mark.parametrize("failure", FAILURES)
async def test_when_the_gateway(gateway: Gateway, failure: str) -> None:
    async with RawServer(FAILURES[failure]) as server, gateway.connect(server.url, timeout=HASTY, retry=ONCE) as client:
        for call in chosen(gateway):
            error = await fail(client, call.run)
            assert isinstance(error, PayamakError), call.name


@EACH
async def test_of_every_call(gateway: Gateway) -> None:
    async with RawServer(reset_read) as server, gateway.connect(server.url) as client:
        for call in gateway.calls.values():
            assert isinstance(await fail(client, call.run), PayamakError)


@EACH
async def test_of_an_answer_that_a_reader_refuses(gateway: Gateway) -> None:
    for echo in gateway.echoes.values():
        async with RawServer(echo) as server, gateway.connect(server.url, retry=ONCE) as client:
            for call in chosen(gateway):
                await fail(client, call.run)


@EACH
async def test_of_a_connection_that_does_not_come_about(gateway: Gateway) -> None:
    with dead_port() as dead:
        proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{dead}"
        for options in ({}, {"proxy": proxy}):
            async with gateway.connect(f"http://127.0.0.1:{dead}/", retry=ONCE, **options) as client:
                for call in chosen(gateway):
                    assert isinstance(await fail(client, call.run), PayamakError)


@EACH
async def test_of_a_proxy_that_fails(gateway: Gateway) -> None:
    async with RawServer(bytes_then_close(ECHOED + b"\r\n\r\n")) as server:
        proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{server.port}"
        for url in ("http://127.0.0.1:9/", "https://127.0.0.1:9/"):
            async with gateway.connect(url, proxy=proxy, retry=ONCE) as client:
                assert isinstance(await fail(client, gateway.send.run), PayamakError)


@EACH
async def test_of_a_call_that_is_cancelled_or_out_of_the_users_time(gateway: Gateway) -> None:
    async def cut(client: Any) -> None:
        async with asyncio.timeout(0.02):
            await gateway.send.run(client)

    async def cancel(client: Any) -> None:
        task = asyncio.ensure_future(gateway.send.run(client))
        await asyncio.sleep(0.02)
        task.cancel()
        await task

    async with RawServer(hang) as server, gateway.connect(server.url) as client:
        error = await fail(client, cut)
        assert isinstance(error, TimeoutError)
        assert isinstance(error.__cause__, asyncio.CancelledError)
        assert isinstance(await fail(client, cancel), asyncio.CancelledError)


@EACH
@pytest.mark.parametrize("failure", ["resets", "refuses the credentials", "gives half a JSON"])
async def test_of_what_a_hook_sees_and_raises(gateway: Gateway, failure: str) -> None:
    seen: list[BaseException] = []
    found: list[str] = []

    async def report(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        try:
            return await proceed()
        except PayamakError as error:
            seen.append(error)
            found.extend(find_leaks(error))
            raise ValueError("the hook's own") from error

    async def refuse(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        raise ValueError("the hook's own")

    async with RawServer(FAILURES[failure]) as server:
        async with gateway.connect(server.url, retry=ONCE, hooks=[report]) as client:
            for call in chosen(gateway):
                assert isinstance(await fail(client, call.run), PayamakError)
            assert seen
            assert found == []
        async with gateway.connect(server.url, hooks=[refuse]) as client:
            error = await fail(client, gateway.send.run)
            assert isinstance(error, ValueError)
            assert error.__traceback__ is not None


class Watcher(logging.Handler):
    """Looks at the frames from which something is logged, as trackers do of errors if they are told to."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[list[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(find_leaks_of_the_stack())


@EACH
async def test_of_the_stack_of_an_error_that_is_logged(gateway: Gateway) -> None:
    async def break_down(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        await proceed()
        raise ValueError("the hook's own")

    # At sms.ir it answers to the request for a token.
    success = gateway.echoes["success"] if gateway.tokens else answer(gateway.send_reply)
    options = {"token_store": None} if gateway.tokens else {}
    watcher = Watcher()
    logging.getLogger("payamak").addHandler(watcher)
    try:
        async with (
            RawServer(success) as server,
            gateway.connect(server.url, hooks=[break_down], **options) as client,
        ):
            await fail(client, gateway.send.run)
    finally:
        logging.getLogger("payamak").removeHandler(watcher)
    assert watcher.found
    assert [leaks for leaks in watcher.found if leaks] == []


@EACH
async def test_of_a_middleware_of_a_borrowed_session(gateway: Gateway) -> None:
    async def before(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise ValueError("the middleware's own")

    async def after(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        try:
            return await handler(request)
        finally:
            raise ValueError("the middleware's own")

    async with RawServer(reset_read) as server:
        for middleware in (before, after):
            async with (
                aiohttp.ClientSession(middlewares=[middleware]) as session,
                gateway.connect(server.url, retry=ONCE, session=session) as client,
            ):
                error = await fail(client, gateway.send.run)
                assert isinstance(error, PayamakError)
                assert isinstance(error.__cause__, ValueError)


@EACH
async def test_of_bad_arguments(gateway: Gateway) -> None:
    """They are the user's own, which stay in the frames of the method that got them; the credentials do not."""
    credentials = {name: f"another-{name}" for name in gateway.credentials}
    async with gateway.connect("http://127.0.0.1:9/", **credentials) as client:
        for call in gateway.bad_calls:
            with pytest.raises(InvalidArgumentError) as caught:
                await call(client)
            frames = see_frames(caught.value)
            assert frames
            assert [frame for frame in frames for secret in credentials.values() if secret in frame.shown] == []


async def test_of_an_interrupt_while_the_request_is_built() -> None:
    class Interrupted(str):
        __slots__ = ()

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            raise KeyboardInterrupt

    async with GATEWAYS[0].connect("http://127.0.0.1:9/") as client:
        with pytest.raises(KeyboardInterrupt) as caught:
            await client.send(PHONE, Interrupted(TEXT))
    assert find_leaks(caught.value) == []


@EACH
async def test_of_bad_arguments_for_many(gateway: Gateway) -> None:
    lost = ConnectionLostError()
    lost.references = ("a",)
    calls: list[Run] = [
        lambda c: c.send_many({PHONE: TEXT}),
        lambda c: c.send_many(PHONE),
        lambda c: c.send_many([(PHONE, TEXT)], grace=-1),
        lambda c: c.resolve(lost, {PHONE: TEXT}),
        lambda c: c.resolve(lost, [(PHONE, TEXT)]),
        lambda c: c.resolve(lost, [OutgoingMessage(f"{PHONE}x", TEXT)]),
    ]
    async with gateway.connect("http://127.0.0.1:9/") as client:
        for call in calls:
            assert isinstance(await fail(client, call), InvalidArgumentError)


def test_of_bad_settings_that_are_secret(tmp_path: Path) -> None:
    key, named, unnamed = KEY.encode()[:12], {"user": KEY}, {5: KEY}
    bad: list[Callable[[], object]] = [
        lambda: SqliteJournal(tmp_path / "journal.db", hash_key=key),
        lambda: SoapProfile(extra_arguments=named),
        lambda: SoapProfile(extra_arguments=unnamed),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ]
    for make in bad:
        with pytest.raises(InvalidArgumentError) as caught:
            make()
        assert [frame for frame in see_frames(caught.value) if KEY[:12] in frame.shown] == []


async def test_of_a_user_name_among_bad_arguments() -> None:
    gateway = GATEWAYS[0]
    async with gateway.connect("http://127.0.0.1:9/", api_key="another-key") as client:
        calls: list[Run] = [
            lambda c: c.send_by_username(USERNAME, PHONE + "x", TEXT),
            lambda c: c.send_by_username(USERNAME + "\ud800", PHONE, TEXT),
        ]
        for call in calls:
            assert isinstance(await fail(client, call), InvalidArgumentError)


@EACH
def test_of_bad_settings(gateway: Gateway) -> None:
    url, proxy = "https://gateway.example/", f"http://{USERNAME}:{PASSWORD}@[::1"
    settings: dict[str, Any] = {**gateway.credentials, **gateway.options, "base_url": url}
    bad: list[Mapping[str, Any]] = [{"timeout": -1}, {"proxy": proxy}, {"base_url": f"ftp://{USERNAME}@x/"}]
    for wrong in (*bad, *gateway.bad_settings):
        with pytest.raises(InvalidArgumentError) as caught:
            gateway.client(**{**settings, **wrong})
        assert find_leaks(caught.value) == []


def test_of_bad_settings_of_a_shared_session() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        HttpSession(proxy=f"http://{USERNAME}:{PASSWORD}@127.0.0.1:1", keepalive=-1)
    assert find_leaks(caught.value) == []


@EACH
async def test_of_a_closed_client(gateway: Gateway) -> None:
    async with gateway.connect("http://127.0.0.1:9/") as client:
        pass
    for call in chosen(gateway):
        assert isinstance(await fail(client, call.run), PayamakError)


@pytest.mark.parametrize("failure", ["resets", "refuses the credentials", "gives half a JSON", "success"])
async def test_of_a_request_for_a_token(failure: str) -> None:
    behaviour = FAILURES.get(failure, SMSIR.echoes["success"])
    async with RawServer(behaviour) as server, SMSIR.connect(server.url, retry=ONCE, token_store=None) as client:
        for call in (SMSIR.send, SMSIR.calls["account"]):
            await fail(client, call.run)
        await fail(client, lambda c: c.authenticate(fresh=True))


@EACH
@pytest.mark.parametrize("failure", ["resets", "refuses the credentials", "gives half a JSON"])
async def test_of_what_send_many_reports(gateway: Gateway, failure: str) -> None:
    messages = [OutgoingMessage(PHONE, TEXT, "10008566") for _ in range(3)]
    async with RawServer(FAILURES[failure]) as server, gateway.connect(server.url, retry=ONCE) as client:
        reports = [report async for report in client.send_many(messages, on_unknown=OnUnknown.LEAVE)]
    assert [report.index for report in reports] == [0, 1, 2]
    for report in reports:
        assert report.error is not None
        assert find_leaks(report.error) == []


BREAKS = {
    "read": "UPDATE messages SET at = 'never'",
    "begin": "CREATE TRIGGER no BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END",
}


@pytest.mark.parametrize("broken", BREAKS)
async def test_of_a_journal_that_fails(broken: str, tmp_path: Path) -> None:
    messages = [OutgoingMessage(PHONE, TEXT, "10008566") for _ in range(3)]
    gateway = GATEWAYS[0]
    async with (
        RawServer(answer(gateway.send_reply)) as server,
        gateway.connect(server.url) as client,
        SqliteJournal(tmp_path / "journal.db") as journal,
    ):
        if broken == "read":
            await fail(client, lambda c: _collect(c.send_many(messages, journal=journal), []))
        await journal._require_open().execute(BREAKS[broken])
        reports: list[SendReport] = []
        error = await fail(client, lambda c: _collect(c.send_many(messages, journal=journal), reports))
    errors = [error, *(report.error for report in reports)]
    causes = [error.__cause__ for error in errors if isinstance(error, JournalError)]
    # What Python says of a value that is none quotes it.
    assert any(cause is None if broken == "read" else isinstance(cause, sqlite3.Error) for cause in causes)
    assert [found for error in errors if error is not None for found in find_leaks(error)] == []


def test_of_keys_that_cannot_be_kept() -> None:
    keys = KeyMaker()
    keys.close()
    with pytest.raises(JournalError) as caught:
        keys.make([(PHONE, OutgoingMessage(PHONE, TEXT))])
    assert find_leaks(caught.value) == []


async def _collect(sending: SendMany, reports: list[SendReport]) -> None:
    async for report in sending:
        reports.append(report)  # noqa: PERF401 -- it may raise


async def test_a_group_of_errors_of_a_middleware() -> None:
    async def after(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        gathered: list[Exception] = []
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            gathered.append(error)
        raise ExceptionGroup("the middleware's own", gathered)

    async with (
        RawServer(reset_read) as server,
        aiohttp.ClientSession(middlewares=[after]) as session,
        GATEWAYS[0].connect(server.url, retry=ONCE, session=session) as client,
    ):
        error = await fail(client, GATEWAYS[0].send.run)
    assert isinstance(error, PayamakError)
    gathered = [found for found in chain(error) if isinstance(found, aiohttp.ClientError)]
    assert [found.__traceback__ for found in gathered] == [None]


@pytest.mark.parametrize("failure", ["resets", "refuses the credentials"])
async def test_what_the_user_was_handling_keeps_its_frames(failure: str) -> None:
    gateway = GATEWAYS[0]

    def stumble() -> None:
        int("the user's own")

    async def recover(client: Any) -> None:
        try:
            stumble()
        except ValueError:
            await gateway.send.run(client)

    async with RawServer(FAILURES[failure]) as server, gateway.connect(server.url, retry=ONCE) as client:
        with pytest.raises(PayamakError) as caught:
            await recover(client)
    (own,) = [found for found in chain(caught.value) if type(found) is ValueError]
    assert [frame.name for frame in traceback.extract_tb(own.__traceback__)] == ["recover", "stumble"]


def _attrs_classes() -> Iterator[type]:
    for package in ("common", "ghasedak", "smsir", "opgateway", "advgateway", "cli"):
        root = importlib.import_module(f"payamak.{package}")
        for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if module.name.endswith("__main__"):
                continue
            for found in vars(importlib.import_module(module.name)).values():
                if isinstance(found, type) and found.__module__ == module.name and attrs.has(found):
                    yield found


def test_no_field_shows_of_a_class_that_has_no_repr() -> None:
    """Rich looks at each field of an attrs class, whatever the class says of itself."""
    shown = [
        f"{kind.__qualname__}.{field.name}"
        for kind in _attrs_classes()
        if not any("__repr__" in vars(base) for base in kind.__mro__[:-1])
        for field in attrs.fields(kind)
        if field.repr
    ]
    assert shown == []
    assert len(list(_attrs_classes())) > 50
