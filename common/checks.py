"""Checks of arguments, made before any I/O. Each names the argument, the limit and what to do."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import itertools
import math
import operator
import re
from collections.abc import Iterable, Mapping, Set
from typing import TypeVar

import yarl

from .errors import InvalidArgumentError

T = TypeVar("T")

_HALF = re.compile("[\ud800-\udfff]")
_LARGEST_ID = 2**63 - 1
_MOST_IN_A_HEADER = 8000
_YEARS = range(2000, 9999)
"""The last one is left away, for in another time zone its end is out of the calendar."""
_LATEST = datetime.timedelta(minutes=5)
GREGORIAN = "must be in the Gregorian calendar, from the year 2000 on: convert a date of another calendar first"
"""Of times: the year 1405 is one that gateways take for a time long past, and send at once."""


def as_invalid_argument(error: Exception, argument: str | None = None) -> InvalidArgumentError:
    """Make the exception for what an argument's own methods raised. It quotes nothing, for that may hold a value."""
    if isinstance(error, InvalidArgumentError):
        return error
    return InvalidArgumentError(
        f"{argument or 'an argument'} cannot be used: reading it raised {type(error).__name__}", argument=argument
    )


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


def replace_halves(text: str) -> str:
    """The text with U+FFFD for each half of a character (a lone surrogate), so that it can be written as UTF-8.

    It is for what is written down after a send, when it is too late to refuse: a gateway's JSON may hold any.
    """
    return text if text.isascii() or _can_be_encoded(text) else _HALF.sub("\ufffd", text)


def require_credential(value: object, argument: str) -> str:
    """Return ``value`` if it can be a user name, a password or a key in the body of a request."""
    text = require_text(value, argument)
    if text.splitlines() != [text]:
        raise InvalidArgumentError(
            f"{argument} holds a line break, as what is read from a file has at its end: take it off with strip()",
            argument=argument,
        )
    return text


def require_secret(value: object, argument: str) -> str:
    """Return ``value`` if it can be a key in an HTTP header: printable ASCII without blanks around it, and not long."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(f"{argument} must be a string that is not empty", argument=argument)
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise InvalidArgumentError(
            f"{argument} holds a blank at its ends, a line break or a character outside ASCII: copy it again, exactly",
            argument=argument,
        )
    if len(value) > _MOST_IN_A_HEADER:
        raise InvalidArgumentError(
            f"{argument} has more than {_MOST_IN_A_HEADER} characters, which no server takes in a header: "
            "look whether it is the right file or variable",
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


def require_iterable(values: Iterable[T], argument: str, *, most: int | None = None, ordered: bool = False) -> list[T]:
    """Return the first ``most`` of ``values``, or all of them, as a list.

    A lone string is refused, and a mapping, which would give its keys; so is a set, where the order matters.
    """
    refuse_mapping(values, argument)
    if isinstance(values, (str, bytes, type)) or not hasattr(values, "__iter__"):
        raise InvalidArgumentError(
            f"{argument} must be a list, not {type(values).__name__}: put the one value in brackets", argument=argument
        )
    if ordered:
        refuse_set(values, argument)
    try:
        return list(itertools.islice(values, most))
    except Exception as error:
        unusable = as_invalid_argument(error, argument)
    # Out here and below, because what was raised can hold the values.
    raise unusable


def refuse_mapping(values: object, argument: str) -> None:
    """Refuse what gives its keys where its values are meant."""
    kind = type(values).__name__
    # A table of pandas gives the names of its columns.
    if isinstance(values, Mapping) or hasattr(values, "columns"):
        raise InvalidArgumentError(
            f"{argument} must be a list, not {kind}: say what you mean, list(x.values()) or list(x)",
            argument=argument,
        )


def refuse_set(values: object, argument: str) -> None:
    """Refuse what has no order where the order decides what belongs to what."""
    if isinstance(values, Set):  # The keys of a dict, too, which nobody means where the order matters.
        raise InvalidArgumentError(
            f"{argument} must be a list, not a set, which has no order: write the values in their order in brackets",
            argument=argument,
        )


def require_list(values: Iterable[T], argument: str, *, most: int | None = None, ordered: bool = False) -> list[T]:
    """Return ``values`` as a list of at least one and at most ``most`` entries; see `require_iterable`."""
    # No more than can be used is taken, for the values may be an endless generator.
    entries = require_iterable(values, argument, most=None if most is None else most + 1, ordered=ordered)
    if not entries:
        raise InvalidArgumentError(f"{argument} is empty: give at least one", argument=argument)
    if most is not None and len(entries) > most:
        raise InvalidArgumentError(
            f"{argument} has more than {most} entries, the most that the gateway takes in one request: split it",
            argument=argument,
        )
    return entries


def _to_integer(value: object) -> int | None:
    """An integer of whatever library, or None in place of anything else. True is none."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    except TypeError:
        return None


def require_id(value: object, argument: str) -> int:
    """Return ``value`` as an int if it is a positive integer."""
    number = _to_integer(value)
    if number is None or not 0 < number <= _LARGEST_ID:
        hint = ", not text: use int()" if isinstance(value, str) else ""
        raise InvalidArgumentError(f"{argument} must be an id: an integer greater than 0{hint}", argument=argument)
    return number


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
    """Return ``value`` as an int if it is an integer from ``least`` to ``most``."""
    number = _to_integer(value)
    if number is None or not least <= number <= most:
        hint = ", not text: use int()" if isinstance(value, str) else ""
        raise InvalidArgumentError(f"{argument} must be an integer from {least} to {most}{hint}", argument=argument)
    return number


def require_aware(value: object, argument: str) -> datetime.datetime:
    """Return ``value`` if it is a datetime with a time zone, in a year that can be meant."""
    if not isinstance(value, datetime.datetime):
        kind = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
        raise InvalidArgumentError(
            f"{argument} must be a datetime.datetime, not {kind}; it {GREGORIAN}", argument=argument
        )
    try:
        is_naive, is_meant = value.utcoffset() is None, value.year in _YEARS
    except Exception as error:  # NaT of pandas is a datetime, and raises.
        unusable = as_invalid_argument(error, argument)
    else:
        if is_naive:
            raise InvalidArgumentError(
                f"{argument} has no time zone: give it one, such as tzinfo=payamak.common.tehran()", argument=argument
            )
        if is_meant:
            return value
        unusable = InvalidArgumentError(f"{argument} {GREGORIAN}", argument=argument)
    raise unusable


def require_send_time(value: object, argument: str) -> datetime.datetime:
    """Return ``value`` if it is a time to send at: what was typed wrong must not go out at once."""
    time = require_aware(value, argument)
    if time < datetime.datetime.now(datetime.UTC) - _LATEST:
        raise InvalidArgumentError(
            f"{argument} is more than 5 minutes in the past, and gateways send such a message at once: mend it, "
            "or leave it away",
            argument=argument,
        )
    return time


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
    if url.raw_query_string.lower() in ("wsdl", "singlewsdl"):
        raise InvalidArgumentError(
            f"base_url ends with ?{url.raw_query_string}, which leads to a description of the service: leave it away",
            argument=argument,
        )
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
        # Names below it are asked for in the DNS, whose answer may lead anywhere.
        return host == "localhost"


def require_no_comma(value: str, argument: str, instead: str) -> str:
    """Return ``value`` if it can travel in a comma-joined list, whose commas cannot be escaped."""
    if "," in value:
        raise InvalidArgumentError(
            f"{argument} holds a comma, and the gateway separates the entries of this list by commas: {instead}",
            argument=argument,
        )
    return value
