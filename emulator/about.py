"""Texts for a person: what `/` shows outside a browser, what the command prints, what the page in a browser says."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import attrs

from .examples import EXAMPLES
from .faults import KINDS, describe_kinds
from .gateway import Gateway

_CONTROL = """\
Control, JSON under {url}/emulator/

  GET  events              what was sent and how it fares, live: server-sent events
  GET  messages            what was sent, the newest 10,000; ?gateway= &recipient= &limit= &before=
  POST inbox               {{"gateway", "sender", "line", "text", "received_at"?, "read"?}}
  GET  contacts            phone books, with record ids
  GET  requests            the requests to the gateways, with the faults that befell them; ?limit=
  POST faults              {{"kind", "times"?, "gateway"?, "path"?, ...}}; GET lists, DELETE clears
  POST clock               {{"advance": seconds}} or {{"set": ISO time with a zone}}; GET shows
  POST switches            {{gateway: {{name: value}}}}, such as {{"ghasedak": {{"voice_reply": "ids"}}}}; GET shows
  POST account             {{"gateway", name: value}}, such as {{"gateway": "smsir", "credit": 1000}}; GET shows
  POST actions             {{"gateway", "action", ...}}, such as {{"gateway": "smsir", "action": "revoke_tokens"}}
  POST reset               back to a fresh start; {{"seed"?}} of the dice for faults with a probability
"""


_FAULTS = """\
Faults, which `POST faults` under /emulator/ and Emulator.add_fault order for the next requests that match.
"Processed" means that the gateway did what was asked although the client is not told so.

"""


def command_help(url: str, gateways: Iterable[Gateway]) -> str:
    """What `--help` of the command tells beside its options."""
    width = max(map(len, KINDS))
    kinds = "".join(f"    {name:<{width}}  {kind.meaning}\n" for name, kind in KINDS.items())
    return "\n".join([*(gateway.describe(url) for gateway in gateways), _FAULTS + kinds])


def start_page(url: str, gateways: Iterable[Gateway]) -> str:
    """The plain text at `/`."""
    head = "payamak emulator: a local stand-in for Iranian SMS gateways. No message leaves this machine.\n"
    return "\n".join([head, *(gateway.describe(url) for gateway in gateways), _CONTROL.format(url=url)])


def start_lines(url: str, gateways: Iterable[Gateway]) -> str:
    """What the command prints before its ready line."""
    return "\n".join([*(gateway.summary(url) for gateway in gateways), f"control   {url}/emulator/"])


def remote_line(allowed_hosts: Collection[str]) -> str:
    """What the command prints where other machines are let in."""
    where = f"as {', '.join(sorted(allowed_hosts))}" if allowed_hosts else "at any other name of this machine"
    return f"remote    {where}; clients need allow_http=True there"


def page_facts(url: str, gateways: Iterable[Gateway]) -> dict[str, object]:
    """What the page in a browser cannot know by itself."""
    return {
        "url": url,
        "gateways": [_gateway_facts(url, gateway) for gateway in gateways],
        "faults": describe_kinds(),
    }


def _gateway_facts(url: str, gateway: Gateway) -> dict[str, object]:
    account = attrs.asdict(gateway.settings["account"])
    # Only a gateway with lines of the account's own can receive.
    lines = list(account.get("lines", ()))
    examples = EXAMPLES.get(gateway.name, ())
    values = {**account, "url": url, "line": lines[0] if lines else ""}
    return {
        "name": gateway.name,
        "lines": lines,
        "about": gateway.describe(url).strip(),
        "examples": [{"title": title, "code": code.safe_substitute(values)} for title, code in examples],
    }
