"""What a method of the web service is."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, frozen

from ..uploads import Upload
from .envelope import Payload
from .fields import Fields
from .state import State

JSON, FILES = "json", "files"


@frozen
class Call:
    """A request whose token was good.

    Attributes:
        fields: of the query string; of the body, if the method takes one; of both, if it takes files.
        file: the one that came along.
        origin: scheme, host and port as the client named them, for addresses in the reply.
    """

    fields: Fields
    file: Upload | None
    origin: str


@frozen
class Operation:
    """A method: how it is called, what it does, and what its payload is if it fails.

    `failed` names the payload's fields with what .NET puts there when nobody set them: null for texts and lists,
    0 and false for numbers and truth values.
    """

    path: str
    verb: str
    run: Callable[[State, Call], Payload]
    failed: Payload = Factory(Payload)
    body: str | None = None
    required: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def get(path: str, run: Callable[[State, Call], Payload], *required: str, **failed: object) -> Operation:
    """A GET; `required` are query parameters without which ASP.NET finds no method."""
    return Operation(path, "GET", run, failed, None, required)


def post(path: str, run: Callable[[State, Call], Payload], body: str = JSON, **failed: object) -> Operation:
    """A POST with a JSON body, or one with files."""
    return Operation(path, "POST", run, failed, body)
