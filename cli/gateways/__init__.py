"""What the command needs of a gateway. Each has a module here, which is loaded only when that gateway is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..exits import SettingsError
from ..settings import Settings

if TYPE_CHECKING:
    from .base import Gateway


def connect(settings: Settings) -> Gateway:
    """Make the gateway's client, without connecting yet.

    Raises:
        SettingsError: The client cannot work with these settings.
    """
    from ...common.errors import InvalidArgumentError  # noqa: PLC0415 -- it takes a while to load

    module = importlib.import_module(f".{settings.gateway}", __name__)
    try:
        gateway: Gateway = module.make(settings)
    except InvalidArgumentError as error:
        raise SettingsError(f"{settings.gateway}: {error.args[0]}") from None
    return gateway
