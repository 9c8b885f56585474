"""Every example of the README runs as it is printed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.printed import (
    EMULATOR,
    control,
    emulator_as_printed,
    free_port,
    list_examples,
    read_page,
    run,
    sent,
    serve,
)

README = read_page("README.md")
EXAMPLES = list_examples(README)


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[None]:
    with emulator_as_printed():
        yield


@pytest.fixture(autouse=True)
def fresh_emulator(emulator_process: None) -> None:
    control("POST", "reset", {})


def test_the_readme_has_the_examples_that_this_test_knows() -> None:
    assert set(EXAMPLES) == {
        "The first message", "To many", "One-time passwords", "What became of it", "Receiving", "When things go wrong",
        "In FastAPI", "In aiogram", "The emulator", "sms.ir", "sms.ir in FastAPI",
        "The op-driven gateway", "The advanced gateway", "Thousands",
        "In your tests",
    }  # fmt: skip


def test_the_persian_readme_has_the_same_examples() -> None:
    blocks = [
        sorted(re.findall(r"^```(?:python|console)\n.*?^```$", read_page(name), re.MULTILINE | re.DOTALL))
        for name in ("README.md", "README.fa.md")
    ]
    # There, the two commands of `curl` have a block of their own.
    assert [block for block in blocks[1] if "$ curl" not in block] == blocks[0]
    for block in blocks[1]:
        if "$ curl" in block:
            assert block.splitlines()[1].removeprefix("$ ") in README


def test_the_first_message() -> None:
    printed = run(EXAMPLES["The first message"])
    (message,) = sent()
    assert printed.strip() == str(message["id"])
    assert message["recipient"] == "09121234567"
    assert message["text"] == "سلام! سفارش شما ارسال شد."


def test_to_many() -> None:
    printed = run(EXAMPLES["To many"]).split()
    assert printed == [str(message["id"]) for message in sent()]
    assert [message["text"] for message in sent()[2:]] == ["سلام سارا", "سلام رضا"]


def test_the_emulator_gives_more_credit() -> None:
    (command,) = re.findall(rf"curl -d '(.+?)' {EMULATOR}/emulator/account", README)
    assert control("POST", "account", json.loads(command))["ghasedak"]["credit"] == 100_000_000


def test_thousands(tmp_path: Path) -> None:
    control("POST", "faults", {"kind": "drop_after_read"})
    printed = run(EXAMPLES["Thousands"], tmp_path)
    assert "100%" in printed
    assert "unknown" not in printed
    assert len({message["recipient"] for message in sent()}) == len(sent()) == 1000
    with contextlib.closing(sqlite3.connect(tmp_path / "bills-2026-11.db")) as journal:
        assert journal.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall() == [("sent", 1000)]
    run(EXAMPLES["Thousands"], tmp_path)
    assert len(sent()) == 1000


def test_thousands_with_tqdm(tmp_path: Path) -> None:
    found = re.search(r"With `tqdm` it is `(.+?)`\s+and `progress=(.+?)`", README)
    assert found
    code = EXAMPLES["Thousands"].replace("from rich.progress import Progress", "from tqdm import tqdm")
    code = re.sub(r"with Progress\(\) as bar", found[1], code)
    code = re.sub(r" +task = .*\n", "", code).replace("tqdm(total", "tqdm(file=sys.stdout, total")
    code = "import sys\n" + re.sub(r"progress = lambda .*", f"progress = {found[2]}", code)
    assert "1000/1000" in run(code, tmp_path)


def test_one_time_passwords() -> None:
    run(EXAMPLES["One-time passwords"])
    assert [message["params"] for message in sent()] == [["482913"], ["482913"]]


def test_what_became_of_it() -> None:
    assert run(EXAMPLES["What became of it"]).splitlines() == ["DeliveryState.SENT 155", "False False"]


def test_receiving() -> None:
    (command,) = re.findall(rf"curl -d '(.+?)' {EMULATOR}/emulator/inbox", README)
    control("POST", "inbox", json.loads(command))
    lines = run(EXAMPLES["Receiving"]).splitlines()
    assert [line.split()[:2] for line in lines] == [["09121234567", "سلام"]] * 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ""),
        ({"kind": "drop_after_read"}, "It may have gone out. Ask, do not send again:"),
        ({"kind": "status", "status": 401}, "The gateway said no, and nothing was sent:"),
    ],
)
def test_when_things_go_wrong(fault: dict[str, Any] | None, expected: str) -> None:
    if fault:
        control("POST", "faults", fault)
    assert run(EXAMPLES["When things go wrong"]).startswith(expected)


def test_the_emulator_in_a_test() -> None:
    run(EXAMPLES["The emulator"])


def test_in_your_tests(tmp_path: Path) -> None:
    (tmp_path / "test_login.py").write_text(EXAMPLES["In your tests"], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert "1 passed" in done.stdout, done.stdout


def test_sms_ir() -> None:
    assert run(EXAMPLES["sms.ir"]).splitlines()[:2] == ["2 0", "0 2"]


def test_the_op_driven_gateway() -> None:
    lines = run(EXAMPLES["The op-driven gateway"]).splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["+989121111111", "+989122222222"]
    assert float(lines[-1]) > 0


def test_the_advanced_gateway() -> None:
    lines = run(EXAMPLES["The advanced gateway"]).splitlines()
    assert [line.split()[0] for line in lines[:3]] == [str(message["id"]) for message in sent()]
    assert lines[-1].endswith(" []")


def serve_example(name: str, folder: Path) -> contextlib.AbstractContextManager[str]:
    (folder / "service.py").write_text(EXAMPLES[name], encoding="utf-8")
    return serve(["uvicorn", "service:app", "--log-level", "warning"], folder)


async def test_in_fastapi(tmp_path: Path) -> None:
    with serve_example("In FastAPI", tmp_path) as url:
        async with aiohttp.ClientSession(url) as session:
            assert await answer(session, "/login/09121234567") == (200, {"status": "sent"})
            assert (await answer(session, "/login/123"))[0] == 422
            control("POST", "faults", {"kind": "drop_after_read"})
            assert await answer(session, "/login/09121234567") == (200, {"status": "on its way, perhaps"})
            control("POST", "faults", {"kind": "status", "status": 401})
            assert await answer(session, "/login/09121234567") == (502, {"detail": "the code could not be sent"})
    assert len(sent()) == 2


async def test_sms_ir_in_fastapi(tmp_path: Path) -> None:
    with serve_example("sms.ir in FastAPI", tmp_path) as url:
        async with aiohttp.ClientSession(url) as session:
            status, credit = await answer(session, "/credit", "GET")
    assert status == 200
    assert credit == control("GET", "account")["smsir"]["credit"]


async def answer(session: aiohttp.ClientSession, path: str, method: str = "POST") -> tuple[int, Any]:
    until = time.monotonic() + 60
    while True:
        try:
            async with session.request(method, path) as reply:
                return reply.status, await reply.json()
        except aiohttp.ClientConnectorError:
            assert time.monotonic() < until, "the service did not start"
            await asyncio.sleep(0.1)


async def test_in_aiogram() -> None:
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Update

    answers: list[str] = []

    async def telegram(request: web.Request) -> web.Response:
        answers.append(str((await request.post())["text"]))
        chat = {"id": 1, "type": "private"}
        return web.json_response({"ok": True, "result": {"message_id": 2, "date": 0, "chat": chat, "text": "x"}})

    application = web.Application()
    application.router.add_post("/{path:.*}", telegram)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()

    defined: dict[str, Any] = {"__name__": "bot"}
    exec(compile(EXAMPLES["In aiogram"], "bot.py", "exec"), defined)  # noqa: S102
    dispatcher: Dispatcher = defined["dispatcher"]
    session = AiohttpSession(api=TelegramAPIServer.from_base(f"http://127.0.0.1:{port}"))
    bot = Bot("42:stand-in", session=session)
    update = {
        "update_id": 1,
        "message": {
            "message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"},
            "contact": {"phone_number": "+989121234567", "first_name": "S"},
        },
    }  # fmt: skip
    try:
        await dispatcher.feed_update(bot, Update.model_validate(update))
        control("POST", "faults", {"kind": "drop_after_read"})
        await dispatcher.feed_update(bot, Update.model_validate(update))
        await dispatcher.emit_shutdown()
    finally:
        await session.close()
        await runner.cleanup()
    assert answers == ["کد ورود برای شما پیامک شد.", "شاید کد در راه باشد؛ کمی صبر کنید."]
    assert defined["client"].closed
    assert len(sent()) == 2
