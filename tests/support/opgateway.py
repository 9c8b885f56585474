"""What the tests of the op-driven gateway share: a client, and a call of each of its methods."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import attrs
from payamak.opgateway import Gender, NewUser, Operator, OpGatewayClient, PayamakError

from support.ghasedak import PATIENT, QUICKLY
from support.raw_server import Behaviour, RawServer, answer

USERNAME, PASSWORD = "ali", "رمز +&=%"
FIRST, SECOND, ABROAD = "09121111111", "09122222222", "+33456351753"
LINE = "3000505"
TEXT = "سلام، ۵۰٪ +a&b=c;d%20 🙂\nline 2"
TIME = datetime(2030, 1, 1, 8, 30, 5, 900_000, tzinfo=UTC)
NEW_USER = NewUser(
    username="reza_1",
    password="abcd1234",
    name="رضا",
    company="شرکت",
    national_id="0013542419",
    certificate_id="12",
    access_id=2,
    telephone="02188888888",
    mobile=FIRST,
    postal_code="1345610001",
    email="a+b@example.com",
    address="تهران، خیابان ۱",
)

Call = Callable[[OpGatewayClient], Awaitable[Any]]


@attrs.frozen
class Method:
    """One public method.

    Attributes:
        name: Its name.
        op: The vendor's name.
        call: A call of it with everything that can be given.
        fields: What that call puts into the form, but for the credentials and the op.
        data: What a gateway answers as data.
        once: Whether it must never be repeated.
    """

    name: str
    op: str
    call: Call
    fields: dict[str, str]
    data: Any
    once: bool = False


_MESSAGE = {"message": TEXT, "from": LINE}
_NAMED: Any = [{"id": 11, "title": "الف/ب"}, {"id": "12", "title": "ج"}]
METHODS = {
    method.name: method
    for method in (
        Method(
            "send",
            "send",
            lambda client: client.send("+98 912 111 1111", TEXT, sender="+98" + LINE, send_at=TIME),
            {**_MESSAGE, "to": f'["{FIRST}"]', "time": "2030-01-01 12:00:05"},
            10929800,
            once=True,
        ),
        Method(
            "send_to_many",
            "send",
            lambda client: client.send_to_many([FIRST, "۹۱۲۲۲۲۲۲۲۲", ABROAD], TEXT, sender=LINE, send_at=TIME),
            {**_MESSAGE, "to": f'["{FIRST}", "{SECOND}", "{ABROAD}"]', "time": "2030-01-01 12:00:05"},
            10929800,
            once=True,
        ),
        Method("credit", "credit", lambda client: client.credit(), {}, "123456.78"),
        Method(
            "delivery",
            "delivery",
            lambda client: client.delivery(10929800),
            {"uinqid": "10929800"},
            ["+989121111111:notsync", "+989122222222:Delivered"],
        ),
        Method(
            "check_message",
            "checkmessage",
            lambda client: client.check_message(10929800),
            {"messageid": "10929800"},
            {"statusMessage": "Finish", "validMessage": "approve"},
        ),
        Method("phone_books", "booklist", lambda client: client.phone_books(), {}, _NAMED),
        Method(
            "send_to_phone_books",
            "booksend",
            lambda client: client.send_to_phone_books([101, 102], TEXT, sender=LINE),
            {**_MESSAGE, "bookid": "[101, 102]"},
            10929800,
            once=True,
        ),
        Method(
            "received",
            "inboxlist",
            lambda client: client.received(),
            {},
            [
                {"message": "سلام/[1]", "from": "+989121111111", "to": "+983000505", "time": "2030/01/01 12:00:05"},
                {"message": "[1,2]", "from": "+989121111111", "to": "+983000505", "time": "2030/01/01 12:00:06"},
            ],
        ),
        Method("access_levels", "accesslist", lambda client: client.access_levels(), {}, _NAMED),
        Method(
            "create_user",
            "newuser",
            lambda client: client.create_user(NEW_USER),
            {
                "user_uname": "reza_1",
                "user_pass": "abcd1234",
                "name": "رضا",
                "company": "شرکت",
                "national_id": "0013542419",
                "certificate_id": "12",
                "access_id": "2",
                "tell": "02188888888",
                "mobile": FIRST,
                "postalcode": "1345610001",
                "email": "a+b@example.com",
                "address": "تهران، خیابان ۱",
            },
            30401,
            once=True,
        ),
        Method(
            "postal_code_count",
            "postalcodecount",
            lambda client: client.postal_code_count(Operator.MCI, "1345", gender=Gender.WOMEN),
            {"type": "tci", "gender": "2", "postalcode": "1345"},
            7,
        ),
        Method("postal_code_areas", "postalcodearea", lambda client: client.postal_code_areas(), {}, _NAMED),
        Method(
            "send_to_postal_code",
            "postalcodesend",
            lambda client: client.send_to_postal_code(Operator.IRANCELL, "1345", TEXT, sender=LINE, gender=Gender.MEN),
            {**_MESSAGE, "type": "mtn", "gender": "1", "postalcode": "1345"},
            10929800,
            once=True,
        ),
        Method("jobs", "jobslist", lambda client: client.jobs(), {}, _NAMED),
        Method("job_trends", "jobstrendlist", lambda client: client.job_trends(11), {"jobsid": "11"}, _NAMED),
        Method(
            "job_count",
            "jobscount",
            lambda client: client.job_count([111, 112]),
            {"trendid": "[111, 112]"},
            7,
        ),
        Method(
            "send_to_job",
            "jobssend",
            lambda client: client.send_to_job(11, [111, 112], TEXT, sender=LINE),
            {**_MESSAGE, "jobsid": "11", "trendid": "[111, 112]"},
            10929800,
            once=True,
        ),
    )
}


def url_of(server: RawServer) -> str:
    return f"http://127.0.0.1:{server.port}/services.jspd"


def make_client(url: str, **options: Any) -> OpGatewayClient:
    """A client that repeats without waiting."""
    settings: dict[str, Any] = {"base_url": url, "retry": QUICKLY, "timeout": PATIENT, **options}
    return OpGatewayClient(USERNAME, PASSWORD, **settings)


def reply(document: Any, status: int = 200) -> Behaviour:
    """Answer with a JSON document."""
    return answer(json.dumps(document).encode(), status)


async def ask(call: Call, *script: Behaviour, **options: Any) -> Any:
    """Run one call against a server that plays this."""
    async with RawServer(*script) as server, make_client(url_of(server), **options) as client:
        return await call(client)


async def ask_each(call: Call, *script: Behaviour, **options: Any) -> list[Any]:
    """Run one call for each of these answers, on one connection; what it raises stands among the results."""
    found: list[Any] = []
    async with RawServer(*script) as server, make_client(url_of(server), **options) as client:
        for _ in script:
            try:
                found.append(await call(client))
            except PayamakError as error:
                found.append(error)
        assert len(server.requests) == len(script)
    return found
