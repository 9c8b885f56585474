"""What the command needs of a gateway. Each has a module here, which is loaded only when that gateway is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import attrs

from ..exits import SettingsError
from ..settings import Settings

if TYPE_CHECKING:
    from ...common.hooks import Attempt, AttemptReply, Proceed
    from .base import Gateway


def connect(settings: Settings) -> Gateway:
    """Make the gateway's client, without connecting yet.

    Raises:
        SettingsError: The client cannot work with these settings.
    """
    from ...common.errors import InvalidArgumentError  # noqa: PLC0415 -- it takes a while to load

    module = importlib.import_module(f".{settings.gateway}", __name__)
    if settings.is_emulated:
        settings = attrs.evolve(settings, options={**settings.options, "hooks": [_name_emulator]})
    try:
        gateway: Gateway = module.make(settings)
    except InvalidArgumentError as error:
        raise SettingsError(f"{settings.gateway}: {error.args[0]}") from None
    return gateway


async def _name_emulator(_attempt: Attempt, proceed: Proceed) -> AttemptReply:
    """Around each attempt: who reaches no emulator has mostly not started it."""
    from ...common.errors import ConnectionFailedError  # noqa: PLC0415 -- it takes a while to load

    try:
        return await proceed()
    except ConnectionFailedError as error:
        error.args = (f"{error.args[0]}; is `payamak emulator` running?",)
        raise
