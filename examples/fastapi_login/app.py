"""A login by one-time password, sent by SMS. How to run it is in README.md."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import enum
import hashlib
import hmac
import ipaddress
import itertools
import logging
import math
import os
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from payamak.common.numbers import clean_digits, normalize_iranian
from payamak.ghasedak import (
    ConnectionFailedError,
    DeliveryState,
    GhasedakClient,
    InvalidArgumentError,
    InvalidRecipientError,
    MessageStatus,
    Outcome,
    PayamakError,
    RateLimitError,
    ServiceUnavailableError,
)
from pydantic import BaseModel

log = logging.getLogger("uvicorn.error")

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Settings:
    """What differs between the emulator on your machine and production. The defaults are the emulator's."""

    key: str = field(default_factory=lambda: os.environ.get("SMS_KEY", "emulator-key"), repr=False)
    url: str = field(default_factory=lambda: os.environ.get("SMS_URL", "http://127.0.0.1:8650/v2/"))
    template: str = field(default_factory=lambda: os.environ.get("SMS_TEMPLATE", "login"))
    code_lifetime: float = field(default_factory=lambda: float(os.environ.get("CODE_LIFETIME", "120")))
    resend_after: float = field(default_factory=lambda: float(os.environ.get("RESEND_AFTER", "60")))
    ask_after: float = field(default_factory=lambda: float(os.environ.get("ASK_AFTER", "2")))
    lost_after: float = field(default_factory=lambda: float(os.environ.get("LOST_AFTER", "30")))
    codes_an_hour: int = 5
    # Of all numbers together: whoever walks through numbers spends your credit, each of them only once.
    codes_a_minute: int = field(default_factory=lambda: int(os.environ.get("CODES_A_MINUTE", "60")))
    client_codes_a_minute: int = field(default_factory=lambda: int(os.environ.get("CLIENT_CODES_A_MINUTE", "10")))
    attempts: int = 5


class State(enum.Enum):
    """What is known of a code's way to the handset."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    """The gateway's answer was lost. The code may arrive, so it stays valid; the gateway is being asked."""
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It has not arrived and will not."""


@dataclass(eq=False)
class Login:
    """One code that was sent, and what is left of it. The code itself is not kept."""

    number: str = field(repr=False)
    client: str = field(repr=False)
    digest: bytes = field(repr=False)
    attempts_left: int
    expires_at: float
    id: str = field(repr=False)
    started_at: float = field(default_factory=time.monotonic)
    check_id: str = field(default_factory=lambda: secrets.token_hex(12))
    state: State = State.SENDING


class TooSoonError(Exception):
    """This number has got a code a short while ago, or too many others have."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Logins:
    """All logins of the last hour. They are in memory: with more than one process, keep them in a database."""

    def __init__(self, sms: GhasedakClient, settings: Settings) -> None:
        self._sms = sms
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self._logins: dict[str, Login] = {}
        self._of_number: collections.defaultdict[str, list[Login]] = collections.defaultdict(list)
        self._followers: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Stop asking for the fate of codes."""
        for task in self._followers:
            task.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)

    async def start(self, number: str, client: str) -> Login:
        """Send a code, for somebody who asks from this address.

        Raises:
            TooSoonError: The number has got a code a short while ago, or perhaps has; or there were too many for all.
            PayamakError: No code was sent.
        """
        number = normalize_iranian(number, "number")
        self._forget_old()
        self._check_limits(number)
        self._check_limits_of_all(client)
        code = f"{secrets.randbelow(1_000_000):06}"
        login = self._remember(number, client, code)
        try:
            await self._sms.send_otp(number, self._settings.template, [code], check_id=login.check_id)
        except PayamakError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self._forget(login)  # Nothing was sent, so it counts for nothing.
                raise
            log.warning("a code may be on its way: %s", error)
            login.state = State.UNKNOWN
        else:
            login.state = State.SENT
        follower = asyncio.create_task(self._follow(login))
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)
        return login

    def find(self, login_id: str) -> Login | None:
        """A login of the last hour."""
        return self._logins.get(login_id)

    def confirm(self, login_id: str, code: str) -> bool:
        """Whether this is the code. Each question uses up an attempt, and the right answer all of them."""
        login = self._logins.get(login_id)
        if login is None or login.attempts_left == 0 or login.expires_at <= time.monotonic():
            return False
        right = hmac.compare_digest(login.digest, self._digest(login_id, clean_digits(code)))
        login.attempts_left = 0 if right else login.attempts_left - 1
        return right

    def _check_limits(self, number: str) -> None:
        earlier, now = self._of_number.get(number, []), time.monotonic()
        if len(earlier) >= self._settings.codes_an_hour:
            raise TooSoonError(earlier[0].started_at + HOUR - now)
        if not earlier or earlier[-1].state is State.FAILED:
            return
        last = earlier[-1]
        # While nobody knows whether the last code is on its way, a second one could only confuse.
        in_doubt = last.state in (State.SENDING, State.UNKNOWN)
        wait = last.expires_at - now if in_doubt else last.started_at + self._settings.resend_after - now
        if wait > 0:
            raise TooSoonError(min(wait, self._settings.resend_after) if in_doubt else wait)

    def _check_limits_of_all(self, client: str) -> None:
        now, limits = time.monotonic(), self._settings
        newest_first = reversed(self._logins.values())
        recent = list(itertools.takewhile(lambda login: login.started_at + MINUTE > now, newest_first))
        from_client = [login for login in recent if login.client == client]
        for logins, limit in ((recent, limits.codes_a_minute), (from_client, limits.client_codes_a_minute)):
            if len(logins) >= limit:
                raise TooSoonError(logins[limit - 1].started_at + MINUTE - now)

    def _remember(self, number: str, client: str, code: str) -> Login:
        login_id = secrets.token_urlsafe(16)
        expires_at = time.monotonic() + self._settings.code_lifetime
        login = Login(number, client, self._digest(login_id, code), self._settings.attempts, expires_at, login_id)
        self._logins[login_id] = login
        self._of_number[number].append(login)
        return login

    def _forget(self, login: Login) -> None:
        del self._logins[login.id]
        self._of_number[login.number].remove(login)
        if not self._of_number[login.number]:
            del self._of_number[login.number]

    def _forget_old(self) -> None:
        while self._logins and (oldest := next(iter(self._logins.values()))).started_at + HOUR < time.monotonic():
            self._forget(oldest)

    def _digest(self, login_id: str, code: str) -> bytes:
        # A million codes are quickly tried out against a plain hash; not without this key.
        return hmac.digest(self._secret, f"{login_id}:{code}".encode(), hashlib.sha256)

    async def _follow(self, login: Login) -> None:
        """Ask the gateway for the code's fate, ever more rarely, until it is known or the code is of no use."""
        sent_at, pause = time.monotonic(), self._settings.ask_after
        while login.state in (State.SENT, State.UNKNOWN) and time.monotonic() < login.expires_at:
            await asyncio.sleep(pause)
            pause *= 1.5
            try:
                statuses = await self._sms.statuses_by_check_id([login.check_id])
            except PayamakError as error:
                log.warning("the fate of a code cannot be asked for: %s", error)
                continue
            # What a gateway does not know right after a broken connection, it may still be working on.
            settled = time.monotonic() - sent_at >= self._settings.lost_after
            login.state = _read_state(statuses, login.state, settled=settled)
        log.info("a code's way has ended: %s", login.state.value)


def _read_state(statuses: list[MessageStatus], before: State, *, settled: bool) -> State:
    found = {status.state for status in statuses} - {DeliveryState.NOT_FOUND}
    if not found:
        return State.FAILED if before is State.UNKNOWN and settled else before
    if DeliveryState.DELIVERED in found:
        return State.DELIVERED
    return State.FAILED if all(state.is_final for state in found) else State.SENT


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, object]]:
    """One client for the whole life of the application, closed after all that uses it."""
    settings = Settings()
    async with (
        GhasedakClient(settings.key, base_url=settings.url, timeout=10) as sms,
        contextlib.aclosing(Logins(sms, settings)) as logins,
    ):
        yield {"logins": logins}


app = FastAPI(lifespan=lifespan)


def get_logins(request: Request) -> Logins:
    """The logins, which live as long as the application."""
    logins: Logins = request.state.logins
    return logins


AllLogins = Annotated[Logins, Depends(get_logins)]


class Number(BaseModel):
    """Who wants to log in."""

    number: str


class Code(BaseModel):
    """What they have received."""

    code: str


class LoginView(BaseModel):
    """What a browser may know."""

    id: str
    state: State


def find_client(request: Request) -> str:
    """Who asks: an address, or the network of one, where a single customer has as many as there are numbers."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # A Unix socket has none.
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address.packed, 64), strict=False))


@app.post("/logins", status_code=202)
async def start(body: Number, logins: AllLogins, client: Annotated[str, Depends(find_client)]) -> LoginView:
    """Send a code. Whether there is an account with this number does not show."""
    login = await logins.start(body.number, client)
    return LoginView(id=login.id, state=login.state)


@app.get("/logins/{login_id}")
async def show(login_id: str, logins: AllLogins) -> LoginView:
    """Tell what became of the code."""
    login = logins.find(login_id)
    if login is None:
        raise HTTPException(404, "no such login")
    return LoginView(id=login.id, state=login.state)


@app.post("/logins/{login_id}/confirm", status_code=204)
async def confirm(login_id: str, body: Code, logins: AllLogins) -> None:
    """Let them in. Here your application sets its session."""
    if not logins.confirm(login_id, body.code):
        raise HTTPException(401, "wrong or expired code")


@app.exception_handler(TooSoonError)
async def answer_too_soon(_request: Request, error: TooSoonError) -> JSONResponse:
    """Say how long to wait."""
    return _refuse(429, "a code was sent a short while ago", error.retry_after)


@app.exception_handler(PayamakError)
async def answer_not_sent(_request: Request, error: PayamakError) -> JSONResponse:
    """Say whose fault it is that no code was sent. What it was is for the log, which learns no number and no code."""
    if isinstance(error, (InvalidArgumentError, InvalidRecipientError)):
        return _refuse(422, "this number cannot get a code")
    if isinstance(error, (ConnectionFailedError, RateLimitError, ServiceUnavailableError)):
        log.warning("no code could be sent for now: %s", error)
        return _refuse(503, "no code can be sent for now", error.retry_after or 10)
    log.error("no code can be sent, and it will not mend itself: %s", error)
    return _refuse(502, "no code can be sent", 300)


def _refuse(status: int, detail: str, retry_after: float | None = None) -> JSONResponse:
    headers = None if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
    return JSONResponse({"detail": detail}, status, headers)
