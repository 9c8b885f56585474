"""Telegram's side of a bot."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web


@contextlib.asynccontextmanager
async def stand_in() -> AsyncGenerator[tuple[Bot, list[str]], None]:
    """A bot whose Telegram is on this machine, and the texts that it sends."""
    answers: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        answers.append(str((await request.post())["text"]))
        chat = {"id": 1, "type": "private"}
        return web.json_response({"ok": True, "result": {"message_id": 2, "date": 0, "chat": chat, "text": "x"}})

    application = web.Application()
    application.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    session = AiohttpSession(api=TelegramAPIServer.from_base(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield Bot("42:stand-in", session=session), answers
    finally:
        await session.close()
        await runner.cleanup()
