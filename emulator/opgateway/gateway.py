"""From request to reply: credentials, operation, shape."""

from __future__ import annotations

import hmac
from datetime import datetime

import attrs

from .. import forms
from ..clock import Clock
from ..gateway import Gateway, GatewayRequest, Refusal, Reply
from ..ledger import InboxMessage, Ledger
from ..phone_numbers import normalise_mobile, own_line
from . import document, envelope, reads, sends, special_recipients, users
from .envelope import NO_ACCESS, WRONG_CREDENTIALS, RefusalError
from .params import Params
from .seeds import PhoneBook
from .state import NAME, Account, State, Switches, User

_PATH = "/services.jspd"
_OPERATIONS = {**sends.OPERATIONS, **reads.OPERATIONS, **users.OPERATIONS}
# The document's misspellings.
_ALIASES = {
    "postalcoderarea": "postalcodearea",
    "postalcodesen": "postalcodesend",
    "jobstrenlist": "jobstrendlist",
}
# PHP's own; no source tells it, and clients look at the body alone.
_CONTENT_TYPE = "text/html; charset=UTF-8"
_FIRST_INBOX_ID = 1


class OpGateway(Gateway):
    """The operations, for one account."""

    name = NAME
    prefixes = (_PATH,)

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._state = State(clock, ledger)

    @property
    def account(self) -> Account:
        """Credentials, credit, lines and price."""
        return self._state.account

    @property
    def switches(self) -> Switches:
        """How to behave where public sources are silent."""
        return self._state.switches

    @property
    def phone_books(self) -> list[PhoneBook]:
        """Phone books; the service itself cannot change them, tests can."""
        return self._state.phone_books

    @property
    def users(self) -> list[User]:
        """The users that newuser made."""
        return self._state.users

    def handle(self, request: GatewayRequest) -> Reply:
        """Answer one request. Errors come with HTTP 200."""
        if request.method != "POST" and not (request.method == "GET" and self.switches.allow_get):
            return Reply(405, b"Method Not Allowed", _CONTENT_TYPE)
        # Credentials may stand in the query while the rest is in the body.
        pairs = forms.form_pairs(request.content_type, request.body) + forms.query_pairs(request.query)
        if self.switches.names == "document":
            pairs = document.translate(pairs)
        try:
            text = self._run(Params(pairs))
        except RefusalError as refusal:
            text = envelope.refusal(refusal.code, self.switches)
        return Reply(200, text.encode(), _CONTENT_TYPE)

    def refuse(self, request: GatewayRequest, refusal: Refusal) -> Reply:
        """Word a refusal: the code and a sentence."""
        text = envelope.refusal(refusal.code, self.switches, refusal.message)
        return Reply(refusal.status or 200, text.encode(), _CONTENT_TYPE)

    def add_inbox_message(
        self, *, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Let a message arrive at one of the account's lines."""
        own = own_line(line, self.account.lines)
        if own is None:
            raise ValueError(f"line must be one of the account's: {', '.join(self.account.lines)}")
        message = InboxMessage(
            id=_FIRST_INBOX_ID + len(self._state.inbox),
            gateway=self.name,
            sender=normalise_mobile(sender) or sender,
            line=own,
            text=text,
            received_at=self._clock.now() if received_at is None else received_at,
            read=read,
        )
        self._state.inbox.append(message)
        return message

    def contacts(self) -> list[dict[str, object]]:
        """The phone books and their numbers."""
        return [attrs.asdict(book) for book in self.phone_books]

    def reset(self) -> None:
        """Forget everything."""
        self._state = State(self._clock, self._ledger)

    def describe(self, url: str) -> str:
        """Address, credentials, lines and special numbers."""
        lines = ", ".join(self.account.lines)
        access = f"  address   {url}{_PATH}\n  uname     {self.account.user}\n  pass      {self.account.password}"
        return f"opgateway\n\n{access}\n  lines     {lines}\n\n{special_recipients.MEANINGS}"

    def summary(self, url: str) -> str:
        """Address and credentials."""
        return f"opgateway {url}{_PATH}  uname {self.account.user}  pass {self.account.password}"

    def _run(self, params: Params) -> str:
        given = (params.text("uname"), params.text("pass"))
        wanted = (self.account.user, self.account.password)
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, wanted, strict=True)):
            raise RefusalError(WRONG_CREDENTIALS)
        if self.switches.refuse_calls_with is not None:
            raise RefusalError(self.switches.refuse_calls_with)
        name = params.text("op").lower()
        name = _ALIASES.get(name, name)
        operation = _OPERATIONS.get(name)
        if name in sends.OPERATIONS and self.switches.refuse_sends_with is not None:
            raise RefusalError(self.switches.refuse_sends_with)
        if operation is not None:
            return envelope.encode(operation(self._state, params), self.switches)
        if self.switches.unknown_op == "963":
            raise RefusalError(NO_ACCESS)
        return "" if self.switches.unknown_op == "empty" else "null"
