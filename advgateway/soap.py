"""SOAP 1.1, RPC/encoded: as much of it as PHP's servers speak, read from whatever shape they give it.

A codec of its own, because no SOAP library fits: with these servers' WSDLs the usual one sends an empty list of
recipients and says nothing.
"""

from __future__ import annotations

import contextlib
import functools
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

import attrs

from .profiles import ArrayStyle, SoapProfile

DEEPEST_NESTING = 32
MOST_ELEMENTS = 100_000

# Only tables of one byte a character: Python knows encodings whose decoding takes for ever.
_DECLARED_ENCODING = re.compile(
    rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']((?:iso-8859-|windows-|cp)[0-9]{1,4})[\"']", re.DOTALL | re.IGNORECASE
)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:ns2="http://xml.apache.org/xml-soap"><SOAP-ENV:Body>'
    '<ns1:{method} xmlns:ns1="{namespace}">{arguments}</ns1:{method}></SOAP-ENV:Body></SOAP-ENV:Envelope>'
)


class UnreadableXmlError(Exception):
    """The answer is no XML, or none that is allowed here. The message says why and quotes nothing."""


@attrs.frozen
class Fault:
    """A SOAP fault."""

    code: str | None
    message: str | None = attrs.field(repr=False)


def encode_request(method: str, arguments: Mapping[str, str | Sequence[str]], profile: SoapProfile) -> bytes:
    """Write a request."""
    order = profile.argument_order or tuple(arguments)
    names = [name for name in order if name in arguments] + [name for name in arguments if name not in order]
    encoded = "".join(_encode_argument(name, arguments[name], profile.array_style) for name in names)
    return _ENVELOPE.format(method=method, namespace=_escape(profile.namespace), arguments=encoded).encode()


def _escape(text: str) -> str:
    """Escape a text. XML makes a line feed of a bare carriage return, so that it travels as a number."""
    return html.escape(text).replace("\r", "&#13;")


def _encode_argument(name: str, value: str | Sequence[str], style: ArrayStyle) -> str:
    if isinstance(value, str):
        return f'<{name} xsi:type="xsd:string">{_escape(value)}</{name}>'
    if style is ArrayStyle.JSON:
        return f'<{name} xsi:type="xsd:string">{_escape(_to_json(value))}</{name}>'
    if style is ArrayStyle.UNTYPED:
        return f"<{name}>{''.join(f'<item>{_escape(entry)}</item>' for entry in value)}</{name}>"
    if style is ArrayStyle.MAP:
        entries = "".join(
            f'<item><key xsi:type="xsd:int">{index}</key><value xsi:type="xsd:string">{_escape(entry)}</value></item>'
            for index, entry in enumerate(value)
        )
        return f'<{name} xsi:type="ns2:Map">{entries}</{name}>'
    items = "".join(f'<item xsi:type="xsd:string">{_escape(entry)}</item>' for entry in value)
    kind = f'xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[{len(value)}]"'
    return f"<{name} {kind}>{items}</{name}>"


def _to_json(entries: Sequence[str]) -> str:
    return json.dumps(list(entries), ensure_ascii=False)


@attrs.define
class _Node:
    """An element, by local names: the prefixes of these servers mean nothing."""

    name: str
    attributes: dict[str, str]
    children: list[_Node]
    pieces: list[str]

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def decode_reply(body: bytes) -> Any:
    """Read a reply: the value that the method returned, or a `Fault`.

    Structs and maps become dicts, arrays lists, everything else strings or None.

    Raises:
        UnreadableXmlError: It is no XML, holds a DOCTYPE, is nested too deeply or is no SOAP.
    """
    root = _parse(_to_utf8(body))
    soap_body = next((child for child in root.children if child.name == "Body"), None)
    if root.name != "Envelope" or soap_body is None or not soap_body.children:
        raise UnreadableXmlError("it is no SOAP")
    answer = soap_body.children[0]
    if answer.name == "Fault":
        fields = {child.name: child for child in answer.children}
        return Fault(_text_of(fields.get("faultcode")), _text_of(fields.get("faultstring")))
    return _Values(soap_body).read(answer.children[0]) if answer.children else None


def _to_utf8(body: bytes) -> bytes:
    """The declaration of these servers says ISO-8859-1 where the bytes are UTF-8: the bytes decide."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decode(body, "utf-16")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        declared = _DECLARED_ENCODING.match(body)
        return _decode(body, declared[1].decode("ascii") if declared else "cp1252")
    return body


def _decode(body: bytes, encoding: str) -> bytes:
    for candidate in (encoding, "cp1252", "latin-1"):
        with contextlib.suppress(LookupError, UnicodeError):
            return body.decode(candidate).encode("utf-8")
    raise UnreadableXmlError("its characters cannot be read")


def _parse(body: bytes) -> _Node:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    document = _Node("", {}, [], [])
    open_nodes = [document]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_nodes) > DEEPEST_NESTING or count > MOST_ELEMENTS:
            raise UnreadableXmlError("it is nested too deeply or has too many elements")
        node = _Node(_local(name), {_local(key): value for key, value in attributes.items()}, [], [])
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        open_nodes.pop()

    def add_text(text: str) -> None:
        open_nodes[-1].pieces.append(text)

    def refuse_doctype(*_arguments: object) -> None:
        raise UnreadableXmlError("it holds a DOCTYPE, which SOAP forbids")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise UnreadableXmlError(f"it is no XML ({expat.ErrorString(error.code)})") from None
    return document.children[0]


@functools.lru_cache(maxsize=256)  # An answer has few names, and each of them many times.
def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _text_of(node: _Node | None) -> str | None:
    return None if node is None else node.text.strip() or None


def _walk(node: _Node) -> Iterator[_Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


class _Values:
    """Makes values of elements. A reference (``href="#…"``) stands for the element with that id."""

    def __init__(self, soap_body: _Node) -> None:
        self._soap_body = soap_body
        self._known: dict[str, Any] = {}

    @functools.cached_property
    def _identified(self) -> dict[str, _Node]:
        """The elements with an id. Few answers have references, so that most need not look for them."""
        return {node.attributes["id"]: node for node in _walk(self._soap_body) if "id" in node.attributes}

    def read(self, node: _Node, depth: int = 0) -> Any:
        """Make the value of an element."""
        if depth > DEEPEST_NESTING:
            raise UnreadableXmlError("its references are nested too deeply, or go in a circle")
        attributes = node.attributes
        if "href" in attributes and attributes["href"].startswith("#"):
            return self._follow(attributes["href"][1:], depth)
        if "nil" in attributes and attributes["nil"] in ("true", "1"):
            return None
        if not node.children:
            return [] if "arrayType" in attributes else "".join(node.pieces)
        if all(_is_map_entry(child) for child in node.children):
            return _to_map(self._read_entry(child, depth) for child in node.children)
        values = [(child.name, self.read(child, depth + 1)) for child in node.children]
        if "arrayType" in attributes or all(name == "item" for name, _ in values):
            return [value for _, value in values]
        return _to_dict(values)

    def _follow(self, identity: str, depth: int) -> Any:
        if identity not in self._identified:
            raise UnreadableXmlError("a reference in it leads nowhere")
        if identity not in self._known:  # Once each: references that double at every step never end.
            self._known[identity] = self.read(self._identified[identity], depth + 1)
        return self._known[identity]

    def _read_entry(self, node: _Node, depth: int) -> tuple[str, Any]:
        fields = {child.name: child for child in node.children}
        return fields["key"].text, self.read(fields["value"], depth + 2)


def _is_map_entry(node: _Node) -> bool:
    return node.name == "item" and sorted(child.name for child in node.children) == ["key", "value"]


def _to_map(entries: Iterable[tuple[str, Any]]) -> Any:
    found = dict(entries)
    # PHP's own server writes some lists as a map from 0, 1, 2 …
    return list(found.values()) if list(found) == [str(index) for index in range(len(found))] else found


def _to_dict(values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands there more than once gets a list, so that none of its values is lost."""
    unique = dict(values)
    if len(unique) == len(values):
        return unique
    found: dict[str, list[Any]] = {}
    for name, value in values:
        found.setdefault(name, []).append(value)
    return {name: entries if len(entries) > 1 else entries[0] for name, entries in found.items()}
