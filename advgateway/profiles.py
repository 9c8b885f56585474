"""What differs between the panels that serve this gateway."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import cast

import attrs

from ..common import checks
from ..common.errors import InvalidArgumentError
from ..common.hiding import hides_arguments
from .text import require_xml_text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DOCUMENTED = frozenset(
    ("user", "pass", "fromNum", "toNum", "messageContent", "toNums", "messageContents", "unique_ids")
)


class ArrayStyle(enum.Enum):
    """How a list travels."""

    TYPED = "typed"
    """``SOAP-ENC:Array`` with an ``arrayType`` and typed items: what PHP's servers understand."""
    UNTYPED = "untyped"
    """Bare ``<item>`` children."""
    MAP = "map"
    """A map from 0, 1, 2 … as PHP's own client sends an associative array."""
    JSON = "json"
    """A string that holds JSON."""


def _show_names(arguments: Mapping[str, str]) -> str:
    return f"{{{', '.join(map(str, arguments))}}}"  # Also of what is about to be refused.


@attrs.frozen
class SoapProfile:
    """How a panel wants its SOAP.

    nuSOAP, which most panels run, binds the arguments by their order and ignores their names, so that the order is part
    of the contract.

    Attributes:
        namespace: The namespace of the request's element. Some panels use their bare host name.
        soap_action: The header ``SOAPAction``, with ``{method}`` and ``{namespace}`` filled in.
        argument_order: The order of the arguments, where it is not the document's, such as ``("fromNum", "toNum",
            "messageContent", "messageType", "user", "pass")``. Names that a method does not have are passed over, and
            arguments that are not named come last.
        extra_arguments: Arguments of the sends that the document does not have, such as ``{"messageType": "normal"}``.
            A repr names them and hides their values, which may be secret.
        array_style: How lists travel.

    Raises:
        InvalidArgumentError: Something of it cannot travel, or an extra argument has the name of one of the document's.
    """

    namespace: str = "urn:smsserver"
    soap_action: str = "{method}"
    argument_order: tuple[str, ...] = ()
    extra_arguments: dict[str, str] = attrs.field(factory=dict[str, str], repr=_show_names)
    array_style: ArrayStyle = ArrayStyle.TYPED

    def __attrs_post_init__(self) -> None:
        require_xml_text(checks.require_text(self.namespace, "namespace"), "namespace")
        checks.require_instance(self.soap_action, str, "soap_action")
        header = self.soap_action.replace("{namespace}", self.namespace)
        if not header.isprintable() or '"' in header:
            raise InvalidArgumentError(
                "soap_action, with the namespace in it, travels in a header: it may hold no line break and no quote",
                argument="soap_action",
            )
        checks.require_instance(self.argument_order, tuple, "argument_order")
        if len(set(self.argument_order)) < len(self.argument_order):
            raise InvalidArgumentError("argument_order names an argument twice", argument="argument_order")
        checks.require_instance(self.extra_arguments, dict, "extra_arguments")
        for name, value in cast("dict[object, object]", self.extra_arguments).items():
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _DOCUMENTED:
                raise InvalidArgumentError(
                    "extra_arguments may hold only names that XML allows and the document does not have",
                    argument="extra_arguments",
                )
            argument = f"extra_arguments[{name!r}]"
            checks.require_instance(value, str, argument)
            require_xml_text(cast("str", value), argument)
        checks.require_instance(self.array_style, ArrayStyle, "array_style")


SoapProfile.__init__ = hides_arguments(SoapProfile.__init__)  # type: ignore[method-assign] # It is made by attrs.


class Transport(enum.Enum):
    """Which of the panel's two doors to use."""

    SOAP = "soap"
    """SOAP 1.1: ``…/class/sms/webservice3/server.php``."""
    REST = "rest"
    """JSON: ``…/class/sms/restful/``."""
