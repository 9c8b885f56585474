"""Nothing shows of a request for a token either, whatever its answer."""

from __future__ import annotations

import io

import pytest
from payamak.smsir import PayamakError
from support.failures import failure_of
from support.gateways.smsir import SMSIR
from support.raw_server import RawServer, hang
from support.sentinels import PASSWORD, USERNAME, assert_silent, texts_of
from support.telling import FAULTS, run
from support.trackers import find_leaks

pytestmark = pytest.mark.usefixtures("nothing_shows")
ANSWERS = {**FAULTS, **SMSIR.echoes}


@pytest.mark.parametrize("fault", [name for name in ANSWERS if name != "success"])
async def test_nothing_shows_when_there_is_no_token_because_the_server(fault: str) -> None:
    async with RawServer(ANSWERS[fault]) as server, SMSIR.connect(server.url, token_store=None) as client:
        assert isinstance(await run(client, lambda c: c.authenticate()), PayamakError)
        for call in (SMSIR.send, SMSIR.calls["account"]):
            assert isinstance(await run(client, call.run), PayamakError)


async def test_nothing_shows_of_asking_for_a_token() -> None:
    async with RawServer(ANSWERS["success"]) as server, SMSIR.connect(server.url, token_store=None) as client:
        assert await run(client, lambda c: c.authenticate()) is None
        assert await run(client, SMSIR.calls["account"].run) is None


class Torn(io.BytesIO):
    """A file of the user's that cannot be read to its end."""

    def __init__(self, error: Exception) -> None:
        super().__init__(b"x" * 1_000_000)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise self._error
        return super().read(size)


@pytest.mark.parametrize("error", [OSError(5, "the disk"), ValueError("the user's own")], ids=repr)
async def test_nothing_shows_of_a_proxy_when_a_file_cannot_be_read(error: Exception) -> None:
    """aiohttp itself would show the URL, or the proxy with its password."""
    async with RawServer(hang) as server:
        proxy = f"http://{USERNAME}:{PASSWORD}@127.0.0.1:{server.port}"
        async with SMSIR.connect("http://127.0.0.1:9/users/v1/", proxy=proxy) as client:
            failure = await failure_of(client.contacts.upload_excel(7, Torn(error), file_name="a.xlsx"))
    assert failure.__cause__ is error
    assert_silent(failure)
    assert "127.0.0.1" not in "".join(texts_of(failure))
    assert find_leaks(failure) == []
