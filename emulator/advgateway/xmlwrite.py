"""Results as XML, in each of the styles that servers of this kind write."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ..phpjson import php_json

Value = str | int | Sequence["Value"] | Mapping[str, "Value"] | Mapping[int, "Value"]

SOAP_ENV = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_ENC = "http://schemas.xmlsoap.org/soap/encoding/"
# What XML 1.0 has no way to write.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;"}


def escape(text: str) -> str:
    """Text for an element or an attribute, escaped as nuSOAP does."""
    return "".join(_ESCAPES.get(character, character) for character in _ILLEGAL.sub("", text))


def _escape_text(text: str) -> str:
    """Text for an element, escaped as libxml does."""
    return _ILLEGAL.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _element(name: str, attributes: str, content: str) -> str:
    return f"<{name}{attributes}>{content}</{name}>"


def _scalar(name: str, value: str | int, write: Callable[[str], str] = escape) -> str:
    kind = "string" if isinstance(value, str) else "int"
    return _element(name, f' xsi:type="xsd:{kind}"', write(str(value)))


def _items(value: Sequence[Value] | Mapping[int, Value]) -> list[Value]:
    # A PHP array whose keys are numbers counts as a list for nuSOAP, which then writes no keys.
    return list(value.values()) if isinstance(value, Mapping) else list(value)


def _is_struct(value: Value) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _array_type(items: Sequence[Value], struct: str, mixed: str) -> str:
    kinds = {_kind(item, struct) for item in items}
    return f"{kinds.pop() if len(kinds) == 1 else mixed}[{len(items)}]"


def _kind(value: Value, struct: str) -> str:
    if isinstance(value, str):
        return "xsd:string"
    if isinstance(value, int):
        return "xsd:int"
    return struct if isinstance(value, Mapping) else "SOAP-ENC:Array"


def _nusoap_array(items: Sequence[Value]) -> str:
    kind = _array_type(items, "unnamed_struct_use_soapval", "xsd:anyType")
    return f' xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="{kind}"'


def struct(name: str, value: Value) -> str:
    """nuSOAP: a struct has children and no type, a list is a typed array."""
    if isinstance(value, str | int):
        return _scalar(name, value)
    if isinstance(value, Mapping) and _is_struct(value):
        return _element(name, "", "".join(struct(str(key), entry) for key, entry in value.items()))
    items = _items(value)  # type: ignore[arg-type]
    return _element(name, _nusoap_array(items), "".join(struct("item", item) for item in items))


def php_map(name: str, value: Value) -> str:
    """PHP's own server: a struct is a Map of keys and values."""
    if isinstance(value, str | int):
        return _scalar(name, value, _escape_text)
    if isinstance(value, Mapping):
        entries = [_element("item", "", php_map("key", key) + php_map("value", entry)) for key, entry in value.items()]
        return _element(name, ' xsi:type="ns2:Map"', "".join(entries))
    attributes = f' SOAP-ENC:arrayType="{_array_type(value, "ns2:Map", "xsd:ur-type")}" xsi:type="SOAP-ENC:Array"'
    return _element(name, attributes, "".join(php_map("item", item) for item in value))


def positional(name: str, value: Value) -> str:
    """Declared as a list of texts: names are lost, and inner lists become the word `Array`."""
    if isinstance(value, str | int):
        return _scalar(name, value)
    items = list(value.values()) if isinstance(value, Mapping) else list(value)
    texts: list[Value] = [str(item) if isinstance(item, str | int) else "Array" for item in items]
    return struct(name, texts)


def json_text(name: str, value: Value) -> str:
    """JSON within a text."""
    return _scalar(name, php_json(value))


def lost(name: str, _value: Value) -> str:
    """Declared as a text without being one: PHP turns any array into this word."""
    return _scalar(name, "Array")


def multiref(name: str, value: Value) -> str:
    """SOAP 1.1 section 5 to the letter: structs and lists stand apart and are referred to."""
    return _MultiRef().write(name, value)


class _MultiRef:
    def __init__(self) -> None:
        self._apart: dict[int, str] = {}

    def write(self, name: str, value: Value) -> str:
        """The element, to which `after_response` adds what it refers to."""
        return self._reference(name, value) + MULTIREF_MARK + "".join(text for _, text in sorted(self._apart.items()))

    def _reference(self, name: str, value: Value) -> str:
        if isinstance(value, str | int):
            return _scalar(name, value)
        number = len(self._apart)
        self._apart[number] = ""
        if isinstance(value, Mapping) and _is_struct(value):
            attributes = ""
            content = "".join(self._reference(str(key), entry) for key, entry in value.items())
        else:
            items = _items(value)  # type: ignore[arg-type]
            attributes = _nusoap_array(items)
            content = "".join(self._reference("item", item) for item in items)
        head = f' id="id{number}" SOAP-ENC:root="0" SOAP-ENV:encodingStyle="{SOAP_ENC}"{attributes}'
        self._apart[number] = _element("multiRef", head, content)
        return f'<{name} href="#id{number}"/>'


# Stands between the response's own content and what comes after the response; no text can hold it.
MULTIREF_MARK = "\0"

STYLES: Mapping[str, Callable[[str, Value], str]] = {
    "struct": struct,
    "map": php_map,
    "positional": positional,
    "json": json_text,
    "multiref": multiref,
    "lost": lost,
}


def _nusoap_envelope(body: str, charset: str) -> str:
    return (
        f'<?xml version="1.0" encoding="{charset}"?>'
        f'<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="{SOAP_ENC}" xmlns:SOAP-ENV="{SOAP_ENV}"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:SOAP-ENC="{SOAP_ENC}"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>'
    )


def _php_envelope(body: str, namespace: str, charset: str) -> str:
    return (
        f'<?xml version="1.0" encoding="{charset}"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP_ENV}" xmlns:ns1="{escape(namespace)}"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:ns2="http://xml.apache.org/xml-soap" xmlns:SOAP-ENC="{SOAP_ENC}"'
        f' SOAP-ENV:encodingStyle="{SOAP_ENC}"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>\n'
    )


def response(method: str, value: Value, style: str, namespace: str, charset: str) -> str:
    """The whole document of a result."""
    content, _, apart = STYLES[style]("return", value).partition(MULTIREF_MARK)
    name = f"ns1:{method}Response"
    if style == "map":
        return _php_envelope(_element(name, "", content), namespace, charset)
    return _nusoap_envelope(_element(name, f' xmlns:ns1="{escape(namespace)}"', content) + apart, charset)


def fault(code: str, text: str, charset: str) -> str:
    """The whole document of a fault, as nuSOAP writes it."""
    parts = {"faultcode": f"SOAP-ENV:{code}", "faultstring": text, "faultactor": "", "detail": ""}
    content = "".join(_scalar(name, value) for name, value in parts.items())
    return _nusoap_envelope(_element("SOAP-ENV:Fault", "", content), charset)
