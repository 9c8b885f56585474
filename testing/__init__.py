"""A pytest plugin: an emulator of the gateways for your tests, and what your code has sent through it.

It is there as soon as payamak is installed, and costs nothing until a test asks for one of its fixtures::

    def test_login(app, sent_messages):
        app.post("/login", json={"number": "09121234567"})
        assert app.post("/confirm", json={"code": sent_messages[-1].code}).status_code == 200

The fixtures are in `payamak.testing.plugin`. The types below are for the annotations of your tests.
"""

from __future__ import annotations

from .emulator import EmulatorClock, FaultArguments, OrderFault, RunningEmulator
from .messages import SentMessage, SentMessages

__all__ = ["EmulatorClock", "FaultArguments", "OrderFault", "RunningEmulator", "SentMessage", "SentMessages"]
