"""The fixtures. pytest imports this module in every run, so what is heavy is imported where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .emulator import EmulatorClock, OrderFault, RunningEmulator
from .messages import SentMessages

if TYPE_CHECKING:
    from ..advgateway import AdvGatewayClient
    from ..common import RetryPolicy
    from ..ghasedak import GhasedakClient
    from ..opgateway import OpGatewayClient
    from ..smsir import SmsIrClient
    from .thread import EmulatorThread


@pytest.fixture(scope="session")
def _payamak_thread() -> Iterator[EmulatorThread]:  # pyright: ignore[reportUnusedFunction] -- pytest finds it by name
    from .thread import EmulatorThread  # noqa: PLC0415

    try:
        thread = EmulatorThread()
    except RuntimeError as error:  # what pytest-socket raises is one
        pytest.fail(
            "pytest --allow-hosts=127.0.0.1 lets payamak's emulator listen on this machine alone. "
            f"As it is, it cannot: {type(error).__name__}: {error}",
            pytrace=False,
        )
    yield thread
    thread.stop()


@pytest.fixture(scope="session")
def payamak_server(_payamak_thread: EmulatorThread) -> RunningEmulator:
    """The emulator for fixtures of a wider scope, such as an application that is started once and needs its URL."""
    return RunningEmulator(_payamak_thread)


@pytest.fixture
def payamak_emulator(payamak_server: RunningEmulator) -> RunningEmulator:
    """The emulator of all four gateways, on a real socket and in a thread of its own; fresh in each test."""
    payamak_server.reset()
    return payamak_server


@pytest.fixture
def sent_messages(payamak_emulator: RunningEmulator) -> SentMessages:
    """The messages that were sent in this test, the newest last: ``sent_messages[-1].code``."""
    return payamak_emulator.sent_messages


@pytest.fixture
def order_fault(payamak_emulator: RunningEmulator) -> OrderFault:
    """Lets something go wrong: ``order_fault("drop_after_read")``. See `payamak.emulator.faults`."""
    return payamak_emulator.order_fault


@pytest.fixture
def payamak_clock(payamak_emulator: RunningEmulator) -> EmulatorClock:
    """The emulator's clock: ``payamak_clock.advance(60)`` lets messages arrive."""
    return payamak_emulator.clock


# The clients are closed in the emulator's event loop, not in the test's, which may have ended.


@pytest.fixture
def ghasedak_client(payamak_emulator: RunningEmulator, _payamak_thread: EmulatorThread) -> Iterator[GhasedakClient]:
    """A client of Ghasedak that sends to the emulator."""
    from ..ghasedak import GhasedakClient  # noqa: PLC0415

    key = payamak_emulator.ghasedak.account.key
    client = GhasedakClient(key, base_url=payamak_emulator.ghasedak_url, retry=_without_waiting())
    yield client
    _payamak_thread.wait_for(client.aclose())


@pytest.fixture
def smsir_client(payamak_emulator: RunningEmulator, _payamak_thread: EmulatorThread) -> Iterator[SmsIrClient]:
    """A client of sms.ir that sends to the emulator."""
    from ..smsir import SmsIrClient  # noqa: PLC0415

    account, url = payamak_emulator.smsir.account, payamak_emulator.smsir_url
    client = SmsIrClient(account.user_api_key, account.secret_key, base_url=url, retry=_without_waiting())
    yield client
    _payamak_thread.wait_for(client.aclose())


@pytest.fixture
def opgateway_client(payamak_emulator: RunningEmulator, _payamak_thread: EmulatorThread) -> Iterator[OpGatewayClient]:
    """A client of the op-driven gateway that sends to the emulator."""
    from ..opgateway import OpGatewayClient  # noqa: PLC0415

    account, url = payamak_emulator.opgateway.account, payamak_emulator.opgateway_url
    client = OpGatewayClient(account.user, account.password, base_url=url, retry=_without_waiting())
    yield client
    _payamak_thread.wait_for(client.aclose())


@pytest.fixture
def advgateway_client(payamak_emulator: RunningEmulator, _payamak_thread: EmulatorThread) -> Iterator[AdvGatewayClient]:
    """A client of the "advanced" gateway, over SOAP, that sends to the emulator."""
    from ..advgateway import AdvGatewayClient  # noqa: PLC0415

    account, url = payamak_emulator.advgateway.account, payamak_emulator.advgateway_url
    client = AdvGatewayClient(account.user, account.password, base_url=url, retry=_without_waiting())
    yield client
    _payamak_thread.wait_for(client.aclose())


def _without_waiting() -> RetryPolicy:
    """As often as by default, without the pauses that make a test slow."""
    from ..common import RetryPolicy  # noqa: PLC0415

    return RetryPolicy(base_delay=0)
