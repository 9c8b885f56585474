"""Panels that name things otherwise: profiles, and a call by the panel's own names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
import pytest_asyncio
from payamak.emulator import Emulator
from payamak.opgateway import (
    AuthenticationError,
    GatewayError,
    InvalidArgumentError,
    NewUser,
    OpGatewayClient,
    OpProfile,
    Outcome,
    PanelAnswer,
    PermissionDeniedError,
    RetryPolicy,
)
from support.ghasedak import PATIENT, QUICKLY, failure_of
from support.opgateway import FIRST, LINE, METHODS, PASSWORD, TEXT, USERNAME, Method, make_client, reply, url_of
from support.raw_server import RawServer, answer

# As the vendor's document writes them; what the op's block does not show stays away.
DOCUMENTED: dict[str, tuple[str, set[str]]] = {
    "send": ("send", {"From", "Message", "To", "time"}),
    "send_to_many": ("send", {"From", "Message", "To", "time"}),
    "credit": ("credit", set()),
    "delivery": ("delivery", {"Message"}),
    "check_message": ("Checkmessage", {"Messageid"}),
    "phone_books": ("Booklist", set()),
    "send_to_phone_books": ("Booksend", {"From", "Message", "Bookid"}),
    "received": ("Inboxlist", set()),
    "access_levels": ("accesslist", set()),
    "create_user": (
        "newuser",
        {"User-name", "User-pass", "name", "company", "national-id", "certificate-id", "access-id", "Tell", "mobile"}
        | {"postalcode", "email", "address"},
    ),
    "postal_code_count": ("postalcodecount", {"type", "gender", "postalcode"}),
    "postal_code_areas": ("Postalcoderarea", set()),
    "send_to_postal_code": ("Postalcodesend", {"From", "Message", "type", "Gender", "Postalcode"}),
    "jobs": ("Jobslist", set()),
    "job_trends": ("Jobstrenlist", {"Jobsid"}),
    "job_count": ("jobscount", {"Trendid"}),
    "send_to_job": ("Jobssend", {"From", "Message", "Trendid", "Jobsid"}),
}


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


def client_of(emulator: Emulator, **options: Any) -> OpGatewayClient:
    settings: dict[str, Any] = {"retry": QUICKLY, "timeout": PATIENT, **options}
    return OpGatewayClient("emulator", "emulator", base_url=emulator.opgateway_url, **settings)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
async def test_the_document_to_the_letter(method: Method) -> None:
    async with (
        RawServer(reply([0, method.data])) as server,
        make_client(url_of(server), profile=OpProfile.as_documented()) as client,
    ):
        await method.call(client)
    form = server.requests[0].form
    op, fields = DOCUMENTED[method.name]
    assert form.pop("Op") == op
    assert (form.pop("Uname"), form.pop("Pass")) == (USERNAME, PASSWORD)
    assert set(form) == fields
    assert sorted(form.values()) == sorted(method.fields.values())


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
async def test_a_panel_that_follows_the_document_understands_it(method: Method, emulator: Emulator) -> None:
    emulator.opgateway.switches.names = "document"
    async with client_of(emulator) as usual:
        error = await failure_of(method.call(usual))
        assert isinstance(error, AuthenticationError)
    async with client_of(emulator, profile=OpProfile.as_documented()) as client:
        if method.name in ("delivery", "check_message"):
            bulk_id = await client.send(FIRST, TEXT, sender=LINE)
            assert await getattr(client, method.name)(bulk_id)
        else:
            await method.call(client)


async def test_what_a_profile_renames_for_one_op_stays_for_the_others() -> None:
    profile = OpProfile(ops={"credit": "balance"}, fields={"uname": "user", "send.message": "text"})
    async with RawServer(reply([0, "1"])) as server, make_client(url_of(server), profile=profile) as client:
        await client.credit()
        await client.send(FIRST, TEXT, sender=LINE)
        await client.send_to_phone_books([1], TEXT, sender=LINE)
    credit, send, book_send = (request.form for request in server.requests)
    assert credit == {"user": USERNAME, "pass": PASSWORD, "op": "balance"}
    assert (send["text"], "message" in send) == (TEXT, False)
    assert (book_send["message"], "text" in book_send) == (TEXT, False)


BAD: list[Any] = [{"a b": "c"}, {"a": "b&c"}, {"a": ""}, {"a": None}, {1: "a"}, [("a", "b")], None, "a"]


@pytest.mark.parametrize("argument", ["ops", "fields"])
@pytest.mark.parametrize("value", BAD)
def test_a_profile_that_cannot_travel(argument: str, value: Any) -> None:
    names: dict[str, Any] = {argument: value}
    with pytest.raises(InvalidArgumentError) as caught:
        OpProfile(**names)
    assert caught.value.argument == argument


async def test_a_profile_that_would_lose_a_field_sends_nothing() -> None:
    profile = OpProfile(fields={"from": "to"})
    async with RawServer(reply([0, "1"])) as server, make_client(url_of(server), profile=profile) as client:
        assert await client.credit() == 1
        error = await failure_of(client.send(FIRST, TEXT, sender=LINE))
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, error.outcome) == ("profile", Outcome.NOT_SENT)
    assert len(server.requests) == 1
    wrong: Any = {"uname": "Uname"}
    with pytest.raises(InvalidArgumentError, match="profile"):
        OpGatewayClient("a", "b", base_url="https://localhost/", profile=wrong)


async def test_an_op_that_has_no_method(emulator: Emulator) -> None:
    async with client_of(emulator) as client:
        lines = await client.call("lines", only_reads=True)
        wanted = [{"number": f"+98{line}"} for line in emulator.opgateway.account.lines]
        assert lines == PanelAnswer(0, wanted)
        assert repr(lines) == "PanelAnswer(code=0)"
        sent = await client.call("booksend", {"bookid": "[101]", "message": TEXT, "from": LINE, "to": ""})
        assert len(await client.delivery(sent.data)) == len(emulator.messages()) == 3
        assert await client.call("nothing") == PanelAnswer(None, None)
        emulator.opgateway.switches.unknown_op = "963"
        error = await failure_of(client.call("nothing"))
        assert (type(error), error.operation, error.outcome) == (PermissionDeniedError, "call", Outcome.REFUSED)


async def test_a_call_uses_the_names_it_is_given_and_the_profile_for_the_rest() -> None:
    async with (
        RawServer(reply([0, '["a"]'])) as server,
        make_client(url_of(server), profile=OpProfile.as_documented()) as client,
    ):
        assert (await client.call("Any", {"uname": "x", "list[]": "۱, 2"})).data == ["a"]
        error = await failure_of(client.call("Any", {"Uname": "x"}))
        assert isinstance(error, InvalidArgumentError)
    assert [request.form for request in server.requests] == [
        {"Uname": USERNAME, "Pass": PASSWORD, "Op": "Any", "uname": "x", "list[]": "۱, 2"}
    ]


@pytest.mark.parametrize(("only_reads", "requests"), [(False, 1), (True, 3)])
async def test_a_call_goes_out_once_unless_it_only_reads(only_reads: bool, requests: int) -> None:
    retry = RetryPolicy(attempts=3, base_delay=0.001, max_delay=0.001)
    async with RawServer(answer(b"", 500)) as server, make_client(url_of(server), retry=retry) as client:
        error = await failure_of(client.call("lines", only_reads=only_reads))
    assert (error.outcome, len(server.requests)) == (Outcome.UNKNOWN, requests)


async def test_a_user_needs_only_what_panels_ask_for(emulator: Emulator) -> None:
    user = NewUser(
        username="reza_1",
        password="abcd1234",
        national_id="0013542419",
        certificate_id="12",
        access_id=2,
        telephone="02188888888",
        mobile=FIRST,
        email="a@example.com",
        address="تهران",
    )
    async with client_of(emulator) as client:
        await client.create_user(user)
        assert not {"name", "company", "postalcode"} & {
            name for name, value in emulator.opgateway.users[0].fields.items() if value
        }
        refused = await failure_of(client.create_user(attrs.evolve(user, username="reza_2", national_id="1")))
        assert isinstance(refused, GatewayError)
