"""The names of ops and fields as the vendor's document writes them, for a panel that takes no others."""

from __future__ import annotations

from ..forms import Pairs

_OPS = {
    "send": "send",
    "credit": "credit",
    "delivery": "delivery",
    "Checkmessage": "checkmessage",
    "Booklist": "booklist",
    "Booksend": "booksend",
    "Inboxlist": "inboxlist",
    "accesslist": "accesslist",
    "newuser": "newuser",
    "postalcodecount": "postalcodecount",
    "Postalcoderarea": "postalcodearea",
    "Postalcodesend": "postalcodesend",
    "Jobslist": "jobslist",
    # The document has another operation's fields under this heading (INFERRED).
    "Jobstrenlist": "jobstrendlist",
    "jobscount": "jobscount",
    "Jobssend": "jobssend",
}
_FIELDS = {
    name: name.lower().replace("-", "_")
    for name in (
        *("Uname", "Pass", "From", "Message", "To", "Messageid", "Bookid", "Trendid", "Jobsid", "type", "gender"),
        *("User-pass", "name", "company", "national-id", "certificate-id", "access-id", "Tell", "mobile", "postalcode"),
        *("email", "address"),
        "time",  # In no document, so that it has but one name.
    )
} | {"User-name": "user_uname"}
_OF_POSTAL_CODE_SEND = {"Gender": "gender", "Postalcode": "postalcode"}


def translate(pairs: Pairs) -> Pairs:
    """What is named as in the document, by the names of public code; all else is left out."""
    op = next((_OPS.get(value.strip(), "") for name, value in pairs if name == "Op"), "")
    names = _FIELDS
    if op == "postalcodesend":
        names = {name: usual for name, usual in _FIELDS.items() if usual not in _OF_POSTAL_CODE_SEND.values()}
        names |= _OF_POSTAL_CODE_SEND
    return [*((names[name], value) for name, value in pairs if name in names), ("op", op)]
