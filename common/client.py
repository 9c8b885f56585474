"""What every client is: its settings, its life, one call, and `send_many`."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import os
import ssl as ssl_module
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

import aiohttp
import yarl

from . import checks
from .calls import Call, Caller, Operation
from .errors import ClientStateError, InvalidArgumentError, NotFoundError, PayamakError
from .hiding import hides_arguments, strip_frames
from .hooks import CallHook, Hook
from .many import BulkGateway, Journal, Plan, RateLimiter, SendMany, resolve
from .results import OnUnknown, OutgoingMessage, Progress, SendReport
from .retry import Effect, RetryPolicy
from .session import HttpSession, Reply, Request, Timeout
from .structuring import load_converter

if TYPE_CHECKING:
    from .many.outbox import Outbox

T = TypeVar("T")

_BORROWED_GRACE = 900.0
"""The kernel may still deliver what a lost connection of a borrowed session had to send; ours are cut off with it."""


Start: TypeAlias = tuple[str, float | None]
"""What all requests of one call share: its operation id, and the event loop's time by which it must end."""


class GatewayClient:
    """The base of the four clients. It cannot be used by itself."""

    gateway: ClassVar[str]
    _usual_path: ClassVar[str] = ""
    """With what the path of a base URL ends, where the vendor has one for all."""

    def __init__(
        self,
        *,
        base_url: str,
        timeout: float | Timeout | None,
        retry: RetryPolicy,
        session: HttpSession | aiohttp.ClientSession | None,
        allow_http: bool,
        proxy: str | None,
        ssl: ssl_module.SSLContext | None,
        trust_env: bool,
        hooks: Sequence[Hook],
        call_hooks: Sequence[CallHook],
        keep_replies: bool,
    ) -> None:
        checks.require_instance(allow_http, bool, "allow_http")
        self._base_url = checks.require_base_url(base_url, allow_http=allow_http)
        self._lacks_path = not self._base_url.endswith(self._usual_path)
        self._timeout = _check_timeout(timeout)
        checks.require_instance(retry, RetryPolicy, "retry")
        around_attempts = _check_hooks(hooks, "hooks")
        around_calls = _check_hooks(call_hooks, "call_hooks")
        checks.require_instance(keep_replies, bool, "keep_replies")
        self._closes_session = not isinstance(session, HttpSession)
        if isinstance(session, HttpSession):
            if proxy is not None or ssl is not None or trust_env:
                raise InvalidArgumentError(
                    "proxy, ssl and trust_env are settings of the HttpSession: set them there", argument="session"
                )
            self._session = session
        else:
            self._session = HttpSession(session, proxy=proxy, ssl=ssl, trust_env=trust_env)
        load_converter()  # What cannot be loaded must show before anything is sent.
        self._closed = False
        self._closing = False
        self._sendings: weakref.WeakSet[SendMany] = weakref.WeakSet()
        log = logging.getLogger(f"payamak.{self.gateway}")
        self._caller = Caller(
            self.gateway, retry, around_attempts, around_calls, log, self._exchange, keeps_replies=keep_replies
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' (closed)' if self._closed else ''}>"

    def __getstate__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: make one in each process")

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._closed

    async def __aenter__(self) -> Self:
        if self._closed:
            raise ClientStateError("the client is closed: make a new one")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client, and its connections unless you brought the session. Closing twice does no harm.

        A `send_many` that still runs is ended first, as if its loop had been left.
        """
        self._closing = True
        await asyncio.gather(*(sending.aclose() for sending in list(self._sendings)))
        self._closed = True
        if self._closes_session:
            await self._session.aclose()

    @hides_arguments
    def send_many(
        self,
        messages: Iterable[OutgoingMessage] | AsyncIterable[OutgoingMessage],
        *,
        concurrency: int = 10,
        rate_limit: RateLimiter | None = None,
        progress: Callable[[Progress], object] | None = None,
        journal: Journal | None = None,
        on_unknown: OnUnknown = OnUnknown.ASK,
        grace: float = 60.0,
        close_timeout: float = 10.0,
    ) -> SendMany:
        """Send any number of messages, and yield what became of each: ``async for report in client.send_many(…)``.

        Messages that can travel together share requests. Each message gets exactly one `SendReport`, as they come and
        not in your order: sent with its id, refused, not sent, or unknown. One bad message does not sink the others of
        its request, where the gateway can tell which it is. When the gateway refuses for a reason that concerns all
        (credit, credentials, a blocked line), or three requests in a row end alike, the rest is not tried and comes out
        as not sent for that reason.

        Leaving the loop early ends the sending; put ``async with client.send_many(…) as sending`` around it, then
        nothing runs on, and ``sending.unread`` has the reports that the loop did not take.

        Args:
            messages: Any iterable, also an asynchronous one. It is read only as fast as messages go out, so that a
                generator of a million costs no more memory than one of a thousand.
            concurrency: How many requests may be in flight at once, 1 to 10,000.
            rate_limit: Anything with an ``async acquire()``, such as ``aiolimiter.AsyncLimiter(10, 1)`` for 10 requests
                a second. It is asked before each request but those that are repeated, and can be shared.
            progress: A function that is called with a `Progress` after each report.
            journal: Where to write down what is done, so that a killed process can go on where it was: a
                `payamak.common.sqlite_journal.SqliteJournal`, or your own `Journal`. Several can share it, each over
                its part of the messages or all over the same: a message goes out from one of them. It needs a client
                with a ``timeout``, for nobody could tell how long to wait for one that is stuck.
            on_unknown: What to do when the answer to a request was lost; by default the gateway is asked, where it can
                be. Nothing of that is ever sent again unless you say `OnUnknown.RESEND`.
            grace: How long a message that the gateway does not know may still turn up, in seconds. Only after that is
                it said to be not sent.
            close_timeout: How long to wait for what is in flight when the loop is left early, in seconds.

        Raises:
            InvalidArgumentError: An argument is wrong. A message that is wrong gets a report and raises nothing.
            ClientStateError: When iterating: the client is closed.
            JournalError: When iterating: the journal cannot be read.
        """
        plan = Plan(concurrency, rate_limit, progress, journal, on_unknown, grace, close_timeout)
        return self._make_sending(messages, plan)

    def outbox(
        self,
        *,
        journal: Journal,
        concurrency: int = 10,
        urgent_concurrency: int = 5,
        rate_limit: RateLimiter | None = None,
        on_unknown: OnUnknown = OnUnknown.ASK,
        grace: float = 60.0,
        pause: float = 30.0,
        close_timeout: float = 10.0,
    ) -> Outbox:
        """Send single messages from many callers, in shared requests: ``async with client.outbox(…) as outbox``.

        It is what a web service or a worker sends with: ``report = await outbox.send(message)``. Messages that come
        within a few milliseconds travel together. What was given in once, by its ``check_id``, is never sent twice, in
        whatever process of those that share the journal, and however often they are killed.

        Args:
            journal: Where to write down what is done: a `payamak.common.sqlite_journal.SqliteJournal`, or your own
                `Journal`. The processes of several workers can share it.
            concurrency: How many requests may be in flight at once, 1 to 10,000.
            urgent_concurrency: How many beside them, for messages that are sent as urgent.
            rate_limit: As of `send_many`. What is urgent waits for it, too.
            on_unknown: As of `send_many`.
            grace: As of `send_many`.
            pause: For how long nothing is tried after a refusal for a reason that concerns all, in seconds.
            close_timeout: How long to wait for what is in flight when it is closed, in seconds.

        Raises:
            InvalidArgumentError: An argument is wrong, or the client has no time limit.
        """
        if journal is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise InvalidArgumentError("journal is needed: an outbox writes down all that it sends", argument="journal")
        from .many.outbox import Outbox  # noqa: PLC0415 -- few need it

        def plan(places: int) -> Plan:
            return Plan(places, rate_limit, None, journal, on_unknown, grace, close_timeout)

        self._require_time_limit(plan(concurrency))
        return Outbox(
            lambda messages, places: self._make_sending(messages, plan(places), is_outbox=True),
            concurrency=concurrency, urgent_concurrency=urgent_concurrency, pause=pause,
        )  # fmt: skip

    def _make_sending(
        self,
        messages: Iterable[OutgoingMessage] | AsyncIterable[OutgoingMessage],
        plan: Plan,
        *,
        is_outbox: bool = False,
    ) -> SendMany:
        self._require_time_limit(plan)
        gateway = self._prepare_bulk_gateway()
        return SendMany(
            messages, plan, name=self.gateway, gateway=gateway, log=self._caller.log, on_start=self._enter_sending,
            account=self.account_hash, longest_call=self._timeout.total or 0.0, is_outbox=is_outbox,
        )  # fmt: skip

    def _require_time_limit(self, plan: Plan) -> None:
        if plan.journal is not None and self._timeout.total is None:
            raise InvalidArgumentError(
                "journal needs a client with a timeout for the whole call, such as timeout=60", argument="journal"
            )

    @property
    def account_hash(self) -> str:
        """By what a journal knows this account: a hash of gateway, host and port, and key or user name."""
        url = yarl.URL(self._base_url)
        host = f"{(url.host or '').rstrip('.')}:{url.port}"
        return hashlib.blake2b(f"{self.gateway}\n{host}\n{self._identify()}".encode(), digest_size=16).hexdigest()

    def _identify(self) -> str:
        """The key or user name."""
        raise NotImplementedError

    async def resolve(
        self, error: PayamakError, messages: Iterable[OutgoingMessage], *, grace: float = 60.0
    ) -> list[SendReport]:
        """Ask the gateway what became of a send whose outcome is unknown, as `send_many` does. It sends nothing.

        Args:
            error: What the send raised, or the error of a `SendReport`.
            messages: What was sent, one message for each recipient in their order: number and text are needed to know
                it again. The text of a one-time password from a template is not looked at.
            grace: How long a message that the gateway does not know may still turn up, in seconds.

        Returns:
            A report for each message, in their order: sent, with its id; not sent, which is proven; refused; or unknown
            still, where the gateway cannot be asked (``error.references`` is empty) or does not say.

        Raises:
            InvalidArgumentError: An argument is wrong, or these are not as many messages as were sent.
            ClientStateError: The client is closed.
        """
        if self._closing:
            raise ClientStateError("the client is closed: make a new one")
        gateway = self._prepare_bulk_gateway()
        try:
            return await resolve(gateway, error, messages, name=self.gateway, grace=grace, log=self._caller.log)
        except BaseException as failure:
            strip_frames(failure)
            raise
        finally:
            del messages

    def _prepare_bulk_gateway(self) -> BulkGateway:
        gateway = self._make_bulk_gateway()
        if self._session.is_borrowed:
            gateway.least_grace = _BORROWED_GRACE
        return gateway

    def _make_bulk_gateway(self) -> BulkGateway:
        """Make what the engine of `send_many` must know of this gateway."""
        raise NotImplementedError

    def _enter_sending(self, sending: SendMany) -> None:
        if self._closing:
            raise ClientStateError("the client is closed: make a new one")
        self._sendings.add(sending)

    def _check(self, operation: Operation, check: Callable[[], T], operation_id: str | None = None) -> T:
        """Look at arguments, whose own methods may raise anything, before a request or the first of several."""
        try:
            return check()
        except PayamakError as error:
            self._caller.describe(error, operation, operation_id or os.urandom(16).hex())
            strip_frames(error)  # Those that build a request hold the credentials.
            raise
        except Exception as error:
            refusal = checks.as_invalid_argument(error)
        except BaseException as error:
            strip_frames(error)
            raise
        self._caller.describe(refusal, operation, operation_id or os.urandom(16).hex())
        raise refusal  # Out here, because what was raised can hold an argument.

    def _start(self, timeout: Timeout | None = None) -> Start:
        """Mint the operation id and set the deadline of one call of a method."""
        total = (timeout or self._timeout).total
        return os.urandom(16).hex(), None if total is None else asyncio.get_running_loop().time() + total

    def _perform(
        self,
        operation: Operation,
        build: Callable[[], Request],
        read: Callable[[Reply], T],
        *,
        start: Start | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Run one operation, with all that belongs to it.

        Args:
            operation: What to run.
            build: Makes the request; raises `InvalidArgumentError` for bad arguments.
            read: Turns the answer into the result; raises `GatewayError` or `ReplyError`.
            start: That of the call, where one call makes several requests.
        """
        operation_id, deadline = start or self._start()
        if self._closed:
            closed = ClientStateError("the client is closed: make a new one")
            self._caller.describe(closed, operation, operation_id)
            raise closed
        request = self._check(operation, build, operation_id)
        if self._lacks_path:
            read = functools.partial(self._read_or_name_path, read)
        call = Call(self._caller, operation, operation_id, request, read, deadline)
        if self._caller.call_hooks:
            return call.run_with_hooks(lambda: self._prepare(operation, deadline))
        return call.run(self._prepare(operation, deadline))

    def _read_or_name_path(self, read: Callable[[Reply], T], reply: Reply) -> T:
        try:
            return read(reply)
        except NotFoundError as error:
            error.args = (f"{error.args[0]}; base_url does not end with {self._usual_path}, as the vendor's does",)
            raise

    def _prepare(self, operation: Operation, deadline: float | None) -> Awaitable[object] | None:
        """Do what must be done once before the first attempt. A gateway with short-lived tokens fetches one here."""
        return None

    def _exchange(self, operation: Operation, request: Request, deadline: float | None) -> Awaitable[Reply]:
        """Send the request of one attempt. A gateway with short-lived tokens adds its token here."""
        may_repeat = operation.effect is not Effect.ONCE
        return self._session.send(request, deadline=deadline, timeout=self._timeout, may_repeat=may_repeat)


def _check_hooks(hooks: Iterable[T], argument: str) -> tuple[T, ...]:
    around = tuple(checks.require_iterable(hooks, argument))
    if not all(callable(hook) for hook in around):
        raise InvalidArgumentError(f"{argument} must be a list of coroutine functions", argument=argument)
    return around


def _check_timeout(timeout: float | Timeout | None) -> Timeout:
    if isinstance(timeout, Timeout):
        return timeout
    if timeout is None:
        return Timeout(total=None, attempt=None, connect=None)
    checks.require_seconds(timeout, "timeout")
    return Timeout(total=timeout, attempt=timeout)
