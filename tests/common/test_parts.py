"""How many SMS a text takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.common import Parts, count_parts
from payamak.emulator.segments import count_segments

SMILE = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", Parts("gsm7", 0, 1, 160)),
        ("Your code is 482913", Parts("gsm7", 19, 1, 141)),
        ("a" * 160, Parts("gsm7", 160, 1, 0)),
        ("a" * 161, Parts("gsm7", 161, 2, 145)),
        ("a" * 306, Parts("gsm7", 306, 2, 0)),
        ("a" * 307, Parts("gsm7", 307, 3, 152)),
        ("@£$ é\r\nΩ§à", Parts("gsm7", 10, 1, 150)),
        ("€" * 80, Parts("gsm7", 160, 1, 0)),
        ("€" * 81, Parts("gsm7", 162, 2, 143)),
        ("^{}[]~|\\\f€", Parts("gsm7", 20, 1, 140)),
        # 153 is odd: a part that is full of such characters has room for half of one.
        ("€" * 153, Parts("gsm7", 306, 3, 151)),
        ("a" * 152 + "€" + "a" * 152, Parts("gsm7", 306, 3, 152)),
        ("a" * 151 + "€" + "a" * 153, Parts("gsm7", 306, 2, 0)),
        ("ç", Parts("ucs2", 1, 1, 69)),
        ("سلام", Parts("ucs2", 4, 1, 66)),
        ("س" * 70, Parts("ucs2", 70, 1, 0)),
        ("س" * 71, Parts("ucs2", 71, 2, 63)),
        ("س" * 135, Parts("ucs2", 135, 3, 66)),
        ("a" * 70 + "س", Parts("ucs2", 71, 2, 63)),
        (SMILE * 35, Parts("ucs2", 70, 1, 0)),
        (SMILE * 67, Parts("ucs2", 134, 3, 65)),
    ],
)
def test_parts(text: str, parts: Parts) -> None:
    assert count_parts(text) == parts


@given(st.text(st.sampled_from(f"aé€^سç\n{SMILE}"), max_size=400))
def test_the_emulator_counts_the_same_by_itself(text: str) -> None:
    parts, segments = count_parts(text), count_segments(text)
    assert (parts.encoding, parts.characters, parts.parts) == (segments.encoding, segments.units, segments.parts)


@given(st.text(st.sampled_from(f"aé€^س{SMILE}"), max_size=300))
def test_what_is_left_fits_and_no_more(text: str) -> None:
    parts = count_parts(text)
    assert count_parts(text + "a" * parts.left).parts == parts.parts
    assert count_parts(text + "a" * (parts.left + 1)).parts == parts.parts + 1
