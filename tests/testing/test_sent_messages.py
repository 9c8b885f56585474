"""What a test reads off a sent message."""

from __future__ import annotations

import pytest
from payamak.ghasedak import GhasedakClient
from payamak.smsir import NewContact, SmsIrClient
from payamak.testing import EmulatorClock, RunningEmulator, SentMessages

NUMBER = "09121234567"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("482913", "482913"),
        ("Your code is 482913.", "482913"),
        ("کد ورود شما: ۴۸۲۹۱۳", "482913"),
        ("كود: ٤٨٢٩", "4829"),
        ("کد ۴۸۲۹۱۳ @shop.example #482913", "482913"),
        ("code 0042, valid until 1404/05/12, 12:30", "0042"),
        ("code 0042; questions? 02188776655 or 09121234567", "0042"),
        ("G-482913 is your code", "482913"),
        ("12345678", "12345678"),
    ],
)
async def test_code_in_a_text(
    ghasedak_client: GhasedakClient, sent_messages: SentMessages, text: str, code: str
) -> None:
    await ghasedak_client.send(NUMBER, text)
    assert sent_messages[-1].code == code


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello", "no code"),
        ("123 and 123456789", "no code"),
        ("your order a1234 came", "no code"),
        ("1111 or 2222", "more than one code"),
    ],
)
async def test_no_code_in_a_text(
    ghasedak_client: GhasedakClient, sent_messages: SentMessages, text: str, problem: str
) -> None:
    await ghasedak_client.send(NUMBER, text)
    with pytest.raises(LookupError, match=problem):
        _ = sent_messages[-1].code


@pytest.mark.parametrize(
    ("params", "code"), [(["482913"], "482913"), (["shop", "۴۸۲۹"], "4829"), (["order 5555"], "5555")]
)
async def test_code_in_a_template(
    ghasedak_client: GhasedakClient, payamak_emulator: RunningEmulator, sent_messages: SentMessages,
    params: list[str], code: str,
) -> None:  # fmt: skip
    payamak_emulator.ghasedak.templates["login"] = "%param1% %param2%, ask 1234"[: 8 if len(params) == 1 else None]
    await ghasedak_client.send_otp(NUMBER, "login", params)
    assert sent_messages[-1].code == code


async def test_two_codes_in_a_template(ghasedak_client: GhasedakClient, sent_messages: SentMessages) -> None:
    await ghasedak_client.send_otp(NUMBER, "login", ["1111", "2222"])
    with pytest.raises(LookupError, match="more than one"):
        _ = sent_messages[-1].code
    assert sent_messages[-1].params == ("1111", "2222")


async def test_all_that_is_known_of_a_message(
    ghasedak_client: GhasedakClient, sent_messages: SentMessages, payamak_clock: EmulatorClock
) -> None:
    result = await ghasedak_client.send("+98 912 123 4567", "سلام", sender="10008566", check_id="order-1")
    (message,) = sent_messages
    assert (message.id, message.gateway, message.recipient) == (result.message_id, "ghasedak", NUMBER)
    assert (message.line, message.text, message.kind, message.check_id) == ("10008566", "سلام", "sms", "order-1")
    assert (message.template, message.params, message.send_at) == (None, (), None)
    assert (message.parts, message.price) == (1, 155)
    payamak_clock.advance(60)
    assert message.state == "delivered"


async def test_the_list_is_live(ghasedak_client: GhasedakClient, sent_messages: SentMessages) -> None:
    assert not sent_messages
    assert sent_messages == []
    await ghasedak_client.send_to_many([NUMBER, "09122222222", "09123333333"], "hello")
    assert len(sent_messages) == 3
    assert [message.recipient for message in sent_messages[1:]] == ["09122222222", "09123333333"]
    assert sent_messages != []
    assert sent_messages == sent_messages[:]
    assert sent_messages[0] == sent_messages[0]
    assert sent_messages[0] != sent_messages[1]
    assert len({sent_messages[0], sent_messages[0], sent_messages[1]}) == 2
    assert sent_messages[0] in sent_messages
    assert repr(sent_messages).count("SentMessage ghasedak") == 3


async def test_messages_of_two_gateways_in_one_list(
    ghasedak_client: GhasedakClient,
    smsir_client: SmsIrClient,
    sent_messages: SentMessages,
    payamak_clock: EmulatorClock,
) -> None:
    group = await smsir_client.groups.create("مشتریان")
    await smsir_client.contacts.add(group.id, [NewContact(NUMBER)])
    payamak_clock.advance(24 * 60 * 60)
    await smsir_client.messages.send("1111", group_ids=[group.id])
    await ghasedak_client.send(NUMBER, "2222")
    assert [(message.gateway, message.code) for message in sent_messages[-2:]] == [
        ("smsir", "1111"),
        ("ghasedak", "2222"),
    ]
