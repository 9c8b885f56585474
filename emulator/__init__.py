"""A local stand-in for Iranian SMS gateways: real HTTP on a real socket, stateful, and able to misbehave on order.

In a test::

    async with Emulator() as emulator:
        emulator.add_fault(Fault("drop_after_read", path="sms/send/simple"))
        ...
        assert len(emulator.messages(gateway="ghasedak")) == 1

From a shell: ``python -m payamak.emulator``. It is written from the vendors' documents alone and shares no code with
the clients of this project, so that a mistake in a client cannot hide behind the same mistake here.
"""

from __future__ import annotations

from .exchange import RequestRecord
from .faults import Fault
from .ledger import InboxMessage, Message
from .server import Emulator

__all__ = ["Emulator", "Fault", "InboxMessage", "Message", "RequestRecord"]
