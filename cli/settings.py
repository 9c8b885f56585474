"""Where the command gets the gateway, the credentials and the line: from the environment, then from a file."""

from __future__ import annotations

import enum
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import typer

from .exits import SettingsError


class GatewayName(enum.StrEnum):
    """The gateways, by their packages' names."""

    GHASEDAK = "ghasedak"
    SMSIR = "smsir"
    OPGATEWAY = "opgateway"
    ADVGATEWAY = "advgateway"


_COMMON = {"base_url": str, "allow_http": bool, "proxy": str, "timeout": float}
SETTINGS: dict[GatewayName, dict[str, type]] = {
    GatewayName.GHASEDAK: {"api_key": str, "sender": str, **_COMMON},
    GatewayName.SMSIR: {"user_api_key": str, "secret_key": str, **_COMMON},
    GatewayName.OPGATEWAY: {"username": str, "password": str, "sender": str, **_COMMON},
    GatewayName.ADVGATEWAY: {"username": str, "password": str, "sender": str, "transport": str, **_COMMON},
}
"""What can be set for each gateway. All but the sender are arguments of its client."""

_REQUIRED = {
    GatewayName.GHASEDAK: ("api_key",),
    GatewayName.SMSIR: ("user_api_key", "secret_key"),
    GatewayName.OPGATEWAY: ("username", "password", "base_url"),
    GatewayName.ADVGATEWAY: ("username", "password", "base_url"),
}
_EMULATOR_URL = "http://127.0.0.1:8650"
_EMULATED: dict[GatewayName, tuple[str, dict[str, str]]] = {
    GatewayName.GHASEDAK: ("/v2/", {"api_key": "emulator-key", "sender": "10008566"}),
    GatewayName.SMSIR: ("/users/v1/", {"user_api_key": "emulator-key", "secret_key": "emulator-secret"}),
    GatewayName.OPGATEWAY: (
        "/services.jspd",
        {"username": "emulator", "password": "emulator", "sender": "3000505"},
    ),
    GatewayName.ADVGATEWAY: (
        "/class/sms/webservice3/server.php",
        {"username": "emulator", "password": "emulator", "sender": "50001"},
    ),
}
_TRUTHS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@attrs.frozen
class Settings:
    """What is needed to talk to a gateway.

    Attributes:
        gateway: Which.
        options: The arguments of its client.
        sender: The line to send from, where none is named.
    """

    gateway: GatewayName
    options: dict[str, Any] = attrs.field(repr=False)
    sender: str | None = None


def read_settings(gateway: GatewayName | None, config: Path | None, *, emulator: bool) -> Settings:
    """Gather the settings.

    Args:
        gateway: What was named on the command line or in ``PAYAMAK_GATEWAY``.
        config: The file that was named; a default place is looked at if it is ``None``.
        emulator: Whether to talk to a running emulator, with its credentials and none of the user's.

    Raises:
        SettingsError: Something is missing or wrong.
    """
    path = config or default_config()
    content = _read_file(path, is_named=config is not None)
    usual = _find_gateway(content, path)
    chosen = gateway or usual or (GatewayName.GHASEDAK if emulator else None)
    if chosen is None:
        raise SettingsError(f"no gateway: give --gateway, or set PAYAMAK_GATEWAY, to one of {', '.join(GatewayName)}")
    if emulator:
        return _emulated(chosen)
    values = _read_section(chosen, content, path) | _read_environment(chosen)
    missing = [name for name in _REQUIRED[chosen] if name not in values]
    if missing:
        raise SettingsError(
            f"{chosen} has no {' and no '.join(missing)}: "
            f"set {' and '.join(variable_of(chosen, name) for name in missing)}, or [{chosen}] in {path}"
        )
    sender = values.pop("sender", None)
    return Settings(chosen, values, sender)


def default_config() -> Path:
    """Where the file is looked for: ``~/.config/payamak/config.toml`` on Linux."""
    return Path(typer.get_app_dir("payamak")) / "config.toml"


def variable_of(gateway: GatewayName, name: str) -> str:
    """The environment variable of a setting."""
    return f"PAYAMAK_{gateway}_{name}".upper()


def _emulated(gateway: GatewayName) -> Settings:
    path, values = _EMULATED[gateway]
    url = os.environ.get("PAYAMAK_EMULATOR_URL", _EMULATOR_URL).rstrip("/")
    options: dict[str, Any] = {name: value for name, value in values.items() if name != "sender"}
    # It may be in the container beside, and its credentials are no secret.
    options |= {"base_url": url + path, "allow_http": True}
    return Settings(gateway, options, values.get("sender"))


def _read_file(path: Path, *, is_named: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH):
                raise SettingsError(f"{path} can be read or changed by others: chmod 600 {path}")
            return tomllib.load(file)
    except FileNotFoundError:
        if is_named:
            raise SettingsError(f"{path} is not there") from None
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        # The rest of the message may quote what stands there, which may be a key.
        place = re.search(r"\(at [^)]*\)", str(error))
        raise SettingsError(f"{path} is no TOML {place[0] if place else ''}") from None


def _find_gateway(content: Mapping[str, Any], path: Path) -> GatewayName | None:
    for name in content:
        if name != "gateway" and name not in list(GatewayName):
            raise SettingsError(f"{path} has a section that means nothing; known are {', '.join(GatewayName)}")
    if "gateway" not in content:
        return None
    if content["gateway"] not in list(GatewayName):
        raise SettingsError(f"gateway in {path} must be one of {', '.join(GatewayName)}")
    return GatewayName(content["gateway"])


def _read_section(gateway: GatewayName, content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    section = content.get(gateway, {})
    if not isinstance(section, dict):
        raise SettingsError(f"{gateway} in {path} must be a section: [{gateway}]")
    values: dict[str, Any] = {}
    for name, value in section.items():  # pyright: ignore[reportUnknownVariableType] -- whatever the TOML holds
        kind = SETTINGS[gateway].get(str(name))  # pyright: ignore[reportUnknownArgumentType]
        if kind is None:
            known = ", ".join(SETTINGS[gateway])
            raise SettingsError(f"[{gateway}] in {path} has a name that means nothing; known are {known}")
        values[str(name)] = _convert(value, kind, f"{name} under [{gateway}] in {path}")  # pyright: ignore[reportUnknownArgumentType]
    return values


def _read_environment(gateway: GatewayName) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in SETTINGS[gateway].items():
        variable = variable_of(gateway, name)
        # Set to nothing is how shells and compose files unset one.
        if value := os.environ.get(variable):
            values[name] = _convert(value, kind, variable)
    return values


def _convert(value: object, kind: type, place: str) -> Any:
    if kind is str and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if kind is bool:
        truth = _TRUTHS.get(str(value).lower())
        if truth is not None:
            return truth
        raise SettingsError(f"{place} must be true or false")
    if kind is float and isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            raise SettingsError(f"{place} must be a number of seconds") from None
    raise SettingsError(f"{place} must be a {'text in quotes' if kind is str else 'number'}")
