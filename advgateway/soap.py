"""SOAP 1.1, RPC/encoded: as much of it as PHP's servers speak, read from whatever shape they give it.

A codec of its own, because no SOAP library fits: with these servers' WSDLs the usual one sends an empty list of
recipients and says nothing.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import attrs

from .profiles import ArrayStyle, SoapProfile

DEEPEST_NESTING = 32
"""Of elements within the value that was returned."""
MOST_ELEMENTS = 100_000

_TOO_DEEP = "it is nested too deeply, or its references go in a circle"

# Only tables of one byte a character: Python knows encodings whose decoding takes for ever.
_DECLARED_ENCODING = re.compile(
    rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']((?:iso-8859-|windows-|cp)[0-9]{1,4})[\"']", re.DOTALL | re.IGNORECASE
)
_BEFORE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:ns2="http://xml.apache.org/xml-soap"><SOAP-ENV:Body>'
)
_AFTER = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"


class UnreadableXmlError(Exception):
    """The answer is no XML, or none that is allowed here. The message says why and quotes nothing."""


@attrs.frozen
class Fault:
    """A SOAP fault."""

    code: str | None
    message: str | None = attrs.field(repr=False)


def encode_request(method: str, arguments: Mapping[str, str | Sequence[str]], profile: SoapProfile) -> bytes:
    """Write a request."""
    order = profile.argument_order
    if order:
        names = [name for name in order if name in arguments] + [name for name in arguments if name not in order]
        arguments = {name: arguments[name] for name in names}
    encoded = [
        f'<{name} xsi:type="xsd:string">{_escape(value)}</{name}>'
        if isinstance(value, str)
        else _encode_list(name, value, profile.array_style)
        for name, value in arguments.items()
    ]
    before, after = _envelope(method, profile.namespace)
    return before + "".join(encoded).encode() + after


@functools.lru_cache
def _envelope(method: str, namespace: str) -> tuple[bytes, bytes]:
    """What stands before the arguments, and after them."""
    address = _escape(namespace).replace('"', "&quot;")
    opening, closing = f'<ns1:{method} xmlns:ns1="{address}">', f"</ns1:{method}>"
    return f"{_BEFORE}{opening}".encode(), f"{closing}{_AFTER}".encode()


def _escape(text: str) -> str:
    """Escape a text. XML makes a line feed of a bare carriage return, so that it travels as a number."""
    # Replacing also makes a plain string of a caller's own kind, which may format as another. The module html, which
    # escapes as well, takes nearly 3 ms to import.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _encode_list(name: str, values: Sequence[str], style: ArrayStyle) -> str:
    if style is ArrayStyle.TYPED:
        items = "".join([f'<item xsi:type="xsd:string">{_escape(entry)}</item>' for entry in values])
        kind = f'xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[{len(values)}]"'
        return f"<{name} {kind}>{items}</{name}>"
    if style is ArrayStyle.UNTYPED:
        return f"<{name}>{''.join([f'<item>{_escape(entry)}</item>' for entry in values])}</{name}>"
    if style is ArrayStyle.MAP:
        entries = "".join(
            f'<item><key xsi:type="xsd:int">{index}</key><value xsi:type="xsd:string">{_escape(entry)}</value></item>'
            for index, entry in enumerate(values)
        )
        return f'<{name} xsi:type="ns2:Map">{entries}</{name}>'
    return f'<{name} xsi:type="xsd:string">{_escape(_to_json(values))}</{name}>'


def _to_json(entries: Sequence[str]) -> str:
    return json.dumps(list(entries), ensure_ascii=False)


def decode_reply(body: bytes) -> Any:
    """Read a reply: the value that the method returned, or a `Fault`.

    Structs and maps become dicts, arrays lists, everything else strings or None.

    Raises:
        UnreadableXmlError: It is no XML, holds a DOCTYPE, is nested too deeply or is no SOAP.
    """
    soap_body = _find_body(_parse(_to_utf8(body)))
    answer = soap_body[0]
    if _local(answer.tag) == "Fault":
        fields = {_local(child.tag): child for child in answer}
        return Fault(_text_of(fields.get("faultcode")), _text_of(fields.get("faultstring")))
    return _Values(soap_body).read(answer[0]) if len(answer) else None


def _find_body(root: Element) -> Element:
    bodies = [child for child in root if _local(child.tag) == "Body"]
    if _local(root.tag) != "Envelope" or not bodies or not len(bodies[0]):
        raise UnreadableXmlError("it is no SOAP")
    return bodies[0]


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


def _parse(body: bytes) -> Element:
    # Each element has one of these, and most have two. A short answer need not be looked through.
    if len(body) > MOST_ELEMENTS and body.count(b"<") > MOST_ELEMENTS:
        raise UnreadableXmlError("it has too many elements")
    # ElementTree's own parser wants every prefix to be declared, and lets a DOCTYPE pass. Its builder is as fast with
    # expat itself: no line of Python runs for an element.
    builder = TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise UnreadableXmlError(f"it is no XML ({expat.ErrorString(error.code)})") from None
    return builder.close()


def _refuse_doctype(*_arguments: object) -> None:
    raise UnreadableXmlError("it holds a DOCTYPE, which SOAP forbids")


def _local(name: str) -> str:
    """The name without its prefix: the prefixes of these servers mean nothing."""
    return name[name.rfind(":") + 1 :]


def _text_of(node: Element | None) -> str | None:
    return None if node is None else (node.text or "").strip() or None


_ENTRY = ["key", "value"]
_ITEM = {"item"}
_TYPED = ["xsi:type"]
"""The attributes of most elements: they mean nothing here, and need not be looked through."""


class _Values:
    """Makes values of elements. A reference (``href="#…"``) stands for the element with that id."""

    def __init__(self, soap_body: Element) -> None:
        self._soap_body = soap_body
        self._known: dict[str, Any] = {}

    def read(self, node: Element, depth: int = 0) -> Any:
        """Make the value of an element."""
        if depth > DEEPEST_NESTING:
            raise UnreadableXmlError(_TOO_DEEP)
        is_array = False
        names = node.keys()
        if names and names != _TYPED:
            attributes = {_local(name): value for name, value in node.items()}
            reference = attributes.get("href", "")
            if reference.startswith("#"):
                return self._follow(reference[1:], depth)
            if attributes.get("nil") in ("true", "1"):
                return None
            is_array = "arrayType" in attributes
        if not len(node):
            return [] if is_array else node.text or ""
        if depth == DEEPEST_NESTING:
            raise UnreadableXmlError(_TOO_DEEP)
        if len(node[0]) == 2 and all(_is_map_entry(child) for child in node):
            return _to_map(self._read_entry(child, depth) for child in node)
        values: list[Any] = []
        fields: dict[str, Any] = {}
        for child in node:
            # Most are leaves, and a call for each would cost half as much as the parser.
            is_leaf = not len(child) and child.keys() == _TYPED
            value = child.text or "" if is_leaf else self.read(child, depth + 1)
            values.append(value)
            tag = child.tag
            fields[_local(tag) if ":" in tag else tag] = value
        if is_array or fields.keys() == _ITEM:
            return values
        return fields if len(fields) == len(values) else _gather(node, values)

    def _follow(self, identity: str, depth: int) -> Any:
        if identity not in self._known:  # Once each: references that double at every step never end.
            self._known[identity] = self.read(self._find(identity), depth + 1)
        return self._known[identity]

    def _find(self, identity: str) -> Element:
        node = self._identified.get(identity)
        if node is None:
            raise UnreadableXmlError("a reference in it leads nowhere")
        return node

    @functools.cached_property
    def _identified(self) -> dict[str, Element]:
        named = ((_local(name), value, node) for node in self._soap_body.iter() for name, value in node.items())
        return {value: node for name, value, node in named if name == "id"}

    def _read_entry(self, node: Element, depth: int) -> tuple[str, Any]:
        fields = {_local(child.tag): child for child in node}
        return fields["key"].text or "", self.read(fields["value"], depth + 2)


def _is_map_entry(node: Element) -> bool:
    return len(node) == 2 and _local(node.tag) == "item" and sorted(_local(child.tag) for child in node) == _ENTRY


def _to_map(entries: Iterable[tuple[str, Any]]) -> Any:
    found = dict(entries)
    # PHP's own server writes some lists as a map from 0, 1, 2 …
    return list(found.values()) if list(found) == [str(index) for index in range(len(found))] else found


def _gather(nodes: Iterable[Element], values: Iterable[Any]) -> dict[str, Any]:
    """A name that stands there more than once gets a list, so that none of its values is lost."""
    found: dict[str, list[Any]] = {}
    for node, value in zip(nodes, values, strict=True):
        found.setdefault(_local(node.tag), []).append(value)
    return {name: entries if len(entries) > 1 else entries[0] for name, entries in found.items()}
