"""Values that must never show, and a search of everything that could show them."""

from __future__ import annotations

import base64
import copy
import pickle
import traceback
from collections.abc import Iterable, Iterator

from payamak.common import PayamakError

KEY = "sentinelkeyQ7"
PHONE = "09127776655"
TEXT = "sentineltextQ7"
USERNAME = "sentineluserQ7"
PASSWORD = "sentinelproxyQ7"
CHECK_ID = "sentinelcheckQ7"
PARAM = "sentinelparamQ7"
NAME = "sentinelnameQ7"
NATIONAL_ID, CERTIFICATE_ID, POSTAL_CODE = "0013542419", "7755331199", "1345610001"
ECHO = (
    f"{KEY} {PHONE} {TEXT} {CHECK_ID} {PARAM} {USERNAME} {PASSWORD} {NAME} {NATIONAL_ID} {CERTIFICATE_ID} {POSTAL_CODE}"
)
"""All of them, as a server might give them back."""

NEEDLES = (
    KEY,
    PHONE[1:],
    TEXT,
    USERNAME,
    PASSWORD,
    CHECK_ID,
    PARAM,
    NAME,
    NATIONAL_ID,
    CERTIFICATE_ID,
    POSTAL_CODE,
    base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode(),
)


def leaks(*texts: object) -> list[str]:
    """The needles that show in these."""
    joined = "\n".join(text if isinstance(text, str) else repr(text) for text in texts)
    return [needle for needle in NEEDLES if needle in joined]


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that hangs on it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__]
        waiting += getattr(found, "exceptions", ())


def texts_of(error: BaseException) -> Iterator[str]:
    """All that a log or a crash reporter could write of an error, but for `gateway_message`."""
    for found in chain(error):
        # Without the lines of code: they hold no values, and finding them takes most of the time.
        yield "".join(traceback.format_exception_only(found))
        yield f"{found} {found!r} {found.args!r} {getattr(found, '__notes__', None)!r}"
        yield repr({name: value for name, value in vars(found).items() if name != "gateway_message"})
    if isinstance(error, PayamakError):
        stripped = copy.copy(error)
        vars(stripped).pop("gateway_message", None)
        stripped.references = ()  # They may be the caller's own check ids, and travel with the error.
        yield pickle.dumps(stripped).decode("latin-1")


def assert_silent(error: BaseException) -> None:
    for text in texts_of(error):
        assert not leaks(text), f"an error shows {leaks(text)}: {text}"


def assert_all_silent(values: Iterable[object]) -> None:
    for value in values:
        assert not leaks(repr(value), str(value)), f"{value!r}"
