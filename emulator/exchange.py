"""One request to a gateway, answered properly or with the fault ordered for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import cast

from aiohttp import web
from attrs import define
from multidict import CIMultiDict, CIMultiDictProxy

from .faults import KINDS, Fault
from .gateway import Gateway, GatewayRequest, Refusal, Reply
from .texts import replace_halves
from .uploads import read_parts, reading_time

# Linger on, for no time at all: closing then sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CLIENT_CHECK_INTERVAL = 0.05
_STREAM_CHUNK = 64 * 1024


@define(eq=False)
class RequestRecord:
    """One request to a gateway, as seen at the server.

    `processed` tells whether the gateway was given the request (it may still have refused it); `status` is the HTTP
    status sent, or None if the client got none.
    """

    gateway: str
    method: str
    path: str
    arrived_at: datetime
    processed: bool = False
    fault: str | None = None
    status: int | None = None

    def to_dict(self) -> dict[str, object]:
        """What the control interface shows."""
        return {
            "gateway": self.gateway,
            "method": self.method,
            "path": self.path,
            "arrived_at": self.arrived_at.isoformat(),
            "processed": self.processed,
            "fault": self.fault,
            "status": self.status,
        }


class EmulatorStoppingError(Exception):
    """The emulator stops while a request waits; the request's connection is closed."""


class Exchange:
    """Reads, processes and answers one request."""

    def __init__(self, request: web.Request, gateway: Gateway, record: RequestRecord, stopping: asyncio.Event) -> None:
        self._request = request
        self._gateway = gateway
        self._record = record
        self._stopping = stopping

    async def run(self, fault: Fault | None) -> web.StreamResponse:
        """Answer; the response of a broken connection is one that aiohttp finds it cannot send."""
        try:
            if fault is None:
                return self._answer(await self._process())
            self._record.fault = fault.kind
            return await _EFFECTS[fault.kind](self, fault)
        except (ConnectionError, EmulatorStoppingError, TimeoutError, web.RequestPayloadError):
            return self._close()

    async def _read(self) -> GatewayRequest:
        request = self._request
        body, parts = b"", None
        async with reading_time():
            if self._gateway.takes_files and request.content_type == "multipart/form-data":
                parts = await read_parts(request)
            else:
                body = await request.read()
        _, _, query = request.raw_path.partition("?")
        path = replace_halves(request.path)
        headers = CIMultiDict((name, replace_halves(value)) for name, value in request.headers.items())
        return GatewayRequest(request.method, path, replace_halves(query), CIMultiDictProxy(headers), body, parts)

    async def _process(self) -> Reply:
        request = await self._read()
        self._record.processed = True
        return self._gateway.handle(request)

    async def _process_if(self, wanted: bool | None) -> GatewayRequest:
        request = await self._read()
        if wanted:
            self._record.processed = True
            self._gateway.handle(request)
        return request

    def _answer(self, reply: Reply) -> web.Response:
        self._record.status = reply.status
        headers = reply.headers.copy()
        headers["Content-Type"] = reply.content_type
        return web.Response(status=reply.status, body=reply.body, headers=headers)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
        raise EmulatorStoppingError

    def _close(self) -> web.Response:
        if self._request.transport is not None:
            self._request.transport.close()
        return web.Response()

    def _reset(self) -> web.Response:
        transport = self._request.transport
        if transport is not None:
            connection = cast("socket.socket | None", transport.get_extra_info("socket"))
            if connection is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        return web.Response()

    async def delay(self, fault: Fault) -> web.StreamResponse:
        """Wait, then process and answer."""
        # Read first: a client that gives up meanwhile has still sent its request, and it is still carried out.
        request = await self._read()
        await self._pause(fault.seconds or 0)
        self._record.processed = True
        return self._answer(self._gateway.handle(request))

    async def delay_after(self, fault: Fault) -> web.StreamResponse:
        """Process, wait, then answer."""
        reply = await self._process()
        await self._pause(fault.seconds or 0)
        return self._answer(reply)

    async def drop_before_read(self, _fault: Fault) -> web.StreamResponse:
        """Close at once."""
        return self._close()

    async def reset_before_read(self, _fault: Fault) -> web.StreamResponse:
        """Reset the connection at once."""
        return self._reset()

    async def drop_unprocessed(self, _fault: Fault) -> web.StreamResponse:
        """Read all and close."""
        await self._read()
        return self._close()

    async def drop_after_read(self, _fault: Fault) -> web.StreamResponse:
        """Process and close."""
        await self._process()
        return self._close()

    async def reset_after_read(self, _fault: Fault) -> web.StreamResponse:
        """Process and reset."""
        await self._process()
        return self._reset()

    async def cut_reply(self, _fault: Fault) -> web.StreamResponse:
        """Process and send half of the body."""
        reply = await self._process()
        response = await self._start(reply, length=len(reply.body))
        await response.write(reply.body[: len(reply.body) // 2])
        return self._close()

    async def wrong_content_type(self, fault: Fault) -> web.StreamResponse:
        """Process and label the answer wrongly."""
        reply = await self._process()
        return self._answer(Reply(reply.status, reply.body, fault.content_type or "", reply.headers))

    async def html(self, fault: Fault) -> web.StreamResponse:
        """Answer with a page for a person."""
        await self._process_if(fault.processed)
        body = f"<html><head><title>{fault.status}</title></head><body><h1>Error {fault.status}</h1></body></html>"
        return self._answer(Reply(fault.status or 0, body.encode(), "text/html; charset=utf-8"))

    async def status(self, fault: Fault) -> web.StreamResponse:
        """Answer with any status."""
        await self._process_if(fault.processed)
        response = self._answer(Reply(fault.status or 0, (fault.body or "").encode(), fault.content_type or ""))
        response.headers.update(fault.headers or {})
        return response

    async def redirect(self, fault: Fault) -> web.StreamResponse:
        """Send the client elsewhere."""
        await self._process_if(fault.processed)
        response = self._answer(Reply(fault.status or 0, b"", "text/plain"))
        response.headers["Location"] = fault.location or ""
        return response

    async def refuse(self, fault: Fault) -> web.StreamResponse:
        """Refuse in the gateway's own words."""
        request = await self._process_if(fault.processed)
        refusal = Refusal(fault.code or 0, fault.message, fault.status, bool(fault.each))
        return self._answer(self._gateway.refuse(request, refusal))

    async def garbage(self, _fault: Fault) -> web.StreamResponse:
        """Process and answer with nonsense."""
        reply = await self._process()
        return self._answer(Reply(200, b'{"result": <garbage', reply.content_type))

    async def empty(self, _fault: Fault) -> web.StreamResponse:
        """Process and answer with nothing."""
        reply = await self._process()
        return self._answer(Reply(200, b"", reply.content_type))

    async def oversized(self, fault: Fault) -> web.StreamResponse:
        """Process and answer with more than anybody should read."""
        reply = await self._process()
        # No Content-Length: only a client that counts while it reads notices. Blanks keep the answer parsable.
        response = await self._start(reply, length=None)
        await response.write(reply.body)
        left = (fault.size or 0) - len(reply.body)
        while left > 0:
            if self._stopping.is_set():
                raise EmulatorStoppingError
            await response.write(b" " * min(left, _STREAM_CHUNK))
            left -= _STREAM_CHUNK
        await response.write_eof()
        return response

    async def bad_gzip(self, _fault: Fault) -> web.StreamResponse:
        """Process and answer with a broken gzip body."""
        reply = await self._process()
        response = self._answer(Reply(200, b"\x1f\x8b\x08\x00 this is no gzip", reply.content_type))
        response.headers["Content-Encoding"] = "gzip"
        return response

    async def hang(self, fault: Fault) -> web.StreamResponse:
        """Never answer."""
        await self._process_if(fault.processed)
        while self._request.transport is not None and not self._request.transport.is_closing():
            await self._pause(_CLIENT_CHECK_INTERVAL)
        return self._close()

    async def _start(self, reply: Reply, *, length: int | None) -> web.StreamResponse:
        headers = reply.headers.copy()
        headers["Content-Type"] = reply.content_type
        response = web.StreamResponse(status=reply.status, headers=headers)
        if length is None:
            response.enable_chunked_encoding()
        else:
            response.content_length = length
        await response.prepare(self._request)
        self._record.status = reply.status
        return response


_Effect = Callable[[Exchange, Fault], Awaitable[web.StreamResponse]]
_EFFECTS: Mapping[str, _Effect] = {kind: getattr(Exchange, kind) for kind in KINDS}
