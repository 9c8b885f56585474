"""Send messages through gateways that run on this machine, and follow them until they are delivered."""

from __future__ import annotations

import asyncio
import datetime

from payamak.advgateway import AdvGatewayClient
from payamak.emulator import Emulator, Fault
from payamak.ghasedak import GhasedakClient, PayamakError
from payamak.opgateway import OpGatewayClient
from payamak.smsir import NewContact, SmsIrClient


async def main() -> None:
    """Tell the story from the first message to the first failure."""
    async with Emulator() as emulator:
        print("The emulator stands in for the gateways. No account is needed, and nothing leaves this machine.\n")
        print(f"GHASEDAK at {emulator.ghasedak_url}\n")
        async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
            await send_and_follow(client)
            await send_otp(emulator, client)
            await plan_and_cancel(client)
            await receive(emulator, client)
            await fail(emulator, client)
            print(f"Credit left: {await client.credit():,} rial.\n")
        print(f"SMS.IR at {emulator.smsir_url}\n")
        async with SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url) as white:
            await send_to_a_group(emulator, white)
            await outlive_the_token(emulator, white)
        print(f"\nTHE OP-DRIVEN GATEWAY at {emulator.opgateway_url}\n")
        async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as op:
            await send_a_bulk(emulator, op)
        print(f"\nTHE ADVANCED GATEWAY at {emulator.advgateway_url}\n")
        async with AdvGatewayClient("emulator", "emulator", base_url=emulator.advgateway_url) as advanced:
            await send_by_soap(emulator, advanced)
    print(
        "\nThose were real sockets and the real clients. Give a gateway's base_url and key, and it is real all the way."
    )


async def send_and_follow(client: GhasedakClient) -> None:
    """One text to one number, then to three, until all have arrived."""
    print(f"- One message. Credit before: {await client.credit():,} rial.")
    first = await client.send("0912 123 4567", "سلام! سفارش شما ارسال شد.", sender="10008566")
    print(f"  The gateway took it. Message id: {first.message_id}")

    print("- One text to three numbers, one of them in Persian digits. We ask until all have arrived:")
    results = await client.send_to_many(
        ["09121111111", "+989122222222", "۰۹۱۲۳۳۳۳۳۳۳"], "جلسه فردا ساعت ۱۰", sender="10008566"
    )
    waiting = [result.message_id for result in [first, *results] if result.message_id]
    shown = ""
    while True:
        statuses = await client.statuses(waiting)
        states = ", ".join(f"{status.message_id} {status.state.value}" for status in statuses)
        if states != shown:
            print(f"  {states}")
            shown = states
        if all(status.state.is_final for status in statuses):
            return
        await asyncio.sleep(0.2)


async def send_otp(emulator: Emulator, client: GhasedakClient) -> None:
    """A login code by template."""
    emulator.ghasedak.templates["login"] = "کد ورود شما به فروشگاه: %param1%"
    await client.send_otp("09121234567", "login", ["482913"])
    print(f"- A one-time password by template. The handset shows: {emulator.messages()[-1].text}")


async def plan_and_cancel(client: GhasedakClient) -> None:
    """A message for later, taken back."""
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    planned = await client.send("09121234567", "یادآوری نوبت", sender="10008566", send_at=tomorrow)
    if planned.message_id:
        cancelled = await client.cancel([planned.message_id])
        print(f"- A message for tomorrow, cancelled today: {planned.message_id in cancelled}")


async def receive(emulator: Emulator, client: GhasedakClient) -> None:
    """An answer comes in."""
    emulator.add_inbox_message(gateway="ghasedak", sender="09121234567", line="10008566", text="ممنون")
    for message in await client.received("10008566"):
        print(f"- An answer came in from {message.sender}: {message.text}")


async def fail(emulator: Emulator, client: GhasedakClient) -> None:
    """Three failures, and what each says about the message."""
    print("- When something goes wrong, the error says what became of the message:")
    no_number, blocks_advertising, loses_the_answer = "0912 12", "09000000020", "09121234567"
    for number in (no_number, blocks_advertising, loses_the_answer):
        if number == loses_the_answer:
            emulator.add_fault(Fault("drop_after_read", path="sms/send/simple"))
        try:
            await client.send(number, "سلام", check_id="order-1001")
        except PayamakError as error:
            print(f"  {error.outcome.value.upper()}: {error.args[0]}")
    (status,) = await client.statuses_by_check_id(["order-1001"])
    print(f"  The last one was not sent again. Asked for by its check id, it is: {status.state.value}")


async def send_to_a_group(emulator: Emulator, client: SmsIrClient) -> None:
    """Contacts, a group, a message to all of it."""
    group = await client.groups.create("مشتریان")
    added = await client.contacts.add(
        group.id, [NewContact("09121111111"), NewContact("09122222222", first_name="سارا")]
    )
    emulator.clock.advance(24 * 60 * 60)  # New contacts wait before they may get messages.
    count = await client.messages.count_recipients(group_ids=[group.id])
    batch = await client.messages.send("حراج فردا شروع می‌شود.", group_ids=[group.id])
    print(
        f"- A group of {len(added.added)} contacts, {count.valid} of them can be reached. Sent, batch {batch.batch_key}"
    )
    emulator.clock.advance(60)
    async for recipient in client.messages.iterate_recipients(batch.batch_key or ""):
        print(f"  {recipient.mobile}: {recipient.delivery}")


async def outlive_the_token(emulator: Emulator, client: SmsIrClient) -> None:
    """The token ends after half an hour; the caller does not notice."""
    emulator.clock.advance(31 * 60)
    print(
        f"- Half an hour later the token has ended, and the client notices by itself. Credit: {await client.credit():,}"
    )
    print(f"  Tokens that it has fetched: {emulator.smsir.tokens_issued}")


async def send_a_bulk(emulator: Emulator, client: OpGatewayClient) -> None:
    """One text to two numbers, and what became of each."""
    bulk_id = await client.send_to_many(["09121111111", "09122222222"], "جلسه فردا ساعت ۱۰", sender="3000505")
    emulator.clock.advance(60)
    print(f"- Sent, bulk {bulk_id}. A minute later:")
    for delivery in await client.delivery(bulk_id):
        print(f"  {delivery.recipient}: {delivery.state.value}")


async def send_by_soap(emulator: Emulator, client: AdvGatewayClient) -> None:
    """The same number twice in a list gets one message."""
    results = await client.send_to_many(["09121111111", "+989121111111"], "جلسه فردا ساعت ۱۰", sender="50001")
    emulator.clock.advance(60)
    (status,) = await client.statuses({result.message_id for result in results if result.message_id})
    print(f"- One number, written in two ways: one message, {status.message_id}. A minute later: {status.state.value}")


if __name__ == "__main__":
    asyncio.run(main())
