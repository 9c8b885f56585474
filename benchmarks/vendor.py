"""The vendor's own package, which makes a new session and a new connection for each call."""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import certifi
import trustme
from payamak.ghasedak import GhasedakClient

from .harness import LINE, TEXT, TO, Options, Row, in_microseconds, measure_sends, ratio, running_server

TITLE = "The vendor's package ghasedakpack: its CPU time for a send ÷ ours"


def run(options: Options) -> list[Row]:
    """Measure it plainly and over TLS."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        certificate, authorities = Path(folder, "server.pem"), Path(folder, "authorities.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        # What the package reads for each call is the list of all authorities, and so it is here.
        authorities.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        os.environ["REQUESTS_CA_BUNDLE"] = str(authorities)
        with running_server() as server:
            plain = asyncio.run(_measure("plain", server, None, options))
        trusted = ssl.create_default_context(cafile=authorities)
        with running_server(certificate=certificate) as server:
            return [plain, asyncio.run(_measure("over TLS", server, trusted, options))]


async def _measure(name: str, server: str, trusted: ssl.SSLContext | None, options: Options) -> Row:
    package: Any = importlib.import_module("ghasedakpack")  # It has no types.
    theirs = package.Ghasedak("benchmark-key", server)

    async def send() -> None:
        if not theirs.send({"message": TEXT, "receptor": TO, "linenumber": LINE}):
            raise RuntimeError("the vendor's package failed")

    async with GhasedakClient("benchmark-key", base_url=f"{server}/v2/", ssl=trusted) as client:
        variants = {"ours": lambda: client.send(TO, TEXT, sender=LINE), "theirs": send}
        times = await measure_sends(variants, passes=options.passes, times=20)
    return Row(name, ratio(times["theirs"], times["ours"]), detail=in_microseconds(times))
