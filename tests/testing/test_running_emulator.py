"""The handle on the emulator, used from another thread than the emulator's."""

from __future__ import annotations

import asyncio
import datetime
import threading

import pytest
from payamak.emulator import Fault
from payamak.ghasedak import GhasedakClient, InsufficientCreditError, PayamakError, RateLimitError, RequestTimeoutError
from payamak.testing import EmulatorClock, OrderFault, RunningEmulator, SentMessages

NUMBER = "09121234567"


async def test_faults_come_in_their_order(
    ghasedak_client: GhasedakClient, payamak_emulator: RunningEmulator, order_fault: OrderFault
) -> None:
    order_fault("status", status=429, times=3, path="sms/send/simple")
    payamak_emulator.add_fault(Fault("status", status=401))
    assert [fault["status"] for fault in payamak_emulator.faults] == [429, 401]
    with pytest.raises(RateLimitError):
        await ghasedak_client.send(NUMBER, "hello")
    assert [fault["status"] for fault in payamak_emulator.faults] == [401]
    payamak_emulator.clear_faults()
    assert await ghasedak_client.credit() == 1_000_000


def test_a_fault_that_is_none(order_fault: OrderFault) -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        order_fault("no such fault")
    with pytest.raises(ValueError, match="seconds is required"):
        order_fault("delay")


async def test_accounts_and_switches(ghasedak_client: GhasedakClient, payamak_emulator: RunningEmulator) -> None:
    payamak_emulator.ghasedak.account.credit = 0
    with pytest.raises(InsufficientCreditError):
        await ghasedak_client.send(NUMBER, "hello")


async def test_inbox(ghasedak_client: GhasedakClient, payamak_emulator: RunningEmulator) -> None:
    payamak_emulator.add_inbox_message(gateway="ghasedak", sender=NUMBER, line="10008566", text="ممنون")
    assert [message.text for message in await ghasedak_client.received("10008566")] == ["ممنون"]


def test_clock(payamak_clock: EmulatorClock) -> None:
    before = payamak_clock.now()
    payamak_clock.advance(3600)
    assert payamak_clock.now() - before >= datetime.timedelta(hours=1)
    payamak_clock.set(datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC))
    assert payamak_clock.now().year == 2030


def test_reset_brings_everything_back(payamak_emulator: RunningEmulator, ghasedak_client: GhasedakClient) -> None:
    payamak_emulator.ghasedak.account.credit = 5_000
    payamak_emulator.order_fault("drop_after_read", times=2)
    payamak_emulator.clock.advance(10**6)
    with pytest.raises(PayamakError):
        asyncio.run(ghasedak_client.send(NUMBER, "hello"))
    payamak_emulator.reset()
    assert payamak_emulator.sent_messages == []
    assert payamak_emulator.requests == []
    assert payamak_emulator.faults == []
    assert payamak_emulator.ghasedak.account.credit == 1_000_000
    assert abs(payamak_emulator.clock.now() - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(hours=1)


async def test_a_late_request_of_the_last_test_does_nothing_in_this_one(
    payamak_emulator: RunningEmulator, sent_messages: SentMessages
) -> None:
    url, key = payamak_emulator.ghasedak_url, payamak_emulator.ghasedak.account.key
    payamak_emulator.order_fault("delay", seconds=0.3)
    async with GhasedakClient(key, base_url=url, timeout=30) as client:
        late = asyncio.create_task(client.send(NUMBER, "late"))
        while not payamak_emulator.requests:  # noqa: ASYNC110 -- it is in another thread
            await asyncio.sleep(0.001)
        payamak_emulator.reset()
        with pytest.raises(PayamakError) as caught:
            await late
    assert not isinstance(caught.value, RequestTimeoutError), "it was cut off, and did not wait"
    assert sent_messages == []


def test_many_threads_at_once(payamak_emulator: RunningEmulator, sent_messages: SentMessages) -> None:
    url, key = payamak_emulator.ghasedak_url, payamak_emulator.ghasedak.account.key

    async def send() -> None:
        async with GhasedakClient(key, base_url=url) as client:
            for _ in range(10):
                await client.send(NUMBER, "hello")
                assert len(sent_messages) > 0
                payamak_emulator.clock.advance(1)

    threads = [threading.Thread(target=lambda: asyncio.run(send())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent_messages) == 40
    assert len({message.id for message in sent_messages}) == 40


def test_what_takes_more_than_one_step_is_done_in_the_emulators_thread(payamak_emulator: RunningEmulator) -> None:
    assert payamak_emulator.call(lambda _: threading.current_thread().name) == "payamak emulator"
    with pytest.raises(ZeroDivisionError):
        payamak_emulator.call(lambda _: 1 / 0)


@pytest.fixture(scope="session")
def url_of_the_run(payamak_server: RunningEmulator) -> str:
    return payamak_server.url


def test_the_server_of_the_run_is_the_emulator_of_the_test(
    url_of_the_run: str, payamak_emulator: RunningEmulator
) -> None:
    assert payamak_emulator.url == url_of_the_run
    assert repr(payamak_emulator) == f"<RunningEmulator {url_of_the_run}>"
