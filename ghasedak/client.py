"""The client of Ghasedak's web service, version 2."""

from __future__ import annotations

import datetime
import functools
import ssl as ssl_module
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import aiohttp

from ..common import checks
from ..common.calls import Operation
from ..common.client import GatewayClient, Start
from ..common.hiding import Secret, hides_arguments
from ..common.hooks import CallHook, Hook
from ..common.numbers import normalize_iranian, normalize_line
from ..common.paging import chunked, iterate_pages
from ..common.results import OutgoingMessage, SendResult, only_result
from ..common.retry import RetryPolicy
from ..common.session import FORM_HEADERS, HttpSession, Reply, Request, Timeout
from . import wire
from .groups import Groups
from .many import GhasedakBulkGateway, Marks
from .models import Account, MessageStatus, OtpKind, ReceivedMessage, ReceivedPage
from .wire import Envelope, Fields

T = TypeVar("T")


class GhasedakClient(GatewayClient):
    """An asyncio client for Ghasedak.

    One client serves a whole application: make it at start-up, share it between tasks, close it at shutdown (``async
    with`` or `aclose`). It makes its connections on first use, inside the running event loop.

    Every method raises `PayamakError` and nothing else; its ``outcome`` says what became of the message:

    - `InvalidArgumentError`, `ClientStateError`, `ConnectionFailedError`: not sent.
    - `GatewayError` and its subclasses: refused, if the vendor's table explains the number. Unknown are numbers that it
      does not, 10 and 21, which tell of a failure of the gateway's own, and whatever it says in an HTTP 5xx.
    - `ConnectionLostError`, `RequestTimeoutError`, `ReplyError`: unknown. Every SMS goes out with a check id, yours or
      one made up for it, by which `resolve` asks.

    Args:
        api_key: The key from the account's settings in the panel.
        base_url: Where the service is.
        timeout: Seconds for a whole call with all its attempts, or a `Timeout` for more detail; ``None`` for no limit.
        retry: How often to try. A send is only repeated if it provably never left, or after a bare HTTP 429.
        session: An `HttpSession` to share, or an `aiohttp.ClientSession` of yours; it closes neither, only its own.
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

    gateway = "ghasedak"
    _usual_path = "/v2/"

    @hides_arguments
    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.ghasedak.me/v2/",
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
        self._api_key = checks.require_secret(api_key, "api_key")
        self._headers = {**FORM_HEADERS, "apikey": self._api_key}
        self._marks = Marks()
        self.groups = Groups(self._request)
        """The groups of contacts."""

    async def send(
        self,
        to: str,
        text: str,
        *,
        sender: str | None = None,
        send_at: datetime.datetime | None = None,
        check_id: str | None = None,
    ) -> SendResult:
        """Send one text to one number. Vendor method: send simple, ``sms/send/simple``.

        Args:
            to: The recipient, such as ``09121234567``; Persian digits, ``+98…`` and ``0098…`` are understood.
            text: The text.
            sender: Your line; by default the account's line of highest priority.
            send_at: An aware datetime to send it at; now by default.
            check_id: A mark of your own, unique to this message and without commas, for `statuses_by_check_id`.

        Raises `PayamakError`. A refusal of this one recipient is raised too.
        """
        return only_result(await self._send(wire.SEND, to, text, sender=sender, send_at=send_at, check_id=check_id))

    async def send_by_username(
        self,
        username: str,
        to: str,
        text: str,
        *,
        sender: str | None = None,
        send_at: datetime.datetime | None = None,
        check_id: str | None = None,
    ) -> SendResult:
        """Send one text to one number, with the account's user name and the API key as its password.

        Vendor method: send simple 2. The vendor's document gives no path; ``sms/send/simple/url`` is from public code.

        Args:
            username: The account's user name.
            to: This and what follows is as in `send`.
        """
        account = Secret(username)
        del username  # Or an error tracker would find it in this frame.
        return only_result(
            await self._send(
                wire.SEND_BY_USERNAME, to, text, sender=sender, send_at=send_at, check_id=check_id, account=account
            )
        )

    async def send_pairs(self, messages: Iterable[OutgoingMessage]) -> list[SendResult]:
        """Send up to 100 messages, each with its own recipient, text, line, time and check id.

        Vendor method: bulk, ``sms/send/bulk``.

        Args:
            messages: 1 to 100. The gateway separates the texts by commas and knows no way to escape one: a text with a
                comma is refused here (the Persian comma ``،`` is fine). All have a time or none has; so with check ids.

        Returns:
            One result for each message, in their order: an id, or the error that this one recipient met.

        Raises `PayamakError`. It concerns all the messages.
        """
        fields, recipients, marks = self._check(wire.SEND_PAIRS, lambda: wire.pair_fields(messages))
        return await self._send_marked(wire.SEND_PAIRS, lambda: fields, recipients, marks)

    async def send_to_many(
        self,
        recipients: str | Iterable[str],
        text: str,
        *,
        sender: str | None = None,
        send_at: datetime.datetime | None = None,
        check_ids: Iterable[str] | None = None,
    ) -> list[SendResult]:
        """Send one text to up to 100 numbers. Vendor method: bulk 2, ``sms/send/pair``.

        Args:
            recipients: 1 to 100 numbers, or one number. A number that stands there twice gets the message twice.
            text: The text; commas are fine.
            sender: As in `send`.
            send_at: As in `send`.
            check_ids: One for each recipient, in their order.

        Returns:
            One result for each recipient, in their order: an id, or the error that this one recipient met.

        Raises `PayamakError`. It concerns all the recipients. If ``recipients`` is one number and no list, the error
        that it met is raised too; so with `send_otp` and `send_voice`.
        """
        fields = functools.partial(wire.text_fields, text=text, sender=sender, send_at=send_at)
        return await self._send_to_recipients(
            wire.SEND_TO_MANY,
            recipients,
            fields,
            lambda count: wire.marks_of(None, check_ids, count),
            ordered=check_ids is not None,
        )

    async def send_otp(
        self,
        recipients: str | Iterable[str],
        template: str,
        params: Iterable[str],
        *,
        kind: OtpKind = OtpKind.TEXT,
        check_id: str | None = None,
        check_ids: Iterable[str] | None = None,
    ) -> list[SendResult]:
        """Send a one-time password, or anything else that fits a template approved in the panel.

        It needs no line of your own, and reaches numbers that have blocked advertising.

        Vendor method: verification, ``verification/send/simple``.

        Args:
            recipients: 1 to 100 numbers, or one number; also outside Iran: ``+33456351753``.
            template: The template's name in the panel.
            params: 1 to 10 values for ``%param1%`` to ``%param10%`` of the template, in their order. Not every account
                may send a value with a blank, a line break or an underscore.
            kind: As an SMS, or read out in a call.
            check_id: A mark of your own for `statuses_by_check_id`, for one recipient.
            check_ids: One for each of several recipients, in their order. The vendor documents a list of them at its
                other methods only, so that none is made up here for several.

        Returns:
            One result for each recipient, in their order.
        """

        def marks(count: int) -> list[str]:
            is_unmarked = count > 1 and check_id is None and check_ids is None
            return [] if is_unmarked else wire.marks_of(check_id, check_ids, count)

        return await self._send_to_recipients(
            wire.SEND_OTP,
            recipients,
            lambda receptor, marks: wire.otp_fields(receptor, template, params, kind=kind, marks=marks),
            marks,
            ordered=check_ids is not None,
        )

    async def send_voice(
        self, recipients: str | Iterable[str], text: str, *, send_at: datetime.datetime | None = None
    ) -> list[SendResult]:
        """Have a text read out in a call to up to 100 numbers. Vendor method: voice, ``voice/send/simple``.

        Args:
            recipients: 1 to 100 numbers, or one number.
            text: What to read out.
            send_at: An aware datetime to call at; now by default.

        Returns:
            One result for each recipient, in their order.
        """
        fields = functools.partial(wire.text_fields, text=text, sender=None, send_at=send_at)
        return await self._send_to_recipients(wire.SEND_VOICE, recipients, fields, lambda _: [])

    async def statuses(self, message_ids: Iterable[int]) -> list[MessageStatus]:
        """Ask what became of messages, by the gateway's ids. Vendor method: status, ``sms/status`` with type 1.

        Args:
            message_ids: Any number of them; each 100 are one request. If one of the requests fails, all is raised.

        Returns:
            What the gateway answered, in its order. An id that it does not know has the state ``NOT_FOUND``.

        Raises `PayamakError`. Asking is repeated on any passing failure.
        """
        ids = self._check(wire.STATUSES, lambda: wire.ids_of(message_ids, "message_ids"))
        return await self._statuses(wire.STATUSES, ids, "1")

    async def statuses_by_check_id(self, check_ids: Iterable[str]) -> list[MessageStatus]:
        """Ask what became of messages, by your own check ids. `resolve` asks so, and knows what the answers prove.

        Vendor method: status, ``sms/status`` with type 2.

        Args:
            check_ids: Any number of them; each 100 are one request.

        Returns:
            As `statuses`. The gateway does not say which check id a status belongs to: after an unknown outcome ask for
            one at a time. ``NOT_FOUND`` right after a timeout is no proof: a slow gateway may still be at work.
        """
        marks = self._check(wire.STATUSES_BY_CHECK_ID, lambda: wire.check_ids_of(check_ids))
        return await self._statuses(wire.STATUSES_BY_CHECK_ID, marks, "2")

    async def received(self, line: str, *, read: bool = False) -> list[ReceivedMessage]:
        """Fetch the up to 100 last messages that came in on a line. Vendor method: receive last, ``sms/receive/last``.

        Args:
            line: Your line.
            read: False for those not read yet, True for those read.
        """
        return await self._request(
            wire.RECEIVED,
            lambda: {"linenumber": normalize_line(line, "line"), "isread": wire.flag(read, "read")},
            lambda envelope: wire.decode_items(envelope, list[ReceivedMessage]),
        )

    async def received_page(
        self,
        line: str,
        *,
        start: datetime.datetime,
        end: datetime.datetime,
        read: bool = False,
        page: int = 0,
        page_size: int = 200,
    ) -> ReceivedPage:
        """Fetch one page of the messages that came in on a line between two times.

        Vendor method: receive paging, ``sms/receive/paging``.

        Args:
            line: Your line.
            start: From when on, an aware datetime.
            end: Until when, an aware datetime.
            read: False for those not read yet, True for those read.
            page: The first page is 0.
            page_size: 1 to 200.
        """
        return await self._request(
            wire.RECEIVED_PAGE,
            lambda: wire.page_fields(line, start, end, read=read, page=page, page_size=page_size),
            wire.read_received_page,
        )

    async def iterate_received(
        self, line: str, *, start: datetime.datetime, end: datetime.datetime, read: bool = False, page_size: int = 200
    ) -> AsyncIterator[ReceivedMessage]:
        """Go through all messages that came in on a line between two times, page by page, none of them twice.

        The arguments and the errors are those of `received_page`.
        """
        total = 0

        async def fetch(page: int) -> list[ReceivedMessage]:
            nonlocal total
            found = await self.received_page(line, start=start, end=end, read=read, page=page, page_size=page_size)
            total = max(total, found.total or 0)
            return found.messages

        async for message in iterate_pages(
            fetch,
            lambda message: message.message_id,
            has_more=lambda found, seen: seen < total if total else len(found) >= page_size,
            moves_up=True,
        ):
            yield message

    async def cancel(self, message_ids: Iterable[int]) -> list[int]:
        """Take back messages whose time has not come yet. Vendor method: cancel, ``sms/cancel``.

        Args:
            message_ids: 1 to 100 ids of messages that were sent with ``send_at``.

        Returns:
            The ids of those that were cancelled.
        """
        return await self._request(wire.CANCEL, lambda: wire.cancel_fields(message_ids), wire.read_cancelled)

    async def account(self) -> Account:
        """Ask for the account's credit and its expiry. Vendor method: account info, ``account/info``."""
        return await self._request(wire.ACCOUNT, Fields, wire.read_account)

    async def credit(self) -> int:
        """Ask for the account's credit, in rial. It is `account` without the expiry."""
        return (await self.account()).balance

    async def _statuses(self, operation: Operation, ids: Sequence[str], kind: str) -> list[MessageStatus]:
        found: list[MessageStatus] = []
        start = self._start()
        for part in chunked(ids, wire.MAX_ENTRIES):
            fields = functools.partial(wire.status_fields, part, kind)
            found += await self._request(operation, fields, wire.read_statuses, start=start)
        return found

    def _send(
        self,
        operation: Operation,
        to: str,
        text: str,
        *,
        sender: str | None,
        send_at: datetime.datetime | None,
        check_id: str | None,
        account: Secret[str] | None = None,
    ) -> Coroutine[Any, Any, list[SendResult]]:
        marks: list[str] = []

        def fields() -> Fields:
            marks.append(wire.mint_check_id() if check_id is None else wire.check_id_text(check_id, "check_id"))
            message = wire.text_fields(normalize_iranian(to, "to"), marks, text, sender=sender, send_at=send_at)
            return message if account is None else {**self._name_account(account), **message}

        return self._send_marked(operation, fields, [to], marks)

    def _name_account(self, account: Secret[str]) -> Fields:
        return {"username": checks.require_credential(account.value, "username"), "password": self._api_key}

    async def _send_to_recipients(
        self,
        operation: Operation,
        recipients: str | Iterable[str],
        fields: Callable[[str, Sequence[str]], Fields],
        marks: Callable[[int], list[str]],
        *,
        ordered: bool = False,
    ) -> list[SendResult]:
        international = operation is wire.SEND_OTP
        receptor, given = self._check(
            operation, lambda: wire.recipients_of(recipients, international=international, ordered=ordered)
        )
        checked = self._check(operation, lambda: marks(len(given)))
        results = await self._send_marked(operation, lambda: fields(receptor, checked), given, checked)
        # Who gives a number and no list does not look for an error in a list.
        return [only_result(results)] if isinstance(recipients, str) else results

    def _send_marked(
        self, operation: Operation, fields: Callable[[], Fields], recipients: Sequence[str], marks: Sequence[str]
    ) -> Coroutine[Any, Any, list[SendResult]]:
        """Send to recipients, each with a mark or none with any, and remember a mark that the gateway has taken."""

        def build() -> Request:
            headers = FORM_HEADERS if operation is wire.SEND_BY_USERNAME else self._headers
            request = wire.build_request(operation, self._base_url, headers, fields())
            request.references = tuple(marks)
            return request

        def read(reply: Reply) -> list[SendResult]:
            results = wire.read_send_results(wire.read_envelope(reply), recipients)
            self._marks.note(marks, results)
            return results

        return self._perform(operation, build, read)

    def _send_checked(
        self, numbers: Sequence[str], message: OutgoingMessage, marks: Sequence[str]
    ) -> Coroutine[Any, Any, list[SendResult]]:
        """As `send_to_many`, of numbers and check ids that `send_many` has checked already, each by itself."""
        fields = functools.partial(
            wire.text_fields, ",".join(numbers), marks, message.text, sender=message.sender, send_at=message.send_at
        )
        return self._send_marked(wire.SEND_TO_MANY, fields, numbers, marks)

    def _identify(self) -> str:
        return self._api_key

    def _make_bulk_gateway(self) -> GhasedakBulkGateway:
        return GhasedakBulkGateway(self, self._send_checked, self._marks)

    def _request(
        self,
        operation: Operation,
        fields: Callable[[], Fields],
        read: Callable[[Envelope], T],
        *,
        start: Start | None = None,
    ) -> Coroutine[Any, Any, T]:
        def build() -> Request:
            return wire.build_request(operation, self._base_url, self._headers, fields())

        return self._perform(operation, build, lambda reply: read(wire.read_envelope(reply)), start=start)
