"""Send messages through a gateway that runs on this machine, and follow them until they are delivered."""

from __future__ import annotations

import asyncio
import datetime

from payamak.emulator import Emulator, Fault
from payamak.ghasedak import GhasedakClient, PayamakError


async def main() -> None:
    """Tell the story from the first message to the first failure."""
    async with Emulator() as emulator:
        print("1. The emulator stands in for the gateway. No account is needed, and nothing leaves this machine.")
        print(f"   Ghasedak: {emulator.ghasedak_url}\n")
        async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
            await send_and_follow(client)
            await send_otp(emulator, client)
            await plan_and_cancel(client)
            await receive(emulator, client)
            await fail(emulator, client)
            print(f"7. Credit left: {await client.credit():,} rial.")
    print("\nThat was a real socket and the real client. Point base_url at the gateway, and it is real all the way.")


async def send_and_follow(client: GhasedakClient) -> None:
    """One text to one number, then to three, until all have arrived."""
    print(f"2. One message. Credit before: {await client.credit():,} rial.")
    first = await client.send("0912 123 4567", "سلام! سفارش شما ارسال شد.", sender="10008566")
    print(f"   Taken by the gateway, message id {first.message_id}.\n")

    print("3. One text to three numbers, one of them with Persian digits. Then we ask until all have arrived:")
    results = await client.send_to_many(
        ["09121111111", "+989122222222", "۰۹۱۲۳۳۳۳۳۳۳"], "جلسه فردا ساعت ۱۰", sender="10008566"
    )
    waiting = [result.message_id for result in [first, *results] if result.message_id]
    shown = ""
    while True:
        statuses = await client.statuses(waiting)
        states = ", ".join(f"{status.message_id} {status.state.value}" for status in statuses)
        if states != shown:
            print(f"   {states}")
            shown = states
        if all(status.state.is_final for status in statuses):
            break
        await asyncio.sleep(0.2)
    print()


async def send_otp(emulator: Emulator, client: GhasedakClient) -> None:
    """A login code by template."""
    emulator.ghasedak.templates["login"] = "کد ورود شما به فروشگاه: %param1%"
    await client.send_otp("09121234567", "login", ["482913"])
    print(f"4. A one-time password by template. What the handset shows: {emulator.messages()[-1].text}\n")


async def plan_and_cancel(client: GhasedakClient) -> None:
    """A message for later, taken back."""
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    planned = await client.send("09121234567", "یادآوری نوبت", sender="10008566", send_at=tomorrow)
    if planned.message_id:
        cancelled = await client.cancel([planned.message_id])
        print(f"5. A message for tomorrow, cancelled today: {planned.message_id in cancelled}.")


async def receive(emulator: Emulator, client: GhasedakClient) -> None:
    """An answer comes in."""
    emulator.add_inbox_message(gateway="ghasedak", sender="09121234567", line="10008566", text="ممنون")
    for message in await client.received("10008566"):
        print(f"   Received from {message.sender}: {message.text}\n")


async def fail(emulator: Emulator, client: GhasedakClient) -> None:
    """Three failures, and what each says about the message."""
    print("6. When things go wrong, every error says what became of the message:")
    try:
        await client.send("0912 12", "سلام")
    except PayamakError as error:
        print(f"   {error}")
    try:
        await client.send("09000000020", "سلام")
    except PayamakError as error:
        print(f"   {error}")
    emulator.add_fault(Fault("drop_after_read", gateway="ghasedak"))
    try:
        await client.send("09121234567", "سلام", check_id="order-1001")
    except PayamakError as error:
        print(f"   {error}")
    (status,) = await client.statuses_by_check_id(["order-1001"])
    print(f"   The connection broke, and nothing was sent twice. Asked by its check id, the message is: {status.state.value}.")
    print()


if __name__ == "__main__":
    asyncio.run(main())
