"""Servers that give back everything secret, and what becomes of a call to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from support.raw_server import (
    Behaviour,
    Exchange,
    answer,
    bytes_then_close,
    close_read,
    close_unread,
    http,
    reset_read,
)
from support.sentinels import ECHO, KEY, PHONE, TEXT, assert_all_silent, assert_silent
from support.shapes import is_list

ECHOED = ECHO.encode()
HEAD = b"HTTP/1.1 200 OK\r\n"


async def run(
    client: Any, call: Callable[[Any], Awaitable[Any]], *, shows_titles: bool = False
) -> BaseException | None:
    """Run it, look at all that comes of it, and return its error."""
    try:
        result = await call(client)
    except Exception as error:
        assert_silent(error)
        return error
    for entry in result if is_list(result) else []:
        if isinstance(refusal := getattr(entry, "error", None), Exception):
            assert_silent(refusal)
    shown: list[Any] = [None if shows_titles else result, client, client._session, getattr(client, "_tokens", None)]
    assert_all_silent(shown)
    return None


async def echo_the_request(exchange: Exchange) -> None:
    request = await exchange.read()
    told = request.body[:500].decode("latin-1").replace("\r", " ").replace("\n", " ")
    await exchange.write(http(b"<html>" + repr(request).encode() + request.body, 500, {"X-Echo": told}))


FAULTS: dict[str, Behaviour] = {
    "closes unread": close_unread,
    "closes": close_read,
    "resets": reset_read,
    "half a status line": bytes_then_close(b"HTTP/1.1 200 " + ECHOED),
    "half the headers": bytes_then_close(HEAD + b"X-Echo: " + ECHOED + b"\r\nX-"),
    "half the headers after a reason": bytes_then_close(b"HTTP/1.1 200 " + ECHOED + b"\r\nX-Echo: 1\r\nX"),
    "cut body": bytes_then_close(http(ECHOED)[:-3]),
    "cut body behind telling headers": bytes_then_close(http(ECHOED, headers={"X-Echo": ECHO})[:-3]),
    "bad chunk": bytes_then_close(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + ECHOED + b"\r\n"),
    "bad gzip": answer(ECHOED, headers={"Content-Encoding": "gzip"}),
    "unknown encoding": answer(ECHOED, headers={"Content-Encoding": KEY}),
    "not HTTP": bytes_then_close(ECHOED + b"\r\n\r\n"),
    "bad header": bytes_then_close(HEAD + ECHOED + b"\r\n\r\n"),
    "long header": answer(b"{}", headers={"X-Long": ECHO * 200}),
    "bad length": bytes_then_close(HEAD + b"Content-Length: " + ECHOED + b"\r\n\r\n"),
    "HTML": answer(ECHOED, headers={"Content-Type": "text/html"}),
    "bad charset": answer(b"\xff" + ECHOED, headers={"Content-Type": f"application/json; charset={KEY}"}),
    "echo": echo_the_request,
    "redirect": answer(ECHOED, 302, {"Location": f"http://127.0.0.1:9/?{KEY}&{PHONE}"}),
    "bad redirect": answer(b"", 302, {"Location": f"http://{KEY}:{PHONE}@[:{TEXT}"}),
    "cookie": answer(b"", 500, {"Set-Cookie": f"a={KEY}; domain={PHONE}; expires={TEXT}"}),
    "retry after": answer(b"", 429, {"Retry-After": ECHO, "Date": ECHO}),
    "object": answer(f'{{"{ECHO}": "{ECHO}"}}'.encode()),
    "half JSON": answer(f'{{"{ECHO}": "{ECHO}'.encode()),
    "half a list": answer(f'[0, "{ECHO}'.encode()),
}
