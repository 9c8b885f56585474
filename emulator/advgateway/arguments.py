"""The call within an envelope: its method, and its arguments by name or by order, arrays in every style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from attrs import frozen

from ..texts import read_json
from .state import Switches
from .xmlread import Node, XmlError

EXTRA = "messageType"
_CREDENTIALS = ("user", "pass")
# The document's order, without the credentials that go before.
METHODS: Mapping[str, tuple[str, ...]] = {
    "GetCredit": (),
    "SendSMS": ("fromNum", "toNum", "messageContent"),
    "SendMultipleSMS": ("fromNum", "toNums", "messageContents"),
    "GetStatus": ("unique_ids",),
    "GetMsg": (),
}
ARRAYS = frozenset(("toNum", "toNums", "messageContents", "unique_ids"))
_MAX_HREFS = 8


class TooManyArgumentsError(Exception):
    """More arguments than the method has."""


@frozen
class Call:
    """A method's name and its argument elements; an argument may be given as several elements of one name."""

    method: str
    arguments: Sequence[tuple[str, list[Node]]]
    targets: Mapping[str, Node]


def find_call(root: Node) -> Call:
    """The first element of the envelope's body.

    Raises:
        XmlError: it is no envelope, or an empty one.
    """
    body = root.child("Body") if root.name == "Envelope" else None
    if body is None or not body.children:
        raise XmlError("there is no SOAP body with a call in it")
    operation = body.children[0]
    merged: dict[str, list[Node]] = {}
    for argument in operation.children:
        merged.setdefault(argument.name, []).append(argument)
    targets = {node.attributes["id"]: node for node in body.children if "id" in node.attributes}
    return Call(operation.name, list(merged.items()), targets)


class Arguments:
    """The arguments of a call to a known method."""

    def __init__(self, call: Call, switches: Switches) -> None:
        self._targets = call.targets
        self._strict_arrays = switches.strict_arrays
        names = (*_CREDENTIALS, *METHODS[call.method])
        given = dict(call.arguments)
        if not switches.extra_argument and len(given) > len(names):
            raise TooManyArgumentsError
        if switches.strict_order or (given and not any(name in names for name in given)):
            order = _order(call.method, switches.parameter_order, len(given))
            # Fewer names than arguments, or the other way round: the rest has no meaning.
            given = {name: nodes for name, (_, nodes) in zip(order, call.arguments, strict=False)}
        self._nodes = given

    def text(self, name: str) -> str:
        """A simple argument; empty if absent."""
        nodes = self._nodes.get(name)
        return self._resolve(nodes[0]).text if nodes else ""

    def texts(self, name: str) -> list[str]:
        """An array argument; empty if absent."""
        nodes = [self._resolve(node) for node in self._nodes.get(name, ())]
        if len(nodes) > 1:
            return [node.text for node in nodes]
        return self._entries(nodes[0]) if nodes else []

    def _entries(self, node: Node) -> list[str]:
        if node.children:
            children = [self._resolve(child) for child in node.children]
            values = [child.child("value") for child in children]
            if all(value is not None for value in values):
                return [self._resolve(value).text for value in values if value is not None]
            is_typed = "arrayType" in node.attributes or _type(node) == "Array"
            return [child.text for child in children] if is_typed or not self._strict_arrays else []
        return [] if self._strict_arrays else _from_text(node.text)

    def _resolve(self, node: Node) -> Node:
        for _ in range(_MAX_HREFS):
            href = node.attributes.get("href", "")
            target = self._targets.get(href.removeprefix("#")) if href.startswith("#") else None
            if target is None:
                return node
            node = target
        raise XmlError("references go round in a circle")


def _type(node: Node) -> str:
    return node.attributes.get("type", "").rpartition(":")[2]


def _from_text(text: str) -> list[str]:
    try:
        content = read_json(text)
    except ValueError:
        content = None
    if isinstance(content, list):
        items = cast("list[object]", content)
        return [str(item) for item in items if isinstance(item, str | int)]
    return [text] if text.strip() else []


def _order(method: str, parameter_order: str, count: int) -> tuple[str, ...]:
    own = METHODS[method]
    if parameter_order == "document":
        return (*_CREDENTIALS, *own)
    # The extra argument stands before the credentials, if it is there at all.
    has_extra = bool(own) and count > len(own) + len(_CREDENTIALS)
    return (*own, *((EXTRA,) if has_extra else ()), *_CREDENTIALS)
