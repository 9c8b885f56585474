"""What text can travel in XML."""

from __future__ import annotations

import re

from ..common.errors import InvalidArgumentError

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def require_xml_text(text: str, argument: str) -> str:
    """Refuse the characters that XML 1.0 forbids, for they would cost the whole request."""
    if match := _FORBIDDEN.search(text):
        raise InvalidArgumentError(
            f"{argument} holds the character U+{ord(match[0]):04X}, which cannot travel in XML: remove it",
            argument=argument,
        )
    return text
