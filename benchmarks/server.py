"""The other end: a raw asyncio protocol with ready-made replies of all four gateways, as cheap as it can be.

It runs in a process of its own, so that only the client's CPU time is counted. Its first line of output is its port.
``GET /stats`` tells what it has counted since the last time, and ``GET /last`` the last body that it got.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import ssl as ssl_module
import sys
from collections.abc import Callable

LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_RECEPTORS = re.compile(rb"(?:^|&)receptor=([^&]*)")
TOKEN = b"the-newest-token"

_GHASEDAK_SEND = b'{"result":{"code":200,"message":"success"},"items":[%s]}'
_SOAP_SEND = (
    b'<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope'
    b' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    b' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/">'
    b'<SOAP-ENV:Body><ns1:SendSMSResponse xmlns:ns1="urn:smsserver"><return><ErrCode xsi:type="xsd:string">0</ErrCode>'
    b'<result xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[1]"><item xsi:type="xsd:string">536221499</item>'
    b"</result></return></ns1:SendSMSResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_SMSIR_TOKEN = b'{"TokenKey":"' + TOKEN + b'","IsSuccessful":true,"Message":""}'
_SMSIR_SEND = (
    b'{"MessageId":17,"Ids":[{"Id":118,"MobileNo":"9121234567"}],"BatchKey":"6f9b","IsSuccessful":true,"Message":"ok"}'
)
_SMSIR_REJECTION = b'{"Message":"Authorization has been denied for this request."}'


def _http(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


class Stats:
    """What was counted since it was last taken."""

    def __init__(self) -> None:
        self.requests = 0
        self.token_requests = 0
        self.connections = 0
        self.most_in_flight = 0

    def take(self) -> bytes:
        """Write the counts as JSON, and begin anew."""
        taken = json.dumps(vars(self)).encode()
        vars(self).update(vars(Stats()))
        return taken


Answer = Callable[[bytes, bytes], bytes]


class Gateway:
    """What to answer, by path. The replies that are always the same are made once."""

    def __init__(self) -> None:
        self.stats = Stats()
        send, soap, op = _http(_GHASEDAK_SEND % b"4401"), _http(_SOAP_SEND), _http(b"[0,12345]")
        rest = _http(b'{"ErrCode":0,"result":["536221499"]}')
        self._token, self._smsir = _http(_SMSIR_TOKEN), _http(_SMSIR_SEND)
        self._rejection = _http(_SMSIR_REJECTION, b"401 Unauthorized")
        self._missing = _http(b"", b"404 Not Found")
        self._last = b""
        self._answers: dict[bytes, Answer] = {
            b"/v2/sms/send/simple": lambda _head, _body: send,
            b"/v2/sms/send/pair": self._send_to_many,
            b"/services.jspd": lambda _head, _body: op,
            b"/server.php": lambda _head, _body: soap,
            b"/restful/sendSms_OneToMany.php": lambda _head, _body: rest,
            b"/users/v1/Token/GetToken": self._issue_token,
            b"/users/v1/Message/SendByMobileNumbers": self._send_smsir,
            b"/stats": lambda _head, _body: _http(self.stats.take()),
            b"/last": lambda _head, _body: _http(self._last),
        }

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The whole answer to a request."""
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        self._last = body or self._last
        answer = self._answers.get(path)
        return self._missing if answer is None else answer(head, body)

    def _send_to_many(self, _head: bytes, body: bytes) -> bytes:
        receptors = _RECEPTORS.search(body)
        count = receptors[1].replace(b"%2C", b",").count(b",") + 1 if receptors else 0
        return _http(_GHASEDAK_SEND % b",".join(b"%d" % number for number in range(4401, 4401 + count)))

    def _issue_token(self, _head: bytes, _body: bytes) -> bytes:
        self.stats.token_requests += 1
        return self._token

    def _send_smsir(self, head: bytes, _body: bytes) -> bytes:
        return self._smsir if TOKEN in head else self._rejection


class Connection(asyncio.Protocol):
    """One connection: requests in, ready-made answers out, after a delay if one is set."""

    def __init__(self, gateway: Gateway, delay: float, in_flight: set[int]) -> None:
        self._gateway = gateway
        self._delay = delay
        self._in_flight = in_flight
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._gateway.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was in flight on it is no more."""
        self._in_flight.discard(id(self))

    def data_received(self, data: bytes) -> None:
        """Answer each request that is here whole."""
        buffer = self._buffer + data
        while (head_end := buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(buffer, 0, head_end)
            end = head_end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < end:
                break
            self._answer(buffer[:head_end], buffer[head_end + 4 : end])
            buffer = buffer[end:]
        self._buffer = buffer

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET "):  # A question of the benchmark's own.
            self._transport.write(self._gateway.answer(head, body))
            return
        stats = self._gateway.stats
        stats.requests += 1
        answer = self._gateway.answer(head, body)
        if not self._delay:
            self._transport.write(answer)
            return
        self._in_flight.add(id(self))
        stats.most_in_flight = max(stats.most_in_flight, len(self._in_flight))
        asyncio.get_running_loop().call_later(self._delay, self._finish, answer)

    def _finish(self, answer: bytes) -> None:
        self._in_flight.discard(id(self))
        self._transport.write(answer)


async def _serve(delay: float, ssl: ssl_module.SSLContext | None) -> None:
    gateway, in_flight = Gateway(), set[int]()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(gateway, delay, in_flight), "127.0.0.1", 0, ssl=ssl, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Who started this process ends it by closing its standard input, also by dying.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until standard input is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0, help="seconds before each answer")
    parser.add_argument("--core", type=int, help="the processor to stay on")
    parser.add_argument("--certificate", help="a file with a certificate and its key, for TLS")
    options = parser.parse_args()
    if sys.platform == "linux" and options.core is not None:
        os.sched_setaffinity(0, {options.core})
    ssl = None
    if options.certificate:
        ssl = ssl_module.SSLContext(ssl_module.PROTOCOL_TLS_SERVER)
        ssl.load_cert_chain(options.certificate)
    asyncio.run(_serve(options.delay, ssl))


if __name__ == "__main__":
    main()
