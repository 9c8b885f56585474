"""Cuts the network while requests are on their way, in a namespace of its own: ``unshare -rn python cut_network.py``.

Each of its clients sends a request while the network is away, and gives up in a way of its own. It prints as JSON which
of the requests arrived when the network was there again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import aiohttp
from payamak.common import HttpSession, PayamakError, Timeout, connector
from payamak.common.session import Request

GIVEN_UP_AFTER = 0.4
AWAY = 2.0
# As long after the first, so that none was merely later.
AFTERWARDS = 1.0

Client: TypeAlias = Callable[[str, int], Coroutine[Any, Any, None]]

SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def switch(*, on: bool) -> None:
    """Switch the only network of this namespace on or off."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP if on else 0))


async def send_by_aiohttp(url: str, go: int) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(GIVEN_UP_AFTER)) as session:
        await (await session.post(url + "warm")).read()
        await asyncio.to_thread(os.read, go, 1)
        with contextlib.suppress(TimeoutError):
            await session.post(url + "aiohttp")
        await asyncio.Event().wait()


def send_by_payamak(name: str, limit: float, unacknowledged: int = 20) -> Client:
    async def send(url: str, go: int) -> None:
        connector._UNACKNOWLEDGED_SECONDS = unacknowledged
        timeout = Timeout(total=None, attempt=limit)
        async with HttpSession() as session:
            await session.send(Request("POST", url + "warm", {}, b""), deadline=None, timeout=timeout)
            await asyncio.to_thread(os.read, go, 1)
            with contextlib.suppress(PayamakError):
                await session.send(Request("POST", url + name, {}, b""), deadline=None, timeout=timeout)
            await asyncio.Event().wait()

    return send


CLIENTS: dict[str, Client] = {
    "aiohttp": send_by_aiohttp,
    "given up": send_by_payamak("given-up", GIVEN_UP_AFTER),
    "killed": send_by_payamak("killed", 60),
    "stopped": send_by_payamak("stopped", 60, unacknowledged=1),
}


def fork(client: Client, url: str, go: int) -> int:
    process = os.fork()
    if process == 0:
        try:
            asyncio.run(client(url, go))
        finally:
            os._exit(1)
    return process


async def serve_and_cut(listener: socket.socket, processes: dict[str, int], go: int) -> list[str]:
    arrivals: asyncio.Queue[str] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                arrivals.put_nowait(head.split()[1].decode().removeprefix("/"))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    # Not closed: that would wait for connections whose end nobody told this side of.
    await asyncio.start_server(serve, sock=listener)
    for _ in processes:
        await arrivals.get()
    switch(on=False)
    os.write(go, b"x" * len(processes))
    await asyncio.sleep(GIVEN_UP_AFTER)
    os.kill(processes["stopped"], signal.SIGSTOP)
    os.kill(processes["killed"], signal.SIGKILL)
    await asyncio.sleep(AWAY - GIVEN_UP_AFTER)
    switch(on=True)
    arrived = [await arrivals.get()]
    while arrived[-1] != "aiohttp":
        arrived.append(await arrivals.get())
    await asyncio.sleep(AFTERWARDS)
    while not arrivals.empty():
        arrived.append(arrivals.get_nowait())
    for process in processes.values():
        os.kill(process, signal.SIGKILL)
    return arrived


def main() -> None:
    switch(on=True)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    await_go, go = os.pipe()
    processes = {name: fork(client, url, await_go) for name, client in CLIENTS.items()}
    print(json.dumps(asyncio.run(serve_and_cut(listener, processes, go))))  # noqa: T201 -- for the test that runs it


if __name__ == "__main__":
    main()
