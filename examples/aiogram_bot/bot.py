"""A Telegram bot that verifies a telephone number by SMS. How to run it is in README.md."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import KeyboardButton, Message, ReplyKeyboardMarkup, ReplyKeyboardRemove, TelegramObject
from payamak.common.numbers import clean_digits, normalize_iranian
from payamak.ghasedak import (
    DeliveryState,
    GhasedakClient,
    InvalidArgumentError,
    InvalidRecipientError,
    Outcome,
    PayamakError,
)

log = logging.getLogger("bot")

TEMPLATE = os.environ.get("SMS_TEMPLATE", "login")
CODE_LIFETIME = float(os.environ.get("CODE_LIFETIME", "120"))
RESEND_AFTER = float(os.environ.get("RESEND_AFTER", "60"))
LOST_AFTER = float(os.environ.get("LOST_AFTER", "30"))
ATTEMPTS = 5
# The states are in memory, and so is the key of the codes' hashes.
SECRET = secrets.token_bytes(32)

ASK = "برای تأیید شماره‌ی خود، دکمه‌ی زیر را بزنید."
BUTTON = "فرستادن شماره‌ی من"
NOT_YOURS = "این شماره‌ی خود شما نیست. لطفاً دکمه‌ی زیر را بزنید."
SENT = "کد برای شما پیامک شد. آن را همین‌جا بفرستید."
PERHAPS_SENT = "شاید کد در راه باشد. اگر رسید، آن را همین‌جا بفرستید."
WAIT = "کد چند لحظه پیش فرستاده شد. {seconds} ثانیه‌ی دیگر می‌توانید کد تازه بگیرید."
BAD_NUMBER = "به این شماره نمی‌توان کد فرستاد."
NOT_SENT = "اکنون نمی‌توان کد فرستاد. لطفاً چند دقیقه‌ی دیگر دوباره تلاش کنید."
VERIFIED = "شماره‌ی شما تأیید شد."
WRONG = "کد درست نیست. {left} بار دیگر می‌توانید تلاش کنید."
NO_ATTEMPTS_LEFT = "کد درست نبود. لطفاً کد تازه بگیرید."
EXPIRED = "مهلت این کد گذشته است. لطفاً کد تازه بگیرید."

KEYBOARD = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text=BUTTON, request_contact=True)]], resize_keyboard=True, one_time_keyboard=True
)

router = Router()


class Verification(StatesGroup):
    """Where a user is."""

    code = State()
    """A code was sent, and the user is going to type it."""


@router.message(CommandStart())
async def greet(message: Message) -> None:
    """Ask for the contact."""
    await message.answer(ASK, reply_markup=KEYBOARD)


@router.message(F.contact)
async def send_code(message: Message, state: FSMContext, sms: GhasedakClient) -> None:
    """Send a code to the number of the one who shared it."""
    contact, user = message.contact, message.from_user
    # Anybody can share anybody's contact; only one's own carries one's own id.
    if contact is None or user is None or contact.user_id != user.id:
        await message.answer(NOT_YOURS, reply_markup=KEYBOARD)
        return
    if (wait := await seconds_to_wait(await state.get_data(), sms)) > 0:
        await message.answer(WAIT.format(seconds=math.ceil(wait)))
        return
    code, check_id = f"{secrets.randbelow(1_000_000):06}", secrets.token_hex(12)
    # Remembered before it is sent: whatever happens then, it is known which message to ask for.
    await state.set_data(
        {
            "digest": digest(check_id, code),
            "check_id": check_id,
            "sent_at": time.time(),
            "attempts_left": ATTEMPTS,
            "in_doubt": True,
        }
    )
    await state.set_state(Verification.code)
    try:
        number = normalize_iranian(contact.phone_number, "phone_number")
        await sms.send_otp(number, TEMPLATE, [code], check_id=check_id)
    except PayamakError as error:
        log.warning("%s", error)
        if error.outcome is Outcome.UNKNOWN:
            await message.answer(PERHAPS_SENT)
            return
        await state.clear()
        is_bad_number = isinstance(error, (InvalidArgumentError, InvalidRecipientError))
        await message.answer(BAD_NUMBER if is_bad_number else NOT_SENT, reply_markup=KEYBOARD)
    else:
        await state.update_data(in_doubt=False)
        await message.answer(SENT, reply_markup=ReplyKeyboardRemove())


@router.message(Verification.code, F.text)
async def take_code(message: Message, state: FSMContext) -> None:
    """Compare what the user has typed."""
    data = await state.get_data()
    if time.time() - data["sent_at"] > CODE_LIFETIME:
        await state.set_state(None)
        await message.answer(EXPIRED, reply_markup=KEYBOARD)
        return
    left = data["attempts_left"] - 1
    await state.update_data(attempts_left=left)
    if hmac.compare_digest(data["digest"], digest(data["check_id"], clean_digits(message.text or ""))):
        await state.set_state(None)
        await message.answer(VERIFIED, reply_markup=ReplyKeyboardRemove())
    elif left > 0:
        await message.answer(WRONG.format(left=left))
    else:
        await state.set_state(None)
        await message.answer(NO_ATTEMPTS_LEFT, reply_markup=KEYBOARD)


async def seconds_to_wait(earlier: dict[str, Any], sms: GhasedakClient) -> float:
    """How long this user must wait for a code: 0 if none is, or may be, on its way."""
    if not earlier:
        return 0
    sent_at: float = earlier["sent_at"]
    age = time.time() - sent_at
    if not earlier["in_doubt"]:
        return RESEND_AFTER - age
    # While it is not known that the first code was not sent, a second one could only confuse.
    if age < LOST_AFTER:
        return LOST_AFTER - age
    try:
        statuses = await sms.statuses_by_check_id([earlier["check_id"]])
    except PayamakError as error:
        log.warning("%s", error)
        return CODE_LIFETIME - age
    was_sent = any(status.state is not DeliveryState.NOT_FOUND for status in statuses)
    return RESEND_AFTER - age if was_sent else 0


def digest(check_id: str, code: str) -> str:
    """A keyed hash: a million codes are quickly tried out against a plain one."""
    return hmac.new(SECRET, f"{check_id}:{code}".encode(), hashlib.sha256).hexdigest()


class InFlight(BaseMiddleware):
    """Knows which handlers are at work, because aiogram does not wait for them when it stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Run the handler."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await handler(event, data)

    async def wait(self) -> None:
        """Wait until all have ended. Their clients' time limits see to it that they do."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def make_dispatcher() -> Dispatcher:
    """Put it all together."""
    # One user's messages are taken one after the other: two taps on the button do not send two codes.
    dispatcher = Dispatcher(events_isolation=SimpleEventIsolation())
    dispatcher.include_router(router)
    in_flight = InFlight()
    dispatcher.update.outer_middleware(in_flight)
    dispatcher.shutdown.register(in_flight.wait)
    return dispatcher


async def main() -> None:
    """Poll until SIGTERM or SIGINT comes."""
    server = os.environ.get("TELEGRAM_URL")
    session = AiohttpSession(api=TelegramAPIServer.from_base(server) if server else PRODUCTION)
    url = os.environ.get("SMS_URL", "http://127.0.0.1:8650/v2/")
    async with (
        GhasedakClient(os.environ.get("SMS_KEY", "emulator-key"), base_url=url, timeout=10) as sms,
        Bot(os.environ["BOT_TOKEN"], session=session) as bot,
    ):
        dispatcher = make_dispatcher()
        # aiogram leaves the type of one argument half open.
        await dispatcher.start_polling(bot, sms=sms, close_bot_session=False)  # pyright: ignore[reportUnknownMemberType]


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
