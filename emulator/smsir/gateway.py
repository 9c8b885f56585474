"""From request to reply: paths, tokens, parameters, envelope; and what tests can do from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from multidict import CIMultiDict

from ..clock import Clock
from ..gateway import Gateway, GatewayRequest, Refusal, Reply
from ..ledger import InboxMessage, Ledger
from ..phone_numbers import normalise_mobile
from . import finance, special_recipients, tickets
from .envelope import (
    DONE,
    ERROR_EXCEPTION,
    ERROR_TOKEN,
    NO_ERROR,
    NULL_REFERENCE,
    REFUSED,
    SENT,
    FailureError,
    HttpError,
    Payload,
    Style,
    encode,
    exception,
)
from .login import GET_TOKEN
from .operation import Operation
from .phone_book import PhoneBook
from .records import Batch, Draft, Notification, Ticket, TicketReply, Transaction
from .routing import PREFIX, find_operation, no_resource, read_call
from .state import NAME, Account, State, Switches
from .tokens import EXPIRED, VALID

_TOKEN_HEADER = "x-sms-ir-secure-token"  # noqa: S105  the name of a header
_CONTENT_TYPE = "application/json; charset=utf-8"
_SENDS = ("Message/Send", "Message/SendByMobileNumbers")
_ALL = "*"


class SmsIrGateway(Gateway):
    """All methods of the sms.ir White SMS web service, for one account."""

    name = NAME
    prefixes = (PREFIX, tickets.FILES_PREFIX)
    takes_files = True

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._state = State(clock, ledger)

    @property
    def account(self) -> Account:
        """Keys, credit, price and what GetUserInfo tells."""
        return self._state.account

    @property
    def switches(self) -> Switches:
        """How to behave where public sources are silent."""
        return self._state.switches

    @property
    def phone_book(self) -> PhoneBook:
        """Groups, contacts and memberships."""
        return self._state.phone_book

    @property
    def batches(self) -> list[Batch]:
        """The sends whose messages are kept, oldest first, with their keys and messages."""
        return list(self._state.batches)

    @property
    def drafts(self) -> dict[int, Draft]:
        """Drafts by the id that the web service never tells."""
        return self._state.drafts

    @property
    def tickets(self) -> dict[int, Ticket]:
        """Tickets by id."""
        return self._state.tickets

    @property
    def notifications(self) -> list[Notification]:
        """Notifications, oldest first."""
        return self._state.notifications

    @property
    def transactions(self) -> list[Transaction]:
        """Bank transactions, oldest first."""
        return self._state.transactions

    @property
    def tokens_issued(self) -> int:
        """How many tokens were given out since the start or the last reset."""
        return self._state.tokens.issued

    def expire_tokens(self) -> None:
        """Let the 30 minutes of every token be over."""
        self._state.tokens.expire()

    def revoke_tokens(self) -> None:
        """Forget every token, as a restart of the vendor's server might."""
        self._state.tokens.revoke()

    def cancel_membership(self, mobile: str) -> int:
        """Let somebody cancel every membership; how many those were. Raises ValueError if there were none."""
        number = normalise_mobile(mobile)
        cancelled = 0 if number is None else self.phone_book.cancel(number)
        if not cancelled:
            raise ValueError("mobile must be the number of a contact")
        return cancelled

    def charge(self, amount: float, *, valid: bool = True) -> Transaction:
        """Pay into the account; with `valid=False` the payment fails, and is listed as such."""
        if not 0 < amount < float("inf"):
            raise ValueError("amount must be a number above 0")
        return finance.charge(self._state, amount, is_valid=valid)

    def answer_ticket(self, ticket_id: int, body: str) -> TicketReply:
        """Answer a ticket as the vendor's staff. Raises ValueError for an unknown or a closed one."""
        try:
            return tickets.add_reply(self._state, tickets.find_ticket(self._state, ticket_id), body, by_staff=True)
        except FailureError:
            raise ValueError("ticket_id must be that of an open ticket") from None

    @property
    def actions(self) -> Mapping[str, Callable[..., object]]:
        """What the control interface can make happen."""
        return {
            "expire_tokens": self.expire_tokens,
            "revoke_tokens": self.revoke_tokens,
            "cancel_membership": self._cancel_membership,
            "charge": self._charge,
            "answer_ticket": self._answer_ticket,
        }

    def add_inbox_message(
        self, *, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Raise ValueError: nothing could ever read the message."""
        raise ValueError("sms.ir's White SMS web service has no method that receives messages")

    def contacts(self) -> list[dict[str, object]]:
        """Groups with contacts and all ids."""
        return self.phone_book.to_list()

    def reset(self) -> None:
        """Forget everything."""
        self._state = State(self._clock, self._ledger)

    def describe(self, url: str) -> str:
        """Base URL, keys and special numbers."""
        keys = f"  UserApiKey  {self.account.user_api_key}\n  SecretKey   {self.account.secret_key}"
        return f"sms.ir White SMS v1\n\n  base URL    {url}{PREFIX}\n{keys}\n\n{special_recipients.MEANINGS}"

    def summary(self, url: str) -> str:
        """Base URL and keys."""
        keys = f"UserApiKey {self.account.user_api_key}  SecretKey {self.account.secret_key}"
        return f"sms.ir    {url}{PREFIX}  {keys}"

    def handle(self, request: GatewayRequest) -> Reply:
        """Answer one request."""
        try:
            if request.path.lower().startswith(tickets.FILES_PREFIX):
                return self._download(request)
            operation = find_operation(request)
            return self._run(operation, request)
        except HttpError as error:
            return _http_failure(error)

    def refuse(self, request: GatewayRequest, refusal: Refusal) -> Reply:
        """Word a refusal in the envelope, or in that of ASP.NET for what is no method."""
        try:
            operation = find_operation(request)
        except HttpError as error:
            return _http_failure(error)
        usual = NULL_REFERENCE if refusal.code == ERROR_EXCEPTION else REFUSED
        message = usual if refusal.message is None else refusal.message
        return self._fail(operation, FailureError(refusal.code, message), refusal.status)

    def _cancel_membership(self, mobile: object) -> int:
        return self.cancel_membership(str(mobile))

    def _charge(self, amount: object, valid: object = True) -> int:
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not isinstance(valid, bool):
            raise TypeError("amount must be a number above 0, and valid must be true or false")
        return self.charge(amount, valid=valid).id

    def _answer_ticket(self, ticket_id: object, body: object) -> int:
        if not isinstance(ticket_id, int) or not isinstance(body, str) or not body:
            raise TypeError("ticket_id must be a number, and body must be text, not empty")
        return self.answer_ticket(ticket_id, body).id

    def _run(self, operation: Operation, request: GatewayRequest) -> Reply:
        rejection = None if operation is GET_TOKEN else self._reject_token(operation, request)
        if rejection is not None:
            return rejection
        try:
            payload = self._perform(operation, request)
        except FailureError as failure:
            refused = operation is GET_TOKEN and self.switches.wrong_keys == "status_401"
            reply = self._fail(operation, failure, 401 if refused else None)
        else:
            message = SENT if operation.path in _SENDS else DONE
            body = encode(payload, NO_ERROR, message, self._style(operation))
            reply = Reply(self.switches.success_status, body, _CONTENT_TYPE)
        for names, body in ((self.switches.empty_body, b""), (self.switches.null_body, b"null")):
            if _is_named(operation, names):
                return Reply(reply.status, body, _CONTENT_TYPE)
        return reply

    def _perform(self, operation: Operation, request: GatewayRequest) -> Payload:
        call = read_call(operation, request)
        if _is_named(operation, self.switches.exception_in):
            raise exception()
        return operation.run(self._state, call)

    def _reject_token(self, operation: Operation, request: GatewayRequest) -> Reply | None:
        state = self._state.tokens.state(request.headers.get(_TOKEN_HEADER, ""))
        if state == VALID and not self.switches.reject_tokens:
            return None
        manner = self.switches.token_rejection
        if manner == "status_401_message":
            raise HttpError(401, "Authorization has been denied for this request.")
        text = "توکن منقضی شده است" if state == EXPIRED else "توکن نامعتبر است"
        status = 401 if manner == "status_401_envelope" else None
        return self._fail(operation, FailureError(ERROR_TOKEN, text), status)

    def _fail(self, operation: Operation, failure: FailureError, status: int | None) -> Reply:
        body = encode(operation.failed, failure.code, failure.message, self._style(operation))
        usual = self.switches.failure_status or self.switches.success_status
        return Reply(status or usual, body, _CONTENT_TYPE)

    def _style(self, operation: Operation) -> Style:
        switches = self.switches
        null_texts = switches.nulls == "all" and operation is not GET_TOKEN
        return Style(switches.date_format, switches.emoji_as_string, null_texts)

    def _download(self, request: GatewayRequest) -> Reply:
        key = request.path[len(tickets.FILES_PREFIX) :].partition("/")[0]
        attachment = tickets.find_attachment(self._state, key)
        if attachment is None or request.method not in ("GET", "HEAD"):
            raise no_resource(request, "The file does not exist.")
        name = quote(attachment.upload.filename or "file", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Reply(200, attachment.upload.read(), "application/octet-stream", CIMultiDict(headers))


def _http_failure(error: HttpError) -> Reply:
    allow = CIMultiDict[str]() if error.allow is None else CIMultiDict({"Allow": error.allow})
    return Reply(error.status, error.encode(), _CONTENT_TYPE, allow)


def _is_named(operation: Operation, names: tuple[str, ...]) -> bool:
    wanted = {name.lower() for name in names}
    return operation.name.lower() in wanted or (_ALL in wanted and operation is not GET_TOKEN)
