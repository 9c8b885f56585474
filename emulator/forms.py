"""Query strings and form bodies, decoded to pairs, leniently: gateways take what broken clients send."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from .texts import replace_halves

Pairs = list[tuple[str, str]]


def query_pairs(query: str) -> Pairs:
    """Pairs of a query string; a literal `+` is a blank, as everywhere in forms."""
    return parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace")


def form_pairs(content_type: str, body: bytes) -> Pairs:
    """Pairs of a request body; a body that is neither an url-encoded nor a multipart form has none."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return _multipart_pairs(content_type, body)
    # A missing type is taken for a form: several HTTP libraries leave it out when the body is given as raw bytes.
    if media_type in ("", "application/x-www-form-urlencoded", "application/octet-stream"):
        return query_pairs(body.decode("utf-8", errors="replace"))
    return []


def _multipart_pairs(content_type: str, body: bytes) -> Pairs:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", errors="replace")
    document = BytesParser(policy=HTTP).parsebytes(head + body)
    if not document.is_multipart():
        return []
    pairs: Pairs = []
    for part in document.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            pairs.append((replace_halves(name), payload.decode("utf-8", errors="replace")))
    return pairs
