"""What differs between the panels that serve this gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import attrs

from ..common import checks
from ..common.errors import InvalidArgumentError

_DOCUMENTED_OPS = {
    "checkmessage": "Checkmessage",
    "booklist": "Booklist",
    "booksend": "Booksend",
    "inboxlist": "Inboxlist",
    "postalcodearea": "Postalcoderarea",
    "postalcodesend": "Postalcodesend",
    "jobslist": "Jobslist",
    "jobstrendlist": "Jobstrenlist",
    "jobssend": "Jobssend",
}
_DOCUMENTED_FIELDS = {
    "uname": "Uname",
    "pass": "Pass",
    "op": "Op",
    "from": "From",
    "message": "Message",
    "to": "To",
    "delivery.uinqid": "Message",
    "messageid": "Messageid",
    "bookid": "Bookid",
    "user_uname": "User-name",
    "user_pass": "User-pass",
    "national_id": "national-id",
    "certificate_id": "certificate-id",
    "access_id": "access-id",
    "tell": "Tell",
    "postalcodesend.gender": "Gender",
    "postalcodesend.postalcode": "Postalcode",
    "trendid": "Trendid",
    "jobsid": "Jobsid",
}
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]+")


def require_name(value: object, argument: str) -> str:
    """Return the name of a form's field, which travels as it is."""
    checks.require_instance(value, str, argument)
    name = cast("str", value)
    if not _NAME.fullmatch(name):
        raise InvalidArgumentError(
            f"{argument} may hold a name of letters, digits, dots, dashes, underscores and square brackets only",
            argument=argument,
        )
    return name


@attrs.frozen
class OpProfile:
    """How a panel names the ops and the fields of a request.

    By default they are those of code that runs, in lower case. The vendor's document writes some of them otherwise: see
    `as_documented`.

    Attributes:
        ops: Names of ops by those of this client, such as ``{"checkmessage": "Checkmessage"}``.
        fields: Names of fields by those of this client, such as ``{"uname": "Uname"}``. With the op before it, as in
            ``{"delivery.uinqid": "Message"}``, a name counts for this op alone.

    Raises:
        InvalidArgumentError: Something of it cannot travel.
    """

    ops: Mapping[str, str] = attrs.field(factory=dict[str, str])
    fields: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def __attrs_post_init__(self) -> None:
        for argument in ("ops", "fields"):
            names: object = getattr(self, argument)
            checks.require_instance(names, Mapping, argument)
            for usual, name in cast("Mapping[object, object]", names).items():
                require_name(usual, argument)
                require_name(name, argument)

    @classmethod
    def as_documented(cls) -> OpProfile:
        """The names as the vendor's document writes them, to the letter."""
        return cls(ops=_DOCUMENTED_OPS, fields=_DOCUMENTED_FIELDS)

    def name_fields(self, op: str, fields: Mapping[str, str]) -> dict[str, str]:
        """The fields of an op, by the panel's names.

        Raises:
            InvalidArgumentError: Two of them have one name, so that one would be lost.
        """
        named = {
            self.fields.get(f"{op}.{name}") or self.fields.get(name, name): value for name, value in fields.items()
        }
        if len(named) < len(fields):
            raise InvalidArgumentError(f"the profile gives two fields of {op} the same name", argument="profile")
        return named
