"""`Emulator`: the server on its socket, and the handle that tests hold on everything inside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from aiohttp import web
from yarl import URL

from . import assets
from .about import start_page
from .advgateway import AdvGateway
from .clock import Clock
from .control import CONTROL_PREFIX, Control
from .exchange import Exchange, RequestRecord
from .faults import Fault, FaultQueue
from .gateway import Gateway
from .ghasedak import GhasedakGateway
from .ledger import InboxMessage, Ledger, Message
from .live import EVENTS_PATH, Live
from .opgateway import OpGateway
from .smsir import SmsIrGateway
from .texts import replace_halves
from .uploads import MAX_BODY
from .visitors import Visitors, is_loopback

log = logging.getLogger("payamak.emulator")

DEFAULT_HOST = "127.0.0.1"
DEFAULT_MAX_MESSAGES = 100_000
# All addresses of this machine can be listened on; a client needs one.
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_BACKLOG = 1024
# Handlers end by themselves when the emulator stops; this is for a client that does not take its answer.
_SHUTDOWN_SECONDS = 0.2
_IDLE_SECONDS = 75.0
"""How long a connection may be open without a whole head of a request."""
_ANY_HOST = (
    "payamak emulator: --allow-remote answers under every host name, so that any web page that a browser near it opens"
    " can read and drive it (DNS rebinding); --allowed-host NAME answers under that name alone"
)
# An answer is the vendor's own, with texts of strangers unescaped in it. A browser is to run nothing of it, nor to
# guess that it is something to run.
_HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


class Emulator:
    """A local stand-in for the gateways, on a real socket.

        async with Emulator() as emulator:
            client = SomeClient(base_url=emulator.ghasedak_url, api_key="emulator-key")

    Args:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        allow_remote: permit a host that other machines can reach. Without `allowed_hosts`, requests are then answered
            whatever host they name, so that a page in a browser of your network can drive the emulator, by a name of
            its own that it makes point here (DNS rebinding); a warning in the log says so.
        allowed_hosts: names or addresses, without a port, under which other machines reach it. Permits such a host,
            and requests that name any other are refused, unless it means this machine.
        seed: of the dice for faults with a probability.
        max_messages: how many messages and requests are kept; the oldest are dropped. None keeps all.

    Attributes:
        clock: the time everything goes by; `clock.advance(seconds)` moves messages on.
        ghasedak: account, switches, templates and phone book of the Ghasedak gateway.
        smsir: account, switches, tokens, phone book, batches and tickets of the sms.ir gateway.
        opgateway: account, switches, phone books and users of the op-driven gateway.
        advgateway: account and switches of the "advanced" gateway, SOAP and REST.
        requests: the requests to the gateways, oldest first. Beyond `max_messages` the oldest may be gone.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = 0,
        *,
        allow_remote: bool = False,
        allowed_hosts: Collection[str] = (),
        seed: int = 0,
        max_messages: int | None = DEFAULT_MAX_MESSAGES,
    ) -> None:
        self._visitors = Visitors(allow_remote=allow_remote, allowed_hosts=allowed_hosts)
        if not self._visitors.may_be_remote and not is_loopback(host):
            raise ValueError(
                f"{host} is not a loopback address: other machines could reach it. To let them in, say under which"
                " names: --allowed-host NAME, allowed_hosts=[…]; or let in any, by --allow-remote, allow_remote=True"
            )
        if max_messages is not None and max_messages < 1:
            raise ValueError("max_messages must be 1 or more, or None to keep all")
        self.clock = Clock()
        self.requests: list[RequestRecord] = []
        self._max_messages = max_messages
        self._ledger = Ledger(max_messages)
        self._faults = FaultQueue(seed)
        self.ghasedak = GhasedakGateway(self.clock, self._ledger)
        self.smsir = SmsIrGateway(self.clock, self._ledger)
        self.opgateway = OpGateway(self.clock, self._ledger)
        self.advgateway = AdvGateway(self.clock, self._ledger)
        gateways = (self.ghasedak, self.smsir, self.opgateway, self.advgateway)
        self._gateways: dict[str, Gateway] = {gateway.name: gateway for gateway in gateways}
        # localhost may stand for two addresses, and a free port would be another one on each.
        self._host = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
        self._wanted_port = port
        self._port: int | None = None
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._control = Control(self)
        self._live = Live(self.clock, self._ledger, self._faults)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        if self._runner is not None:
            raise RuntimeError("the emulator is already running")
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(_make_harmless)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, keepalive_timeout=_IDLE_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._wanted_port, backlog=_BACKLOG).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        if self._visitors.any_host:
            log.warning(_ANY_HOST)

    async def stop(self) -> None:
        """Close every connection and stop listening; requests that still wait are cut off. May be called twice."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._stopping.set()
        for site in list(runner.sites):
            await site.stop()
        server = runner.server
        transports = [handler.transport for handler in server.connections] if server is not None else []
        await runner.cleanup()
        for transport in transports:
            # A closed transport keeps its socket until the client has taken what is left, which may be never.
            if transport is not None:
                transport.abort()
        # asyncio closes a transport's socket in the iteration after the one that asked for it.
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end, as clients on this machine reach it."""
        if self._port is None:
            raise RuntimeError("the emulator has not been started")
        host = _LOOPBACK_OF.get(self._host, self._host)
        return str(URL.build(scheme="http", host=host, port=self._port)).rstrip("/")

    @property
    def allows_remote(self) -> bool:
        """Whether it takes what comes from other machines."""
        return self._visitors.may_be_remote

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The names under which alone other machines are answered; empty where any name will do, or none."""
        return self._visitors.allowed_hosts

    @property
    def ghasedak_url(self) -> str:
        """Base URL of the Ghasedak gateway."""
        return f"{self.url}{self.ghasedak.prefixes[0]}"

    @property
    def smsir_url(self) -> str:
        """Base URL of the sms.ir gateway."""
        return f"{self.url}{self.smsir.prefixes[0]}"

    @property
    def opgateway_url(self) -> str:
        """The one address of the op-driven gateway."""
        return f"{self.url}{self.opgateway.prefixes[0]}"

    @property
    def advgateway_url(self) -> str:
        """Address of the "advanced" gateway's SOAP server; with `?wsdl` that of its description."""
        return f"{self.url}{self.advgateway.prefixes[0]}"

    @property
    def advgateway_rest_url(self) -> str:
        """Base URL of the "advanced" gateway's REST service."""
        return f"{self.url}{self.advgateway.prefixes[1]}"

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """All gateways by name."""
        return self._gateways

    @property
    def connections(self) -> int:
        """Client connections that are open at this moment."""
        server = self._runner.server if self._runner is not None else None
        if server is None:
            return 0
        transports = [handler.transport for handler in server.connections]
        return sum(transport is not None and not transport.is_closing() for transport in transports)

    @property
    def faults(self) -> list[dict[str, object]]:
        """Faults that are still to come, in order."""
        return self._faults.to_list()

    def messages(self, gateway: str | None = None, recipient: str | None = None) -> list[Message]:
        """Messages that the gateways accepted, oldest first; the newest `max_messages` of them."""
        if gateway is not None:
            self.gateway(gateway)
        return self._ledger.messages(gateway, recipient)

    @property
    def messages_dropped(self) -> int:
        """How many messages were dropped since the last reset because there were more than `max_messages`."""
        return self._ledger.dropped

    def gateway(self, name: str) -> Gateway:
        """A gateway by name. Raises ValueError for an unknown one."""
        if name not in self._gateways:
            raise ValueError(f"gateway must be one of {', '.join(self._gateways)}")
        return self._gateways[name]

    def add_fault(self, fault: Fault) -> None:
        """Order a fault for the next requests that match it."""
        if fault.gateway is not None:
            self.gateway(fault.gateway)
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """Drop the faults that are still to come."""
        self._faults.clear()

    def add_inbox_message(
        self,
        *,
        gateway: str,
        sender: str,
        line: str,
        text: str,
        received_at: datetime | None = None,
        read: bool = False,
    ) -> InboxMessage:
        """Let a message arrive at a line of the account; now, unless a time (with a zone) is given."""
        if received_at is not None and received_at.tzinfo is None:
            raise ValueError("received_at must be a time with a zone")
        chosen = self.gateway(gateway)
        return chosen.add_inbox_message(sender=sender, line=line, text=text, received_at=received_at, read=read)

    def reset(self, *, seed: int | None = None) -> None:
        """Back to a fresh start: messages, inbox, contacts, credit, switches, faults, records and the clock.

        Args:
            seed: of the dice from now on; they begin anew in any case.
        """
        self.clock.reset()
        self._ledger.clear()
        self._faults.reset(seed)
        self.requests.clear()
        for gateway in self._gateways.values():
            gateway.reset()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        refusal = self._visitors.refusal(request)
        if refusal is not None:
            return web.Response(status=403, text=refusal)
        path = request.path
        if path == "/":
            if assets.wants_page(request):
                return assets.page()
            return web.Response(
                text=start_page(_address_of(request), self._gateways.values()), headers={"Vary": "Accept"}
            )
        if f"{path}/".startswith(CONTROL_PREFIX):
            return await self._serve_control(request)
        for gateway in self._gateways.values():
            if gateway.owns(path):
                return await self._serve_gateway(request, gateway)
        return web.Response(status=404, text=f"Nothing lives here; see {_address_of(request)}/\n")

    async def _serve_control(self, request: web.Request) -> web.StreamResponse:
        if (asset := assets.find(request.path)) is not None:
            return asset
        if request.path == EVENTS_PATH:
            return await self._live.stream(request, self._stopping)
        return await self._control.handle(request)

    async def _serve_gateway(self, request: web.Request, gateway: Gateway) -> web.StreamResponse:
        record = RequestRecord(gateway.name, request.method, replace_halves(request.path), self.clock.now())
        self._keep(record)
        fault = self._faults.take(gateway.name, request.path)
        return await Exchange(request, gateway, record, self._stopping).run(fault)

    def _keep(self, record: RequestRecord) -> None:
        self.requests.append(record)
        limit = self._max_messages
        # Not one by one, for what stands behind has to move.
        if limit is not None and len(self.requests) > limit + max(limit // 8, 1):
            del self.requests[:-limit]


async def _make_harmless(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HARMLESS.items():
        response.headers.setdefault(name, value)


def _address_of(request: web.Request) -> str:
    """This emulator's address as the one who asks has it."""
    return f"http://{request.host}"
