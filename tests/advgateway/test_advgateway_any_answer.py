"""Whatever the gateway answers: a result, or an error of this library, and nothing else."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payamak.advgateway import Outcome, PayamakError, ReplyError, SendResult, wire
from payamak.advgateway.soap import UnreadableXmlError, decode_reply
from payamak.advgateway.wire import Answer
from payamak.common.results import only_result
from payamak.common.session import Reply
from support.advgateway import FIRST, SECOND, STYLES, in_envelope, in_response
from support.shapes import is_list

READERS: dict[str, Callable[[Answer], object]] = {
    "credit": wire.read_credit,
    "send": lambda answer: only_result(wire.read_ids(answer, [FIRST], [FIRST])),
    "send_to_many": lambda answer: wire.read_ids(answer, [FIRST, SECOND], [FIRST, SECOND]),
    "send_pairs": lambda answer: wire.read_pairs(answer, [FIRST, SECOND]),
    "statuses": lambda answer: wire.read_statuses(answer, [1, 2]),
    "status": lambda answer: wire.read_statuses(answer, [1]),
    "received": wire.read_received,
}
NAMES = st.sampled_from(
    ["ErrCode", "errCode", "result", "status", "statusId", "credit", "from", "to", "msg", "time", "item", "key",
     "value", "1", "2", "0"]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, -1, -3, -99, 10**18, 10**400, "", "0", "-1", "5", "Array", "NaN", "[", "{}", "[0, 1]"])
    | st.floats()
    | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
REPLIES = st.fixed_dictionaries({"ErrCode": st.sampled_from([0, "0", "-1"]) | SCALARS, "result": JSON}) | JSON
STATUSES = st.sampled_from([100, 200, 204, 302, 400, 401, 404, 408, 429, 500, 503])
EXAMPLES = settings(max_examples=60, deadline=None)


def check_error(error: PayamakError) -> None:
    assert str(error)
    assert error.outcome in (Outcome.REFUSED, Outcome.UNKNOWN)
    assert pickle.loads(pickle.dumps(error)).outcome is error.outcome  # noqa: S301


def check(body: bytes, status: int, headers: dict[str, str] | None = None) -> None:
    for read_answer in (wire.read_soap_answer, wire.read_rest_answer):
        for reader in READERS.values():
            try:
                result = reader(read_answer(Reply(status, headers or {}, body)))
            except PayamakError as error:
                check_error(error)
                continue
            assert repr(result)
            assert 200 <= status < 300
            for entry in result if is_list(result) else [result]:
                if isinstance(entry, SendResult):
                    assert (entry.message_id is None) is (entry.error is not None)
                    assert entry.message_id is None or entry.message_id > 0


XML_TEXT = st.sampled_from(
    ["", "0", "-1", "5", "Array", "{", "[1]", " ", "&#1587;", "&x;", "\x00", "]]>", "<![CDATA[x]]>"]
)
XML_NAMES = NAMES.filter(lambda name: not name.isdigit()) | st.sampled_from(["a", "x:y", "a:b:c", "ErrCode"])
XML_ATTRIBUTES = st.lists(
    st.sampled_from(
        ['xsi:nil="1"', 'href="#a"', 'href="#b"', 'id="a"', 'id="b"', 'href="x"', 'SOAP-ENC:arrayType="xsd:string[2]"',
         'xsi:type="ns2:Map"', 'x="']
    ),
    max_size=2, unique=True,
).map(" ".join)  # fmt: skip


def _element(name: str, attributes: str, children: list[str]) -> str:
    return f"<{name} {attributes}>{''.join(children)}</{name}>"


XML = st.recursive(
    XML_TEXT,
    lambda inner: st.builds(
        _element,
        XML_NAMES, XML_ATTRIBUTES, st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)  # fmt: skip


@given(value=XML, after=XML, status=STATUSES)
@settings(max_examples=100, deadline=None)
def test_any_xml(value: str, after: str, status: int) -> None:
    body = in_envelope(f"<ns1:XResponse>{value}</ns1:XResponse>{after}")
    check(body, status)
    check(in_response(f"<return><ErrCode>0</ErrCode><result>{value}</result></return>"), status)


@given(
    style=st.sampled_from(sorted(STYLES)),
    cut=st.integers(0, 900),
    inserted=st.binary(max_size=5),
    length=st.integers(0, 5),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-8-sig"]),
)
@EXAMPLES
def test_any_mangled_reply(style: str, cut: int, inserted: bytes, length: int, encoding: str) -> None:
    whole = STYLES[style]({"ErrCode": "0", "result": ["101", "سلام"]}).decode().encode(encoding)
    check(whole[:cut], 200)
    check(whole[:cut] + inserted + whole[cut + length :], 200)


@given(code=st.integers(-(10**20), 10**20) | st.text("0123456789- ", max_size=25), status=STATUSES)
@EXAMPLES
def test_only_the_code_0_is_a_success(code: Any, status: int) -> None:
    for body in (json.dumps({"ErrCode": code, "result": ["5"]}).encode(), STYLES["struct"]({"ErrCode": code})):
        read = wire.read_rest_answer if body.startswith(b"{") else wire.read_soap_answer
        try:
            read(Reply(status, {}, body))
        except PayamakError:
            continue
        assert int(code) == 0
        assert 200 <= status < 300


PLAIN = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=9
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ErrCode", "result", "msg", "a.b-c"]), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("style", ["struct", "map"])
@given(value=VALUES)
@EXAMPLES
def test_values_survive(style: str, value: Any) -> None:
    assert decode_reply(STYLES[style](value)) == value


def test_errors_of_the_reader_hold_nothing() -> None:
    body = in_response("<return>secret</b></return>")
    with pytest.raises(UnreadableXmlError) as caught:
        decode_reply(body)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(ReplyError) as failed:
        wire.read_soap_answer(Reply(200, {}, body))
    assert failed.value.__cause__ is None
