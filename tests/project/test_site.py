"""The documentation's site: it builds without the network and without a warning, and shows without the network too."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.printed import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="`python3 dev.py docs` has what builds the site, and runs this"
)

# The network is away: whatever looks for it fails.
OFFLINE = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise OSError(f"the build looks for the network: {event}")
sys.addaudithook(refuse)
from mkdocs.__main__ import cli
cli()
"""
# What a browser fetches by itself. An anchor is not among it.
FETCHED = {
    "script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset"), "video": ("src",),
    "audio": ("src",), "object": ("data",), "embed": ("src",), "use": ("href", "xlink:href"), "image": ("href",),
    "link": ("href",),
}  # fmt: skip
# A link of this kind is for search engines.
NOT_FETCHED = {"canonical", "next", "prev"}
FETCHED_BY_STYLE = re.compile(r"@import\s+[\"']([^\"']+)|url\(\s*[\"']?([^\"')]+)")
ELSEWHERE = re.compile(r"\s*(?:[a-z]+:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "build", "--strict", "--site-dir", folder],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


class Fetches(HTMLParser):
    """Collects what a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.classes: set[str] = set()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.classes.update(given.get("class", "").split())
        self._in_style = tag == "style"
        self.found += style_addresses(given.get("style", ""))
        if given.get("rel") not in NOT_FETCHED:
            self.found += [given[name] for name in FETCHED.get(tag, ()) if name in given]

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += style_addresses(data)


def style_addresses(style: str) -> list[str]:
    return [first or second for first, second in FETCHED_BY_STYLE.findall(style)]


def test_the_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        parser = Fetches()
        parser.feed(page.read_text(encoding="utf-8"))
        assert len(parser.found) > 3  # The theme's own styles and scripts.
        assert not [address for address in parser.found if ELSEWHERE.match(address)], page.name
        # The theme's script fetches what draws these from elsewhere.
        assert not parser.classes & {"mermaid"}, page.name


def test_the_styles_fetch_nothing_from_elsewhere(site: Path) -> None:
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        found = style_addresses(style.read_text(encoding="utf-8"))
        assert not [address for address in found if ELSEWHERE.match(address)], style.name


def test_the_scripts_fetch_only_what_no_page_asks_for(site: Path) -> None:
    scripts = list(site.rglob("*.js"))
    assert scripts
    hosts = {host for script in scripts for host in re.findall(r"[\"'`]https?://([a-z.]+)", script.read_text("utf-8"))}
    # What draws diagrams, what browsers before 2020 lack, and the numbers of a repository at GitHub.
    assert hosts <= {"unpkg.com", "api.github.com"}


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ('<script src="https://cdn.test/x.js"></script>', True),
        ('<link rel="stylesheet" href="//cdn.test/x.css">', True),
        ("<style>@import 'http://cdn.test/x.css';</style>", True),
        ("<style>@font-face { src: url(https://cdn.test/x.woff) }</style>", True),
        ('<p style="background: url(https://cdn.test/x.png)">', True),
        ('<a href="https://semver.test">', False),
        ('<img src="assets/x.png">', False),
    ],
)
def test_what_a_page_fetches_is_seen(page: str, shown: bool) -> None:
    parser = Fetches()
    parser.feed(page)
    assert bool([address for address in parser.found if ELSEWHERE.match(address)]) is shown


def test_the_reference_shows_every_public_name(site: Path) -> None:
    """A docstring that the tool cannot find leaves a gap that no warning tells of."""
    for package in ("common", "ghasedak", "smsir", "opgateway", "advgateway", "emulator"):
        module = importlib.import_module(f"payamak.{package}")
        shown = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
        missing = [
            name
            for name in module.__all__
            if f'id="payamak.{package}.{name}"' not in shown and f'id="payamak.common.{name}"' not in shown
        ]
        assert missing == []
