from __future__ import annotations

import pytest
from payamak.emulator.segments import count_segments

SMILE = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("@£$ é\r\nΩ§à", "gsm7", 10, 1),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        ("^{}[]~|\\\f€", "gsm7", 20, 1),
        # 153 is odd, so each joined part of two-unit characters leaves one unit unused.
        ("€" * 153, "gsm7", 306, 3),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "gsm7", 306, 2),
        ("ç", "ucs2", 1, 1),
        ("`", "ucs2", 1, 1),
        ("س" * 70, "ucs2", 70, 1),
        ("س" * 71, "ucs2", 71, 2),
        ("س" * 134, "ucs2", 134, 2),
        ("س" * 135, "ucs2", 135, 3),
        ("a" * 70 + "س", "ucs2", 71, 2),
        (SMILE * 35, "ucs2", 70, 1),
        (SMILE * 36, "ucs2", 72, 2),
        (SMILE * 67, "ucs2", 134, 3),
    ],
)
def test_parts(text: str, encoding: str, units: int, parts: int) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.parts) == (encoding, units, parts)


def test_the_gsm_alphabet_is_whole() -> None:
    # 128 code points less the escape; the extension table has nine characters and the form feed.
    widths = [count_segments(chr(point)) for point in range(0xFFFF) if not 0xD800 <= point <= 0xDFFF]
    assert sum(one.encoding == "gsm7" and one.units == 1 for one in widths) == 127
    assert sum(one.encoding == "gsm7" and one.units == 2 for one in widths) == 10
