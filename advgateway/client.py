"""The client of the "advanced" web service, which many panels serve."""

from __future__ import annotations

import decimal
import ssl as ssl_module
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import aiohttp

from ..common import checks
from ..common.calls import Operation
from ..common.client import GatewayClient, Start
from ..common.errors import GatewayError, Outcome, ReplyError
from ..common.hiding import hides_arguments
from ..common.hooks import CallHook, Hook
from ..common.numbers import normalize_recipient
from ..common.paging import chunked
from ..common.results import OutgoingMessage, SendResult
from ..common.retry import RetryPolicy
from ..common.session import HttpSession, Reply, Request, Timeout
from . import wire
from .codes import SEND_FAILED
from .many import AdvBulkGateway
from .models import MessageStatus, ReceivedMessage
from .profiles import SoapProfile, Transport
from .text import require_xml_text
from .wire import Answer, Arguments

T = TypeVar("T")


class AdvGatewayClient(GatewayClient):
    """An asyncio client for the "advanced" web service: SOAP, or the JSON that the same panels serve.

    One client serves a whole application: make it at start-up, share it between tasks, close it at shutdown (``async
    with`` or `aclose`).

    Every method raises `PayamakError` and nothing else; its ``outcome`` says what became of the message:

    - `InvalidArgumentError`, `ClientStateError`, `ConnectionFailedError`: not sent.
    - `GatewayError` and its subclasses: refused, but unknown if the code is not documented, if the HTTP status is 500
      or above, and at a SOAP fault that blames the server.
    - `ConnectionLostError`, `RequestTimeoutError`, `ReplyError`: unknown. Only the ids lead to messages, and they are
      in the answer that is missing: look into the panel.

    Args:
        username: The user name.
        password: The password.
        base_url: For SOAP the URL of the service, such as ``https://…/class/sms/webservice3/server.php``; for REST the
            folder, such as ``https://…/class/sms/restful/``. Every panel has another.
        transport: `Transport.SOAP` or `Transport.REST`.
        profile: How the panel wants its SOAP.
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

    gateway = "advgateway"

    @hides_arguments
    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        transport: Transport = Transport.SOAP,
        profile: SoapProfile = SoapProfile(),  # noqa: B008 -- immutable
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
        checks.require_instance(transport, Transport, "transport")
        checks.require_instance(profile, SoapProfile, "profile")
        self._is_soap = transport is Transport.SOAP
        self._profile = profile
        self._credentials = {
            "user": require_xml_text(checks.require_credential(username, "username"), "username"),
            "pass": require_xml_text(checks.require_credential(password, "password"), "password"),
        }

    async def credit(self) -> decimal.Decimal:
        """Ask for the account's credit. Vendor method: ``GetCredit``."""
        return await self._request(wire.CREDIT, dict[str, str], wire.read_credit)

    async def send(self, to: str, text: str, *, sender: str) -> SendResult:
        """Send one text to one number. Vendor method: ``SendSMS``.

        Args:
            to: The recipient, such as ``09121234567``; Persian digits, ``+98…`` and ``0098…`` are understood.
            text: The text.
            sender: Your line.
        """
        return await self._request(
            wire.SEND,
            lambda: wire.send_arguments([normalize_recipient(to, "to")], text, sender),
            lambda answer: wire.read_id(answer, to),
            recipients=1,
        )

    async def send_to_many(self, recipients: str | Iterable[str], text: str, *, sender: str) -> list[SendResult]:
        """Send one text to up to 60 numbers. Vendor method: ``SendSMS``.

        Args:
            recipients: The numbers, up to 60 different ones. A number that stands there twice gets one message.
            text: The text.
            sender: Your line.

        Returns:
            One result for each entry of ``recipients``, in their order; entries of the same number share an id.
        """
        given, numbers = self._check(wire.SEND_TO_MANY, lambda: wire.unique_recipients(recipients))
        return await self._request(
            wire.SEND_TO_MANY,
            lambda: wire.send_arguments(numbers, text, sender),
            lambda answer: wire.read_ids(answer, given, numbers),
            recipients=len(numbers),
        )

    async def send_pairs(self, messages: Iterable[OutgoingMessage]) -> list[SendResult]:
        """Send up to 60 messages, each with its own recipient and text. Vendor method: ``SendMultipleSMS``.

        Args:
            messages: 1 to 60, all from the same line, without time or check id, which this gateway does not know.

        Returns:
            One result for each message, in their order: an id, or the error that this one recipient met.
        """
        arguments, given = self._check(wire.SEND_PAIRS, lambda: wire.pair_arguments(messages))
        return await self._request(
            wire.SEND_PAIRS,
            lambda: arguments,
            lambda answer: wire.read_pairs(answer, given),
            recipients=len(given),
        )

    async def statuses(self, message_ids: Iterable[int]) -> list[MessageStatus]:
        """Ask what became of messages. Vendor method: ``GetStatus``.

        Args:
            message_ids: Any number of ids; each 60 are one request. If one of the requests fails, all is raised.

        Returns:
            One status for each id, in their order.
        """
        ids = self._check(wire.STATUSES, lambda: checks.require_ids(message_ids, "message_ids"))
        found: list[MessageStatus] = []
        start = self._start()
        for part in chunked(ids, wire.MAX_NUMBERS):
            found += await self._statuses(part, start)
        return found

    async def received(self) -> list[ReceivedMessage]:
        """Fetch the up to 50 last messages that were not read yet. Vendor method: ``GetMsg``.

        Reading seems to mark them as read, so that this is never repeated by itself: if the answer is lost, look into
        the panel for what was in it.
        """
        return await self._request(wire.RECEIVED, dict[str, str], wire.read_received)

    async def _statuses(self, ids: Sequence[int], start: Start) -> list[MessageStatus]:
        return await self._request(
            wire.STATUSES,
            lambda: {"unique_ids": [str(number) for number in ids]},
            lambda answer: wire.read_statuses(answer, ids),
            start,
        )

    def _identify(self) -> str:
        return self._credentials["user"]

    def _make_bulk_gateway(self) -> AdvBulkGateway:
        return AdvBulkGateway(self)

    def _request(
        self,
        operation: Operation,
        build: Callable[[], Arguments],
        read: Callable[[Answer], T],
        start: Start | None = None,
        *,
        recipients: int = 0,
    ) -> Coroutine[Any, Any, T]:
        def make_request() -> Request:
            arguments = {**self._credentials, **build()}
            if self._is_soap:
                return wire.build_soap_request(self._base_url.rstrip("/"), operation.path, arguments, self._profile)
            return wire.build_rest_request(self._base_url, operation.path, arguments)

        def read_reply(reply: Reply) -> T:
            try:
                return read(wire.read_soap_answer(reply) if self._is_soap else wire.read_rest_answer(reply))
            except ReplyError as error:
                if len(error.message_ids) == recipients:
                    error.references = tuple(map(str, error.message_ids))
                raise
            except GatewayError as error:
                # "Sending failed" does not say that it failed for all of them.
                if error.code == SEND_FAILED and recipients > 1:
                    error.outcome = Outcome.UNKNOWN
                raise

        return self._perform(operation, make_request, read_reply, start=start)
