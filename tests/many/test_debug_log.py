"""asyncio's own log while it debugs, and those of what keeps the journal: calls, arguments, what comes of them."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from payamak.common.sqlite_journal import SqliteJournal
from payamak.emulator import Emulator
from support.many import Gateway, collect, each
from support.sentinels import CHECK_ID, PHONE, TEXT, leaks


@each()
async def test_it_tells_nothing_of_messages(
    gateway: Gateway, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0
    # The third run reads what the second has written.
    for check_id in (None, CHECK_ID, CHECK_ID):
        message = gateway.message(PHONE, TEXT, check_id=check_id)
        async with gateway.connect(emulator) as client, SqliteJournal(tmp_path / "journal.db") as journal:
            await collect(client.send_many([message], journal=journal))
            await journal.list_references()
            await journal.find_changed([(PHONE, message)], client.account_hash)
    loop.set_debug(False)
    texts = [record.getMessage() for record in caplog.records]
    assert not leaks(*texts), [text for text in texts if leaks(text)]
    # What travels and what the client has as its credentials.
    assert "emulator-" not in "\n".join(texts)
    assert any("<Handle set_result(" in text and "hidden>" in text for text in texts)
