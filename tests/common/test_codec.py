"""From JSON to models, as loosely as the gateways write it, and never wrongly."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import sys
from typing import Any

import attrs
import pytest
from payamak.common import ReplyError, codec, tehran
from payamak.common.bounds import as_int
from payamak.common.codec import as_dict, as_list, find_document, loads
from payamak.common.fields import TehranTime, UnixTime, WholeAmount, named
from payamak.common.structuring import decode

TEHRAN = tehran()


class Colour(enum.IntEnum):
    """Some codes."""

    LOST = -1
    RED = 1


@attrs.frozen
class Inner:
    """A model in a model."""

    size: int


@attrs.frozen
class Thing:
    """A model with everything."""

    number: int
    text: str | None = None
    count: int | None = None
    colour: Colour | int = 0
    unix: UnixTime | None = None
    local: TehranTime | None = None
    inner: Inner | None = None
    inners: list[Inner] = attrs.Factory(list[Inner])
    renamed: str | None = attrs.field(default=None, metadata=named("otherName"))


def thing(**fields: Any) -> Thing:
    return decode({"number": 1, **fields}, Thing, path="items", http_status=200)


def misfit(value: Any, model: Any = Thing) -> ReplyError:
    with pytest.raises(ReplyError) as caught:
        decode(value, model, path="items", http_status=207)
    assert caught.value.http_status == 207
    assert str(caught.value.field) in str(caught.value)
    assert "207" in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        (" 7 ", 7),
        ("۷", 7),
        (7.0, 7),
        (0, 0),
        (-1, -1),
        ("-1", -1),
        ("-1500", -1500),
        (" -۷ ", -7),
        (10**18, 10**18),
        ("1000000000000000000", 10**18),
    ],
)
def test_whole_numbers(value: object, number: int) -> None:
    found = thing(number=value, count=value)
    assert found.number == found.count == number
    assert type(found.number) is int


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        "",
        "x",
        "7x",
        1.5,
        "1.5",
        "12.50",
        "1-2",
        "2026-01-01",
        "(7)",
        "1_000",
        "--7",
        "1e3",
        [],
        {},
        [7],
        float("nan"),
        float("inf"),
    ],
)
def test_what_is_no_whole_number_is_not_made_into_one(value: object) -> None:
    assert misfit({"number": value}).field == "items.number"


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (7, "7"), (1.5, "1.5"), ("", None), (None, None), (" ", " ")])
def test_texts(value: object, text: str | None) -> None:
    assert thing(text=value).text == text


@pytest.mark.parametrize("value", [True, [], {}, ["a"]])
def test_what_is_no_text(value: object) -> None:
    assert misfit({"number": 1, "text": value}).field == "items.text"


@pytest.mark.parametrize("name", ["text", "count", "unix", "local", "renamed"])
def test_absent_is_null_or_empty_or_missing(name: str) -> None:
    attribute = getattr
    wire_name = "otherName" if name == "renamed" else name
    assert attribute(thing(), name) is None
    assert attribute(thing(**{wire_name: None}), name) is None
    assert attribute(thing(**{wire_name: ""}), name) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [(1, Colour.RED), ("1", Colour.RED), (-1, Colour.LOST), ("-1", Colour.LOST), (99, 99), ("99", 99)],
)
def test_codes_known_and_unknown(value: object, code: int) -> None:
    found = thing(colour=value).colour
    assert found == code
    assert isinstance(found, Colour) is isinstance(code, Colour)


def test_unknown_fields_are_ignored() -> None:
    assert thing(new="field", number_=2) == Thing(1)


def test_a_field_by_the_name_of_the_gateway() -> None:
    assert thing(otherName="x").renamed == "x"
    assert thing(renamed="x").renamed is None


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "items.number"),
        ({"number": "x"}, "items.number"),
        ({"number": 1, "inner": {"size": "x"}}, "items.inner.size"),
        ({"number": 1, "inner": {}}, "items.inner.size"),
        ({"number": 1, "inners": [{"size": 1}, {"size": None}]}, "items.inners[1].size"),
        (None, "items"),
        ([], "items"),
        ("text", "items"),
        (7, "items"),
    ],
)
def test_the_error_names_the_field(value: object, field: str) -> None:
    found = misfit(value).field
    assert found == field or (field == "items" and found == "items.number")


def test_the_error_names_the_entry_of_a_list() -> None:
    assert misfit([{"number": 1}, {"number": 2, "count": "x"}], list[Thing]).field == "items[1].count"


def test_a_field_without_a_name_is_no_field_of_a_model() -> None:
    assert misfit({"": {"x": 1}, "number": 1, "count": "x"}).field == "items.count"


def test_the_error_holds_nothing_of_the_answer() -> None:
    error: BaseException | None = misfit({"number": "secret", "text": "secret"})
    while error is not None:
        assert "secret" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("value", [1_767_261_600, "1767261600", "۱۷۶۷۲۶۱۶۰۰", 1_767_261_600.0])
def test_unix_times(value: object) -> None:
    found = thing(unix=value).unix
    assert found == datetime.datetime(2026, 1, 1, 10, 0, tzinfo=datetime.UTC)
    assert found is not None
    assert found.tzinfo is not None


@pytest.mark.parametrize("value", [10**18, -(10**18), "2026-01-01", "x", True, [], 1e300])
def test_what_is_no_unix_time(value: object) -> None:
    assert misfit({"number": 1, "unix": value}).field == "items.unix"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-02 03:04:05", (2026, 1, 2, 3, 4, 5)),
        ("2026-1-2 3:4:5", (2026, 1, 2, 3, 4, 5)),
        ("2026/01/02 03:04:05", (2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05", (2026, 1, 2, 3, 4, 5)),
        ("2026-01-02  03:04:05.123", (2026, 1, 2, 3, 4, 5)),
        ("2026-01-02 03:04", (2026, 1, 2, 3, 4, 0)),
        (" 2026-01-02 ", (2026, 1, 2, 0, 0, 0)),
        ("2019-09-25 10:38:7", (2019, 9, 25, 10, 38, 7)),
    ],
)
def test_tehran_times(value: str, moment: tuple[int, ...]) -> None:
    found = thing(local=value).local
    assert found is not None
    assert found.tzinfo is TEHRAN
    assert found.timetuple()[:6] == moment


def test_tehran_time_knows_its_history() -> None:
    summer, today = thing(local="2021-07-01 12:00:00").local, thing(local="2026-07-01 12:00:00").local
    assert summer is not None
    assert today is not None
    assert summer.utcoffset() == datetime.timedelta(hours=4, minutes=30)
    assert today.utcoffset() == datetime.timedelta(hours=3, minutes=30)


@pytest.mark.parametrize(
    "value",
    [
        "2026-13-01 00:00:00", "2026-01-32", "25:00", "2026-01-02 24:00:00", "0000-01-01", "x", 7.5, [], "1-2-3",
        "9999-12-31T23:59:59-14:00",
    ],
)  # fmt: skip
def test_what_is_no_tehran_time(value: object) -> None:
    assert misfit({"number": 1, "local": value}).field == "items.local"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        (" -7 ", -7),
        (0, 0),
        (True, None),
        (None, None),
        ("", None),
        ("x", None),
        (1.0, 1),
        (1.5, None),
        ("1.5", None),
        ("9" * 20, None),
        ([], None),
        ("1_0", None),
        ("\x1c5", 5),
        ("--5", None),
        ("- 5", None),
        ("-", None),
        ("٥", None),
    ],
)
def test_as_int(value: object, number: int | None) -> None:
    assert as_int(value) == number
    assert type(as_int(value)) is type(number)


def test_as_dict_and_as_list() -> None:
    assert as_dict({"a": 1}) == {"a": 1}
    others: list[object] = [[], None, "x", 1]
    assert [as_dict(value) for value in others] == [{}] * 4
    assert as_list([1]) == [1]
    others = [{}, None, "x", 1, ()]
    assert [as_list(value) for value in others] == [None] * 5


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), b' \n{"a": 1}\r\n'])
def test_encodings(body: bytes) -> None:
    assert loads(body, http_status=200) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"<html>", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"\xff\xfe\xff", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b'{"a":' * 200_000, "not valid JSON"),
        (b"[" * 200_000 + b"]" * 200_000, "not valid JSON"),
        (b"1" * (sys.get_int_max_str_digits() + 1), "not valid JSON"),
    ],
    ids=range(10),
)
def test_what_is_no_json(body: bytes, what: str) -> None:
    with pytest.raises(ReplyError, match=what) as caught:
        loads(body, http_status=502)
    assert caught.value.http_status == 502
    assert caught.value.__cause__ is caught.value.__context__ is None, "the parser's error holds the whole body"


def test_deep_nesting_in_a_field_is_survived() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert misfit({"number": deep}).field == "items.number"
    assert thing(unknown=deep) == Thing(1)


def test_not_a_number_is_no_number() -> None:
    value: Any
    for text in ("NaN", "Infinity", "-Infinity", "1e999"):
        value = loads(f'{{"number": {text}}}'.encode(), http_status=200)
        assert misfit(value).field == "items.number"


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_largest_whole_numbers(number: int) -> None:
    assert thing(number=number, count=str(number)) == Thing(number, count=number)
    assert as_int(number) == as_int(str(number)) == number


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000, "9" * 19, "9" * 1_000_000, " " * 1000 + "7", 1e300])
@pytest.mark.parametrize("field", ["number", "count", "colour", "unix"])
def test_larger_ones_fit_nowhere(number: object, field: str) -> None:
    assert misfit({"number": 1, field: number}).field == f"items.{field}"
    assert as_int(number if number != " " * 1000 + "7" else "") is None


@pytest.mark.parametrize(
    "value", ["1e64", "-12.5", "۱۲", " 7 ", 7, 0.5, "9" * 64, 10**64, "0.000", "0." + "0" * 60 + "1"], ids=repr
)
def test_amounts(value: object) -> None:
    assert decode(value, decimal.Decimal, path="", http_status=200) == decimal.Decimal(str(value).strip())


@pytest.mark.parametrize(
    "value",
    [
        "1e600000", "-1e600000", "1e65", "1e-600000", "0e600000", "9" * 1_000_000, "0" * 1_000_000, 10**65, 1e300,
        "NaN", "Infinity", float("inf"), True, None, "", "1,5", "1_000", [],
    ],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_what_is_no_amount_or_costs_too_much_to_go_on_with(value: object) -> None:
    for kind in (decimal.Decimal, WholeAmount):
        assert misfit(value, kind).field == "items"


@pytest.mark.parametrize("value", [1, 1.5, "1.5", "9" * 300])
def test_floats(value: Any) -> None:
    assert decode(value, float, path="", http_status=200) == float(value)


@pytest.mark.parametrize("value", ["9" * 400, "1_000", "nan", "inf", 1e999, 10**400, True, []])
def test_what_is_no_float(value: object) -> None:
    assert misfit(value, float).field == "items"


def nest(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(("inner", "depth"), [("", 0), ("1", 0), ('"[[[["', 0), ('{"a": [1]}', 2)])
def test_how_deep_an_answer_may_go(inner: str, depth: int) -> None:
    around = 32 - depth
    assert loads(f"{'[' * around}{inner}{']' * around}".encode(), http_status=200)
    objects = '{"a":' * around + (inner or "1") + "}" * around
    assert loads(objects.encode(), http_status=200)
    for document in (f"[{objects}]", nest(33), f"[1, {nest(32)}]", f'{{"a": 1, "b": {nest(32)}}}'):
        with pytest.raises(ReplyError, match="not valid JSON"):
            loads(document.encode(), http_status=200)


def test_many_lists_beside_each_other_are_not_deep() -> None:
    assert loads(f"[{','.join(['[]'] * 10_000)}]".encode(), http_status=200) == [[]] * 10_000
    assert loads(json.dumps(["[" * 100]).encode(), http_status=200) == ["[" * 100]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"a\uDfFfb"', "a\ufffdb"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\uDE00"', "\ufffd\U0001f600"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\\\ud800"', "\\\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd"),
        (b'\xef\xbb\xbf"\xed\xa0\x80\xed\xb0\x80"', "\ufffd\ufffd"),
        ('\ufeff"\ud800"'.encode("utf-16-le", "surrogatepass"), "\ufffd"),
    ],
)
def test_half_a_character_is_replaced(document: bytes, text: str) -> None:
    assert loads(document, http_status=200) == text
    assert loads(b"  " + document + b" " if document[:1] == b'"' else document, http_status=200) == text
    if document[:1] == b'"':
        assert loads(b'{"a":[' + document + b"]}", http_status=200) == {"a": [text]}


def test_half_a_character_between_a_servers_warnings() -> None:
    assert find_document(rb'<b>Warning</b> {"a": "\ud800"}') == {"a": "\ufffd"}
    assert find_document(f"<b>Warning</b> {nest(33)}".encode()) is None


def test_digits_are_counted_also_where_python_was_told_not_to() -> None:
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        for text in ("9" * 1_000_000, f'{{"a": {"9" * 1_000_000}}}'):
            with pytest.raises(ReplyError):
                loads(text.encode(), http_status=200)
    finally:
        sys.set_int_max_str_digits(most)


@pytest.mark.parametrize("entry", ["text", "", [], 7, None, True])
def test_what_is_no_object_is_no_model(entry: object) -> None:
    """Even if every field of the model may be missing."""
    assert misfit([{"size": 1}, entry], list[Inner]).field == "items[1]"


class Line(str, enum.Enum):  # noqa: UP042 -- as callers write it
    """A caller's own kind of string, which formats as its name and not as its value."""

    MAIN = "30001234"
    TEXT = "a & b"


def test_a_form_takes_any_kind_of_string_by_its_value() -> None:
    form = codec.encode_form({"line": Line.MAIN, "text": Line.TEXT, "empty": "", "list": "1,2"})
    assert form == "line=30001234&text=%61%20%26%20%62&empty=&list=1,2"
    assert type(form) is str


@attrs.frozen
class Keyword:
    """A model of which one field is only taken by name, and stands first on the wire."""

    first: str | None = None
    status: int = attrs.field(kw_only=True)
    last: UnixTime | None = None


def test_a_field_that_is_only_taken_by_name() -> None:
    found = decode({"first": "a", "status": "7", "last": "0001-01-01T00:00:00"}, Keyword, path="", http_status=200)
    assert found == Keyword("a", status=7)
    assert misfit({"first": "a"}, Keyword).field == "items.status"


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'Warning: in [] on line 3\n{"a": [1]}', {"a": [1]}),
        (b'{"a": [1]}\n<br>Warning: [late]', {"a": [1]}),
        (b'\xff[x] [0, "7"] \r\n', [0, "7"]),
        (b"<script>[1, 2]</script>", None),
        (b'Warning in {main} [<a href>]: {"a": [1]}', {"a": [1]}),
        (b'Warning: {"a": [1]', None),
        (b'Warning: {"a": "half [1]', None),
        (b"", None),
        (b"[" * 70_000, None),
        (b"x[1" * 100_000, None),
        (b"x[" + b"1" * 5_000 + b"]", None),
    ],
)
def test_a_document_between_other_things(body: bytes, document: object) -> None:
    assert find_document(body) == document
