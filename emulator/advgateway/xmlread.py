"""Bytes to a small tree. Prefixes are dropped: namespaces differ from client to client and decide nothing here."""

from __future__ import annotations

from xml.parsers import expat

from attrs import define, field

MAX_DEPTH = 32


class XmlError(Exception):
    """No envelope can be read from these bytes; the text says why."""


def _no_nodes() -> list[Node]:
    return []


@define
class Node:
    """An element: local names only."""

    name: str
    attributes: dict[str, str]
    children: list[Node] = field(factory=_no_nodes)
    text: str = ""

    def child(self, name: str) -> Node | None:
        """The first child of this name."""
        return next((child for child in self.children if child.name == name), None)


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise XmlError("the document is nested too deeply")
        node = Node(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, data: str) -> None:
        self._open[-1].text += data

    def doctype(self, *_arguments: object) -> None:
        raise XmlError("a document type is not allowed in SOAP")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def parse(data: bytes) -> Node:
    """The root element.

    Raises:
        XmlError: not well-formed, nested too deeply, or with a DOCTYPE.
    """
    builder = _Builder()
    parser = expat.ParserCreate(_encoding(data))
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(expat.errors.messages.get(error.code, "not well-formed")) from None
    except (ValueError, LookupError):
        raise XmlError("the encoding is not known") from None
    if builder.root is None:
        raise XmlError("there is no element")
    return builder.root


def _encoding(data: bytes) -> str | None:
    # nuSOAP's client declares ISO-8859-1 over bytes that are UTF-8, so what the bytes are goes before what they say.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"
