"""The client of the gateway that selects its operations by a form field ``op``."""

from __future__ import annotations

import datetime
import decimal
import ssl as ssl_module
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
import yarl

from ..common import checks
from ..common.calls import Operation
from ..common.client import GatewayClient
from ..common.errors import ReplyError
from ..common.hiding import hides_arguments
from ..common.hooks import CallHook, Hook
from ..common.numbers import normalize_line, normalize_recipient
from ..common.retry import Effect, RetryPolicy
from ..common.session import HttpSession, Reply, Request, Timeout
from . import wire
from .many import OpBulkGateway
from .models import (
    AccessLevel,
    CreatedUser,
    Gender,
    Job,
    JobTrend,
    MessageProgress,
    NewUser,
    Operator,
    PanelAnswer,
    PhoneBook,
    PostalArea,
    ReceivedMessage,
    RecipientDelivery,
)
from .profiles import OpProfile
from .wire import Answer

T = TypeVar("T")


class OpGatewayClient(GatewayClient):
    """An asyncio client for the gateway that many resellers run, the ippanel family: one URL, and a field ``op``.

    One client serves a whole application: make it at start-up, share it between tasks, close it at shutdown (``async
    with`` or `aclose`).

    Every method raises `PayamakError` and nothing else; its ``outcome`` says what became of the message:

    - `InvalidArgumentError`, `ClientStateError`, `ConnectionFailedError`: not sent.
    - `GatewayError` and its subclasses: refused, but unknown if the code is not known, or the HTTP status 500 or above.
    - `ConnectionLostError`, `RequestTimeoutError`, `ReplyError`: unknown. Only the bulk id leads to a message, and it
      is in the answer that is missing: look into the panel.

    The vendor documents few of its replies. Where a docstring says *inferred*, the shape is taken from public code or
    from what its siblings send, and ``raw`` keeps what came.

    Args:
        username: The user name.
        password: The password.
        base_url: The panel's URL, up to ``services.jspd``; every reseller has another. It is used as given, but for a
            slash at its end; one that names only a host gets the path ``/services.jspd``.
        profile: How the panel names ops and fields; `OpProfile.as_documented()` is the vendor's document to the letter.
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

    gateway = "opgateway"

    @hides_arguments
    def __init__(
        self,
        username: str,
        password: str,
        *,
        base_url: str,
        profile: OpProfile = OpProfile(),  # noqa: B008 -- immutable
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
        url = self._base_url.rstrip("/")
        checks.require_instance(profile, OpProfile, "profile")
        self._url = url if yarl.URL(url).path.strip("/") else f"{url}/services.jspd"
        self._credentials = {
            "uname": checks.require_credential(username, "username"),
            "pass": checks.require_credential(password, "password"),
        }
        self._profile = profile if profile.ops or profile.fields else None

    async def send(self, to: str, text: str, *, sender: str, send_at: datetime.datetime | None = None) -> int:
        """Send one text to one number, and return the bulk id. Vendor's op: ``send``.

        Args:
            to: The recipient, such as ``09121234567``; Persian digits, ``+98…`` and ``0098…`` are understood.
            text: The text.
            sender: Your line.
            send_at: An aware datetime to send it at; now by default. It is not in the vendor's document.
        """
        return await self._send(wire.SEND, lambda: [normalize_recipient(to, "to")], text, sender, send_at)

    async def send_to_many(
        self, recipients: str | Iterable[str], text: str, *, sender: str, send_at: datetime.datetime | None = None
    ) -> int:
        """Send one text to many numbers, and return the bulk id. Vendor's op: ``send``.

        Args:
            recipients: The numbers. The vendor names no limit, but has an error for too many.
            text: The text.
            sender: Your line.
            send_at: As in `send`.
        """

        def numbers() -> list[str]:
            given = checks.require_list([recipients] if isinstance(recipients, str) else recipients, "recipients")
            return [normalize_recipient(number, f"recipients[{index}]") for index, number in enumerate(given)]

        return await self._send(wire.SEND_TO_MANY, numbers, text, sender, send_at)

    async def credit(self) -> decimal.Decimal:
        """Ask for the account's credit, in rial. Vendor's op: ``credit``."""
        return await self._request(wire.CREDIT, dict[str, str | None], wire.read_credit)

    async def delivery(self, bulk_id: int) -> list[RecipientDelivery]:
        """Ask what became of each recipient of a bulk. Vendor's op: ``delivery``.

        Args:
            bulk_id: The bulk id of a send.

        Raises:
            NotFoundError: No bulk has this id.
        """
        return await self._request(
            wire.DELIVERY, lambda: {"uinqid": str(checks.require_id(bulk_id, "bulk_id"))}, wire.read_delivery
        )

    async def check_message(self, bulk_id: int) -> MessageProgress:
        """Ask how far a bulk is, and whether the panel lets it pass. Vendor's op: ``checkmessage``.

        Args:
            bulk_id: The bulk id of a send.

        Raises:
            NotFoundError: No bulk has this id.
        """
        return await self._request(
            wire.CHECK_MESSAGE, lambda: {"messageid": str(checks.require_id(bulk_id, "bulk_id"))}, wire.read_progress
        )

    async def phone_books(self) -> list[PhoneBook]:
        """List the phone books of the panel. Vendor's op: ``booklist``."""
        return await self._request(
            wire.PHONE_BOOKS, dict[str, str | None], lambda answer: wire.read_entries(answer, PhoneBook)
        )

    async def send_to_phone_books(self, book_ids: Iterable[int], text: str, *, sender: str) -> int:
        """Send one text to all numbers of phone books, and return the bulk id. Vendor's op: ``booksend``.

        Args:
            book_ids: The ids of the phone books.
            text: The text.
            sender: Your line.
        """
        return await self._request(
            wire.SEND_TO_PHONE_BOOKS,
            lambda: {
                "bookid": wire.ids_as_json(checks.require_ids(book_ids, "book_ids")),
                **_message(text, sender),
            },
            wire.read_bulk_id,
        )

    async def received(self) -> list[ReceivedMessage]:
        """Fetch the messages that came in. Vendor's op: ``inboxlist``."""
        return await self._request(wire.RECEIVED, dict[str, str | None], wire.read_received)

    async def access_levels(self) -> list[AccessLevel]:
        """List the levels of access for new users. Vendor's op: ``accesslist``; the reply's shape is inferred."""
        return await self._request(
            wire.ACCESS_LEVELS, dict[str, str | None], lambda answer: wire.read_entries(answer, AccessLevel)
        )

    async def create_user(self, new_user: NewUser) -> CreatedUser:
        """Make a user, as a reseller. Vendor's op: ``newuser``; what the reply means is inferred.

        Args:
            new_user: The user.
        """
        return await self._request(wire.CREATE_USER, lambda: wire.user_fields(new_user), wire.read_created_user)

    async def postal_code_count(self, operator: Operator, postal_code: str, *, gender: Gender = Gender.ALL) -> int:
        """Count the numbers of a postal code. Vendor's op: ``postalcodecount``; the reply's shape is inferred.

        Args:
            operator: Whose numbers.
            postal_code: The postal code, or its beginning.
            gender: Whose numbers.
        """
        return await self._request(
            wire.POSTAL_CODE_COUNT, lambda: _postal_code(operator, postal_code, gender), wire.read_count
        )

    async def postal_code_areas(self) -> list[PostalArea]:
        """List the areas. Vendor's op: ``postalcodearea``; the reply's shape is inferred."""
        return await self._request(
            wire.POSTAL_CODE_AREAS, dict[str, str | None], lambda answer: wire.read_entries(answer, PostalArea)
        )

    async def send_to_postal_code(
        self, operator: Operator, postal_code: str, text: str, *, sender: str, gender: Gender = Gender.ALL
    ) -> int:
        """Send one text to all numbers of a postal code, and return the bulk id. Vendor's op: ``postalcodesend``.

        The vendor's document forgets the text; that it travels as in the other sends is inferred.

        Args:
            operator: Whose numbers.
            postal_code: The postal code, or its beginning.
            text: The text.
            sender: Your line.
            gender: Whose numbers.
        """
        return await self._request(
            wire.SEND_TO_POSTAL_CODE,
            lambda: {**_postal_code(operator, postal_code, gender), **_message(text, sender)},
            wire.read_bulk_id,
        )

    async def jobs(self) -> list[Job]:
        """List the professions. Vendor's op: ``jobslist``; the reply's shape is inferred."""
        return await self._request(wire.JOBS, dict[str, str | None], lambda answer: wire.read_entries(answer, Job))

    async def job_trends(self, job_id: int) -> list[JobTrend]:
        """List the branches of a profession. Vendor's op: ``jobstrendlist``; field and reply are inferred.

        Args:
            job_id: The profession.
        """
        return await self._request(
            wire.JOB_TRENDS,
            lambda: {"jobsid": str(checks.require_id(job_id, "job_id"))},
            lambda answer: wire.read_entries(answer, JobTrend),
        )

    async def job_count(self, trend_ids: Iterable[int]) -> int:
        """Count the numbers of branches. Vendor's op: ``jobscount``.

        Args:
            trend_ids: The branches.
        """
        return await self._request(
            wire.JOB_COUNT,
            lambda: {"trendid": wire.ids_as_json(checks.require_ids(trend_ids, "trend_ids"))},
            wire.read_count,
        )

    async def send_to_job(self, job_id: int, trend_ids: Iterable[int], text: str, *, sender: str) -> int:
        """Send one text to all numbers of branches, and return the bulk id. Vendor's op: ``jobssend``.

        Args:
            job_id: The profession.
            trend_ids: Its branches.
            text: The text.
            sender: Your line.
        """
        return await self._request(
            wire.SEND_TO_JOB,
            lambda: {
                "jobsid": str(checks.require_id(job_id, "job_id")),
                "trendid": wire.ids_as_json(checks.require_ids(trend_ids, "trend_ids")),
                **_message(text, sender),
            },
            wire.read_bulk_id,
        )

    async def call(self, op: str, fields: Mapping[str, str] | None = None, *, only_reads: bool = False) -> PanelAnswer:
        """Call any op of the panel: one that this client has no method for, or one whose fields are others there.

        Args:
            op: The op, as the panel names it.
            fields: Its fields, as the panel names them, without the credentials and the op: ``{"bookid": "[11]"}``. The
                values travel as they are; lists are JSON text.
            only_reads: Whether it changes nothing, so that it may be repeated as reads are. Otherwise it goes out once.

        Returns:
            The answer, if it is no refusal. A bare ``null``, without code and data, may say that the panel does not
            know the op.
        """

        def build() -> Request:
            checks.require_bool(only_reads, "only_reads")
            return wire.build_call(self._url, op, self._credentials, {} if fields is None else fields, self._profile)

        operation = Operation("call", "", Effect.NONE if only_reads is True else Effect.ONCE)
        return await self._perform(operation, build, lambda reply: wire.read_panel_answer(wire.read_answer(reply)))

    async def _send(
        self,
        operation: Operation,
        numbers: Callable[[], list[str]],
        text: str,
        sender: str,
        send_at: datetime.datetime | None,
    ) -> int:
        recipients = 0

        def build() -> Request:
            nonlocal recipients
            to = numbers()
            recipients = len(to)
            fields = {"to": wire.numbers_as_json(to), "time": wire.format_time(send_at), **_message(text, sender)}
            return wire.build_request(self._url, operation.path, self._credentials, fields, self._profile)

        def read(reply: Reply) -> int:
            try:
                return wire.read_bulk_id(wire.read_answer(reply))
            except ReplyError as error:
                if len(error.message_ids) == 1:
                    error.references = (str(error.message_ids[0]),) * recipients
                raise

        return await self._perform(operation, build, read)

    def _identify(self) -> str:
        return self._credentials["uname"]

    def _make_bulk_gateway(self) -> OpBulkGateway:
        return OpBulkGateway(self)

    def _request(
        self, operation: Operation, fields: Callable[[], Mapping[str, str | None]], read: Callable[[Answer], T]
    ) -> Coroutine[Any, Any, T]:
        return self._perform(
            operation,
            lambda: wire.build_request(self._url, operation.path, self._credentials, fields(), self._profile),
            lambda reply: read(wire.read_answer(reply)),
        )


def _message(text: str, sender: str) -> dict[str, str | None]:
    return {"message": checks.require_text(text, "text"), "from": normalize_line(sender, "sender")}


def _postal_code(operator: Operator, postal_code: str, gender: Gender) -> dict[str, str | None]:
    checks.require_instance(operator, Operator, "operator")
    checks.require_instance(gender, Gender, "gender")
    return {
        "type": operator.value,
        "gender": str(gender.value),
        "postalcode": checks.require_text(postal_code, "postal_code"),
    }
