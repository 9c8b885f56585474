"""`newuser`: resellers make accounts for others. The codes are those of public error tables, their order INFERRED."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..phone_numbers import normalise_mobile
from .envelope import NOT_A_RESELLER, RefusalError
from .params import Params
from .seeds import ACCESS_LEVELS
from .state import State, User

_PLAIN = re.compile(r"[A-Za-z0-9_]+")
# INFERRED: no source tells what a user name or a password must look like.
_USER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_STRONG = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9]).{8,}")
_PHONE = re.compile(r"0[0-9]{7,10}")
_CERTIFICATE = re.compile(r"[0-9]{1,10}")
_NATIONAL_ID = re.compile(r"[0-9]{10}")

NAME_SPECIAL, NAME_MISSING, NAME_TAKEN, NAME_FORMAT = 301, 303, 304, 1001
PASSWORD_MISSING, PASSWORD_WEAK = 317, 1002
ACCESS_WRONG = 316
FIELDS = (
    *("user_uname", "user_pass", "name", "company", "national_id", "certificate_id", "access_id"),
    *("tell", "mobile", "postalcode", "email", "address"),
)


def is_national_id(text: str) -> bool:
    """Whether the tenth digit is the check digit of the others."""
    if not _NATIONAL_ID.fullmatch(text) or len(set(text)) == 1:
        return False
    rest = sum(int(digit) * (10 - place) for place, digit in enumerate(text[:9])) % 11
    return int(text[9]) == (rest if rest < 2 else 11 - rest)


def _anything(_text: str) -> bool:
    return True


# Field, code if it is missing, code if it is wrong, check.
_CHECKS: tuple[tuple[str, int, int, Callable[[str], object]], ...] = (
    ("national_id", 306, 307, is_national_id),
    ("certificate_id", 309, 308, _CERTIFICATE.fullmatch),
    ("email", 310, 310, _anything),
    ("tell", 311, 312, _PHONE.fullmatch),
    ("mobile", 314, 315, normalise_mobile),
    ("address", 313, 313, _anything),
)


def new_user(state: State, params: Params) -> object:
    """Make a user and answer with its id (INFERRED). `name`, `company` and `postalcode` may be missing."""
    if not state.account.reseller:
        raise RefusalError(NOT_A_RESELLER)
    name = params.text("user_uname")
    _check_name(state, name)
    password = params.text("user_pass")
    if not password:
        raise RefusalError(PASSWORD_MISSING)
    if not _STRONG.fullmatch(password):
        raise RefusalError(PASSWORD_WEAK)
    for field, missing, wrong, check in _CHECKS:
        text = params.text(field)
        if not text:
            raise RefusalError(missing)
        if not check(text):
            raise RefusalError(wrong)
    if params.integer("access_id") not in [level.id for level in ACCESS_LEVELS]:
        raise RefusalError(ACCESS_WRONG)
    fields = {field: params.text(field) for field in FIELDS if field != "user_pass"}
    user = User(state.next_user_id(), name, fields)
    state.users.append(user)
    return user.id


def _check_name(state: State, name: str) -> None:
    if not name:
        raise RefusalError(NAME_MISSING)
    if not _PLAIN.fullmatch(name):
        raise RefusalError(NAME_SPECIAL)
    if not _USER_NAME.fullmatch(name):
        raise RefusalError(NAME_FORMAT)
    taken = [state.account.user, *(user.name for user in state.users)]
    if name.lower() in [other.lower() for other in taken]:
        raise RefusalError(NAME_TAKEN)


OPERATIONS: dict[str, Callable[[State, Params], object]] = {"newuser": new_user}
