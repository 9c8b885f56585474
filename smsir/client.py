"""The client of sms.ir's web service for White SMS."""

from __future__ import annotations

import asyncio
import hashlib
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import aiohttp
import attrs

from ..common import checks
from ..common.calls import Operation
from ..common.client import GatewayClient
from ..common.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    ReplyError,
)
from ..common.hiding import hides_arguments
from ..common.hooks import CallHook, Hook
from ..common.numbers import normalize_recipient
from ..common.results import SendResult
from ..common.retry import RetryPolicy
from ..common.session import HttpSession, Reply, Request, Timeout
from ..common.tokens import Token, TokenManager, TokenStore
from . import operations, wire
from .account import Account, Question
from .contacts import Contacts
from .drafts import Drafts
from .groups import Groups
from .many import Claims, SmsIrBulkGateway, clean_number
from .messages import Messages
from .notifications import Notifications
from .occasional_messages import OccasionalMessages
from .tickets import Tickets
from .tokens import TokenRejection
from .transactions import Transactions
from .wire import Arguments, Reader, read_list, read_model

T = TypeVar("T")


class SmsIrClient(GatewayClient):
    """An asyncio client for sms.ir White SMS.

    One client serves a whole application: make it at start-up, share it between tasks, close it at shutdown (``async
    with`` or `aclose`). It fetches its token by itself, renews it while the old one is still valid, and replaces it
    when the gateway rejects it.

    Every method raises `PayamakError` and nothing else; its ``outcome`` says what became of the message:

    - `InvalidArgumentError`, `ClientStateError`, `ConnectionFailedError`: not sent.
    - `GatewayError` and its subclasses: refused, but unknown in an HTTP status from 500 on, and where the answer is not
      a Persian sentence of the vendor's: then its server failed, perhaps after it had sent. ``code`` and
      ``gateway_message`` are as the vendor sent them; it publishes no table.
    - `ConnectionLostError`, `RequestTimeoutError`, `ReplyError`: unknown. ``messages.sent_page()`` may tell.

    Args:
        user_api_key: The web service's key from the panel.
        secret_key: The security code from the panel.
        base_url: Where the service is.
        token_store: Where to keep the token, so that processes share one; in memory by default.
        token_lifetime: How long a token is valid, in seconds.
        token_refresh_margin: How long before its end a token is renewed, while callers still get the old one.
        token_expiry_margin: How long before its end a token counts as expired.
        token_store_timeout: How long an operation of the store may take, in seconds. A store that fails or takes longer
            is done without for half a minute.
        token_rejection: How to tell that the gateway has rejected the token.
        timeout: Seconds for a whole call with all its attempts, or a `Timeout` for more detail; ``None`` for no limit.
        retry: How often to try. A send is only repeated if it provably never left, or at a bare HTTP 429.
        session: An `HttpSession` to share between clients, or an `aiohttp.ClientSession` of yours; neither is closed by
            this client. By default it makes its own and closes it.
        allow_http: Whether ``http://`` may lead anywhere but to ``localhost``, ``127.*`` or ``::1``.
        proxy: The URL of an HTTP proxy.
        ssl: An `ssl.SSLContext` for a certificate authority of your own.
        trust_env: Whether to take the proxy from the environment. It makes each call slower.
        hooks: Coroutine functions ``(attempt, proceed) -> reply`` around each attempt, the first outermost. See `Hook`.
        call_hooks: Coroutine functions ``(call, proceed)`` around each call with all its attempts. See `CallHook`.
        keep_replies: Whether ``body`` of a `ReplyError`, and of each `Attempt`, holds what the gateway answered. It may
            quote numbers, texts and credentials.

    Raises:
        InvalidArgumentError: An argument is wrong.
    """

    gateway = "smsir"
    _usual_path = "/users/v1/"

    @hides_arguments
    def __init__(
        self,
        user_api_key: str,
        secret_key: str,
        *,
        base_url: str = "https://api.sms.ir/users/v1/",
        token_store: TokenStore | None = None,
        token_lifetime: float = 30 * 60,
        token_refresh_margin: float = 3 * 60,
        token_expiry_margin: float = 10,
        token_store_timeout: float = 1,
        token_rejection: TokenRejection = TokenRejection(),  # noqa: B008 -- immutable
        timeout: float | Timeout | None = Timeout(),  # noqa: B008 -- immutable
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 -- immutable
        session: HttpSession | aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        proxy: str | None = None,
        ssl: ssl_module.SSLContext | None = None,
        trust_env: bool = False,
        hooks: Sequence[Hook] = (),
        call_hooks: Sequence[CallHook] = (),
        keep_replies: bool = False,
    ) -> None:
        super().__init__(
            base_url=base_url, timeout=timeout, retry=retry, session=session, allow_http=allow_http,
            proxy=proxy, ssl=ssl, trust_env=trust_env, hooks=hooks, call_hooks=call_hooks, keep_replies=keep_replies,
        )  # fmt: skip
        self._user_api_key = checks.require_credential(user_api_key, "user_api_key")
        self._secret_key = checks.require_credential(secret_key, "secret_key")
        for name in ("get", "set", "delete"):
            if token_store is not None and not callable(getattr(token_store, name, None)):
                raise InvalidArgumentError(f"token_store has no method {name}", argument="token_store")
        checks.require_instance(token_rejection, TokenRejection, "token_rejection")
        self._rejection = token_rejection
        account = hashlib.sha256(f"{self._base_url}\n{user_api_key}\n{secret_key}".encode()).hexdigest()
        self._tokens = TokenManager(
            self._fetch_token,
            key=f"payamak:smsir:{account}",
            store=token_store,
            lifetime=token_lifetime,
            refresh_margin=token_refresh_margin,
            expiry_margin=token_expiry_margin,
            store_timeout=token_store_timeout,
        )
        self._token_timeout = _limit(self._timeout)
        self._claims = Claims()
        self.messages = Messages(self._request, self._claims.take)
        """Sending, and what became of it."""
        self.transactions = Transactions(self._request)
        """The account's payments."""
        self.groups = Groups(self._request)
        """The groups of contacts."""
        self.contacts = Contacts(self._request)
        """The contacts."""
        self.drafts = Drafts(self._request)
        """Texts kept for later."""
        self.notifications = Notifications(self._request)
        """The vendor's notices."""
        self.occasional_messages = OccasionalMessages(self._request)
        """Ready-made texts."""
        self.tickets = Tickets(self._request)
        """Questions to the vendor's support."""

    async def aclose(self) -> None:
        """Close the client, and its connections unless you brought the session. Closing twice does no harm."""
        await self._tokens.aclose()
        await super().aclose()

    async def authenticate(self, *, fresh: bool = False) -> None:
        """Get a token now, so that wrong keys show at start-up. Vendor method: ``GetToken``.

        Args:
            fresh: Whether to ask the gateway also if another process has left a token in the store.

        Raises:
            AuthenticationError: The keys are wrong.
            PayamakError: No token could be had.
        """
        try:
            await self._tokens.renew(fresh=checks.require_bool(fresh, "fresh"))
        except PayamakError as error:
            self._caller.describe(error, operations.GET_TOKEN, error.operation_id)
            raise

    async def send(self, to: str, text: str) -> SendResult:
        """Send one text to one number. Vendor method: ``SendByMobileNumbers``, see `Messages.send_to_numbers`.

        Args:
            to: The recipient, such as ``09121234567``, who should be a contact already; Persian digits, ``+98…`` and
                ``0098…`` are understood.
            text: The text.
        """
        operation = operations.MESSAGES_SEND_TO_NUMBERS
        number = self._check(operation, lambda: normalize_recipient(to, "to"))
        batch = await self.messages.send_to_numbers(number, text)
        for recipient in batch.recipients:
            if recipient.id is not None and clean_number(recipient.mobile) == number:
                return SendResult(to, recipient.id)
        error = ReplyError("the answer has no id for this number", field="Ids")
        self._caller.describe(error, operation, None)
        raise error

    async def account(self) -> Account:
        """Fetch what the gateway knows of the account. Vendor method: ``GetUserInfo``."""
        return await self._request(operations.ACCOUNT, Arguments, read_model(Account))

    async def credit(self) -> int:
        """Fetch the account's credit. It is `account` without the rest."""
        return (await self.account()).credit

    async def faq(self) -> list[Question]:
        """List the vendor's answers to frequent questions. Vendor method: ``GetFrequentlyAskedQuestions``."""
        return await self._request(operations.FAQ, Arguments, read_list("FrequentlyAskedQuestions", Question))

    def _identify(self) -> str:
        return self._user_api_key

    def _make_bulk_gateway(self) -> SmsIrBulkGateway:
        return SmsIrBulkGateway(self.messages, self._claims)

    def _request(
        self, operation: Operation, build: Callable[[], Arguments], read: Reader[T], /
    ) -> Coroutine[Any, Any, T]:
        return self._perform(
            operation,
            lambda: wire.build_request(operation, self._base_url, build()),
            lambda reply: read(wire.read_envelope(reply, self._rejection), reply.status),
        )

    def _prepare(self, operation: Operation, deadline: float | None) -> Awaitable[object] | None:
        if operation is operations.GET_TOKEN or self._tokens.get_at_once() is not None:
            return None
        return self._get_token(deadline)

    async def _exchange(self, operation: Operation, request: Request, deadline: float | None) -> Reply:
        """Send with a valid token, which is set in the request; if the gateway rejects it, once more with a new one.

        A rejected token shows that nothing was done, so that even a send can go out again. If the new one comes from
        the store, it may be as dead as the first: only when one from the gateway is rejected too, it is over.
        """
        if operation is operations.GET_TOKEN:
            return await self._session.send(request, deadline=deadline, timeout=self._token_timeout, may_repeat=True)
        request.stamp = self._stamp
        reply = await super()._exchange(operation, request, deadline)
        if not wire.is_rejection(reply, self._rejection):
            return reply
        self._reject_token(request)
        reply = await super()._exchange(operation, request, deadline)
        if wire.is_rejection(reply, self._rejection) and self._reject_token(request):
            reply = await super()._exchange(operation, request, deadline)
            if wire.is_rejection(reply, self._rejection):
                self._reject_token(request)
        return reply

    def _reject_token(self, request: Request) -> bool:
        return self._tokens.reject(request.headers[wire.TOKEN_HEADER])

    def _stamp(self, request: Request, deadline: float | None) -> Awaitable[None] | None:
        token = self._tokens.get_at_once()
        if token is None:
            return self._wait_and_stamp(request, deadline)
        # Mostly there is one, and then no time has to be kept.
        _set_token(request, token)
        return None

    async def _wait_and_stamp(self, request: Request, deadline: float | None) -> None:
        _set_token(request, await self._get_token(deadline))

    async def _get_token(self, deadline: float | None) -> Token:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._tokens.get()
        except TimeoutError:
            raise ConnectionFailedError("no token could be had in time") from None
        except PayamakError as error:
            # Whatever became of the request for a token: what was to be sent with it has not left. Wrong keys alone are
            # a refusal of that too, which would fare no better later.
            if not isinstance(error, AuthenticationError):
                error.outcome = Outcome.NOT_SENT
                error.args = (f"no token could be had: {error.args[0]}",)
            raise

    async def _fetch_token(self) -> str:
        def build() -> Request:
            keys = {"UserApiKey": self._user_api_key, "SecretKey": self._secret_key}
            request = wire.build_request(operations.GET_TOKEN, self._base_url, Arguments(body=keys))
            request.is_urgent = True
            return request

        return await self._perform(operations.GET_TOKEN, build, wire.read_token, start=self._start(self._token_timeout))


def _set_token(request: Request, token: Token) -> None:
    request.headers = {**request.headers, wire.TOKEN_HEADER: token.value}


def _limit(timeout: Timeout) -> Timeout:
    """Bound the time of the request for a token, for which all calls wait, also where that of a call has no limit."""
    most = attrs.asdict(Timeout())
    given = attrs.asdict(timeout)
    return Timeout(**{name: min(seconds, given[name] or seconds) for name, seconds in most.items()})
