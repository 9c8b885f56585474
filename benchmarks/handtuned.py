"""What somebody would write who wants the same work done, for one operation, in one function, as cheaply as can be.

The yardstick for the number of function calls: it checks and normalises the arguments, mints an id, keeps the deadlines
and the limit of connections, bounds the answer, tells success from refusal, writes the same log record, and repeats
what may be repeated. What it has not: hooks, other operations, other gateways, a way to change any of it. It encodes
the form with the standard library, whose escaping makes some hundred calls more than this library's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
from urllib.parse import urlencode

import aiohttp
import attrs
import yarl

_log = logging.getLogger("handtuned")
_CLEAN = {
    **{ord(digit): str(value) for value, digit in enumerate("۰۱۲۳۴۵۶۷۸۹")},
    **{ord(digit): str(value) for value, digit in enumerate("٠١٢٣٤٥٦٧٨٩")},
    **dict.fromkeys(map(ord, " \t\r\n\u00a0\u202f-().\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\ufeff")),
}
_MOBILE = re.compile(r"(?:\+98|0098|98|0)?([1-9][0-9]{9})")
_LINE = re.compile(r"(?:\+98)?([0-9]{3,20})")
_LARGEST_REPLY = 8 * 1024 * 1024
_CONNECTIONS = 100


@attrs.frozen
class Result:
    """What became of a message."""

    recipient: str
    message_id: int | None
    error: Exception | None = None


class RefusedError(Exception):
    """The gateway's no."""


class HandTuned:
    """One operation of Ghasedak's service."""

    def __init__(self, api_key: str, base_url: str) -> None:
        self._url = yarl.URL(f"{base_url}sms/send/simple", encoded=True)
        self._headers = {
            "apikey": api_key,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        self._timeout = aiohttp.ClientTimeout(total=None, connect=5)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout
        )
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._session.close()

    async def send(self, to: str, text: str, sender: str) -> Result:
        """Send one text to one number."""
        operation_id = os.urandom(16).hex()
        number, line = _MOBILE.fullmatch(to.translate(_CLEAN)), _LINE.fullmatch(sender.translate(_CLEAN))
        if not number or not line or not text or text.isspace():
            raise ValueError("an argument is wrong")
        text.encode()
        form = urlencode({"message": text, "receptor": "0" + number[1], "linenumber": line[1]}).encode("ascii")
        deadline = asyncio.get_running_loop().time() + 60
        status, body = 0, b""
        for attempt in range(3):
            started = time.perf_counter()
            try:
                async with self._slots:
                    status, body = await self._exchange(form, deadline)
                break
            except aiohttp.ClientConnectorError:
                if attempt == 2:
                    raise
                await asyncio.sleep(0.5)
            finally:
                if _log.isEnabledFor(logging.DEBUG):
                    _log.debug("%d %.0f ms %s", attempt, (time.perf_counter() - started) * 1000, operation_id)
        document = json.loads(body)
        result = document.get("result")
        if result.get("code") != 200 or not 200 <= status < 300:
            raise RefusedError(result.get("message"))
        (item,) = document["items"]
        if not isinstance(item, int) or item <= 1000:
            raise RefusedError(item)
        return Result(to, item)

    async def _exchange(self, form: bytes, deadline: float) -> tuple[int, bytes]:
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + 20)):
            response = await self._session.post(
                self._url, data=form, headers=self._headers, allow_redirects=False, timeout=self._timeout
            )
            try:
                body = b""
                while not response.content.at_eof():
                    body += await response.content.readany()
                    if len(body) > _LARGEST_REPLY:
                        raise RefusedError("the answer is too long")
            except BaseException:
                response.close()
                raise
        return response.status, body
