"""sms.ir as far as its tokens go: a scripted gateway on a raw socket, clocks that the test moves, stores."""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
from payamak.common import PayamakError, RetryPolicy, Timeout
from payamak.common.tokens import Token, TokenManager
from payamak.smsir import Account, SentBatch, SmsIrClient

from support.raw_server import Exchange, RawServer, http

USER_API_KEY = "sentineluserkeyQ8"
SECRET_KEY = "sentinelsecretQ8"
TOKEN = "sentineltokenQ8"
NUMBER = "09121234567"
QUICKLY = RetryPolicy(attempts=3, base_delay=0.001, max_delay=0.001)
ONCE = RetryPolicy(attempts=1)
PATIENT = Timeout(total=20, attempt=15, connect=5)

MINUTE = 60.0
LIFETIME = 30 * MINUTE
REFRESH_MARGIN = 3 * MINUTE
EXPIRY_MARGIN = 10.0
PAUSE = 5.0
DAY = 24 * 60 * MINUTE

Answer = Callable[[Exchange], Awaitable[None]]
"""What the gateway does after it has read a request."""


def say(body: object, status: int = 200, *, when: asyncio.Event | None = None, after: float = 0) -> Answer:
    """Answer with JSON, or with these very bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()

    async def answer(exchange: Exchange) -> None:
        if when is not None:
            await when.wait()
        await asyncio.sleep(after)
        await exchange.write(http(data, status))

    return answer


def refuse(message: str | None, status: int = 200, *, code: object = 0, successful: bool = False) -> Answer:
    """Answer with an envelope, by default of a failure."""
    return say({"IsSuccessful": successful, "Message": message, "ErrorCode": code}, status)


async def drop(exchange: Exchange) -> None:
    """Close without an answer."""
    await exchange.close()


async def reset(exchange: Exchange) -> None:
    """Reset the connection."""
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    """Never answer."""
    await exchange.hang()


async def cut(exchange: Exchange) -> None:
    """Close in the middle of the answer."""
    await exchange.write(http(b'{"IsSuccessful": true}' * 3)[:-5])
    await exchange.close()


async def talk_nonsense(exchange: Exchange) -> None:
    """Answer with something that is not HTTP."""
    await exchange.write(b"220 mail.example.org ESMTP\r\n\r\n")
    await exchange.close()


REJECTED = refuse("توکن نامعتبر است", 401)


@attrs.frozen
class Call:
    """A request that came with a token, or should have."""

    method: str
    token: str | None
    text: str | None


class TokenGateway:
    """Gives out tokens, counts, and rejects calls whose token is not valid.

    Attributes:
        token_requests: How often it was asked for a token.
        issued: The tokens that it gave out, oldest first.
        valid: The tokens that it takes.
        calls: All other requests, rejected ones too.
        sent: The texts that it sent.
        token_answers: What it does with the next requests for a token instead of answering them well.
        every_token_answer: What it does with all further ones.
        call_answers: What it does with the next other requests.
        rejection: How it rejects a token.
        gate: Closed, it keeps requests for a token waiting.
    """

    def __init__(self) -> None:
        self._server = RawServer(self._serve)
        self.token_requests = 0
        self.issued: list[str] = []
        self.valid: set[str] = set()
        self.calls: list[Call] = []
        self.sent: list[str] = []
        self.token_answers: list[Answer] = []
        self.every_token_answer: Answer | None = None
        self.call_answers: list[Answer] = []
        self.rejection: Answer = REJECTED
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/users/v1/"

    @property
    def tokens_used(self) -> list[str | None]:
        """The tokens of the calls, in order."""
        return [call.token for call in self.calls]

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    def issue(self) -> str:
        """A new token."""
        token = f"{TOKEN}{len(self.issued) + 1}"
        self.issued.append(token)
        self.valid.add(token)
        return token

    async def _serve(self, exchange: Exchange) -> None:
        received = await exchange.read()
        method = received.target.partition("?")[0].rpartition("/")[2]
        body: Mapping[str, Any] = json.loads(received.body) if received.body else {}
        if method == "GetToken":
            await self._give_token(exchange, body)
            return
        token = received.headers.get("x-sms-ir-secure-token")
        self.calls.append(Call(method, token, body.get("Message")))
        if self.call_answers:
            await self.call_answers.pop(0)(exchange)
        elif token not in self.valid:
            await self.rejection(exchange)
        else:
            if method in ("Send", "SendByMobileNumbers"):
                self.sent.append(str(body["Message"]))
            await _succeed(exchange, Credit=7, MessageId=len(self.sent), BatchKey="a-batch", Ids=[])

    async def _give_token(self, exchange: Exchange, body: Mapping[str, Any]) -> None:
        self.token_requests += 1
        assert body == {"UserApiKey": USER_API_KEY, "SecretKey": SECRET_KEY}
        await self.gate.wait()
        special = self.token_answers.pop(0) if self.token_answers else self.every_token_answer
        if special is not None:
            await special(exchange)
        else:
            await _succeed(exchange, TokenKey=self.issue())


async def _succeed(exchange: Exchange, **fields: object) -> None:
    await say({"IsSuccessful": True, "Message": "", "ErrorCode": 0, **fields}, 201)(exchange)


@contextmanager
def in_a_thread(gateway: TokenGateway) -> Generator[TokenGateway, None, None]:
    """Let the gateway run in an event loop of its own, for tests that start several loops."""
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with gateway:
            loops.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield gateway
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@attrs.frozen
class Clocks:
    """Both clocks of a token manager."""

    monotonic: Clock = attrs.field(factory=Clock)
    wall: Clock = attrs.field(factory=lambda: Clock(1_700_000_000.0))

    def advance(self, seconds: float) -> None:
        """Let time pass, as it usually does."""
        self.monotonic.advance(seconds)
        self.wall.advance(seconds)


def make_client(gateway: TokenGateway, **options: Any) -> SmsIrClient:
    """A client that repeats without waiting."""
    settings: dict[str, Any] = {"base_url": gateway.url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return SmsIrClient(USER_API_KEY, SECRET_KEY, **settings)


def tokens_of(client: SmsIrClient) -> TokenManager:
    """The client's token manager."""
    return client._tokens  # pyright: ignore[reportPrivateUsage]


def put_clocks(tokens: TokenManager | SmsIrClient) -> Clocks:
    """Let the test move the clocks, and leave nothing to chance."""
    manager: Any = tokens_of(tokens) if isinstance(tokens, SmsIrClient) else tokens
    clocks = Clocks()
    manager._monotonic = manager._store._monotonic = clocks.monotonic
    manager._wall_clock = clocks.wall
    manager._spread = 0.0
    return clocks


async def ask(client: SmsIrClient) -> Account:
    """A read."""
    return await client.account()


async def send(client: SmsIrClient, text: str = "text") -> SentBatch:
    """Something that must not run twice."""
    return await client.messages.send_to_numbers(NUMBER, text)


async def failure_of(awaitable: Awaitable[object]) -> PayamakError:
    """The error that it must raise."""
    try:
        result = await awaitable
    except PayamakError as error:
        return error
    raise AssertionError(f"no error, but {result!r}")


async def until(ready: Callable[[], object]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(5):
        while not ready():  # noqa: ASYNC110 -- what it waits for happens in the server
            await asyncio.sleep(0.001)


def refreshes() -> list[asyncio.Task[Any]]:
    """The refreshes that run in this event loop."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "payamak token refresh"]


async def settle() -> None:
    """Wait until no refresh runs."""
    await until(lambda: not refreshes())


@contextmanager
def nothing_unheard() -> Generator[None, None, None]:
    """Nothing may reach the event loop's handler of last resort, such as 'exception was never retrieved'."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: heard.append(context))
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert not heard


class SqliteTokenStore:
    """A token store in a file that processes share."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with self._open() as database:
            database.execute("CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, value TEXT, issued_at REAL)")

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection, None, None]:
        with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            yield database

    async def get(self, key: str) -> Token | None:
        with self._open() as database:
            row = database.execute("SELECT value, issued_at FROM tokens WHERE key = ?", [key]).fetchone()
        return None if row is None else Token(*row)

    async def set(self, key: str, token: Token) -> None:
        with self._open() as database:
            database.execute("REPLACE INTO tokens VALUES (?, ?, ?)", [key, token.value, token.issued_at])

    async def delete(self, key: str, token: Token) -> None:
        with self._open() as database:
            database.execute("DELETE FROM tokens WHERE key = ? AND value = ?", [key, token.value])
