"""Checks of arguments, made before any I/O. Each names the argument, the limit and what to do."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import itertools
import math
import re
from collections.abc import Iterable
from typing import TypeVar

import yarl

from .errors import InvalidArgumentError

T = TypeVar("T")

_LARGEST_ID = 2**63 - 1


def require_text(value: object, argument: str) -> str:
    """Return ``value`` if it is a string that holds more than white space and can be written as UTF-8."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{argument} must be a string, not {type(value).__name__}", argument=argument)
    if not value or value.isspace():
        raise InvalidArgumentError(f"{argument} is empty", argument=argument)
    if not _can_be_encoded(value):
        raise InvalidArgumentError(
            f"{argument} holds half a character (a lone surrogate), which cannot be sent: clean the text first",
            argument=argument,
        )
    return value


def _can_be_encoded(value: str) -> bool:
    """Apart, because the encoding's error quotes the text, and hangs on whatever is raised while it is handled."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_secret(value: object, argument: str) -> str:
    """Return ``value`` if it can be a key in an HTTP header: printable ASCII without blanks around it."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"{argument} must be a string that is not empty", argument=argument)
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise InvalidArgumentError(
            f"{argument} holds a blank at its ends, a line break or a character outside ASCII: copy it again, exactly",
            argument=argument,
        )
    return value


def require_instance(value: object, kind: type, argument: str) -> None:
    """Refuse what is not an instance of ``kind``: callers without a type checker pass anything."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidArgumentError(
            f"{argument} must be of type {kind.__name__}, not {type(value).__name__}", argument=argument
        )


def require_bool(value: object, argument: str) -> bool:
    """Return ``value`` if it is True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument} must be True or False, not {type(value).__name__}", argument=argument)
    return value


def require_iterable(values: Iterable[T], argument: str, *, most: int | None = None) -> list[T]:
    """Return the first ``most`` of ``values``, or all of them, as a list. A lone string is refused."""
    if isinstance(values, (str, bytes, type)) or not hasattr(values, "__iter__"):
        raise InvalidArgumentError(
            f"{argument} must be a list, not {type(values).__name__}: put the one value in brackets", argument=argument
        )
    return list(itertools.islice(values, most))


def require_list(values: Iterable[T], argument: str, *, most: int | None = None) -> list[T]:
    """Return ``values`` as a list of at least one and at most ``most`` entries. A lone string is refused."""
    # No more than can be used is taken, for the values may be an endless generator.
    entries = require_iterable(values, argument, most=None if most is None else most + 1)
    if not entries:
        raise InvalidArgumentError(f"{argument} is empty: give at least one", argument=argument)
    if most is not None and len(entries) > most:
        raise InvalidArgumentError(
            f"{argument} has more than {most} entries, the most that the gateway takes in one request: split it",
            argument=argument,
        )
    return entries


def require_id(value: object, argument: str) -> int:
    """Return ``value`` if it is a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_ID:
        raise InvalidArgumentError(f"{argument} must be an id: an integer greater than 0", argument=argument)
    return value


def require_ids(values: Iterable[int], argument: str) -> list[int]:
    """Return ``values`` as a list of at least one id."""
    return [require_id(value, f"{argument}[{index}]") for index, value in enumerate(require_list(values, argument))]


def require_index(value: object, argument: str) -> int:
    """Return ``value`` if it can be the number of a page, or the id to go on from: an integer of 0 or more."""
    return require_between(value, argument, 0, _LARGEST_ID)


def require_seconds(value: object, argument: str, *, or_none: bool = False, or_zero: bool = False) -> None:
    """Refuse what is not a number of seconds greater than 0; None may mean without limit, and 0 without waiting."""
    if value is None and or_none:
        return
    seconds = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            seconds = float(value)
    if not (seconds > 0 or (seconds == 0 and or_zero)):
        allowed = ", or None for no limit" if or_none else ", or 0" if or_zero else ""
        raise InvalidArgumentError(f"{argument} must be a number of seconds greater than 0{allowed}", argument=argument)


def require_between(value: object, argument: str, least: int, most: int) -> int:
    """Return ``value`` if it is an integer from ``least`` to ``most``."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidArgumentError(f"{argument} must be an integer from {least} to {most}", argument=argument)
    return value


def require_aware(value: object, argument: str) -> datetime.datetime:
    """Return ``value`` if it is a datetime with a time zone."""
    if not isinstance(value, datetime.datetime):
        raise InvalidArgumentError(f"{argument} must be a datetime, not {type(value).__name__}", argument=argument)
    if value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{argument} has no time zone: give it one, such as tzinfo=ZoneInfo('Asia/Tehran')", argument=argument
        )
    return value


# Longer labels, and empty ones, make the resolver fail in ways of its own.
_HOST = re.compile(r"(?=.{1,253}$)[^.]{1,63}(\.[^.]{1,63})*\.?|[0-9a-f:.]+")


def require_url(value: object, argument: str) -> yarl.URL:
    """Return ``value`` as a URL if it is a string with http or https and a possible host."""
    if isinstance(value, str) and value.isprintable() and " " not in value:
        with contextlib.suppress(ValueError):  # UnicodeError is one.
            url = yarl.URL(value)
            if url.scheme in ("http", "https") and url.host and _HOST.fullmatch(url.host):
                return url
    raise InvalidArgumentError(
        f"{argument} must be a string that begins with https:// (or http://) and names a host", argument=argument
    )


def require_base_url(base_url: object, *, allow_http: bool) -> str:
    """Return the URL of a service with a slash at its end. http:// leads to this machine only, unless allowed."""
    argument = "base_url"
    url = require_url(base_url, argument)
    if url.raw_user is not None or url.raw_password is not None or url.raw_query_string or url.raw_fragment:
        raise InvalidArgumentError("base_url may hold no user name, password, query or fragment", argument=argument)
    if url.scheme == "http" and not allow_http and not _is_loopback(url.host or ""):
        raise InvalidArgumentError(
            "base_url must begin with https://, or your key and your messages travel in the open; "
            "allow_http=True permits it all the same",
            argument=argument,
        )
    return f"{str(url).rstrip('/')}/"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def require_no_comma(value: str, argument: str, instead: str) -> str:
    """Return ``value`` if it can travel in a comma-joined list, whose commas cannot be escaped."""
    if "," in value:
        raise InvalidArgumentError(
            f"{argument} holds a comma, and the gateway separates the entries of this list by commas: {instead}",
            argument=argument,
        )
    return value
