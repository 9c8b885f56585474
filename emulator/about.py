"""Texts for a person: the page at `/` and what the command prints."""

from __future__ import annotations

from collections.abc import Iterable

from .gateway import Gateway

_CONTROL = """\
Control, JSON under {url}/emulator/

  GET  messages            what was sent; ?gateway= &recipient=
  POST inbox               {{"gateway", "sender", "line", "text", "received_at"?, "read"?}}
  GET  contacts            phone books, with record ids
  GET  requests            every request to a gateway, with the fault that befell it
  POST faults              {{"kind", "times"?, "gateway"?, "path"?, ...}}; GET lists, DELETE clears
  POST clock               {{"advance": seconds}} or {{"set": ISO time with a zone}}; GET shows
  POST switches            {{gateway: {{name: value}}}}, such as {{"ghasedak": {{"voice_reply": "ids"}}}}; GET shows
  POST account             {{"gateway", name: value}}, such as {{"gateway": "smsir", "credit": 1000}}; GET shows
  POST actions             {{"gateway", "action", ...}}, such as {{"gateway": "smsir", "action": "revoke_tokens"}}
  POST reset               back to a fresh start; {{"seed"?}} of the dice for faults with a probability
"""


def start_page(url: str, gateways: Iterable[Gateway]) -> str:
    """The plain page at `/`."""
    head = "payamak emulator: a local stand-in for Iranian SMS gateways. No message leaves this machine.\n"
    return "\n".join([head, *(gateway.describe(url) for gateway in gateways), _CONTROL.format(url=url)])


def start_lines(url: str, gateways: Iterable[Gateway]) -> str:
    """What the command prints before its ready line."""
    return "\n".join([*(gateway.summary(url) for gateway in gateways), f"control   {url}/emulator/"])
