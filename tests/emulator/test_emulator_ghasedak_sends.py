from __future__ import annotations

import json
from typing import Any

import pytest
from payamak.emulator import Emulator

pytestmark = pytest.mark.asyncio

TO = "09121111111"
PAIR = "09121111111,09122222222"
PERSIAN = "سلام دنیا"
SENDS: dict[str, dict[str, str]] = {
    "sms/send/simple": {"message": "m", "receptor": TO, "linenumber": "10008566"},
    "sms/send/simple/url": {"message": "m", "receptor": TO, "linenumber": "10008566"},
    "sms/send/bulk": {"message": "m", "receptor": TO, "linenumber": "10008566"},
    "sms/send/pair": {"message": "m", "receptor": TO, "linenumber": "10008566"},
    "verification/send/simple": {"receptor": TO, "type": "1", "template": "t", "param1": "1"},
    "voice/send/simple": {"message": "m", "receptor": TO},
}


def only(emulator: Emulator) -> Any:
    (message,) = emulator.messages()
    return message


async def test_simple_answers_as_documented(call: Any, emulator: Emulator) -> None:
    reply = await call("sms/send/simple", message=PERSIAN, receptor=TO, linenumber="5000222", checkid="77")
    assert reply.http == 200
    assert reply.body == {"result": {"code": 200, "message": "success"}, "items": [2578793735]}
    message = only(emulator)
    assert (message.text, message.recipient, message.line, message.check_id) == (PERSIAN, TO, "5000222", "77")
    assert (message.kind, message.encoding, message.parts, message.operation) == ("sms", "ucs2", 1, "sms/send/simple")


@pytest.mark.parametrize("credentials", [{"username": "me", "password": "emulator-key"}, {"apikey": "emulator-key"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_simple_by_url(call: Any, emulator: Emulator, credentials: dict[str, str], method: str) -> None:
    reply = await call("sms/send/simple/url", method=method, key=None, message="m", receptor=TO, **credentials)
    assert reply.items == [only(emulator).id]
    assert only(emulator).operation == "sms/send/simple/url"


async def test_simple_by_url_refusals(call: Any, emulator: Emulator) -> None:
    wrong = await call("sms/send/simple/url", key=None, message="m", receptor=TO, username="me", password="no")
    assert (wrong.http, wrong.message) == (401, "apikey is invalid")
    none = await call("sms/send/simple/url", key=None, message="m", receptor=TO)
    assert json.loads(none.message) == ["username is required", "password is required"]
    assert emulator.messages() == []


async def test_bulk_pairs_element_by_element_and_trims(call: Any, emulator: Emulator) -> None:
    reply = await call(
        "sms/send/bulk",
        message=" one , two ",
        receptor=" 09111111111 , 09111111112 ",
        linenumber=" 5000222 , 10008566 ",
        senddate="1508144471,1508144475,",
        checkid=" 2020 , 2021 ",
    )
    assert reply.items == [2578793735, 2578793736]
    sent = [(m.text, m.recipient, m.line, m.check_id) for m in emulator.messages()]
    assert sent == [("one", "09111111111", "5000222", "2020"), ("two", "09111111112", "10008566", "2021")]
    assert [m.send_at and m.send_at.timestamp() for m in emulator.messages()] == [1508144471, 1508144475]


@pytest.mark.parametrize(
    "change",
    [
        {"message": "one"},
        {"linenumber": "5000222"},
        {"senddate": "1508144471"},
        {"senddate": "1,2,3"},
        {"checkid": "1"},
        {"receptor": "09111111111"},
    ],
)
async def test_bulk_lengths_must_agree(call: Any, emulator: Emulator, change: dict[str, str]) -> None:
    fields = {"message": "one,two", "receptor": PAIR, "linenumber": "5000222,5000222", **change}
    reply = await call("sms/send/bulk", **fields)
    assert (reply.http, reply.body["result"], reply.items) == (419, {"code": 419, "message": "error! Exception"}, [4])
    assert emulator.messages() == []


async def test_bulk_broadcast_switch(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.bulk_broadcast = True
    reply = await call("sms/send/bulk", message="one", receptor=PAIR, linenumber="5000222")
    assert len(reply.items) == 2
    assert {m.text for m in emulator.messages()} == {"one"}


async def test_pair_sends_one_text_to_many(call: Any, emulator: Emulator) -> None:
    reply = await call("sms/send/pair", message="a, b", receptor=PAIR, checkid="1,2")
    assert reply.items == [m.id for m in emulator.messages()]
    sent = [(m.text, m.recipient, m.check_id, m.line) for m in emulator.messages()]
    assert sent == [("a, b", "09121111111", "1", "10008566"), ("a, b", "09122222222", "2", "10008566")]
    assert (await call("sms/send/pair", message="a", receptor=PAIR, checkid="1")).items == [4]


async def test_verification_fills_the_template(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.templates["login"] = "کد %param1% تا %param10% و %param2%."
    await call("verification/send/simple", receptor=TO, type=1, template="login", param1="12", param2="b", param10="ده")
    message = only(emulator)
    assert message.text == "کد 12 تا ده و b."
    assert (message.kind, message.template, message.params[:2], len(message.params)) == (
        "otp",
        "login",
        ("12", "b"),
        10,
    )


async def test_verification_without_a_text_and_as_a_call(call: Any, emulator: Emulator) -> None:
    fields = {"receptor": PAIR, "type": 2, "template": "login", "param1": "12 34", "param2": "", "checkid": "9"}
    assert len((await call("verification/send/simple", **fields)).items) == 2
    first, second = emulator.messages()
    assert (first.text, first.parts, first.encoding, first.params) == ("login 12 34", 1, None, ("12 34",))
    assert first.check_id == second.check_id == "9"


@pytest.mark.parametrize("kind", ["0", "3", "text", "undefined"])
async def test_verification_type_is_checked(call: Any, kind: str) -> None:
    reply = await call("verification/send/simple", receptor=TO, type=kind, template="t", param1="1")
    assert (reply.http, json.loads(reply.message), reply.items) == (400, ["type is invalid"], None)


async def test_unknown_template_only_with_the_switch(call: Any, emulator: Emulator) -> None:
    fields = {"receptor": TO, "type": 1, "template": "other", "param1": "1"}
    assert (await call("verification/send/simple", **fields)).code == 200
    emulator.ghasedak.switches.known_templates = ("login",)
    assert (await call("verification/send/simple", **fields)).items == [10]
    emulator.ghasedak.switches.unknown_template_error = 5
    assert (await call("verification/send/simple", **fields)).items == [5]
    assert (await call("verification/send/simple", **{**fields, "template": "login"})).code == 200


async def test_voice_answers_with_objects_or_ids(call: Any, emulator: Emulator) -> None:
    (item,) = (await call("voice/send/simple", message="test", receptor=TO, senddate="1605968584")).items
    assert item == {
        "messageid": 2578793735,
        "message": "test",
        "voice": 0,
        "price": 155,
        "sender": "10008566",
        "receptor": TO,
        "senddate": "1605968584",
    }
    emulator.ghasedak.switches.voice_reply = "ids"
    assert (await call("voice/send/simple", message="test", receptor=TO)).items == [2578793736]
    assert {m.kind for m in emulator.messages()} == {"voice"}


@pytest.mark.parametrize("path", SENDS)
async def test_every_required_parameter_is_named(call: Any, emulator: Emulator, path: str) -> None:
    optional = {"linenumber"} if path != "sms/send/bulk" else set[str]()
    for name in SENDS[path].keys() - optional:
        for absent in ({}, {name: ""}):
            fields = {key: value for key, value in SENDS[path].items() if key != name} | absent
            reply = await call(path, **fields)
            assert reply.body == {"result": {"code": 400, "message": f'["{name} is required"]'}, "items": None}
            assert reply.http == 400
    assert emulator.messages() == []


@pytest.mark.parametrize("path", ["sms/send/simple", "sms/send/pair", "voice/send/simple"])
async def test_strict_required_switch(call: Any, emulator: Emulator, path: str) -> None:
    name = "senddate" if path.startswith("voice") else "linenumber"
    assert (await call(path, message="m", receptor=TO)).code == 200
    emulator.ghasedak.switches.strict_required = True
    assert json.loads((await call(path, message="m", receptor=TO)).message) == [f"{name} is required"]


@pytest.mark.parametrize("path", SENDS)
@pytest.mark.parametrize("number", [5, 6, 7, 8, 9, 10, 11, 20, 21, 24])
async def test_special_recipients_are_refused(call: Any, emulator: Emulator, path: str, number: int) -> None:
    reply = await call(path, **{**SENDS[path], "receptor": f"090000000{number:02}"}, key="emulator-key")
    if number == 20 and path.startswith("verification"):
        # The document: verification messages reach filtered numbers.
        assert reply.code == 200
        return
    assert (reply.http, reply.message, reply.items) == (419, "error! Exception", [number])
    assert emulator.messages() == []
    assert emulator.ghasedak.account.credit == 1_000_000


async def test_one_refused_recipient_refuses_the_call_unless_switched(call: Any, emulator: Emulator) -> None:
    fields = {"message": "m", "receptor": f"{TO},09000000020,123,09122222222"}
    assert (await call("sms/send/pair", **fields)).items == [20]
    assert emulator.messages() == []
    emulator.ghasedak.switches.per_recipient_errors = True
    reply = await call("sms/send/pair", **fields)
    assert (reply.http, reply.items) == (200, [2578793735, 20, 8, 2578793736])
    assert [m.recipient for m in emulator.messages()] == [TO, "09122222222"]
    assert emulator.ghasedak.account.credit == 1_000_000 - 2 * 155


@pytest.mark.parametrize(
    "written",
    ["09121111111", "9121111111", "+989121111111", "00989121111111", "989121111111", " 989121111111", " 09121111111 "],
)
async def test_mobile_numbers_in_every_form(call: Any, emulator: Emulator, written: str) -> None:
    await call("sms/send/simple", message="m", receptor=written)
    assert only(emulator).recipient == "09121111111"


@pytest.mark.parametrize(
    "written", ["0912111111", "091211111111", "02188888888", "abc", "۰۹۱۲۱۱۱۱۱۱۱", "0912 111 1111"]
)
async def test_what_is_no_mobile_number_is_error_8(call: Any, written: str) -> None:
    assert (await call("sms/send/simple", message="m", receptor=written)).items == [8]


@pytest.mark.parametrize("written", ["+33456351753", "0033456351753", " 33456351753"])
async def test_international_numbers_only_by_verification(call: Any, emulator: Emulator, written: str) -> None:
    fields = {"receptor": written, "type": 1, "template": "t", "param1": "1"}
    assert (await call("verification/send/simple", **fields)).code == 200
    assert (only(emulator).recipient, only(emulator).price) == ("+33456351753", 5_000)
    assert (await call("sms/send/simple", message="m", receptor=written)).items == [8]
    assert (await call("voice/send/simple", message="m", receptor=written)).items == [8]


async def test_number_without_a_mark_is_not_international(call: Any) -> None:
    fields = {"type": 1, "template": "t", "param1": "1"}
    assert (await call("verification/send/simple", receptor="33456351753", **fields)).items == [8]


async def test_lists_of_recipients(call: Any, emulator: Emulator) -> None:
    hundred = ",".join(f"0912{index:07}" for index in range(100))
    assert len((await call("sms/send/pair", message="m", receptor=hundred)).items) == 100
    assert (await call("sms/send/pair", message="m", receptor=hundred + "," + TO)).items == [3]
    assert (await call("sms/send/pair", message="m", receptor=",,")).items == [2]
    assert (await call("sms/send/pair", message="m", receptor=TO + ",")).items == [8]
    assert len(emulator.messages()) == 100


async def test_simple_takes_a_list_unless_switched(call: Any, emulator: Emulator) -> None:
    assert len((await call("sms/send/simple", message="m", receptor=PAIR)).items) == 2
    emulator.ghasedak.switches.strict_number_list_simple = True
    assert (await call("sms/send/simple", message="m", receptor=PAIR)).items == [8]
    assert (await call("sms/send/simple", message="m", receptor=TO)).code == 200


@pytest.mark.parametrize("path", ["sms/send/simple", "sms/send/bulk", "sms/send/pair"])
async def test_foreign_line_is_error_7(call: Any, emulator: Emulator, path: str) -> None:
    assert (await call(path, **{**SENDS[path], "linenumber": "30001234"})).items == [7]
    emulator.ghasedak.account.lines = ("30001234",)
    assert (await call(path, **{**SENDS[path], "linenumber": "30001234"})).code == 200


@pytest.mark.parametrize("word", ["undefined", "null", ""])
async def test_words_for_no_value_in_optional_parameters(call: Any, emulator: Emulator, word: str) -> None:
    reply = await call("sms/send/simple", message="m", receptor=TO, linenumber=word, senddate=word, checkid=word)
    assert reply.code == 200
    assert (only(emulator).line, only(emulator).send_at, only(emulator).check_id) == ("10008566", None, None)


@pytest.mark.parametrize("moment", ["tomorrow", "1.5", "۱۵۰۸۱۴۴۴۷۱", "9999999999999999"])
async def test_senddate_must_be_unix_seconds(call: Any, moment: str) -> None:
    reply = await call("sms/send/simple", message="m", receptor=TO, senddate=moment)
    assert (reply.http, json.loads(reply.message)) == (400, ["senddate is invalid"])


@pytest.mark.parametrize(
    ("text", "price"),
    [("a" * 160, 155), ("a" * 161, 310), ("س" * 70, 155), ("س" * 71, 310), ("س" * 135, 465), ("€" * 81, 310)],
)
async def test_credit_is_charged_by_the_part(call: Any, emulator: Emulator, text: str, price: int) -> None:
    await call("sms/send/pair", message=text, receptor=PAIR)
    assert [m.price for m in emulator.messages()] == [price, price]
    assert (await call("account/info")).items["balance"] == 1_000_000 - 2 * price


async def test_credit_must_cover_the_whole_call(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.account.credit = 2 * 155 - 1
    assert (await call("sms/send/pair", message="m", receptor=PAIR)).items == [9]
    assert emulator.messages() == []
    assert (await call("sms/send/pair", message="m", receptor=TO)).code == 200
    assert emulator.ghasedak.account.credit == 154
    emulator.ghasedak.account.credit = 155
    assert (await call("sms/send/pair", message="m", receptor=TO)).code == 200
    assert emulator.ghasedak.account.credit == 0


async def test_duplicate_check_id(call: Any, emulator: Emulator) -> None:
    fields = {"message": "m", "receptor": TO, "checkid": "5"}
    assert [(await call("sms/send/simple", **fields)).code for _ in range(2)] == [200, 200]
    emulator.ghasedak.switches.duplicate_check_id = "refuse"
    assert (await call("sms/send/simple", **fields)).items == [5]
    assert (await call("sms/send/simple", **{**fields, "checkid": "6"})).code == 200
    assert len(emulator.messages()) == 3
    assert emulator.ghasedak.account.credit == 1_000_000 - 3 * 155


async def test_refusing_everything_by_switch(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.refuse_sends_with = 24
    assert (await call("sms/send/simple", message="m", receptor=TO)).items == [24]
    assert (await call("account/info")).code == 200
    emulator.ghasedak.switches.refuse_calls_with = 11
    assert (await call("account/info")).items == [11]


async def test_errors_in_http_200(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.errors_in_http_200 = True
    refused = await call("sms/send/simple", message="m", receptor="1")
    assert (refused.http, refused.code) == (200, 419)
    unauthorised = await call("account/info", key="wrong")
    assert (unauthorised.http, unauthorised.code) == (200, 401)
