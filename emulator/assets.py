"""The files of the page, and the headers that let a browser do nothing with them but show the page."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from attrs import frozen

PAGE_PREFIX = "/emulator/page/"
_INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    # Texts are user-made: the browser itself refuses innerHTML and its like.
    "require-trusted-types-for": "'script'",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Another version may listen on this port tomorrow.
    "Cache-Control": "no-store",
}


@frozen
class _Asset:
    content: bytes
    content_type: str


@functools.cache
def _assets() -> Mapping[str, _Asset]:
    found: dict[str, _Asset] = {}
    for entry in Path(__file__).with_name("page").iterdir():
        content_type = _TYPES.get(entry.suffix)
        if content_type is not None:
            found[entry.name] = _Asset(entry.read_bytes(), content_type)
    return found


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks; curl and its like get plain text."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "").lower()


def page() -> web.Response:
    """The page at `/`."""
    return _respond(_assets()[_INDEX], Vary="Accept")


def find(path: str) -> web.Response | None:
    """A file of the page."""
    asset = _assets().get(path.removeprefix(PAGE_PREFIX)) if path.startswith(PAGE_PREFIX) else None
    return None if asset is None else _respond(asset)


def _respond(asset: _Asset, **headers: str) -> web.Response:
    return web.Response(body=asset.content, headers={**_HEADERS, **headers, "Content-Type": asset.content_type})
