"""How many SMS parts a text takes: GSM 03.38 (160, or 153 each when joined) or UCS-2 (70, or 67 each)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

_GSM_SINGLE, _GSM_JOINED = 160, 153
_UCS2_SINGLE, _UCS2_JOINED = 70, 67
_LAST_BMP_CODE_POINT = 0xFFFF


@frozen
class Segments:
    """The outcome of counting: `units` are septets for gsm7 and 16-bit units for ucs2."""

    encoding: str
    units: int
    parts: int


def count_segments(text: str) -> Segments:
    """Count the parts of one text."""
    if all(character in _GSM_BASIC or character in _GSM_EXTENSION for character in text):
        widths = [2 if character in _GSM_EXTENSION else 1 for character in text]
        return Segments("gsm7", sum(widths), _parts(widths, _GSM_SINGLE, _GSM_JOINED))
    widths = [2 if ord(character) > _LAST_BMP_CODE_POINT else 1 for character in text]
    return Segments("ucs2", sum(widths), _parts(widths, _UCS2_SINGLE, _UCS2_JOINED))


def _parts(widths: Sequence[int], single: int, joined: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        # An escape sequence or a surrogate pair is never split over two parts, so a part may end one unit short.
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return parts
