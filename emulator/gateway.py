"""What a gateway is to the core: something that owns paths and turns a whole request into a whole reply.

To add a gateway: write a package whose class derives from `Gateway`, and create it in `server.Emulator.__init__`.
Sockets, faults, recording and the control interface come with the core.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

import attrs
from attrs import frozen
from multidict import CIMultiDict, CIMultiDictProxy

from .ledger import InboxMessage
from .uploads import Upload


@frozen
class GatewayRequest:
    """A request as it arrived; nothing but the percent-encoding of the path is decoded.

    `parts` are those of a multipart body, for a gateway that `takes_files`; `body` is then empty. They are None if the
    body is no multipart body, or a broken one.
    """

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]
    body: bytes
    parts: tuple[Upload, ...] | None = None

    @property
    def content_type(self) -> str:
        """The header with its parameters, or an empty text."""
        return self.headers.get("Content-Type", "")


@frozen
class Reply:
    """What the vendor would answer."""

    status: int
    body: bytes
    content_type: str
    headers: CIMultiDict[str] = attrs.field(factory=CIMultiDict[str])


@frozen
class Refusal:
    """What a gateway is told to refuse a request with, whatever became of the request.

    Attributes:
        code: in the vendor's own numbers.
        message: in place of the vendor's usual words for it.
        status: in place of the HTTP status that usually comes with it.
        each: not the request is refused but each recipient of it, if the method answers for each.
    """

    code: int
    message: str | None = None
    status: int | None = None
    each: bool = False


class Gateway(ABC):
    """One emulated vendor. `handle` must not wait: a request is processed whole or not at all."""

    name: ClassVar[str]
    prefixes: ClassVar[tuple[str, ...]]
    takes_files: ClassVar[bool] = False

    def owns(self, path: str) -> bool:
        """Whether requests for this path are this gateway's."""
        return path.lower().startswith(self.prefixes)

    @property
    @abstractmethod
    def account(self) -> attrs.AttrsInstance:
        """Whose the web service is: credentials, credit, prices."""

    @property
    @abstractmethod
    def switches(self) -> attrs.AttrsInstance:
        """How to behave where public sources are silent."""

    @property
    def settings(self) -> Mapping[str, attrs.AttrsInstance]:
        """The settings that the control interface shows."""
        return {"account": self.account, "switches": self.switches}

    @property
    def actions(self) -> Mapping[str, Callable[..., object]]:
        """What tests can make happen at this gateway, by name; `POST /emulator/actions` gives JSON as arguments."""
        return {}

    @abstractmethod
    def handle(self, request: GatewayRequest) -> Reply:
        """Process a request and change the state accordingly."""

    @abstractmethod
    def refuse(self, request: GatewayRequest, refusal: Refusal) -> Reply:
        """How this vendor words a refusal of the request. Nothing is processed."""

    @abstractmethod
    def add_inbox_message(
        self, *, sender: str, line: str, text: str, received_at: datetime | None, read: bool
    ) -> InboxMessage:
        """Let an incoming message arrive. Raises ValueError for a line the account does not have, and from a
        gateway whose web service has no method that receives."""

    @abstractmethod
    def contacts(self) -> list[dict[str, object]]:
        """The phone book with everything the vendor's own interface hides, such as record ids."""

    @abstractmethod
    def reset(self) -> None:
        """Back to the state of a fresh start."""

    @abstractmethod
    def describe(self, url: str) -> str:
        """A few lines for a person: base URL under `url`, credentials, special numbers."""

    @abstractmethod
    def summary(self, url: str) -> str:
        """One line for the command's start: base URL and credentials."""
