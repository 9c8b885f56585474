"""The options that several commands share."""

from __future__ import annotations

import datetime
import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from .settings import GatewayName
from .times import parse_time

_SETTINGS = "Settings"


class OnUnknown(enum.StrEnum):
    """What to do when nobody knows whether a message went out."""

    ASK = "ask"
    RESEND = "resend"
    LEAVE = "leave"


def _read_time(text: str) -> datetime.datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _time(name: str, help: str) -> Any:  # noqa: A002 -- as typer calls it
    return typer.Option(name, parser=_read_time, metavar="TIME", help=help)


Gateway = Annotated[
    GatewayName | None,
    typer.Option("--gateway", "-g", envvar="PAYAMAK_GATEWAY", help="Which gateway.", rich_help_panel=_SETTINGS),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="PAYAMAK_CONFIG",
        help="A TOML file with the settings, in place of the one in your configuration folder.",
        rich_help_panel=_SETTINGS,
    ),
]
Emulator = Annotated[
    bool,
    typer.Option("--emulator", help="Use a running `payamak emulator`. Nothing is sent.", rich_help_panel=_SETTINGS),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Say on the error stream what is done, and the gateway's own words about what failed.",
        rich_help_panel=_SETTINGS,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line, for programs.")]
Sender = Annotated[str | None, typer.Option("--sender", help="The line to send from.")]
SendAt = Annotated[
    datetime.datetime | None,
    _time("--send-at", "When to send, as 2026-11-22 18:30 in Iran's time. Not every gateway can."),
]
Since = Annotated[datetime.datetime | None, _time("--since", "From when on, as 2026-11-22 18:30 (Ghasedak).")]
Until = Annotated[datetime.datetime | None, _time("--until", "Until when (Ghasedak).")]
Grace = Annotated[
    float,
    typer.Option("--grace", min=0, help="Seconds for which a message whose answer was lost may still turn up."),
]
Unknown = Annotated[
    OnUnknown,
    typer.Option("--on-unknown", help="What to do about a message whose answer was lost."),
]
