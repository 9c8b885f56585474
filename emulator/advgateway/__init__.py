"""The "advanced" gateway: its methods over SOAP, and the same over REST with JSON.

The vendor's document fixes the methods, their parameters in order, and the codes; it says nothing of the transport.
That follows public traces of the panel family and what PHP's SOAP servers really write; what neither tells is marked
INFERRED, and is a switch (`state.Switches`) wherever a client could depend on it.

    gateway.py    paths: SOAP, its WSDL, REST
    methods.py    the methods
    soap.py       from envelope to envelope
    arguments.py  the call within an envelope: by name or by order, arrays in every style
    xmlread.py    bytes to a tree; no DOCTYPE, bounded depth
    xmlwrite.py   values as nuSOAP, as PHP's own server, and as others write them
    wsdl.py       the description that SOAP libraries want
    rest.py       the JSON sibling
    state.py      account, switches, and everything that is remembered
    numbers.py    telephone numbers, and the special ones
"""

from __future__ import annotations

from .gateway import AdvGateway
from .state import Account, Switches

__all__ = ["Account", "AdvGateway", "Switches"]
