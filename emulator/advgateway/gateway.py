"""Paths: the SOAP server with its description, and the files of the REST service."""

from __future__ import annotations

from datetime import datetime

from ..clock import Clock
from ..gateway import Gateway, GatewayRequest, Refusal, Reply
from ..ledger import InboxMessage, Ledger
from ..phone_numbers import normalise_mobile, own_line
from . import rest, soap, special_recipients, wsdl
from .state import NAME, Account, State, Switches

_SOAP_PATH = "/class/sms/webservice3/server.php"
_REST_PATH = "/class/sms/restful/"
_FIRST_INBOX_ID = 1


class AdvGateway(Gateway):
    """The methods over SOAP and REST, for one account."""

    name = NAME
    prefixes = (_SOAP_PATH, _REST_PATH)

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

    def handle(self, request: GatewayRequest) -> Reply:
        """Answer one request."""
        path = request.path.lower()
        if path.startswith(_REST_PATH):
            return rest.handle(self._state, path.removeprefix(_REST_PATH), request)
        if request.query.lower().partition("=")[0] == "wsdl":
            address = f"http://{request.headers.get('Host', '127.0.0.1')}{_SOAP_PATH}"
            return Reply(200, wsdl.describe(address, self.switches.namespace).encode(), "text/xml; charset=UTF-8")
        if request.method != "POST":
            return Reply(200, b"<html><body><h1>smsserver</h1></body></html>", "text/html; charset=UTF-8")
        return soap.handle(self._state, request)

    def refuse(self, request: GatewayRequest, refusal: Refusal) -> Reply:
        """Word a refusal in the shape of the called method."""
        path = request.path.lower()
        if path.startswith(_REST_PATH):
            return rest.refuse(self._state, path.removeprefix(_REST_PATH), request, refusal)
        return soap.refuse(self._state, request, refusal)

    def add_inbox_message(
        self, *, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Let a message arrive at one of the account's lines."""
        own = own_line(line.strip(), self.account.lines)
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
        """Nothing: this web service has no phone books."""
        return []

    def reset(self) -> None:
        """Forget everything."""
        self._state = State(self._clock, self._ledger)

    def describe(self, url: str) -> str:
        """Addresses, credentials, lines and special numbers."""
        lines = ", ".join(self.account.lines)
        access = f"  user      {self.account.user}\n  pass      {self.account.password}\n  lines     {lines}"
        addresses = f"  SOAP      {url}{_SOAP_PATH} (and ?wsdl)\n  REST      {url}{_REST_PATH}"
        return f"advgateway\n\n{addresses}\n{access}\n\n{special_recipients.MEANINGS}"

    def summary(self, url: str) -> str:
        """Addresses and credentials."""
        access = f"user {self.account.user}  pass {self.account.password}"
        return f"advgateway SOAP {url}{_SOAP_PATH}  REST {url}{_REST_PATH}  {access}"
