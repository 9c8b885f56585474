"""Which base URLs a client takes."""

from __future__ import annotations

import pytest
from payamak.common import InvalidArgumentError, Outcome, PayamakError
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, failure_of, make_client, send
from support.raw_server import RawServer, accept


@pytest.mark.parametrize(
    "url",
    [
        "https://api.ghasedak.me/v2/",
        "https://api.ghasedak.me",
        "https://[::1]:8443/v2/",
        "http://127.0.0.1:8650/v2/",
        "http://127.8.9.1/",
        "http://[::1]:8650/",
        "http://localhost:8650/v2/",
        "HTTPS://API.GHASEDAK.ME/v2/",
    ],
)
def test_accepted(url: str) -> None:
    GhasedakClient(KEY, base_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.ghasedak.me/v2/",
        "//api.ghasedak.me/v2/",
        "https://",
        "https:///v2/",
        "ftp://api.ghasedak.me/",
        "file:///etc/passwd",
        "https://user@api.ghasedak.me/",
        "https://user:password@api.ghasedak.me/",
        "https://:password@api.ghasedak.me/",
        "https://api.ghasedak.me/?apikey=1",
        "https://api.ghasedak.me/v2/#here",
        "https://api.ghasedak.me:port/",
        "https://api.ghasedak.me:99999/",
        "https://[::1/",
        "http://api.ghasedak.me/v2/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://localhost.example.com/",
        "http://localhost.:8650/",
        "http://emulator.localhost/",
        "http://127.0.0.1.example.com/",
        "http://2130706433/",
        None,
        b"https://api.ghasedak.me/",
        7,
    ],
)
def test_refused(url: object) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url") as caught:
        GhasedakClient(KEY, base_url=url)  # type: ignore[arg-type]
    assert caught.value.argument == "base_url"
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("host", ["10.0.0.1", "emulator.localhost"])
def test_http_elsewhere_needs_permission(host: str) -> None:
    GhasedakClient(KEY, base_url=f"http://{host}/v2/", allow_http=True)
    with pytest.raises(InvalidArgumentError, match="allow_http"):
        GhasedakClient(KEY, base_url=f"http://{host}/v2/")


@pytest.mark.parametrize("ending", ["", "/"])
async def test_the_last_slash_may_be_left_out(ending: str) -> None:
    async with (
        RawServer(accept(70001)) as server,
        make_client(f"http://127.0.0.1:{server.port}/deep/v2{ending}") as client,
    ):
        await send(client)
        assert server.requests[0].target == "/deep/v2/sms/send/simple"


async def test_a_host_alone_will_do() -> None:
    """Without the slash the path would become part of the host, and the key would travel to that host."""
    async with RawServer(accept(70001)) as server, make_client(f"http://localhost:{server.port}") as client:
        await send(client)
        assert server.requests[0].target == "/sms/send/simple"


@pytest.mark.parametrize("host", ["api..ghasedak.me", "a" * 70 + ".me", ".ghasedak.me", "x" * 300])
async def test_a_host_that_cannot_be_a_name_never_leads_to_an_unknown_outcome(host: str) -> None:
    async def attempt() -> None:
        async with make_client(f"https://{host}/v2/") as client:
            await send(client)

    error: PayamakError = await failure_of(attempt())
    assert error.outcome is Outcome.NOT_SENT
