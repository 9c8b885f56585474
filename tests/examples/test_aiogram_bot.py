"""The bot polls a stand-in for the Telegram server, with the emulator behind it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from payamak.testing import OrderFault, RunningEmulator, SentMessages
from support.examples import EXAMPLES, PATIENCE, Example, run_example
from support.warm import for_bots

NUMBER = "+989121234567"
SEND = "verification/send/simple"
TOKEN = "42:stand-in"
USER = 7

Json = dict[str, Any]
StartBot = Callable[..., contextlib.AbstractContextManager[Example]]
RunBot = Callable[..., contextlib.AbstractAsyncContextManager["Telegram"]]


class Telegram:
    """As much of the Bot API as a polling bot uses, and the user at the other end."""

    def __init__(self) -> None:
        self._updates: list[Json] = []
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)
        self._answers: asyncio.Queue[Json] = asyncio.Queue()

    async def handle(self, request: web.Request) -> web.Response:
        assert request.match_info["token"] == TOKEN
        fields = dict(await request.post())
        method: Callable[[Json], Any] = getattr(self, request.match_info["method"])
        return web.json_response({"ok": True, "result": await method(fields)})

    async def getMe(self, _fields: Json) -> Json:  # noqa: N802 -- Telegram's name
        return {"id": 42, "is_bot": True, "first_name": "Bot", "username": "stand_in_bot"}

    async def getUpdates(self, fields: Json) -> list[Json]:  # noqa: N802
        offset = int(fields.get("offset", 0))
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        if not self._updates:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), float(fields["timeout"]))
        return self._updates

    async def sendMessage(self, fields: Json) -> Json:  # noqa: N802
        assert int(fields["chat_id"]) == USER
        self._answers.put_nowait(fields)
        return {"message_id": 1, "date": 0, "chat": {"id": USER, "type": "private"}, "text": fields["text"]}

    def say(self, *contents: Json) -> None:
        """Let the user send messages, all at once."""
        user = {"id": USER, "is_bot": False, "first_name": "User"}
        chat = {"id": USER, "type": "private"}
        for content in contents:
            number = next(self._numbers)
            message = {"message_id": number, "date": 0, "chat": chat, "from": user, **content}
            self._updates.append({"update_id": number, "message": message})
        self._news.set()

    async def answer(self) -> Json:
        """The next message of the bot."""
        return await asyncio.wait_for(self._answers.get(), PATIENCE)

    async def ask(self, content: Json) -> str:
        """Say something and hear the answer."""
        self.say(content)
        return str((await self.answer())["text"])

    @property
    def is_silent(self) -> bool:
        return self._answers.empty()


def text(words: str) -> Json:
    return {"text": words}


def start() -> Json:
    return {"text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}


def contact(number: str = NUMBER, user_id: int | None = USER) -> Json:
    shared: Json = {"phone_number": number, "first_name": "User"}
    return {"contact": shared if user_id is None else {**shared, "user_id": user_id}}


@pytest.fixture
async def telegram() -> AsyncIterator[tuple[Telegram, str]]:
    stand_in = Telegram()
    application = web.Application()
    application.router.add_post("/bot{token}/{method}", stand_in.handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield stand_in, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def start_bot(payamak_emulator: RunningEmulator, telegram: tuple[Telegram, str], tmp_path: Path) -> StartBot:
    def start_bot(**settings: str) -> contextlib.AbstractContextManager[Example]:
        environment = {
            "SMS_URL": payamak_emulator.ghasedak_url, "TELEGRAM_URL": telegram[1], "BOT_TOKEN": TOKEN, **settings
        }  # fmt: skip
        return run_example("aiogram_bot", "bot.py", log=tmp_path / "log", environment=environment, python=for_bots)

    return start_bot


@pytest.fixture
def run_bot(start_bot: StartBot, telegram: tuple[Telegram, str]) -> RunBot:
    @contextlib.asynccontextmanager
    async def run(**settings: str) -> AsyncGenerator[Telegram]:
        with start_bot(**settings) as example:
            yield telegram[0]
            example.process.terminate()
            assert await asyncio.to_thread(example.wait) == 0
        assert telegram[0].is_silent

    return run


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_it_runs_as_printed_and_ends_when_it_is_told_to(
    payamak_emulator: RunningEmulator, telegram: tuple[Telegram, str], sent_messages: SentMessages, start_bot: StartBot
) -> None:
    assert "python bot.py " in (EXAMPLES / "aiogram_bot" / "README.md").read_text(encoding="utf-8")
    stand_in, _ = telegram
    with start_bot(RESEND_AFTER="0") as example:
        payamak_emulator.order_fault("status", status=401, path=SEND)
        assert "اکنون نمی‌توان" in await stand_in.ask(contact())
        assert "پیامک شد" in await stand_in.ask(contact())
        assert "تأیید شد" in await stand_in.ask(text(sent_messages[-1].code))

        payamak_emulator.order_fault("delay", seconds=0.5, path=SEND)
        stand_in.say(contact())
        while payamak_emulator.requests[-1].fault != "delay":  # noqa: ASYNC110 -- it is in another thread
            await asyncio.sleep(0.01)
        example.process.send_signal(signal.SIGTERM)
        assert "پیامک شد" in (await stand_in.answer())["text"], "it waits for what is on its way"
        assert await asyncio.to_thread(example.wait) == 0
    assert len(sent_messages) == 2
    log = example.read_log()
    assert "the API key is not valid" in log
    for secret in (NUMBER[3:], sent_messages[0].code, "emulator-key", TOKEN):
        assert secret not in log


async def test_a_number_is_verified(run_bot: RunBot, sent_messages: SentMessages) -> None:
    async with run_bot() as telegram:
        telegram.say(start())
        greeting = await telegram.answer()
        assert json.loads(greeting["reply_markup"])["keyboard"][0][0]["request_contact"] is True

        assert "پیامک شد" in await telegram.ask(contact())
        assert sent_messages[-1].recipient == "09121234567"
        code = sent_messages[-1].code
        assert "4 بار" in await telegram.ask(text(wrong(code)))
        assert "تأیید شد" in await telegram.ask(text("".join("۰۱۲۳۴۵۶۷۸۹"[int(digit)] for digit in code)))
    assert len(sent_messages) == 1


async def test_the_contact_must_be_ones_own(run_bot: RunBot, payamak_emulator: RunningEmulator) -> None:
    async with run_bot() as telegram:
        assert "خود شما نیست" in await telegram.ask(contact(user_id=8))
        assert "خود شما نیست" in await telegram.ask(contact(user_id=None))
    assert payamak_emulator.requests == []


async def test_five_attempts(run_bot: RunBot, sent_messages: SentMessages) -> None:
    async with run_bot() as telegram:
        await telegram.ask(contact())
        code = sent_messages[-1].code
        left = [re.findall(r"\d", await telegram.ask(text(wrong(code)))) for _ in range(5)]
        assert left == [["4"], ["3"], ["2"], ["1"], []]
        telegram.say(text(code), start())
        assert "دکمه" in (await telegram.answer())["text"], "the right code comes too late, and is not answered"
        assert telegram.is_silent


async def test_a_code_ends(run_bot: RunBot, sent_messages: SentMessages) -> None:
    async with run_bot(CODE_LIFETIME="0") as telegram:
        await telegram.ask(contact())
        assert "گذشته" in await telegram.ask(text(sent_messages[-1].code))


async def test_two_taps_on_the_button_send_one_code(
    run_bot: RunBot, order_fault: OrderFault, sent_messages: SentMessages
) -> None:
    order_fault("delay", seconds=0.3, path=SEND)
    async with run_bot() as telegram:
        telegram.say(contact(), contact())
        assert "پیامک شد" in (await telegram.answer())["text"]
        assert "چند لحظه پیش" in (await telegram.answer())["text"]
    assert len(sent_messages) == 1


async def test_a_second_code_after_a_while(run_bot: RunBot, sent_messages: SentMessages) -> None:
    async with run_bot(RESEND_AFTER="0") as telegram:
        await telegram.ask(contact())
        assert "پیامک شد" in await telegram.ask(contact())
        first, second = (message.code for message in sent_messages)
        assert "درست نیست" in await telegram.ask(text(first))
        assert "تأیید شد" in await telegram.ask(text(second))


async def test_a_lost_answer(run_bot: RunBot, order_fault: OrderFault, sent_messages: SentMessages) -> None:
    order_fault("drop_after_read", path=SEND)
    async with run_bot(LOST_AFTER="0") as telegram:
        assert "شاید" in await telegram.ask(contact())
        assert "چند لحظه پیش" in await telegram.ask(contact()), "the gateway knows the first one"
        assert len(sent_messages) == 1
        assert "تأیید شد" in await telegram.ask(text(sent_messages[-1].code))


@pytest.mark.parametrize(("lost_after", "sent"), [("0", 1), ("3600", 0)])
async def test_a_lost_message(
    run_bot: RunBot, payamak_emulator: RunningEmulator, sent_messages: SentMessages, lost_after: str, sent: int
) -> None:
    payamak_emulator.order_fault("drop_unprocessed", path=SEND)
    async with run_bot(LOST_AFTER=lost_after) as telegram:
        assert "شاید" in await telegram.ask(contact())
        assert ("پیامک شد" if sent else "چند لحظه پیش") in await telegram.ask(contact())
    assert len(sent_messages) == sent


async def test_no_second_code_while_nobody_can_tell(
    run_bot: RunBot, order_fault: OrderFault, sent_messages: SentMessages
) -> None:
    order_fault("drop_after_read", path=SEND)
    order_fault("status", status=401, path="sms/status")
    async with run_bot(LOST_AFTER="0") as telegram:
        await telegram.ask(contact())
        assert "چند لحظه پیش" in await telegram.ask(contact())
    assert len(sent_messages) == 1


async def test_what_was_not_sent_does_not_count(
    run_bot: RunBot, order_fault: OrderFault, sent_messages: SentMessages
) -> None:
    order_fault("status", status=401)
    async with run_bot() as telegram:
        assert "اکنون نمی‌توان" in await telegram.ask(contact())
        assert "اکنون نمی‌توان" in await telegram.ask(contact("09000000009"))
        assert "به این شماره" in await telegram.ask(contact("09000000008"))
        assert "به این شماره" in await telegram.ask(contact("+33456351753"))
        assert sent_messages == []
        assert "پیامک شد" in await telegram.ask(contact())
    assert len(sent_messages) == 1
