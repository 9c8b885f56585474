"""From request to envelope: paths, credentials, parameters."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import cast

from .. import forms, settings
from ..clock import Clock
from ..gateway import Gateway, GatewayRequest, Refusal, Reply
from ..ledger import InboxMessage, Ledger
from ..phone_numbers import normalise_mobile
from . import envelope, groups, reads, sends, special_recipients
from .contacts import PhoneBook
from .envelope import RefusalError, bad_key, exception, missing, not_found
from .params import Params, split
from .state import Account, State, Switches

_PREFIX = "/v2/"
_BY_URL = "sms/send/simple/url"
_METHODS = ("GET", "POST")
_OPERATIONS = {**sends.OPERATIONS, **reads.OPERATIONS, **groups.OPERATIONS}
_CONTENT_TYPE = "application/json; charset=utf-8"


class GhasedakGateway(Gateway):
    """The methods of Ghasedak's web service version 2, for one account."""

    name = reads.NAME
    prefixes = (_PREFIX,)

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._state = State(clock, ledger)

    @property
    def account(self) -> Account:
        """Credit, key, lines and prices."""
        return self._state.account

    @property
    def switches(self) -> Switches:
        """How to behave where public sources are silent."""
        return self._state.switches

    @property
    def templates(self) -> dict[str, str]:
        """Texts of verification templates, with %param1% to %param10% in them, by name."""
        return self._state.templates

    @property
    def phone_book(self) -> PhoneBook:
        """Groups and contacts."""
        return self._state.phone_book

    def handle(self, request: GatewayRequest) -> Reply:
        """Answer one request."""
        try:
            return self._reply(envelope.OK, "success", self._run(request))
        except RefusalError as refusal:
            return self._reply(refusal.code, refusal.message, refusal.items)

    def refuse(self, request: GatewayRequest, refusal: Refusal) -> Reply:
        """Word a refusal; that of each recipient is a success with the number in the place of every id."""
        receptor = Params(_pairs(request)).get("receptor") if refusal.each else None
        if receptor is not None:
            code, message, items = envelope.OK, "success", cast("object", [refusal.code] * len(split(receptor)))
        else:
            error = envelope.refusal(refusal.code)
            code, message, items = error.code, error.message, error.items
        said = message if refusal.message is None else refusal.message
        return self._reply(code, said, items, refusal.status)

    def add_inbox_message(
        self, *, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Let a message arrive at one of the account's lines."""
        if line not in self.account.lines:
            raise ValueError(f"line must be one of the account's: {', '.join(self.account.lines)}")
        moment = self._clock.now() if received_at is None else received_at
        message = InboxMessage(
            id=self._state.new_inbox_id(),
            gateway=self.name,
            sender=normalise_mobile(sender) or sender,
            line=line,
            text=text,
            received_at=moment,
            read=read,
        )
        self._state.inbox.append(message)
        return message

    def contacts(self) -> list[dict[str, object]]:
        """The phone book with record ids."""
        return self.phone_book.to_list()

    def reset(self) -> None:
        """Forget everything."""
        self._state = State(self._clock, self._ledger)

    def describe(self, url: str) -> str:
        """Base URL, key, lines and special numbers."""
        lines = ", ".join(self.account.lines)
        access = f"  base URL  {url}{_PREFIX}\n  apikey    {self.account.key}\n  lines     {lines}"
        return f"Ghasedak v2\n\n{access}\n\n{special_recipients.MEANINGS}"

    def summary(self, url: str) -> str:
        """Base URL and key."""
        return f"Ghasedak  {url}{_PREFIX}  apikey {self.account.key}"

    def _reply(self, code: int, message: str, items: object, status: int | None = None) -> Reply:
        usual = envelope.OK if self.switches.errors_in_http_200 or not settings.is_http_status(code) else code
        return Reply(status or usual, envelope.encode(code, message, items), _CONTENT_TYPE)

    def _run(self, request: GatewayRequest) -> object:
        # Some clients leave a blank or a slash at the end of the path.
        path = request.path.rstrip("/ ").lower().removeprefix(_PREFIX)
        operation = _OPERATIONS.get(path)
        if operation is None or request.method not in _METHODS:
            raise not_found()
        params = Params(_pairs(request))
        self._authenticate(path, request, params)
        if self.switches.refuse_calls_with is not None:
            raise exception(self.switches.refuse_calls_with)
        return operation(self._state, params)

    def _authenticate(self, path: str, request: GatewayRequest, params: Params) -> None:
        # One vendor SDK adds the header again with every call, so the key may come several times.
        given = [key.strip() for header in request.headers.getall("apikey", []) for key in header.split(",")]
        in_params = params.get("apikey")
        if in_params is not None:
            given.append(in_params.strip())
        if not any(given) and path == _BY_URL:
            given = [params.require("username", "password")[1].strip()]
        if not any(given):
            raise missing("apikey")
        if not any(hmac.compare_digest(key.encode(), self.account.key.encode()) for key in given):
            raise bad_key()


def _pairs(request: GatewayRequest) -> forms.Pairs:
    query = forms.query_pairs(request.query)
    body = forms.form_pairs(request.content_type, request.body)
    # The vendor's samples send GET with a body whose values contradict the query; with GET servers take that first.
    return query + body if request.method == "GET" else body + query
