"""Whose requests are answered: those that name this machine as they should, and come from no other site's page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from aiohttp import web

_NAME = re.compile(r"[\w.-]+", re.ASCII)
_HOST_HEADER = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:[0-9]*)?", re.ASCII | re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    name = _plain(host)
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


class Visitors:
    """Who may speak to the emulator.

    Args:
        allow_remote: other machines, whatever name they use for this one, unless there are `allowed_hosts`.
        allowed_hosts: other machines that use one of these names.

    Raises:
        ValueError: what is no name of a host.
    """

    def __init__(self, *, allow_remote: bool, allowed_hosts: Collection[str]) -> None:
        self.allowed_hosts = _host_names(allowed_hosts)
        self.any_host = allow_remote and not self.allowed_hosts

    @property
    def may_be_remote(self) -> bool:
        """Whether any of them may come from another machine."""
        return self.any_host or bool(self.allowed_hosts)

    def refusal(self, request: web.Request) -> str | None:
        """Why a request is not answered, or None if it is."""
        if not self._knows(request.headers.get("Host")):
            # A web page whose name was made to point here must not drive the emulator (DNS rebinding).
            return "The Host header does not name this machine. Start the emulator with --allowed-host NAME.\n"
        # The start page may be linked to, and does nothing.
        if request.path != "/" and _is_foreign(request):
            return "Another site's page may not drive the emulator.\n"
        return None

    def _knows(self, host_header: str | None) -> bool:
        # Browsers always send the header, so its absence is no attack.
        if host_header is None or self.any_host:
            return True
        # Whole: in "localhost:80@evil.example" programs do not agree which of the two is the host.
        match = _HOST_HEADER.fullmatch(host_header.strip())
        return match is not None and (is_loopback(match[1]) or _plain(match[1]) in self.allowed_hosts)


def _is_foreign(request: web.Request) -> bool:
    # A browser says which page a request is for, whatever that page makes of it; curl and tests say nothing.
    origins = request.headers.getall("Origin", ())
    if origins:
        host = request.headers.get("Host", "").lower()
        # https, because a proxy may stand in between that has the certificate.
        return any(origin.lower() not in (f"http://{host}", f"https://{host}") for origin in origins)
    # It names no origin with a GET, by which Ghasedak sends too. A link that somebody follows is something else.
    by_other_page = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    return by_other_page and request.headers.get("Sec-Fetch-User") != "?1"


def _host_names(given: Collection[str]) -> frozenset[str]:
    names = [given] if isinstance(given, str) else given
    for name in names:
        if not _NAME.fullmatch(_plain(name)) and not _is_address(_plain(name)):
            raise ValueError(f"allowed_hosts must be names or addresses of hosts, without a scheme or port: {name!r}")
    return frozenset(map(_plain, names))


def _plain(host: str) -> str:
    return host.strip("[]").removesuffix(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
