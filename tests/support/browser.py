"""The emulator's page as the tests look at it, and the clients that send to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import Factory, define
from payamak.advgateway import AdvGatewayClient, Transport
from payamak.emulator import Emulator
from payamak.ghasedak import GhasedakClient
from payamak.opgateway import OpGatewayClient
from payamak.smsir import SmsIrClient
from playwright.async_api import ConsoleMessage, Locator, Page


@define
class Look:
    """The page as somebody sees it, and what went wrong behind it."""

    page: Page
    url: str
    problems: list[str] = Factory(list[str])

    @property
    def rows(self) -> Locator:
        return self.page.locator("#feed > li")

    @property
    def live(self) -> Locator:
        return self.page.locator("#link[data-link=live]")

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text)

    async def open(self) -> None:
        await self.page.goto(self.url)
        await self.live.wait_for()
        await self.page.locator("#reply select[name=line] option").first.wait_for(state="attached")

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)


class Send(Protocol):
    """Sends a text through a client of this project."""

    async def __call__(self, text: str, gateway: str = ..., number: str = ...) -> None: ...


async def _ghasedak(emulator: Emulator, text: str, number: str) -> None:
    async with GhasedakClient("emulator-key", base_url=emulator.ghasedak_url) as client:
        await client.send(number, text, sender=emulator.ghasedak.account.lines[0])


async def _smsir(emulator: Emulator, text: str, number: str) -> None:
    emulator.smsir.phone_book.add_contact(emulator.smsir.phone_book.add_group("g").id, number)
    async with SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url) as client:
        await client.messages.send_to_numbers(number, text)


async def _opgateway(emulator: Emulator, text: str, number: str) -> None:
    async with OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url) as client:
        await client.send(number, text, sender=emulator.opgateway.account.lines[0])


async def _soap(emulator: Emulator, text: str, number: str) -> None:
    async with AdvGatewayClient("emulator", "emulator", base_url=emulator.advgateway_url) as client:
        await client.send(number, text, sender=emulator.advgateway.account.lines[0])


async def _rest(emulator: Emulator, text: str, number: str) -> None:
    url = emulator.advgateway_rest_url
    async with AdvGatewayClient("emulator", "emulator", base_url=url, transport=Transport.REST) as client:
        await client.send(number, text, sender=emulator.advgateway.account.lines[0])


SENDERS: dict[str, Callable[[Emulator, str, str], Awaitable[None]]] = {
    "ghasedak": _ghasedak,
    "smsir": _smsir,
    "opgateway": _opgateway,
    "advgateway": _soap,
    "advgateway over REST": _rest,
}
