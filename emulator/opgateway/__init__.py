"""The op-driven gateway: one address, one field `op` that names the operation.

The vendor's document says little beyond the names, so much follows public code that calls this service; what neither
tells is marked INFERRED, and is a switch (`state.Switches`) wherever a client could depend on it.

    gateway.py   credentials, from request to reply
    sends.py     the four operations that send
    reads.py     credit, delivery, approval, inbox, and the lists to send to
    users.py     newuser
    state.py     account, switches, and everything that is remembered
    seeds.py     phone books, access levels, postal codes and jobs of a fresh start
    numbers.py   telephone numbers, and the special ones that make the gateway refuse or fail
    params.py    fields: names in any case and both spellings, lists as JSON text
    envelope.py  the reply's shapes and its error table
"""

from __future__ import annotations

from .gateway import OpGateway
from .state import Account, Switches

__all__ = ["Account", "OpGateway", "Switches"]
