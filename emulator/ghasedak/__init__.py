"""The Ghasedak gateway, web service version 2, all methods.

Written from the vendor's document. Where that document is silent the choice is marked INFERRED, and is a switch
(`state.Switches`) wherever a client could depend on it.

    gateway.py   paths, credentials, from request to envelope
    sends.py     the six ways to send
    reads.py     status, cancel, received messages, account
    contacts.py  groups and their numbers
    state.py     account, switches, and everything that is remembered
    numbers.py   telephone numbers, and the special ones that make the gateway refuse or fail
    params.py    parameters: names in any case, lists, what counts as absent
    envelope.py  the reply's envelope and its errors
"""

from __future__ import annotations

from .gateway import GhasedakGateway
from .state import Account, Switches

__all__ = ["Account", "GhasedakGateway", "Switches"]
