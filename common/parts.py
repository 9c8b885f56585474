"""How many SMS a text takes, which is what it costs."""

from __future__ import annotations

import attrs

# GSM 03.38, to which handsets and networks hold. What is not in it makes the whole text UCS-2.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_ALL = _BASIC | _EXTENSION
_GSM7_LENGTHS = (160, 153)
_UCS2_LENGTHS = (70, 67)


@attrs.frozen
class Parts:
    """How a text travels.

    Attributes:
        encoding: ``"gsm7"``, or ``"ucs2"`` for Persian and all else that the GSM alphabet does not have.
        characters: The text's length as networks count: in gsm7 each of ``^{}\\[~]|€`` is two, in ucs2 most emoji are.
        parts: How many SMS it is; an empty text is one.
        left: How many characters more the last of them takes.
    """

    encoding: str
    characters: int
    parts: int
    left: int


def count_parts(text: str) -> Parts:
    """Count the SMS that a text takes.

    One holds 160 characters of the GSM alphabet or 70 of any other; where there are several, each holds 153 or 67. What
    a gateway adds to a text, such as how to unsubscribe, is not counted.
    """
    if _ALL.issuperset(text):
        return _count("gsm7", [1 + (character in _EXTENSION) for character in text], *_GSM7_LENGTHS)
    return _count("ucs2", [1 + (character > "\uffff") for character in text], *_UCS2_LENGTHS)


def _count(encoding: str, widths: list[int], single: int, joined: int) -> Parts:
    characters = sum(widths)
    if characters <= single:
        return Parts(encoding, characters, 1, single - characters)
    parts, left = 1, joined
    for width in widths:
        # No part ends within a character: what would be cut goes into the next, and its place stays empty.
        if width > left:
            parts, left = parts + 1, joined
        left -= width
    return Parts(encoding, characters, parts, left)
