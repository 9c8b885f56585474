"""`python -OO` takes the docstrings away: no text that somebody sees may come from one."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

from payamak.emulator import Emulator
from payamak.emulator.about import page_facts
from payamak.emulator.faults import KINDS

COMMAND = ["-W", "error", "-m", "payamak.emulator"]


def test_what_the_page_is_told() -> None:
    process = subprocess.Popen(
        [sys.executable, "-OO", *COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("payamak emulator ready"))
        url = line.rpartition(" ")[2].strip()
        with urllib.request.urlopen(f"{url}/emulator/about") as response:
            about = json.load(response)
    finally:
        process.kill()
        process.communicate()
    assert [(fault["kind"], fault["text"]) for fault in about["faults"]] == [
        (name, kind.meaning) for name, kind in KINDS.items()
    ]
    assert all("0900 000 00xx" in gateway["about"] for gateway in about["gateways"])
    assert about == json.loads(json.dumps(page_facts(url, Emulator().gateways.values())))


def test_the_help_of_the_command() -> None:
    kept, without = (
        subprocess.run([sys.executable, *option, *COMMAND, "--help"], capture_output=True, encoding="utf-8", check=True)
        for option in ([], ["-OO"])
    )
    assert without.stdout == kept.stdout
    for name, kind in KINDS.items():
        assert f"    {name} " in kept.stdout
        assert f" {kind.meaning}\n" in kept.stdout
