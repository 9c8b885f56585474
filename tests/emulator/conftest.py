"""What the emulator's tests share. They speak plain HTTP and raw sockets, never through a client of this project."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest_asyncio
from attrs import define, frozen
from payamak.emulator import Emulator
from support.clock import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]

KEY = "emulator-key"

SMSIR_METHODS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "smsir_methods.json").read_text(encoding="utf-8")
)
SMSIR_PATHS = {method["name"]: method["path"] for method in SMSIR_METHODS}
SMSIR_VERBS = {method["name"]: method["verb"] for method in SMSIR_METHODS}
SMSIR_TOKEN = "x-sms-ir-secure-token"
SMSIR_KEYS = {"UserApiKey": "emulator-key", "SecretKey": "emulator-secret"}


@frozen
class Reply:
    """A reply that was JSON."""

    http: int
    body: Any

    @property
    def code(self) -> int:
        return int(self.body["result"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["result"]["message"])

    @property
    def items(self) -> Any:
        return self.body["items"]


class Call(Protocol):
    """Calls a Ghasedak method."""

    async def __call__(
        self, path: str, /, *, method: str = "POST", key: str | None = KEY, **params: object
    ) -> Reply: ...


@frozen
class Answer:
    """A reply of the gateway, read as JSON if it has a body."""

    http: int
    headers: Any
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def ok(self) -> bool:
        return bool(self.body["IsSuccessful"])

    @property
    def code(self) -> int:
        return int(self.body["ErrorCode"])

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@define
class SmsIr:
    """Calls methods by name, with a token that is fetched once."""

    emulator: Emulator
    session: aiohttp.ClientSession
    token: str | None = None

    async def request(self, verb: str, path: str, **arguments: Any) -> Answer:
        headers = {SMSIR_TOKEN: self.token} if self.token else {}
        headers.update(arguments.pop("headers", {}))
        url = self.emulator.smsir_url + path
        async with self.session.request(verb, url, headers=headers, **arguments) as response:
            return Answer(response.status, response.headers, await response.read())

    async def log_in(self, **keys: object) -> Answer:
        answer = await self.request("POST", "Token/GetToken", json={**SMSIR_KEYS, **keys})
        if answer.raw.startswith(b"{") and answer.body.get("TokenKey"):
            self.token = answer["TokenKey"]
        return answer

    async def __call__(self, name: str, /, **parameters: Any) -> Answer:
        if self.token is None:
            await self.log_in()
        where = "json" if SMSIR_VERBS[name] == "POST" else "params"
        return await self.request(SMSIR_VERBS[name], SMSIR_PATHS[name], **{where: parameters})

    async def upload(
        self, name: str, /, file: tuple[str, bytes] | None = None, *, part: str = "File", **form: str
    ) -> Answer:
        """A call with form fields and perhaps a file."""
        data = aiohttp.FormData(default_to_multipart=True)
        for key, value in form.items():
            data.add_field(key, value)
        if file is not None:
            data.add_field(part, io.BytesIO(file[1]), filename=file[0], content_type="application/octet-stream")
        if self.token is None:
            await self.log_in()
        return await self.request("POST", SMSIR_PATHS[name], data=data)

    async def group(self, name: str = "گروه", *mobiles: str) -> int:
        """A group, with contacts that need not wait."""
        group_id = (await self("AddOrUpdateContactGroup", GroupId=0, GroupName=name))["GroupId"]
        for mobile in mobiles:
            self.emulator.smsir.phone_book.add_contact(group_id, mobile)
        return int(group_id)

    async def relations(self) -> dict[str, int]:
        """Relation ids by number."""
        items = (await self("GetContactsByPageId"))["ContactDetails"]
        return {item["Mobile"]: item["ContactRelationId"] for item in items}


Control = Callable[..., Awaitable[Reply]]
Raw = Callable[[bytes], Awaitable[bytes]]


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture
async def call(emulator: Emulator, session: aiohttp.ClientSession) -> Call:
    async def run(path: str, /, *, method: str = "POST", key: str | None = KEY, **params: object) -> Reply:
        headers = {} if key is None else {"apikey": key}
        fields = {name: str(value) for name, value in params.items()}
        where: Any = {"params": fields} if method == "GET" else {"data": fields}
        url = emulator.ghasedak_url + path
        async with session.request(method, url, headers=headers, **where) as response:
            assert response.content_type == "application/json"
            return Reply(response.status, json.loads(await response.read()))

    return run


@pytest_asyncio.fixture
async def control(emulator: Emulator, session: aiohttp.ClientSession) -> Control:
    async def run(method: str, path: str, body: object = None, *, data: bytes | None = None) -> Reply:
        content: Any = {"data": data} if data is not None else {} if body is None else {"json": body}
        async with session.request(method, f"{emulator.url}/emulator/{path}", **content) as response:
            return Reply(response.status, json.loads(await response.read()))

    return run


@pytest_asyncio.fixture
async def raw(emulator: Emulator) -> Raw:
    """Send bytes, return all bytes until the server closes. A reset raises ConnectionResetError."""

    async def run(request: bytes) -> bytes:
        host, port = emulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    return run


@pytest_asyncio.fixture
async def send(call: Call) -> Callable[..., Awaitable[int]]:
    """Send one message and return its id."""

    async def run(receptor: str = "09121111111", **params: Any) -> int:
        reply = await call("sms/send/simple", **{"message": "test", **params}, receptor=receptor)
        assert reply.http == 200, reply.body
        return int(reply.items[0])

    return run


@pytest_asyncio.fixture
async def smsir(emulator: Emulator, session: aiohttp.ClientSession) -> SmsIr:
    """Calls methods of the sms.ir gateway by name."""
    return SmsIr(emulator, session)
