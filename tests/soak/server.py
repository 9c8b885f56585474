"""The emulator in a process of its own, so that memory and sockets of the clients can be counted apart from its."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from .lies import GATEWAYS, LIES, keeps_numbers_only, make_lies, make_switches

Json = dict[str, Any]

SHARE = 0.2
"""How many of all requests meet a fault."""
LATE = (0.45, 0.8)
"""How late an answer comes that comes too late. Above the clients' deadline, and well below the least grace period."""
_ALL = "limit=999999999"
_READY = "payamak emulator ready on "

# Twice as often as the others: where it is open whether the message went out.
_COMMON: tuple[Json, ...] = (
    {"kind": "drop_after_read"},
    {"kind": "drop_unprocessed"},
    {"kind": "reset_after_read"},
    {"kind": "hang", "processed": True},
    {"kind": "hang", "processed": False},
    {"kind": "cut_reply"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "processed": True},
)
_OTHERS: tuple[Json, ...] = (
    {"kind": "drop_before_read"},
    {"kind": "reset_before_read"},
    {"kind": "wrong_content_type"},
    {"kind": "html"},
    {"kind": "html", "processed": True},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 200, "processed": True},
    {"kind": "html", "status": 404},
    {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}, "processed": True},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "status", "status": 400},
    {"kind": "status", "status": 404},
    {"kind": "redirect", "location": "/elsewhere"},
    {"kind": "redirect", "location": "/elsewhere", "status": 307, "processed": True},
    {"kind": "garbage"},
    {"kind": "empty"},
    {"kind": "oversized"},
    {"kind": "oversized", "size": 100_000},
    {"kind": "bad_gzip"},
    {"kind": "delay", "seconds": 0.05},
    {"kind": "delay_after", "seconds": 0.05},
)
# They end a whole wave.
_RARE: tuple[Json, ...] = ({"kind": "status", "status": 401}, {"kind": "status", "status": 403})


def mix(dice: random.Random, switches: Json) -> list[Json]:
    """Fault orders in a random order, that together befall `SHARE` of the requests, and of each gateway `LIES` more."""
    late = [{"kind": kind, "seconds": dice.uniform(*LATE)} for kind in ("delay", "delay", "delay_after")]
    weighed = [(fault, 2.0) for fault in (*_COMMON, *late)]
    weighed += [(fault, 1.0) for fault in _OTHERS] + [(fault, 0.02) for fault in _RARE]
    dice.shuffle(weighed)
    orders = _share_out(weighed, SHARE, 1.0)
    for gateway in GATEWAYS:
        lies = make_lies(gateway, dice, only_open=gateway == "ghasedak" and keeps_numbers_only(switches))
        orders += _share_out([({**lie, "gateway": gateway}, weight) for lie, weight in lies], LIES, 1.0 - SHARE)
    return orders


def _share_out(weighed: Sequence[tuple[Json, float]], share: float, left: float) -> list[Json]:
    """Orders that together befall a share of the requests, of which so many are left by the orders before them."""
    whole = sum(weight for _, weight in weighed)
    orders: list[Json] = []
    for fault, weight in weighed:
        own = share * weight / whole
        # An order throws its dice only for those that the orders before it have passed over.
        orders.append({**fault, "times": None, "probability": own / left})
        left -= own
    return orders


class Server:
    """The emulator as a process, and its control interface."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "payamak.emulator", "--port", "0", "--max-messages", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.url = next(self._ready_urls())

    def _ready_urls(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_READY):
                yield line.removeprefix(_READY).rstrip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def begin(self, dice: random.Random) -> Json:
        """Forget all that was, and fail and lie at random from now on. Returns the switches that are set."""
        self._post("reset", {"seed": dice.randrange(2**32)})
        for gateway in GATEWAYS:
            self._post("account", {"gateway": gateway, "credit": 10**12})
        switches = make_switches(dice)
        self._post("switches", {**switches, "smsir": {"numbers_must_be_contacts": False, **switches["smsir"]}})
        for order in mix(dice, switches):
            self._post("faults", order)
        return switches

    def end(self) -> tuple[list[Json], list[Json]]:
        """Fail no more, and return the ledger and the requests, once all that comes late has come."""
        self._call("DELETE", "faults")
        end = time.monotonic() + 2 * LATE[1]
        while True:
            requests: list[Json] = self._call("GET", f"requests?{_ALL}")["requests"]
            late = any(request["fault"] == "delay" and not request["processed"] for request in requests)
            # One whose client went away before the body was there is never processed.
            if not late or time.monotonic() > end:
                return self._call("GET", f"messages?{_ALL}")["messages"], requests
            time.sleep(0.05)

    def _post(self, path: str, body: Json) -> Json:
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, data: bytes | None = None) -> Json:
        request = urllib.request.Request(f"{self.url}/emulator/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            content: Json = json.load(answer)
        return content
