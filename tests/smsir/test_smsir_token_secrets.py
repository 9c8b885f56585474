"""The keys and the token must never show: in no log record, no exception, no repr."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Iterator

import pytest
from payamak.common import Timeout
from payamak.common.tokens import MemoryTokenStore
from support.sentinels import texts_of
from support.smsir import (
    LIFETIME,
    ONCE,
    REFRESH_MARGIN,
    SECRET_KEY,
    TOKEN,
    USER_API_KEY,
    Answer,
    TokenGateway,
    ask,
    cut,
    drop,
    failure_of,
    hang,
    make_client,
    put_clocks,
    refreshes,
    refuse,
    say,
    send,
    talk_nonsense,
    tokens_of,
    until,
)

SECRETS = (USER_API_KEY, SECRET_KEY, TOKEN)


@pytest.fixture
def nothing_shows(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No log record may hold a token or a key."""
    caplog.set_level(logging.DEBUG)
    for name in ("payamak", "payamak.smsir", "payamak.tokens", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    records = caplog.get_records("call")
    assert any(record.name == "payamak.smsir" for record in records)
    for record in records:
        assert_silent(record.getMessage(), record.args, record.exc_info, record.exc_text)
        if record.exc_info and record.exc_info[1]:
            assert_silent(*texts_of(record.exc_info[1]))


def assert_silent(*shown: object) -> None:
    text = "\n".join(value if isinstance(value, str) else f"{value!r} {value}" for value in shown)
    assert not [secret for secret in SECRETS if secret in text], text


ECHO = " ".join((USER_API_KEY, SECRET_KEY, TOKEN))
TOKEN_FAULTS: dict[str, Answer] = {
    "closes": drop,
    "cuts": cut,
    "hangs": hang,
    "talks nonsense": talk_nonsense,
    "says all it knows": say(ECHO.encode(), 500),
    "says all it knows in an envelope": refuse(ECHO, 500),
    "refuses": refuse(ECHO),
    "refuses by 401": say({"Message": ECHO}, 401),
    "leaks": refuse(f"System.Exception: {ECHO}"),
    "gives a token of another kind": say({"IsSuccessful": True, "TokenKey": [ECHO]}),
    "gives a token that is none": say({"IsSuccessful": True, "TokenKey": f"{TOKEN}\r\n{ECHO}"}),
    "gives half JSON": say(f'{{"TokenKey": "{ECHO}'.encode()),
}


@pytest.mark.usefixtures("nothing_shows")
@pytest.mark.parametrize("fault", TOKEN_FAULTS)
async def test_no_secret_shows_when_a_request_for_a_token(fault: str) -> None:
    timeout = Timeout(total=0.2, attempt=0.05) if fault == "hangs" else Timeout(total=10)
    async with TokenGateway() as gateway, make_client(gateway, timeout=timeout) as client:
        gateway.every_token_answer = TOKEN_FAULTS[fault]
        for error in (await failure_of(client.authenticate()), await failure_of(send(client))):
            assert_silent(*texts_of(error))


@pytest.mark.usefixtures("nothing_shows")
@pytest.mark.parametrize("fault", TOKEN_FAULTS)
async def test_no_secret_shows_when_a_call_with_a_token(fault: str) -> None:
    timeout = Timeout(total=0.2, attempt=0.05) if fault == "hangs" else Timeout(total=10)
    async with TokenGateway() as gateway, make_client(gateway, timeout=timeout) as client:
        await ask(client)
        if fault.startswith("gives a token"):
            gateway.rejection = refuse(ECHO, 401)
            gateway.valid.clear()
            gateway.every_token_answer = TOKEN_FAULTS[fault]
        else:
            gateway.call_answers = [TOKEN_FAULTS[fault]] * 3
        assert_silent(*texts_of(await failure_of(send(client))))


@pytest.mark.usefixtures("nothing_shows")
async def test_no_secret_shows_when_all_goes_well_or_is_cancelled() -> None:
    asyncio.get_running_loop().set_debug(True)
    store = MemoryTokenStore()
    async with TokenGateway() as gateway, make_client(gateway, token_store=store) as client:
        await ask(client)
        gateway.valid.clear()
        await send(client)
        token = await tokens_of(client).get()
        gateway.gate.clear()
        task = asyncio.create_task(client.authenticate())
        await until(lambda: gateway.token_requests == 3)
        assert_silent(refreshes(), task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert_silent(*texts_of(caught.value))
        assert_silent(client, tokens_of(client), store, token, [token], {"token": token}, copy.copy(token))
        assert TOKEN in token.value


@pytest.mark.usefixtures("nothing_shows")
async def test_no_secret_shows_of_a_refresh_behind_that_fails() -> None:
    async with TokenGateway() as gateway, make_client(gateway, retry=ONCE) as client:
        clocks = put_clocks(client)
        await ask(client)
        clocks.advance(LIFETIME - REFRESH_MARGIN)
        gateway.every_token_answer = refuse(ECHO)
        await ask(client)
        await until(lambda: gateway.token_requests == 2 and not refreshes())
