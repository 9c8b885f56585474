"""The journal in PostgreSQL where no server is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from payamak.common import JournalError, Outcome
from payamak.common.many.reports import LONGEST_BEGIN
from payamak.common.postgres_journal import PostgresJournal
from support.ghasedak import failure_of
from support.journals import HASH_KEY
from support.sentinels import PASSWORD, USERNAME, assert_silent
from support.sockets import dead_port, stalled_port


@pytest.mark.parametrize("make_port", [dead_port, stalled_port])
async def test_what_cannot_be_reached(make_port: Callable[[], AbstractContextManager[int]]) -> None:
    """It is tried for some seconds, which end before a begin has taken too long."""
    now = asyncio.get_running_loop().time
    started = now()
    with make_port() as port:
        dsn = f"postgresql://{USERNAME}:{PASSWORD}@127.0.0.1:{port}/{PASSWORD}"
        error = await failure_of(PostgresJournal(dsn, scope="s", hash_key=HASH_KEY).__aenter__())
    assert isinstance(error, JournalError)
    assert error.outcome is Outcome.NOT_SENT
    assert "cannot be opened (" in str(error)
    assert 3 < now() - started < LONGEST_BEGIN - 2
    assert_silent(error)
