"""Parameters: names in any case, as ASP.NET binds them, and values of every type that Json.NET converts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from ..texts import read_json
from .envelope import HttpError, argument, bad_request, exception

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_LARGEST = 2**63 - 1


class Fields:
    """Values by name; of a name that comes twice, the first counts."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        self._values: dict[str, object] = {}
        for name, value in pairs:
            self._values.setdefault(name.strip().lower(), value)

    def has(self, name: str) -> bool:
        """Whether there is a value, and not an empty one."""
        value = self._values.get(name.lower())
        return value is not None and not (isinstance(value, str) and not value.strip())

    def text(self, *names: str) -> str | None:
        """The first of these that has a value."""
        for name in names:
            if self.has(name):
                return _text(self._values[name.lower()])
        return None

    def given_text(self, name: str) -> str | None:
        """A text that may be empty; None if it is not there."""
        value = self._values.get(name.lower())
        return None if value is None else _text(value)

    def required_text(self, *names: str) -> str:
        """The same; a failure in the envelope if there is none."""
        text = self.text(*names)
        if text is None:
            raise argument(names[0])
        return text

    def integer(self, *names: str, default: int = 0) -> int:
        """A whole number, perhaps in a text."""
        for name in names:
            if self.has(name):
                return _integer(name, self._values[name.lower()])
        return default

    def flag(self, name: str) -> bool:
        """A truth value, perhaps in a text."""
        value = self._values.get(name.lower())
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        if isinstance(value, int) and value in (0, 1):
            return value == 1
        raise bad_request()

    def integers(self, *names: str) -> list[int]:
        """A list of whole numbers; a failure in the envelope if it is not there at all."""
        return [_integer(names[0], item) for item in self._list(names)]

    def texts(self, name: str) -> list[str]:
        """A list of texts; numbers become texts."""
        return ["" if item is None else _text(item) for item in self._list((name,))]

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [fields(item) for item in self._list((name,))]

    def _list(self, names: tuple[str, ...]) -> list[object]:
        for name in names:
            value = self._values.get(name.lower())
            if isinstance(value, list):
                return cast("list[object]", value)
            if value is not None:
                raise bad_request()
        raise argument(names[0])


def fields(value: object) -> Fields:
    """The fields of a JSON object; of anything else, ASP.NET makes no object, and the vendor's code fails on that."""
    if not isinstance(value, dict):
        raise exception()
    return Fields(cast("dict[str, object]", value).items())


def json_fields(content_type: str, body: bytes) -> Fields:
    """The fields of a JSON body."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("application/json", "text/json"):
        problem = f"The request entity's media type '{media_type}' is not supported for this resource."
        raise HttpError(415, problem)
    if not body.strip():
        raise exception()
    try:
        value = read_json(body)
    except ValueError:
        raise bad_request() from None
    return fields(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise bad_request()


def _integer(name: str, value: object) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    raise bad_request(f"The value of parameter '{name}' is not valid for Int64.")
